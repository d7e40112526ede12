"""Find one cause behind many breaches."""

from __future__ import annotations

from collections.abc import Sequence

from churnml.tables.contract import REQUIRED_TABLES
from churnml.tables.source.source import Source
from churnml.tables.validation.report import Breach, Count

_KEY = "customer_id"


def empty_tables(source: Source, counts: Sequence[Count]) -> list[Breach]:
    """Required tables without a row."""
    expected = "at least one row" + (f" before {source.day}" if source.day else "")
    return [
        Breach(code="C22", table=one.table, column="", count=1, effect="refuse", expected=expected)
        for one in counts
        if one.table in REQUIRED_TABLES and not one.rows
    ]


def numbered_ids(source: Source, breaches: Sequence[Breach]) -> str | None:
    """Explain unmatched customers whose ids are numbers in some tables and text in others.

    Parameters
    ----------
    source : Source
    breaches : sequence of Breach

    Returns
    -------
    str or None
        A sentence; ``None`` where no customer is missing, or the ids are of one kind.
    """
    kinds = {
        name: binding.numbers.get(binding.columns[_KEY], "")
        for name, binding in source.bindings.items()
        if _KEY in binding.columns
    }
    orphans = [one for one in breaches if one.code == "C07"]
    odd = [one for one in orphans if bool(kinds[one.table]) != bool(kinds.get("customers"))]
    if not odd:
        return None
    others = ", ".join(one.table for one in odd)
    example = f", such as {odd[0].examples[0]!r}" if odd[0].examples else ""
    kind = kinds["customers"]
    if kind:
        lost = any(text.startswith("0") for one in odd for text in one.examples)
        said = f"customers.{_KEY} is a number ({kind}), but text in {others}{example}"
        said += ", and a number has lost its leading zeros" if lost else ""
    else:
        said = f"customers.{_KEY} is text, but a number in {others}{example}"
    return f"{said}; store {_KEY} as text in every table, taken afresh from where it still is text"
