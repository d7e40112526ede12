"""Predicted satisfaction against the answers given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.metrics.check_arrays import check_answers, check_interval, check_pair
from churnml.metrics.check_options import check_whole
from churnml.metrics.displays.style import BLUE, GREY, ORANGE, axes_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]


class SatisfactionDisplay:
    """Mean answers by groups of similar prediction, with the intervals that were foretold.

    Parameters
    ----------
    predicted, answered, error : array, shape (k,)
        Of each group: mean prediction, mean answer, half the answer's 95 % interval.
    middle : array, shape (k, 2)
        The middle half of each group's answers.
    interval : array, shape (k, 2), optional
        The mean ends of the intervals foretold.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> shown = SatisfactionDisplay.from_predictions([60, 80, 70, 90], [65, 75, 65, 85], bins=2)
    >>> shown.answered.tolist()
    [65.0, 85.0]
    """

    def __init__(
        self,
        *,
        predicted: Floats,
        answered: Floats,
        error: Floats,
        middle: Floats,
        interval: Floats | None = None,
    ) -> None:
        self.predicted, self.answered, self.error = predicted, answered, error
        self.middle, self.interval = middle, interval

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        interval: tuple[ArrayLike, ArrayLike] | None = None,
        bins: int = 10,
        ax: Axes | None = None,
        **line: Any,
    ) -> Self:
        """Draw answers from 0 to 100 against their predictions."""
        answers, told = check_pair(check_answers(y_true), y_pred)
        order = np.argsort(told, kind="stable")
        parts = np.array_split(order, check_whole("bins", bins))
        groups = [part for part in parts if part.size]
        deviation = [answers[part].std(ddof=int(part.size > 1)) for part in groups]
        shown = cls(
            predicted=np.array([told[part].mean() for part in groups]),
            answered=np.array([answers[part].mean() for part in groups]),
            error=1.96 * np.array(deviation) / np.sqrt([part.size for part in groups]),
            middle=np.array([np.quantile(answers[part], [0.25, 0.75]) for part in groups]),
            interval=None
            if interval is None
            else _means(check_interval(interval, answers.size), groups),
        )
        return shown.plot(ax, **line)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: ArrayLike, **options: Any) -> Self:
        """Draw a satisfaction estimator with its intervals."""
        shown = {"interval": estimator.predict_interval(X)} | options
        return cls.from_predictions(y, estimator.predict(X), **shown)

    def plot(self, ax: Axes | None = None, **line: Any) -> Self:
        """Draw, on new axes where none are given."""
        axes, x = axes_for(self, ax), self.predicted
        axes.plot([0, 100], [0, 100], color=GREY, lw=1, ls="--", label="perfect")
        axes.vlines(
            x, self.middle[:, 0], self.middle[:, 1], color=BLUE, lw=6, alpha=0.2,
            label="middle half of the answers",
        )  # fmt: skip
        bottom, top = self.middle.min(), self.middle.max()
        if self.interval is not None:
            for end, label in ((0, "90 % interval foretold"), (1, None)):
                axes.plot(x, self.interval[:, end], color=ORANGE, lw=1, ls=":", label=label)
            bottom, top = min(bottom, self.interval.min()), max(top, self.interval.max())
        style: dict[str, Any] = {
            "color": BLUE,
            "fmt": "o-",
            "label": "mean answer, 95 % interval",
        } | line
        axes.errorbar(x, self.answered, self.error, **style)
        axes.set(xlabel="predicted satisfaction (0 to 100)", ylabel="satisfaction answered")
        axes.set(xlim=(x.min() - 3, x.max() + 3), ylim=(bottom - 5, min(top + 12, 118)))
        axes.legend(loc="upper left", frameon=False, ncols=2, fontsize="small")
        return self


def _means(ends: tuple[Floats, Floats], groups: list[NDArray[np.int64]]) -> Floats:
    return np.array([[end[part].mean() for end in ends] for part in groups])
