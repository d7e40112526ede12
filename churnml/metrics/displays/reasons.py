"""Which columns move the scores, up and down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from churnml.errors import DataError
from churnml.metrics.check_arrays import numbers, refuse
from churnml.metrics.check_options import check_kind, check_whole
from churnml.metrics.displays.style import BLUE, MODELS, ORANGE, Display, short, show_chinese

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = "_churnml_columns"
_MARKERS = ("D", "s", "^", "v")


class ReasonsDisplay(Display):
    """How strongly each column pushes scores up, and down, on average over customers.

    Parameters
    ----------
    up, down : Series, shape (k,)
        By column: mean of the contributions above 0, and of those below, over all rows.
    unit : str, default "log-odds"
    drivers : mapping of str to str, optional
        The driver group of each column, shown behind its name.
    name : str, optional
        Of the model.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> shown = ReasonsDisplay.from_predictions(pd.DataFrame({"arpu": [1.0, -1.0], "age": [0, .5]}))
    >>> shown.up.tolist(), shown.down.tolist()
    ([0.5, 0.25], [-0.5, 0.0])
    """

    def __init__(
        self,
        *,
        up: pd.Series,
        down: pd.Series,
        unit: str = "log-odds",
        drivers: Mapping[str, str] | None = None,
        name: str | None = None,
    ) -> None:
        self.up, self.down, self.unit, self.drivers = up, down, unit, dict(drivers or {})
        self.name = name

    @classmethod
    def from_predictions(
        cls,
        contributions: pd.DataFrame,
        *,
        unit: str = "log-odds",
        drivers: Mapping[str, str] | None = None,
        name: str | None = None,
        ax: Axes | None = None,
        top: int = 15,
    ) -> Self:
        """Draw the contributions that an estimator's ``explain`` gives, shape (n, k)."""
        hint = "pd.DataFrame(contributions, columns=names) tells which column is which."
        check_kind("contributions", contributions, pd.DataFrame, hint=hint)
        if contributions.empty:
            raise DataError("there are no contributions to draw.")
        for feature, column in contributions.items():
            told = f"contributions of {feature}"
            known = numbers(told, column)
            refuse(~np.isfinite(known), known, f"{told} are missing or infinite")
        check_whole("top", top)
        shown = cls(
            up=contributions.clip(lower=0).mean(),
            down=contributions.clip(upper=0).mean(),
            unit=unit,
            drivers=drivers,
            name=name,
        )
        return shown.plot(ax, top=top)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, **options: Any) -> Self:
        """Draw an estimator's reasons for some rows; options as of `from_predictions`."""
        return cls.from_predictions(estimator.explain(X), **options)

    def plot(self, ax: Axes | None = None, *, top: int = 15) -> Self:
        """Draw the ``top`` columns, the strongest above, on new axes where none are given.

        A further model is drawn as marks beside the bars of the first, on the same columns.
        """
        axes = self._axes(ax)
        turn = self._turn(axes, "What moves the scores")
        if turn:
            return self._mark(axes, turn)
        strength = (self.up - self.down).to_numpy()
        chosen = np.argsort(-strength, kind="stable")[:top][::-1]
        names = [str(self.up.index[at]) for at in chosen]
        setattr(axes, _COLUMNS, names)
        places = np.arange(len(names))
        whose = f", {self.name}" if self.name else ""
        axes.barh(places, self.down.iloc[chosen], color=BLUE, label=f"lowers the score{whose}")
        axes.barh(places, self.up.iloc[chosen], color=ORANGE, label=f"raises the score{whose}")
        axes.set_yticks(places, [self._labelled(name) for name in names])
        axes.axvline(0, color="black", lw=0.8)
        axes.set(xlabel=f"mean contribution over customers, {self.unit}")
        # Room for the legend below the lowest bar, however long that is.
        axes.set_ylim(-1 - 0.06 * len(names), len(names) - 0.4)
        axes.legend(loc="lower right", edgecolor="none", framealpha=1, ncols=2)
        show_chinese(axes)
        return self

    def _mark(self, axes: Axes, turn: int) -> Self:
        mark: dict[str, Any] = {
            "ls": "",
            "marker": _MARKERS[(turn - 1) % len(_MARKERS)],
            "ms": 6,
            "mec": "white",
        }
        mark |= {"color": MODELS[(turn + 1) % len(MODELS)]}
        label = self.name or f"model {turn + 1}"
        for at, name in enumerate(getattr(axes, _COLUMNS, ())):
            if name in self.up.index:
                axes.plot([self.down[name], self.up[name]], [at, at], label=label, **mark)
        self._legend(axes, loc="lower right", ncols=2)
        return self

    def _labelled(self, name: str) -> str:
        driver = self.drivers.get(name, "")
        return f"{short(name)} ({driver})" if driver else short(name)
