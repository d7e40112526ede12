"""How every figure looks: colours for all eyes, and characters that render."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, get_args

from churnml.features.declaration import Driver
from churnml.metrics.displays.style import BLUE, GREY, ORANGE, PALETTE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["BLUE", "GREY", "ORANGE", "PALETTE", "driver_colour", "panels", "style", "use_style"]

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
    """A driver group's colour, the same in every figure; grey for what is none.

    Examples
    --------
    >>> driver_colour("network"), driver_colour("other")
    ('#0072B2', '#7F7F7F')
    """
    drivers = get_args(Driver)
    return PALETTE[drivers.index(driver)] if driver in drivers else GREY


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
    """Installed fonts with Chinese, also such as came after matplotlib made its list of fonts."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    found = {font.name for font in fontManager.ttflist}
    if found.isdisjoint(_CHINESE):
        for path in findSystemFonts():
            if any(part in path.lower() for part in _FILES):
                fontManager.addfont(path)
        found = {font.name for font in fontManager.ttflist}
    return tuple(name for name in _CHINESE if name in found)


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
    """A figure in the house's style that belongs to no window, and its axes side by side.

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
