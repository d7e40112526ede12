"""Category values that pandas reads as missing by default."""

from __future__ import annotations

from collections.abc import Iterable

PANDAS_MISSING = frozenset(
    (
        *("#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
        *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)


def mistaken(levels: Iterable[str]) -> list[str]:
    """The values among those of a category that ``pandas.read_csv`` takes as missing.

    Examples
    --------
    >>> mistaken(["Phone", "None", "NA", "none"])
    ['NA', 'None']
    """
    return sorted(PANDAS_MISSING & set(levels))
