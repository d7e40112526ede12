"""Read a flat table as training data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from churnml.base.tasks import TaskName, of_task
from churnml.base.text import counted, quoted
from churnml.config.settings import AvailabilitySettings
from churnml.datasets.flat.data import FlatData
from churnml.datasets.flat.ids import ID, note_scientific, refuse_duplicates
from churnml.datasets.flat.kinds import ColumnPlan, decide
from churnml.datasets.flat.leakage import find_leaks, known, note_declared, withheld_columns
from churnml.datasets.flat.open import fingerprint, open_table
from churnml.datasets.flat.pandas_missing import mistaken
from churnml.datasets.flat.reading import Reading
from churnml.datasets.flat.row_dates import dates_before, row_date_column, since_row
from churnml.datasets.flat.signature import Column, Signature
from churnml.datasets.flat.snapshot import anchored, anchored_at
from churnml.datasets.flat.table import ROW, Table, in_parts
from churnml.datasets.flat.target import (
    Scale,
    Target,
    churn_target,
    note_positive,
    note_scale,
    parse_scale,
    satisfaction_target,
)
from churnml.datasets.flat.totals import totals_row
from churnml.datasets.flat.uninformative import useless
from churnml.datasets.leakage import describe_suspects
from churnml.errors import DataError, UsageError


@dataclass(frozen=True, kw_only=True)
class _Named:
    """The columns that the options name, by their SQL names."""

    target: str
    id: str | None
    group: str | None
    time: str | None
    drop: frozenset[str]

    def of(self) -> set[str]:
        own = (self.target, self.id, self.group, self.time, *self.drop)
        return {x for x in own if x is not None}


def read_training(
    path: str | Path,
    *,
    task: TaskName,
    target: str,
    id: str | None = None,
    group: str | None = None,
    time: str | None = None,
    drop: Sequence[str] = (),
    positive: str | None = None,
    scale: str | Scale | None = None,
    reading: Reading | None = None,
    availability: AvailabilitySettings | None = None,
    set_aside_limit: float = 0.05,
    memory_limit: str | None = None,
    threads: int | None = None,
) -> FlatData:
    r"""Read a flat table as training data.

    A text column is one of numbers if at least 95 % of its values are plain finite numbers,
    or numbers in one other notation that is certain (``1.234,50``, ``12.3 GB``, ``00:12:35``),
    else one of dates if as many are dates written in one way, else a category. What is
    empty, blanks alone or ``\\N`` is missing; in number and date columns so are ``NA``,
    ``None``, ``null``, ``nan``, ``?`` and ``-``, texts that stand in ten cells or more, and,
    counted in the notes, any other value that is not a number. Dates become days before the
    day on which the table was drawn, as the latest date of one column tells it.

    Parameters
    ----------
    path : path
        CSV, Parquet or XLSX; see `churnml.datasets.flat.open_table`.
    task : {"churn", "satisfaction"}
    target : str
        The target column.
    id : str, optional
        The id column.
    group : str, optional
        The column whose rows belong together; then ids may repeat.
    time : str, optional
        The column of the date that each row stands for: ids may repeat at other dates, and a
        row's dates become days before its own.
    drop : sequence of str
        Columns to leave out.
    positive : str, optional
        Churn: the target's value that means that the customer left.
    scale : str, (worst, best) or mapping of str to float
        Satisfaction: the ends of the scale, as ``1:10``, or ``5:1`` where 1 is best; or words
        with scores from 0 to 100, as ``good=100,bad=0``.
    reading : Reading, optional
        The sheet, encoding or delimiter, where the file does not tell; scoring remembers it.
    availability : AvailabilitySettings, optional
        Which columns scoring can have.
    set_aside_limit : float, default 0.05
        The share of rows that may be set aside because they are broken.
    memory_limit, threads : optional
        What DuckDB may use.

    Returns
    -------
    FlatData

    Raises
    ------
    UsageError
        If an option names what the table does not have, or the scale is not given.
    DataError
        If the file or the target cannot be used, an id stands twice, a column tells the
        target or is declared to be had by some customers only, or too many rows are broken.
    """
    if scale is not None:
        scale = parse_scale(scale)
    table = open_table(path, reading=reading, memory_limit=memory_limit, threads=threads)
    who = availability or AvailabilitySettings()
    named = _without(table, _named(table, target, id, group, time, drop), who)
    if named.id is not None and named.group is None:
        refuse_duplicates(table, named.id, str(id), time=named.time)
    own_date = None if named.time is None else row_date_column(table, named.time, str(time))
    notes = [*table.notes, *note_declared(table, who)]
    notes += note_scientific(table, named.id, str(id)) if named.id is not None else []
    features = [f"c{at}" for at in range(len(table.names)) if f"c{at}" not in named.of()]
    out = _unnamed(table, notes) | _index(table, features, notes)
    plan = decide(table, [x for x in features if x not in out])
    notes += plan.notes
    if own_date is None:
        plan.columns, snapshot = anchored(plan.columns)
        notes += _note_snapshot(plan, snapshot)
    else:
        plan.columns, snapshot = anchored_at(plan.columns, own_date), own_date
    frame = _fetch(table, named, plan, own_date)
    total = totals_row(table, plan.columns)
    if total is not None:
        notes.append(f"Left out: {total}.")
        frame = frame[:-1]
    table.ensure_unchanged()
    how = of_task(task, _TARGETS)
    labels = how.read(frame["target"], target, positive, scale)
    frame = _keep(table, frame, labels, named, set_aside_limit, notes)
    y = pd.Series(labels.y[frame.index], name=target)
    notes[:0] = how.notes(labels, scale)
    frame = frame.reset_index(drop=True)
    if own_date is not None:
        dated = [x for x, one in plan.columns.items() if one.kind == "date"]
        frame = since_row(frame, dated, frame["time"])
        ahead = {x for x in dated if (frame[x] < 0).any()}
        plan.columns |= {x: replace(plan.columns[x], ahead=x in ahead) for x in dated}
        names = ", ".join(quoted(plan.columns[x].name) for x in dated)
        notes += [f"Counted from each row's own date, {quoted(str(time))}: {names}."] * bool(dated)
    columns = _useful(table, plan, frame, notes)
    notes += _note_mistaken(columns, frame)
    signature = replace(
        _signature(table, columns, named, labels, scale),
        availability=known(table, who),
        snapshot=snapshot,
        reading=reading.to_dict() if reading else {},
        time=time,
    )
    X = frame[list(columns)].set_axis(signature.names, axis=1)
    suspects = find_leaks(table, X, y, frame["group"] if group or time else None, signature, who)
    notes += describe_suspects(suspects)
    return FlatData(
        X=X,
        y=y.astype(how.dtype),
        ids=frame["id"].rename(id or "row"),
        groups=frame["group"].rename(group or id or "row"),
        signature=signature.to_dict(),
        notes=notes,
        rows=len(labels.y) + table.rejected + (total is not None),
        fingerprint=fingerprint(path),
        suspects=suspects,
        times=None if own_date is None else dates_before(own_date.reference, frame["time"]),
    )


def _note_mistaken(columns: dict[str, Column], frame: pd.DataFrame) -> list[str]:
    """Notes on category values that callers of a served model may read as missing."""
    notes = []
    for x, column in columns.items():
        numbers = mistaken(frame[x].dropna().unique()) if column.kind == "category" else []
        if numbers:
            values = ", ".join(quoted(one) for one in numbers)
            what = "is a value" if len(numbers) == 1 else "are values"
            notes.append(
                f"{quoted(column.name)}: {values} {what} here, and missing to pandas.read_csv, "
                "unless keep_default_na=False."
            )
    return notes


def _note_snapshot(plan: ColumnPlan, snapshot: Column | None) -> list[str]:
    dates = [quoted(one.name) for one in plan.columns.values() if one.kind == "date"]
    if snapshot is not None:
        return [
            f"Dates are counted from {snapshot.reference}, the latest of {quoted(snapshot.name)}."
        ]
    if not dates:
        return []
    return [
        f"No date tells when the table was extracted: {', '.join(dates)} are counted from their "
        "latest dates, in training and ever after."
    ]


def _named(
    table: Table,
    target: str,
    id: str | None,
    group: str | None,
    time: str | None,
    drop: Sequence[str],
) -> _Named:
    own = _Named(
        target=table.column(target, "--target"),
        id=None if id is None else table.column(id, "--id"),
        group=None if group is None else table.column(group, "--group"),
        time=None if time is None else table.column(time, "--time"),
        drop=frozenset(table.column(name, "--drop") for name in drop),
    )
    if own.target in (own.id, own.group, own.time, *own.drop):
        raise UsageError(
            f"--target {quoted(target)} is also the id, the group, the time or dropped.",
            hint="Name the column that says who left, or how satisfied they are.",
            column=target,
        )
    if own.time is not None and own.time in (own.id, own.group):
        raise UsageError(f"--time {quoted(str(time))} is also the id or the group.", column=time)
    return own


def _unnamed(table: Table, notes: list[str]) -> set[str]:
    """Columns without a name that are empty or number the rows.

    Raises
    ------
    DataError
        If another column has no name.
    """
    unnamed = set()
    for position, name in enumerate(table.names, start=1):
        if name:
            continue
        x = f"c{position - 1}"
        ((rows, there, levels, span),) = table.read(
            {x: Column(name="", kind="number")},
            f"count(*), count(f_{x}), count(DISTINCT t_{x}), max(t_{x}) - min(t_{x}) + 1",
        )
        if there and not rows == levels == span:
            raise DataError(
                f"{table.path}: column {position} has no name.",
                hint="Give every column a name of its own.",
                file=str(table.path),
                position=position,
            )
        what = "numbers the rows" if there else "is empty"
        notes.append(f"Left out: column {position}, which has no name and {what}.")
        unnamed.add(x)
    return unnamed


def _index(table: Table, features: Sequence[str], notes: list[str]) -> set[str]:
    """Columns that were the index of the data frame that was written."""
    indexes = {x for x in features if table.names[int(x[1:])] in table.index}
    shown = ", ".join(quoted(table.names[int(x[1:])]) for x in sorted(indexes))
    if indexes:
        notes.append(f"Left out: {shown} (the index of the data frame that pandas wrote).")
    return indexes


def _fetch(table: Table, named: _Named, plan: ColumnPlan, time: Column | None) -> pd.DataFrame:
    """Id, group and target as text, the row's date as an age, the typed columns by SQL name."""
    place = f"CAST({ROW} AS VARCHAR)"
    texts = {x: ID for x in (named.target, named.id, named.group) if x is not None}
    own = place if named.id is None else f"t_{named.id}"
    group = own if named.group is None else f"t_{named.group}"
    selected = {"id": own, "group": group, "target": f"t_{named.target}"}
    listed = ", ".join(f'{sql} AS "{name}"' for name, sql in selected.items())
    parts = [table.frame(listed, table.prepared(texts))]
    if time is not None:
        x = str(named.time)
        parts.append(table.frame(f"t_{x} AS time", table.prepared({x: time})))
    for some in in_parts(list(plan.columns)):
        listed = ", ".join(f"t_{x} AS {x}" for x in some)
        parts.append(table.frame(listed, table.prepared({x: plan.columns[x] for x in some})))
    return pd.concat(parts, axis=1)


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """How a task's target column is read.

    ``read`` of the column, its name, the positive value and the scale; ``notes`` on what was
    taken for what.
    """

    read: Callable[[pd.Series, str, str | None, Scale | None], Target]
    notes: Callable[[Target, Scale | None], list[str]]
    dtype: Any


_TARGETS: Mapping[str, _Reader] = {
    "churn": _Reader(
        read=lambda values, name, positive, scale: churn_target(
            values, name=name, positive=positive
        ),
        notes=lambda labels, scale: note_positive(labels),
        dtype="int64",
    ),
    "satisfaction": _Reader(
        read=lambda values, name, positive, scale: satisfaction_target(
            values, name=name, scale=scale
        ),
        notes=lambda labels, scale: note_scale(scale),
        dtype="float64",
    ),
}


def _keep(
    table: Table,
    frame: pd.DataFrame,
    labels: Target,
    named: _Named,
    limit: float,
    notes: list[str],
) -> pd.DataFrame:
    """Drop unusable rows and count them.

    Raises
    ------
    DataError
        If none is left, or more are broken than allowed.
    """
    lost = {
        ("broken line", ""): table.rejected,
        ("row", " without an id"): int(frame["id"].isna().sum()),
        ("row", " without a group"): int(frame["group"].isna().sum()) if named.group else 0,
        ("row", " without a date"): int(frame["time"].isna().sum()) if named.time else 0,
        ("row", " with a target outside the scale"): labels.outside,
    }
    dropped = [f"{counted(count, one)}{which}" for (one, which), count in lost.items() if count]
    rows = len(frame) + table.rejected
    broken = sum(lost.values())
    if broken > limit * rows:
        first = [f" (first: line {one.row}: {one.problem})" for one in table.rejects[:1]]
        raise DataError(
            f"{table.path}: {broken:,} of {counted(rows, 'row')} cannot be used: "
            f"{', '.join(dropped)}{''.join(first)}; at most {limit:.0%} expected.",
            hint="Correct the file, or check --id, --group and --scale.",
            file=str(table.path),
            count=broken,
        )
    dropped += [f"{counted(labels.missing, 'row')} without a target"] if labels.missing else []
    if dropped:
        notes.append(f"Set aside: {', '.join(dropped)}.")
    kept = frame["id"].notna() & frame["group"].notna() & ~np.isnan(labels.y)
    kept &= frame["time"].notna() if named.time else True
    if not kept.any():
        raise DataError(f"{table.path}: no row to train on.", file=str(table.path))
    return frame[kept]


def _without(table: Table, named: _Named, who: AvailabilitySettings) -> _Named:
    """Add the columns that scoring cannot have to those that are dropped."""
    features = [x for x in (f"c{at}" for at in range(len(table.names))) if x not in named.of()]
    return replace(named, drop=named.drop | withheld_columns(table, features, who))


def _useful(
    table: Table, plan: ColumnPlan, frame: pd.DataFrame, notes: list[str]
) -> dict[str, Column]:
    """Choose informative columns; notes say why the others are left out.

    Raises
    ------
    DataError
        If none is left.
    """
    entities = pd.factorize(frame["group"])[0]
    reasons = {
        x: useless(frame[x], entities, dates=column.kind == "date")
        for x, column in plan.columns.items()
    }
    kept = {x: column for x, column in plan.columns.items() if reasons[x] is None}
    out = [(plan.columns[x].name, reason) for x, reason in reasons.items() if reason]
    out += plan.dropped.items()
    if out:
        notes.append("Left out: " + "; ".join(f"{quoted(name)} ({why})" for name, why in out) + ".")
    if not kept:
        raise DataError(
            f"{table.path}: no column is left to train on.",
            hint="Constant columns and ids carry no information; add columns about the customers.",
            file=str(table.path),
        )
    return kept


def _signature(
    table: Table,
    columns: dict[str, Column],
    named: _Named,
    labels: Target,
    scale: Scale | None,
) -> Signature:
    def name_of(x: str | None) -> str | None:
        return None if x is None else table.names[int(x[1:])]

    plain = Signature(
        columns=tuple(columns.values()),
        target=str(name_of(named.target)),
        positive=labels.positive,
        negative=labels.negative,
        id=name_of(named.id),
        group=name_of(named.group),
        table=tuple(name for name in table.names if name),
    )
    if scale is None or labels.positive:
        return plain
    if isinstance(scale, Mapping):
        return replace(plain, scale=(0.0, 100.0), words=dict(scale))
    return replace(plain, scale=scale)
