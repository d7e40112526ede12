"""Names under which tables keep what only the outcome brings, whatever their values are."""

from __future__ import annotations

import re

_OUTCOMES = (
    (
        r"churn|attrition|流失|离网|销户|退网|拆机",
        "what is named after leaving is mostly written after it",
    ),
    (
        r"\b(cancel|cancell?ed|cancell?ation|terminated|termination|exit|exited|deactivation|"
        r"disconnect|disconnection|leaving) ?(date|day|month|reason|category|type|code|on|at)\b",
        "it dates or explains the leaving",
    ),
    (
        r"\b(cltv|clv|ltv)\b|life ?time value|生命周期价值",
        "a lifetime value is worked out from a forecast of how long the customer stays",
    ),
    (
        r"^(c|cost) ?(fp|fn|tp|tn)$",
        "the cost of a wrong or right decision belongs to profit measures, not to features",
    ),
    (r"win ?back|挽回|赢回", "who is won back had left"),
)
_ANSWERS = (
    (
        r"satisf|满意|\b(csat|nps)\b|推荐意愿",
        "another answer on satisfaction is given with the score, by the same customers",
    ),
)
_PHRASES = {"churn": _OUTCOMES, "satisfaction": (*_OUTCOMES, *_ANSWERS)}
_ID = (
    r"(^| )(id|uuid|guid|msisdn|imsi|imei|(account|customer|phone|mobile|contract) ?(no|number))$|"
    r"编号|号码|手机号|[帐账]号|[户客]id$"
)


def says_outcome(name: str, task: str) -> str | None:
    """Why a column's name says that it comes with the outcome; ``None`` where it does not.

    Parameters
    ----------
    name : str
    task : {"churn", "satisfaction"}

    Examples
    --------
    >>> says_outcome("Churn Reason", "churn")
    'what is named after leaving is mostly written after it'
    >>> says_outcome("C_FN", "churn")
    'the cost of a wrong or right decision belongs to profit measures, not to features'
    >>> says_outcome("TotalCharges", "churn") is says_outcome("NPS", "churn") is None
    True
    """
    plain = _plain(name)
    return next((why for pattern, why in _PHRASES[task] if re.search(pattern, plain)), None)


def says_id(name: str) -> bool:
    """Whether a column's name says that it names customers, accounts or telephones.

    >>> says_id("customerID"), says_id("手机号码"), says_id("Number of Referrals")
    (True, True, False)
    """
    return re.search(_ID, _plain(name)) is not None


def _plain(name: str) -> str:
    # camelCase, snake_case and dots are all ways to write a blank.
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[\W_]+", " ", name).strip().casefold()
