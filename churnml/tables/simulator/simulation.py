"""Simulate a whole operator, one block of customers after another."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

from tqdm import tqdm

from churnml.errors import UsageError
from churnml.tables.simulator.block import simulate_block
from churnml.tables.simulator.campaigns import Campaigns, Draw, Effect, Replay
from churnml.tables.simulator.months import SETTLE, Months
from churnml.tables.simulator.streams import Streams
from churnml.tables.simulator.world import Recording, SatisfactionStep, build_world
from churnml.tables.simulator.writer import Writer

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
    trend: float = 0.0,
    interactions: float = 0.0,
    own_words: bool = False,
    uncoded: float = 0.0,
    spoilt: float = 0.0,
    satisfaction_step: float = 0.0,
    step_from: date | None = None,
    effect: Effect = "own",
    assignment: Draw = "lot",
    campaign_size: float = 1.0,
    fatigue: float = 0.0,
    opt_outs: float = 0.03,
    contagion: float | None = None,
    replay: Replay | None = None,
    overwrite: bool = False,
    progress: bool = False,
) -> dict[str, int]:
    """Write the tables of a simulated operator, and its true probabilities.

    Customers live through the months in blocks of a fixed size: memory does not grow with
    their number, and the same arguments give the same bytes. Every table of a block has
    random numbers of its own for every month, so that what is drawn for one does not
    change another.

    Parameters
    ----------
    folder : str or Path
        Gets ``<table>.parquet`` for the tables of the contract, and ``truth/`` with
        ``hazard.parquet``, ``offer_effect.parquet``, ``complaint.parquet`` and
        ``reaction.parquet``.
    customers : int, 1 to 1e9
        Subscriptions, those included that begin or end within the months.
    months : int, 1 to 240
    seed : int, at least 0
    last_month : date
        First day of the last month.
    trend : float, -0.1 to 0.1
        What every month adds to everybody's log-odds of leaving, counted from the first
        month on: 0.01 makes leaving about 1 % more likely from month to month. No column
        shows it, so that a model of earlier months is too low where it is above 0.
    interactions : float, 0 to 3
        How strongly pairs of things work together: friends at rivals and youth, a short
        tenure and spending or a surprising bill, much use of data and incidents of the
        network. At 0 there are none; at 1 a sixth of the differences between customers in
        log-odds comes of them, at 2 more than a third. The churn rate stays about the same.
    own_words : bool
        Whether customers say the same thing in thousands of ways, some with a name or a
        number in it, and not in fifteen sentences.
    uncoded : float, 0 to 1
        Share of the complaints that the operator has put into no category; many of them
        have its own code. ``truth/complaint`` has the category of all.
    spoilt : float, 0 to 1
        Share of the texts that are badly typed and worded as the others never are.
    satisfaction_step : float, -30 to 30
        Points of 100 by which everybody's expected satisfaction lies higher from ``step_from``
        on, as ``truth/hazard`` tells; nothing but what customers think is another.
    step_from : date, optional
        First day of a month; by default of the one in the middle.
    effect : {"own", "none", "same", "mixed", "harm"}
        What offers do. ``own``: every customer's own reaction, whatever the offer; ``same``:
        the same for all; ``mixed``: most are prompted to leave, some are kept by the offer
        that suits them; ``harm``: all are prompted to leave.
    assignment : {"lot", "by_risk"}
        Whether arms are drawn by lot, or the riskier are treated more often.
    campaign_size : float, 0 to 100
        How many times the usual number of customers is invited.
    fatigue : float, 0 to 2
        What every earlier treatment adds to the log-odds of leaving, fading within months.
    opt_outs : float, 0 to 1
        Share of the customers who asked not to be contacted, within the last two months.
    contagion : float, 0 to 3, optional
        Adds the table ``ties``, who calls whom, and says what a friend who left adds to the
        log-odds of leaving, fading within months: at 0 nothing, and all other tables are as
        without ties. ``truth/contagion`` has what it comes to for every customer and month.
    replay : Replay, optional
        A plan that is played in one of the months: with the same other arguments everything
        before that month is the same operator.
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

    Notes
    -----
    It is easier than the world in three ways, and measures on it are to be read so.

    Causes add up: a customer's log-odds of leaving are nearly a sum of what happened to
    her, which a regression on the right columns finds as well as trees do. With
    ``interactions`` they are not.

    Nothing is confounded, unless ``assignment`` says so: offers are drawn by lot among those
    invited, and nothing hidden decides both who is served in which way and who leaves for
    another reason. What seems to work here does work; in an operator's past campaigns it need
    not.

    How far satisfaction can be predicted is a choice: answers spread around what a customer
    thinks by a fixed amount, which sets the ceiling of every model's R². Real answers may
    be steadier or more whimsical, and the ceiling tells nothing of them.

    Friends are no more alike than strangers: with ``contagion`` what ties tell is passed on,
    and at 0 they tell nothing. In the world friends also have much in common.

    Use, prices and satisfaction drift slowly, whatever ``trend`` is, and every region has
    its better and worse months, which no column predicts.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows = simulate(folder, customers=50, months=3)
    >>> rows["bills"] == rows["usage"] > 100
    True
    """
    _check(customers, months, seed, last_month)
    _check_shape(trend, interactions)
    _check_recording(uncoded, spoilt)
    _require_within("satisfaction_step", satisfaction_step, -30.0, 30.0)
    _require_within("contagion", contagion or 0.0, 0.0, 3.0)
    calendar = Months(last_month, months)
    campaigns = Campaigns(
        effect=effect,
        assignment=assignment,
        size=campaign_size,
        fatigue=fatigue,
        opt_outs=opt_outs,
        replay=replay,
    )
    campaigns.check(calendar)
    world = build_world(
        Streams(seed, 0),
        calendar,
        trend=trend,
        interactions=interactions,
        recording=Recording(own_words=own_words, uncoded=uncoded, spoilt=spoilt),
        campaigns=campaigns,
        step=_step(satisfaction_step, step_from, calendar),
        contagion=contagion,
    )
    ties = contagion is not None
    writer = Writer(Path(folder), extract=calendar.extract, overwrite=overwrite, ties=ties)
    blocks = range(0, customers, BLOCK)
    with writer, _bar(len(blocks) * (months + SETTLE), progress) as bar:
        for number, first in enumerate(blocks):
            ids = customer_ids(first, min(first + BLOCK, customers))
            streams = Streams(seed, 1, number)
            writer.write(simulate_block(streams, world, number, ids, bar.update))
    return writer.rows


def customer_ids(first: int, stop: int) -> list[str]:
    """Keys of customers by number: text of twelve digits, some with leading zeros.

    >>> customer_ids(0, 3)
    ['000271828183', '136452168070', '002632507957']
    """
    numbers = [(271_828_183 + _STRIDE * number) % _NUMBERS for number in range(first, stop)]
    return [f"{'00' if number % 3 == 1 else '13'}{number:010d}" for number in numbers]


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


def _step(points: float, since: date | None, calendar: Months) -> SatisfactionStep:
    if since is None:
        return SatisfactionStep(points=points, month=calendar.count // 2)
    written = [calendar.date(month) for month in range(calendar.count)]
    if since not in written:
        raise UsageError(
            f"step_from is {since}.",
            hint=f"Give the first day of a month from {written[0]} to {written[-1]}.",
            value=since,
        )
    return SatisfactionStep(points=points, month=written.index(since))


def _check_shape(trend: float, interactions: float) -> None:
    _require_within("trend", trend, -0.1, 0.1)
    _require_within("interactions", interactions, 0.0, 3.0)


def _check_recording(uncoded: float, spoilt: float) -> None:
    _require_within("uncoded", uncoded, 0.0, 1.0)
    _require_within("spoilt", spoilt, 0.0, 1.0)


def _require_within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise UsageError(
            f"{name} is {value}.", hint=f"Give a number from {low:g} to {high:g}.", value=value
        )
