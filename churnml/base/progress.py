"""Progress inside long steps: a bar for who watches a terminal, one line where it takes minutes."""

from __future__ import annotations

import logging
import math
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")

_MINUTE = 60.0
_log = logging.getLogger(__name__)


def bar(what: str, unit: str, total: int | None = None) -> Any:
    """A progress bar (tqdm's); silent in logs, in pipes, and where no command shows progress.

    Parameters
    ----------
    what : str
        What is done.
    unit : str
        What ``update`` counts, in the singular.
    total : int, optional
    """
    from tqdm import tqdm

    watched = sys.stderr.isatty() and _log.isEnabledFor(logging.INFO)
    return tqdm(
        total=total,
        desc=what,
        unit=f" {unit}",
        unit_scale=unit == "row",
        disable=not watched,
        leave=False,
    )


def counted_off(
    results: Iterable[T], what: str, unit: str, *, total: int, at_once: int = 1
) -> Iterator[T]:
    """Pass results on with a bar; say after the first how long the others take, if minutes.

    Parameters
    ----------
    results : iterable
        Worked out one by one, here or in the loop over them.
    what, unit : str
    total : int
    at_once : int, default 1
        How many are worked out side by side.

    Examples
    --------
    >>> list(counted_off(iter("ab"), "growing", "booster", total=2))
    ['a', 'b']
    """
    started = time.monotonic()
    with bar(what, unit, total) as shown:
        for number, one in enumerate(results):
            yield one
            shown.update()
            if number == 0:
                _foretell(what, time.monotonic() - started, math.ceil(total / at_once) - 1)


def _foretell(what: str, seconds: float, rounds: int) -> None:
    left = seconds * rounds
    if left >= _MINUTE:
        _log.info("%s: about %s more", what, minutes(left))


def minutes(seconds: float) -> str:
    """A time of a minute or more, as people say it.

    >>> minutes(70), minutes(200)
    ('1 minute', '3 minutes')
    """
    whole = max(round(seconds / _MINUTE), 1)
    return "1 minute" if whole == 1 else f"{whole:,} minutes"
