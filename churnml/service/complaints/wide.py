"""Complaints in the wide sense (广义投诉): what made customers complain without a complaint.

Contacts left unresolved and low answers stand beside the formal complaints, each counted for
itself: they are not the same thing, and never added up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr import types as ir

from churnml.service.complaints.categories import rate_interval
from churnml.service.complaints.cells import (
    PLACES,
    Frame,
    at_home,
    cells_of,
    fetched,
    hidden_places,
)
from churnml.service.complaints.quality import COLUMNS
from churnml.service.small_cells import FEWEST, WITHIN, blank

MEASURES: Mapping[str, tuple[str, str]] = {
    "formal_per_1000": ("formal complaints per 1,000 customers", "每千客户正式投诉量"),
    "unresolved_contacts_per_1000": (
        "contacts left unresolved per 1,000 customers",
        "每千客户未解决服务接触量",
    ),
    "low_scores_per_1000": (
        "low survey answers per 1,000 customers; more surveys find more of them",
        "每千客户低分评价量",
    ),
    "regulator_per_million": (
        "complaints to the regulator per 1,000,000 customers",
        "每百万客户申诉量",
    ),
}
"""Each measure: its definition, and its Chinese name."""


def count_wide(
    tables: Mapping[str, ir.Table],
    complaints: ir.Table,
    frame: Frame,
    *,
    low_score: float,
    regulator: tuple[str, ...],
) -> tuple[pd.DataFrame, list[str]]:
    """Formal complaints, unresolved contacts, low answers and complaints to the regulator.

    Parameters
    ----------
    tables : mapping of str to Table
        Seen from ``frame.day``.
    complaints : Table
        With ``month`` and places.
    frame : Frame
    low_score : float
        Points of 100.
    regulator : tuple of str
        Values of ``channel`` that mean the regulator.

    Returns
    -------
    (DataFrame, list of str)
        The columns of `quality.COLUMNS`: events per 1,000 or 1,000,000 customers with the
        exact interval of a Poisson rate, ``n`` customers; null where hidden. And what is
        absent.
    """
    notes: list[str] = []
    events = {"formal_per_1000": complaints.select("customer_id", moment=complaints.opened_at)}
    contacts = tables.get("contacts")
    if contacts is not None and "resolved" in contacts.columns:
        events["unresolved_contacts_per_1000"] = contacts.filter(
            ~contacts.resolved.fill_null(True)
        ).select("customer_id", moment=_.started_at)
    else:
        notes.append("contacts.resolved is absent, and so are unresolved contacts.")
    if "surveys" in tables:
        surveys = tables["surveys"]
        points = 100 * (surveys.score - surveys.scale_min) / (surveys.scale_max - surveys.scale_min)
        events["low_scores_per_1000"] = surveys.filter(points <= low_score).select(
            "customer_id", moment=_.answered_at
        )
    else:
        notes.append("surveys are absent, and so are low answers.")
    if "channel" in frame.by:
        appealed = complaints.filter(complaints.channel.isin(regulator))
        events["regulator_per_million"] = appealed.select("customer_id", moment=_.opened_at)
        if not appealed.count().to_pyarrow().as_py():
            notes.append(
                "No complaint has a channel that means the regulator "
                f"({', '.join(regulator)}); complaints.regulator_channels names others."
            )
    else:
        notes.append("complaints.channel is absent, and so are complaints to the regulator.")
    parts = [_rates(rows, frame, name) for name, rows in events.items()]
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)], notes


def sum_appeals(complaints: ir.Table, frame: Frame, told: pd.DataFrame) -> dict[str, Any]:
    """Complaints to the regulator over all months together, and per million customers.

    Parameters
    ----------
    complaints : Table
        Those to the regulator, in the months of ``frame``.
    frame : Frame
    told : DataFrame
        What is shown month by month, from `count_wide`.

    Returns
    -------
    dict
        ``complaints`` ``per_million`` ``low`` ``high``: null where they are about few people,
        or would tell a hidden month.
    """
    count, people = fetched(
        complaints.agg(count=complaints.count(), people=complaints.customer_id.nunique())
    ).iloc[0]
    months = told[(told["by"] == "") & (told["measure"] == "regulator_per_million")]
    shown = (months["value"] * months["n"].astype("Float64") / 1e6).sum()
    hidden_months = int(months["value"].isna().sum())
    covered = hidden_months == 0 or (hidden_months > 1 and count - shown > 2 * WITHIN)
    if people < FEWEST or not covered:
        return dict.fromkeys(("complaints", "per_million", "low", "high"))
    everyone = frame.customers.query("by == ''")["customers"].mean()
    low, high = rate_interval(np.array([float(count)]), np.array([float(everyone)]))
    return {
        "complaints": int(count),
        "per_million": 1e6 * float(count) / float(everyone),
        "low": 1e6 * float(low[0]),
        "high": 1e6 * float(high[0]),
    }


def _rates(rows: ir.Table, frame: Frame, measure: str) -> pd.DataFrame:
    """One measure by month and place, hidden where it is about few people."""
    homed = at_home(rows, frame, "moment")
    homed = homed.filter(homed.month.isin(list(frame.months)))
    places = [name for name in frame.by if name in PLACES]
    parts = [
        cells_of(homed, by)
        .group_by("by", "cell", "month")
        .agg(count=_.count(), people=_.customer_id.nunique())
        for by in ("", *places)
    ]
    found = fetched(ibis.union(*parts) if len(parts) > 1 else parts[0])
    whole = frame.customers.merge(found, on=["by", "cell", "month"], how="left")
    whole = whole.sort_values(["by", "cell", "month"], ignore_index=True)
    whole[["count", "people"]] = whole[["count", "people"]].fillna(0).astype(float)
    per = 1_000_000 if measure.endswith("million") else 1_000
    customers = whole["customers"].to_numpy(float)
    low, high = rate_interval(whole["count"].to_numpy(), customers)
    mask = np.zeros(len(whole), dtype=bool)
    for _month, at in whole.groupby("month").indices.items():
        part = whole.iloc[at]
        mask[at] = hidden_places(
            list(zip(part["by"], part["cell"], strict=True)),
            part["count"].to_numpy()[:, None],
            (part["people"] < FEWEST).to_numpy()[:, None],
            parents=frame.parents,
        )[:, 0]
    told = whole.assign(
        measure=measure,
        value=per * whole["count"] / customers,
        low=per * low,
        high=per * high,
        n=whole["customers"].astype("int64"),
    )
    return blank(told, mask, columns=("value", "low", "high", "n"))
