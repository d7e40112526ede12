"""Detect how numbers in text columns are written, where that is certain.

The values go through one sieve: each becomes its form, with 9 for every digit, and a column
of numbers has few forms. How the numbers are written is decided on the forms.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from churnml.datasets.flat.notation import CLOCK, LIKE, SCALES, Notation, is_symbol, normalised
from churnml.datasets.flat.signature import Column
from churnml.datasets.flat.table import Table
from churnml.datasets.flat.values import BLANKS
from churnml.tables.source.engines.duckdb import literal

_MOST_FORMS = 5_000
_CERTAIN = 100
"""Of so many numbers with three decimals, a tenth would end in 0 and be written shorter."""

_FEW_NUMBERS = r"[^0-9]{0,6}(?:[0-9][0-9.,:' ]*[^0-9]{0,10}){1,3}"
_FORM = re.compile(
    r"(?P<open>\(?)(?P<before>[^9()]*?)(?P<body>[.,]?9(?:[9.,' ]*9)?[.,]?(?:[eE][+-]?9+)?)"
    r"(?P<after>[^9()]*)\)?"
)
_CURRENCY = re.compile(
    r"(?:US|HK|NT|R|S|A|C)?\$|RMB|CNY|USD|EUR|GBP|CHF|INR|HKD|TWD|MOP|SGD|JPY|KRW|RUB|BRL|Rs\.?",
    re.IGNORECASE,
)
_NO_CODE = re.compile(r"[KMGT]i?[Bb]?(?:ps)?|[A-Z]{3}|.*[^A-Z].*", re.DOTALL)
_MARKS = (
    Notation(),
    Notation(group=","),
    Notation(group=" "),
    Notation(group="'"),
    Notation(decimal=","),
    Notation(decimal=",", group="."),
    Notation(decimal=",", group=" "),
    Notation(decimal=",", group="'"),
)
"""The ways to write marks, the plainest first."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """Values of a column that look alike.

    Attributes
    ----------
    text : str
        With 9 for every digit.
    zero : bool
        Whether the first digit is 0.
    count : int
    example : str
    """

    text: str
    zero: bool
    count: int
    example: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """The notation that a column's forms show, or the problem with it.

    Attributes
    ----------
    notation : Notation or None
        How its numbers are written, where that is certain.
    problem : str
        Why it is not, with examples.
    units : bool
        Whether that is so because units are mixed.
    example : str
        One of the values that are not plainly written.
    """

    notation: Notation | None = None
    problem: str = ""
    units: bool = False
    example: str = ""


@dataclass(frozen=True, kw_only=True)
class _NumberForm:
    """A form split into sign, number and unit."""

    form: Form
    before: str
    body: str
    scale: str
    after: str
    brackets: bool

    @property
    def unit(self) -> tuple[str, str]:
        return self.before, self.after

    @property
    def bare_zero(self) -> bool:
        return self.form.text == "9" and self.form.zero


def sifted(text: str) -> str:
    """SQL that tests whether a text is mostly digits, or a few numbers with short units."""
    plain = normalised(text)
    few = f"regexp_full_match({plain}, {literal(_FEW_NUMBERS)})"
    digits = f"length(regexp_replace({plain}, '[^0-9]', '', 'g'))"
    return f"({few} OR 2 * {digits} >= length({text}))"


def forms(table: Table, x: str) -> list[Form]:
    """The forms of a text column, the most frequent first."""
    plain = normalised(f"p_{x}")
    rows = (
        f"(SELECT p_{x}, {plain} AS n FROM {table.prepared({x: Column(name='', kind='number')})})"
    )
    counted_forms = table.select(
        f"regexp_replace(n, '[0-9]', '9', 'g'), regexp_matches(n, '^[^0-9]*0'), "
        f"count(*), min(p_{x})",
        f"{rows} WHERE n IS NOT NULL GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT {_MOST_FORMS}",
    )
    return [
        Form(text=text, zero=zero, count=count, example=example)
        for text, zero, count, example in counted_forms
    ]


def decide(forms: Sequence[Form], share: float) -> Found:
    """Decide how the numbers of a column are written.

    Parameters
    ----------
    forms : sequence of Form
    share : float
        How many of the values must be written so.

    Examples
    --------
    >>> form = Form(text="99.9 GB", zero=False, count=30, example="12.3 GB")
    >>> decide([form], 0.95).notation.shown
    '1234.5 GB'
    >>> form = Form(text="9,999", zero=False, count=30, example="1,234")
    >>> decide([form], 0.95).problem
    "'1,234' may be thousands or decimals"
    """
    needed = share * sum(one.count for one in forms)
    example = _unplain(forms)
    clock = _clock(forms, needed)
    if clock is not None:
        return replace(clock, example=clock.example or example)
    parts = [part for part in map(_taken, forms) if part is not None]
    if sum(part.form.count for part in parts) < needed:
        return Found(example=example)
    own, problem = _one_unit(parts, needed)
    if problem is not None:
        return problem
    unit = own[0].unit
    marks = _marks([p for p in parts if p.unit == unit or p.bare_zero], needed)
    if marks.notation is None:
        return replace(marks, example=marks.example or example)
    brackets = any(p.brackets for p in own)
    if brackets and all(p.brackets for p in own):
        return Found(problem=f"{example!r} may be below zero or not", example=example)
    if marks.problem:
        return marks
    notation = replace(
        marks.notation,
        before=unit[0],
        after=unit[1],
        scaled=any(p.scale for p in own),
        brackets=brackets,
    )
    return Found(notation=notation, example=marks.example or example)


def _unplain(forms: Sequence[Form]) -> str:
    """The first example of a number in an unusual notation, else of any other text."""
    example = next((one.example for one in forms if described(one.example)), None)
    other = (one.example for one in forms if not re.fullmatch("[-+]?9*[.]?9*", one.text))
    return example or next(other, "")


def _clock(forms: Sequence[Form], needed: float) -> Found | None:
    counts: Counter[int] = Counter()
    examples: dict[int, str] = {}
    for parts, pattern in CLOCK.items():
        for one in forms:
            if re.fullmatch(pattern.replace("[0-5][0-9]", "99").replace("[0-9]", "9"), one.text):
                counts[parts] += one.count
                examples.setdefault(parts, one.example)
    for parts, count in counts.items():
        if count >= needed:
            return Found(notation=Notation(clock=parts), example=examples[parts])
    if counts.total() >= needed:
        return Found(
            problem=f"{examples[2]!r} beside {examples[3]!r}: two kinds of durations", units=True
        )
    return None


def _taken(form: Form) -> _NumberForm | None:
    match = _FORM.fullmatch(form.text)
    if match is None or bool(match["open"]) != form.text.endswith(")"):
        return None
    before, after = match["before"].strip("+- "), match["after"].strip(" ")
    # A minus sign may stand behind the number, but not before a word, as in 12-month.
    after = after.strip("- ") if is_symbol(after.strip("- ")) else after
    scale = next((one for one in sorted(SCALES, key=len)[::-1] if after.startswith(one)), "")
    if scale in ("k", "K") and after != scale:
        scale = ""
    after = after.removeprefix(scale).strip()
    return _NumberForm(
        form=form,
        before=before,
        body=match["body"],
        scale=scale,
        after=after,
        brackets=bool(match["open"]),
    )


def _one_unit(
    parts: Sequence[_NumberForm], needed: float
) -> tuple[list[_NumberForm], Found | None]:
    """The parts of the column's one unit, or why there is none."""
    counts: Counter[tuple[str, str]] = Counter()
    for part in parts:
        counts[part.unit] += 0 if part.bare_zero else part.form.count
    zeros = sum(part.form.count for part in parts if part.bare_zero)
    unit, count = counts.most_common(1)[0]
    own = [part for part in parts if part.unit == unit and (unit == ("", "") or not part.bare_zero)]
    if count + zeros < needed:
        examples = [_example(parts, one) for one, _ in counts.most_common(2)]
        if all(_is_unit(*one, parts) for one, _ in counts.most_common(2)):
            problem = f"{examples[0]!r} beside {examples[1]!r}: more than one unit"
            return [], Found(problem=problem, units=True, example=examples[0])
        return [], Found(example=examples[0])
    if not _is_unit(*unit, own):
        return [], Found(example=_example(parts, unit))
    return own, None


def _example(parts: Iterable[_NumberForm], unit: tuple[str, str]) -> str:
    return next(part.form.example for part in parts if part.unit == unit)


def _is_unit(before: str, after: str, parts: Sequence[_NumberForm]) -> bool:
    """Whether the text beside the digits is a unit rather than part of a code."""
    if not (is_symbol(before) or _CURRENCY.fullmatch(before)):
        return False
    if not after:
        return True
    if not re.search(r"[^\W\d_]|[%‰°]", after) and not is_symbol(after):
        return False
    own = [part for part in parts if part.unit == (before, after)]
    if any(mark in part.body for part in own for mark in ".,' "):
        return True
    if any(part.form.zero and len(part.body) > 1 for part in own):
        return False
    parted = any(f"9 {after}" in part.form.text for part in own)
    return parted or _NO_CODE.fullmatch(after) is not None


def _marks(parts: Sequence[_NumberForm], needed: float) -> Found:
    """The separators in the numbers."""
    readings = {one: [_reading(one, part) for part in parts] for one in _MARKS}
    counts = {
        one: sum(p.form.count for p, r in zip(parts, read, strict=True) if r is not None)
        for one, read in readings.items()
    }
    most = max(counts.values())
    if most < needed:
        return Found()
    best = [one for one in _MARKS if counts[one] == most]
    first = best[0]
    rivals = [one for one in best if readings[one] != readings[first]]
    if not rivals:
        return Found(notation=first)
    return _thousands(parts, [first, *rivals])


def _reading(marks: Notation, part: _NumberForm) -> tuple[int, int] | None:
    """How many digits stand before and after the decimal mark."""
    if not re.fullmatch(marks.body("9"), part.body):
        return None
    if part.form.zero and marks.group and marks.group in part.body:
        return None
    whole, _, decimals = re.split("[eE]", part.body)[0].partition(marks.decimal)
    return whole.count("9"), len(decimals)


def _thousands(parts: Sequence[_NumberForm], rivals: Sequence[Notation]) -> Found:
    """Read ``1.234`` as thousands where smaller numbers without a point appear too.

    Numbers with decimals would have one or two of them now and then, and never none.
    """
    mark = next(one for one in ".," if any(one in part.body for part in parts))
    marked = sum(part.form.count for part in parts if mark in part.body)
    whole = [part for part in parts if mark not in part.body]
    small = all(len(part.body) <= 3 for part in whole)
    example = next(part.form.example for part in parts if mark in part.body)
    if whole and small and marked >= _CERTAIN:
        return Found(notation=next(one for one in rivals if one.group == mark), example=example)
    if mark == "." and (not whole or not small):
        return Found(
            notation=Notation(),
            problem=f"{example!r} may be thousands or decimals",
            example=example,
        )
    return Found(problem=f"{example!r} may be thousands or decimals", example=example)


def described(value: str) -> str | None:
    """Describe why a text looks like a number in an unusual notation.

    Examples
    --------
    >>> described("1,234.5"), described("12,5"), described("12.3 GB"), described("12:35")
    ('thousands separators', 'decimal commas', "the unit 'GB'", 'the parts of a duration')
    >>> described("12.5"), described("basic")
    (None, None)
    """
    text = value.strip(BLANKS).translate({ord(old): new for old, new in LIKE.items()}).strip()
    form = Form(
        text=re.sub("[0-9]", "9", text),
        zero=text.lstrip("+-(¥$€£")[:1] == "0",
        count=1,
        example=value,
    )
    if _clock([form], 1) is not None:
        return "the parts of a duration"
    part = _taken(form)
    if part is None or not _is_unit(*part.unit, [part]):
        return None
    if part.brackets:
        return "numbers in brackets"
    beside = part.before + part.scale + part.after
    if beside:
        if is_symbol(beside) or _CURRENCY.fullmatch(beside) or "元" in beside:
            return "currency signs"
        return "percent signs" if beside == "%" else f"the unit {beside!r}"
    read = [one for one in _MARKS if _reading(one, part) is not None]
    if Notation() in read:
        return None if text == value.strip(BLANKS) and text[-1:] != "-" else "other signs"
    if any(one.group and one.group in part.body for one in read):
        return "thousands separators"
    return "decimal commas" if read else None
