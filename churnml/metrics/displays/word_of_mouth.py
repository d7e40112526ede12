"""Draw the word-of-mouth curve (口碑曲线): promoters less detractors by month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.metrics.displays.style import GREY, ORANGE, Display, show_chinese

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class WordOfMouthDisplay(Display):
    """Promoters less detractors by month, with intervals and the months at which the level differs.

    Parameters
    ----------
    months : sequence of str
        As ``2026-05``.
    score, low, high : array, shape (months,)
        Points, -100 to 100; NaN where hidden.
    change_point : array of bool, shape (months,)
    smooth : array, shape (months,), optional
        A line through the months, for the eye alone.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> curve = pd.DataFrame({"month": pd.to_datetime(["2026-04-01", "2026-05-01"]),
    ...                       "score": [10.0, 12.0], "low": [4.0, 7.0], "high": [16.0, 17.0],
    ...                       "change_point": [False, False]})
    >>> WordOfMouthDisplay.from_frame(curve).plot().months
    ['2026-04', '2026-05']
    """

    def __init__(
        self,
        *,
        months: list[str],
        score: NDArray[np.float64],
        low: NDArray[np.float64],
        high: NDArray[np.float64],
        change_point: NDArray[np.bool_],
        smooth: NDArray[np.float64] | None = None,
    ) -> None:
        self.months, self.score, self.low, self.high = months, score, low, high
        self.change_point, self.smooth = change_point, smooth

    @classmethod
    def from_frame(cls, curve: pd.DataFrame, *, smooth: NDArray[np.float64] | None = None) -> Self:
        """Take one segment's rows of ``word_of_mouth`` in time order; not drawn yet."""
        rows = curve.sort_values("month")
        score, low, high = (
            rows[name].to_numpy(float, na_value=np.nan) for name in ("score", "low", "high")
        )
        return cls(
            months=[f"{month:%Y-%m}" for month in rows["month"]],
            score=score,
            low=low,
            high=high,
            change_point=rows["change_point"].astype("boolean").fillna(False).to_numpy(bool),
            smooth=smooth,
        )

    def plot(self, ax: Axes | None = None, *, name: str | None = None, **line: Any) -> Self:
        """Draw, on new axes where none are given; ``name`` tells several segments apart."""
        axes = self._axes(ax)
        turn = self._turn(axes, "Word of mouth")
        style = {"marker": "o", "ls": ""} | self._model_style(turn, name, line)
        place = np.arange(len(self.months)) + 0.1 * turn
        axes.vlines(place, self.low, self.high, color=style["color"], lw=1.5, alpha=0.6)
        axes.plot(place, self.score, **style)
        if self.smooth is not None:
            axes.plot(place, self.smooth, color=style["color"], lw=1)
        axes.axhline(0, color=GREY, lw=1, ls="--")
        points = np.flatnonzero(self.change_point)
        low, high = axes.get_ylim()
        if points.size and not turn:
            # Room above the points for what the lines say.
            axes.set_ylim(low, high + (0.08 + 0.05 * points.size) * (high - low))
        for below, at in enumerate(points):
            late = at > len(place) / 2
            axes.axvline(at - 0.5, color=ORANGE, lw=1.5)
            axes.annotate(
                f"level differs from {self.months[at]}",
                (at - 0.5, 0.97),
                (-6 if late else 6, -12 * below),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                va="top",
                ha="right" if late else "left",
            )
        step = max(len(place) // 12, 1)
        axes.set_xticks(place[::step], self.months[::step], rotation=45, ha="right")
        axes.set(ylabel="promoters less detractors, points")
        if turn or name:
            self._legend(axes, loc="best")
        show_chinese(axes)
        return self
