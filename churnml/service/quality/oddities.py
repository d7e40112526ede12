"""What in the tables would mislead a reader of the indicators; said, never guessed away."""

from __future__ import annotations

import ibis
from ibis import _

from churnml.base.text import counted, quoted
from churnml.service.index.answers import scale_shift
from churnml.service.quality.records import Records, read
from churnml.tables.validation.report import Report

_READ = ("contacts", "complaints", "surveys", "bills", "usage", "groups")
_MOST, _FEW = 0.8, 0.2
_MOVED = 0.8
_FEWEST = 10
_LISTED = 5


def tell_oddities(records: Records, report: Report) -> None:
    """Add to the notes: bad values, scales that changed, halls that were renamed."""
    records.notes.extend(_bad_values(report))
    records.notes.extend(_changed_scales(records))
    records.notes.extend(_renamed_halls(records))


def _bad_values(report: Report) -> list[str]:
    """What validation nulled or set aside, such as times that run backwards."""
    return [
        f"{one.table}.{one.column}: {one.count:,} values against the contract (expected "
        f"{one.expected}) [{one.code}]."
        for one in report.breaches
        if one.table in _READ and one.column
    ]


def _changed_scales(records: Records) -> list[str]:
    """A scale that most answers had, and then few: scores before and after may not compare."""
    if not records.has("surveys.score"):
        return []
    rows = records.events("surveys", "answered_at")
    counts = read(
        rows.filter(_.score.notnull())
        .group_by("month", low=rows.scale_min, high=rows.scale_max)
        .agg(answers=_.count())
    )
    if counts.empty:
        return []
    table = counts.assign(
        scale=[
            f"{low:g} to {high:g}" for low, high in zip(counts["low"], counts["high"], strict=True)
        ]
    ).pivot_table(index="month", columns="scale", values="answers", aggfunc="sum", fill_value=0)
    enough = table[table.sum(axis=1) >= _FEWEST]
    share = enough.div(enough.sum(axis=1), axis=0).sort_index()
    notes = []
    for scale in share.columns:
        most = share.index[share[scale] >= _MOST]
        few = share.index[share[scale] <= _FEW]
        after = [month for month in few if len(most) and month > most[0]]
        if after:
            other = share.loc[after[0]].idxmax()
            notes.append(
                f"surveys: the scale {scale} gave way to {other} in {after[0]:%Y-%m}. All scores "
                "are put on 0 to 100, yet people answer scales differently: a step then may be "
                "the scale's."
            )
    found = None if notes else scale_shift(enough.sort_index())
    if found is not None:
        month, before, now = found
        notes.append(
            f"surveys: the mix of scales changed in {month:%Y-%m}, from {before} to {now}: some "
            "answers are on another scale since. All scores are put on 0 to 100, yet people "
            "answer scales differently: a step then may be the scale's."
        )
    return notes


def _renamed_halls(records: Records) -> list[str]:
    """Halls all of whose customers got another hall on one day."""
    if not records.has("customers.hall_id", "customers.valid_from"):
        return []
    start, _end = records.span
    rows = records.tables["customers"].filter(_.hall_id.notnull())
    rows = rows.select("customer_id", "valid_from", "hall_id")

    order = ibis.window(group_by="customer_id", order_by="valid_from")
    rows = rows.mutate(before=rows.hall_id.lag().over(order))
    moves = rows.filter(_.before.notnull(), _.before != _.hall_id)
    moves = moves.filter(moves.valid_from >= start.date())
    counts = read(
        moves.group_by("before", "valid_from", after=moves.hall_id).agg(customers=_.count())
    )
    if counts.empty:
        return []
    there = records.customers.filter(_.terminated_on.isnull())
    left = read(there.group_by("hall_id").agg(customers=_.count()))
    still = dict(zip(left["hall_id"], left["customers"], strict=True))
    notes = []
    for row in counts.sort_values(["before", "valid_from"]).to_dict("records"):
        moved = int(row["customers"])
        if moved >= _FEWEST and moved >= _MOVED * (moved + still.get(row["before"], 0)):
            notes.append(
                f"customers.hall_id: {counted(moved, 'customer')} of hall {quoted(row['before'])} "
                f"have been in {quoted(row['after'])} since {row['valid_from']:%Y-%m-%d}, "
                "nearly all: a hall renamed? Its contacts before then stand under the old name."
            )
    return notes[:_LISTED]
