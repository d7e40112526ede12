"""Compare two models of offers by what their decisions would have earned.

On past offers that neither model has learned from, each decides whom it would have offered
what. The yuan that these decisions bring are told without bias by doubly robust scores, made
by models of the very same months alone; the intervals are paired, over customers. A
challenger

- must not be shown to earn less than the champion, nor to rank customers worse (QINI);
- must not lose money: not fewer yuan than treating nobody;
- must not be shown to earn less than treating everybody, each with what was offered.

References
----------
Athey, Wager (2021), "Policy learning with observational data", Econometrica 89(1), for the
value of a rule from doubly robust scores.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.config.settings import Config
from churnml.datasets.offers import OfferRows, new_effect
from churnml.errors import DataError, ModelError
from churnml.estimators import OfferEffect
from churnml.evaluation.contest import Verdict
from churnml.evaluation.contest_checks import EVERYBODY, Check, require_enough
from churnml.evaluation.offers import assignment_of
from churnml.evaluation.value import SPENDING, operator_value
from churnml.metrics import Estimate
from churnml.metrics.check_arrays import number_groups
from churnml.metrics.effects import Effect, effect_of, mean_effect, qini_influence
from churnml.metrics.significance import standard_error
from churnml.models.model import Model

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

VALUE, QINI = "value", "qini"
"""Yuan a customer by a model's decisions; and customers kept beyond a draw by lot."""


@dataclass(frozen=True, kw_only=True)
class PastOffers:
    """Past offers on which decisions are judged; arrays of n rows.

    Attributes
    ----------
    scores : array, shape (n, offers)
        Doubly robust scores of the change of the probability of leaving.
    brought : array, shape (n, offers)
        Yuan that each offer brings, without bias.
    value : array
        Yuan of a customer who is kept.
    cost : array, shape (offers,)
        Yuan by offer as often as it is accepted, contact included.
    usual : array, shape (offers,)
        Share of each offer among those that were made.
    customers : array of int
    """

    scores: Floats
    brought: Floats
    value: Floats
    cost: Floats
    usual: Floats
    customers: Ints


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """What a model would have done; arrays of n rows.

    Attributes
    ----------
    treats : array of bool
    earned : array
        Yuan, 0 where nothing is offered.
    qini : float
    qini_moved : array
        By how much each row moves the QINI.
    """

    treats: NDArray[np.bool_]
    earned: Floats
    qini: float
    qini_moved: Floats


def contest_offers(challenger: Model, champion: Model, rows: OfferRows, config: Config) -> Verdict:
    """Compare two models of offers on rows that neither was trained on.

    Parameters
    ----------
    challenger, champion : Model
        Of the task offers.
    rows : OfferRows
    config : Config
        Its sections ``retention``, ``costs`` and ``promotion``.

    Raises
    ------
    DataError
        Too few who left, or offers that were not drawn by lot and cannot be corrected.
    ModelError
        A model that knows none of the offers that were made.
    """
    require_enough(int(rows.y.sum()), config.promotion, "who left after an offer")
    judge = _judge(rows, config)
    trial = _trial(judge, rows, config)
    own, other = (
        decide(model.estimator.effect(rows.X), judge.offers_, trial, model.origin.name)
        for model in (challenger, champion)
    )
    everybody = trial.brought @ trial.usual
    checks = (
        _against(VALUE, own.earned, other.earned, trial),
        _against(f"{VALUE}_against_nobody", own.earned, np.zeros(len(rows)), trial, loses=True),
        _against(f"{VALUE}_against_all", own.earned, everybody, trial),
        _ranking(own, other, trial),
    )
    return Verdict(
        months=tuple(sorted({str(one) for one in rows.month})),
        rows=len(rows),
        positives=int(rows.y.sum()),
        checks=checks,
        notes=_notes(own, other, trial, rows),
    )


def _judge(rows: OfferRows, config: Config) -> OfferEffect:
    """Doubly robust scores of these rows, by models of them alone."""
    settings = config.retention
    judge = new_effect(settings, rows.X.columns)
    judge.fit(
        rows.X, rows.y, offer=rows.offer, groups=rows.customer, propensity=settings.propensity
    )
    treated = np.array([one is not None for one in rows.offer])
    assigned = assignment_of(judge, treated, number_groups(rows.customer)[0])
    if not assigned.usable:
        raise DataError(f"offers.arm: {assigned.say()}", table="offers", column="arm")
    return judge


def _trial(judge: OfferEffect, rows: OfferRows, config: Config) -> PastOffers:
    offers = judge.offers_
    value = operator_value(rows.X, config.costs)
    each = [rows.cost[name] * rows.acceptance[name] for name in offers]
    cost = np.array(each) + config.costs.contact_cost
    scores = judge.scores_[offers].to_numpy()
    made = np.array([(rows.offer == name).sum() for name in offers], np.float64)
    return PastOffers(
        scores=scores,
        brought=-scores * value[:, None] - cost,
        value=value,
        cost=cost,
        usual=made / made.sum(),
        customers=number_groups(rows.customer)[0],
    )


def decide(effect: pd.DataFrame, offers: list[str], trial: PastOffers, name: str) -> Decisions:
    """What a model would offer to whom, and what that earns.

    Parameters
    ----------
    effect : DataFrame, shape (n, k)
        By the model, one column an offer that it knows.
    offers : list of str
        Of the trial, in its order.
    trial : PastOffers
    name : str
        Of the model, for the message.
    """
    known = [at for at, one in enumerate(offers) if one in effect]
    if not known:
        raise ModelError(
            f"{name}: knows {', '.join(map(str, effect.columns))}, but {', '.join(offers)} were "
            "offered since.",
            hint="Train a model of these offers.",
        )
    told = effect[[offers[at] for at in known]].to_numpy(np.float64)
    every = np.arange(len(told))
    gain = -told * trial.value[:, None] - trial.cost[known]
    best = np.array(known)[gain.argmax(axis=1)]
    treats = gain.max(axis=1) > 0
    suits = told.argmin(axis=1)
    value, moved = qini_influence(trial.scores[every, np.array(known)[suits]], -told[every, suits])
    return Decisions(
        treats=treats,
        earned=np.where(treats, trial.brought[every, best], 0.0),
        qini=value,
        qini_moved=moved,
    )


def _against(
    measure: str, own: Floats, other: Floats, trial: PastOffers, *, loses: bool = False
) -> Check:
    gain = mean_effect(own - other, trial.customers)
    passed, reason = _told(gain)
    if loses and gain.value < 0:
        passed, reason = False, "loses money"
    return Check(
        where=EVERYBODY,
        measure=measure,
        challenger=float(own.mean()),
        champion=float(other.mean()),
        gain=_estimate(gain),
        passed=passed,
        reason=reason,
    )


def _ranking(own: Decisions, other: Decisions, trial: PastOffers) -> Check:
    error = standard_error(own.qini_moved - other.qini_moved, trial.customers)
    gain = effect_of(own.qini - other.qini, error)
    passed, reason = _told(gain)
    return Check(
        where=EVERYBODY,
        measure=QINI,
        challenger=own.qini,
        champion=other.qini,
        gain=_estimate(gain),
        passed=passed,
        reason=reason,
    )


def _told(gain: Effect) -> tuple[bool, str]:
    if gain.high < 0:
        return False, "worse"
    return True, "better" if gain.low > 0 else "not shown worse"


def _estimate(effect: Effect) -> Estimate:
    return Estimate(effect.value, effect.low, effect.high, level=effect.level)


def _notes(own: Decisions, other: Decisions, trial: PastOffers, rows: OfferRows) -> tuple[str, ...]:
    told = [
        "Value: yuan a customer by doubly robust scores, if each model had decided; the "
        f"challenger would have treated {own.treats.mean():.0%}, the champion "
        f"{other.treats.mean():.0%} of {len(rows):,}."
    ]
    if SPENDING not in rows.X:
        told.append("No spending is known: every customer's value counts the same.")
    return tuple(told)
