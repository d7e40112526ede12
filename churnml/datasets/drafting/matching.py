"""Assign files to tables and columns to columns: as a whole, and certain only without rivals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from churnml.datasets.drafting.facts import Facts, File
from churnml.datasets.drafting.fitting import Fit, fit
from churnml.datasets.drafting.lexicon import parse
from churnml.datasets.drafting.names import column_score, table_score
from churnml.tables.contract import KNOWN_AT, TABLES, ColumnSpec, TableSpec

_WORTH_A_LOOK = 0.4
_TAKEN = 0.5
_NAME = 0.6
_CERTAIN = 0.93
_NEAR = 0.1
_TABLE = 0.4
_TABLE_NEAR = 0.08
_SAMPLE_IDS = 300
_CONTAINED = 0.9


@dataclass(frozen=True, kw_only=True)
class ColumnMatch:
    """What a column of a file is taken for.

    Attributes
    ----------
    own : Facts
    column : ColumnSpec or None
        ``None`` where it is not used.
    name : float
        How well its name fits, 0 to 1.
    fit : Fit
    doubts : tuple of str
        What is to be checked; empty where it is certain.
    """

    own: Facts
    column: ColumnSpec | None = None
    name: float = 0.0
    fit: Fit = field(default_factory=Fit)
    doubts: tuple[str, ...] = ()

    @property
    def score(self) -> float:
        """How well name and values fit together, 0 to 1."""
        return self.name * (0.4 + 0.6 * self.fit.share)

    @property
    def sure(self) -> bool:
        """Whether nothing is to be checked."""
        return self.column is not None and not self.doubts


@dataclass(frozen=True, kw_only=True)
class TableChoice:
    """What a file is taken for.

    Attributes
    ----------
    spec : TableSpec
    file : File
    columns : tuple of ColumnMatch
        One for each column of the file.
    score : float
    doubts : tuple of str
    """

    spec: TableSpec
    file: File
    columns: tuple[ColumnMatch, ...]
    score: float
    doubts: tuple[str, ...] = ()

    @property
    def absent(self) -> tuple[str, ...]:
        """Required columns of the contract that no column is taken for."""
        found = {one.column.name for one in self.columns if one.column}
        return tuple(
            column.name
            for column in self.spec.columns
            if column.required
            and column.name not in found
            and not any(other in found for other in column.unless)
        )

    def own(self, name: str) -> Facts | None:
        """The column that is taken for one of the contract."""
        return next(
            (one.own for one in self.columns if one.column and one.column.name == name), None
        )


def match(files: Sequence[File]) -> list[TableChoice]:
    """Assign files to the contract's tables, each at most once."""
    tries = [[_as_table(file, spec) for spec in TABLES.values()] for file in files]
    if not tries:
        return []
    scores = np.array([[one.score for one in row] for row in tries])
    rows, columns = linear_sum_assignment(scores, maximize=True)
    chosen = [
        _judged(tries[row][column], [one.score for one in tries[row]], scores[:, column])
        for row, column in zip(rows, columns, strict=True)
        if tries[row][column].score >= _TABLE or _named_so(files[row], tries[row][column].spec)
    ]
    order = list(TABLES)
    return _linked(sorted(chosen, key=lambda one: order.index(one.spec.name)))


def _named_so(file: File, spec: TableSpec) -> bool:
    return file.called == spec.name


def _as_table(file: File, spec: TableSpec) -> TableChoice:
    columns = _assigned(file, spec)
    found = {one.column.name: one.score for one in columns if one.column}
    needed = [column for column in spec.columns if column.required]
    required = sum(
        found.get(column.name, max((found.get(o, 0.0) for o in column.unless), default=0.0))
        for column in needed
    ) / len(needed)
    used = sum(found.values()) / max(1, len(file.columns))
    score = 0.3 * table_score(file.called, spec.name) + 0.45 * required + 0.25 * used
    return TableChoice(spec=spec, file=file, columns=columns, score=score)


def _assigned(file: File, spec: TableSpec) -> tuple[ColumnMatch, ...]:
    wanted = (*spec.columns, KNOWN_AT)
    tries = [[_as_column(own, spec, column) for column in wanted] for own in file.columns]
    if not tries:
        return ()
    scores = np.array([[one.score for one in row] for row in tries])
    rows, columns = linear_sum_assignment(scores, maximize=True)
    taken = {int(row): int(column) for row, column in zip(rows, columns, strict=True)}
    kept = {
        row: column
        for row, column in taken.items()
        if (tries[row][column].score >= _TAKEN and tries[row][column].name >= _NAME)
        or file.columns[row].name == wanted[column].name
    }
    chosen = []
    for row, own in enumerate(file.columns):
        if row in kept:
            chosen.append(_certain(tries, row, kept))
        else:
            best = max(tries[row], key=lambda one: one.score)
            chosen.append(ColumnMatch(own=own, doubts=(_left_out(best),)))
    return tuple(chosen)


def _left_out(best: ColumnMatch) -> str:
    if best.column is not None and best.name >= _WORTH_A_LOOK:
        why = f" ({best.fit.doubts[0]})" if best.fit.doubts else ""
        return f"perhaps {best.column.name}{why}; not read"
    return "not recognised; not read"


def _as_column(own: Facts, spec: TableSpec, column: ColumnSpec) -> ColumnMatch:
    phrase = parse(own.name)
    name = column_score(phrase, spec.name, column)
    if name < _WORTH_A_LOOK:
        return ColumnMatch(own=own, column=column, name=name, fit=Fit(share=0.0))
    key = spec.rows == "event" and spec.key == (column.name,)
    found = fit(own, phrase, spec.name, column, key=key)
    return ColumnMatch(own=own, column=column, name=name, fit=found)


def _certain(tries: list[list[ColumnMatch]], row: int, kept: dict[int, int]) -> ColumnMatch:
    """The choice of a row with what makes it uncertain."""
    choice = tries[row][kept[row]]
    doubts = list(choice.fit.doubts)
    if choice.name < _CERTAIN:
        doubts.append("the name alone does not tell")
    for other in tries[row]:
        if other is not choice and other.score >= choice.score - _NEAR and other.column:
            doubts.append(f"or is it {other.column.name}?")
    for at, others in enumerate(tries):
        rival = others[kept[row]]
        placed = others[kept[at]].score if at in kept else 0.0
        near = rival.score >= choice.score - _NEAR and placed < rival.score + _NEAR
        if at != row and near:
            doubts.append(f"or is it the column {rival.own.name}?")
    return replace(choice, doubts=tuple(doubts))


def _judged(
    choice: TableChoice, of_file: Iterable[float], of_table: Iterable[float]
) -> TableChoice:
    """The choice with what makes the table uncertain."""
    doubts = []
    if choice.absent:
        doubts.append(f"it lacks {', '.join(choice.absent)}")
    if choice.score < 0.55:
        doubts.append("neither its name nor its columns tell clearly")
    for rivals, what in ((of_file, "another table"), (of_table, "another file")):
        second = sorted(rivals)[-2:-1]
        if second and second[0] >= choice.score - _TABLE_NEAR:
            doubts.append(f"{what} fits nearly as well")
    unclear = [one for one in doubts if not one.startswith("it lacks")]
    columns = choice.columns
    if unclear:
        why = f"{choice.file.shown} may not be {choice.spec.name}"
        columns = tuple(
            replace(one, doubts=(*one.doubts, why)) if one.column else one for one in columns
        )
    return replace(choice, doubts=tuple(doubts), columns=columns)


def _linked(choices: list[TableChoice]) -> list[TableChoice]:
    """The choices, doubting ids that do not stand in the table that they point to."""
    known = {one.spec.name: one for one in choices}
    return [_with_links(one, known) for one in choices]


def _with_links(choice: TableChoice, known: dict[str, TableChoice]) -> TableChoice:
    columns = []
    for one in choice.columns:
        target = {"customer_id": "customers", "group_id": "groups"}.get(
            one.column.name if one.column else ""
        )
        home = known.get(target or "")
        key = home.own(one.column.name) if home and one.column else None
        if home is None or key is None or home is choice:
            columns.append(one)
            continue
        ids = list(dict.fromkeys(one.own.values))[:_SAMPLE_IDS]
        share = home.file.contains(key.name, ids)
        if share < _CONTAINED:
            doubt = f"only {share:.0%} of its values stand in {key.name} of {home.file.shown}"
            one = replace(one, doubts=(*one.doubts, doubt))
        columns.append(one)
    return replace(choice, columns=tuple(columns))
