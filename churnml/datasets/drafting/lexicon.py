"""The words by which operators call tables, columns, codes and units, in both languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files

from ruamel.yaml import YAML

UNIT_WORDS = ("秒", "分钟", "分", "元", "角", "厘", "兆", "秒数", "分钟数", "小时", "万元", "千元")
_ONLY_IN_BRACKETS = ("s", "m", "h", "k", "b", "g")
_BRACKETS = re.compile(r"[(\[{【<]([^)\]}】>]*)[)\]}】>]")
_PARTS = re.compile(r"[a-z]+|[0-9]+|[\u3400-\u9fff]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_LONGEST = 3
_NEGATIONS = ("未", "不", "非", "not", "non", "un", "no")

Concepts = frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A unit of measure.

    Attributes
    ----------
    name : str
    factor : Fraction
        The dimension's own unit (yuan, minutes, MB, Mbit/s) is this one times the factor.
    """

    name: str
    factor: Fraction


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """A name taken apart.

    Attributes
    ----------
    concepts : frozenset of str
    strange : tuple of str
        Parts that no word explains.
    units : dict of str to Unit
        By dimension; ``分`` is one of money and one of time.
    plain : str
        The name in lower case, its parts joined by underscores.
    """

    concepts: Concepts
    strange: tuple[str, ...]
    units: dict[str, Unit]
    plain: str


@dataclass(frozen=True, kw_only=True)
class Patterns:
    """What a column may be called: certainly, or perhaps."""

    sure: tuple[Concepts, ...]
    maybe: tuple[Concepts, ...]


@dataclass(frozen=True, kw_only=True)
class Lexicon:
    """The words, patterns, codes and units of ``lexicon.yaml``."""

    words: Mapping[str, str]
    tables: Mapping[str, tuple[Concepts, ...]]
    columns: Mapping[str, Mapping[str, Patterns]]
    codes: Mapping[str, Mapping[str, str]]
    units: Mapping[str, Mapping[str, Unit]]


@cache
def lexicon() -> Lexicon:
    """The lexicon, read once."""
    text = files("churnml.datasets.drafting").joinpath("lexicon.yaml").read_text("utf-8")
    content = YAML(typ="safe").load(text)
    same = content["same"]

    def pattern(words: str) -> Concepts:
        return frozenset(same.get(word, word) for word in words.split())

    def patterns(entry: dict[str, list[str]]) -> Patterns:
        sure, maybe = (tuple(map(pattern, entry.get(key, ()))) for key in ("sure", "maybe"))
        return Patterns(sure=sure, maybe=maybe)

    words = {
        folded(word): same.get(concept, concept)
        for concept, known in content["words"].items()
        for word in known
    }
    everywhere = content["columns"].pop("*")
    return Lexicon(
        words=words,
        tables={name: tuple(map(pattern, known)) for name, known in content["tables"].items()},
        columns={
            table: {name: patterns(entry) for name, entry in (everywhere | columns).items()}
            for table, columns in content["columns"].items()
        },
        codes={
            column: {folded(own): ours for ours, known in codes.items() for own in (ours, *known)}
            for column, codes in content["codes"].items()
        },
        units={
            dimension: {
                folded(word): Unit(name=name, factor=Fraction(unit["factor"]))
                for name, unit in known.items()
                for word in unit["names"]
            }
            for dimension, known in content["units"].items()
        },
    )


def folded(text: object) -> str:
    """A text in lower case, full-width letters as plain ones, blanks and dashes as ``_``.

    >>> folded("Ｍ-Zone 品牌")
    'm_zone_品牌'
    """
    plain = unicodedata.normalize("NFKC", str(text)).strip().lower()
    return re.sub(r"[\s_\-]+", "_", plain)


@cache
def parse(name: str) -> Phrase:
    """Take a name apart.

    Examples
    --------
    >>> parse("custNo").concepts == {"customer", "id"}
    True
    >>> phrase = parse("应收金额（分）")
    >>> sorted(phrase.concepts), phrase.units["money"].name
    (['due', 'fee'], 'fen')
    """
    known = lexicon()
    whole = unicodedata.normalize("NFKC", name).replace("帐", "账")
    units: dict[str, Unit] = {}
    for inner in _BRACKETS.findall(whole):
        units |= _units_of(folded(inner))
    bare = _BRACKETS.sub(lambda match: "" if _units_of(folded(match[1])) else f"_{match[1]}", whole)
    parts = _PARTS.findall(_CAMEL.sub("_", bare).lower())
    plain = "_".join(parts)
    found: list[str] = []
    strange: list[str] = []
    at = 0
    while at < len(parts):
        taken = _longest(parts, at, known.words)
        if taken:
            found.append(known.words["_".join(parts[at : at + taken])])
            last = "_".join(parts[at : at + taken])
        else:
            taken, last = 1, parts[at]
            pieces, rest, own = _segmented(parts[at], known.words)
            units |= own
            found += pieces
            strange += rest
        measured = found and found[-1] in ("moment", "duration", "volume")
        if at + taken == len(parts) and (measured or last not in _ONLY_IN_BRACKETS):
            here = _units_of(last)
            units |= here
            strange = [one for one in strange if not (here and one == last)]
        at += taken
    if any(one in strange or plain.startswith(one + "_") for one in _NEGATIONS):
        strange.append("not")
    return Phrase(
        concepts=frozenset(one for one in found if one != "empty"),
        strange=tuple(dict.fromkeys(strange)),
        units=units,
        plain=plain,
    )


def _longest(parts: list[str], at: int, words: Mapping[str, str]) -> int:
    """How many parts from here are one word."""
    for taken in range(min(_LONGEST, len(parts) - at), 0, -1):
        if "_".join(parts[at : at + taken]) in words:
            return taken
    return 0


def _units_of(text: str) -> dict[str, Unit]:
    return {name: known[text] for name, known in lexicon().units.items() if text in known}


def _segmented(text: str, words: Mapping[str, str]) -> tuple[list[str], list[str], dict[str, Unit]]:
    """Cut a text into words, as few letters as possible left over, then as few words."""
    chinese = text > "\u3400"
    ends = {text: text for text in UNIT_WORDS}
    best: list[tuple[int, int, list[tuple[str, bool]]]] = [(0, 0, [])]
    for end in range(1, len(text) + 1):
        left, count, cut = best[end - 1]
        ways = [(left + 1, count, [*cut, (text[end - 1], False)])]
        for start in range(0 if chinese else max(0, end - 12), end):
            piece = text[start:end]
            short = len(piece) < 2 and not chinese
            unit = end == len(text) and piece in ends
            if not short and (piece in words or unit):
                left, count, cut = best[start]
                ways.append((left, count + 1, [*cut, (piece, True)]))
        best.append(min(ways, key=lambda way: way[:2]))
    left, _, cut = best[-1]
    if not chinese and left:
        return [], [text], {}
    units: dict[str, Unit] = {}
    found: list[str] = []
    strange: list[str] = []
    for at, (piece, known) in enumerate(cut):
        if at == len(cut) - 1 and piece in ends:
            units = _units_of(piece)
        elif known:
            found.append(words[piece])
        elif at and not cut[at - 1][1]:
            strange[-1] += piece
        else:
            strange.append(piece)
    return found, strange, units
