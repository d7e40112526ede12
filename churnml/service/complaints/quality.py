"""How well complaints are recorded: by hall, region and channel, month by month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr import types as ir

from churnml.metrics.intervals import normal_quantile, wilson
from churnml.service.complaints.cells import Frame, counted_by, hidden_places
from churnml.service.small_cells import FEWEST, blank
from churnml.tables.validation.blank import is_blank

COLUMNS = ("by", "cell", "month", "measure", "value", "low", "high", "n")

_FILLED = ("text", "subcategory", "channel", "severity")
_TIMELY = 86_400
_ALIKE, _ALIKE_SECONDS = 0.9, 86_400
_AGAIN_DAYS = 7

MEASURES: Mapping[str, tuple[int, str, str]] = {
    **{
        f"completeness_{name}": (1, f"records with a {name}", zh)
        for name, zh in zip(
            _FILLED,
            ("有内容描述的比例", "有细分类的比例", "有受理渠道的比例", "有严重程度的比例"),
            strict=True,
        )
    },
    "timeliness": (1, "records that reached the warehouse within a day", "一天内入库的比例"),
    "unclassified": (-1, "records that nobody has put into a category", "未归类的比例"),
    "duplicates": (
        -1,
        "records that repeat the customer's own of the same category, 90 % alike, within a day",
        "重复录入的比例",
    ),
    "closed_without_result": (
        -1,
        "closed records whose customer complained of the same again within 7 days",
        "结案后7天内同类再投诉的比例",
    ),
    "reversed_times": (
        -1,
        "records closed, reopened or known before they were opened",
        "时间倒置的比例",
    ),
}
"""Each measure of the record: 1 where more is better, its definition, and its Chinese name."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RecordQuality:
    """The measures of the record.

    Attributes
    ----------
    table : DataFrame
        The columns of `COLUMNS`: shares with Wilson's 95 % interval, null where hidden.
    trend : DataFrame
        ``measure`` ``change`` ``low`` ``high`` (a month, of the share) ``verdict`` (rising,
        falling, not told apart: of the quality, so that rising is always good).
    notes : tuple of str
    """

    table: pd.DataFrame
    trend: pd.DataFrame
    notes: tuple[str, ...]


def measure_quality(
    raw: ir.Table, coded: ir.Table, frame: Frame, *, dated: bool, absent: Sequence[str]
) -> RecordQuality:
    """Measure how well complaints are recorded.

    Parameters
    ----------
    raw : Table
        The complaints as they were recorded, bad rows among them, with ``month`` and places.
    coded : Table
        The good ones with their categories, likewise.
    frame : Frame
    dated : bool
        Whether the source says when each record became known.
    absent : sequence of str
        Columns that it lacks.
    """
    asked = [f"completeness_{name}" for name in _FILLED if name not in absent]
    flags = {f"completeness_{n}": _filled(raw, n) for n in _FILLED if n not in absent}
    notes = [f"complaints.{name} is absent, and so is its completeness." for name in absent
             if name in _FILLED]  # fmt: skip
    if dated:
        seconds = raw.known_at.epoch_seconds() - raw.opened_at.epoch_seconds()
        flags["timeliness"] = seconds <= _TIMELY
        asked.append("timeliness")
    else:
        notes.append("complaints.known_at is absent, and so is the timeliness of the record.")
    flags["reversed_times"] = _reversed(raw)
    parts = [_shares(raw.mutate(**flags), frame, [*asked, "reversed_times"])]
    judged = _repeats(coded, frame.day, texts="text" not in absent).mutate(
        unclassified=coded.coder == "none"
    )
    told = ["unclassified", *(name for name in _REPEATS if name in judged.columns)]
    if "duplicates" not in told:
        notes.append("complaints.text is absent, and so are duplicates.")
    parts.append(_shares(judged, frame, told))
    whole = pd.concat(parts, ignore_index=True)
    order = {name: at for at, name in enumerate(MEASURES)}
    whole = whole.sort_values(
        ["by", "cell", "month", "measure"],
        key=lambda column: column.map(order) if column.name == "measure" else column,
        ignore_index=True,
    )
    shown = hide_shares(whole, frame)
    return RecordQuality(table=shown[list(COLUMNS)], trend=trend_of(whole), notes=tuple(notes))


_REPEATS = ("duplicates", "closed_without_result")


def _filled(rows: ir.Table, name: str) -> ir.BooleanValue:
    value = rows[name]
    return value.notnull() & ~is_blank(value) if value.type().is_string() else value.notnull()


def _reversed(rows: ir.Table) -> ir.BooleanValue:
    later = [name for name in ("closed_at", "reopened_at", "known_at") if name in rows.columns]
    return ibis.or_(*((rows[name] < rows.opened_at).fill_null(False) for name in later))


def _repeats(coded: ir.Table, day: date, *, texts: bool) -> ir.Table:
    """The complaints, and whether each repeats an earlier one or was closed in vain."""
    known = coded.filter(coded.category.notnull())
    kept = ["complaint_id", "customer_id", "category", "opened_at", "closed_at", "text"]
    one = known.select(*kept)
    two = known.select(*kept).rename({f"later_{name}": name for name in kept})
    pairs = one.join(
        two,
        [
            one.customer_id == two.later_customer_id,
            one.category == two.later_category,
            one.complaint_id != two.later_complaint_id,
            one.opened_at <= two.later_opened_at,
        ],
    )
    opened = pairs.later_opened_at.epoch_seconds()
    since_closed = opened - pairs.closed_at.epoch_seconds()
    in_vain = pairs.filter(since_closed > 0, since_closed <= _AGAIN_DAYS * 86_400)
    flags = {"closed_without_result": _flagged(coded, in_vain.complaint_id)}
    settled = coded.closed_at <= ibis.literal(
        datetime(day.year, day.month, day.day) - timedelta(days=_AGAIN_DAYS)
    )
    asked = {"closed_without_result": coded.category.notnull() & settled}
    if texts:
        apart = opened - pairs.opened_at.epoch_seconds()
        longest = ibis.greatest(pairs.text.length(), pairs.later_text.length(), 1)
        alike = 1 - pairs.text.levenshtein(pairs.later_text) / longest >= _ALIKE
        # Of two at the same moment one is the repeat.
        later = (apart > 0) | (pairs.later_complaint_id > pairs.complaint_id)
        again = pairs.filter(apart <= _ALIKE_SECONDS, alike, later)
        flags["duplicates"] = _flagged(coded, again.later_complaint_id)
        asked["duplicates"] = coded.category.notnull() & coded.text.notnull()
    return coded.mutate(
        **{name: ibis.ifelse(asked[name], flags[name], ibis.null("boolean")) for name in flags}
    )


def _flagged(rows: ir.Table, ids: ir.StringColumn) -> ir.BooleanValue:
    return rows.complaint_id.isin(ids)


def _shares(rows: ir.Table, frame: Frame, names: Sequence[str]) -> pd.DataFrame:
    """The share of the rows for which each flag holds, by cell and month, not hidden."""
    sums = {
        **{f"k_{name}": _[name].cast("int64").sum() for name in names},
        **{f"n_{name}": _[name].count() for name in names},
        **{f"p_{name}": _.customer_id.nunique(where=_[name].notnull()) for name in names},
    }
    found = counted_by(rows, frame, ("month",), **sums)
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "by": found["by"],
                    "cell": found["cell"],
                    "month": found["month"],
                    "measure": name,
                    "k": found[f"k_{name}"].fillna(0).astype(float),
                    "n": found[f"n_{name}"].astype("int64"),
                    "people": found[f"p_{name}"].astype("int64"),
                }
            )
            for name in names
        ],
        ignore_index=True,
    )


def hide_shares(whole: pd.DataFrame, frame: Frame) -> pd.DataFrame:
    """Shares with their intervals, those of few people hidden with what tells them.

    Parameters
    ----------
    whole : DataFrame
        ``by`` ``cell`` ``month`` ``measure`` ``k`` (of ``n``) ``n`` ``people``.
    frame : Frame
    """
    counts = whole["n"].to_numpy(float)
    share = np.divide(whole["k"], counts, out=np.full(len(whole), np.nan), where=counts > 0)
    low, high = wilson(share, np.where(counts > 0, counts, np.nan))
    mask = np.zeros(len(whole), dtype=bool)
    for _key, places in whole.groupby(["month", "measure"]).indices.items():
        part = whole.iloc[places]
        cells = list(zip(part["by"], part["cell"], strict=True))
        few = (part["people"] < FEWEST).to_numpy()[:, None]
        mask[places] = hidden_places(
            cells, part["n"].to_numpy(float)[:, None], few, parents=frame.parents
        )[:, 0]
    valued = whole.assign(value=share, low=low, high=high)
    return blank(valued, mask, columns=("value", "low", "high", "n"))


def trend_of(whole: pd.DataFrame) -> pd.DataFrame:
    """How each measure of the whole record changes from month to month, with its interval.

    A line through the months' shares, each counting by its number of records; the interval is
    wide enough for months that differ by more than chance.

    Parameters
    ----------
    whole : DataFrame
        As for `hide_shares`.
    """
    rows = []
    for measure, (good, _en, _zh) in MEASURES.items():
        part = whole[(whole["by"] == "") & (whole["measure"] == measure) & (whole["n"] >= FEWEST)]
        if len(part) < 3:
            continue
        change, error = _slope(part.sort_values("month"))
        reach = normal_quantile() * error
        rows.append(
            {
                "measure": measure,
                "change": change,
                "low": change - reach,
                "high": change + reach,
                "verdict": _verdict(good * change, reach),
            }
        )
    return pd.DataFrame(rows, columns=["measure", "change", "low", "high", "verdict"])


def _slope(part: pd.DataFrame) -> tuple[float, float]:
    n, share = part["n"].to_numpy(float), (part["k"] / part["n"]).to_numpy(float)
    at = np.arange(len(part), dtype=float)
    pooled = part["k"].sum() / n.sum()
    weight = n / max(pooled * (1 - pooled), 1e-9)
    middle = (weight * at).sum() / weight.sum()
    spread = (weight * (at - middle) ** 2).sum()
    change = float((weight * (at - middle) * share).sum() / spread)
    level = (weight * share).sum() / weight.sum()
    left = share - level - change * (at - middle)
    beyond = max(1.0, float((weight * left**2).sum() / max(len(part) - 2, 1)))
    return change, float(np.sqrt(beyond / spread)) if pooled not in (0, 1) else 0.0


def _verdict(change: float, reach: float) -> str:
    if abs(change) <= max(reach, 1e-9):
        return "not told apart"
    return "rising" if change > 0 else "falling"
