"""Write the rows that validation set aside, so that they can be fixed at the source."""

from __future__ import annotations

import json
from pathlib import Path

import ibis
from ibis.expr import types as ir

from churnml.base.files import write_file
from churnml.base.placing import Product, only
from churnml.tables.contract import TABLES
from churnml.tables.source.engines.duckdb import write_parquet
from churnml.tables.validation.validate import Validation

REPORT = "report.json"


def quarantine(
    validation: Validation, folder: str | Path, *, overwrite: bool = False
) -> dict[str, int]:
    """Write the rows set aside to ``<table>.parquet`` files, and ``report.json`` beside them.

    Each row has ``code``, ``column``, ``message``, ``row`` (of a CSV file: its line), ``file``
    and its values as text; a CSV line that is not a row has ``line`` instead of values.

    Parameters
    ----------
    validation : Validation
    folder : path
        Appears only when complete.
    overwrite : bool
        Whether to replace a quarantine that is there.

    Returns
    -------
    dict of str to int
        Rows written, by table.

    Raises
    ------
    OutputError
        If the folder exists, or cannot be written.
    """
    with QUARANTINE.replaced(folder, overwrite=overwrite) as draft:
        draft.mkdir()
        written = {name: _write(validation, name, draft) for name in _tables(validation)}
        report = json.dumps(validation.report.to_dict(), ensure_ascii=False, indent=1)
        write_file(draft / REPORT, report.encode())
    return written


def _ours(folder: Path) -> bool:
    """Whether a folder is a quarantine and holds nothing else."""
    try:
        report = json.loads((folder / REPORT).read_bytes())
    except (OSError, ValueError):
        return False
    if not isinstance(report, dict) or "breaches" not in report:
        return False
    # Tables of one's own are among those that it counts.
    tables = {*TABLES, *(str(one.get("table")) for one in report.get("tables", ()))}
    return only(folder, {REPORT, *(f"{name}.parquet" for name in tables)}.__contains__)


QUARANTINE = Product(what="a quarantine", ours=_ours)


def _tables(validation: Validation) -> list[str]:
    bindings = validation.source.bindings
    return [
        name
        for name, binding in bindings.items()
        if name in validation.aside or (not binding.absent and binding.rows.rejects)
    ]


def _write(validation: Validation, table: str, folder: Path) -> int:
    """Write one table's set-aside rows in their original order; return how many."""
    parts = list(validation.aside.get(table, ()))
    rows = validation.source.bindings[table].rows
    if rows.rejected is not None and rows.rejects:
        parts.append(_lines(rows.rejected, validation.source.bindings[table].origin))
    columns = list(dict.fromkeys(name for part in parts for name in part.columns))
    together = ibis.union(*[_widened(part, columns) for part in parts])
    write_parquet(together.order_by("file", "row", "code"), folder / f"{table}.parquet")
    return int(together.count().to_pyarrow().as_py())


def _lines(rejected: ir.Table, origin: str) -> ir.Table:
    return rejected.select(
        code=ibis.literal("C18"),
        column=ibis.literal(""),
        message=rejected.problem,
        row=rejected.line.cast("int64"),
        file=ibis.literal(origin),
        line=rejected.text,
    )


def _widened(part: ir.Table, columns: list[str]) -> ir.Table:
    """The part with every column, null where it has none."""
    return part.select(
        **{name: part[name] if name in part.columns else ibis.null("string") for name in columns}
    )
