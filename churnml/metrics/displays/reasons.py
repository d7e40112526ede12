"""Which columns move the scores, up and down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from churnml.errors import DataError
from churnml.metrics.check_arrays import numbers, refuse
from churnml.metrics.check_options import check_kind, check_whole
from churnml.metrics.displays.style import BLUE, ORANGE, Display, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ReasonsDisplay(Display):
    """How strongly each column pushes scores up, and down, on average over customers.

    Parameters
    ----------
    up, down : Series, shape (k,)
        By column: mean of the contributions above 0, and of those below, over all rows.
    unit : str, default "log-odds"
    drivers : mapping of str to str, optional
        The driver group of each column, shown behind its name.

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
    ) -> None:
        self.up, self.down, self.unit, self.drivers = up, down, unit, dict(drivers or {})

    @classmethod
    def from_predictions(
        cls,
        contributions: pd.DataFrame,
        *,
        unit: str = "log-odds",
        drivers: Mapping[str, str] | None = None,
        ax: Axes | None = None,
        top: int = 15,
    ) -> Self:
        """Draw the contributions that an estimator's ``explain`` gives, shape (n, k)."""
        hint = "pd.DataFrame(contributions, columns=names) tells which column is which."
        check_kind("contributions", contributions, pd.DataFrame, hint=hint)
        if contributions.empty:
            raise DataError("there are no contributions to draw.")
        for name, column in contributions.items():
            known = numbers(f"contributions of {name}", column)
            refuse(~np.isfinite(known), known, f"contributions of {name} are missing or infinite")
        check_whole("top", top)
        shown = cls(
            up=contributions.clip(lower=0).mean(),
            down=contributions.clip(upper=0).mean(),
            unit=unit,
            drivers=drivers,
        )
        return shown.plot(ax, top=top)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, **options: Any) -> Self:
        """Draw an estimator's reasons for some rows; options as of `from_predictions`."""
        return cls.from_predictions(estimator.explain(X), **options)

    def plot(self, ax: Axes | None = None, *, top: int = 15) -> Self:
        """Draw the ``top`` columns, the strongest above, on new axes where none are given."""
        axes = self._axes(ax)
        strength = (self.up - self.down).to_numpy()
        chosen = np.argsort(-strength, kind="stable")[:top][::-1]
        names = [str(self.up.index[at]) for at in chosen]
        places = np.arange(len(names))
        axes.barh(places, self.down.iloc[chosen], color=BLUE, label="lowers the score")
        axes.barh(places, self.up.iloc[chosen], color=ORANGE, label="raises the score")
        axes.set_yticks(places, [self._labelled(name) for name in names])
        axes.axvline(0, color="black", lw=0.8)
        axes.set(xlabel=f"mean contribution over customers, {self.unit}")
        # Room for the legend below the lowest bar, however long that is.
        axes.set_ylim(-1 - 0.06 * len(names), len(names) - 0.4)
        axes.legend(loc="lower right", edgecolor="none", framealpha=1, ncols=2)
        return self

    def _labelled(self, name: str) -> str:
        driver = self.drivers.get(name, "")
        return f"{short(name)} ({driver})" if driver else short(name)
