"""Predicted probabilities against how often it happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from churnml.metrics.displays.style import BLUE, GREY, axes_for
from churnml.metrics.reliability import Bin, reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ReliabilityDisplay:
    """Reliability by bins of equally many rows, with 95 % intervals over customers.

    scikit-learn's ``CalibrationDisplay`` draws the same points without intervals.

    Parameters
    ----------
    bins : list of Bin
    name : str, optional

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> shown = ReliabilityDisplay.from_predictions([0, 0, 1, 1], [.1, .1, .8, .8], bins=2)
    >>> [one.observed for one in shown.bins]
    [0.0, 1.0]
    """

    def __init__(self, *, bins: list[Bin], name: str | None = None) -> None:
        self.bins, self.name = bins, name

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_prob: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        bins: int = 10,
        name: str | None = None,
        ax: Axes | None = None,
        **line: Any,
    ) -> Self:
        """Draw the reliability of probabilities; ``groups`` is the customer of each row."""
        found = reliability(y_true, y_prob, groups, bins=bins)
        return cls(bins=found, name=name).plot(ax, **line)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: ArrayLike, **options: Any) -> Self:
        """Draw a classifier's reliability; options as of `from_predictions`."""
        return cls.from_predictions(y, estimator.predict_proba(X)[:, 1], **options)

    def plot(self, ax: Axes | None = None, *, name: str | None = None, **line: Any) -> Self:
        """Draw, on new axes where none are given."""
        axes = axes_for(self, ax)
        predicted = np.array([one.predicted for one in self.bins])
        low, high = (np.array([getattr(one, end) for one in self.bins]) for end in ("low", "high"))
        top = 1.05 * max(predicted.max(), high.max(), 1e-6)
        axes.plot([0, top], [0, top], color=GREY, lw=1, ls="--", label="perfect")
        axes.vlines(predicted, low, high, color=BLUE, lw=1.5, alpha=0.6, label="95 % interval")
        style: dict[str, Any] = {
            "color": BLUE,
            "marker": "o",
            "label": name or self.name or "model",
        } | line
        (self.line_,) = axes.plot(predicted, [one.observed for one in self.bins], **style)
        axes.set(xlabel="predicted probability", ylabel="share to whom it happened")
        axes.set(xlim=(0, top), ylim=(0, top))
        axes.legend(loc="upper left", frameon=False)
        return self
