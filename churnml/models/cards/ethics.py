"""The ethics section of a model card: what scores may and may not be used for.

References
----------
Personal Information Protection Law of the People's Republic of China (PIPL, 个人信息保护法),
articles 24, 55 and 56. Regulation (EU) 2016/679 (GDPR), articles 9, 21 and 22.
"""

from __future__ import annotations

from churnml.models.cards.markdown import bullets
from churnml.models.cards.uses import USES


def text(task: str) -> str:
    """The section for a model of a task, as Markdown."""
    uses = USES[task]
    return "\n\n".join(
        [
            "The scores may:",
            bullets(uses.may),
            "They may not:",
            bullets([*uses.may_not, *_NOBODY]),
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
