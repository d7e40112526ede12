"""What past offers show: three questions, answered in words with estimates and intervals.

That there is no evidence is an ordinary answer, and comes with what could have been seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from churnml.metrics.effects import Effect, Fifth

VerdictName = Literal["none", "same", "different", "harm"]

_MOST_OUTSIDE = 0.2

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
WORKS = {"en": "Do the offers work?", "zh": "优惠有没有用？"}
FOR_WHOM = {
    "en": "Do they work for some customers more than for others?",
    "zh": "对某些客户是否更有用？",
}
SAME_FOR_ALL = ("Nothing tells for whom more.", "看不出对谁更有效。")


def _span(effect: Effect) -> str:
    """An effect in points.

    >>> _span(Effect(value=-0.01, error=0.0025, low=-0.0149, high=-0.0051))
    '-1.00 (-1.49 to -0.51)'
    """
    return f"{100 * effect.value:+.2f} ({100 * effect.low:+.2f} to {100 * effect.high:+.2f})"


def _chance(p: float) -> str:
    """A chance as readers know it.

    >>> _chance(0.0231), _chance(0.00001)
    ('p = 0.023', 'p < 0.001')
    """
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


@dataclass(frozen=True, kw_only=True)
class OfferRow:
    """What is known of one offer.

    Attributes
    ----------
    offer : str
    treated, control, left_treated, left_control : int
    effect : Effect
        Of being offered it, accepted or not: doubly robust, narrower than the plain difference
        where columns tell who leaves, and right too where offers were not drawn by lot.
    difference : Effect or None
        The share that left of those offered it, less that of control, as counted; None of one
        customer alone.
    p : float
        After Holm, over the offers.
    """

    offer: str
    treated: int
    control: int
    left_treated: int
    left_control: int
    effect: Effect
    difference: Effect | None
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
            **_difference(self.difference),
            "p": self.p,
        }


def _difference(told: Effect | None) -> dict[str, float | None]:
    names = ("difference", "difference_error", "difference_low", "difference_high")
    ends = (None,) * 4 if told is None else (told.value, told.error, told.low, told.high)
    return dict(zip(names, ends, strict=True))


@dataclass(frozen=True, kw_only=True)
class Slope:
    """How far doubly robust scores bear out the differences that are predicted for an offer.

    Both are in units of risk, so that customers at little risk do not drown the others.

    Attributes
    ----------
    offer : str
    value, error : float
        1 where differences are as large as predicted, 0 where there are none.
    p : float
        One-sided, after Holm over the offers.
    """

    offer: str
    value: float
    error: float
    p: float


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
    ratio_p : float or None
        The chance of arms as unequal as these where the planned share is known.
    """

    auc: Effect
    by_lot: bool
    outside: float
    ratio_p: float | None = None

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
            arms = "" if self.ratio_p is None else f", arms as planned with p = {self.ratio_p:.2f}"
            return f"Nothing speaks against a draw by lot: {told}{arms}."
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
    differs_p : float
        The chance of differences as clear as these, of any offer, where there are none.
    slopes : list of Slope
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
    differs_p: float
    slopes: list[Slope]
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
        """The first two questions, each with its answer in English and Chinese."""
        # The chances of what is asked: that an offer keeps, that all together drive away.
        works = min(
            self.average.p if self.average.value > 0 else 1.0,
            *(one.p for one in self.offers if one.effect.value < 0),
            1.0,
        )
        asked = (
            (WORKS, self.average, works, self._works()),
            (FOR_WHOM, self.differs, self.differs_p, self._for_whom()),
        )
        return [
            {
                "question": question,
                "answer": answer,
                "estimate": told.value,
                "low": told.low,
                "high": told.high,
                "p": p,
                "n": self.rows,
                "events": self.left,
            }
            for question, told, p, answer in asked
        ]

    def _works(self) -> dict[str, str]:
        proven = [f"{one.offer} {_span(one.effect)}" for one in self.offers if one.works()]
        counts = (
            f" ({self.rows:,} past offers, {self.left:,} left)",
            f"（历史优惠 {self.rows:,} 次，离网 {self.left:,} 人）",
        )
        if proven:
            told = f"Yes: {'; '.join(proven)} points", f"有效：{'；'.join(proven)} 个百分点"
        elif self.name == "harm":
            told = (
                f"They drive customers away: {_span(self.average)} points",
                f"反而使客户流失：{_span(self.average)} 个百分点",
            )
        else:
            points = 100 * self.detectable
            told = (
                f"No evidence: {_span(self.average)} points; {points:.2f} would have been seen "
                "with 80 %",
                f"没有证据：{_span(self.average)} 个百分点；达到 {points:.2f} 个百分点时有 80 % "
                "的把握能看到",
            )
        return {"en": f"{told[0]}{counts[0]}.", "zh": f"{told[1]}{counts[1]}。"}

    def _for_whom(self) -> dict[str, str]:
        first, last = (_span(self.fifths[at].effect) for at in (0, -1))
        shown = self.name == "different"
        return {
            "en": f"{'Yes' if shown else 'No evidence'}: the fifth that is told to gain most "
            f"{first}, the last fifth {last} points ({_chance(self.differs_p)}).",
            "zh": f"{'有差异' if shown else '没有证据'}：预计最有效的五分之一 {first}，"
            f"最后五分之一 {last} 个百分点（{_chance(self.differs_p)}）。",
        }

    def to_dict(self) -> dict[str, Any]:
        """The answers as plain data."""
        return {
            "verdict": self.name,
            "says": {lang: self.say(lang) for lang in ("en", "zh")},
            "offers": [one.to_dict() for one in self.offers],
            "questions": self.questions(),
            "slope": min(self.slopes, key=lambda one: one.p).value,
            "slopes": [dict(vars(one)) for one in self.slopes],
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
            "outside_overlap": self.assignment.outside,
            "rows": self.rows,
            "left": self.left,
            "rate": self.rate,
            "detectable": self.detectable,
        }
