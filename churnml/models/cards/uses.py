"""What a model card says of each task: its uses and its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Uses:
    """What the scores of a task are for.

    Attributes
    ----------
    purpose : str
    chart : str
        The title of predicted against observed.
    axes : (str, str)
        Of that chart.
    limits : tuple of str
    may, may_not : tuple of str
    """

    purpose: str
    chart: str
    axes: tuple[str, str]
    limits: tuple[str, ...]
    may: tuple[str, ...]
    may_not: tuple[str, ...]


_LEAVING = Uses(
    purpose="To tell, once a month, which customers a retention team should speak to first, and "
    "why each of them is on the list (客户挽留). It ranks customers and says how likely "
    "leaving is; it does not say who would stay because of an offer.",
    chart="Calibration",
    axes=("predicted probability of leaving", "share that left"),
    limits=("A high probability is no sign that an offer would keep the customer.",),
    may=(
        "decide in which order people of the operator speak to customers, and about what;",
        "choose who is offered help or a better fitting tariff, where whoever is not chosen "
        "loses nothing they had;",
        "count: how many customers are at risk, where, and why.",
    ),
    may_not=(
        "set one customer's prices, terms, credit, waiting time or quality of service (price "
        "discrimination against existing customers, 大数据杀熟, is what PIPL art. 24 forbids);",
        "end, refuse or make harder to leave any contract;",
        "hold complaints, age or silence against anybody;",
    ),
)
_SATISFACTION = Uses(
    purpose="To know how satisfied the customers are whom no survey asked (客户满意度), where "
    "satisfaction is low and what it hangs on: network (网络), tariff (资费), business "
    "support (业务支撑), service window (窗口服务). It speaks of groups of customers with "
    "more right than of one.",
    chart="Predicted and answered",
    axes=("predicted satisfaction", "mean answer"),
    limits=(
        "It learned from those who answered; where answering hangs on what no column shows, "
        "the scores of the silent are off.",
        "The 90 % interval holds over all customers, not for every kind of them.",
    ),
    may=(
        "find where service is poor, and mend it there;",
        "choose whom to ask next, and whom to call because something seems to have gone wrong;",
        "follow indices of halls, regions and brands, with their intervals.",
    ),
    may_not=(
        "judge or pay single employees;",
        "stand in for a customer's own answer, or hold a low score against anybody;",
        "set one customer's prices, terms, waiting time or quality of service;",
    ),
)

_OFFERS = Uses(
    purpose="To tell whom a retention offer (挽留优惠) keeps, and whom it drives away, from past "
    "offers with a control group. It is read by `churnml retain` beside what a customer is worth.",
    chart="Effects by fifth",
    axes=("predicted effect", "effect"),
    limits=(
        "An effect is that of being offered something, accepted or not, among customers like those "
        "who were offered something in the past.",
        "One customer's own effect nobody can tell: intervals are of customers alike.",
    ),
    may=(
        "choose who is offered a benefit that anybody may have who asks for it;",
        "leave out whom a contact would drive away.",
    ),
    may_not=(
        "set one customer's prices, terms, credit, waiting time or quality of service (PIPL art. "
        "24);",
        "make leaving harder for anybody;",
    ),
)

USES: Mapping[str, Uses] = {
    "churn": _LEAVING,
    "satisfaction": _SATISFACTION,
    # When a customer leaves is of the same use, and the same harm, as whether.
    "hazard": _LEAVING,
    "offers": _OFFERS,
}
