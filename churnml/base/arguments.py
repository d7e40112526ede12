"""Answer a slip in a call (text for a number, one text for a list of them) in a sentence.

One checker reads what a verb's signature says; nothing is converted but moments and the dates
of other libraries, to dates.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import wraps
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin

from churnml.base.dates import parse_date
from churnml.errors import UsageError

P = ParamSpec("P")
R = TypeVar("R")

_PLAIN: Mapping[Any, tuple[tuple[type, ...], str]] = {
    str: ((str,), "text"),
    int: ((Integral,), "a whole number"),
    float: ((Real,), "a number"),
    bool: ((bool,), "True or False"),
    date: ((date,), "a date"),
    Path: ((PathLike,), "a path"),
    NoneType: ((NoneType,), "None"),
}
_JUDGED = ("Source", "Model", "Config", "SourceMapping")
"""What other things may stand for, as the verbs themselves know."""
_LISTS = (Sequence, Iterable, list, tuple)


def answering(verb: Callable[P, R]) -> Callable[P, R]:
    """Check the arguments of a verb by its annotations before it runs.

    Text, numbers, dates, paths, lists of them and results of other verbs are looked at.
    Sources, models and settings are judged by the verb itself, which knows what may stand
    for one.

    Raises
    ------
    UsageError
        Naming verb, argument, what was given and what was expected.

    Examples
    --------
    >>> @answering
    ... def twice(number: int, *, names: Sequence[str] = ()):
    ...     return 2 * number
    >>> twice(4)
    8
    >>> twice("4")
    Traceback (most recent call last):
    ...
    churnml.errors.UsageError: twice: number is a str ('4'); a whole number was expected.
    >>> twice(4, names="ab")
    Traceback (most recent call last):
    ...
    churnml.errors.UsageError: twice: names is a str ('ab'); a list of text was expected.
    """
    signature = inspect.signature(verb)
    expected = {
        name: told
        for name, given in verb.__annotations__.items()
        if name in signature.parameters and (told := _resolved(given, verb)) is not None
    }

    @wraps(verb)
    def asked(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = signature.bind(*args, **kwargs)
        for name, value in bound.arguments.items():
            if name in expected and _takes_date(expected[name]):
                value = bound.arguments[name] = _as_date(value)
            if name in expected and not _fits(value, expected[name]):
                raise UsageError(
                    f"{verb.__name__}: {name} is {_a(type(value).__name__)}{_shown(value)}; "
                    f"{_words(expected[name])} was expected.",
                    argument=name,
                )
        return verb(*bound.args, **bound.kwargs)

    return asked


def _takes_date(kind: Any) -> bool:
    if get_origin(kind) in (Union, UnionType):
        return any(_takes_date(one) for one in get_args(kind))
    return kind is date


def _as_date(value: Any) -> Any:
    """The date of a moment, or of a date of NumPy, pandas or Arrow; all else as it is."""
    if type(value) is date or isinstance(value, str | Real | NoneType) or hasattr(value, "__len__"):
        return value
    try:
        return parse_date(value)
    except UsageError:
        return value


def _resolved(given: Any, verb: Callable[..., Any]) -> Any:
    """The annotation as types; ``None`` where the verb itself judges."""
    home = getattr(verb, "__globals__", {})
    try:
        kind = eval(given, home) if isinstance(given, str) else given
    except NameError:
        return None
    return kind if _is_checkable(kind) else None


def _is_checkable(kind: Any) -> bool:
    origin = get_origin(kind)
    if origin is Annotated:
        return _is_checkable(get_args(kind)[0])
    if origin is Literal:
        return True
    if origin in (Union, UnionType, *_LISTS):
        return all(_is_checkable(one) for one in get_args(kind) if one is not Ellipsis)
    judged = getattr(kind, "__name__", "") in _JUDGED or getattr(kind, "_is_protocol", False)
    return isinstance(kind, type) and kind is not Any and not judged


def _fits(value: Any, kind: Any) -> bool:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _fits(value, parts[0])
    if origin is Literal:
        # What the verb says of another name is better than a list of all.
        return isinstance(value, str)
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in parts)
    if origin in _LISTS:
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
            return False
        items = value if isinstance(value, list | tuple) else ()
        return all(_fits(one, parts[0]) for one in items)
    if kind is not bool and isinstance(value, bool):
        return False
    if kind is date:
        return isinstance(_as_date(value), date)
    return isinstance(value, _PLAIN[kind][0] if kind in _PLAIN else kind)


def _words(kind: Any) -> str:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _words(parts[0])
    if origin is Literal:
        return " or ".join(map(repr, parts))
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_words(one) for one in parts))
    if origin in _LISTS:
        return f"a list of {_words(parts[0]).removeprefix('a ')}"
    return _PLAIN[kind][1] if kind in _PLAIN else f"a {kind.__name__}"


def _shown(value: Any) -> str:
    """A short value as it was written; nothing of a long one, which may be data."""
    if isinstance(value, str | int | float):
        text = repr(value)
        return f" ({text})" if len(text) <= 40 else ""
    return ""


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
