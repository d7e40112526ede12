"""Predicted against answered satisfaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.metrics.check_arrays import check_answers, check_interval, check_pair
from churnml.metrics.displays.style import GREY, ORANGE, Display
from churnml.metrics.intervals import INTERVAL
from churnml.metrics.reliability import Bin, mean_reliability, rows_of_bins

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]


class SatisfactionDisplay(Display):
    """Mean answers by groups of similar prediction, with their 90 % prediction intervals.

    Parameters
    ----------
    bins : list of Bin
        Of each group: mean prediction, and mean answer with its 95 % interval.
    middle : array, shape (k, 2)
        The middle half of each group's answers.
    interval : array, shape (k, 2), optional
        The mean ends of the 90 % prediction intervals.
    name : str, optional
        Of the model.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> shown = SatisfactionDisplay.from_predictions([60, 80, 70, 90], [65, 75, 65, 85], bins=2)
    >>> [one.observed for one in shown.bins]
    [65.0, 85.0]
    """

    def __init__(
        self,
        *,
        bins: Sequence[Bin],
        middle: Floats,
        interval: Floats | None = None,
        name: str | None = None,
    ) -> None:
        self.bins, self.middle, self.interval, self.name = bins, middle, interval, name

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        interval: tuple[ArrayLike, ArrayLike] | None = None,
        bins: int = 10,
        name: str | None = None,
        ax: Axes | None = None,
        **line: Any,
    ) -> Self:
        """Draw answers from 0 to 100; ``groups`` is the customer of each row."""
        answers, predictions = check_pair(check_answers(y_true), y_pred)
        parts = rows_of_bins(predictions, bins)
        ends = None if interval is None else check_interval(interval, answers.size)
        shown = cls(
            bins=mean_reliability(answers, predictions, groups, bins=bins),
            middle=np.array([np.quantile(answers[part], [0.25, 0.75]) for part in parts]),
            interval=None if ends is None else _means(ends, parts),
            name=name,
        )
        return shown.plot(ax, **line)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: ArrayLike, **options: Any) -> Self:
        """Draw a satisfaction estimator with its intervals."""
        shown = {"interval": estimator.predict_interval(X)} | options
        return cls.from_predictions(y, estimator.predict(X), **shown)

    def plot(self, ax: Axes | None = None, *, name: str | None = None, **line: Any) -> Self:
        """Draw, on new axes where none are given."""
        axes, x = self._axes(ax), np.array([one.predicted for one in self.bins])
        turn = self._turn(axes, "Satisfaction answered against predicted")
        own = self._model_style(turn, name or self.name, {})
        colour, whose = own["color"], f", {own['label']}" if turn or name or self.name else ""
        answered = np.array([one.observed for one in self.bins])
        error = [one.observed - one.low for one in self.bins]
        axes.plot([0, 100], [0, 100], color=GREY, lw=1, ls="--", label="perfect")
        axes.vlines(
            x, self.middle[:, 0], self.middle[:, 1], color=colour, lw=6, alpha=0.2,
            label=f"middle half of the answers{whose}",
        )  # fmt: skip
        bottom, top = self.middle.min(), self.middle.max()
        if self.interval is not None:
            for end, label in ((0, f"90 % prediction interval{whose}"), (1, None)):
                shade = colour if turn else ORANGE
                axes.plot(x, self.interval[:, end], color=shade, lw=1, ls=":", label=label)
            bottom, top = min(bottom, self.interval.min()), max(top, self.interval.max())
        style: dict[str, Any] = {
            "color": colour,
            "fmt": "o-",
            "label": f"mean answer, {INTERVAL}{whose}",
        } | line
        axes.errorbar(x, answered, error, **style)
        axes.set(xlabel="predicted satisfaction (0 to 100)", ylabel="satisfaction answered")
        left, right, low, high = x.min() - 3, x.max() + 3, bottom - 5, min(top + 5, 103)
        if turn:
            (first, last), (least, most) = axes.get_xlim(), axes.get_ylim()
            left, right = min(left, first), max(right, last)
            low, high = min(low, least), max(high, most)
        axes.set(xlim=(left, right), ylim=(low, high))
        ticks = axes.get_yticks()
        axes.set_yticks(ticks[(ticks >= max(low, 0)) & (ticks <= 100)])
        # Below the axes, one name a line: two models' names are wider than the axes.
        self._legend(axes, loc="upper left", bbox_to_anchor=(0, -0.16), fontsize="small")
        return self


def _means(ends: tuple[Floats, Floats], parts: list[NDArray[np.int64]]) -> Floats:
    return np.array([[end[part].mean() for end in ends] for part in parts])
