"""What past offers teach: the estimator, the answers to the questions, and what a rule brought."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from churnml.base.dates import add_span, months_between
from churnml.config.settings import Config
from churnml.datasets.offers import OfferRows, new_effect
from churnml.errors import DataError, ModelError
from churnml.estimators import OfferEffect
from churnml.evaluation.evidence import Evidence
from churnml.evaluation.offers import judge_offers
from churnml.metrics.effects import Effect, mean_effect
from churnml.metrics.intervals import normal_quantile
from churnml.metrics.profit import customer_value
from churnml.registry.resolve import Resolved
from churnml.retention.chances import (
    Acceptance,
    Invitation,
    learn_acceptance,
    learn_invitation,
)
from churnml.retention.value import (
    customer_values,
    monthly_chances,
    offer_gain,
    survival_of_stayers,
)

Floats = NDArray[np.float64]

LEAST_ROWS = 10
"""Rows below which a mean is not told."""

# Not the tenure: it has grown since the past offers, for everybody.
_RANGES = ("arpu_mean_3m_yuan", "lifecycle_age_years")


@dataclass(frozen=True)
class Effects:
    """Effects of each offer on some customers; arrays of shape (n, offers).

    Attributes
    ----------
    effect, low, high : array
        Change of the probability of leaving, with its interval.
    """

    effect: Floats
    low: Floats
    high: Floats

    @property
    def harmed(self) -> Floats:
        """The chance that an offer makes a customer like this leave."""
        error = (self.high - self.low) / (2 * 1.96)
        return np.asarray(norm.cdf(self.effect / np.maximum(error, 1e-12)))


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What past offers taught.

    Attributes
    ----------
    rows : OfferRows
    estimator : OfferEffect
        Fitted to these rows: what they show, and what a rule would have brought.
    verdict : Evidence
    config : Config
    acceptance : Acceptance
    invitation : Invitation
    champion : Resolved or None
        The model by which effects are told; without it they are told by ``estimator``.
    explore : bool
        Whether offers are made without evidence, to learn from them.
    """

    rows: OfferRows
    estimator: OfferEffect
    verdict: Evidence
    config: Config
    acceptance: Acceptance
    invitation: Invitation
    champion: Resolved | None = None
    explore: bool = False

    @property
    def teller(self) -> OfferEffect:
        """The estimator by which effects are told."""
        if self.champion is None:
            return self.estimator
        return cast("OfferEffect", self.champion.model.estimator)

    @property
    def offers(self) -> list[str]:
        """The offers that were made in the past and have a known effect, sorted."""
        known = self.teller.offers_
        return [one for one in self.estimator.offers_ if one in known]

    @property
    def treats(self) -> bool:
        """Whether anybody is offered anything."""
        return self.verdict.name in ("same", "different") or (
            self.explore and self.verdict.name == "none"
        )

    @property
    def version(self) -> str:
        """The name and version of the model; of one that is not kept, a name by its content."""
        if self.champion is not None:
            return self.champion.version
        state, texts = self.estimator.to_state()
        content = repr(sorted(state["shrinkage"].items())) + "\0".join(texts)
        return f"offers/{hashlib.sha256(content.encode()).hexdigest()[:8]}"

    @property
    def worst_cost(self) -> Floats:
        """Yuan by offer, contact included, if everybody accepts."""
        each = [self.rows.cost[name] for name in self.offers]
        return np.array(each) + self.config.costs.contact_cost

    def mean_cost(self, acceptance: Floats) -> Floats:
        """Yuan by customer and offer, contact included, as often as it is accepted."""
        each = np.array([self.rows.cost[name] for name in self.offers])
        return acceptance * each + self.config.costs.contact_cost

    def past_cost(self, *, expected: bool = True) -> Floats:
        """What each offer to each row learned from would count as, shape (n, offers)."""
        if expected:
            return self.mean_cost(self.acceptance.past)
        return np.broadcast_to(self.worst_cost, self.acceptance.past.shape)

    def encoded(self, X: pd.DataFrame) -> NDArray[np.float32]:
        """The columns as the trees read them."""
        return self.estimator.encoded(X)

    def effects(self, X: pd.DataFrame, chance: Floats) -> Effects:
        """The effects on customers.

        Where nothing tells for whom an offer works more, it keeps the same share of those
        who would leave and accept it: its effect is in proportion to both probabilities.

        Parameters
        ----------
        X : DataFrame, shape (n, k)
        chance : array, shape (n,)
            Probability of leaving without an offer.
        """
        if self.verdict.name == "different":
            low, high = self.teller.effect_interval(X, chance=chance)
            each = (self.teller.effect(X, chance=chance), low, high)
            return Effects(*(one[self.offers].to_numpy() for one in each))
        return self._in_proportion(chance, self.acceptance.predict(self.encoded(X)))

    def _in_proportion(self, chance: Floats, acceptance: Floats) -> Effects:
        # Who would hardly accept costs little, and is hardly kept either.
        likely = acceptance / np.maximum(self.acceptance.share, 1e-9)
        mean = self.teller.mean_effect_[self.offers].to_numpy()
        half = normal_quantile() * self.teller.mean_error_[self.offers].to_numpy()
        parts = [
            np.clip(
                np.outer(chance, ends) * likely / self.verdict.rate,
                -chance[:, None],
                1 - chance[:, None],
            )
            for ends in (mean, mean - half, mean + half)
        ]
        return Effects(*parts)

    def gains(self, effects: Effects, value: Floats, acceptance: Floats) -> Floats:
        """Expected gains, yuan, shape (n, offers); minus infinity for offers without evidence."""
        found = offer_gain(
            effects.effect,
            value,
            acceptance=acceptance,
            cost=np.array([self.rows.cost[name] for name in self.offers]),
            contact=self.config.costs.contact_cost,
        )
        if self.verdict.name == "same":
            level = self.config.retention.significance
            proven = [one.works(level) for one in self.verdict.offers if one.offer in self.offers]
            found = np.where(proven, found, -np.inf)
        return found

    def past_effects(self) -> Effects:
        """The effects on the rows learned from, by models that had not seen their customers."""
        if self.verdict.name == "different":
            told = self.estimator.oof_effect_[self.offers].to_numpy()
            return Effects(told, told, told)
        return self._in_proportion(self.estimator.control_, self.acceptance.past)

    def past_values(self) -> Floats:
        """What the customers of the rows learned from were worth, had they stayed."""
        chance = self.estimator.control_
        within = monthly_chances(chance, window_months(self.config.retention.horizon))
        return stay_values(monthly_margin(self.rows.X, self.config), within, self.config)

    def brought(self) -> Floats:
        """What each offer to each row brought, told without bias, yuan, shape (n, offers)."""
        scores = self.estimator.scores_[self.offers].to_numpy()
        return -scores * self.past_values()[:, None] - self.past_cost()

    def rule(self, price: float, contact_price: float, cost: Floats) -> NDArray[np.int64]:
        """Which offer each row learned from would get at these prices; -1 for none."""
        gain = self.gains(self.past_effects(), self.past_values(), self.acceptance.past)
        worth = np.where(gain > 0, gain - price * cost - contact_price, -np.inf)
        best = worth.argmax(axis=1)
        return np.where(worth[np.arange(len(best)), best] > 0, best, -1)

    def honest(
        self, chosen: NDArray[np.int64], among: NDArray[np.bool_] | None = None
    ) -> Effect | None:
        """The mean gain of those a rule chose, from doubly robust scores; None of too few."""
        who = chosen >= 0
        who = who if among is None else who & among
        if who.sum() < LEAST_ROWS:
            return None
        rows = np.flatnonzero(who)
        return mean_effect(self.brought()[rows, chosen[rows]], self.rows.customer[rows])

    def worth_money(self) -> dict[str, Any]:
        """The third question: yuan a customer by the rule, against three other ways."""
        gained = self.brought()
        chosen = self.rule(0.0, 0.0, self.past_cost())
        who, count = np.flatnonzero(chosen >= 0), int((chosen >= 0).sum())
        ruled = np.zeros(len(chosen))
        ruled[who] = gained[who, chosen[who]]
        used = np.bincount(chosen[who], minlength=len(self.offers)) / max(count, 1)
        each = gained @ used
        at_risk = self.estimator.control_ * self.past_values()
        risky = np.zeros(len(chosen))
        top = np.argsort(-at_risk, kind="stable")[:count]
        risky[top] = each[top]
        others = {
            "nobody": np.zeros(len(chosen)),
            "value_at_risk": risky,
            "random": each * (count / max(len(chosen), 1)),
        }
        against = {
            name: mean_effect(ruled - other, self.rows.customer) for name, other in others.items()
        }
        return {
            "question": {"en": "Is it worth money?", "zh": "划不划算？"},
            "answer": _worth(against),
            "n": len(chosen),
            "chosen": count,
            "events": self.verdict.left,
            "against": {name: one.to_dict() for name, one in against.items()},
        }

    def extrapolated(self, X: pd.DataFrame, matrix: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which customers are like nobody who was ever offered anything.

        They are less likely to be invited than ninety-nine of a hundred of those who were,
        their ARPU or age lies outside the range of the rows learned from, or they have a
        brand or a way to pay that none of these had.

        Parameters
        ----------
        X : DataFrame, shape (n, k)
        matrix : array of float32, shape (n, m)
            The same as the trees read it.
        """
        beyond = self.invitation.unlike(matrix)
        for name in _RANGES:
            if name in X and name in self.rows.X:
                known = self.rows.X[name].astype(float)
                given = X[name].astype(float)
                beyond |= ((given < known.min()) | (given > known.max())).to_numpy(bool)
        for name in ("lifecycle_brand", "lifecycle_payment"):
            if name in X and name in self.rows.X:
                given = X[name].astype(object)
                known_values = set(self.rows.X[name].dropna().astype(str))
                beyond |= (given.notna() & ~given.astype(str).isin(known_values)).to_numpy(bool)
        return beyond


def learn(
    rows: OfferRows, config: Config, *, champion: Resolved | None = None, explore: bool = False
) -> Learned:
    """Answer the questions from past offers, and fit effects where no model tells them.

    Parameters
    ----------
    rows : OfferRows
    config : Config
    champion : Resolved, optional
        A model of the task offers.
    explore : bool, default False

    Raises
    ------
    DataError
        Past offers that were not drawn by lot, and leave nobody to compare with.
    ModelError
        A model that knows none of the offers that were made.
    """
    settings = config.retention
    estimator = new_effect(settings, rows.X.columns)
    estimator.fit(
        rows.X,
        rows.y,
        offer=rows.offer,
        groups=rows.customer,
        propensity=settings.propensity,
        accepted=rows.accepted,
    )
    verdict = judge_offers(
        estimator,
        rows.y,
        rows.offer,
        rows.customer,
        significance=settings.significance,
        propensity=settings.propensity,
    )
    if not verdict.assignment.usable:
        raise DataError(
            f"offers.arm: {verdict.assignment.say()}",
            hint="Draw the arm of some offers by lot, and learn from those.",
            table="offers",
            column="arm",
        )
    known = [one for one in estimator.offers_ if champion is None or one in _offers_of(champion)]
    if champion is not None and not known:
        raise ModelError(
            f"{champion.version} knows {', '.join(_offers_of(champion))}, but "
            f"{', '.join(estimator.offers_)} were offered.",
            hint="Train a model of these offers with churnml train offers.",
        )
    matrix = estimator.encoded(rows.X)
    draw = {"folds": settings.folds, "seed": settings.seed}
    return Learned(
        acceptance=learn_acceptance(rows, matrix, known, **draw),
        invitation=learn_invitation(rows, estimator, **draw),
        rows=rows,
        estimator=estimator,
        verdict=verdict,
        config=config,
        champion=champion,
        explore=explore,
    )


def _worth(against: Mapping[str, Effect]) -> dict[str, str]:
    """Whether the rule earns more than nobody, value at risk and a draw by lot, in words."""
    nobody = against["nobody"]
    place = (nobody.low > 0) - (nobody.high < 0)
    english = {1: "Yes", 0: "It cannot be told", -1: "No"}[place]
    chinese = {1: "划算", 0: "尚无法判断", -1: "不划算"}[place]
    told = [f"{one.value:+.2f} ({one.low:+.2f} to {one.high:+.2f})" for one in against.values()]
    return {
        "en": f"{english}: yuan a customer against nobody {told[0]}, as many by value at risk "
        f"{told[1]}, by lot {told[2]}.",
        "zh": f"{chinese}：每位客户的收益（元）与不做相比 {told[0]}，与按风险价值选同样多人相比 "
        f"{told[1]}，与随机选同样多人相比 {told[2]}。",
    }


def _offers_of(found: Resolved) -> list[str]:
    return cast("OfferEffect", found.model.estimator).offers_


def window_months(span: str) -> int:
    """Whole months of a span, at least one.

    >>> window_months("2mo"), window_months("60d"), window_months("10d")
    (2, 2, 1)
    """
    from datetime import date

    if span.endswith("mo"):
        return max(months_between(date(2026, 1, 1), add_span(date(2026, 1, 1), span)), 1)
    return max(round(int(span[:-1]) / 30), 1)


def monthly_margin(X: pd.DataFrame, config: Config) -> Floats:
    """The profit a month that each customer's spending means, yuan."""
    name = f"arpu_mean_{config.tiers.arpu_months}m_yuan"
    spending = X[name].astype(float) if name in X else np.full(len(X), np.nan)
    months = config.costs.months_kept
    return customer_value(spending, config.costs) / months if len(X) else np.zeros(0)


def stay_values(margin: Floats, within: Floats, config: Config) -> Floats:
    """What customers are worth if they stay through the window, yuan."""
    settings = config.retention
    survival = survival_of_stayers(
        within, window=window_months(settings.horizon), months=settings.value_months
    )
    return customer_values(margin, survival, rate=settings.interest)
