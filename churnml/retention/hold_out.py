"""Draw the hold-out of a campaign: by hash, stratified, whole households.

It is drawn before anybody is chosen, so that nothing of the choice can lean on it, and by a
hash of the seed, the campaign and the household, so that the same draw can be made again from
these alone, whatever else is in the tables and in whatever order.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from churnml.errors import UsageError
from churnml.metrics.power import control_needed, detectable_effect

STRATA = 10
MOST_SHARE = 0.5


def draw_hold_out(
    households: Sequence[str] | pd.Series,
    priority: ArrayLike,
    *,
    share: float,
    campaign: str,
    seed: int = 0,
    strata: int = STRATA,
) -> NDArray[np.bool_]:
    """Who is held out, shape (n,).

    Households are parted into equally many by their highest priority, and of each part the
    same share is drawn.

    Parameters
    ----------
    households : sequence of text, length n
        Of each customer; a household is held out whole or not at all.
    priority : array, shape (n,)
        Expected gain; ties are broken by the hash.
    share : float
        Of the households, 0 to below 1.
    campaign : str
    seed : int
    strata : int, default 10

    Raises
    ------
    UsageError
        A share out of its range.

    Examples
    --------
    >>> held = draw_hold_out(["a", "a", "b", "c"], [3, 1, 2, 0], share=0.5, campaign="spring")
    >>> bool(held[0] == held[1])
    True
    """
    if not 0 <= share < 1:
        raise UsageError(
            f"hold-out share {share!r}; 0 or more and below 1 was expected.",
            hint=f"{share:g} % is {share / 100:g}." if 1 < share < 100 else None,
        )
    codes, names = pd.factorize(np.asarray(households, dtype=object))
    if not len(names):
        return np.zeros(0, bool)
    highest = np.full(len(names), -np.inf)
    np.maximum.at(highest, codes, np.asarray(priority, np.float64))
    drawn = np.array([_word(seed, campaign, str(name)) for name in names], np.uint64)
    order = np.lexsort((drawn, -highest))
    part = np.empty(len(names), np.int64)
    part[order] = np.arange(len(names)) * strata // len(names)
    # Within a part by the hash; the first of them are held out.
    within = np.lexsort((drawn, part))
    starts = np.searchsorted(part[within], np.arange(strata))
    place = np.empty(len(names), np.int64)
    place[within] = np.arange(len(names)) - starts[part[within]]
    size = np.bincount(part, minlength=strata)
    # What rounding leaves over is dealt by lot, so that small parts are held out too.
    exact = share * size
    luck = np.array([_word(seed, campaign, f"\0part {one}") / 2**64 for one in range(strata)])
    count = np.floor(exact + luck).astype(np.int64)
    return np.asarray(place < count[part])[codes]


def _word(seed: int, campaign: str, name: str) -> int:
    text = "\x1f".join((str(seed), campaign, name))
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What a hold-out can see.

    Attributes
    ----------
    treated, held_out : int
    rate : float
        Expected rate of leaving without an offer.
    detectable : float
        The fall of the rate that would be seen with 80 %; infinite without a hold-out.
    expected : float
        The fall that is expected.
    proposed : float or None
        The share that would see it; None where this one does, or none below a half would.
    """

    treated: int
    held_out: int
    rate: float
    detectable: float
    expected: float
    proposed: float | None

    def say(self) -> str:
        """A sentence, to be read before anything is sent."""
        if not self.held_out:
            return "Nobody on the list is held out: nobody will know whether the campaign worked."
        share = self.held_out / (self.held_out + self.treated)
        told = (
            f"With this list and a hold-out of {share:.0%} ({self.held_out:,} customers) a fall of "
            f"{100 * self.detectable:.2f} points from {self.rate:.2%} would be seen with 80 %; "
            f"{100 * self.expected:.2f} points are expected."
        )
        if self.expected >= self.detectable:
            return told
        if self.proposed is None:
            return f"{told} No hold-out of this list would see that."
        return f"{told} A hold-out of {self.proposed:.0%} would see that."


def sight(*, treated: int, held_out: int, rate: float, expected: float) -> Sight:
    """What a hold-out of this size can see, and the share that would be needed.

    Parameters
    ----------
    treated, held_out : int
    rate : float
        Of leaving without an offer.
    expected : float
        The fall that is expected, above 0 where customers are kept.

    Examples
    --------
    >>> found = sight(treated=16_200, held_out=1_800, rate=0.04, expected=0.01)
    >>> round(100 * found.detectable, 2), found.proposed
    (1.36, 0.2)
    """
    seen = detectable_effect(rate, treated, held_out) if 0 < rate < 1 else math.inf
    proposed = None
    if 0 < expected < seen and 0 < rate < 1:
        total, after = treated + held_out, max(rate - expected, 1e-9)
        for share in np.arange(0.01, MOST_SHARE + 0.005, 0.01):
            if control_needed(rate, after, ratio=(1 - share) / share) <= share * total:
                proposed = round(float(share), 2)
                break
    return Sight(
        treated=treated,
        held_out=held_out,
        rate=rate,
        detectable=seen,
        expected=expected,
        proposed=proposed,
    )
