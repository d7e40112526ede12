"""Draw a measure by slice of customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from churnml.metrics.bootstrap import Estimate
from churnml.metrics.displays.style import BLUE, ORANGE, panels, short
from churnml.metrics.intervals import INTERVAL

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class DrawnSlice(Protocol):
    """The attributes of a slice that a figure shows."""

    @property
    def column(self) -> str:
        """The column that defines the slice."""

    @property
    def value(self) -> str:
        """The column's value in the slice."""

    @property
    def metrics(self) -> Mapping[str, Estimate]:
        """The slice's measures; empty where it is too small."""

    @property
    def worse(self) -> bool:
        """Whether the model is significantly worse for them."""


def slices(
    rows: Sequence[DrawnSlice], measure: str, label: str, *, title: str = "Slices"
) -> Figure:
    """Draw a measure by slice with its 95 % interval; those significantly worse stand out.

    Parameters
    ----------
    rows : sequence of DrawnSlice
        Those too small to be measured are left out.
    measure : str
        ``auc``, ``mae``, ...
    label : str
        Of the horizontal axis, with the unit.
    title : str, default "Slices"
    """
    shown = [one for one in rows if measure in one.metrics][::-1]
    figure, (axes,) = panels((7.6, 1.6 + 0.24 * len(shown)), widths=(1,))
    for at, one in enumerate(shown):
        estimate, colour = one.metrics[measure], ORANGE if one.worse else BLUE
        axes.hlines(at, estimate.low, estimate.high, color=colour, lw=2)
        axes.plot(estimate.value, at, "D" if one.worse else "o", color=colour)
    axes.set_yticks(range(len(shown)), [short(f"{one.column} = {one.value}") for one in shown])
    axes.set_title(f"{title}\nthe worst above, diamonds significantly worse")
    axes.set_xlabel(f"{label}, {INTERVAL}")
    return figure
