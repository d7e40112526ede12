"""The figures that a training leaves behind, drawn from held-out rows.

Every function takes plain arrays and returns a matplotlib figure that belongs to no
window. Colours are those of Okabe and Ito, which colour-blind people can tell apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from churnml.errors import UsageError
from churnml.metrics.balance import CLEAR, COMMON
from churnml.metrics.displays.panels import BLUE, GREY, ORANGE, driver_colour, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from churnml.evaluation.slices import Slice
    from churnml.metrics.profit_curve import ProfitCurve

_Z90 = 1.6449


def gains(
    left: ArrayLike, scores: ArrayLike, *, title: str = "Gains on held-out customers"
) -> Figure:
    """Of all who left, the share among the customers with the highest scores.

    Parameters
    ----------
    left : array, shape (n,)
        1 for who left, 0 for who stayed; some of each.
    scores : array, shape (n,)
        Higher means likelier to leave.
    title : str, optional

    Returns
    -------
    Figure
        Against the share of customers contacted; the diagonal is contacting at random.

    Examples
    --------
    >>> figure = gains([0, 1, 0, 1], [0.1, 0.9, 0.3, 0.2])
    >>> figure.axes[0].get_lines()[0].get_ydata()
    array([0. , 0.5, 0.5, 1. , 1. ])
    """
    left, scores = _arrays(left, scores)
    order = np.argsort(-scores, kind="stable")
    found = np.concatenate([[0], np.cumsum(left[order])]) / max(left.sum(), 1)
    share = np.linspace(0, 1, found.size)
    figure, axes = _figure(title)
    axes.plot(share, found, color=BLUE, lw=2, label="model")
    rate = left.mean()
    axes.plot([0, rate, 1], [0, 1, 1], color=GREY, lw=1, ls=":", label="perfect")
    axes.plot([0, 1], [0, 1], color=GREY, lw=1, ls="--", label="at random")
    at = min(round(0.1 * left.size), left.size)
    axes.annotate(
        f"the riskiest 10 % hold {100 * found[at]:.0f} % of the leavers",
        (share[at], found[at]),
        (0.3, 0.25),
        arrowprops={"arrowstyle": "-", "color": GREY},
    )
    axes.set(xlabel="share of customers, riskiest first", ylabel="share of all leavers")
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(loc="lower right", frameon=False)
    return figure


def calibration(left: ArrayLike, probability: ArrayLike, *, bins: int = 10) -> Figure:
    """Predicted probabilities against how many left, in groups of equal size.

    Parameters
    ----------
    left : array, shape (n,)
        1 for who left, 0 for who stayed.
    probability : array, shape (n,)
    bins : int, default 10

    Returns
    -------
    Figure
        Vertical lines are 90 % intervals (Wilson) of each group's share.
    """
    left, probability = _arrays(left, probability)
    groups = _equal_groups(probability, bins)
    predicted = np.array([probability[group].mean() for group in groups])
    observed = np.array([left[group].mean() for group in groups])
    low, high = _wilson(observed, np.array([group.size for group in groups]))
    figure, axes = _figure("Calibration on held-out customers")
    top = 1.05 * max(predicted.max(), high.max(), 1e-6)
    axes.plot([0, top], [0, top], color=GREY, lw=1, ls="--", label="perfect")
    axes.vlines(predicted, low, high, color=BLUE, lw=1.5, alpha=0.6)
    axes.plot(predicted, observed, "o-", color=BLUE, label="model")
    axes.set(xlabel="predicted probability of leaving", ylabel="share that left")
    axes.set(xlim=(0, top), ylim=(0, top))
    axes.legend(loc="upper left", frameon=False)
    return figure


def reliability(
    groups: Sequence[Mapping[str, float]], *, title: str, axes: tuple[str, str]
) -> Figure:
    """Predicted against observed means of groups, as a model keeps them of its test.

    Parameters
    ----------
    groups : sequence of mapping
        ``predicted``, ``observed`` and the ends of its interval, ``low`` and ``high``.
    title : str
    axes : (str, str)
        What is predicted, and what was observed, with units.

    Returns
    -------
    Figure
        Vertical lines are the intervals; the diagonal is perfect.
    """
    ends = ("predicted", "observed", "low", "high")
    predicted, observed, low, high = (np.array([one[name] for one in groups]) for name in ends)
    figure, plot = _figure(title)
    edges = np.array([min(predicted.min(), low.min()), max(predicted.max(), high.max())])
    margin = 0.05 * max(float(np.ptp(edges)), 1e-6)
    start, end = max(edges[0] - margin, 0.0), edges[1] + margin
    plot.plot([start, end], [start, end], color=GREY, lw=1, ls="--", label="perfect")
    plot.vlines(predicted, low, high, color=BLUE, lw=1.5, alpha=0.6, label="95 % interval")
    plot.plot(predicted, observed, "o-", color=BLUE, label="model")
    plot.set(xlabel=axes[0], ylabel=axes[1], xlim=(start, end), ylim=(start, end))
    plot.legend(loc="upper left", frameon=False)
    return figure


def importance(
    values: Mapping[str, float], drivers: Mapping[str, str] | None = None, *, top: int = 20
) -> Figure:
    """The columns that move the scores most and, where there are drivers, their sums.

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
    left.barh([_short(name) for name in shown], [values[n] / total for n in shown], color=bars)
    left.set(title="Columns", xlabel="share of all contributions")
    for axes in right:
        names = ranked_drivers[::-1]
        axes.barh(names, [sums[name] for name in names], color=[colours[name] for name in names])
        axes.set(title="Drivers", xlabel="share of all contributions")
    return figure


def score_against_actual(actual: ArrayLike, predicted: ArrayLike, *, bins: int = 10) -> Figure:
    """Predicted satisfaction against the answers given, in groups of equal size.

    Parameters
    ----------
    actual, predicted : array, shape (n,)
        From 0 to 100.
    bins : int, default 10

    Returns
    -------
    Figure
        Each group's mean answer with its 90 % interval, and the middle half of its answers.
    """
    actual, predicted = _arrays(actual, predicted)
    groups = _equal_groups(predicted, bins)
    x = np.array([predicted[group].mean() for group in groups])
    y = np.array([actual[group].mean() for group in groups])
    error = np.array([_Z90 * actual[g].std(ddof=g.size > 1) / np.sqrt(g.size) for g in groups])
    half = np.array([np.quantile(actual[group], [0.25, 0.75]) for group in groups])
    figure, axes = _figure("Satisfaction, predicted and answered, on held-out customers")
    axes.plot([0, 100], [0, 100], color=GREY, lw=1, ls="--", label="perfect")
    axes.vlines(x, half[:, 0], half[:, 1], color=BLUE, lw=6, alpha=0.2, label="middle half")
    axes.errorbar(x, y, error, fmt="o-", color=BLUE, label="mean answer")
    edge = 5.0
    axes.set(xlabel="predicted satisfaction", ylabel="satisfaction answered")
    axes.set(xlim=(x.min() - edge, x.max() + edge), ylim=(half.min() - edge, 100 + edge))
    axes.legend(loc="lower right", frameon=False)
    return figure


def profit(curve: ProfitCurve, *, title: str = "Profit of a retention campaign") -> Figure:
    """Profit against the share of customers contacted, with its 95 % interval."""
    from churnml.metrics.displays import ProfitDisplay

    figure, axes = _figure(title)
    ProfitDisplay(curve=curve).plot(axes)
    return figure


def reasons(
    contributions: pd.DataFrame, drivers: Mapping[str, str] | None = None, unit: str = "log-odds"
) -> Figure:
    """Which columns raise and lower the scores, and by how much on average.

    Parameters
    ----------
    contributions : DataFrame, shape (n, k)
        As an estimator's ``explain`` gives them.
    drivers : mapping of str to str, optional
        The driver group of each column.
    unit : str, default "log-odds"
    """
    from churnml.metrics.displays import ReasonsDisplay

    figure, (axes,) = panels((8.4, 5.4), widths=(1,))
    axes.set_title("What moves the scores")
    ReasonsDisplay.from_predictions(contributions, drivers=drivers, unit=unit, ax=axes)
    return figure


def satisfaction(
    actual: ArrayLike,
    predicted: ArrayLike,
    interval: tuple[ArrayLike, ArrayLike] | None = None,
) -> Figure:
    """Predicted satisfaction against the answers, with the intervals foretold.

    Parameters
    ----------
    actual, predicted : array, shape (n,)
        From 0 to 100.
    interval : (array, array), optional
        Low and high ends.
    """
    from churnml.metrics.displays import SatisfactionDisplay

    figure, axes = _figure("Satisfaction, predicted and answered")
    SatisfactionDisplay.from_predictions(actual, predicted, interval=interval, ax=axes)
    return figure


def slices(found: list[Slice], measure: str, label: str) -> Figure:
    """A measure by slice with its interval; those significantly worse stand out.

    Parameters
    ----------
    found : list of Slice
        Those too small to be measured are left out.
    measure : str
        ``auc``, ``mae``, ...
    label : str
        Of the horizontal axis, with the unit.
    """
    shown = [one for one in found if measure in one.metrics][::-1]
    figure, (axes,) = panels((7.6, 1.6 + 0.24 * len(shown)), widths=(1,))
    for at, one in enumerate(shown):
        estimate, colour = one.metrics[measure], ORANGE if one.worse else BLUE
        axes.hlines(at, estimate.low, estimate.high, color=colour, lw=2)
        axes.plot(estimate.value, at, "D" if one.worse else "o", color=colour)
    axes.set_yticks(range(len(shown)), [_short(f"{one.column} = {one.value}") for one in shown])
    axes.set(title="Slices: the worst above, diamonds significantly worse", xlabel=label)
    return figure


def balance(table: pd.DataFrame, *, top: int = 20) -> Figure:
    """How unlike everybody those who answered are, before and after weighting.

    Parameters
    ----------
    table : DataFrame
        As `churnml.metrics.balance` gives it.
    top : int, default 20
        How many columns are shown, the largest differences before weighting above; of
        those that at least one customer in twenty has.

    Returns
    -------
    Figure
        Beyond the dashed lines, at 0.1, a difference is usually called an imbalance.
    """
    shown = table[table["known"] >= COMMON].head(top)[::-1]
    figure, (axes,) = panels((8.4, 1.8 + 0.24 * len(shown)), widths=(1,))
    places = np.arange(len(shown))
    before, after = shown["before"].to_numpy(float), shown["after"].to_numpy(float)
    axes.hlines(places, before, after, color=GREY, lw=1)
    axes.plot(before, places, "o", color=ORANGE, label="answers as they came")
    axes.plot(after, places, "D", color=BLUE, label="weighted")
    for at in (-CLEAR, 0.0, CLEAR):
        axes.axvline(at, color=GREY, lw=1, ls="--" if at else "-", zorder=0)
    names = [
        name if pd.isna(level) else f"{name} = {level}"
        for name, level in zip(shown["feature"], shown["level"], strict=True)
    ]
    axes.set_yticks(places, [_short(str(name)) for name in names])
    axes.set(title="Who answered against everybody")
    axes.set(xlabel="difference of means, standard deviations of everybody")
    axes.legend(frameon=False, loc="best")
    return figure


def _arrays(one: ArrayLike, other: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, second = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    if first.shape != second.shape or first.ndim != 1 or not first.size:
        raise UsageError(
            f"A figure needs two arrays of one length, got {first.shape} and {second.shape}."
        )
    return first, second


def _equal_groups(values: NDArray[np.float64], bins: int) -> list[NDArray[np.intp]]:
    order = np.argsort(values, kind="stable")
    return [group for group in np.array_split(order, bins) if group.size]


def _wilson(
    share: NDArray[np.float64], count: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    spread = _Z90**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = _Z90 * np.sqrt(share * (1 - share) / count + spread / count / 4) / (1 + spread)
    return middle - half, middle + half


def _short(name: str) -> str:
    # Matplotlib would read a pair of dollar signs as a formula.
    text = name.replace("$", r"\$")
    return text if len(text) <= 40 else f"{text[:37]}..."


def _figure(title: str) -> tuple[Figure, Axes]:
    figure, (axes,) = panels((6.4, 4.8), widths=(1,))
    axes.set_title(title)
    return figure, axes
