"""The mean of an outcome or a score by group of customers, with intervals and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from churnml.metrics.displays.style import BLUE, GREY, ORANGE, Display, short, show_chinese
from churnml.metrics.intervals import INTERVAL, normal_quantile, wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ORDER = (
    *("standard", "silver", "gold", "diamond"),
    *("C", "B", "A"),
    *("low", "medium", "high", "critical"),
)
"""Tiers and risk bands from the lowest up: groups of these names stand in this order."""


class GroupsDisplay(Display):
    """Draw a mean by group, each with its 95 % interval and its number of rows.

    Parameters
    ----------
    means : DataFrame
        ``mean``, ``low``, ``high`` and ``n`` by group, in the order to be drawn.
    whole : float
        The mean of all, a dashed line.
    percent : bool
        Whether the values are shares, shown in per cent.
    title, label : str
        Of the figure and of its horizontal axis.
    dashed : str
        What the dashed line is, where it is not the mean of all.
    target : float, optional
        What is aimed at, an orange line.

    Attributes
    ----------
    ax_, figure_ : Axes, Figure

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> shown = GroupsDisplay.from_values([0, 1, 0, 0], ["silver", "gold", "gold", "silver"])
    >>> shown.means["mean"].to_dict()
    {'silver': 0.0, 'gold': 0.5}
    """

    def __init__(
        self,
        *,
        means: pd.DataFrame,
        whole: float,
        percent: bool,
        title: str = "Mean by group",
        label: str = "",
        dashed: str = "all",
        target: float | None = None,
    ) -> None:
        self.means, self.whole, self.percent = means, whole, percent
        self.title, self.label = title, label
        self.dashed, self.target = dashed, target

    @classmethod
    def from_values(
        cls,
        values: ArrayLike,
        groups: ArrayLike,
        *,
        order: Sequence[Any] = (),
        names: Mapping[Any, str] | None = None,
        title: str = "Mean by group",
        label: str = "",
        ax: Axes | None = None,
    ) -> Self:
        """Draw the mean of values by group.

        Parameters
        ----------
        values : array of shape (n,)
            Outcomes of 0 and 1, probabilities, or anything else that has a mean.
        groups : array of shape (n,)
            The group of each row; rows without one are left out.
        order : sequence, optional
            Of the groups, the first on top; by default tiers and risk bands from the lowest up,
            then others as they sort.
        names : mapping, optional
            Of groups to what the figure calls them.
        title, label : str
            Of the figure and of its horizontal axis.
        """
        frame = pd.DataFrame(
            {"value": np.asarray(values, float), "group": np.asarray(groups, object)}
        ).dropna()
        percent = bool(frame["value"].between(0, 1).all())
        counted = frame.groupby("group", sort=False)["value"].agg(["mean", "std", "count"])
        places = {one: at for at, one in enumerate(order or ORDER)}
        ranked = sorted(counted.index, key=lambda one: (places.get(one, len(places)), str(one)))
        counted = counted.loc[ranked]
        binary = bool(frame["value"].isin([0.0, 1.0]).all())
        low, high = _ends(counted, binary=binary)
        means = pd.DataFrame(
            {"mean": counted["mean"], "low": low, "high": high, "n": counted["count"]}
        ).rename_axis(None)
        if names is not None:
            means = means.rename(index=dict(names))
        whole = float(frame["value"].mean())
        return cls(means=means, whole=whole, percent=percent, title=title, label=label).plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw, on new axes where none are given."""
        axes = self._axes(ax)
        self._turn(axes, self.title)
        times = 100 if self.percent else 1
        at = np.arange(len(self.means))
        axes.hlines(at, times * self.means["low"], times * self.means["high"], color=BLUE, lw=2)
        axes.plot(times * self.means["mean"], at, "o", color=BLUE)
        axes.axvline(times * self.whole, color=GREY, ls="--", lw=1)
        if self.target is not None:
            axes.axvline(times * self.target, color=ORANGE, lw=1.5)
        if self.means["low"].min() < 0:
            axes.axvline(0, color=GREY, lw=0.8)
        rows = zip(self.means.index, self.means["n"], strict=True)
        axes.set_yticks(at, [f"{short(str(name))}  (n = {count:,})" for name, count in rows])
        axes.set_ylim(len(at) - 0.5, -0.5)
        unit = self.label or ("%" if self.percent else "mean")
        lines = f"dashed: {self.dashed}{'' if self.target is None else ', orange: the target'}"
        axes.set_xlabel(f"{unit}; {INTERVAL}, {lines}")
        show_chinese(axes)
        return self


def _ends(
    counted: pd.DataFrame, *, binary: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean, count = counted["mean"].to_numpy(float), counted["count"].to_numpy(float)
    if binary:
        return wilson(mean, count)
    half = normal_quantile() * counted["std"].to_numpy(float) / np.sqrt(count)
    return mean - half, mean + half
