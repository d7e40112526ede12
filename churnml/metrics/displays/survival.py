"""Predicted against observed cumulative churn, by risk group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from churnml.metrics.check_arrays import check_groups
from churnml.metrics.displays.style import PALETTE, Display
from churnml.metrics.intervals import INTERVAL
from churnml.metrics.reliability import share_over_customers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GROUPS = {"lower half": 0.5, "next 30 %": 0.8, "next 15 %": 0.95, "highest 5 %": 1.0}
"""The groups, and up to which share of the customers each reaches."""

_LINES = (("-", "o"), ("--", "s"), (":", "^"), ("-.", "v"))
"""Of each model on one pair of axes, its lines and its dots."""


@dataclass(frozen=True, kw_only=True)
class RiskGroup:
    """Customers of similar risk, month by month.

    Attributes
    ----------
    name : str
    predicted, observed : array, shape (months,)
        Mean chance of having left by then, and the share that had.
    low, high : array, shape (months,)
        The interval of ``observed``.
    """

    name: str
    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


class SurvivalDisplay(Display):
    """Predicted probability of leaving within 1, 2, ... months, and the observed share.

    One line for each of four groups by the chance in the last month; dots are shares with
    95 % intervals.

    Parameters
    ----------
    curves : list of RiskGroup
        By rising risk.
    name : str, optional
        Of the model.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> within = np.array([[0.1, 0.2], [0.1, 0.2], [0.5, 0.7]])
    >>> shown = SurvivalDisplay.from_predictions([-2, 2, 1], within)
    >>> [(curve.name, curve.observed.tolist()) for curve in shown.curves]
    [('lower half', [0.0, 0.5]), ('next 15 %', [1.0, 1.0])]
    """

    def __init__(self, *, curves: Sequence[RiskGroup], name: str | None = None) -> None:
        self.curves, self.name = curves, name

    @classmethod
    def from_predictions(
        cls,
        outcome: ArrayLike,
        within: NDArray[np.float64],
        *,
        groups: ArrayLike | None = None,
        name: str | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw predicted probabilities of held-out rows.

        Parameters
        ----------
        outcome : array of int, shape (n,)
            The month of leaving from 1 on; -m for who was still there after m months. Only
            months that everybody was seen for are drawn.
        within : array of float64, shape (n, months)
            Predicted chances of leaving within 1, 2, ... months. Rows of one chance are never
            parted.
        groups : array, shape (n,), optional
            The customer of each row; else every row is one.
        name : str, optional
        ax : Axes, optional
        """
        months = np.asarray(outcome).astype(int)
        codes = check_groups(groups, months.size)
        customers = np.arange(months.size) if codes is None else codes
        staying = -months[months < 0]
        seen = min(int(staying.min(initial=within.shape[1])), within.shape[1])
        at = np.arange(1, seen + 1)
        # Equal chances have one rank, the middle of theirs.
        rank = (rankdata(within[:, -1]) - 0.5) / len(months)
        group = np.searchsorted(list(_GROUPS.values()), rank, side="right")
        curves = []
        for number, group_name in enumerate(_GROUPS):
            rows = group == number
            if rows.any():
                left = ((months[rows, None] > 0) & (months[rows, None] <= at)).astype(float)
                ends = [share_over_customers(month, customers[rows]) for month in left.T]
                observed, low, high = np.array(ends).T
                predicted = within[rows, :seen].mean(axis=0)
                curves.append(
                    RiskGroup(
                        name=group_name,
                        predicted=predicted,
                        observed=observed,
                        low=low,
                        high=high,
                    )
                )
        return cls(curves=curves, name=name).plot(ax)

    def plot(self, ax: Axes | None = None, *, name: str | None = None) -> Self:
        """Draw, on new axes where none are given; further models with lines of their own."""
        axes = self._axes(ax)
        turn = self._turn(axes, "Who has left, month by month")
        name = name or self.name or (f"model {turn + 1}" if turn else None)
        whose = f", {name}" if name else ""
        line, dot = _LINES[turn % len(_LINES)]
        at = np.arange(1, len(self.curves[0].predicted) + 1)
        for number, one in enumerate(self.curves):
            colour = PALETTE[list(_GROUPS).index(one.name)]
            # Side by side, or the intervals of one month would hide each other.
            place = at + 0.05 * (number - (len(self.curves) - 1) / 2) + 0.02 * turn
            axes.plot(at, one.predicted, color=colour, ls=line, label=f"{one.name}{whose}")
            axes.vlines(place, one.low, one.high, color=colour, lw=1.5, alpha=0.6)
            axes.plot(place, one.observed, dot, color=colour, ms=5)
        axes.set(xlabel="months after the date", xticks=at)
        axes.set_ylabel(f"share that has left: predicted (lines),\nobserved (dots, {INTERVAL})")
        axes.set_ylim(bottom=0)
        self._legend(axes, title="customers by predicted risk", loc="upper left")
        return self
