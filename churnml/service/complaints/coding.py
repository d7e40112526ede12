"""Put complaints into categories, each with what was known when it reached the warehouse.

The operator's own category counts first, then its code, then the text. A text is judged by a
model of the records that were known when its month began, so that a category of the past is
what it would have been then, and stays so however much is learned later.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, datetime

import ibis
import pyarrow as pa
from ibis import _
from ibis.expr import types as ir

from churnml.base.dates import add_months, months_between
from churnml.config.settings import ComplaintSettings
from churnml.service.complaints.codes import meaning_of
from churnml.service.complaints.texts import CodedTexts, TextCoder, learn_texts
from churnml.service.complaints.unsolved import still_open
from churnml.tables.validation.blank import is_blank

_GROWN, _OLD = 1.25, 6
"""A model is learned anew when there is a quarter more to learn from, or after six months."""

_OPTIONAL = ("subcategory", "channel", "severity", "reopened_at", "text", "code")
_log = logging.getLogger(__name__)

_CODED = pa.schema(
    [
        ("complaint_id", pa.string()),
        ("text_category", pa.string()),
        ("text_subcategory", pa.string()),
        ("text_confidence", pa.float64()),
    ]
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Coding:
    """Complaints with their categories.

    Attributes
    ----------
    rows : Table
        The contract's columns, all of them there, with ``coder`` (code, text, none) and
        ``confidence``; ``category`` and ``subcategory`` filled where they could be.
    models : tuple of (date, int)
        When each model of the texts was learned, and from how many records.
    """

    rows: ir.Table
    models: tuple[tuple[date, int], ...]


def code_complaints(
    complaints: ir.Table, settings: ComplaintSettings, *, since: date | None = None
) -> Coding:
    """Put complaints into categories by what the operator says, by code, and by text.

    Parameters
    ----------
    complaints : Table
        As a source has them, with a filled ``known_at``; nothing later than the day it is
        seen from.
    settings : ComplaintSettings
    since : date, optional
        Leave out complaints opened before that are not open; models learn from all.

    Returns
    -------
    Coding
    """
    by_code = _by_code(_whole(complaints), settings)
    wanted = by_code
    if since is not None:
        recent = by_code.opened_at >= ibis.literal(_at(since))
        wanted = by_code.filter(recent | still_open(by_code))
    coded, models = _by_text(by_code, wanted, settings)
    told = ibis.memtable(pa.Table.from_batches(coded, schema=_CODED))
    rows = wanted.left_join(told, "complaint_id", rname="told_{name}").drop("told_complaint_id")
    texted = rows.text_category.notnull()
    rows = rows.mutate(
        category=ibis.coalesce(rows.category, rows.text_category),
        subcategory=ibis.coalesce(rows.subcategory, rows.text_subcategory),
        coder=ibis.cases((rows.category.notnull(), "code"), (texted, "text"), else_="none"),
        confidence=ibis.ifelse(rows.category.notnull(), 1.0, rows.text_confidence),
    )
    return Coding(rows=rows.drop(*_CODED.names[1:]), models=tuple(models))


def _whole(complaints: ir.Table) -> ir.Table:
    """The complaints with every optional column, null where the source has none."""
    kinds = dict.fromkeys(_OPTIONAL, "string") | {"severity": "int64", "reopened_at": "timestamp"}
    missing = {
        name: ibis.null(kinds.get(name, "string"))
        for name in ("category", *_OPTIONAL)
        if name not in complaints.columns
    }
    return complaints.mutate(**missing) if missing else complaints


def _by_code(rows: ir.Table, settings: ComplaintSettings) -> ir.Table:
    """The category and subcategory that the operator's code stands for, where it gave none."""
    codes = rows.select("code").distinct().to_pyarrow()["code"].drop_null().to_pylist()
    meanings = [(code, *meaning_of(code, settings.codes)) for code in sorted(codes)]
    known = [one for one in meanings if one[1] is not None]
    columns = list(zip(*known, strict=True)) or [(), (), ()]
    names = ("code", "code_category", "code_subcategory")
    told = pa.table({n: pa.array(c, pa.string()) for n, c in zip(names, columns, strict=True)})
    joined = rows.left_join(ibis.memtable(told), "code", rname="told_{name}")
    bare = joined.category.isnull()
    agreed = bare | (joined.category == joined.code_category)
    fine = ibis.ifelse(agreed, joined.code_subcategory, ibis.null("string"))
    joined = joined.mutate(
        category=ibis.coalesce(joined.category, joined.code_category),
        subcategory=ibis.coalesce(joined.subcategory, fine),
    )
    return joined.select(*rows.columns)


def _by_text(
    rows: ir.Table, wanted: ir.Table, settings: ComplaintSettings
) -> tuple[list[pa.RecordBatch], list[tuple[date, int]]]:
    """Texts without a category, month by month, each by the model of its month."""
    asked = _tally(_worded(wanted).filter(_.category.isnull()))
    if not asked:
        return [], []
    learnable = _worded(rows).filter(_.category.notnull())
    moments = _when_to_learn(_tally(learnable), sorted(asked))
    batches: list[pa.RecordBatch] = []
    models: list[tuple[date, int]] = []
    coder, learned = None, None
    for month in sorted(asked):
        moment = moments.get(month)
        if moment is None:
            continue
        if coder is None or moment != learned:
            coder, learned = _learned(learnable, moment, settings), moment
            models.append((moment, coder.records))
        open_ones = _worded(wanted).filter(_.category.isnull(), _month() == ibis.literal(month))
        batches.append(_coded(coder, open_ones))
    return batches, models


def _worded(rows: ir.Table) -> ir.Table:
    return rows.filter(rows.text.notnull(), ~is_blank(rows.text))


def _month() -> ir.DateValue:
    return _.known_at.truncate("M").date()


def _tally(rows: ir.Table) -> dict[date, int]:
    """How many rows became known in each month."""
    counts = rows.group_by(month=_month()).agg(count=_.count()).to_pyarrow().to_pylist()
    return {row["month"]: row["count"] for row in counts if row["month"] is not None}


def _when_to_learn(learnable: dict[date, int], asked: list[date]) -> dict[date, date]:
    """The start of the month at which the model of each asked month was learned.

    It follows from how many records there were, whatever months are asked for.
    """
    if not learnable:
        return {}
    first, last = min(learnable), max(asked)
    moments, known, used, learned = {}, 0, 0, None
    for at in range(1, months_between(first, last) + 1):
        month = add_months(first, at)
        known += learnable.get(add_months(first, at - 1), 0)
        stale = learned is None or months_between(learned, month) >= _OLD
        if known >= _GROWN * used or stale:
            used, learned = known, month
        if learned is not None:
            moments[month] = learned
    return {month: moments[month] for month in asked if month in moments}


def _learned(rows: ir.Table, moment: date, settings: ComplaintSettings) -> TextCoder:
    known = rows.filter(_.known_at <= ibis.literal(_at(moment)))
    latest = known.order_by(_.known_at.desc(), "complaint_id").limit(settings.text_records)
    records = latest.select("text", "category", "subcategory", "customer_id").to_pyarrow()
    _log.info("learning from the texts of %s complaints at %s", f"{len(records):,}", moment)
    return learn_texts(
        CodedTexts(
            texts=records["text"].to_pylist(),
            categories=records["category"].to_pylist(),
            subcategories=records["subcategory"].to_pylist(),
            customers=records["customer_id"].to_pylist(),
        ),
        precision=settings.precision,
        min_records=settings.min_records,
    )


def _coded(coder: TextCoder, rows: ir.Table) -> pa.RecordBatch:
    """A month's texts, as the month's model codes them."""
    texts = rows.select("complaint_id", "text").to_pyarrow().combine_chunks()
    category, fine, sure = coder.code(texts["text"].to_pylist())
    return pa.record_batch(
        [
            pa.array(texts["complaint_id"].to_pylist(), pa.string()),
            pa.array(category, pa.string()),
            pa.array(fine, pa.string()),
            pa.array(sure, pa.float64()),
        ],
        schema=_CODED,
    )


def _at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)
