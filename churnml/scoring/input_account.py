"""Where an operator's customers went: scored, set aside, not eligible, and why."""

from __future__ import annotations

from ibis.expr.types import Table

from churnml.features import BUILDERS
from churnml.scoring.feed import Account
from churnml.tables.asof import until
from churnml.tables.contract import TABLES
from churnml.tables.source import Source
from churnml.tables.validation import Validation
from churnml.tables.validation.blank import is_blank


def input_account(source: Source, checked: Validation, eligible: int) -> Account:
    """Every customer who came in, and why rows of any table were set aside."""
    total = _customers(source.tables["customers"])
    good = _customers(checked.source.tables["customers"])
    seen = _seen(source, checked)
    reasons = [
        {
            "table": breach.table,
            "column": breach.column,
            "code": breach.code,
            "rows": breach.count,
            "reason": f"expected {breach.expected}" + (f" ({breach.place})" if breach.rows else ""),
        }
        for breach in checked.report.breaches
        if breach.effect == "aside"
    ]
    return Account(
        total=total,
        quarantined=seen - good,
        ineligible=total - (seen - good) - eligible,
        reasons=reasons,
        ignored=[
            f"{name}.{column}"
            for name, columns in (checked.report.ignored or {}).items()
            for column in columns
        ],
        warnings=[
            *_nobody(eligible),
            *_nulled(checked),
            *(f"{name} is absent" for name in source.missing if name in _feeding()),
        ],
    )


def _seen(source: Source, checked: Validation) -> int:
    """Customers of whom anything was there to be checked at the date."""
    rows, spec = source.tables["customers"], TABLES["customers"]
    return _customers(until(rows, spec, checked.source.day, undated=True))


def _customers(rows: Table) -> int:
    """Customers in a table; each row without a readable id counts as one."""
    unknown = rows.customer_id.isnull() | is_blank(rows.customer_id)
    totals = rows.agg(
        ids=rows.customer_id.nunique(where=~unknown), unknown=rows.count(where=unknown)
    )
    (counts,) = totals.to_pyarrow().to_pylist()
    return int(counts["ids"] + counts["unknown"])


def _feeding() -> set[str]:
    """The tables that some feature reads."""
    return {
        table for builder in BUILDERS for feature in builder.FEATURES for table in feature.tables
    }


def _nobody(eligible: int) -> list[str]:
    return [] if eligible else ["no customer is eligible at that date; the result is empty"]


def _nulled(checked: Validation) -> list[str]:
    return [breach.lost for breach in checked.report.breaches if breach.effect == "null"]
