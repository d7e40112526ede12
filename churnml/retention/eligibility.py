"""Who may be contacted at all, and why the others may not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import ibis
import pandas as pd
from ibis import _
from ibis.expr import types as ir

from churnml.config.settings import RetentionSettings
from churnml.tables import asof
from churnml.tables.contract import TABLES

REASONS: Mapping[str, str] = {
    "opted_out": "asked not to be contacted",
    "rested": "had an offer too recently",
    "contacted_enough": "had as many offers as a year allows",
    "open_complaint": "has a complaint that is not settled",
    "served_lately": "was at a hall or on the hotline a few days ago",
    "minor": "is under age",
    "extrapolated": "is like nobody who was ever offered anything",
    "driven_away": "every offer is expected to make such a customer leave",
    "no_gain": "no offer is expected to be worth its cost",
    "limits": "others came first within the limits",
}
"""Why customers are left out, in the order in which the reasons are looked at."""

COLUMNS = ("brand", "region", "birth_year", "payer_id", "household_id", "group_id", "payment")


def read_customers(tables: Mapping[str, ir.Table], day: date) -> pd.DataFrame:
    """The customers eligible at a date, by their ids, with what decides about contacts.

    Parameters
    ----------
    tables : mapping of str to Table
        As they were known at the date.
    day : date

    Returns
    -------
    DataFrame
        ``customer_id`` and as far as they are there brand, region, birth_year, payer_id,
        household_id; ``household``, whom nobody would tell apart at the door: the household,
        else who pays, else the customer.
    """
    rows = asof.eligible(asof.in_force(tables["customers"], TABLES["customers"], asof.moments(day)))
    there = [name for name in COLUMNS if name in rows.columns]
    found = rows.select("customer_id", *there).order_by("customer_id").to_pandas()
    household = found["customer_id"].astype(object)
    for name in ("payer_id", "household_id"):
        if name in found:
            household = found[name].astype(object).where(found[name].notna(), household)
    return found.assign(household=household.astype(str)).reset_index(drop=True)


def left_out(
    tables: Mapping[str, ir.Table],
    customers: pd.DataFrame,
    day: date,
    settings: RetentionSettings,
) -> tuple[pd.Series, list[str]]:
    """Why each customer may not be contacted, null for who may; and what could not be asked.

    Parameters
    ----------
    tables : mapping of str to Table
        As they were known at the date.
    customers : DataFrame
        Of `read_customers`.
    day : date
    settings : RetentionSettings

    Returns
    -------
    (Series, list of str)
        The first reason that fits, in the order of `REASONS`, and notes.
    """
    reason = pd.Series(None, index=customers.index, dtype=object)
    notes = []
    ids = customers["customer_id"]

    def mark(name: str, who: Any) -> None:
        chosen = reason.isna() & who
        reason[chosen] = name

    if "opt_outs" in tables:
        mark("opted_out", ids.isin(_opted_out(tables["opt_outs"], day)))
    else:
        notes.append("opt_outs is absent: nobody is known to have asked not to be contacted.")
    if "offers" in tables:
        rest = day - timedelta(days=settings.rest_days)
        counts = _offers_since(tables["offers"], (rest, day - timedelta(days=365)))
        mark("rested", ids.map(counts["recent"]).fillna(0) > 0)
        mark("contacted_enough", ids.map(counts["year"]).fillna(0) >= settings.contacts_a_year)
    if "complaints" in tables:
        mark("open_complaint", ids.isin(_complaining(tables["complaints"], day)))
    else:
        notes.append("complaints is absent: open complaints keep nobody off the list.")
    if "contacts" in tables:
        mark("served_lately", ids.isin(_served(tables["contacts"], day, settings)))
    else:
        notes.append("contacts is absent: a visit to a hall or a call keeps nobody off the list.")
    if "birth_year" in customers:
        # Who is of age some time this year may not be yet.
        mark("minor", customers["birth_year"] > day.year - settings.least_age - 1)
    else:
        notes.append("customers.birth_year is absent: minors are not known.")
    return reason, notes


def _opted_out(opt_outs: ir.Table, day: date) -> set[str]:
    rows = opt_outs.filter(_.since < ibis.literal(day))
    return set(rows.select("customer_id").distinct().to_pandas()["customer_id"])


def _offers_since(offers: ir.Table, since: tuple[date, date]) -> pd.DataFrame:
    """By customer: offers that were really made since two dates."""
    made = offers.filter(_.arm == "treatment")
    recent, year = (made.offered_at >= ibis.literal(one).cast("timestamp") for one in since)
    counts = made.group_by("customer_id").agg(
        recent=made.count(where=recent), year=made.count(where=year)
    )
    return counts.to_pandas().set_index("customer_id")


def _served(contacts: ir.Table, day: date, settings: RetentionSettings) -> set[str]:
    """Customers who came to a hall or called the hotline in the last days."""
    since = day - timedelta(days=settings.rest_days_after_service)
    rows = contacts.filter(
        _.channel.isin(("hall", "hotline")),
        _.started_at >= ibis.literal(since).cast("timestamp"),
        _.started_at < ibis.literal(day).cast("timestamp"),
    )
    return set(rows.select("customer_id").distinct().to_pandas()["customer_id"])


def _complaining(complaints: ir.Table, day: date) -> set[str]:
    """Customers with a complaint that is open, or was opened again and not settled since."""
    rows = complaints.filter(_.opened_at < ibis.literal(day).cast("timestamp"))
    open_now = rows.closed_at.isnull()
    if "reopened_at" in rows.columns:
        open_now = open_now | (rows.reopened_at.notnull() & (rows.reopened_at > rows.closed_at))
    return set(rows.filter(open_now).select("customer_id").distinct().to_pandas()["customer_id"])
