"""When customers leave, drawn: predicted curves against what happened, by how much at risk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.metrics.displays.panels import PALETTE, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CUTS = (0.5, 0.8, 0.95)
_NAMES = ("lower half", "next 30 %", "next 15 %", "highest 5 %")
_Z90 = 1.6449


def leaving_curves(outcome: ArrayLike, within: NDArray[np.float64]) -> Figure:
    """The chance of leaving within 1, 2, ... months, and the share that has left by then.

    Parameters
    ----------
    outcome : array of int, shape (n,)
        The month of leaving from 1 on; -m for who was still there after m months. Only
        months that everybody was seen for are drawn.
    within : array of float64, shape (n, months)
        Predicted chances of leaving within 1, 2, ... months, of rows that the model had
        not seen.

    Returns
    -------
    Figure
        One line for each of four groups by the chance in the last month; dots are shares
        with 90 % intervals (Wilson).
    """
    months = np.asarray(outcome).astype(int)
    staying = -months[months < 0]
    seen = min(int(staying.min(initial=within.shape[1])), within.shape[1])
    at = np.arange(1, seen + 1)
    rank = np.argsort(np.argsort(within[:, -1], kind="stable"), kind="stable") / len(months)
    group = np.searchsorted(_CUTS, rank, side="right")
    figure = _empty()
    (axes,) = figure.axes
    for one in range(len(_NAMES)):
        rows = group == one
        if not rows.any():
            continue
        left = (months[rows, None] > 0) & (months[rows, None] <= at)
        low, high = _wilson(left.mean(axis=0), int(rows.sum()))
        place = at + 0.05 * (one - 1.5)
        axes.plot(at, within[rows][:, :seen].mean(axis=0), color=PALETTE[one], label=_NAMES[one])
        axes.vlines(place, low, high, color=PALETTE[one], lw=1.5, alpha=0.6)
        axes.plot(place, left.mean(axis=0), "o", color=PALETTE[one], ms=5)
    axes.set_title("Leaving within so many months: predicted (lines), happened (dots)")
    axes.set(xlabel="months after the date", ylabel="share that has left", xticks=at)
    axes.set_ylim(bottom=0)
    axes.legend(title="customers by predicted risk", loc="upper left", frameon=False)
    return figure


def _empty() -> Figure:
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(6.4, 4.8), dpi=120, layout="constrained")
        figure.subplots()
    return figure


def _wilson(
    share: NDArray[np.float64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    spread = _Z90**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = _Z90 * np.sqrt(share * (1 - share) / count + spread / count / 4) / (1 + spread)
    return middle - half, middle + half
