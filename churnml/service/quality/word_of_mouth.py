"""The word-of-mouth curve (口碑曲线): promoters less detractors, month by month.

A change from one month to the next is told apart into what comes of other customers being there
(mix) and what comes of customers thinking otherwise (true), after Kitagawa, in the symmetrical
form, which depends on no order and leaves no rest. The mix is known from the customer table, so
it is sharp; the true change bears the sampling error of both months.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
from ibis import _
from numpy.typing import ArrayLike, NDArray

from churnml.base.dates import months_before
from churnml.metrics.intervals import normal_quantile
from churnml.service.quality.change_points import ChangePoint, change_points
from churnml.service.quality.intervals import net_promoters
from churnml.service.quality.perception import answers
from churnml.service.quality.records import WHOLE, Records, read, rolled_up
from churnml.service.small_cells import blank, hidden_related, sums_over
from churnml.tables import asof

Floats = NDArray[np.float64]

COLUMNS = (
    "segment",
    "month",
    "promoters",
    "detractors",
    "score",
    "low",
    "high",
    "change_point",
    "mix",
    "mix_low",
    "mix_high",
    "true_change",
    "true_low",
    "true_high",
)

_SEGMENTS = ("brand", "individual_tier", "region")
_BANDS = (6, 12, 24, 60)
"""Months since activation at which tenure bands begin."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change told apart; in the values' unit, with 95 % intervals.

    Attributes
    ----------
    mix, mix_low, mix_high : float
        What comes of other weights.
    true, true_low, true_high : float
        What comes of other values.
    """

    mix: float
    mix_low: float
    mix_high: float
    true: float
    true_low: float
    true_high: float


def tell_apart(
    weights: tuple[ArrayLike, ArrayLike],
    means: tuple[ArrayLike, ArrayLike],
    variances: tuple[ArrayLike, ArrayLike] = (0.0, 0.0),
) -> Change:
    """Part the change of a mean into mix and true change.

    Parameters
    ----------
    weights : (array, array)
        Before and after: the groups' shares, known.
    means : (array, array)
        Before and after: the groups' means.
    variances : (array, array), default 0
        Before and after: of the estimated means.

    References
    ----------
    Kitagawa (1955), "Components of a difference between two rates", JASA 50.

    Examples
    --------
    >>> change = tell_apart(([0.4, 0.35, 0.25], [0.5, 0.3, 0.2]), ([78, 75, 71], [80, 76, 70]))
    >>> round(change.mix, 6), round(change.true, 6)
    (0.6, 1.0)
    """
    w0, w1 = (np.asarray(one, float) for one in weights)
    m0, m1 = (np.asarray(one, float) for one in means)
    both = np.asarray(variances[0], float) + np.asarray(variances[1], float)
    mix = float(((w1 - w0) * (m1 + m0)).sum() / 2)
    true = float(((m1 - m0) * (w1 + w0)).sum() / 2)
    z = normal_quantile()
    mix_half = z * float(np.sqrt(((w1 - w0) ** 2 * both).sum()) / 2)
    true_half = z * float(np.sqrt((((w1 + w0) / 2) ** 2 * both).sum()))
    return Change(
        mix=mix,
        mix_low=mix - mix_half,
        mix_high=mix + mix_half,
        true=true,
        true_low=true - true_half,
        true_high=true + true_half,
    )


def word_of_mouth(
    records: Records, *, fewest: int = 10
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """The curve of all customers and of each segment.

    Returns
    -------
    (DataFrame, list of dict)
        `COLUMNS`, one row a segment and month; promoters, detractors in percent of the
        answers, ``score`` their difference in points, the segment of all customers the empty
        text, else ``column=value``. And the change points shown, with the months among which
        each may lie.
    """
    if not records.has("surveys.score"):
        records.notes.append("surveys is absent, and so is the word of mouth.")
        return pd.DataFrame({name: [] for name in COLUMNS}), []
    counts = _counts(records)
    if counts.empty:
        records.notes.append("surveys: no answer in the months told: no word of mouth.")
        return pd.DataFrame({name: [] for name in COLUMNS}), []
    rows = _with_scores(counts)
    rows = blank(
        rows,
        _hidden(rows, fewest),
        columns=["answers", "promoters", "detractors", "score", "low", "high", "error"],
    )
    points, told = _change_points(records, rows)
    rows["change_point"] = points
    rows = rows.merge(_told_apart(records, rows), on=["segment", "month"], how="left")
    hidden = rows["score"].isna()
    rows = blank(rows, hidden, columns=[*COLUMNS[8:]])
    rows = rows.sort_values(["by", "cell", "month"], ignore_index=True)
    return rows[list(COLUMNS)], told


def _judged(records: Records) -> Any:
    """The answers that speak of the whole: touchpoint overall where there is one."""
    rows = answers(records)
    if "touchpoint" in rows.columns:
        overall = rows.filter(rows.touchpoint == "overall")
        if int(overall.count().to_pyarrow().as_py()):
            return overall
    records.notes.append(
        "surveys: no answer of touchpoint overall; the word of mouth takes answers about anything."
    )
    return rows


def _counts(records: Records) -> pd.DataFrame:
    """Answers, promoters and detractors by segment and month."""
    rows, settings = _judged(records), records.config.quality
    promotes = (rows.points >= settings.promoters_from).cast("int64")
    detracts = (rows.points <= settings.detractors_to).cast("int64")
    rows = rows.mutate(promotes=promotes, detracts=detracts)
    by = (WHOLE, *(name for name in _SEGMENTS if name in rows.columns))
    sums = {"answers": _.count(), "promoters": _.promotes.sum(), "detractors": _.detracts.sum()}
    finest = read(rows.group_by("month", *by[1:]).agg(**sums))
    return pd.concat(rolled_up(finest, by, list(sums)), ignore_index=True)


def _with_scores(counts: pd.DataFrame) -> pd.DataFrame:
    found = net_promoters(counts["promoters"], counts["detractors"], counts["answers"])
    rows = counts.copy()
    rows["score"], rows["low"], rows["high"] = found.value, found.low, found.high
    rows["error"] = _error_of_a_month(counts)
    rows["promoters"] = 100 * counts["promoters"] / counts["answers"]
    rows["detractors"] = 100 * counts["detractors"] / counts["answers"]
    rows["segment"] = [
        f"{by}={one}" if by else WHOLE for by, one in zip(rows["by"], rows["cell"], strict=True)
    ]
    return rows


def _error_of_a_month(counts: pd.DataFrame) -> Floats:
    """Each month's standard error in points, by its answers and the segment's usual spread.

    A month's own spread is smallest where its score happens to be extreme, and would alarm.
    """
    sums = counts.groupby(["by", "cell"])[["answers", "promoters", "detractors"]].transform("sum")
    usual = _error(sums["answers"], sums["promoters"], sums["detractors"])
    more = (sums["answers"].to_numpy(float) + 3) / counts["answers"].to_numpy(float)
    return np.asarray(usual * np.sqrt(more))


def _error(answers: ArrayLike, promoters: ArrayLike, detractors: ArrayLike) -> Floats:
    """Standard errors in points, by the adjusted counts, which are never 0."""
    n = np.asarray(answers, float) + 3
    up = (np.asarray(promoters, float) + 0.75) / n
    down = (np.asarray(detractors, float) + 0.75) / n
    return np.asarray(100 * np.sqrt((up + down - (up - down) ** 2) / n))


def _hidden(rows: pd.DataFrame, fewest: int) -> NDArray[np.bool_]:
    columns = sorted({by for by in rows["by"] if by})
    cells = pd.DataFrame(
        {
            "month": rows["month"].astype(str),
            **{by: rows["cell"].where(rows["by"] == by, WHOLE) for by in columns},
        }
    )
    return hidden_related(rows["answers"].to_numpy(float), sums_over(cells), fewest=fewest)


def _change_points(records: Records, rows: pd.DataFrame) -> tuple[pd.Series, list[dict[str, Any]]]:
    """Where each segment's level changes, months without a shown score passed over."""
    months = list(records.months)
    flags = pd.Series(False, index=rows.index)
    told: list[dict[str, Any]] = []
    for segment, own in rows.groupby("segment", sort=False):
        shown = own.set_index("month")[["score", "error"]].astype(float).reindex(months)
        found = change_points(shown["score"], shown["error"], [month.month for month in months])
        starts = {months[point.place] for point in found}
        flags.loc[own.index] = own["month"].isin(starts).to_numpy()
        told += [_told(str(segment), months, point) for point in found]
    return flags, told


def _told(segment: str, months: list[date], point: ChangePoint) -> dict[str, Any]:
    return {
        "segment": segment,
        "month": months[point.place],
        "earliest": months[point.first],
        "latest": months[point.last],
        "difference": point.difference,
        "low": point.low,
        "high": point.high,
    }


def _told_apart(records: Records, rows: pd.DataFrame) -> pd.DataFrame:
    """Mix and true change against the month before, of all customers."""
    groups = _groups(records)
    fields = list(COLUMNS[8:])
    found = []
    shown = set(rows.loc[(rows["by"] == WHOLE) & rows["score"].notna(), "month"])
    for month in records.months:
        before = months_before(month, 1)
        fewest = records.config.quality.pooled_below
        told = month in shown and before in shown
        change = _between(groups, before, month, fewest) if told else None
        if change is not None:
            found.append(
                (
                    WHOLE,
                    month,
                    change.mix,
                    change.mix_low,
                    change.mix_high,
                    change.true,
                    change.true_low,
                    change.true_high,
                )
            )
    return pd.DataFrame(found, columns=["segment", "month", *fields])


def _groups(records: Records) -> pd.DataFrame:
    """Customers and answers of each group (brand, tier, tenure band) in each month."""
    spans = [(month, months_before(month, -1)) for month in records.months]
    calendar = asof.small_table(spans, month=pa.date32(), after=pa.date32())
    people = records.customers.cross_join(calendar)
    people = people.filter(
        people.activated_on < people.after,
        people.terminated_on.isnull() | (people.terminated_on >= people.month),
    )
    keys = ["month", *_keys(people)]
    sizes = _banded(people).group_by(*keys).agg(customers=_.count())
    rows, settings = _judged_quietly(records), records.config.quality
    life = records.customers.select("customer_id", "activated_on")
    rows = rows.left_join(life, "customer_id", rname="_{name}").drop("_customer_id")
    said = (
        _banded(rows)
        .group_by(*keys)
        .agg(
            answers=_.count(),
            promoters=(_.points >= settings.promoters_from).cast("int64").sum(),
            detractors=(_.points <= settings.detractors_to).cast("int64").sum(),
        )
    )
    return (
        read(sizes)
        .merge(read(said), on=keys, how="left")
        .fillna({"answers": 0, "promoters": 0, "detractors": 0})
    )


def _judged_quietly(records: Records) -> Any:
    length = len(records.notes)
    rows = _judged(records)
    del records.notes[length:]
    return rows


def _keys(rows: Any) -> list[str]:
    there = [name for name in ("brand", "individual_tier") if name in rows.columns]
    return [*there, "band"]


def _banded(rows: Any) -> Any:
    """Rows with their tenure band; nulls of the other keys become a value of their own."""
    months = asof.month_index(rows.month) - asof.month_index(rows.activated_on)
    band = sum(
        ((months >= start).fill_null(False).cast("int64") for start in _BANDS), ibis.literal(0)
    )
    filled = {name: rows[name].fill_null("") for name in _keys(rows) if name != "band"}
    return rows.mutate(band=band, **filled)


def _between(groups: pd.DataFrame, before: date, month: date, fewest: int) -> Change | None:
    """None where all groups have few answers, so that nothing can be told apart."""
    keys = [name for name in ("brand", "individual_tier", "band") if name in groups.columns]
    counts = ["customers", "answers", "promoters", "detractors"]
    sides = [
        groups[groups["month"] == when].set_index(keys)[counts].astype(float)
        for when in (before, month)
    ]
    every = sides[0].index.union(sides[1].index)
    first, second = (one.reindex(every, fill_value=0.0).to_numpy() for one in sides)
    # Groups with few answers in either month are one.
    few = (first[:, 1] < fewest) | (second[:, 1] < fewest)
    old, new = (np.vstack([one[~few], one[few].sum(axis=0)]) for one in (first, second))
    enough = (old[:, 1] > 0) & (new[:, 1] > 0)
    if enough.sum() < 2:
        return None
    old, new = old[enough], new[enough]
    means = [net_promoters(one[:, 2], one[:, 3], one[:, 1]).value for one in (old, new)]
    return tell_apart(
        weights=(old[:, 0] / old[:, 0].sum(), new[:, 0] / new[:, 0].sum()),
        means=(means[0], means[1]),
        variances=(
            _error(old[:, 1], old[:, 2], old[:, 3]) ** 2,
            _error(new[:, 1], new[:, 2], new[:, 3]) ** 2,
        ),
    )
