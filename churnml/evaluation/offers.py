"""Three questions about offers, answered in words: do they work, for whom, and for money.

Every answer has an estimate, its interval, the rows and those who left. That there is no
evidence is an ordinary answer, and comes with what could have been seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.estimators import OfferEffect
from churnml.metrics.check_arrays import number_groups
from churnml.metrics.effects import Effect, Fifth, effect_of, effects_by_fifth, mean_effect, qini
from churnml.metrics.power import detectable_effect
from churnml.metrics.significance import auc_influence, below_zero, holm, standard_error

VerdictName = Literal["none", "same", "different", "harm"]
Floats = NDArray[np.float64]

OVERLAP = (0.02, 0.98)
_MOST_OUTSIDE = 0.2
_CLEAR_AUC = 0.52

SENTENCES: dict[str, tuple[str, str]] = {
    "none": (
        "No evidence that the offers change anything.",
        "没有证据表明这些优惠有任何作用。",
    ),
    "same": ("Offers work on average.", "优惠平均而言有效。"),
    "different": ("The offers work for some customers.", "这些优惠对部分客户有效。"),
    "harm": ("The offers drive customers away.", "这些优惠使客户流失。"),
}
"""Verdicts in English and Chinese."""
SAME_FOR_ALL = ("Nothing tells for whom more.", "看不出对谁更有效。")


def _span(effect: Effect) -> str:
    """An effect in points.

    >>> _span(effect_of(-0.01, 0.0025))
    '-1.00 (-1.49 to -0.51)'
    """
    return f"{100 * effect.value:+.2f} ({100 * effect.low:+.2f} to {100 * effect.high:+.2f})"


@dataclass(frozen=True, kw_only=True)
class OfferRow:
    """What is known of one offer.

    Attributes
    ----------
    offer : str
    treated, control, left_treated, left_control : int
    effect : Effect
        Of being offered it, accepted or not.
    p : float
        After Holm, over the offers.
    """

    offer: str
    treated: int
    control: int
    left_treated: int
    left_control: int
    effect: Effect
    p: float

    def works(self, significance: float = 0.05) -> bool:
        """Whether it is shown to keep customers."""
        return self.p < significance and self.effect.value < 0

    def to_dict(self) -> dict[str, Any]:
        """The row as plain data."""
        plain = ("offer", "treated", "control", "left_treated", "left_control")
        told = self.effect
        return {name: getattr(self, name) for name in plain} | {
            "effect": told.value,
            "effect_low": told.low,
            "effect_high": told.high,
            "p": self.p,
        }


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """How past offers were assigned.

    Attributes
    ----------
    auc : Effect
        How well what was known before tells who was treated; 0.5 where it was drawn by lot.
    by_lot : bool
        Whether nothing speaks against it.
    outside : float
        Share of the rows whose probability of treatment lies outside 2 to 98 %.
    """

    auc: Effect
    by_lot: bool
    outside: float

    @property
    def usable(self) -> bool:
        """Whether what was not drawn by lot can be corrected."""
        return self.by_lot or self.outside <= _MOST_OUTSIDE

    def say(self) -> str:
        """A sentence."""
        told = (
            f"AUC of who was treated {self.auc.value:.3f} ({self.auc.low:.3f} to "
            f"{self.auc.high:.3f})"
        )
        if self.by_lot:
            return f"Nothing speaks against a draw by lot: {told}."
        if self.usable:
            return (
                f"Past offers were not drawn by lot: {told}. Effects are corrected by the learned "
                f"probability of treatment, as far as columns show it; {self.outside:.0%} of the "
                "rows lie outside 2 to 98 %."
            )
        return (
            f"Past offers were not drawn by lot: {told}, and {self.outside:.0%} of the rows could "
            "hardly have been treated otherwise: no effect can be told."
        )


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What past offers show: the answers to the three questions.

    Attributes
    ----------
    name : {"none", "same", "different", "harm"}
    offers : list of OfferRow
    average : Effect
        Of the offers as they were made, each by its share.
    differs : Effect
        The QINI, in customers kept per customer of the base, with its one-sided chance.
    slope, slope_error : float
        Of doubly robust scores on predicted differences; 1 is right, 0 none.
    fifths : list of Fifth
    assignment : Assignment
    rows, left : int
    rate : float
        Of leaving without an offer.
    detectable : float
        The average effect that would have been seen with 80 %.
    """

    name: VerdictName
    offers: list[OfferRow]
    average: Effect
    differs: Effect
    slope: float
    slope_error: float
    fifths: list[Fifth]
    assignment: Assignment
    rows: int
    left: int
    rate: float
    detectable: float

    def say(self, lang: Literal["en", "zh"] = "en") -> str:
        """The verdict in words."""
        sentence = SENTENCES[self.name][0 if lang == "en" else 1]
        points, first, last = 100 * self.detectable, self.fifths[0], self.fifths[-1]
        if self.name == "none":
            treated = sum(one.treated for one in self.offers)
            if lang == "zh":
                return (
                    f"{sentence}{treated:,} 人获得优惠；"
                    f"{points:.2f} 个百分点以上的作用有 80 % 的把握能看到。"
                )
            return (
                f"{sentence} With {treated:,} treated, an effect above {points:.2f} points would "
                "have been seen with 80 %."
            )
        if self.name == "different":
            ends = [100 * one.effect.value for one in (first, last)]
            if lang == "zh":
                return (
                    f"{sentence}最有效的五分之一 {ends[0]:+.2f} 个百分点，"
                    f"最后五分之一 {ends[1]:+.2f} 个百分点。"
                )
            return f"{sentence} Top fifth {ends[0]:+.2f} points, last fifth {ends[1]:+.2f} points."
        zh = lang == "zh"
        proven = [f"{one.offer} {_span(one.effect)}" for one in self.offers if one.works()]
        if self.name == "same" and proven:
            told = f"{'；'.join(proven)} 个百分点。" if zh else f" {'; '.join(proven)} points. "
            return f"{sentence}{told}{SAME_FOR_ALL[1 if zh else 0]}"
        average = "个百分点（平均）。" if zh else "points on average."
        return f"{sentence} {_span(self.average)} {average}"

    def questions(self) -> list[dict[str, Any]]:
        """The first two questions, each with its answer."""
        works = min((one.p for one in self.offers), default=1.0)
        return [
            {
                "question": "Do the offers work on average?",
                "estimate": self.average.value,
                "low": self.average.low,
                "high": self.average.high,
                "p": min(works, self.average.p),
                "n": self.rows,
                "events": self.left,
            },
            {
                "question": "Do they work for some more than for others?",
                "estimate": self.differs.value,
                "low": self.differs.low,
                "high": self.differs.high,
                "p": self.differs.p_above,
                "n": self.rows,
                "events": self.left,
            },
        ]

    def to_dict(self) -> dict[str, Any]:
        """The answers as plain data."""
        return {
            "verdict": self.name,
            "says": {lang: self.say(lang) for lang in ("en", "zh")},
            "offers": [one.to_dict() for one in self.offers],
            "questions": self.questions(),
            "slope": self.slope,
            "fifths": [
                {
                    "place": one.place,
                    "rows": one.rows,
                    "predicted": one.predicted,
                    "effect": one.effect.value,
                    "low": one.effect.low,
                    "high": one.effect.high,
                }
                for one in self.fifths
            ],
            "assignment": self.assignment.say(),
            "by_lot": self.assignment.by_lot,
            "rows": self.rows,
            "left": self.left,
            "rate": self.rate,
            "detectable": self.detectable,
        }


def judge_offers(
    effect: OfferEffect,
    y: ArrayLike,
    offer: ArrayLike,
    groups: ArrayLike,
    *,
    significance: float = 0.05,
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
    """
    left = np.asarray(y, np.float64)
    given = np.asarray(offer, dtype=object)
    control = np.array([one is None or one != one for one in given])
    customers = number_groups(groups)[0]
    scores = effect.scores_[effect.offers_].to_numpy()
    rows = _offer_rows(effect, left, given, control, scores, customers)
    shares = np.array([one.treated for one in rows], np.float64)
    average = mean_effect(scores @ (shares / shares.sum()), customers)
    raw = effect.oof_raw_[effect.offers_].to_numpy()
    # Of each customer the effect of the offer that is said to suit best.
    best = raw.argmin(axis=1)
    every = np.arange(len(left))
    differs = qini(scores[every, best], -raw[every, best], customers)
    fifths = effects_by_fifth(
        scores[every, best], effect.oof_raw_.to_numpy()[every, best], customers
    )
    rate = float(left[control].mean())
    return Evidence(
        name=_name(rows, average, differs, fifths, significance),
        offers=rows,
        average=average,
        differs=differs,
        slope=effect.shrinkage_.slope,
        slope_error=effect.shrinkage_.slope_error,
        fifths=fifths,
        assignment=assignment_of(effect, ~control, customers),
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
    told = [mean_effect(scores[:, at], customers) for at in range(scores.shape[1])]
    adjusted = holm([one.p for one in told])
    return [
        OfferRow(
            offer=name,
            treated=int((offer == name).sum()),
            control=int(control.sum()),
            left_treated=int(left[offer == name].sum()),
            left_control=int(left[control].sum()),
            effect=one,
            p=float(p),
        )
        for name, one, p in zip(effect.offers_, told, adjusted, strict=True)
    ]


def _name(
    rows: list[OfferRow],
    average: Effect,
    differs: Effect,
    fifths: list[Fifth],
    significance: float,
) -> VerdictName:
    harmful = average.value > 0 and average.p < significance
    first = fifths[0].effect
    helped = below_zero(first.value, first.error) < significance
    if differs.p_above < significance and (helped or not harmful):
        return "different"
    if harmful:
        return "harm"
    # Each offer after Holm; all of them together is one test more, of the same question.
    if any(one.works(significance) for one in rows):
        return "same"
    return "none"


def assignment_of(
    effect: OfferEffect, treated: NDArray[np.bool_], customers: NDArray[np.int64]
) -> Assignment:
    """How the rows that an estimator was fitted to were assigned.

    Parameters
    ----------
    effect : OfferEffect
    treated : array of bool, shape (n,)
    customers : array of int, shape (n,)
    """
    chances = effect.propensity_.to_numpy()
    chance = 1 - chances[:, -1]
    area, moved = auc_influence(treated.astype(float), chance)
    error = standard_error(moved, customers)
    told = effect_of(area, error)
    clearly = error > 0 and (area - 0.5) / error > 2.576 and area > _CLEAR_AUC
    low, high = OVERLAP
    outside = float(((chance < low) | (chance > high)).mean())
    return Assignment(auc=told, by_lot=not clearly, outside=outside)
