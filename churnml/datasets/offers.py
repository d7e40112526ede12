"""Past offers as an experiment: who was offered what, what was known before, who left after.

A row is an offer. Features are as of the first day of the offer's month, so that nothing of
the offer itself is among them; a customer left where the service ended within the horizon after
the day of the offer. Offers whose horizon the data do not cover yet teach nothing and are
counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatch
from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _

from churnml.base.dates import add_months, add_span, parse_date
from churnml.config.settings import Config
from churnml.errors import DataError
from churnml.features import build_features
from churnml.features.building import declared
from churnml.features.declaration import Declarations
from churnml.labels.coverage import covered
from churnml.tables import asof
from churnml.tables.source import Source

TREATMENT = "treatment"


@dataclass(frozen=True, kw_only=True)
class OfferRows:
    """Past offers to learn from.

    Attributes
    ----------
    X : DataFrame, shape (n, k)
        Features at the first day of the offer's month.
    y : array, shape (n,)
        1 where the customer left within the horizon.
    offer : array of object, shape (n,)
        What was offered; None for control.
    customer : array of text, shape (n,)
    month : array of date, shape (n,)
    cost, acceptance : dict of str to float
        By offer: mean yuan of an accepted one, and the share that accepted.
    counts : dict of str to int
        ``offers`` in the table, ``known`` (rows here), ``immature``, ``ineligible`` (became
        customers in that month), ``sampled`` (left out above ``retention.max_rows``).
    notes : list of str
    features : Declarations
        Of the columns, as the source can have them.
    """

    X: pd.DataFrame
    y: np.ndarray[Any, np.dtype[np.float64]]
    offer: np.ndarray[Any, Any]
    customer: np.ndarray[Any, Any]
    month: np.ndarray[Any, Any]
    cost: dict[str, float]
    acceptance: dict[str, float]
    counts: dict[str, int]
    features: Declarations
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.y)

    def rows(self, wanted: np.ndarray[Any, np.dtype[np.bool_]]) -> OfferRows:
        """Some of the rows."""
        return OfferRows(
            X=self.X[wanted].reset_index(drop=True),
            y=self.y[wanted],
            offer=self.offer[wanted],
            customer=self.customer[wanted],
            month=self.month[wanted],
            cost=self.cost,
            acceptance=self.acceptance,
            counts=self.counts,
            features=self.features,
            notes=self.notes,
        )


def read_offers(source: Source, day: date, config: Config) -> OfferRows:
    """The offers whose outcome was known at a date, with what was known before them.

    Parameters
    ----------
    source : Source
        Checked, as it was known at the date.
    day : date
    config : Config
        Its sections ``retention`` and ``costs``.

    Raises
    ------
    DataError
        No table offers, or too few offers with a known outcome, of one arm alone.
    """
    if "offers" not in source.tables:
        raise DataError(
            "offers: the source has no such table, so nothing is known of what offers do.",
            hint="Add offers.parquet: offer_id, customer_id, offered_at, offer, arm (treatment, "
            "control), and cost and accepted_at where they are known.",
            table="offers",
        )
    settings = config.retention
    table = _offers(source, day)
    horizon = table["day"].drop_duplicates()
    ends = {one: add_span(one, settings.horizon) for one in horizon}
    end = table["day"].map(ends)
    limit = min(day, covered(source.tables, "termination").until)
    mature = end.map(lambda one: one <= limit).to_numpy(bool)
    counts = {"offers": len(table), "immature": int((~mature).sum())}
    known, end = table[mature], end[mature]
    known = known.assign(left=(known["ended"] < pd.to_datetime(end)).astype(float))
    counts["sampled"] = max(len(known) - settings.max_rows, 0)
    known = known.sort_values(["day", "offer_id"]).tail(settings.max_rows)
    _require_enough(known, settings.least_rows, counts)
    features = _features(source, known, config)
    X = known[["customer_id", "month"]].merge(
        features, left_on=["customer_id", "month"], right_on=["customer_id", "as_of"], how="left"
    )
    there = X["as_of"].notna().to_numpy()
    counts["ineligible"] = int((~there).sum())
    known, X = known[there].reset_index(drop=True), X[there].reset_index(drop=True)
    counts["known"] = len(known)
    _require_enough(known, settings.least_rows, counts)
    names = [one for one in X.columns if one not in ("customer_id", "month", "as_of")]
    kept, notes = _allowed(names, settings.without)
    declarations = declared(source.tables)
    return OfferRows(
        X=X[kept],
        y=known["left"].to_numpy(np.float64),
        offer=known["offer"].where(known["arm"] == TREATMENT, None).to_numpy(object),
        customer=known["customer_id"].to_numpy(object),
        month=known["month"].to_numpy(object),
        features=Declarations(one for one in declarations if one.name in kept),
        counts=counts,
        notes=[*notes, *_count_notes(counts, settings.horizon)],
        **_costs(known, config),
    )


def outcomes_until(months: Iterable[date | str], horizon: str) -> date:
    """The first date after all outcomes of the offers of some months.

    >>> outcomes_until(["2026-01-01", "2026-02-01"], "2mo")
    datetime.date(2026, 5, 1)
    """
    last = max(parse_date(one) for one in months)
    return add_span(add_months(last, 1), horizon)


def _offers(source: Source, day: date) -> pd.DataFrame:
    """The offers before a date, with the day on which each customer's service ended."""
    offers = source.tables["offers"]
    columns = ["offer_id", "customer_id", "offered_at", "offer", "arm"]
    columns += [name for name in ("cost", "accepted_at") if name in offers.columns]
    rows = offers.select(*columns).filter(_.offered_at < ibis.literal(day).cast("timestamp"))
    ended = source.tables["customers"].group_by("customer_id").agg(ended=_.terminated_on.max())
    rows = rows.left_join(ended, "customer_id").drop("customer_id_right")
    found = rows.order_by("offered_at", "offer_id").to_pandas()
    when = pd.to_datetime(found["offered_at"]).dt
    found["day"] = list(when.date)
    found["month"] = [one.replace(day=1) for one in found["day"]]
    found["ended"] = pd.to_datetime(found["ended"])
    # Who had left before could not be kept.
    gone = found["ended"] < pd.to_datetime(found["day"])
    return found[~gone].reset_index(drop=True)


def _features(source: Source, known: pd.DataFrame, config: Config) -> pd.DataFrame:
    months = sorted(set(known["month"]))
    pairs = known[["customer_id", "month"]].drop_duplicates().rename(columns={"month": "as_of"})
    wanted = ibis.memtable(pairs.to_dict("list"), schema={"customer_id": "string", "as_of": "date"})
    spine = asof.spine(source.tables, months).semi_join(wanted, ["customer_id", "as_of"])
    found = build_features(source, months, config=config, spine=spine).to_pandas()
    found["as_of"] = pd.to_datetime(found["as_of"]).dt.date
    return found


def _allowed(names: Sequence[str], without: Sequence[str]) -> tuple[list[str], list[str]]:
    forbidden = [name for name in names if any(fnmatch(name, one) for one in without)]
    kept = [name for name in names if name not in forbidden]
    notes = (
        [f"Told by no effect, as the settings say: {', '.join(forbidden)}."] if forbidden else []
    )
    return kept, notes


def _costs(known: pd.DataFrame, config: Config) -> dict[str, dict[str, float]]:
    treated = known[known["arm"] == TREATMENT]
    names = sorted(set(treated["offer"]))
    cost = dict.fromkeys(names, float(config.costs.offer_cost))
    share = dict.fromkeys(names, 1.0)
    if "cost" in treated:
        mean = treated.groupby("offer")["cost"].mean()
        cost |= {name: float(mean[name]) for name in names if pd.notna(mean[name])}
    if "accepted_at" in treated:
        accepted = treated["accepted_at"].notna().groupby(treated["offer"])
        # Two offers more, one of them accepted, so that few rows prove nothing for certain.
        share = {
            name: float((accepted.sum()[name] + 1) / (accepted.count()[name] + 2)) for name in names
        }
    return {"cost": cost, "acceptance": share}


def _require_enough(known: pd.DataFrame, least: int, counts: dict[str, int]) -> None:
    arms = {str(arm): int(count) for arm, count in known["arm"].value_counts().items()}
    few = [arm for arm in (TREATMENT, "control") if arms.get(arm, 0) < least // 10]
    if len(known) >= least and not few:
        return
    problem = f"{len(known):,} of {counts['offers']:,} offers have a known outcome"
    if len(known) >= least:
        problem += f", {arms.get(few[0], 0):,} of them in {few[0]}"
    raise DataError(
        f"offers: {problem}; at least {least:,} were expected, with both arms.",
        hint="Give a later date or more past offers, or lower retention.least_rows.",
        table="offers",
        count=len(known),
        expected=f"{least} offers",
    )


def _count_notes(counts: dict[str, int], horizon: str) -> list[str]:
    told = []
    if counts["immature"]:
        told.append(
            f"{counts['immature']:,} of {counts['offers']:,} past offers are too recent: what "
            f"came of them within {horizon} is not known yet."
        )
    if counts["ineligible"]:
        told.append(f"{counts['ineligible']:,} went to customers of the same month: left out.")
    if counts["sampled"]:
        told.append(f"{counts['sampled']:,} older offers were left out (retention.max_rows).")
    return told
