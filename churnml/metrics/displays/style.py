"""Colours that colour-blind people can tell apart (Okabe and Ito), and where to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#7F7F7F"
PALETTE = (BLUE, "#E69F00", "#009E73", "#CC79A7", "#56B4E9", ORANGE, "#F0E442", "#000000")


def axes_for(display: Any, ax: Axes | None) -> Axes:
    """The axes to draw on, new ones where none are given; the display keeps them."""
    if ax is None:
        # As scikit-learn does: what pyplot makes, a notebook shows.
        import matplotlib.pyplot as plt

        _, ax = plt.subplots()
    display.ax_, display.figure_ = ax, ax.figure
    return ax


def plain(name: str, longest: int = 40) -> str:
    """A column's name as matplotlib shows it: short, and no pair of dollar signs a formula."""
    text = name.replace("$", r"\$")
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
