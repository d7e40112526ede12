"""What a campaign did: effects of being listed, from treated and held-out customers.

Everybody listed counts, reached or not, in the arm that was drawn (ITT). The effect on those
who accept (CACE) is that divided by the share that accepted, and stands beside it.

References
----------
Lin (2013), "Agnostic notes on regression adjustments to experimental data", Annals of Applied
Statistics 7(1). Deng, Xu, Kohavi, Walker (2013), "Improving the sensitivity of online
controlled experiments by utilizing pre-experiment data", WSDM. Angrist, Imbens, Rubin (1996),
"Identification of causal effects using instrumental variables", JASA 91.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

from churnml.errors import DataError
from churnml.metrics.check_arrays import check_binary, number_groups, numbers
from churnml.metrics.effects import Effect, effect_of
from churnml.metrics.significance import standard_error

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Arms:
    """The customers of a campaign; arrays of n rows.

    Attributes
    ----------
    treated : array of bool
    household : array of int
        Numbered from 0.
    """

    treated: Bools
    household: Ints

    @classmethod
    def of(cls, treated: ArrayLike, household: ArrayLike | None = None) -> Arms:
        """Arms, checked.

        Raises
        ------
        DataError
            An arm of fewer than two customers.

        Examples
        --------
        >>> Arms.of([1, 1, 0, 0]).treated.tolist()
        [True, True, False, False]
        """
        given = numbers("treated", treated)
        check_binary(given, given)
        arm = given == 1
        if min(arm.sum(), (~arm).sum()) < 2:
            raise DataError(
                f"{int(arm.sum())} treated and {int((~arm).sum())} held out; two or more of each "
                "were expected."
            )
        houses = np.arange(arm.size) if household is None else number_groups(household)[0]
        return cls(treated=arm, household=houses)

    def difference(self, values: Floats) -> tuple[float, Floats]:
        """The treated's mean less that of the held out, and by how much each row moves it."""
        one, other = self.treated, ~self.treated
        means = np.where(one, values[one].mean(), values[other].mean())
        size = np.where(one, one.sum(), -float(other.sum()))
        return float(values[one].mean() - values[other].mean()), (values - means) / size

    def effect(self, values: Floats) -> Effect:
        """The difference of the arms' means, its error over households."""
        value, moved = self.difference(values)
        return effect_of(value, standard_error(moved, self.household))


def intention_to_treat(
    left: ArrayLike, treated: ArrayLike, household: ArrayLike | None = None
) -> Effect:
    """The change of the share that left, by being listed for an offer.

    Parameters
    ----------
    left : array, shape (n,)
        1 for who left, 0 for who stayed.
    treated : array, shape (n,)
        1 where the customer was to be treated, 0 where held out.
    household : array, shape (n,), optional

    Examples
    --------
    >>> intention_to_treat([0, 0, 0, 1, 1, 1], [1, 1, 1, 1, 0, 0]).value
    -0.75
    """
    return Arms.of(treated, household).effect(numbers("outcomes", left))


def adjusted(
    left: ArrayLike,
    treated: ArrayLike,
    score: ArrayLike,
    household: ArrayLike | None = None,
) -> Effect:
    """The same, adjusted for a score that was known before the campaign.

    ``y - theta (h - mean h)``, ``theta = cov(y, h) / var(h)`` within the arms.

    Parameters
    ----------
    left, treated, household
        As of `intention_to_treat`.
    score : array, shape (n,)
        The probability of leaving before the campaign.

    Examples
    --------
    >>> adjusted([0, 0, 1, 1], [1, 1, 0, 0], [0.1, 0.1, 0.1, 0.1]).value
    -1.0
    """
    arms, values = Arms.of(treated, household), numbers("outcomes", left)
    before = numbers("scores", score)
    within = np.where(arms.treated, before[arms.treated].mean(), before[~arms.treated].mean())
    spread = float(((before - within) ** 2).sum())
    theta = float(((before - within) * values).sum()) / spread if spread > 0 else 0.0
    return arms.effect(values - theta * (before - before.mean()))


def complier_effect(itt: Effect, accepted: float, treated: int) -> Effect | None:
    """The effect on those who accept when offered; None where nobody accepted.

    Parameters
    ----------
    itt : Effect
    accepted : float
        Share of the treated that accepted.
    treated : int

    Examples
    --------
    >>> found = complier_effect(effect_of(-0.59, 0.39), 0.314, 2457)
    >>> round(found.value, 2)
    -1.88
    """
    if not accepted > 0:
        return None
    spread = accepted * (1 - accepted) / max(treated, 1)
    value = itt.value / accepted
    error = math.sqrt(itt.error**2 + value**2 * spread) / accepted
    return effect_of(value, error)


def sample_ratio(treated: int, held_out: int, share: float) -> float:
    """The chance of arms as unequal as these, or more, where the share was drawn as planned.

    Examples
    --------
    >>> round(sample_ratio(2457, 2446, 0.5), 2)
    0.89
    """
    if not 0 < share < 1 or not treated + held_out:
        return float("nan")
    return float(binomtest(held_out, treated + held_out, share).pvalue)
