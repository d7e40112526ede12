"""Check the parameters of estimators, when they are fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from churnml.errors import UsageError

_LARGEST = np.finfo(np.float64).max
MOST_LEAVES = 131_072
"""What LightGBM takes at most."""
_THREADS = 65_536


def check_count(
    name: str, value: Any, *, least: int = 1, most: int | None = None, none: bool = False
) -> None:
    """A whole number in its range; None too where ``none``.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> check_count("folds", 5)
    >>> check_count("folds", 2.5)
    Traceback (most recent call last):
    ...
    churnml.errors.UsageError: folds is 2.5; a whole number of 1 or more was expected.
    """
    if value is None and none:
        return
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        span = f"of {least} or more" if most is None else f"from {least} to {most:,}"
        raise _unfit(name, value, f"a whole number {span}", none)


def check_real(
    name: str,
    value: Any,
    *,
    above: float = -np.inf,
    least: float = -np.inf,
    most: float = np.inf,
    none: bool = False,
) -> None:
    """A finite number in its range; None too where ``none``.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> check_real("l2", 5.0, least=0)
    >>> check_real("l2", "5", least=0)
    Traceback (most recent call last):
    ...
    churnml.errors.UsageError: l2 is '5'; a number of 0 or more was expected.
    """
    if value is None and none:
        return
    real = isinstance(value, int | float | np.integer | np.floating)
    real = real and not isinstance(value, bool)
    # Infinity and NaN are no such number; whole ones may be longer than a float.
    if real and value > above and least <= value <= most and abs(value) <= _LARGEST:
        return
    low = f"above {above:g}" if above > -np.inf else f"of {least:g} or more"
    span = "" if max(above, least) == -np.inf else f" {low}"
    raise _unfit(name, value, f"a number{span}{f' and at most {most:g}' * (most < np.inf)}", none)


def check_flag(name: str, value: Any, *, none: bool = False) -> None:
    """True or False; None too where ``none``; `UsageError` for anything else.

    >>> check_flag("linear_start", None, none=True)
    """
    if not (isinstance(value, bool | np.bool_) or (value is None and none)):
        raise _unfit(name, value, "True or False", none)


def check_threads(name: str, value: Any) -> None:
    """A number of threads, -1 or None for all; `UsageError` for anything else.

    >>> check_threads("n_jobs", -1)
    """
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and value == -1:
        return
    check_count(name, value, most=_THREADS, none=True)


def check_directions(name: str, value: Any) -> None:
    """A mapping of columns to directions, or None; `UsageError` for anything else.

    >>> check_directions("monotone", {"tenure": -1})
    """
    if not (value is None or isinstance(value, Mapping)):
        raise _unfit(name, value, "a mapping of columns to -1, 0 or 1", none=True)


def read_leaves(name: str, value: Any) -> tuple[int, ...] | None:
    """Numbers of leaves: several, one, or None.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> read_leaves("num_leaves", 8)
    (8,)
    """
    if value is None:
        return None
    single = isinstance(value, int | np.integer)
    several = isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)
    given = (value,) if single else tuple(value) if several else ()
    wrong = [
        one
        for one in given
        if not isinstance(one, int | np.integer)
        or isinstance(one, bool)
        or not 2 <= one <= MOST_LEAVES
    ]
    if wrong or not given:
        raise UsageError(
            f"{name} is {value!r}; whole numbers from 2 to {MOST_LEAVES:,} were expected.",
            hint="Give one, or a tuple that the repeats take in turn.",
        )
    return tuple(int(one) for one in given)


def _unfit(name: str, value: Any, expected: str, none: bool) -> UsageError:
    return UsageError(
        f"{name} is {value!r}; {expected}{', or None,' if none else ''} was expected.",
        value=repr(value),
        expected=expected,
    )
