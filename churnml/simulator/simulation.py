"""A whole operator, block after block of customers."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import numpy as np
from tqdm import tqdm

from churnml.errors import UsageError
from churnml.simulator.block import simulate_block
from churnml.simulator.months import SETTLE, Months
from churnml.simulator.world import build_world
from churnml.simulator.writer import Writer

LAST_MONTH = date(2026, 5, 1)
"""The last month written, unless another is asked for."""

BLOCK = 10_000
"""Customers in memory at a time."""

_NUMBERS = 10_000_000_000
# Odd and no multiple of 5, so that every customer gets another number.
_STRIDE = 6_180_339_887


def simulate(
    folder: str | Path,
    *,
    customers: int = 20_000,
    months: int = 24,
    seed: int = 0,
    last_month: date = LAST_MONTH,
    overwrite: bool = False,
    progress: bool = False,
) -> dict[str, int]:
    """Write the tables of an operator that does not exist, and the truth about it.

    Customers live through the months in blocks of a fixed size, each with its own stream
    of random numbers: memory does not grow with their number, and the same arguments give
    the same bytes.

    Parameters
    ----------
    folder : str or Path
        Gets ``<table>.parquet`` for the eight tables of the contract, and ``truth/`` with
        ``hazard.parquet`` and ``offer_effect.parquet``.
    customers : int, 1 to 1e9
        Subscriptions, those included that begin or end within the months.
    months : int, 1 to 240
    seed : int, at least 0
    last_month : date
        First day of the last month.
    overwrite : bool
        Whether files of these names may be replaced; what else lies in the folder stays.
    progress : bool
        Whether to show a bar on standard error.

    Returns
    -------
    dict of str to int
        Rows of every file, by its name without the ending.

    Raises
    ------
    UsageError
        If an argument is out of range.
    OutputError
        If the folder is not empty, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows = simulate(folder, customers=50, months=3)
    >>> rows["bills"] == rows["usage"] > 100
    True
    """
    _check(customers, months, seed, last_month)
    calendar = Months(last_month, months)
    world = build_world(np.random.default_rng(_seeds(seed, 0)), calendar)
    writer = Writer(Path(folder), extract=calendar.extract, overwrite=overwrite)
    blocks = range(0, customers, BLOCK)
    with writer, _bar(len(blocks) * (months + SETTLE), progress) as bar:
        for number, first in enumerate(blocks):
            ids = customer_ids(first, min(first + BLOCK, customers))
            seeds = _seeds(seed, 1, number)
            writer.write(simulate_block(seeds, world, number, ids, bar.update))
    return writer.rows


def customer_ids(first: int, stop: int) -> list[str]:
    """Keys of customers by number: text of twelve digits, some with leading zeros.

    >>> customer_ids(0, 3)
    ['000271828183', '136452168070', '002632507957']
    """
    numbers = [(271_828_183 + _STRIDE * number) % _NUMBERS for number in range(first, stop)]
    return [f"{'00' if number % 3 == 1 else '13'}{number:010d}" for number in numbers]


def _seeds(seed: int, *place: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed, spawn_key=place)


def _bar(total: int, progress: bool) -> tqdm[None]:
    # A bar is for people: in the log of a scheduler it is thousands of lines.
    watched = sys.stderr.isatty() or "ipykernel" in sys.modules
    return tqdm(total=total, desc="simulate", unit="month", disable=not (progress and watched))


def _check(customers: int, months: int, seed: int, last_month: date) -> None:
    for name, value, low, high in (
        ("customers", customers, 1, 10**9),
        ("months", months, 1, 240),
        ("seed", seed, 0, 2**63 - 1),
    ):
        if not low <= value <= high:
            raise UsageError(
                f"{name} is {value}.", hint=f"Give a number from {low} to {high}.", value=value
            )
    if last_month.day != 1:
        raise UsageError(
            f"last_month is {last_month}.", hint="Give the first day of a month.", value=last_month
        )
