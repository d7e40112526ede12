"""How well a column's values fit a column of the contract, and how they are to be read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction

from churnml.datasets.drafting.facts import Facts
from churnml.datasets.drafting.layouts import ISO
from churnml.datasets.drafting.lexicon import Phrase, Unit, folded, lexicon
from churnml.datasets.drafting.names import DIMENSIONS
from churnml.tables.contract import KNOWN_AT, ColumnSpec

_NEARLY_ALL = 0.98
_SHOWN = 6
_MANY, _LOADS = 30, 2
_SECONDS = {"s": Fraction(60)}
_NATIVE = {"true", "t", "yes", "y", "1", "false", "f", "no", "n", "0"}
_PLAUSIBLE = {
    "bills.amount": (5, 3_000),
    "bills": (0.2, 3_000),
    "offers": (1, 3_000),
    "usage.voice_minutes": (10, 3_000),
    "min": (0.3, 3_000),
    "contacts.wait_seconds": (3, 3_600),
    "contacts.service_seconds": (5, 7_200),
    "MB": (50, 300_000),
    "Mbit/s": (0.5, 2_000),
}
"""Where the median of the values above zero lies, in the contract's units."""

_GUESSES = {
    "money": ("元", "分", "厘"),
    "time": ("分钟", "秒"),
    "data": ("mb", "kb", "gb", "bytes"),
    "speed": ("mbps", "kbps"),
}
_IDS = ("customer_id", "payer_id", "household_id", "group_id", "hall_id")


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How a column is to be read as one of the contract.

    Attributes
    ----------
    share : float
        0 to 1: how well its values agree.
    doubts : tuple of str
        What is to be checked.
    format : str
    scale : str
        A number or fraction; empty where the unit is the contract's.
    values : dict of str to str
        Their codes: the contract's.
    unknown : tuple of str
        Codes that nothing explains.
    """

    share: float = 1.0
    doubts: tuple[str, ...] = ()
    format: str = ""
    scale: str = ""
    values: dict[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    def doubting(self, doubt: str, share: float = 0.7) -> Fit:
        """The same with one more doubt."""
        return replace(self, share=min(self.share, share), doubts=(*self.doubts, doubt))


def fit(facts: Facts, phrase: Phrase, table: str, column: ColumnSpec, *, key: bool) -> Fit:
    """Judge a column's values, and find out how to read them.

    Parameters
    ----------
    facts : Facts
    phrase : Phrase
        Its name, which may tell a unit.
    table : str
    column : ColumnSpec
    key : bool
        Whether its values name the rows of an event table.
    """
    if not facts.values:
        return Fit(share=0.8, doubts=("it holds no value, so only the name speaks for it",))
    place = f"{table}.{column.name}"
    if column.kind in ("date", "month", "timestamp"):
        found = _dates(facts, column)
        days = {one[:10] for one in facts.values}
        if column.name == KNOWN_AT.name and len(facts.values) > _MANY and len(days) <= _LOADS:
            found = found.doubting("all rows came at once, so none counts as known before", 0.8)
    elif place in lexicon().codes:
        found = _codes(facts, place, column, phrase)
    elif column.kind == "boolean":
        found = _booleans(facts)
    elif column.kind in ("number", "integer"):
        found = _numbers(facts, phrase, place, column)
    else:
        found = _texts(facts, column, key=key)
    if column.required and not column.nullable and not column.unless and facts.filled < 0.95:
        found = found.doubting(f"{1 - facts.filled:.0%} of its values are missing")
    return found


def _dates(facts: Facts, column: ColumnSpec) -> Fit:
    if facts.typed == "date":
        return Fit()
    ways = facts.layouts.ways
    if not ways:
        return Fit(share=0.1, doubts=(f"values such as {_some(facts)} are not read as dates",))
    found = Fit(format=ways[0])
    if len(ways) > 1:
        found = found.doubting(f"dates may be {' or '.join(ways)}")
    if "%y" in ways[0]:
        found = found.doubting("years of two digits: check the century")
    if facts.layouts.zoned:
        found = found.doubting("timestamps with a zone: set timezone above to the local one")
    if column.kind == "month" and not facts.layouts.first_days:
        found = found.doubting("not every date is the first day of its month")
    if column.kind == "timestamp" and ways[0] in ("%Y%m", "%Y-%m", "%Y/%m"):
        found = found.doubting("months, where a moment is expected", 0.4)
    if facts.never:
        listed = ", ".join(facts.never)
        found = found.doubting(f"{listed} seems to mean never, and is listed in nulls above", 0.9)
    return replace(found, format="" if ways[0] == ISO else ways[0])


def _codes(facts: Facts, place: str, column: ColumnSpec, phrase: Phrase) -> Fit:
    known = lexicon().codes[place]
    levels = facts.levels
    if not levels:
        return Fit(share=0.2, doubts=(f"many different values, such as {_some(facts)}",))
    if column.kind == "integer" and facts.numeric >= _NEARLY_ALL:
        return _graded(facts, column, phrase)
    values = {one: known[folded(one)] for one in levels if folded(one) in known}
    unknown = tuple(one for one in levels if one not in values)
    found = Fit(values={own: ours for own, ours in values.items() if own != ours}, unknown=unknown)
    if unknown and column.codes:
        share = 0.5 if not values else 0.7
        return found.doubting(f"say what these codes mean: {_listed(unknown)}", share)
    if unknown:
        return found.doubting(f"these are left as they are: {_listed(unknown)}", 0.8)
    twice = len(set(values.values())) < len(values)
    return found.doubting("several codes become one", 0.9) if twice else found


def _graded(facts: Facts, column: ColumnSpec, phrase: Phrase) -> Fit:
    if facts.numbers[0] < 1 or facts.numbers[-1] > 3:
        return Fit(share=0.5, doubts=(f"numbers beyond 1 to 3: {_listed(facts.levels)}",))
    if phrase.plain == column.name:
        return Fit()
    return Fit(share=0.9, doubts=("3 must be the gravest",))


def _booleans(facts: Facts) -> Fit:
    if facts.typed == "boolean":
        return Fit()
    known = lexicon().codes["boolean"]
    levels = facts.levels
    if not levels or len(levels) > 3:
        return Fit(share=0.1, doubts=(f"values such as {_some(facts)} are not yes or no",))
    values = {one: known[folded(one)] for one in levels if folded(one) in known}
    unknown = tuple(one for one in levels if one not in values)
    given = {own: ours for own, ours in values.items() if own.strip().lower() not in _NATIVE}
    if unknown:
        doubt = f"say which of these is true: {_listed(levels)}"
        return Fit(share=0.5, doubts=(doubt,), unknown=unknown, values=given)
    return Fit(values=given)


def _numbers(facts: Facts, phrase: Phrase, place: str, column: ColumnSpec) -> Fit:
    if facts.numeric < _NEARLY_ALL:
        doubt = f"values such as {_some(facts)} are not plain numbers"
        return Fit(share=0.15 if facts.numeric < 0.5 else 0.5, doubts=(doubt,))
    if facts.grouped and not any("." in one for one in facts.grouped):
        doubt = f"{facts.grouped[0]} is read as {facts.grouped[0].replace(',', '')}"
        return _in_range(facts, phrase, place, column).doubting(doubt)
    return _in_range(facts, phrase, place, column)


def _in_range(facts: Facts, phrase: Phrase, place: str, column: ColumnSpec) -> Fit:
    dimension = DIMENSIONS.get(column.unit)
    found = Fit() if dimension is None else _unit(facts, phrase, place, column)
    factor = float(Fraction(found.scale or "1"))
    low = -1e300 if column.low is None else column.low
    high = 1e300 if column.high is None else column.high
    outside = sum(not low <= one * factor <= high for one in facts.numbers) / len(facts.numbers)
    if outside > 1 - _NEARLY_ALL:
        found = found.doubting(f"{outside:.0%} of its values lie outside {low:g} to {high:g}", 0.2)
    if column.kind == "integer" and facts.fractional > 1 - _NEARLY_ALL and not found.scale:
        found = found.doubting("whole numbers expected", 0.3)
    if _dated(facts) and column.unit not in ("year",):
        found = found.doubting("its values may be dates", 0.3)
    return found


def _dated(facts: Facts) -> bool:
    return bool(facts.layouts.ways) and facts.layouts.ways[0] not in ("%Y.%m",)


def _unit(facts: Facts, phrase: Phrase, place: str, column: ColumnSpec) -> Fit:
    """The unit that the name tells or the values suggest."""
    dimension = DIMENSIONS[column.unit]
    units = lexicon().units[dimension]
    times = _SECONDS.get(column.unit, Fraction(1))
    low, high = _plausible(place, column)
    middle = facts.middle()
    told = phrase.units.get(dimension)
    if told is not None:
        found = Fit(scale=_written(told.factor * times))
        if middle is not None and not low <= middle * float(told.factor * times) <= high:
            return found.doubting(f"{middle:g} {told.name} is unusual as a median: check the unit")
        if told.name in ("fen", "li", "bytes") and facts.fractional > 1 - _NEARLY_ALL:
            return found.doubting(f"fractions of a {told.name}: check the unit")
        if dimension == "data" and told.factor != 1:
            return found.doubting(f"1 MB = 1024 KB is taken for {told.name}; or is it 1000?", 0.9)
        return found
    if phrase.plain == column.name and dimension == "money" and _in_yuan(facts, low, high):
        return Fit()
    guesses = [units[one] for one in _GUESSES[dimension]]
    if column.unit == "s":
        guesses.reverse()
    likely = [
        one
        for one in guesses
        if middle is None or low <= middle * float(one.factor * times) <= high
    ] or guesses[:1]
    best = _whole_money(facts, likely) if dimension == "money" else likely[0]
    found = Fit(scale=_written(best.factor * times))
    if dimension == "money" and best.name == "yuan" and _in_yuan(facts, low, high):
        return found
    return found.doubting(f"the unit is not told; {best.name} is taken", 0.9)


def _whole_money(facts: Facts, likely: list[Unit]) -> Unit:
    """Fen where all are whole numbers that are large as yuan."""
    middle = facts.middle() or 0
    fen = next((one for one in likely if one.name == "fen"), None)
    return fen if fen and facts.fractional == 0 and middle >= 1_000 else likely[0]


def _in_yuan(facts: Facts, low: float, high: float) -> bool:
    """Whether amounts are of yuan: with fractions, which fen have not, and of cents at most."""
    middle = facts.middle()
    fine = sum(abs(one * 100 - round(one * 100)) < 1e-6 for one in facts.numbers)
    return (
        facts.fractional > 0.3
        and fine >= _NEARLY_ALL * len(facts.numbers)
        and middle is not None
        and low <= middle <= high
    )


def _plausible(place: str, column: ColumnSpec) -> tuple[float, float]:
    table = place.split(".")[0]
    for key in (place, column.unit, table):
        if key in _PLAUSIBLE:
            return _PLAUSIBLE[key]
    return 0.0, float("inf")


def _texts(facts: Facts, column: ColumnSpec, *, key: bool) -> Fit:
    dated = facts.typed == "date" or (
        bool(facts.layouts.ways) and facts.numeric < 0.5 and facts.layouts.ways[0] != "%Y.%m"
    )
    if dated:
        return Fit(share=0.2, doubts=(f"values such as {_some(facts)} are dates",))
    if key and not facts.unique:
        return Fit(share=0.6, doubts=("values occur twice, where each row needs its own",))
    if facts.typed == "boolean":
        return Fit(share=0.3, doubts=("true or false, where a text is expected",))
    if facts.fractional > 1 - _NEARLY_ALL:
        return Fit(share=0.3, doubts=("numbers with fractions, where a text is expected",))
    if column.name in _IDS and facts.numeric < 0.5 and any(" " in one for one in facts.values[:50]):
        return Fit(share=0.6, doubts=("texts with blanks, where an id is expected",))
    return Fit()


def _written(factor: Fraction) -> str:
    """A factor as a mapping takes it.

    >>> _written(Fraction(1, 100)), _written(Fraction(1, 60)), _written(Fraction(1))
    ('0.01', '1/60', '')
    """
    if factor == 1:
        return ""
    if factor.denominator == 1:
        return str(factor.numerator)
    bare = factor.denominator
    for prime in (2, 5):
        while bare % prime == 0:
            bare //= prime
    if bare == 1 and factor.denominator <= 1000:
        return f"{float(factor):g}"
    return f"{factor.numerator}/{factor.denominator}"


def _some(facts: Facts) -> str:
    """The shape of some values, since these may be anybody's."""
    return _listed(tuple(dict.fromkeys(re.sub(r"\d", "9", one) for one in facts.values))[:2])


def _listed(values: tuple[str, ...]) -> str:
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return ", ".join(one[:20] for one in values[:_SHOWN]) + more
