"""What changed: other customers, or other opinions, or only other people who answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from churnml.config.settings import IndexSettings
from churnml.service.index import notes
from churnml.service.index.cells import Cell, measure
from churnml.service.index.change import Parts, change, covariance, mix_and_true
from churnml.service.index.notes import Note
from churnml.service.index.survey import WHOLE, Level, Survey

_KINDS = "kinds"


@dataclass(frozen=True, kw_only=True)
class WhatChanged:
    """A change of the index and what is in it, in points.

    Attributes
    ----------
    parts : Parts
        The mix of customers, and the true change; they add up to the change of the index.
    answered : float
        By how much more the plain mean of the answers changed: other people answered.
    """

    parts: Parts
    answered: float

    def to_dict(self) -> dict[str, Any]:
        """It as plain data."""
        told: dict[str, Any] = {}
        for name, part in (("mix", self.parts.mix), ("true", self.parts.true)):
            told |= {name: part.value, f"{name}_low": part.low, f"{name}_high": part.high}
        return told | {"who_answered": self.answered}

    def note(self, before: Note) -> Note:
        """It as a sentence."""
        mix, true = (
            (part.value, part.low, part.high) for part in (self.parts.mix, self.parts.true)
        )
        return notes.what_changed(before, mix, true, self.answered)


def what_changed(
    now: tuple[Survey, Level], before: tuple[Survey, Level], settings: IndexSettings
) -> WhatChanged:
    """Part the change between two surveys by kinds of customers.

    Parameters
    ----------
    now, before : (Survey, Level)
        With the kinds of customers, by the same names in both.
    settings : IndexSettings
        Kinds with few answers lean on what all kinds have in common.
    """
    (whole, kinds), (past, past_kinds) = _measure(now, settings), _measure(before, settings)
    names = sorted({*kinds, *past_kinds})
    shares, means = _shares(kinds, names), _means(kinds, names, whole)
    past_shares, past_means = _shares(past_kinds, names), _means(past_kinds, names, past)
    variances = [_variance(kinds.get(name), past_kinds.get(name)) for name in names]
    parts = mix_and_true(
        shares=shares,
        shares_before=past_shares,
        means=means,
        means_before=past_means,
        variances=variances,
    )
    told = whole.value - past.value
    plain = float(np.mean(now[0].score) - np.mean(before[0].score))
    # Kinds that lean on each other err together: the error of the whole change, less a mix that
    # is nearly known, is that of the true change.
    true = change(parts.true.value, 0.0, _variance(whole, past))
    return WhatChanged(parts=Parts(mix=parts.mix, true=true), answered=plain - told)


def _measure(survey: tuple[Survey, Level], settings: IndexSettings) -> tuple[Cell, dict[str, Cell]]:
    one, level = survey
    cells = measure(replace(one, levels={_KINDS: level}), settings)
    return cells[0], {cell.name: cell for cell in cells if cell.by != WHOLE}


def _shares(kinds: dict[str, Cell], names: list[str]) -> list[float]:
    total = sum(cell.customers for cell in kinds.values())
    return [kinds[name].customers / total if name in kinds else 0.0 for name in names]


def _means(kinds: dict[str, Cell], names: list[str], whole: Cell) -> list[float]:
    """The index of every kind; of one that is not there, and weighs nothing, the whole's."""
    values = [kinds[name].value if name in kinds else whole.value for name in names]
    return [whole.value if np.isnan(value) else value for value in values]


def _variance(cell: Cell | None, past: Cell | None) -> float:
    there = [one for one in (cell, past) if one is not None and np.isfinite(one.variance)]
    total = sum(one.variance for one in there)
    if cell is not None and past is not None:
        total -= 2 * cell.own * past.own * covariance(cell.influence, past.influence)
    return max(total, 0.0)
