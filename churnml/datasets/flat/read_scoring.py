"""Read a flat table for scoring: check it as a whole, then yield batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from churnml.base.text import counted, quoted
from churnml.datasets.flat.columns import bind, ignored
from churnml.datasets.flat.ids import ID, note_scientific, refuse_duplicates
from churnml.datasets.flat.open import open_table
from churnml.datasets.flat.reading import Reading
from churnml.datasets.flat.scorable import Scorable, SetAside
from churnml.datasets.flat.sieve import described
from churnml.datasets.flat.signature import Column, Signature
from churnml.datasets.flat.snapshot import ages_of, counted_from
from churnml.datasets.flat.standing_in import taken_as_missing
from churnml.datasets.flat.table import ROW, Table
from churnml.datasets.flat.totals import totals_row
from churnml.datasets.flat.values import bad, prepared
from churnml.errors import DataError, SchemaError, UsageError
from churnml.tables.source.csv.load import kept_in
from churnml.tables.source.engines.duckdb import file_literal, literal, run
from churnml.tables.validation.report import EXAMPLES, shown

_MOSTLY = 0.5
"""A column most of whose values cannot be read is of another type, not full of mistakes."""

_NO_ID, _BROKEN_ID = -1, -2
_IDS = {
    _NO_ID: ("C16", "an id expected, found none"),
    _BROKEN_ID: ("C19", "an id without control characters expected"),
}


def open_scoring(
    path: str | Path,
    signatures: Signature | Sequence[Signature],
    *,
    id: str | None,
    extra: Mapping[str, str] | None = None,
    repeated: bool = False,
    as_of: date | None = None,
    reading: Reading | None = None,
    set_aside_limit: float = 0.05,
    memory_limit: str | None = None,
    threads: int | None = None,
) -> Scorable:
    """Check a table against what a model was trained on, and set its bad rows aside.

    Columns go by name: their order does not matter, and others are ignored. A row is set
    aside if its line has too few or too many fields, its id is missing, or a cell of a
    number or date column cannot be read; missing values are fine.

    Parameters
    ----------
    path : path
        CSV, Parquet or XLSX; see `churnml.datasets.flat.open_table`.
    signatures : Signature, or one for each model
    id : str or None
        The id column; without it, rows are named by their numbers.
    extra : mapping of str to str, optional
        Columns to be given as text beside the model's: what option names it, by name.
    repeated : bool, default False
        Whether an id may stand in several rows.
    as_of : date, optional
        The day from which dates are counted; see `churnml.datasets.flat.snapshot`.
    reading : Reading, optional
        The sheet, encoding or delimiter; without a word as in training.
    set_aside_limit : float, default 0.05
        The share of rows that may be set aside.
    memory_limit, threads : optional
        What DuckDB may use.

    Returns
    -------
    Scorable

    Raises
    ------
    UsageError
        If there is no such id column, or ``as_of`` is given to a model that cannot use it.
    SchemaError
        If columns are missing, renamed, or hold something else than in training.
    DataError
        If the file cannot be read, an id stands twice, or too many rows are bad.
    """
    models = [signatures] if isinstance(signatures, Signature) else list(signatures)
    extra = extra or {}
    table = open_table(
        path,
        reading=reading,
        remembered=Reading.remembered(one.reading for one in models),
        memory_limit=memory_limit,
        threads=threads,
    )
    # First of all the table has to be of the model's kind; then the options can be wrong.
    ages = [ages_of(table, one, as_of) for one in models]
    models = [
        one
        if age is None or age.by == "row"
        else counted_from(one, date.fromisoformat(age.counted_from))
        for one, age in zip(models, ages, strict=True)
    ]
    columns = bind(table, models)
    own = None if id is None else table.column(id, "--id")
    others = {name: table.column(name, option) for name, option in extra.items()}
    time = _row_dates(table, models)
    if own is not None and not repeated:
        refuse_duplicates(table, own, str(id), time=next(iter(time), None))
    own_dates = bool(time) and as_of is None
    stored = table.engine.workspace / "scoring.parquet"
    with kept_in(table.engine.workspace, table.path):
        _store(table, columns, own, others, stored, time if own_dates else {})
    ((total,),) = table.select("count(*)", _relation(_checked(table)))
    aside = _judge(table, {**columns, **time}, id)
    scorable = Scorable(
        table=table,
        columns=tuple(columns.values()),
        total=total + table.rejected,
        aside=(*_lines(table), *aside),
        ignored=tuple(ignored(table, models, [name for name in (id, *extra) if name])),
        extra=tuple(extra),
        stored=stored,
        taken=(*taken_as_missing(table, columns), *_suspicious(table, columns, own, id)),
        ages=next((one for one in ages if one is not None), None),
        dated=next(iter(time.values())).reference if own_dates else None,
    )
    _refuse_excess(scorable, set_aside_limit)
    return scorable


def _row_dates(table: Table, models: Sequence[Signature]) -> dict[str, Column]:
    """The column of the date that each row stands for, by SQL name, where the table has it.

    Raises
    ------
    UsageError
        If the models know different ones.
    """
    known = {one.time: one.snapshot for one in models if one.time in table.names}
    if not known:
        return {}
    ((name, column),) = list(known.items())[:1]
    if len({one.time for one in models}) > 1 or column is None:
        raise UsageError(
            f"{quoted(str(name))} is the date of each row to one of the models alone.",
            hint="Score with one model at a time.",
            column=name,
        )
    return {table.column(str(name), "--time"): column}


def _suspicious(
    table: Table, columns: Mapping[str, Column], own: str | None, id: str | None
) -> list[str]:
    """Warnings on rows that are scored anyway: ids in scientific notation, a row of totals."""
    warnings = [] if own is None else note_scientific(table, own, str(id))
    total = totals_row(table, columns)
    if total is not None:
        warnings.append(f"{table.path.name}: {total}; it was scored, but is it a customer?")
    return warnings


def _store(
    table: Table,
    columns: Mapping[str, Column],
    own: str | None,
    others: Mapping[str, str],
    stored: Path,
    time: Mapping[str, Column],
) -> None:
    """Write all rows with their verdicts to one file, and the good rows to another.

    The verdict is the position of the first column that cannot be read. Where there is a
    ``time``, dates are counted from each row's own.
    """
    wanted = {"id": own, **{f"e{at}": x for at, x in enumerate(others.values())}}
    texts = {name: x for name, x in wanted.items() if x is not None}
    copies = "".join(f", {x} AS {name}" for name, x in texts.items())
    typed = {**columns, **time}
    kinds = {x: table.kind(x) for x in typed} | {n: table.kind(x) for n, x in texts.items()}
    wanted_texts = dict.fromkeys(texts, ID)
    rows = prepared(
        f"(SELECT *{copies} FROM {table.relation})", kinds, {**typed, **wanted_texts}, keep=ROW
    )
    tests = []
    if own is not None:
        tests = [f"WHEN p_id IS NULL THEN {_NO_ID}", f"WHEN t_id IS NULL THEN {_BROKEN_ID}"]
    tests += [f"WHEN p_{x} IS NOT NULL AND t_{x} IS NULL THEN {x[1:]}" for x in columns]
    tests += [f"WHEN t_{x} IS NULL THEN {x[1:]}" for x in time]
    since = "".join(f" - t_{x}" for x in time)
    selected = [
        f"CAST({ROW} AS BIGINT) AS {ROW}",
        f"{'t_id' if own is not None else f'CAST({ROW} AS VARCHAR)'} AS id",
        *(
            f"t_{x}{since if one.kind == 'date' else ''} AS x{at}"
            for at, (x, one) in enumerate(columns.items())
        ),
        *(f"t_{x} AS time" for x in time),
        *(f"t_{name} AS {name}" for name in texts if name != "id"),
        "verdict",
        "CASE verdict "
        + " ".join(f"WHEN {x[1:]} THEN coalesce(CAST({x} AS VARCHAR), '')" for x in typed)
        + " END AS value",
    ]
    judged = f"(SELECT *, CASE {' '.join(tests)} END AS verdict FROM {rows})"
    checked = _checked(table)
    _copy(table, f"SELECT {', '.join(selected)} FROM {judged}", checked)
    ((bad,),) = table.select("count(verdict)", _relation(checked))
    if not bad:
        # Two columns too many are never read.
        stored.hardlink_to(checked)
        return
    good = f"{_relation(checked)} WHERE verdict IS NULL"
    _copy(table, f"SELECT * EXCLUDE (verdict, value) FROM {good}", stored)


def _checked(table: Table) -> Path:
    return table.engine.workspace / "checked.parquet"


def _relation(stored: Path) -> str:
    return f"read_parquet({file_literal(stored)})"


def _copy(table: Table, query: str, to: Path) -> None:
    run(table.con, f"COPY ({query}) TO {literal(str(to))} (FORMAT parquet)")


def _judge(table: Table, columns: Mapping[str, Column], id: str | None) -> list[SetAside]:
    """Why rows are set aside, the most frequent reason first.

    Raises
    ------
    SchemaError
        If a column as a whole holds something else than in training.
    """
    verdicts = table.select(
        f"verdict, count(*), min({{'row': {ROW}, 'value': value}}, {EXAMPLES})",
        f"{_relation(_checked(table))} WHERE verdict IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1",
    )
    if any(at not in _IDS for at, _count, _first in verdicts):
        _refuse_retyped(table, columns)
    aside = []
    for at, count, first in verdicts:
        if at in _IDS:
            code, expected = _IDS[at]
            rows = ", ".join(f"{table.counted} {one['row']}" for one in first)
            aside.append(SetAside(code=code, column=id, count=count, reason=f"{expected} ({rows})"))
        else:
            column = columns[f"c{at}"]
            reason = f"{column.expected} expected ({_examples(table, first)})"
            aside.append(SetAside(code="C03", column=column.name, count=count, reason=reason))
    return aside


def _examples(table: Table, rows: Sequence[Mapping[str, Any]]) -> str:
    """Examples of bad values with their rows, and the pattern where they look like numbers."""
    examples = []
    for one in rows:
        pattern = described(one["value"])
        why = f", {pattern}" if pattern else ""
        examples.append(f"{table.counted} {one['row']}: '{shown(one['value'])}'{why}")
    return "; ".join(examples)


def _refuse_retyped(table: Table, columns: Mapping[str, Column]) -> None:
    typed = {x: one for x, one in columns.items() if one.kind in ("number", "date")}
    counts = table.read(
        typed,
        ", ".join(
            f"count(p_{x}), count(t_{x}), "
            f"min({{'row': {ROW}, 'value': {bad(x)}}}, 2) FILTER ({bad(x)} IS NOT NULL)"
            for x in typed
        ),
    )[0]
    retyped = []
    for at, column in enumerate(typed.values()):
        there, read, first = counts[3 * at : 3 * at + 3]
        if there - read > _MOSTLY * there:
            retyped.append(
                f"{quoted(column.name)}: {there - read:,} of {counted(there, 'value')} "
                f"{'is' if there == 1 else 'are'} not {column.expected} "
                f"({_examples(table, first)})"
            )
    if not retyped:
        return
    several = " Do the columns look shifted?" if len(retyped) > 2 else ""
    raise SchemaError(
        f"{table.path}: not as in training: {'. '.join(retyped)}.",
        hint=f"Give these columns the type that they had.{several}",
        file=str(table.path),
        count=len(retyped),
    )


def _lines(table: Table) -> list[SetAside]:
    """Malformed CSV lines."""
    if not table.rejected:
        return []
    lines = [f"line {one.row}: {shown(one.problem)}" for one in table.rejects[:EXAMPLES]]
    reason = f"{len(table.names)} fields expected ({'; '.join(lines)})"
    return [SetAside(code="C18", column=None, count=table.rejected, reason=reason)]


def _refuse_excess(scorable: Scorable, limit: float) -> None:
    if scorable.quarantined <= limit * scorable.total:
        return
    first = scorable.aside[0]
    where = f"{first.column}: " if first.column else ""
    others = len(scorable.aside) - 1
    more = f" and {counted(others, 'more reason')}" if others else ""
    raise DataError(
        f"{scorable.table.path}: {scorable.quarantined:,} of {counted(scorable.total, 'row')} "
        f"cannot be scored, at most {limit:.0%} expected: {first.count:,} for "
        f"{where}{first.reason}{more}.",
        hint="Correct the rows, or raise validation.set_aside_limit.",
        file=str(scorable.table.path),
        column=first.column,
        count=scorable.quarantined,
    )
