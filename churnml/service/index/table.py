"""The index as a table: one row a cell, changes beside it, and nothing told of few people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.base.table_file import TableFile
from churnml.service.index.cells import Cell
from churnml.service.index.change import change, covariance
from churnml.service.index.survey import WHOLE, Survey
from churnml.service.small_cells import Sum, hidden_related

Bools = NDArray[np.bool_]

COLUMNS = (
    "by",
    "cell",
    "customers",
    "invited",
    "answers",
    "effective_answers",
    "survey",
    "survey_low",
    "survey_high",
    "index",
    "index_low",
    "index_high",
    "how",
    "change_month",
    "change_month_low",
    "change_month_high",
    "change_year",
    "change_year_low",
    "change_year_high",
    "answers_needed",
    "standing",
)
"""Of the table, in their order."""

INDEX_FILE = TableFile(what="a satisfaction index", content="index", columns=COLUMNS)

_COUNTS = ("customers", "invited", "answers", "answers_needed")
_TEXTS = ("by", "cell", "how", "standing")


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """What of each cell is not shown.

    Attributes
    ----------
    customers, invited : array of bool, shape (k,)
        The count alone.
    all : array of bool, shape (k,)
        Whatever the answers say.
    """

    customers: Bools
    invited: Bools
    all: Bools


def hide(cells: Sequence[Cell], survey: Survey, fewest: int) -> Hidden:
    """What is about few people, and what would give it away.

    Parameters
    ----------
    cells : sequence of Cell
        As `churnml.service.index.cells.measure` gives them.
    survey : Survey
    fewest : int
        People, below whom nothing is shown.
    """
    sums = _sums(cells, survey)

    def mask(count: Callable[[Cell], int], already: Bools | None = None) -> Bools:
        return _hidden_among(np.array([count(cell) for cell in cells]), sums, fewest, already)

    few = mask(lambda cell: cell.customers)
    everything = mask(lambda cell: cell.people, few)
    return Hidden(
        customers=few, all=everything, invited=mask(lambda cell: cell.invited, everything)
    )


def _hidden_among(
    counts: NDArray[np.int64], sums: Sequence[Sum], fewest: int, already: Bools | None
) -> Bools:
    """Cells to hide; that nobody is in a cell tells of nobody, and may be shown."""
    there = np.flatnonzero(counts > 0)
    at = {int(place): new for new, place in enumerate(there)}
    some = [
        Sum(total=at[one.total], parts=tuple(at[part] for part in one.parts if part in at))
        for one in sums
        if one.total in at
    ]
    before = np.zeros(counts.size, bool) if already is None else already.copy()
    found = before.copy()
    found[there] = hidden_related(counts[there], some, fewest=fewest, already=before[there])
    return found


def _sums(cells: Sequence[Cell], survey: Survey) -> list[Sum]:
    """What adds up to what: the cells of a level to the whole, finer cells to coarser ones."""
    place = {(cell.by, cell.name): at for at, cell in enumerate(cells)}
    sums = [
        Sum(total=0, parts=tuple(place[by, name] for name in level.names))
        for by, level in survey.levels.items()
    ]
    for coarse, above in survey.levels.items():
        for fine, below in survey.levels.items():
            if not set(coarse.split("+")) < set(fine.split("+")):
                continue
            _, first = np.unique(below.codes, return_index=True)
            of = above.codes[first]
            sums += [
                Sum(
                    total=place[coarse, name],
                    parts=tuple(
                        place[fine, below.names[part]] for part in np.flatnonzero(of == at)
                    ),
                )
                for at, name in enumerate(above.names)
            ]
    return sums


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The cells of one date, with what of them is hidden."""

    cells: Sequence[Cell]
    hidden: Hidden

    def tellable(self, at: int) -> bool:
        """Whether a cell has an index of answers that is shown."""
        cell = self.cells[at]
        shown = cell.how in ("direct", "pooled") and not self.hidden.all[at]
        return shown and bool(np.isfinite(cell.variance))


def tabulate(now: Measured, month: Measured | None, year: Measured | None) -> pd.DataFrame:
    """One row a cell, the whole first, with the columns of `COLUMNS`.

    Parameters
    ----------
    now : Measured
    month, year : Measured or None
        A month and a year before, where there are any.
    """
    rows = []
    for at, cell in enumerate(now.cells):
        row: dict[str, Any] = {"by": cell.by, "cell": cell.name}
        row["customers"] = None if now.hidden.customers[at] else cell.customers
        if now.hidden.all[at] or cell.how == "hidden":
            rows.append(row | {"how": "hidden"})
            continue
        row |= {
            "invited": None if now.hidden.invited[at] else cell.invited,
            "answers": cell.answers,
            "effective_answers": cell.effective,
            "index": cell.value,
            "index_low": cell.low,
            "index_high": cell.high,
            "how": cell.how,
            "answers_needed": _up(cell.needed),
            "standing": cell.standing,
        }
        if cell.survey is not None:
            low, high = cell.survey.interval()
            row |= {"survey": cell.survey.value, "survey_low": low, "survey_high": high}
        for name, before in (("month", month), ("year", year)):
            row |= _changed(now, at, before, f"change_{name}")
        rows.append(row)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    kinds = dict.fromkeys(COLUMNS, "float64")
    kinds |= dict.fromkeys(_COUNTS, "Int64") | dict.fromkeys(_TEXTS, "str")
    return frame.astype(kinds)


def worth(now: Measured) -> pd.DataFrame:
    """What predictions did for each cell that is shown.

    Returns
    -------
    DataFrame
        ``by``, ``cell``, ``tuning`` (how far they were trusted, 0 to 1), ``explained`` (share of
        the differences between answers), ``gain`` (share of the interviews saved, by the widths
        of both intervals), ``own`` (how much of the index is the cell's own answers).
    """
    rows = [
        (cell.by, cell.name, cell.tuned, cell.explained, cell.gain, cell.own)
        for at, cell in enumerate(now.cells)
        if now.tellable(at)
    ]
    return pd.DataFrame(rows, columns=["by", "cell", "tuning", "explained", "gain", "own"])


def _up(number: float) -> int | None:
    return int(np.ceil(number)) if np.isfinite(number) else None


def _changed(now: Measured, at: int, before: Measured | None, name: str) -> dict[str, float]:
    """The change of a cell, where it can be told at both dates."""
    if before is None or not now.tellable(at):
        return {}
    cell = now.cells[at]
    places = {(one.by, one.name): place for place, one in enumerate(before.cells)}
    then = places.get((cell.by, cell.name))
    if then is None or not before.tellable(then):
        return {}
    past = before.cells[then]
    # Of a pooled cell only a part is its own answers, and only that part is in both surveys.
    common = cell.own * past.own * covariance(cell.influence, past.influence)
    found = change(cell.value, past.value, cell.variance + past.variance - 2 * common)
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def new_names(now: Measured, before: Measured) -> dict[str, list[str]]:
    """Cells that were not there before, by level."""
    there = {(cell.by, cell.name) for cell in before.cells}
    found: dict[str, list[str]] = {}
    for cell in now.cells:
        if cell.by != WHOLE and (cell.by, cell.name) not in there:
            found.setdefault(cell.by, []).append(cell.name)
    return found
