"""Profit of a campaign by the share of customers contacted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from numpy.typing import ArrayLike

from churnml.config.settings import Costs
from churnml.metrics.displays.style import GREY, ORANGE, Display, leaving
from churnml.metrics.intervals import INTERVAL
from churnml.metrics.profit_curve import ProfitCurve, profit_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ProfitDisplay(Display):
    """Profit against the share contacted, with its 95 % interval and the best share.

    Parameters
    ----------
    curve : ProfitCurve
    name : str, optional

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> shown = ProfitDisplay.from_predictions([1, 0, 0, 0], [.9, .1, .2, .1], value=1_000.0)
    >>> shown.curve.best_share.value
    0.25
    """

    def __init__(self, *, curve: ProfitCurve, name: str | None = None) -> None:
        self.curve, self.name = curve, name

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_prob: ArrayLike,
        *,
        value: ArrayLike,
        costs: Costs | None = None,
        groups: ArrayLike | None = None,
        name: str | None = None,
        ax: Axes | None = None,
        **line: Any,
    ) -> Self:
        """Draw the profit of probabilities; ``value`` is what keeping each is worth, yuan."""
        curve = profit_curve(y_true, y_prob, value, groups, costs=costs)
        return cls(curve=curve, name=name).plot(ax, **line)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: ArrayLike, **options: Any) -> Self:
        """Draw the profit of a classifier; options as of `from_predictions`."""
        return cls.from_predictions(y, leaving(estimator, X), **options)

    def plot(self, ax: Axes | None = None, *, name: str | None = None, **line: Any) -> Self:
        """Draw, on new axes where none are given."""
        axes, curve = self._axes(ax), self.curve
        turn = self._turn(axes, "Profit of a campaign")
        style = {"lw": 2} | self._model_style(turn, name or self.name, line)
        colour = style["color"]
        axes.fill_between(
            curve.share, curve.low, curve.high, color=colour, alpha=0.15, lw=0, label=INTERVAL
        )
        # The best share lies between two steps of the curve.
        points = dict(zip(curve.share, curve.profit, strict=True))
        points[curve.best_share.value] = curve.maximum.value
        (self.line_,) = axes.plot(sorted(points), [points[at] for at in sorted(points)], **style)
        axes.plot([0, 1], [0, curve.everybody], color=GREY, lw=1, ls="--", label="at random")
        best = curve.best_share
        axes.axvspan(best.low, best.high, color=colour if turn else ORANGE, alpha=0.12, lw=0)
        axes.plot(
            [best.value],
            [curve.maximum.value],
            "o",
            color=colour if turn else ORANGE,
            label=f"best share, {INTERVAL}",
        )
        height = max(max(curve.high), 1e-6)
        # Contacting everybody may lose so much that nothing else would be seen.
        bottom = max(min(curve.low), -1.2 * height)
        sunk = [at for at, most in zip(curve.share, curve.high, strict=True) if most < bottom]
        widest = max(min(sunk, default=1.0), 0.1)
        right = best.value > widest / 2
        bottom, widest, top = _with_earlier(axes, turn, bottom, widest, 1.55 * height)
        axes.annotate(
            f"{curve.maximum.value:,.1f} yuan per customer, contacting {100 * best.value:.1f} %",
            (best.value, curve.maximum.value),
            (-8 if right else 8, 8 + 14 * turn),
            color=colour if turn else None,
            textcoords="offset points",
            ha="right" if right else "left",
        )
        axes.set(xlabel="share of customers contacted, most promising first")
        axes.set(ylabel="profit, yuan per customer of the base")
        # Room above for the legend, wherever the best share lies.
        axes.set(xlim=(0, widest), ylim=(bottom, top))
        self._legend(axes, loc="upper right", ncols=2, fontsize="small")
        return self


def _with_earlier(
    axes: Axes, turn: int, bottom: float, widest: float, top: float
) -> tuple[float, float, float]:
    """Limits that hold the models drawn before too."""
    if not turn:
        return bottom, widest, top
    (low, high), (_, right) = axes.get_ylim(), axes.get_xlim()
    return min(bottom, low), max(widest, right), max(top, high)
