"""Estimate how many will leave where only the share of leavers moves (prior shift).

Where leavers look as leavers did and stayers as stayers, and there are more of the one and
fewer of the other, a model calibrated for the old share says too little: the mean of its
scores moves by a fraction of what the share moves by. The share that makes the scores most
likely is the limit of the steps of Saerens, Latinne and Decaestecker.

Whether only the share has moved cannot be known from scores. What can be seen in them is the
contrary: scores that no share explains. Then nothing is estimated.

References
----------
Saerens, Latinne, Decaestecker (2002), "Adjusting the outputs of a classifier to new a priori
probabilities", Neural Computation 14(1). Alexandari, Kundaje, Shrikumar (2020), "Maximum
likelihood with bias-corrected calibration is hard-to-beat at label shift adaptation", ICML:
the likelihood is concave in the share, and wants calibrated scores.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.models.histograms import ScoreHistogram, psi_between, spread

FEWEST_ROWS = 1000
"""Customers below whom nothing is estimated."""

_DRAWS = 400
_HALVINGS = 40
_UNEXPLAINED = 0.02
_QUANTILE = 0.999


@dataclass(frozen=True, kw_only=True)
class Prior:
    """The share of leavers that scores foretell, were it all that has moved.

    Attributes
    ----------
    rate, low, high : float
        With its 95 % interval.
    before : float
        The share in the month that it is compared with.
    since : date
        That month, the last known of the same model.
    """

    rate: float
    low: float
    high: float
    before: float
    since: date

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        facts = asdict(self) | {"since": self.since.isoformat()}
        return {
            name: round(value, 6) if isinstance(value, float) else value
            for name, value in facts.items()
        }


def shifted_prior(
    probability: ArrayLike, before: ArrayLike, rows: ArrayLike | None = None
) -> NDArray[np.float64]:
    """The share of leavers that makes scores most likely.

    Parameters
    ----------
    probability : array, shape (n,)
        Calibrated where the share is ``before``.
    before : float or array, shape (k,)
        Between 0 and 1.
    rows : array, shape (n,) or (k, n), optional
        How many customers have each of them, in each of k samples; by default one.

    Returns
    -------
    array, shape () or (k,)

    Examples
    --------
    >>> print(f"{shifted_prior([0.1, 0.2, 0.3, 0.8], 0.25):.4f}")
    0.6847
    """
    p = np.clip(np.asarray(probability, dtype=float), 1e-9, 1 - 1e-9)
    many = np.ones_like(p) if rows is None else np.asarray(rows, dtype=float)
    # The likelihood of a score among leavers and among stayers, up to what both share.
    was = np.asarray(before, dtype=float)[..., None]
    left, stayed = p / was, (1 - p) / (1 - was)
    low, high = np.zeros(many.shape[:-1]), np.ones(many.shape[:-1])
    for _halving in range(_HALVINGS):
        share = (low + high) / 2
        mixed = share[..., None] * left + (1 - share[..., None]) * stayed
        rising = (many * (left - stayed) / mixed).sum(axis=-1) > 0
        low, high = np.where(rising, share, low), np.where(rising, high, share)
    return np.asarray((low + high) / 2)


def estimate_prior(
    now: ScoreHistogram, then: ScoreHistogram, *, since: date, left: int, seed: int = 0
) -> Prior | None:
    """Estimate the share of leavers of a month from its scores.

    Parameters
    ----------
    now, then : ScoreHistogram
        Of the month, and of one whose outcomes are known, by the same model, whose scores
        were right there.
    since : date
        That month.
    left : int
        How many left of it.

    Returns
    -------
    Prior or None
        None where there are too few customers, and where no share explains the scores.
    """
    if now.edges != then.edges or min(_count(now), _count(then)) < FEWEST_ROWS or not left:
        return None
    # Of a bin only this counts: how often leavers and stayers were in it.
    seen, was, p = spread(now.bins, now.shares), spread(then.bins, then.shares), _means(then)
    before = float(was @ p / was.sum())
    share = float(shifted_prior(p, before, seen))
    if not _explained(seen, was, share * p / before + (1 - share) * (1 - p) / (1 - before)):
        return None
    rng = np.random.default_rng(seed)
    drawn = [rng.multinomial(int(one.sum()), one / one.sum(), size=_DRAWS) for one in (seen, was)]
    again = shifted_prior(p, drawn[1] @ p / was.sum(), drawn[0])
    # How many left of the month before is known no better than its leavers are many.
    again = np.minimum(again * rng.poisson(left, _DRAWS) / left, 1.0)
    low, high = np.quantile(again, [0.025, 0.975])
    return Prior(rate=share, low=float(low), high=float(high), before=before, since=since)


def _count(scores: ScoreHistogram) -> int:
    return sum(many for _places, many in scores.bins)


def _explained(
    seen: NDArray[np.float64], was: NDArray[np.float64], ratio: NDArray[np.float64]
) -> bool:
    """Whether the scores lie as a mixture of leavers and stayers would."""
    from scipy.stats import chi2

    chance = (1 / seen.sum() + 1 / was.sum()) * float(chi2.ppf(_QUANTILE, max(len(was) - 2, 1)))
    mixed = was * ratio
    return psi_between(seen.tolist(), mixed / mixed.sum()) - chance <= _UNEXPLAINED


def _means(scores: ScoreHistogram) -> NDArray[np.float64]:
    """The mean score of each bin; merged ones share theirs."""
    means = np.full(len(scores.shares), scores.mean)
    for (places, _many), mean in zip(scores.bins, scores.means, strict=True):
        means[list(places)] = mean
    return means


def near(rate: float, told: Prior, limit: float) -> bool:
    """Whether an estimate was borne out: within its interval, or nearly."""
    return told.low <= rate <= told.high or abs(told.rate / rate - 1) <= limit
