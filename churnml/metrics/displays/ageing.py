"""Draw a backtest: by month, and by the age of the models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from churnml.metrics.displays.style import BLUE, GREY, ORANGE, panels
from churnml.metrics.intervals import INTERVAL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LITTLE = 0.02
"""A change that is drawn small."""


def backtest(results: Mapping[str, Any], name: str) -> Figure:
    """Draw a measure by month and by the age of the models, with 95 % intervals.

    Parameters
    ----------
    results : mapping
        A backtest as plain data.
    name : str
        Of its measure, as people read it; the higher, the better.

    Returns
    -------
    Figure
        To the right, below 0 is ageing: worse than a model that is fresh at the same dates.
    """
    figure, (left, right) = panels((11, 4.6), widths=(3, 2))
    _by_month(left, results["months"], results["measure"], name)
    _by_age(right, results["ages"], name)
    return figure


def _by_month(axes: Axes, months: Sequence[Mapping[str, Any]], measure: str, name: str) -> None:
    days = [one["as_of"][:7] for one in months]
    sides = {"metrics": (BLUE, "customers as they come"), "unseen": (ORANGE, "never seen before")}
    for shift, (side, (colour, label)) in zip((-0.08, 0.08), sides.items(), strict=True):
        known = [at for at, one in enumerate(months) if measure in one[side]]
        ends = [
            [months[at][side].get(f"{measure}{end}", np.nan) for at in known]
            for end in ("", "_low", "_high")
        ]
        _with_intervals(axes, np.array(known) + shift, np.array(ends), colour, label)
    axes.set_xticks(range(len(days)), days, rotation=45, ha="right")
    axes.set(
        title="Trained on the past of each month", xlabel="as of", ylabel=f"{name}, {INTERVAL}"
    )
    axes.margins(y=0.2)
    axes.legend(frameon=False, loc="upper right", ncols=2)


def _by_age(axes: Axes, ages: Sequence[Mapping[str, Any]], name: str) -> None:
    months = np.array([one["months"] for one in ages])
    ends = np.array(
        [[one["change"][end] for one in ages] for end in ("value", "low", "high")], np.float64
    )
    _with_intervals(axes, months, ends, BLUE, f"models of that age, {INTERVAL}")
    axes.axhline(0, color=GREY, lw=1, ls="--", label="as good as fresh")
    # As far up as down, and never close: a small change is not to look like a steep fall.
    far = 1.5 * max(float(np.nanmax(np.abs(ends), initial=0)), _LITTLE)
    axes.set_ylim(-far, far)
    axes.set_xticks(months)
    axes.set(title="How models age", xlabel="months since training")
    axes.set(ylabel=f"{name}, old model less fresh model\n← worse      better →")
    axes.legend(frameon=False, loc="upper left")


def _with_intervals(
    axes: Axes, x: NDArray[Any], ends: NDArray[np.float64], colour: str, label: str
) -> None:
    axes.vlines(x, ends[1], ends[2], color=colour, lw=1.5, alpha=0.6)
    axes.plot(x, ends[0], "o-", color=colour, label=label)
