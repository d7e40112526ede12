"""Sentences and numbers of the page in a language."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Any

from churnml.reports.words import Language, all_words, word
from churnml.service.small_cells import FEWEST

_WAN = 10_000
_NEAREST = 5


@dataclass(frozen=True, kw_only=True)
class Phrases:
    """How things are said in a language.

    Attributes
    ----------
    lang : {"en", "zh"}

    Examples
    --------
    >>> zh = Phrases(lang="zh")
    >>> zh.interval(76.2, 74.1, 78.3), zh.number(34567), zh.day(date(2026, 6, 1))
    ('76.2（74.1～78.3）', '3.46万', '2026年6月1日')
    >>> Phrases(lang="en").share(0.123)
    '12.3 %'
    """

    lang: Language

    def say(self, key: str, **values: Any) -> str:
        """A sentence of the section ``report``, filled in."""
        return str(all_words()["report"][key][self.lang]).format(**values)

    def name(self, section: str, key: Any) -> str:
        """A word of a section; the key itself where there is none."""
        return word(section, str(key), self.lang)

    def number(self, value: float, digits: int = 0) -> str:
        """A number; in Chinese in 万 from 10,000 on; a dash where it is missing."""
        if value is None or value != value:
            return "–"
        if self.lang == "zh" and abs(value) >= _WAN:
            return f"{value / _WAN:,.{1 if abs(value) >= 100 * _WAN else 2}f}万"
        return f"{value:,.{digits}f}"

    def people(self, count: int | float | None) -> str:
        """People in a part of all, to the nearest 5; ``<10`` where they are hidden."""
        if count is None or count != count:
            return f"<{FEWEST}"
        if count == 0:
            return "0"
        return self.number(max(_NEAREST * round(count / _NEAREST), FEWEST))

    def many(self, count: int | float | None) -> str:
        """That within a sentence."""
        if count is None or count != count:
            return self.say("fewer", fewest=FEWEST)
        return self.people(count)

    def share(self, value: float, digits: int = 1) -> str:
        """A share in percent."""
        if value != value:
            return "–"
        return f"{100 * value:.{digits}f}{'%' if self.lang == 'zh' else ' %'}"

    def points(self, value: float, *, signed: bool = False) -> str:
        """Points of 100."""
        if value != value:
            return "–"
        # A change that is written as 0 has no sign.
        told = round(value, 1) + 0.0
        return f"{told:+.1f}" if signed and told else f"{told:.1f}"

    def yuan(self, value: float) -> str:
        """Yuan."""
        if value != value:
            return "–"
        # In tens of thousands a tenth is exact enough, below them ten yuan.
        return self.say("yuan", value=self.number(round(value, -1)))

    def span(self, low: str, high: str) -> str:
        """From one to the other."""
        return f"{low}～{high}" if self.lang == "zh" else f"{low} to {high}"

    def around(self, value: str, low: str, high: str) -> str:
        """A value as text with its interval."""
        if "–" in (value, low, high):
            return value
        ends = self.span(low, high)
        return f"{value}（{ends}）" if self.lang == "zh" else f"{value} ({ends})"

    def interval(self, value: float, low: float, high: float, *, signed: bool = False) -> str:
        """Points with their interval."""
        told = (self.points(one, signed=signed) for one in (value, low, high))
        return self.around(*told)

    def money(self, value: float, low: float, high: float) -> str:
        """Yuan with their interval."""
        return self.around(self.yuan(value), *(self.number(round(one, -1)) for one in (low, high)))

    def measure(self, value: Any, unit: str) -> str:
        """A number in the unit of an indicator."""
        import pandas as pd

        number = math.nan if pd.isna(value) else float(value)
        if number != number:
            return "–"
        if unit == "share":
            return self.share(number)
        digits = 1 if abs(number) < 1000 else 0
        return self.number(number, digits)

    def measured(self, value: Any, low: Any, high: Any, unit: str) -> str:
        """That with its interval."""
        told = [self.measure(one, unit) for one in (value, low, high)]
        if "–" in told[1:] and told[0] != "–":
            told[1:] = ["?" if one == "–" else one for one in told[1:]]
        return self.around(*told)

    def day(self, day: date) -> str:
        """A date."""
        if self.lang == "zh":
            return f"{day.year}年{day.month}月{day.day}日"
        return day.isoformat()

    def month(self, day: date) -> str:
        """A month."""
        return f"{day.year}年{day.month}月" if self.lang == "zh" else f"{day:%Y-%m}"

    def listed(self, items: list[str]) -> str:
        """Some things in a row."""
        return ("、" if self.lang == "zh" else ", ").join(items)

    def sentence(self, parts: list[str]) -> str:
        """Parts joined to one sentence."""
        if self.lang == "zh":
            return "；".join(parts) + "。"
        text = "; ".join(parts)
        return text[:1].upper() + text[1:] + "."

    def standing(self, low: float, high: float) -> str:
        """Whether a change is told apart from none: higher, lower, unclear."""
        if low != low:
            return "unclear"
        return "higher" if low > 0 else "lower" if high < 0 else "unclear"
