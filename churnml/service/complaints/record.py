"""Record complaints in one way: categories, quality of the record, what is open, what surges."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr import types as ir

from churnml.base.dates import months_before, parse_date
from churnml.base.placing import ReadPlaces, input_first, require_apart
from churnml.config.settings import Config, ConfigGiven, as_config
from churnml.errors import DataError, UsageError
from churnml.features.requirements import require_bills
from churnml.service.complaints.attention import USUAL_MONTHS, find_surges
from churnml.service.complaints.categories import count_categories
from churnml.service.complaints.cells import Frame, at_home, fetched, frame_of
from churnml.service.complaints.coding import Coding, code_complaints
from churnml.service.complaints.quality import measure_quality
from churnml.service.complaints.result import ComplaintRecord
from churnml.service.complaints.unsolved import count_open, long_unsolved, open_complaints
from churnml.service.complaints.wide import count_wide, sum_appeals
from churnml.service.complaints.writing import (
    CODED_FILE,
    RECORD,
    write_coded,
    write_folder,
)
from churnml.service.small_cells import FEWEST, hidden
from churnml.tables.checked import Location, as_source, check
from churnml.tables.source import Source
from churnml.tables.validation.scope import kept

_OPTIONAL = ("text", "subcategory", "channel", "severity")
_CODERS = ("code", "text", "none")
_log = logging.getLogger(__name__)


def complaint_record(
    data: Source | Location,
    *,
    as_of: date | str,
    months: int | None = None,
    out: Location | None = None,
    coded: Location | None = None,
    mapping: Location | None = None,
    config: ConfigGiven | None = None,
    overwrite: bool = False,
) -> ComplaintRecord:
    """Put complaints into the standard categories, and say how they are recorded and solved.

    The operator's own category counts first, then its code (``complaints.codes`` of the
    settings), then the text: by a model of the records known before, which leaves to a
    person what it is not sure of.

    Parameters
    ----------
    data : Source, str or path
        Operator tables; ``complaints`` must be among them.
    as_of : date
        Everything known before midnight at its start counts.
    months : int, optional
        Whole months before it that are looked back on; by default ``complaints.months`` of
        the settings.
    out : path, optional
        A folder for ``categories.parquet``, ``quality.parquet``, ``open.parquet`` and
        ``for_a_person.parquet``.
    coded : path, optional
        A Parquet file for the category of every complaint, which a mapping can name
        (``complaints: {coded: F.parquet}``). What the mapping's own file says is not read
        here: each complaint is coded anew, as it would have been when it became known.
    mapping : path, optional
    config : Config, path or mapping, optional
    overwrite : bool, default False
        Whether earlier results there may be replaced.

    Returns
    -------
    ComplaintRecord

    Raises
    ------
    UsageError
        If ``months`` is not positive.
    DataError
        If there are no complaints, the source is refused, or it ends more than a month before
        ``as_of``.
    OutputError
        If a result cannot be written, or something stands there.

    Examples
    --------
    >>> import churnml, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> _ = churnml.simulate(folder, customers=300, months=6, overwrite=True)
    >>> found = churnml.complaint_record(folder, as_of="2026-06-01", months=3)
    >>> found.months
    ('2026-03-01', '2026-04-01', '2026-05-01')
    >>> set(found.to_pandas()["by"]) >= {"", "region", "hall_id", "channel"}
    True
    """
    settings, day = as_config(config), parse_date(as_of)
    span = settings.complaints.months if months is None else months
    if span < 1:
        raise UsageError(f"months is {span}.", hint="Give a number of 1 or more.", value=span)
    # Coding anew does not read what an earlier coding wrote.
    source = replace(as_source(data, mapping=mapping, config=settings), coded=None)
    _require_complaints(source)

    def judge() -> None:
        check(source, settings, until=day).accepted()

    with input_first(judge):
        for place, product in ((out, RECORD), (coded, CODED_FILE)):
            if place is not None:
                require_apart(place, source.read)
                product.require_free(place, overwrite=overwrite)
        if out is not None and coded is not None:
            require_apart(coded, _only(out))
    clean = check(source, settings, until=day).accepted()
    require_bills(clean, day)
    _log.info("coding complaints before %s", day)
    found, work = _look(clean, day, span, settings, whole=coded is not None)
    if out is not None:
        tables = {name: getattr(found, name) for name in ("categories", "quality", "open")}
        with RECORD.replaced(out, overwrite=overwrite) as fresh:
            write_folder(fresh, tables, work.for_a_person)
    if coded is not None:
        with CODED_FILE.replaced(coded, overwrite=overwrite) as fresh:
            write_coded(fresh, work.coding)
    return replace(
        found,
        folder=None if out is None else str(out),
        coded=None if coded is None else str(coded),
    )


def _only(place: Location) -> ReadPlaces:
    return ReadPlaces(places=(Path(place),), tables=(Path(place),))


def _require_complaints(source: Source) -> None:
    if "complaints" not in source.bindings:
        raise DataError(
            f"complaints: there is no such table in {source.location}.",
            hint="Add complaints.parquet or complaints.csv, or name its file in the mapping.",
            table="complaints",
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Work:
    """What is written of single complaints."""

    coding: ir.Table
    for_a_person: ir.Table


def _look(
    clean: Source, day: date, months: int, config: Config, *, whole: bool
) -> tuple[ComplaintRecord, _Work]:
    """Code the complaints once, and count them."""
    settings, frame = config.complaints, frame_of(clean.tables, day, months)
    begins = min(frame.since, months_before(frame.months[-1], USUAL_MONTHS))
    coding = code_complaints(clean.tables["complaints"], settings, since=None if whole else begins)
    rows = kept(at_home(coding.rows, frame), "coded_complaints")
    window = rows.filter(rows.month.isin(list(frame.months)))
    _log.info("counting complaints of %s months", len(frame.months))
    categories, _whole = count_categories(window, frame, settings.regulator)
    binding = clean.bindings["complaints"]
    raw = at_home(replace(clean, cleaned={}).table("complaints"), frame)
    quality = measure_quality(
        raw.filter(raw.month.isin(list(frame.months))),
        window,
        frame,
        dated="known_at" in binding.columns,
        absent=[name for name in _OPTIONAL if name not in binding.columns],
    )
    wide, absent = count_wide(
        clean.tables,
        window,
        frame,
        low_score=settings.low_score,
        regulator=settings.regulator_channels,
    )
    appealed = window.filter(window.channel.isin(settings.regulator_channels))
    is_open = open_complaints(rows, frame)
    opened = count_open(is_open, frame, long_days=settings.long_days)
    total, coders = _coders(window)
    found = ComplaintRecord(
        as_of=str(day),
        months=tuple(map(str, frame.months)),
        complaints=total,
        coders=coders,
        for_a_person=coders["none"],
        models=[{"learned_at": str(at), "records": many} for at, many in coding.models],
        categories=categories,
        quality=pd.concat([quality.table, wide], ignore_index=True),
        open=opened,
        trend=quality.trend,
        long_unsolved=long_unsolved(opened, frame, long_days=settings.long_days),
        surges=find_surges(rows, frame),
        regulator=sum_appeals(appealed, frame, wide),
        notes=[*_notes(frame, coding, coders), *quality.notes, *absent],
    )
    unsure = rows.filter(rows.coder == "none", rows.opened_at >= ibis.literal(_at(frame.since)))
    return found, _Work(coding=rows, for_a_person=unsure)


def _coders(window: ir.Table) -> tuple[int | None, dict[str, int | None]]:
    """How many complaints there are, and by whom they were put into a category."""
    counts = fetched(
        window.group_by("coder").agg(count=_.count(), people=_.customer_id.nunique())
    ).set_index("coder")
    counts = counts.reindex(_CODERS, fill_value=0)
    number = counts["count"].to_numpy(float)
    # That nobody coded by text where there are no texts is no secret.
    some = number > 0
    mask = np.zeros(len(counts), dtype=bool)
    if some.any():
        few = (counts["people"] < FEWEST).to_numpy()[some]
        mask[some] = hidden(number[some], already=few)
    total = int(number.sum())
    shown = {
        coder: None if hide else int(count)
        for coder, count, hide in zip(_CODERS, number, mask, strict=True)
    }
    return None if 0 < total < FEWEST else total, shown


def _notes(frame: Frame, coding: Coding, coders: dict[str, int | None]) -> list[str]:
    notes = []
    if frame.day.day != 1:
        notes.append(
            f"The days from {frame.day.replace(day=1)} on are no whole month: their complaints "
            "are open or for a person, and in no month."
        )
    if {"region", "hall_id"} & set(frame.by):
        notes.append(f"Customers count where they live at {frame.day}.")
    if coders["none"] != 0 and not coding.models:
        notes.append("No text was coded: too few records have a category to learn from.")
    return notes


def _at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)
