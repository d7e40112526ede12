"""True probabilities of leaving, and the true effect of an offer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from churnml.tables.simulator import hazard, offers
from churnml.tables.simulator.encoded_columns import ColumnData, Floats, Ints
from churnml.tables.simulator.hazard import chance
from churnml.tables.simulator.scene import Scene
from churnml.tables.simulator.ties import passed_on


@dataclass(frozen=True)
class Prospects:
    """Probabilities for a month, fixed two months earlier.

    Attributes
    ----------
    leaving : array
        Log-odds of ending the service in the month, without offers.
    falls, stays : array
        Probability of falling silent after use, and of staying silent.
    passed_on : array
        What of ``leaving`` comes of friends who left.
    """

    leaving: Floats
    falls: Floats
    stays: Floats
    passed_on: Floats


def prospects(scene: Scene, month: int) -> Prospects:
    """Probabilities for ``month``, from the scene at the end of ``month - 2``."""
    passed = passed_on(scene)
    own = hazard.leaving(scene, month)
    return Prospects(
        # A sum with 0 would be the same, to the last bit; this says so.
        leaving=own + passed if scene.world.contagion else own,
        falls=hazard.falling_silent(scene.people, scene.state),
        stays=hazard.staying_silent(scene.people, scene.state),
        passed_on=passed,
    )


def leaves_now(scene: Scene, now: Prospects) -> Floats:
    """Probability of ending the service in the scene's month."""
    return chance(now.leaving + offers.shift(scene, scene.month))


def silent_now(scene: Scene, now: Prospects) -> Floats:
    """Probability of not one active day in the scene's month; 0 for postpaid."""
    return np.where(scene.state.silent, now.stays, now.falls)


def default_label(first: Floats, second: Floats, silent: Floats) -> Floats:
    """Probability that the service ends in one of two months, or is unused in both.

    Parameters
    ----------
    first, second : array
        Probability of ending it in the first month, and in the second after staying.
    silent : array
        Probability of silence in both.

    Examples
    --------
    >>> default_label(0.5, 0.5, 0.0)
    0.75
    """
    return 1.0 - (1.0 - first) * (1.0 - second) * (1.0 - silent)


def churn_probability(scene: Scene, now: Prospects, soon: Prospects, invited: Floats) -> Floats:
    """P(default label at ``as_of`` = the scene's month), given all that came before.

    The offers of the month itself are still to be drawn: the second month's chance is a
    mixture over whether one comes and which arm it is.

    Parameters
    ----------
    scene : Scene
        At the end of the month before.
    now, soon : Prospects
        Of the scene's month, and of the next.
    invited : array
        Probability of an offer in the scene's month.

    Returns
    -------
    array, shape (n,)
    """
    as_is = chance(soon.leaving + offers.shift(scene, scene.month + 1))
    share = offers.treated_share(scene)
    treated, control = _treated(scene, soon), chance(soon.leaving)
    arms = share * treated + (1 - share) * control
    second = as_is + invited * (arms - as_is)
    return default_label(leaves_now(scene, now), second, silent_now(scene, now) * soon.stays)


def _treated(scene: Scene, soon: Prospects) -> Floats:
    """Probability of ending the service in the month after an offer, over the kinds of offers."""
    everyone = np.arange(scene.count)
    kinds = [
        chance(soon.leaving + offers.effect(scene, everyone, 1, kind))
        for kind in range(len(offers.KIND_SHARES))
    ]
    if scene.world.campaigns.effect == "own":
        # All are the same, and a mean over them would differ in the last bits.
        return kinds[0]
    return np.average(kinds, axis=0, weights=offers.KIND_SHARES)


def offer_effects(
    scene: Scene, now: Prospects, soon: Prospects, who: Ints
) -> dict[str, ColumnData]:
    """P(default label at ``as_of`` = the scene's month) by arm, after an offer the month before.

    Parameters
    ----------
    scene : Scene
        At the end of the month of the offers.
    now, soon : Prospects
        Of the scene's month, and of the next.
    who : array of int
        The customers who had an offer and are still there.
    """
    silent = (silent_now(scene, now) * soon.stays)[who]
    first, second = now.leaving[who], soon.leaving[who]
    control = default_label(chance(first), chance(second), silent)
    treated = default_label(
        chance(first + offers.effect(scene, who, 1, scene.state.offer[who])),
        chance(second + offers.effect(scene, who, 2, scene.state.offer[who])),
        silent,
    )
    return {
        "probability_control": np.round(control, 6),
        "probability_treated": np.round(treated, 6),
        "effect": np.round(treated - control, 6),
    }
