"""What an operator's own code says: the category, the subcategory, and the regulator's class.

>>> codes = {"NET": "network", "NET-09": "business_support", "NET-091": "tariff/unclear_charge"}
>>> meaning_of("NET-12", codes), meaning_of("NET-093", codes), meaning_of("NET-091", codes)
(('network', None), ('business_support', None), ('tariff', 'unclear_charge'))
>>> meaning_of("N", codes)
(None, None)
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

UNCLASSIFIED = "unclassified"
"""What stands for the category of a complaint that has none."""


def meaning_of(code: str, codes: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The category and subcategory of a code: by the code itself, else by its longest prefix.

    Parameters
    ----------
    code : str
        As the operator wrote it; full-width letters, capitals and spaces around it make no
        difference.
    codes : mapping of str to str
        Code or prefix: ``category`` or ``category/subcategory``.

    Returns
    -------
    (str or None, str or None)

    Examples
    --------
    >>> meaning_of(" ｎｅｔ-01 ", {"NET": "network"})
    ('network', None)
    """
    known = {_plain(prefix): meaning for prefix, meaning in codes.items()}
    text = _plain(code)
    for end in range(len(text), 0, -1):
        if text[:end] in known:
            category, _, subcategory = known[text[:end]].partition("/")
            return category, subcategory or None
    return None, None


def _plain(code: str) -> str:
    return unicodedata.normalize("NFKC", code).strip().casefold()


def regulator_class(
    category: str | None, subcategory: str | None, classes: Mapping[str, str]
) -> str | None:
    """The regulator's class of a complaint: that of its subcategory before that of its category.

    Examples
    --------
    >>> classes = {"tariff": "charging_dispute", "tariff/unwanted_service": "user_service"}
    >>> regulator_class("tariff", "unwanted_service", classes)
    'user_service'
    >>> regulator_class("tariff", None, classes)
    'charging_dispute'
    """
    if category is None:
        return None
    return classes.get(f"{category}/{subcategory}", classes.get(category))
