"""Reasons of a score as sentences, from the declarations of the features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from churnml.base.tasks import TASKS
from churnml.features import Feature
from churnml.features import declared as all_declared
from churnml.reports.words import Language, all_words, meaning, word

_SCORE, _DAYS = "service_survey_last_score_points", "service_survey_last_days"
_LONG_WAIT = 120
_LEVELS = {
    "tier_individual": ("standard", "silver", "gold", "diamond"),
    "tier_group": (None, "C", "B", "A"),
}


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One reason of a score, as `churnml.score` gives it.

    Attributes
    ----------
    feature : str
    value : str or None
        As `churnml.scoring.reasons.shown` writes it; ``None`` where it is missing.
    raises : bool
        Whether it raises the score.
    """

    feature: str
    value: str | None
    raises: bool


@cache
def declared() -> Mapping[str, Feature]:
    """Every declared feature by its name."""
    return {one.name: one for one in all_declared()}


@lru_cache(maxsize=200_000)
def sentence(
    task: str,
    reason: Reason,
    lang: Language,
    days: str | None = None,
    feature: Feature | None = None,
) -> str:
    """A reason as a sentence.

    Parameters
    ----------
    task : {"churn", "satisfaction"}
        Whose score it explains.
    reason : Reason
    lang : {"en", "zh"}
    days : str, optional
        Days since the last survey was answered, to stand beside its score.
    feature : Feature, optional
        The declaration, of a feature that is not churnml's own.

    Examples
    --------
    >>> print(sentence("churn", Reason(feature="service_survey_last_score_points", value="40",
    ...                                raises=True), "en", days="63"))
    Last survey score 40 of 100, 63 days ago; raises the risk of leaving
    >>> print(sentence("churn", Reason(feature="arpu_mean_3m_yuan", value="128.4", raises=False),
    ...                "zh"))
    近3个月月均消费：128.4元，离网风险下降
    >>> print(sentence("satisfaction", Reason(feature="Contract", value="Two year", raises=True),
    ...                "en"))
    Contract: Two year; raises satisfaction
    """
    effect = word("effects", f"{task}_{'up' if reason.raises else 'down'}", lang)
    texts = all_words()["sentences"]
    if reason.feature == _SCORE and days is not None and reason.value is not None:
        return str(texts["survey"][lang]).format(score=reason.value, days=days, effect=effect)
    feature = feature or declared().get(reason.feature)
    what = reason.feature if feature is None else feature.subject(lang)
    said = _meaning(feature, reason.value, lang)
    if said is not None:
        return str(texts["meaning"][lang]).format(what=what, meaning=said, effect=effect)
    value = _value(feature, str(reason.value), lang)
    return str(texts["reason"][lang]).format(what=what, value=value, effect=effect)


def _meaning(feature: Feature | None, value: str | None, lang: Language) -> str | None:
    """What a missing value or a 0 says, where the declaration tells."""
    if value is None:
        text = "" if feature is None else feature.null
        if feature is not None and lang == "zh" and feature.null_zh:
            return feature.null_zh
        return meaning(text, lang) if text else word("sentences", "missing", lang)
    if value == "0" and feature is not None and feature.zero:
        return feature.zero_zh if lang == "zh" and feature.zero_zh else meaning(feature.zero, lang)
    return None


def _value(feature: Feature | None, value: str, lang: Language) -> str:
    if feature is None:
        return value
    if feature.kind == "category":
        section = "tiers" if feature.name.startswith("tier_") else "categories"
        if feature.definition or value not in all_words()[section]:
            return value
        return word(section, value, lang)
    number = float(value)
    if feature.unit == "level":
        return _level(feature.name, number, lang)
    unit, number = _readable(feature.unit, number)
    written = _number(number, unit, lang)
    if lang == "zh" and feature.unit_zh and unit == feature.unit:
        return f"{written}{feature.unit_zh}"
    entry = all_words()["units"].get(unit)
    if entry is None:
        # A unit of one's own, as its owner writes it.
        own = unit if feature.definition else ""
        return f"{written} {own}".strip() if own.isascii() else f"{written}{own}"
    form = entry.get(1, entry["en"]) if lang == "en" and written == "1" else entry[lang]
    return str(form).format(value=written)


def _level(name: str, number: float, lang: Language) -> str:
    for beginning, levels in _LEVELS.items():
        if name.startswith(beginning) and number.is_integer() and 0 <= number < len(levels):
            level = levels[int(number)]
            return word("tiers", level, lang) if level else f"{number:g}"
    return f"{number:.3g}"


def _readable(unit: str, number: float) -> tuple[str, float]:
    """A unit in which people would say the number."""
    if unit == "seconds" and abs(number) >= _LONG_WAIT:
        return "minutes", number / 60
    if unit == "share":
        return unit, number * 100
    return unit, number


def _number(number: float, unit: str, lang: Language = "en") -> str:
    """A number with as many digits as people can use.

    >>> _number(1234.567, "yuan"), _number(12.345, "share"), _number(0.6234, "ratio")
    ('1,234.6', '12', '0.62')
    >>> _number(34567, "yuan", "zh")
    '3.5万'
    """
    if lang == "zh" and abs(number) >= 10_000:
        return f"{number / 10_000:.1f}万"
    if unit == "share":
        return f"{number:.0f}"
    if unit == "ratio":
        return f"{number:.2f}"
    if float(number).is_integer() or abs(number) >= 10_000:
        return f"{number:,.0f}"
    return f"{number:,.1f}" if abs(number) >= 1 else f"{number:.2g}"


def tasks_explained() -> list[str]:
    """The tasks whose scores have reasons.

    >>> tasks_explained()
    ['churn', 'satisfaction']
    """
    return [name for name, task in TASKS.items() if task.reasons]
