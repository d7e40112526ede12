"""Past offers as an experiment: who was offered what, what was known before, who left after.

A row is an offer. Features are as of the first day of the offer's month, so that nothing of
the offer itself is among them; a customer left where the service ended within the horizon after
the day of the offer. Offers whose horizon the data do not cover yet teach nothing and are
counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import fnmatch
from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr import types as ir

from churnml.base.dates import add_months, add_span, parse_date
from churnml.config.settings import Config, RetentionSettings
from churnml.errors import DataError
from churnml.estimators import OfferEffect
from churnml.features import build_features
from churnml.features.building import declared
from churnml.features.declaration import Declarations
from churnml.labels.coverage import covered
from churnml.tables import asof
from churnml.tables.source import Source

TREATMENT = "treatment"
_OTHER_MONTHS, _OTHERS = 2, 2000
"""Months of which some who were not invited are read, and how many of each."""


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
    accepted : array, shape (n,), optional
        1 where the offer was accepted; None where the source does not tell.
    others : DataFrame, optional
        The same columns, ``customer_id`` and ``as_of`` of some who were not invited in the
        latest of these months.
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
    accepted: np.ndarray[Any, np.dtype[np.float64]] | None = None
    others: pd.DataFrame | None = None

    def __len__(self) -> int:
        return len(self.y)

    def rows(self, wanted: np.ndarray[Any, np.dtype[np.bool_]]) -> OfferRows:
        """Some of the rows."""
        return replace(
            self,
            X=self.X[wanted].reset_index(drop=True),
            y=self.y[wanted],
            offer=self.offer[wanted],
            customer=self.customer[wanted],
            month=self.month[wanted],
            accepted=None if self.accepted is None else self.accepted[wanted],
        )


def read_offers(source: Source, day: date, config: Config, *, others: bool = False) -> OfferRows:
    """The offers whose outcome was known at a date, with what was known before them.

    Parameters
    ----------
    source : Source
        Checked, as it was known at the date.
    day : date
    config : Config
        Its sections ``retention`` and ``costs``.
    others : bool, default False
        Whether some who were not invited are read too.

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
    features = _features(source, known, config, others=others)
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
        accepted=_accepted(known),
        others=_not_invited(features, known, kept) if others else None,
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


def new_effect(settings: RetentionSettings, columns: Iterable[str]) -> OfferEffect:
    """An estimator of effects, not fitted, for rows of these columns.

    Parameters
    ----------
    settings : RetentionSettings
    columns : iterable of str
    """
    drivers = [name for name in columns if any(fnmatch(str(name), one) for one in settings.drivers)]
    return OfferEffect(
        folds=settings.folds,
        max_rounds=settings.max_rounds,
        drivers=drivers or None,
        random_state=settings.seed,
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


def _features(source: Source, known: pd.DataFrame, config: Config, *, others: bool) -> pd.DataFrame:
    """Features of those offered something and, of the latest months, of some others."""
    months = sorted(set(known["month"]))
    pairs = known[["customer_id", "month"]].drop_duplicates().rename(columns={"month": "as_of"})
    wanted = ibis.memtable(pairs.to_dict("list"), schema={"customer_id": "string", "as_of": "date"})
    everybody = asof.spine(source.tables, months)
    spine = everybody.semi_join(wanted, ["customer_id", "as_of"])
    if others:
        spine = spine.union(_some_others(everybody, wanted, months[-_OTHER_MONTHS:]))
    found = build_features(source, months, config=config, spine=spine).to_pandas()
    found["as_of"] = pd.to_datetime(found["as_of"]).dt.date
    return found


def _accepted(known: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    if "accepted_at" not in known:
        return None
    return np.where(known["accepted_at"].notna(), 1.0, 0.0)


def _some_others(everybody: ir.Table, invited: ir.Table, months: Sequence[date]) -> ir.Table:
    """So many a month who were not invited in it, by a hash of their ids."""
    rows = everybody.filter(_.as_of.isin([ibis.literal(one) for one in months]))
    rows = rows.anti_join(invited, ["customer_id", "as_of"])
    by_lot = [_.customer_id.hash(), _.customer_id]
    place = ibis.row_number().over(group_by="as_of", order_by=by_lot)
    return rows.mutate(place=place).filter(_.place < _OTHERS).drop("place")


def _not_invited(features: pd.DataFrame, known: pd.DataFrame, kept: list[str]) -> pd.DataFrame:
    invited = pd.MultiIndex.from_frame(known[["customer_id", "month"]])
    at = pd.MultiIndex.from_frame(features[["customer_id", "as_of"]])
    found = features.loc[~at.isin(invited), ["customer_id", "as_of", *kept]]
    return found.sort_values(["as_of", "customer_id"]).reset_index(drop=True)


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
