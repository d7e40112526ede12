"""Cumulative gains: the share of leavers among the customers with the highest scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.metrics.check_arrays import check_binary
from churnml.metrics.displays.style import GREY, Display, leaving

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_RISKIEST = 0.1


class GainsDisplay(Display):
    """Cumulative gains: share of leavers reached against share of customers contacted.

    Parameters
    ----------
    share, found : array, shape (k,)
        Of customers, and of all leavers; from 0 to 1.
    rate : float
        Of all customers, the share that left.
    name : str, optional

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> shown = GainsDisplay.from_predictions([0, 1, 0, 1], [0.1, 0.9, 0.3, 0.2])
    >>> shown.found.tolist()
    [0.0, 0.5, 0.5, 1.0, 1.0]
    """

    def __init__(
        self,
        *,
        share: NDArray[np.float64],
        found: NDArray[np.float64],
        rate: float,
        name: str | None = None,
    ) -> None:
        self.share, self.found, self.rate, self.name = share, found, rate, name

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_score: ArrayLike,
        *,
        name: str | None = None,
        ax: Axes | None = None,
        **line: Any,
    ) -> Self:
        """Draw the gains of scores; customers with equal scores are kept together."""
        labels, scores = check_binary(y_true, y_score)
        order = np.argsort(-scores, kind="stable")
        falling = scores[order]
        ends = np.flatnonzero(np.r_[falling[1:] != falling[:-1], True])
        reached = np.cumsum(labels[order])[ends] / max(labels.sum(), 1)
        shown = cls(
            share=np.r_[0.0, (ends + 1) / labels.size],
            found=np.r_[0.0, reached],
            rate=float(labels.mean()),
            name=name,
        )
        return shown.plot(ax, **line)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: ArrayLike, **options: Any) -> Self:
        """Draw the gains of a classifier's probabilities; options as of `from_predictions`."""
        return cls.from_predictions(y, leaving(estimator, X), **options)

    def plot(self, ax: Axes | None = None, *, name: str | None = None, **line: Any) -> Self:
        """Draw, on new axes where none are given."""
        axes = self._axes(ax)
        turn = self._turn(axes, "Gains")
        style = {"lw": 2} | self._model_style(turn, name or self.name, line)
        (self.line_,) = axes.plot(self.share, self.found, **style)
        axes.plot([0, self.rate, 1], [0, 1, 1], color=GREY, lw=1, ls=":", label="perfect")
        axes.plot([0, 1], [0, 1], color=GREY, lw=1, ls="--", label="at random")
        at = float(np.interp(_RISKIEST, self.share, self.found))
        self.line_.set_label(
            f"{style['label']}: {100 * at:.0f} % of leavers in the riskiest {100 * _RISKIEST:.0f} %"
        )
        axes.scatter(_RISKIEST, at, color=style["color"])
        axes.set(xlabel="share of customers, riskiest first", ylabel="share of all leavers")
        axes.set(xlim=(0, 1), ylim=(0, 1.02))
        self._legend(axes, loc="lower right", fontsize="small")
        return self
