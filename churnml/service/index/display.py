"""Draw an index: a dot with its interval for every cell, and a line for the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from churnml.metrics.displays.style import BLUE, GREY, ORANGE, panels, short
from churnml.service.index import words
from churnml.service.index.words import Lang

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARKS = {"below": "v", "above": "^"}
_MOST = 60


def draw(table: pd.DataFrame, *, by: str | None = None, lang: Lang = "en") -> Figure:
    """Draw the cells of an index, the lowest below.

    Parameters
    ----------
    table : DataFrame
        As `churnml.satisfaction_index` gives it.
    by : str, optional
        One level alone.
    lang : {"en", "zh"}, default "en"

    Returns
    -------
    Figure
        Cells clearly below or above the whole bear a triangle and another colour; cells known
        from predictions alone are hollow. Hidden cells are left out, and of very many those in
        the middle.
    """
    shown = table[
        table["index"].notna() & ((table["by"] != "") if by is None else table["by"] == by)
    ]
    shown = shown.sort_values(["by", "index", "cell"], kind="stable")
    if len(shown) > _MOST:
        shown = pd.concat([shown.head(_MOST // 2), shown.tail(_MOST // 2)])
    figure, (axes,) = panels((7.6, 1.6 + 0.24 * max(len(shown), 2)), widths=(1,))
    whole = table.iloc[0]
    if whole["index"] == whole["index"]:
        axes.axvspan(whole["index_low"], whole["index_high"], color=GREY, alpha=0.2, lw=0)
        axes.axvline(whole["index"], color=GREY, lw=1)
    for at, row in enumerate(shown.to_dict("records")):
        apart = row["standing"] in _MARKS
        colour = (ORANGE if row["standing"] == "below" else BLUE) if apart else GREY
        axes.hlines(at, row["index_low"], row["index_high"], color=colour, lw=2)
        axes.plot(
            row["index"],
            at,
            _MARKS.get(row["standing"], "o"),
            color=colour,
            fillstyle="none" if row["how"] == "prediction" else "full",
        )
    names = [
        row["cell"] if by is not None else f"{row['by']} = {row['cell']}"
        for row in shown.to_dict("records")
    ]
    axes.set_yticks(range(len(shown)), [short(name) for name in names])
    axes.set_title(words.value("title", lang))
    axes.set_xlabel(f"0–100, {words.value('interval', lang)}")
    return figure
