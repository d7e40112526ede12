"""The style of all figures: colours, fonts and axes.

The colours are those of Okabe and Ito, which colour-blind people can tell apart.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

from churnml.base.drivers import DRIVERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#7F7F7F"
PALETTE = (
    BLUE,
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    ORANGE,
    "#F0E442",
    "#000000",
    "#882255",
)

MODELS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Of the models on one pair of axes, in turn."""

_DRAWN = "_churnml_models"
_SIZE = (6.4, 4.8)
_CHINESE = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "SimHei",
    "PingFang SC",
)
_FILES = ("cjk", "sourcehansans", "wqy", "msyh", "simhei", "pingfang")


def driver_colour(driver: str) -> str:
    """A driver group's colour, the same in every figure; grey for none.

    Examples
    --------
    >>> driver_colour("network"), driver_colour("other")
    ('#0072B2', '#7F7F7F')
    """
    return PALETTE[DRIVERS.index(driver)] if driver in DRIVERS else GREY


def style() -> dict[str, Any]:
    """Matplotlib settings: plain axes, and a font with Chinese where one is installed."""
    from cycler import cycler

    return {
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": cycler(color=PALETTE),
        "font.family": ["DejaVu Sans", *_chinese_fonts()],
    }


@cache
def _chinese_fonts() -> tuple[str, ...]:
    """Installed fonts with Chinese, including those newer than matplotlib's font list."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    installed = {font.name for font in fontManager.ttflist}
    if installed.isdisjoint(_CHINESE):
        for path in findSystemFonts():
            if any(part in path.lower() for part in _FILES):
                fontManager.addfont(path)
        installed = {font.name for font in fontManager.ttflist}
    return tuple(name for name in _CHINESE if name in installed)


def use_style() -> None:
    """Draw all further figures of a session in churnml's style.

    Examples
    --------
    >>> import matplotlib
    >>> with matplotlib.rc_context():
    ...     use_style()
    ...     matplotlib.rcParams["axes.spines.top"]
    False
    """
    import matplotlib

    matplotlib.rcParams.update(style() | {"figure.dpi": 100, "figure.constrained_layout.use": True})


def panels(size: tuple[float, float], *, widths: tuple[float, ...]) -> tuple[Figure, Any]:
    """A figure in churnml's style that belongs to no window, and its axes side by side.

    Parameters
    ----------
    size : (float, float)
        Inches.
    widths : tuple of float
        Of the axes, relative.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(style()):
        figure = Figure(figsize=size, dpi=120, layout="constrained")
        axes = figure.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0]
    return figure, axes


def page_axes(title: str, size: tuple[float, float] = _SIZE) -> Axes:
    """Axes for a page or a run to draw a display on: alone on a figure that has no window.

    Parameters
    ----------
    title : str
    size : (float, float), default (6.4, 4.8)
        Inches.
    """
    _, (axes,) = panels(size, widths=(1,))
    axes.set_title(title)
    return axes


class Display:
    """Base class of displays in the style of scikit-learn.

    Attributes
    ----------
    ax_ : Axes
        Where it was drawn last.
    figure_ : Figure
    """

    ax_: Axes
    figure_: Figure

    def _axes(self, ax: Axes | None) -> Axes:
        """The axes to draw on, new ones where none are given."""
        if ax is None:
            # As scikit-learn does: what pyplot makes, a notebook shows.
            import matplotlib.pyplot as plt

            _, ax = plt.subplots()
        self.ax_, self.figure_ = ax, cast("Figure", ax.figure)
        return ax

    def _turn(self, axes: Axes, title: str) -> int:
        """How many models were drawn on the axes before; the first gives them their title."""
        turn = int(getattr(axes, _DRAWN, 0))
        setattr(axes, _DRAWN, turn + 1)
        if not turn and not axes.get_title():
            axes.set_title(title)
        return turn

    @staticmethod
    def _model_style(turn: int, name: str | None, line: dict[str, Any]) -> dict[str, Any]:
        """Each model's own colour and name, where the caller gives none."""
        unnamed = "model" if turn == 0 else f"model {turn + 1}"
        return {"color": MODELS[turn % len(MODELS)], "label": name or unnamed} | line

    @staticmethod
    def _legend(axes: Axes, **where: Any) -> None:
        """A legend that names what several models share once."""
        found: dict[str, Any] = {}
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
        axes.legend(found.values(), found.keys(), frameon=False, **where)
        show_chinese(axes)


def show_chinese(axes: Axes) -> None:
    """Let all texts of the axes, later titles too, fall back on a font with Chinese, if any is."""
    from matplotlib.text import Text

    for text in axes.findobj(Text):
        known = text.get_fontfamily()
        text.set_fontfamily([*known, *(one for one in _chinese_fonts() if one not in known)])


def leaving(estimator: Any, X: Any) -> Any:
    """A classifier's probabilities of leaving: of its second class, unless it says otherwise."""
    return estimator.predict_proba(X)[:, getattr(estimator, "leaving_column_", 1)]


def short(name: str, longest: int = 40) -> str:
    """A column's name as matplotlib shows it: short, and no pair of dollar signs a formula."""
    text = name.replace("$", r"\$")
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
