"""Which columns move the scores, and which drivers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from churnml.metrics.displays.style import driver_colour, panels, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def importance(
    values: Mapping[str, float], drivers: Mapping[str, str] | None = None, *, top: int = 20
) -> Figure:
    """Draw the columns that move the scores most and, where there are drivers, their sums.

    Parameters
    ----------
    values : mapping of str to float
        By column, at least 0.
    drivers : mapping of str to str, optional
        The driver group of each column; empty for none.
    top : int, default 20
        How many columns are shown.

    Returns
    -------
    Figure
    """
    drivers = drivers or {}
    total = sum(values.values()) or 1.0
    sums: dict[str, float] = defaultdict(float)
    for name, value in values.items():
        sums[drivers.get(name) or "other"] += value / total
    ranked_drivers = sorted(sums, key=lambda name: (-sums[name], name))
    colours = {name: driver_colour(name) for name in ranked_drivers}
    shown = sorted(values, key=lambda name: (-values[name], name))[:top][::-1]
    widths = (3, 2) if any(drivers.values()) else (1,)
    figure, (left, *right) = panels((10, 2.2 + 0.22 * len(shown)), widths=widths)
    bars = [colours[drivers.get(name) or "other"] for name in shown]
    left.barh([short(name) for name in shown], [values[n] / total for n in shown], color=bars)
    left.set(title="Columns", xlabel="share of all contributions")
    for axes in right:
        names = ranked_drivers[::-1]
        axes.barh(names, [sums[name] for name in names], color=[colours[name] for name in names])
        axes.set(title="Drivers", xlabel="share of all contributions")
    return figure
