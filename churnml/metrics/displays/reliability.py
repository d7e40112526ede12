"""Predicted against observed, in bins of similar predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from churnml.metrics.displays.style import GREY, Display, leaving
from churnml.metrics.intervals import INTERVAL
from churnml.metrics.reliability import Bin, reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PROBABILITIES = ("predicted probability", "share to whom it happened")


class ReliabilityDisplay(Display):
    """Reliability by bins of equally many rows, with 95 % intervals over customers.

    scikit-learn's ``CalibrationDisplay`` draws the same points without intervals.

    Parameters
    ----------
    bins : list of Bin
    name : str, optional
    labels : (str, str), optional
        Of the two axes, with units: what was predicted, and what was observed.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> shown = ReliabilityDisplay.from_predictions([0, 0, 1, 1], [.1, .1, .8, .8], bins=2)
    >>> [one.observed for one in shown.bins]
    [0.0, 1.0]
    """

    def __init__(
        self,
        *,
        bins: Sequence[Bin],
        name: str | None = None,
        labels: tuple[str, str] = PROBABILITIES,
    ) -> None:
        self.bins, self.name, self.labels = bins, name, labels

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_prob: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        bins: int = 10,
        name: str | None = None,
        labels: tuple[str, str] = PROBABILITIES,
        ax: Axes | None = None,
        **line: Any,
    ) -> Self:
        """Draw the reliability of probabilities; ``groups`` is the customer of each row."""
        bins_found = reliability(y_true, y_prob, groups, bins=bins)
        return cls(bins=bins_found, name=name, labels=labels).plot(ax, **line)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: ArrayLike, **options: Any) -> Self:
        """Draw a classifier's reliability; options as of `from_predictions`."""
        return cls.from_predictions(y, leaving(estimator, X), **options)

    def plot(self, ax: Axes | None = None, *, name: str | None = None, **line: Any) -> Self:
        """Draw, on new axes where none are given."""
        axes = self._axes(ax)
        names = ("predicted", "observed", "low", "high")
        predicted, observed, low, high = (
            np.array([getattr(one, name) for one in self.bins]) for name in names
        )
        least, most = min(predicted.min(), low.min()), max(predicted.max(), high.max())
        margin = 0.05 * max(most - least, 1e-6)
        ends = max(least - margin, 0.0), most + margin
        turn = self._turn(axes, "Reliability")
        if turn:
            before = axes.get_xlim()
            ends = min(ends[0], before[0]), max(ends[1], before[1])
        own: dict[str, Any] = {"marker": "o", "clip_on": False}
        style = own | self._model_style(turn, name or self.name, line)
        axes.plot(ends, ends, color=GREY, lw=1, ls="--", label="perfect")
        axes.vlines(predicted, low, high, color=style["color"], lw=1.5, alpha=0.6, label=INTERVAL)
        (self.line_,) = axes.plot(predicted, observed, **style)
        axes.set(xlabel=self.labels[0], ylabel=self.labels[1], xlim=ends, ylim=ends)
        axes.locator_params(nbins=5)
        self._legend(axes, loc="upper left")
        return self
