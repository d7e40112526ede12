"""Profit of a retention campaign targeted by a model.

Of the leavers contacted a share accepts the offer and stays; of the others contacted a
share takes the offer too and would have stayed anyway. Contacting one customer brings, in
yuan,

- for a leaver ``success_rate * (value - offer_cost) - contact_cost``,
- for a stayer ``-(stayers_accept * offer_cost + contact_cost)``,

with the customer's own ``value``. Customers are contacted in the order of what the model
expects of each, and the maximum is over how many. For one value for all it is the maximum
profit measure of Verbraken, Verbeke and Baesens.

References
----------
Verbraken, Verbeke, Baesens (2013), "A novel profit maximizing metric for measuring
classification performance of customer churn prediction models", IEEE Transactions on
Knowledge and Data Engineering 25(5). Neslin et al. (2006), "Defection detection",
Journal of Marketing Research 43(2), for the profit of a campaign. Lemmens, Gupta (2020),
"Managing churn to maximize profits", Marketing Science 39(5), for why each customer's own
value belongs into it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.config.settings import Costs
from churnml.errors import DataError
from churnml.metrics.bootstrap import Measure
from churnml.metrics.calibration import check_probabilities
from churnml.metrics.check_arrays import check_weight, numbers, refuse
from churnml.metrics.check_options import check_kind

Floats = NDArray[np.float64]


def check_costs(costs: Costs | None) -> Costs:
    """Check the costs; the defaults where none are given.

    >>> check_costs(None).offer_cost
    60.0
    """
    hint = "churnml.config.settings.Costs(contact_cost=1.0) makes them; what is not given stays."
    return Costs() if costs is None else check_kind("costs", costs, Costs, hint=hint)


def customer_value(monthly: ArrayLike, costs: Costs | None = None) -> Floats:
    """The value of retaining each customer: spending times margin times months kept.

    Parameters
    ----------
    monthly : array, shape (n,)
        Spending, yuan a month (ARPU). Missing: the mean of the others, or
        ``costs.default_value`` where nobody's is known. Below 0 counts as 0.
    costs : Costs, optional

    Returns
    -------
    array of float64, shape (n,)
        Yuan.

    Examples
    --------
    >>> customer_value([100.0, np.nan, 50.0], Costs(margin=0.5, months_kept=12))
    array([600., 450., 300.])
    """
    costs = check_costs(costs)
    worth = np.maximum(numbers("monthly spending", monthly), 0) * costs.margin * costs.months_kept
    known = np.isfinite(worth)
    unknown = worth[known].mean() if known.any() else costs.default_value
    return np.where(known, worth, unknown)


def contact_gain(y: ArrayLike, value: ArrayLike, costs: Costs | None = None) -> Floats:
    """The gain from contacting each customer, in yuan, shape (n,).

    ``y`` may be a probability: then it is what one expects.

    >>> costs = Costs(contact_cost=1, offer_cost=10, success_rate=0.5)
    >>> contact_gain([1, 0, 0.5], 200.0, costs)
    array([ 94. , -11. ,  41.5])
    """
    costs = check_costs(costs)
    leaves = numbers("labels", y)
    worth = _each(value, leaves)
    kept = costs.success_rate * (worth - costs.offer_cost)
    wasted = costs.stayers_accept * costs.offer_cost
    return np.asarray(leaves * kept - (1 - leaves) * wasted - costs.contact_cost)


class Campaign:
    """Customers in the order in which to contact them, ready for weighted measures.

    Parameters
    ----------
    y : array, shape (n,)
        1 for those who left, 0 for the others.
    p : array, shape (n,)
        Their probabilities.
    value : array, shape (n,), or float
        What keeping each is worth, yuan, at least 0.
    costs : Costs, optional

    Raises
    ------
    DataError
        As `check_probabilities`; and for values that are missing or negative. The measures
        raise it for weights that are not one finite number of 0 or more for each row, one
        of them above 0.
    UsageError
        ``costs`` of another type.

    Examples
    --------
    >>> costs = Costs(contact_cost=1, offer_cost=10, success_rate=0.5)
    >>> campaign = Campaign([1, 0, 0, 0], [0.9, 0.1, 0.2, 0.1], 200.0, costs)
    >>> campaign.maximum(), campaign.best_share()
    (23.5, 0.25)
    """

    def __init__(
        self, y: ArrayLike, p: ArrayLike, value: ArrayLike, costs: Costs | None = None
    ) -> None:
        labels, chances = check_probabilities(y, p)
        worth = _checked(value, labels)
        expected = contact_gain(chances, worth, costs)
        self._order = np.argsort(-expected, kind="stable")
        falling = expected[self._order]
        # Whom the model cannot tell apart are contacted together or not at all.
        self._ends = np.flatnonzero(np.r_[falling[1:] != falling[:-1], True])
        self._gain = contact_gain(labels, worth, costs)[self._order]
        self._worthwhile = int(np.searchsorted(-falling, 0.0, side="left"))
        # One draw's weights are asked about many times in a row.
        self._last: tuple[Any, tuple[Floats, Floats]] | None = None

    def _every(self, weight: NDArray[Any] | None) -> Floats:
        every = check_weight(weight, self._order.size)
        return np.ones(self._order.size) if every is None else every[self._order]

    def curve(self, weight: NDArray[Any] | None = None) -> tuple[Floats, Floats]:
        """Share contacted, and profit in yuan per customer of the base; from (0, 0) on."""
        if weight is not None and self._last is not None and self._last[0] is weight:
            return self._last[1]
        every = self._every(weight)
        total = every.sum()
        share = np.cumsum(every)[self._ends] / total
        profit = np.cumsum(every * self._gain)[self._ends] / total
        curve = np.r_[0.0, share], np.r_[0.0, profit]
        self._last = (weight, curve)
        return curve

    def maximum(self, weight: NDArray[Any] | None = None) -> float:
        """The maximum profit over all shares contacted, yuan per customer.

        At least 0: contacting nobody. It knows where to stop only afterwards.
        """
        return float(self.curve(weight)[1].max())

    def best_share(self, weight: NDArray[Any] | None = None) -> float:
        """The share contacted at maximum profit, the smallest if there are several."""
        share, profit = self.curve(weight)
        return float(share[np.argmax(profit)])

    def decided(self, weight: NDArray[Any] | None = None) -> float:
        """The profit from contacting those for whom the model expects one, per customer.

        Needs no hindsight, and falls where probabilities are wrong.
        """
        every = self._every(weight)
        worthwhile = slice(0, self._worthwhile)
        return float(every[worthwhile] @ self._gain[worthwhile] / every.sum())


def _checked(value: ArrayLike, labels: Floats) -> Floats:
    given = _each(value, labels)
    refuse(
        ~(np.isfinite(given) & (given >= 0)),
        given,
        "customer values are missing, infinite or negative",
        expected="yuan of 0 or more",
        hint="customer_value makes values of ARPU and fills those that are missing.",
    )
    return given


def _each(value: ArrayLike, labels: Floats) -> Floats:
    given = numbers("customer values", value)
    if given.ndim and given.shape != labels.shape:
        raise DataError(
            f"value has shape {given.shape}, y {labels.shape}; one for each row, or one for all, "
            "was expected."
        )
    return np.broadcast_to(given, labels.shape)


def profit_measures(
    y: ArrayLike, p: ArrayLike, value: ArrayLike, costs: Costs | None = None
) -> dict[str, Measure]:
    """Functions of row weights, by name, for `bootstrap` and `paired_difference`.

    Parameters
    ----------
    y : array, shape (n,)
        1 for those who left.
    p : array, shape (n,)
        Their probabilities.
    value : array, shape (n,), or float
        What keeping each is worth, yuan; see `customer_value`.
    costs : Costs, optional
        The section ``costs`` of the settings.

    Returns
    -------
    dict of str to Measure
        ``profit_maximum`` and ``profit_decided`` in yuan per customer of the base, and
        ``profit_best_share``.

    Examples
    --------
    >>> from churnml.metrics import bootstrap, paired_difference
    >>> y = [1, 0, 0, 0, 1, 0, 0, 0]
    >>> one = profit_measures(y, [.9, .1, .2, .1, .8, .1, .1, .2], 200.0)
    >>> other = profit_measures(y, [.1, .9, .2, .1, .1, .8, .1, .2], 200.0)
    >>> more = paired_difference(one["profit_maximum"], other["profit_maximum"])
    >>> bootstrap({"more": more}, 8, draws=50)["more"].value > 0
    True
    """
    campaign = Campaign(y, p, value, costs)
    return {
        "profit_maximum": campaign.maximum,
        "profit_decided": campaign.decided,
        "profit_best_share": campaign.best_share,
    }
