"""Validate the options given to metrics: counts, shares, costs and frames.

Each function gives back what it was given, or says what was expected instead.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.errors import UsageError

Kind = TypeVar("Kind")


def check_whole(name: str, value: int, *, least: int = 1) -> int:
    """A whole number from ``least`` on.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> check_whole("draws", 200)
    200
    """
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise UsageError(
            f"{name} is {value!r}; a whole number of {least} or more was expected.",
            value=repr(value),
            expected=f"{least} or more",
        )
    return int(value)


def check_draws(draws: int, seed: int) -> None:
    """How often, and from which seed, a bootstrap draws; `UsageError` for no such numbers."""
    check_whole("draws", draws)
    check_whole("seed", seed, least=0)


def check_share(name: str, value: float, *, most: bool = False) -> float:
    """A number between 0 and 1; 1 itself where ``most``.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> check_share("level", 0.95)
    0.95
    """
    number = check_number(name, value)
    if not (0 < number < 1 or (most and number == 1)):
        expected = "above 0 and at most 1" if most else "between 0 and 1"
        raise UsageError(
            f"{name} is {value!r}; a number {expected} was expected.",
            hint=f"{number:g} % is {number / 100:g}." if 2 <= number <= 100 else None,
            value=repr(value),
            expected=expected,
        )
    return number


def check_number(name: str, value: float, *, positive: bool = False) -> float:
    """A finite number; above 0 where ``positive``.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> check_number("odds", 1.2, positive=True)
    1.2
    """
    known = isinstance(value, int | float | np.integer | np.floating) and np.isfinite(value)
    if not known or (positive and value <= 0):
        expected = "a number above 0" if positive else "a finite number"
        raise UsageError(
            f"{name} is {value!r}; {expected} was expected.", value=repr(value), expected=expected
        )
    return float(value)


def check_kind(name: str, value: Kind, kind: Any, *, hint: str | None = None) -> Kind:
    """Check a value's type.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> check_kind("baselines", {}, dict)
    {}
    """
    if not isinstance(value, kind):
        raise UsageError(
            f"{name} is of type {type(value).__name__}; a {kind.__name__} was expected.",
            hint=hint,
            expected=kind.__name__,
        )
    return value


def check_pair_of(name: str, value: Any, expected: str) -> None:
    """A tuple or list of two; `UsageError` for anything else.

    >>> check_pair_of("interval", ([50], [70]), "(low, high)")
    """
    if not isinstance(value, tuple | list) or len(value) != 2:
        known = isinstance(value, tuple | list)
        problem = f"has {len(value)} parts" if known else f"is of type {type(value).__name__}"
        raise UsageError(f"{name} {problem}; {expected} was expected.", expected=expected)


def check_rising(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """At least two numbers, each larger than the one before.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> check_rising("levels", [0, 50, 100])
    array([  0.,  50., 100.])
    """
    try:
        given = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        given = np.empty(0)
    if given.ndim != 1 or given.size < 2 or not (np.diff(given) > 0).all():
        raise UsageError(
            f"{name} are {values!r}; two or more rising numbers were expected.",
            expected="rising numbers",
        )
    return given
