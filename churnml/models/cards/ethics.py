"""What scores of persons may and may not be used for, as every model card says it.

References
----------
Personal Information Protection Law of the People's Republic of China (PIPL, 个人信息保护法),
articles 24, 55 and 56. Regulation (EU) 2016/679 (GDPR), articles 9, 21 and 22.
"""

from __future__ import annotations

from churnml.models.cards.markdown import bullets

_MAY = {
    "churn": (
        "decide in which order people of the operator speak to customers, and about what;",
        "choose who is offered help or a better fitting tariff, where whoever is not chosen "
        "loses nothing they had;",
        "count: how many customers are at risk, where, and why.",
    ),
    "satisfaction": (
        "find where service is poor, and mend it there;",
        "choose whom to ask next, and whom to call because something seems to have gone wrong;",
        "follow indices of halls, regions and brands, with their intervals.",
    ),
}
# When a customer leaves is of the same use, and the same harm, as whether.
_LIKE = {"hazard": "churn"}
_MAY_NOT = {
    "churn": (
        "set one customer's prices, terms, credit, waiting time or quality of service (price "
        "discrimination against existing customers, 大数据杀熟, is what PIPL art. 24 forbids);",
        "end, refuse or make harder to leave any contract;",
        "hold complaints, age or silence against anybody;",
    ),
    "satisfaction": (
        "judge or pay single employees;",
        "stand in for a customer's own answer, or hold a low score against anybody;",
        "set one customer's prices, terms, waiting time or quality of service;",
    ),
}


def text(task: str) -> str:
    """The section for a model of a task, as Markdown."""
    return "\n\n".join(
        [
            "The scores may:",
            bullets(_MAY[_LIKE.get(task, task)]),
            "They may not:",
            bullets([*_MAY_NOT[_LIKE.get(task, task)], *_NOBODY]),
            "What the law asks of whoever uses them:",
            bullets(_DUTIES),
            "This is a reading aid, not legal advice; whoever runs the model answers for its use.",
        ]
    )


_NOBODY = (
    "decide alone anything that matters to a person: somebody looks, and can decide otherwise;",
    "be given to others, or be joined with data from elsewhere to learn more about a person.",
)
_DUTIES = (
    "**PIPL art. 24** (个人信息保护法第二十四条): automated decisions must be transparent, their "
    "results fair and just, and must not treat individuals unreasonably differently in price or "
    "other terms. Marketing to individuals by them needs an option that does not go by personal "
    "traits, or an easy way to refuse. Where a decision weighs heavily on someone's rights, they "
    "may ask for an explanation (`reasons` gives its grounds) and refuse a decision made by "
    "automation alone. Articles 55 and 56 ask for an impact assessment beforehand, kept for three "
    "years.",
    "**GDPR art. 22**: nobody may be subject to a decision based solely on automated processing, "
    "profiling included, that has legal or similarly significant effects, unless a contract needs "
    "it, law allows it or the person has expressly agreed; and then a human must step in on "
    "request, hear the person's view and let them contest it. Special categories (art. 9) stay "
    "out. Art. 21: whoever objects to direct marketing must not be profiled for it.",
    "In practice: leave out whoever has refused; keep the reasons with every list that is acted "
    "on; delete scores when the campaign they were made for is over; compare results by age and "
    "brand (above) before each use, the elderly first.",
)
