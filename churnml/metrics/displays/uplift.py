"""What treating the first customers of a ranking brings, and the effect in each fifth of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from churnml.metrics.displays.style import GREY, ORANGE, Display
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
        best = int(np.argmax(curve.kept))
        told = f"Treating {curve.share[best]:.0%} keeps {curve.kept[best]:.1f} of 1,000 customers"
        turn = self._turn(axes, told)
        if turn == 1 and axes.get_title().startswith("Treating "):
            axes.set_title("Customers kept, by the share that is treated")
        whose = name or self.name or (None if turn else "by the effect")
        style = {"lw": 2} | self._model_style(turn, whose, line)
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
        axes.set(
            xlabel="share of customers treated", ylabel="customers kept per 1,000", xlim=(0, 1)
        )
        self._legend(axes, loc="best")
        return self


class FifthsDisplay(Display):
    """The effect that was seen in each fifth of the predicted effect.

    Parameters
    ----------
    fifths : sequence of Fifth
    name : str, optional

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> shown = FifthsDisplay.from_scores([-1.0, -1.0, 1.0, 1.0], [0, 0, 1, 1])
    >>> [one.effect.value for one in shown.fifths]
    [-1.0, 1.0]
    """

    def __init__(self, *, fifths: Sequence[Fifth], name: str | None = None) -> None:
        self.fifths, self.name = fifths, name

    @classmethod
    def from_scores(
        cls,
        scores: ArrayLike,
        predicted: ArrayLike,
        groups: ArrayLike | None = None,
        *,
        name: str | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the fifths of doubly robust scores by the predicted effect."""
        return cls(fifths=effects_by_fifth(scores, predicted, groups), name=name).plot(ax)

    def plot(self, ax: Axes | None = None, *, name: str | None = None) -> Self:
        """Draw, on new axes where none are given; further models a little to the right."""
        axes, fifths = self._axes(ax), [one.place for one in self.fifths]
        seen = np.array([100 * one.effect.value for one in self.fifths])
        ends = [
            seen - [100 * one.effect.low for one in self.fifths],
            np.array([100 * one.effect.high for one in self.fifths]) - seen,
        ]
        turn = self._turn(axes, f"First fifth {seen[0]:+.1f} points, last fifth {seen[-1]:+.1f}")
        if turn == 1 and axes.get_title().startswith("First fifth "):
            axes.set_title("Effect by fifths of the predicted effect")
        places = np.array(fifths) + 0.1 * turn
        own = self._model_style(turn, name or self.name, {})
        whose = f", {own['label']}" if turn or name or self.name else ""
        mark = {"fmt": "o", "color": own["color"], "capsize": 3, "label": f"seen{whose}"}
        axes.errorbar(places, seen, yerr=ends, **mark)
        told = [100 * one.predicted for one in self.fifths]
        shade = own["color"] if turn else ORANGE
        axes.plot(places, told, color=shade, marker="_", ls="", ms=14, label=f"predicted{whose}")
        axes.axhline(0, color=GREY, lw=0.5)
        axes.set(
            xlabel="fifth of the predicted effect, those kept most first",
            ylabel="change of the share that leaves, points",
            xticks=fifths,
        )
        self._legend(axes, loc="best")
        return self
