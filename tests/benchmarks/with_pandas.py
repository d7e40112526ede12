"""The plainer features as a data scientist would write them with pandas, tables read whole."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

CATEGORIES = ("network", "tariff", "business_support", "service_window", "other")
CHANNELS = ("hall", "hotline", "app", "terminal")
USAGE = {
    "voice": ("voice_minutes", "minutes"),
    "data": ("data_mb", "mb"),
    "active": ("active_days", "days"),
}


def features_with_pandas(folder: Path, as_of: str) -> pd.DataFrame:
    """One row a customer whose service runs at ``as_of``."""
    now = pd.Timestamp(as_of)
    tables = {
        file.stem: pq.read_table(file).to_pandas(date_as_object=False) for file in folder.iterdir()
    }
    customers = tables["customers"]
    customers = customers[customers["valid_from"] < now]
    customers = customers.sort_values("valid_from").groupby("customer_id").tail(1)
    customers = customers[customers["terminated_on"].isna()].set_index("customer_id")
    tenure = (now - customers["activated_on"]).dt.days.rename("lifecycle_tenure_days")
    found = pd.concat(
        [
            tenure,
            of_bills(tables["bills"], now).reindex(customers.index),
            of_usage(tables["usage"], now).reindex(customers.index),
            of_complaints(tables["complaints"], now).reindex(customers.index, fill_value=0),
            of_contacts(tables["contacts"], now).reindex(customers.index),
            of_surveys(tables["surveys"], now).reindex(customers.index),
        ],
        axis=1,
    )
    counts = [name for name in found if "_count_" in name or "_unpaid_sum_" in name]
    return found.fillna(dict.fromkeys(counts, 0))


def by_month(table: pd.DataFrame, column: str, now: pd.Timestamp) -> pd.DataFrame:
    """A row a customer, a column a month back, the last month first."""
    table = table[table["month"] < now]
    newest, month = table["month"].max(), table["month"].dt
    ago = (newest.year - month.year) * 12 + newest.month - month.month + 1
    table = table.assign(ago=ago)[ago.between(1, 12)]
    return table.pivot_table(index="customer_id", columns="ago", values=column)


def shape(wide: pd.DataFrame, stem: str, unit: str) -> dict[str, pd.Series]:
    """Last month against six, slope and volatility."""
    six = wide[range(1, 7)]
    mean = six.mean(axis=1)
    time = pd.DataFrame(
        np.tile(-six.columns.to_numpy(float), (len(six), 1)), six.index, six.columns
    )
    time = time.where(six.notna())
    centred = time.sub(time.mean(axis=1), axis=0)
    slope = (centred * six.sub(mean, axis=0)).sum(axis=1) / (centred**2).sum(axis=1)
    return {
        f"{stem}_last_to_mean_6m_ratio": wide[1] / mean,
        f"{stem}_slope_6m_{unit}": slope,
        f"{stem}_volatility_6m_ratio": six.std(axis=1) / mean,
    }


def of_bills(bills: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """Means, shares, payment."""
    bills = bills[bills["issued_on"] < now]
    amounts = by_month(bills, "amount", now)
    found = {f"arpu_mean_{n}m_yuan": amounts[range(1, n + 1)].mean(axis=1) for n in (1, 3, 6, 12)}
    found |= shape(amounts, "arpu", "yuan")
    found["arpu_peak_12m_yuan"] = amounts.max(axis=1)
    for kind in ("voice", "data", "value_added"):
        three = by_month(bills, kind, now)[range(1, 4)]
        found[f"arpu_{kind}_3m_share"] = three.sum(axis=1) / amounts[range(1, 4)].sum(axis=1)
    paid = bills[bills["paid_on"] < now]
    delays = by_month(paid.assign(days=(paid["paid_on"] - paid["issued_on"]).dt.days), "days", now)
    found["billing_delay_mean_6m_days"] = delays[range(1, 7)].mean(axis=1)
    found["billing_delay_max_12m_days"] = delays.max(axis=1)
    owed = by_month(bills[~(bills["paid_on"] < now)], "amount", now)
    found["billing_unpaid_sum_12m_yuan"] = owed.sum(axis=1)
    found["billing_unpaid_count_12m_months"] = owed.notna().sum(axis=1)
    return pd.DataFrame(found)


def of_usage(usage: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """Means and how they change."""
    found: dict[str, pd.Series] = {}
    for kind, (column, unit) in USAGE.items():
        wide = by_month(usage, column, now)
        for n in (1, 3):
            found[f"usage_{kind}_mean_{n}m_{unit}"] = wide[range(1, n + 1)].mean(axis=1)
        found |= shape(wide, f"usage_{kind}", unit)
    return pd.DataFrame(found)


def of_complaints(complaints: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """Counts by category and window."""
    complaints = complaints[complaints["opened_at"] < now]
    found = {}
    for days in (30, 90, 180):
        recent = complaints[complaints["opened_at"] >= now - pd.Timedelta(days=days)]
        found[f"complaints_all_count_{days}d"] = recent.groupby("customer_id").size()
        for category in CATEGORIES:
            rows = recent[recent["category"] == category]
            found[f"complaints_{category}_count_{days}d"] = rows.groupby("customer_id").size()
    return pd.DataFrame(found).fillna(0)


def of_contacts(contacts: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """Counts by channel and window, and waits."""
    contacts = contacts[contacts["started_at"] < now]
    found = {}
    for days in (30, 90):
        recent = contacts[contacts["started_at"] >= now - pd.Timedelta(days=days)]
        found[f"service_all_count_{days}d"] = recent.groupby("customer_id").size()
        for channel in CHANNELS:
            rows = recent[recent["channel"] == channel]
            found[f"service_{channel}_count_{days}d"] = rows.groupby("customer_id").size()
    waits = recent.groupby("customer_id")["wait_seconds"]
    found["service_wait_mean_90d_seconds"] = waits.mean()
    found["service_wait_max_90d_seconds"] = waits.max()
    return pd.DataFrame(found)


def of_surveys(surveys: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """The last answer."""
    answered = surveys[surveys["answered_at"] < now].sort_values("answered_at")
    last = answered.groupby("customer_id").tail(1).set_index("customer_id")
    low, high = (last[name].astype(float) for name in ("scale_min", "scale_max"))
    return pd.DataFrame(
        {
            "service_survey_last_score_points": (last["score"] - low) / (high - low) * 100,
            "service_survey_last_days": (now - last["answered_at"].dt.normalize()).dt.days,
        }
    )
