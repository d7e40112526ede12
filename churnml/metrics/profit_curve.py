"""Profit against the share of customers contacted, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from churnml.config.settings import Costs
from churnml.metrics.bootstrap import Estimate, Measure, bootstrap
from churnml.metrics.check_arrays import check_groups
from churnml.metrics.check_options import check_draws
from churnml.metrics.profit import Campaign, check_costs

_STEPS = 100


@dataclass(frozen=True, kw_only=True)
class ProfitCurve:
    """What contacting the first of the customers brings, yuan per customer of the base.

    Attributes
    ----------
    share : tuple of float
        Contacted, 0 to 1 in steps of 0.01, in the order of expected profit.
    profit, low, high : tuple of float
        With the ends of the interval over customers.
    maximum, best_share, decided : Estimate
        See `churnml.metrics.profit.Campaign`.
    costs : Costs
    """

    share: tuple[float, ...]
    profit: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    maximum: Estimate
    best_share: Estimate
    decided: Estimate
    costs: Costs

    @property
    def everybody(self) -> float:
        """Profit of contacting everybody; chance lies on the line from 0 to it."""
        return self.profit[-1]

    def __repr__(self) -> str:
        return (
            f"ProfitCurve(at most {self.maximum.value:.2f} yuan per customer, "
            f"contacting {100 * self.best_share.value:.1f} %)"
        )

    def to_dict(self) -> dict[str, Any]:
        """The curve as plain data."""
        curve = {name: list(getattr(self, name)) for name in ("share", "profit", "low", "high")}
        single = ("maximum", "best_share", "decided")
        return {
            **{name: getattr(self, name).to_dict() for name in single},
            "curve": curve,
            "costs": self.costs.model_dump(),
        }


def profit_curve(
    y: ArrayLike,
    p: ArrayLike,
    value: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    costs: Costs | None = None,
    draws: int = 200,
    seed: int = 0,
) -> ProfitCurve:
    """The profit of contacting the first 0, 1, ..., 100 % of the customers.

    Parameters
    ----------
    y : array, shape (n,)
        1 for those who left.
    p : array, shape (n,)
        Their probabilities.
    value : array, shape (n,), or float
        What keeping each is worth, yuan.
    groups : array, shape (n,), optional
        The customer of each row; else every row is one.
    costs : Costs, optional
    draws : int, default 200
    seed : int

    Raises
    ------
    DataError, UsageError
        As of `Campaign`; customers that do not fit, ``draws`` or ``seed`` out of range.

    Examples
    --------
    >>> profit_curve([1, 0, 0, 0], [.9, .1, .2, .1], 1_000.0, draws=10)
    ProfitCurve(at most 70.00 yuan per customer, contacting 25.0 %)
    """
    costs = check_costs(costs)
    check_draws(draws, seed)
    campaign = Campaign(y, p, value, costs)
    grid = np.linspace(0, 1, _STEPS + 1)
    measures: dict[str, Measure] = {
        f"at_{step}": partial(_at, campaign, float(share)) for step, share in enumerate(grid)
    }
    single: dict[str, Measure] = {
        "maximum": campaign.maximum,
        "best_share": campaign.best_share,
        "decided": campaign.decided,
    }
    rows = np.asarray(y).size
    codes = check_groups(groups, rows)
    estimates = bootstrap(
        measures | single,
        rows if codes is None else codes,
        draws=draws,
        seed=seed,
    )
    steps = [estimates[name] for name in measures]
    return ProfitCurve(
        share=tuple(grid.tolist()),
        profit=tuple(one.value for one in steps),
        low=tuple(one.low for one in steps),
        high=tuple(one.high for one in steps),
        **{name: estimates[name] for name in single},
        costs=costs,
    )


def _at(campaign: Campaign, share: float, weight: Any) -> float:
    return float(np.interp(share, *campaign.curve(weight)))
