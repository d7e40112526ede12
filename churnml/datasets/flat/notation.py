"""Read numbers in unusual notations in SQL."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from churnml.tables.source.engines.duckdb import literal

LIKE = {
    **{chr(0xFF10 + at): str(at) for at in range(10)},
    **dict.fromkeys("\u00a0\u202f\u2009\u2007\u3000\t", " "),
    **dict.fromkeys("\u2212\uff0d\u2013", "-"),
    **dict.fromkeys("\u2019\u02bc\uff07", "'"),
    "．": ".",
    "，": ",",
    "％": "%",
    "￥": "¥",
    "＋": "+",
    "（": "(",
    "）": ")",
    "：": ":",
}
"""Characters that stand for another one in numbers."""

SCALES = {
    "千": 1e3,
    "万": 1e4,
    "十万": 1e5,
    "百万": 1e6,
    "千万": 1e7,
    "亿": 1e8,
    "k": 1e3,
    "K": 1e3,
}
"""What multiplies a number, whatever its unit."""

CLOCK = {
    3: r"([+-]?)(?:([0-9]+) days?,? )?([0-9]+):([0-5][0-9]):([0-5][0-9](?:[.,][0-9]+)?)",
    2: r"([+-]?)()()([0-9]+):([0-5][0-9])",
}
"""Durations of so many parts: sign, days, and the parts that count 3600, 60 and 1."""


@dataclass(frozen=True, kw_only=True)
class Notation:
    """How a column's numbers are written.

    Attributes
    ----------
    decimal, group : str
        The marks before decimals and between thousands (or lakhs).
    before, after : str
        The unit, without blanks: currency signs may stand before.
    scaled : bool
        Whether 千, 万, 亿 or k may stand behind a number.
    brackets : bool
        Whether brackets mean a number below zero.
    clock : int
        The parts of durations such as ``00:12:35``; 0 for other numbers.
    """

    decimal: str = "."
    group: str = ""
    before: str = ""
    after: str = ""
    scaled: bool = False
    brackets: bool = False
    clock: int = 0

    @property
    def unit(self) -> str:
        """The unit beside the number."""
        return self.before + self.after

    @property
    def shown(self) -> str:
        """An example number in this notation, for messages."""
        if self.clock:
            return "00:12:35" if self.clock == 3 else "12:35"
        scale = "万" if self.scaled else ""
        parted = " " if self.after.isascii() and self.after[:1].isalpha() else ""
        return f"{self.before}1{self.group}234{self.decimal}5{scale}{parted}{self.after}"

    def sql(self, text: str) -> str:
        """SQL that reads a text as a number; null for any other notation."""
        plain = normalised(text)
        return self._clock(plain) if self.clock else self._number(plain)

    def _clock(self, text: str) -> str:
        pattern = literal(CLOCK[self.clock])

        def part(at: int) -> str:
            extracted = f"nullif(regexp_extract({text}, {pattern}, {at}), '')"
            return f"coalesce(try_cast(replace({extracted}, ',', '.') AS DOUBLE), 0)"

        if self.clock == 3:
            value = f"86400 * {part(2)} + 3600 * {part(3)} + 60 * {part(4)} + {part(5)}"
        else:
            value = f"60 * {part(4)} + {part(5)}"
        sign = f"CASE WHEN starts_with({text}, '-') THEN -1 ELSE 1 END"
        return f"CASE WHEN regexp_full_match({text}, {pattern}) THEN {sign} * ({value}) END"

    def _number(self, text: str) -> str:
        if self.brackets:
            inner = f"'-' || substr({text}, 2, length({text}) - 2)"
            text = f"CASE WHEN {text} LIKE '(%)' THEN {inner} ELSE {text} END"
        before, after = re.escape(self.before), re.escape(self.after)
        scale = "|".join(["", *SCALES]) if self.scaled else ""
        behind = "-?" if is_symbol(self.after) else ""
        pattern = literal(
            rf"^([+-]?) ?{before} ?([+-]?)({self.body()}) ?({scale}) ?({behind}) ?{after} ?"
            rf"({behind})$"
        )
        digits = f"regexp_replace({text}, {pattern}, '\\1\\2\\5\\6\\3')"
        if self.group:
            digits = f"replace({digits}, {literal(self.group)}, '')"
        if self.decimal != ".":
            digits = f"replace({digits}, {literal(self.decimal)}, '.')"
        value = f"try_cast({digits} AS DOUBLE)"
        if self.scaled:
            extracted = f"regexp_extract({text}, {pattern}, 4)"
            factors = " ".join(f"WHEN {literal(one)} THEN {by}" for one, by in SCALES.items())
            value += f" * CASE {extracted} {factors} ELSE 1 END"
        zero = f"WHEN regexp_full_match({text}, '0+') THEN 0.0 " if self.unit else ""
        return f"CASE {zero}WHEN regexp_full_match({text}, {pattern}) THEN {value} END"

    def body(self, digit: str = "[0-9]") -> str:
        """A pattern of digits and separators, without sign and unit."""
        point, mark = re.escape(self.decimal), re.escape(self.group)
        whole = f"{digit}+"
        if self.group:
            whole += f"|{digit}{{1,3}}(?:{mark}{digit}{{3}})+"
        if self.group == ",":
            whole += f"|{digit}{{1,2}}(?:,{digit}{{2}})+,{digit}{{3}}"
        return f"(?:(?:{whole})(?:{point}{digit}*)?|{point}{digit}+)(?:[eE][+-]?{digit}+)?"


def is_symbol(text: str) -> bool:
    """Whether a text is a currency sign, or nothing."""
    return all(unicodedata.category(one) == "Sc" for one in text)


def normalised(text: str) -> str:
    """SQL that normalises digits, minus signs and blanks.

    The text has to be free of blanks around it.
    """
    old, new = "".join(LIKE), "".join(LIKE.values())
    return f"trim(translate({text}, {literal(old)}, {literal(new)}))"
