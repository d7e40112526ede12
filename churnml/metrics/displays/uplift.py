"""What treating the first customers of a ranking brings, and the effect in each fifth of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from churnml.metrics.displays.style import BLUE, GREY, ORANGE, Display
from churnml.metrics.effects import Fifth, GainCurve, effects_by_fifth, gain_curve
from churnml.metrics.intervals import INTERVAL

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class UpliftDisplay(Display):
    """Customers kept per 1,000 of the base, by the share that is treated.

    Parameters
    ----------
    curve : GainCurve
    name : str, optional

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> shown = UpliftDisplay.from_scores([-0.5, -0.5, 0.0, 0.0], [4, 3, 2, 1], draws=20)
    >>> float(shown.curve.kept[-1])
    250.0
    """

    def __init__(self, *, curve: GainCurve, name: str | None = None) -> None:
        self.curve, self.name = curve, name

    @classmethod
    def from_scores(
        cls,
        scores: ArrayLike,
        priority: ArrayLike,
        groups: ArrayLike | None = None,
        *,
        draws: int = 200,
        name: str | None = None,
        ax: Axes | None = None,
        **line: Any,
    ) -> Self:
        """Draw the curve of doubly robust scores in the order of a priority."""
        curve = gain_curve(scores, priority, groups, draws=draws)
        return cls(curve=curve, name=name).plot(ax, **line)

    def plot(self, ax: Axes | None = None, *, name: str | None = None, **line: Any) -> Self:
        """Draw, on new axes where none are given."""
        axes, curve = self._axes(ax), self.curve
        style: dict[str, Any] = {
            "color": BLUE,
            "lw": 2,
            "label": name or self.name or "by the effect",
        } | line
        (self.line_,) = axes.plot(curve.share, curve.kept, **style)
        axes.fill_between(
            curve.share,
            curve.low,
            curve.high,
            color=style["color"],
            alpha=0.15,
            lw=0,
            label=INTERVAL,
        )
        axes.plot([0, 1], [0, curve.kept[-1]], color=GREY, lw=1, ls="--", label="at random")
        axes.axhline(0, color=GREY, lw=0.5)
        best = int(np.argmax(curve.kept))
        axes.set_title(
            f"Treating {curve.share[best]:.0%} keeps {curve.kept[best]:.1f} of 1,000 customers"
        )
        axes.set(
            xlabel="share of customers treated", ylabel="customers kept per 1,000", xlim=(0, 1)
        )
        axes.legend(loc="best", frameon=False)
        return self


class FifthsDisplay(Display):
    """The effect that was seen in each fifth of the predicted effect.

    Parameters
    ----------
    fifths : sequence of Fifth

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> shown = FifthsDisplay.from_scores([-1.0, -1.0, 1.0, 1.0], [0, 0, 1, 1])
    >>> [one.effect.value for one in shown.fifths]
    [-1.0, 1.0]
    """

    def __init__(self, *, fifths: Sequence[Fifth]) -> None:
        self.fifths = fifths

    @classmethod
    def from_scores(
        cls,
        scores: ArrayLike,
        predicted: ArrayLike,
        groups: ArrayLike | None = None,
        *,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the fifths of doubly robust scores by the predicted effect."""
        return cls(fifths=effects_by_fifth(scores, predicted, groups)).plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw, on new axes where none are given."""
        axes, places = self._axes(ax), [one.place for one in self.fifths]
        seen = np.array([100 * one.effect.value for one in self.fifths])
        ends = [
            seen - [100 * one.effect.low for one in self.fifths],
            np.array([100 * one.effect.high for one in self.fifths]) - seen,
        ]
        axes.errorbar(places, seen, yerr=ends, fmt="o", color=BLUE, capsize=3, label="seen")
        told = [100 * one.predicted for one in self.fifths]
        axes.plot(places, told, color=ORANGE, marker="_", ls="", ms=14, label="predicted")
        axes.axhline(0, color=GREY, lw=0.5)
        axes.set_title(f"First fifth {seen[0]:+.1f} points, last fifth {seen[-1]:+.1f}")
        axes.set(
            xlabel="fifth of the predicted effect, those kept most first",
            ylabel="change of the share that leaves, points",
            xticks=places,
        )
        axes.legend(loc="best", frameon=False)
        return self
