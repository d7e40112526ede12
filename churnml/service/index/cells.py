"""The index of every cell: by itself, leaning on the others, or predicted alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.config.settings import IndexSettings
from churnml.metrics.intervals import normal_quantile
from churnml.service.index import planner
from churnml.service.index.prediction_powered import (
    Mean,
    explained,
    prediction_powered,
    spread,
    tuning,
    weighted_mean,
)
from churnml.service.index.small_areas import pool
from churnml.service.index.standing import Standing, standings
from churnml.service.index.survey import WHOLE, Level, Survey
from churnml.service.index.weights import design_effect, kish

Floats = NDArray[np.float64]
How = Literal["direct", "pooled", "prediction", "hidden"]

_SMALLEST = 1e-6
_PRIOR_ANSWERS = 20.0
"""How many answers the cells' common variance counts for beside a cell's own."""
_FEWEST_CELLS = 3
_FEWEST_FOR_A_LINE = 6


@dataclass(frozen=True, kw_only=True)
class Cell:
    """The index of one cell.

    Attributes
    ----------
    by, name : str
    customers, invited, answers, people : int
        ``people`` are the customers who answered.
    effective : float
        Answers of one weight that would be worth as much (Kish).
    survey : Mean or None
        The weighted mean of the answers; None where there is none.
    value, variance : float
        The index; NaN where nothing can be told.
    low, high : float
        Its 95 % interval.
    how : {"direct", "pooled", "prediction", "hidden"}
        ``hidden`` where the answers are too few to be shown.
    own : float
        How much of the cell's own answers is in its value, 0 to 1.
    influence : Series
        Of each customer who answered, on the cell's own mean.
    tuned, explained : float
        How far the predictions were trusted, and the share of variance that they took away.
    needed : float
        Answers that the next survey needs to see a change of ``index.detect``.
    standing : {"below", "not told apart", "above"} or None
    """

    by: str
    name: str
    customers: int
    invited: int
    answers: int
    people: int
    effective: float
    survey: Mean | None
    value: float
    variance: float
    low: float
    high: float
    how: How
    own: float
    influence: pd.Series
    tuned: float
    explained: float
    needed: float
    freedom: float = np.inf
    standing: Standing | None = None

    @property
    def gain(self) -> float:
        """Share of the interviews that the predictions saved, from the two variances."""
        if self.survey is None or not self.survey.variance > 0:
            return float("nan")
        return 1 - self.variance / self.survey.variance


def measure(survey: Survey, settings: IndexSettings) -> list[Cell]:
    """The index of all customers, which comes first, and of every cell of every level.

    Parameters
    ----------
    survey : Survey
    settings : IndexSettings

    Returns
    -------
    list of Cell
        Levels in their order, the cells of each in the order of its names.
    """
    everything = _Common(
        tuned=tuning(survey.score, survey.held_out, survey.weight),
        variance=spread(survey.score, survey.weight),
        detect=settings.detect,
    )
    place = _Place(
        by=WHOLE,
        name=WHOLE,
        customers=survey.customers,
        invited=int(survey.invited.sum()),
        mean_prediction=float(survey.predictions.mean()),
    )
    whole = _direct(survey, place, np.arange(survey.score.size), everything)
    if whole.people < settings.min_answers:
        whole = replace(whole, how="hidden")
    cells = [whole]
    for by, level in survey.levels.items():
        cells += _level(survey, by, level, whole, everything, settings)
    return cells


@dataclass(frozen=True, kw_only=True)
class _Common:
    """What cells take from all answers together."""

    tuned: float
    variance: float
    detect: float


def _level(
    survey: Survey, by: str, level: Level, whole: Cell, common: _Common, settings: IndexSettings
) -> list[Cell]:
    """The cells of one level."""
    codes = level.codes[survey.place]
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(level.names) + 1))
    groups = [order[a:b] for a, b in pairwise(bounds)]
    counts = level.counts()
    own = all(
        len(group) >= settings.own_tuning
        for group, count in zip(groups, counts, strict=True)
        if count
    )
    invited = np.bincount(level.codes, weights=survey.invited, minlength=len(level.names))
    sums = np.bincount(level.codes, weights=survey.predictions, minlength=len(level.names))
    cells, means = [], []
    for at, (name, group) in enumerate(zip(level.names, groups, strict=True)):
        if not counts[at]:
            continue
        trust = (
            tuning(survey.score[group], survey.held_out[group], survey.weight[group])
            if own
            else common.tuned
        )
        means.append(sums[at] / counts[at])
        place = _Place(
            by=by,
            name=name,
            customers=int(counts[at]),
            invited=int(invited[at]),
            mean_prediction=means[-1],
        )
        cells.append(_direct(survey, place, group, replace(common, tuned=trust)))
    cells = _pooled(cells, np.array(means), survey, settings)
    return _stand(_benchmarked(cells, whole), whole)


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A cell before anything is computed of it."""

    by: str
    name: str
    customers: int
    invited: int
    mean_prediction: float


def _direct(survey: Survey, place: _Place, group: NDArray[np.intp], common: _Common) -> Cell:
    """A cell by its own answers; without any, by nothing yet."""
    facts: dict[str, Any] = {
        "by": place.by,
        "name": place.name,
        "customers": place.customers,
        "invited": place.invited,
        "answers": int(group.size),
        "tuned": common.tuned,
    }
    if not group.size:
        return Cell(
            **facts,
            people=0,
            effective=0.0,
            survey=None,
            value=float("nan"),
            variance=float("nan"),
            low=float("nan"),
            high=float("nan"),
            how="prediction",
            own=0.0,
            influence=pd.Series(dtype=float),
            explained=0.0,
            needed=float("nan"),
        )
    y, f, w = survey.score[group], survey.held_out[group], survey.weight[group]
    shared: dict[str, Any] = {
        "weight": w,
        "clusters": survey.ids[group],
        "population": place.customers,
    }
    plain = prediction_powered(y, f, 0.0, tuned=0.0, **shared)
    found = prediction_powered(y, f, place.mean_prediction, tuned=common.tuned, **shared)
    low, high = found.interval()
    people = plain.influence.size
    share = explained(y, f, common.tuned, w)
    per_customer = pd.Series(w).groupby(survey.place[group]).sum().to_numpy()
    variance = spread(y, w) if people >= 30 else common.variance
    return Cell(
        **facts,
        people=people,
        effective=kish(per_customer),
        survey=plain,
        value=float(np.clip(found.value, 0, 100)),
        variance=found.variance,
        low=low,
        high=high,
        how="direct",
        own=1.0,
        influence=found.influence,
        explained=share,
        needed=planner.to_see_a_change(
            variance,
            common.detect,
            explained=max(share, 0.0) if people >= 30 else 0.0,
            design=design_effect(per_customer),
        ),
        freedom=found.freedom,
    )


def _pooled(
    cells: list[Cell], mean_predictions: Floats, survey: Survey, settings: IndexSettings
) -> list[Cell]:
    """Cells with few answers or none drawn towards what all cells of the level have in common."""
    there = [cell for cell in cells if cell.answers]
    if len(there) < _FEWEST_CELLS:
        return [_shown(cell, settings) for cell in cells]
    told = mean_predictions[[cell.answers > 0 for cell in cells]]
    line = len(there) >= _FEWEST_FOR_A_LINE and np.ptp(told) > 1e-6
    x = np.ones((len(cells), 1))
    if line:
        about = (mean_predictions - told.mean()) / told.std()
        x = np.column_stack([x, about])
    found = pool([cell.value for cell in cells], _variances(cells, survey), x)
    reach = normal_quantile()
    shown = []
    for at, cell in enumerate(cells):
        if cell.people >= settings.pooled_below:
            shown.append(cell)
            continue
        value = float(np.clip(found.estimate[at], 0, 100))
        error = float(np.sqrt(found.variance[at]))
        shown.append(
            replace(
                _shown(cell, settings),
                value=value,
                variance=error**2,
                low=max(value - reach * error, 0.0),
                high=min(value + reach * error, 100.0),
                own=float(found.own[at]),
                freedom=np.inf,
                how=_how(cell, settings, "pooled"),
            )
        )
    return shown


def _shown(cell: Cell, settings: IndexSettings) -> Cell:
    return replace(cell, how=_how(cell, settings, "direct"))


def _how(cell: Cell, settings: IndexSettings, usual: How) -> How:
    if not cell.answers:
        return "prediction"
    return "hidden" if cell.people < settings.min_answers else usual


def _variances(cells: list[Cell], survey: Survey) -> Floats:
    """Each cell's variance, its own mixed with what all cells have in common.

    Of few answers the own variance is itself uncertain; a small one by chance would make
    the cell look as if it were known well.
    """
    there = [cell for cell in cells if cell.answers]
    freedom = np.array([cell.freedom for cell in there])
    # What one effective answer varies by, in every cell.
    single = np.array([cell.variance * cell.effective for cell in there])
    known = freedom > 0
    common = float(np.average(single[known], weights=freedom[known])) if known.any() else 1.0
    if not common > 0:
        common = max(spread(survey.score, survey.weight), 1e-6)
    mixed = {}
    for cell, one in zip(there, single, strict=True):
        trust = cell.freedom / (cell.freedom + _PRIOR_ANSWERS)
        each = trust * one + (1 - trust) * common if cell.freedom > 0 else common
        mixed[cell.name] = max(each / cell.effective, _SMALLEST)
    return np.array([mixed.get(cell.name, np.inf) for cell in cells])


def _benchmarked(cells: list[Cell], whole: Cell) -> list[Cell]:
    """All cells moved by the same step, so that together they are the whole."""
    if any(np.isnan(cell.value) for cell in cells) or np.isnan(whole.value):
        return cells
    together = weighted_mean([c.value for c in cells], [c.customers for c in cells])
    step = whole.value - together
    return [
        replace(
            cell,
            value=float(np.clip(cell.value + step, 0, 100)),
            low=float(np.clip(cell.low + step, 0, 100)),
            high=float(np.clip(cell.high + step, 0, 100)),
        )
        for cell in cells
    ]


def _stand(cells: list[Cell], whole: Cell) -> list[Cell]:
    """Cells that are shown by answers, in three groups against the whole."""
    at = [
        place
        for place, cell in enumerate(cells)
        if cell.how in ("direct", "pooled") and np.isfinite(cell.variance)
    ]
    if not at or not np.isfinite(whole.variance):
        return cells
    some = [cells[place] for place in at]
    # A cell is part of the whole: the more of it, the more the two move together.
    errors = [
        np.sqrt(max(c.variance * (1 - 2 * c.customers / whole.customers) + whole.variance, 0.0))
        for c in some
    ]
    found = standings([c.value - whole.value for c in some], errors, [c.freedom for c in some])
    stood: Mapping[int, Standing] = dict(zip(at, found, strict=True))
    return [replace(cell, standing=stood.get(place)) for place, cell in enumerate(cells)]
