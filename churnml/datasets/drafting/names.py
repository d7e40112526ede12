"""How well a name fits a table or a column of the contract."""

from __future__ import annotations

from churnml.datasets.drafting.lexicon import Concepts, Phrase, lexicon, parse
from churnml.tables.contract import ColumnSpec

DIMENSIONS = {"yuan": "money", "min": "time", "s": "time", "MB": "data", "Mbit/s": "speed"}
"""What the contract's units measure."""

_IMPLIED = {"money": "fee", "time": "duration", "data": "volume", "speed": "speed"}
_KINDS = frozenset({"moment", "id", "kind", "code", "flag", "name"})
_ALIKE = (frozenset({"kind", "code", "name"}), frozenset({"id", "code"}))
_PERHAPS = 0.72
_OWN = {
    "customers": {"customer"},
    "groups": {"group"},
    "bills": {"bill"},
    "usage": {"usage"},
    "complaints": {"complaint"},
    "contacts": {"contact"},
    "surveys": {"survey"},
    "offers": {"offer", "campaign"},
    "opt_outs": {"optout"},
    "ties": {"tie"},
}
"""What a table is about, which its columns may say or leave out."""

_BESIDE = {
    "contacts": {"customer", "account", "service"},
    "usage": {"customer", "month"},
    "ties": {"customer", "voice"},
}
_BESIDE_ALL = {"customer", "account"}
"""What a column's name may say besides."""


def table_score(name: str, table: str) -> float:
    """How well a file's name fits a table, 0 to 1.

    >>> table_score("t_cust_info.csv", "customers") > table_score("t_cust_info.csv", "groups")
    True
    """
    stem = name.split(".")[0]
    phrase = parse(stem)
    if phrase.plain == table:
        return 1.0
    concepts = phrase.concepts - {"moment", "id", "kind"}
    return max(
        (_alike(concepts, len(phrase.strange) / 2, one) for one in lexicon().tables[table]),
        default=0.0,
    )


def column_score(phrase: Phrase, table: str, column: ColumnSpec) -> float:
    """How well a column's name fits a column of the contract, 0 to 1."""
    if phrase.plain == column.name:
        return 1.0
    dimension = DIMENSIONS.get(column.unit)
    # ``min`` may be the least of something.
    ambiguous = dimension is None and phrase.concepts & {"low", "high", "count"}
    if phrase.units and dimension not in phrase.units and not ambiguous:
        return 0.0
    concepts = phrase.concepts
    if dimension in phrase.units:
        concepts = (concepts - {"low"}) | {_IMPLIED[str(dimension)]}
    elif dimension is not None:
        concepts = concepts - {"days"} if column.unit != "days" else concepts
    patterns = lexicon().columns[table].get(column.name)
    if patterns is None:
        return 0.0
    context = frozenset(_OWN[table]), frozenset(_BESIDE.get(table, _BESIDE_ALL))
    odd = len(phrase.strange)
    sure = max((_fit(concepts, odd, one, context) for one in patterns.sure), default=0.0)
    maybe = max((_fit(concepts, odd, one, context) for one in patterns.maybe), default=0.0)
    return max(sure, _PERHAPS * maybe)


def _fit(
    name: Concepts, strange: int, pattern: Concepts, context: tuple[Concepts, Concepts]
) -> float:
    about, beside = context
    if name == pattern:
        return 1.0 if not strange else 2 * len(name) / (2 * len(name) + strange)
    own = name - _KINDS - ((about | beside) - pattern)
    wanted = pattern - _KINDS - (about - name)
    kinds, expected = name & _KINDS, pattern & _KINDS
    if not own and not wanted:
        score = (0.9 if kinds and kinds == expected else 0.0) if not strange else 0.3
        return score * (0.9 if "id" in kinds or "moment" in kinds else 1.0)
    score = _alike(own, strange, wanted)
    if kinds and expected and not kinds & expected:
        alike = any(kinds & near and expected & near for near in _ALIKE)
        return score * (0.8 if alike else 0.5)
    if kinds - expected and not expected:
        return score * 0.85
    if expected and not kinds:
        return score * (0.8 if expected & {"id", "moment"} else 0.95)
    return score


def _alike(name: Concepts, strange: float, pattern: Concepts) -> float:
    size = len(name) + strange + len(pattern)
    return 2 * len(name & pattern) / size if size else 0.0
