"""Three questions about offers, answered in words: do they work, for whom, and for money.

Every answer has an estimate, its interval, the rows and those who left. That there is no
evidence is an ordinary answer, and comes with what could have been seen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

from churnml.estimators import OfferEffect
from churnml.evaluation.evidence import Assignment, Evidence, OfferRow, Slope, VerdictName
from churnml.metrics.check_arrays import number_groups
from churnml.metrics.effects import (
    Effect,
    effect_of,
    effects_by_fifth,
    mean_effect,
    qini,
    rank_within,
)
from churnml.metrics.power import detectable_effect
from churnml.metrics.significance import auc_influence, holm, standard_error
from churnml.metrics.uplift import difference_of_means

Floats = NDArray[np.float64]

OVERLAP = (0.02, 0.98)
_CLEAR_AUC = 0.52
_UNEQUAL = 0.001
_OF_FOLDS = 1.12
"""Each fold's ranking was learned from the others' outcomes, so their errors go together: the
QINI scattered by 1.13 standard errors of a given ranking where offers do nothing (550 draws), by
1.06 where they do (800)."""


def judge_offers(
    effect: OfferEffect,
    y: ArrayLike,
    offer: ArrayLike,
    groups: ArrayLike,
    *,
    significance: float = 0.05,
    propensity: float | None = None,
) -> Evidence:
    """Answer the questions from the rows that an estimator was fitted to.

    Its scores and effects are cross-fitted: no row's come of a model that saw its customer.

    Parameters
    ----------
    effect : OfferEffect
        Fitted to these rows, in this order.
    y, offer, groups : array, shape (n,)
        As they were given to ``fit``.
    significance : float, default 0.05
        Chance of a false find, of each question.
    propensity : float, optional
        The share that was to be treated, where it is known.
    """
    left = np.asarray(y, np.float64)
    given = np.asarray(offer, dtype=object)
    control = np.array([one is None or one != one for one in given])
    customers = number_groups(groups)[0]
    scores = effect.scores_[effect.offers_].to_numpy()
    shares = np.array([(given == name).sum() for name in effect.offers_], np.float64)
    average = mean_effect(scores @ (shares / shares.sum()), customers)
    rows = _offer_rows(effect, left, given, control, scores, customers)
    raw = effect.oof_effect_[effect.offers_].to_numpy()
    # Of each customer the effect of the offer that is said to suit best.
    best = raw.argmin(axis=1)
    every = np.arange(len(left))
    priority = rank_within(-raw[every, best], effect.fold_)
    found = qini(scores[every, best], priority, customers)
    differs = effect_of(found.value, found.error * _OF_FOLDS)
    fifths = effects_by_fifth(scores[every, best], raw[every, best], customers, priority=priority)
    slopes_p = holm(effect.differs_.to_numpy())
    differs_p = float(slopes_p.min())
    shown = (slopes_p < significance) & (effect.keeps_some_.to_numpy() < significance)
    rate = float(left[control].mean())
    return Evidence(
        name=_name(rows, average.value > 0 and average.p < significance, shown, significance),
        offers=rows,
        average=average,
        differs=differs,
        differs_p=differs_p,
        slopes=[
            Slope(offer=name, value=value, error=error, p=float(p))
            for name, value, error, p in zip(
                effect.offers_,
                effect.shrinkage_.slope,
                effect.shrinkage_.slope_error,
                slopes_p,
                strict=True,
            )
        ],
        fifths=fifths,
        assignment=assignment_of(effect, ~control, customers, propensity=propensity),
        rows=len(left),
        left=int(left.sum()),
        rate=rate,
        detectable=detectable_effect(
            min(max(rate, 1 / len(left)), 1 - 1 / len(left)),
            float((~control).sum()),
            float(control.sum()),
            significance=significance,
        ),
    )


def _offer_rows(
    effect: OfferEffect,
    left: Floats,
    offer: NDArray[Any],
    control: NDArray[np.bool_],
    scores: Floats,
    customers: NDArray[np.int64],
) -> list[OfferRow]:
    rows = [
        OfferRow(
            offer=name,
            treated=int((offer == name).sum()),
            control=int(control.sum()),
            left_treated=int(left[offer == name].sum()),
            left_control=int(left[control].sum()),
            effect=mean_effect(scores[:, at], customers),
            difference=_counted(left, offer == name, control),
            p=1.0,
        )
        for at, name in enumerate(effect.offers_)
    ]
    tested = holm([one.effect.p for one in rows])
    return [replace(one, p=float(p)) for one, p in zip(rows, tested, strict=True)]


def _counted(left: Floats, treated: NDArray[np.bool_], control: NDArray[np.bool_]) -> Effect | None:
    if min(treated.sum(), control.sum()) < 2:
        return None
    here = treated | control
    return effect_of(*difference_of_means(left[here], treated[here]))


def _name(
    rows: list[OfferRow], harmful: bool, shown: NDArray[np.bool_], significance: float
) -> VerdictName:
    """The verdict; ``shown`` is which offers keep some more than others, and keep some at all."""
    if shown.any():
        return "different"
    if harmful:
        return "harm"
    return "same" if any(one.works(significance) for one in rows) else "none"


def assignment_of(
    effect: OfferEffect,
    treated: NDArray[np.bool_],
    customers: NDArray[np.int64],
    *,
    propensity: float | None = None,
) -> Assignment:
    """How the rows that an estimator was fitted to were assigned.

    Parameters
    ----------
    effect : OfferEffect
    treated : array of bool, shape (n,)
    customers : array of int, shape (n,)
    propensity : float, optional
        The share that was to be treated.
    """
    chances = effect.propensity_.to_numpy()
    chance = 1 - chances[:, -1]
    area, moved = auc_influence(treated.astype(float), chance)
    error = standard_error(moved, customers)
    told = effect_of(area, error)
    clearly = error > 0 and (area - 0.5) / error > 2.576 and area > _CLEAR_AUC
    low, high = OVERLAP
    outside = float(((chance < low) | (chance > high)).mean())
    ratio_p = None
    if propensity is not None:
        ratio_p = float(binomtest(int(treated.sum()), len(treated), propensity).pvalue)
        clearly = bool(clearly or ratio_p < _UNEQUAL)
    return Assignment(auc=told, by_lot=not clearly, outside=outside, ratio_p=ratio_p)
