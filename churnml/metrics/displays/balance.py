"""Draw the balance between respondents and everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from churnml.metrics.balance import CLEAR, COMMON
from churnml.metrics.displays.style import BLUE, GREY, ORANGE, panels, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def balance(table: pd.DataFrame, *, top: int = 20) -> Figure:
    """Draw standardised differences between respondents and everybody, before and after weighting.

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
    axes.set_yticks(places, [short(str(name)) for name in names])
    axes.set(title="Who answered against everybody")
    axes.set(xlabel="difference of means, standard deviations of everybody")
    axes.legend(frameon=False, loc="best")
    return figure
