"""Read the target column as 0 and 1, or as a score from 0 to 100."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.base.text import counted, quoted
from churnml.datasets.flat.meaning import answers, known_left, plain, sense, translated
from churnml.datasets.flat.signature import Signature
from churnml.datasets.flat.table import nearest
from churnml.errors import DataError, UsageError

Scale = tuple[float, float] | Mapping[str, float]
"""The worst and the best score, or words (as `plain` gives them) with scores from 0 to 100."""

_MISSING = ("", "\\n", "na", "n/a", "#n/a", "nan", "none", "null")
_LISTED = 10


@dataclass(frozen=True, kw_only=True)
class Target:
    """A target column as numbers.

    Attributes
    ----------
    y : array of float, shape (n,)
        Missing where the row cannot be learned from.
    missing, outside : int
        Rows without a value, and rows whose value lies outside the scale.
    positive : str
    negative : tuple of str
    """

    y: NDArray[np.float64]
    missing: int
    outside: int = 0
    positive: str = ""
    negative: tuple[str, ...] = ()


def churn_target(values: pd.Series, *, name: str, positive: str | None) -> Target:
    """Read a churn target: 1 for those who left, 0 for those who stayed.

    Parameters
    ----------
    values : Series of text, shape (n,)
    name : str
        Of the column.
    positive : str, optional
        The value of those who left; all others stayed. Without it the two values must be
        such as Yes and No, 1 and 0, 是 and 否, 流失 and 未流失.

    Raises
    ------
    DataError
        If the values are not two that are known to mean who left and who stayed.
    UsageError
        If no row has the value ``positive``.

    Examples
    --------
    >>> churn_target(pd.Series(["Yes", "No", None]), name="Churn", positive=None).y
    array([ 1.,  0., nan])
    """
    codes, levels = pd.factorize(values)
    words = [plain(level) for level in levels]
    gone = np.array([one in _MISSING for one in words] + [True])
    shown = {one: str(level).strip() for one, level in zip(words, levels, strict=True)}
    kept = [one for one in dict.fromkeys(words) if one not in _MISSING]
    left = _left(kept, shown, values, name, positive)
    is_left = np.array([float(one == left) for one in words] + [np.nan])
    is_left[gone] = np.nan
    y = is_left[codes]
    others = tuple(shown[one] for one in kept if one != left)
    if not others:
        raise _one_class(name, shown[left])
    return Target(y=y, missing=int(np.isnan(y).sum()), positive=shown[left], negative=others)


def _left(
    kept: Sequence[str],
    shown: dict[str, str],
    values: pd.Series,
    name: str,
    positive: str | None,
) -> str:
    listing = ", ".join(quoted(shown[one]) for one in kept[:_LISTED])
    more = f" and {len(kept) - _LISTED} more" if len(kept) > _LISTED else ""
    if not kept:
        raise DataError(f"target {quoted(name)}: no row has a value.", column=name)
    if positive is not None:
        if plain(positive) in kept:
            return plain(positive)
        raise UsageError(
            f"--positive {quoted(positive)}: no value of {quoted(name)}.",
            hint=nearest(positive, [shown[one] for one in kept]),
            column=name,
            value=positive,
        )
    if len(kept) == 1:
        raise _one_class(name, shown[kept[0]])
    if len(kept) == 2:
        if sense(name) == "stayed" and answers(kept):
            raise UsageError(
                f"target {quoted(name)} says who stayed; which value means that the customer "
                f"left? It has {listing}.",
                hint=f"Name it with --positive, for example --positive {_no(kept, shown)}.",
                column=name,
            )
        known = known_left(kept[0], kept[1])
        if known is not None:
            return known
        problem = f"target {quoted(name)}: which of {listing} means that the customer left?"
    else:
        problem = f"target {quoted(name)}: {len(kept)} values, {listing}{more}; two were expected."
    raise DataError(problem, hint="Name the one with --positive.", column=name, count=len(kept))


def _no(kept: Sequence[str], shown: dict[str, str]) -> str:
    """Of two answers, the one that means no."""
    return shown[kept[1] if known_left(kept[0], kept[1]) == kept[0] else kept[0]]


def note_positive(labels: Target) -> list[str]:
    """Note which value means "left", and its share of the rows."""
    known = labels.y[~np.isnan(labels.y)]
    if not labels.positive or not len(known):
        return []
    share = f"{100 * known.mean():.1f} %"
    return [f"left = {labels.positive} ({share} of rows)."]


def _one_class(name: str, value: str) -> DataError:
    return DataError(
        f"target {quoted(name)}: all rows have {value!r}.",
        hint="Rows of customers who left and of those who stayed are needed.",
        column=name,
        value=value,
        expected="two values",
    )


def known_target(
    values: pd.Series,
    *,
    name: str,
    signature: Signature,
    positive: str | None = None,
) -> Target:
    """Read a churn target in the training table's words, or in other known ones.

    Parameters
    ----------
    values : Series of text, shape (n,)
    name : str
        Of the column.
    signature : Signature
        Of the model: what its target was called, and what its values meant.
    positive : str, optional
        The value of those who left, where the words are others.

    Raises
    ------
    DataError
        If it is not certain what the values mean.
    """
    if positive is not None:
        return churn_target(values, name=name, positive=positive)
    codes, levels = pd.factorize(values)
    words = [plain(level) for level in levels]
    kept = list(dict.fromkeys(one for one in words if one not in _MISSING))
    if not kept:
        raise DataError(f"target {quoted(name)}: no row has a value.", column=name)
    meaning = translated(
        kept,
        name,
        target=signature.target,
        left=[plain(signature.positive)],
        stayed=[plain(one) for one in signature.negative],
    )
    if meaning is None:
        raise _strange(name, [str(level).strip() for level in levels], signature)
    y = np.array([meaning.get(one, np.nan) for one in words] + [np.nan])[codes]
    shown = {one: str(level).strip() for one, level in zip(words, levels, strict=True)}
    left = [shown[one] for one in kept if meaning[one]]
    stayed = tuple(shown[one] for one in kept if not meaning[one])
    return Target(y=y, missing=int(np.isnan(y).sum()), positive=" or ".join(left), negative=stayed)


def _strange(name: str, shown: Sequence[str], signature: Signature) -> DataError:
    """The error for a target whose words differ from those of training."""
    unknown = [one for one in shown if plain(one) not in _MISSING]
    listing = ", ".join(quoted(one) for one in unknown[:_LISTED])
    more = f" and {len(unknown) - _LISTED} more" if len(unknown) > _LISTED else ""
    stayed = ", ".join(quoted(one) for one in signature.negative[:_LISTED])
    return DataError(
        f"target {quoted(name)}: {counted(len(unknown), 'value')}, {listing}{more}; in training "
        f"{quoted(signature.target)} was {quoted(signature.positive)} for those who left, else "
        f"{stayed}.",
        hint="Write it as in training, or name the value of those who left with --positive.",
        column=name,
        count=len(unknown),
        expected=[signature.positive, *signature.negative],
    )


def parse_scale(scale: str | Scale) -> Scale:
    """Parse a scale written as ``LO:HI``, or as words with scores; or check one that is given.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> parse_scale("1:10")
    (1.0, 10.0)
    >>> parse_scale("good=100, bad=0")
    {'good': 100.0, 'bad': 0.0}
    """
    if isinstance(scale, Mapping):
        return _words(",".join(f"{word}={score}" for word, score in scale.items()))
    if not isinstance(scale, str):
        scale = ":".join(map(str, scale)) if isinstance(scale, Iterable) else str(scale)
    if "=" in scale or "＝" in scale:
        return _words(scale)
    first, _, last = scale.replace("：", ":").partition(":")
    ends = _number(first), _number(last)
    if math.isnan(ends[0]) or math.isnan(ends[1]) or ends[0] == ends[1]:
        raise UsageError(
            f"--scale {scale!r}: the worst and the best score expected.",
            hint="Write it as 1:10, as 5:1 where 1 is best, or as words with their scores, "
            "good=100,bad=0.",
        )
    return ends


def _words(scale: str) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for one in filter(str.strip, scale.replace("，", ",").replace("＝", "=").split(",")):
        word, _, score = one.rpartition("=")
        points = _number(score)
        if not word.strip() or not 0 <= points <= 100 or plain(word) in numbers:
            raise UsageError(
                f"--scale: {quoted(one.strip())} is not a word with a score of its own.",
                hint="Write each word once, with its score from 0 to 100: good=100,bad=0.",
            )
        numbers[plain(word)] = points
    if len(set(numbers.values())) < 2:
        raise UsageError(
            f"--scale {quoted(scale)}: two different scores expected.",
            hint="Write them as good=100,bad=0.",
        )
    return numbers


def satisfaction_target(values: pd.Series, *, name: str, scale: Scale | None) -> Target:
    """Scores from 0, the worst, to 100: ``100 * (score - worst) / (best - worst)``.

    Parameters
    ----------
    values : Series of text, shape (n,)
    name : str
        Of the column.
    scale : (worst, best), or mapping of plain word to score

    Raises
    ------
    UsageError
        Without a scale; the message says what the scores are.
    DataError
        If the scores are not numbers, or not the scale's words, or all the same.
    """
    present = ~values.fillna("").str.strip().str.casefold().isin(_MISSING).to_numpy()
    if not present.any():
        raise DataError(f"target {quoted(name)}: no row has a value.", column=name)
    if isinstance(scale, Mapping):
        scores = np.array([scale.get(plain(value), math.nan) for value in values])
        _refuse_strange(values, present & np.isnan(scores), name, list(scale))
        worst, best = 0.0, 100.0
    else:
        scores = np.array([_number(value) for value in values])
        _refuse_strange(values, present & np.isnan(scores), name, [])
        if scale is None:
            raise _unscaled(scores[present], name)
        worst, best = scale
    low, high = min(worst, best), max(worst, best)
    outside = present & ((scores < low) | (scores > high))
    y = 100.0 * (scores - worst) / (best - worst)
    y[outside | ~present] = np.nan
    if len(set(y[~np.isnan(y)])) == 1:
        raise DataError(f"target {quoted(name)}: all scores are the same.", column=name)
    return Target(y=y, missing=int((~present).sum()), outside=int(outside.sum()))


def _refuse_strange(
    values: pd.Series, strange: NDArray[np.bool_], name: str, words: Sequence[str]
) -> None:
    if not strange.any():
        return
    count, row = int(strange.sum()), values[strange].iloc[0]
    listed = list(dict.fromkeys(values[strange].str.strip()))
    if words:
        wrong = counted(count, "value has", "values have") + " no score in the scale"
        hint = f"Give --scale a score for each; it has {', '.join(map(quoted, words[:_LISTED]))}."
    else:
        wrong = counted(count, "value is not a number", "values are not numbers")
        hint = "Give the score as a number; --scale says its ends."
        if len(listed) <= _LISTED:
            pairs = ",".join(f"{one}=…" for one in listed)
            hint += f' Or give each word its score from 0 to 100: --scale "{pairs}".'
    raise DataError(
        f"target {quoted(name)}: {wrong}, such as {row!r}.",
        hint=hint,
        column=name,
        value=str(row),
        count=count,
    )


def _unscaled(scores: NDArray[np.float64], name: str) -> UsageError:
    low, high = f"{scores.min():g}", f"{scores.max():g}"
    return UsageError(
        f"target {quoted(name)}: on which scale are the scores? They lie from {low} to {high}.",
        hint=f"Give its ends, the worst score first, for example --scale {low}:{high}; where "
        f"{low} is best --scale {high}:{low}.",
        column=name,
    )


def note_scale(scale: Scale | None) -> list[str]:
    """Note which scores are the best and the worst."""
    if isinstance(scale, Mapping):
        best, worst = (pick(scale, key=lambda word: scale[word]) for pick in (max, min))
        return [f"best = {best} ({scale[best]:g}), worst = {worst} ({scale[worst]:g})."]
    return (
        []
        if scale is None or scale[0] < scale[1]
        else [f"best = {scale[1]:g} (100), worst = {scale[0]:g} (0)."]
    )


def _number(value: object) -> float:
    try:
        number = float(str(value).strip().replace("_", "?"))
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan
