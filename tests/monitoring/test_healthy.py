"""Two years of a healthy operator, and faults: few false alarms, and each fault found in time."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import churnml
from churnml.base.dates import add_months
from tests.monitoring.conftest import last_day, learned

pytestmark = pytest.mark.slow

MONTHS = 24
BEFORE = 12
"""Months that the model's features and labels take."""


def operator_of(folder: Path, seed: int) -> Path:
    churnml.simulate(folder, customers=1_500, months=MONTHS + BEFORE, seed=seed)
    return folder


@pytest.fixture(scope="module")
def operator(tmp_path_factory) -> Path:
    return operator_of(tmp_path_factory.mktemp("healthy") / "operator", seed=5)


@pytest.fixture(scope="module")
def end(operator) -> date:
    return last_day(operator)


@pytest.fixture(scope="module")
def model(operator, end, tmp_path_factory) -> str:
    return _model(operator, end, tmp_path_factory.mktemp("model") / "churn")


def _model(operator: Path, end: date, place: Path) -> str:
    days = [add_months(end, -back) for back in range(MONTHS + 4, MONTHS, -1)]
    return learned(operator, days, place)


@pytest.mark.parametrize("seed", [5, 6])
def test_two_healthy_years_have_at_most_one_false_alarm_to_act_on(seed, tmp_path):
    operator = operator_of(tmp_path / "operator", seed)
    end = last_day(operator)
    uri = _model(operator, end, tmp_path / "churn")
    found = churnml.monitor(operator, as_of=end, months=MONTHS, churn_model=uri)
    to_act = [
        (str(month.as_of), alarm.measure)
        for month in found.months
        for alarm in month.alarms
        if alarm.level == "act"
    ]
    assert sum(month.origin == "replayed" for month in found.months) >= MONTHS - 2
    assert len(to_act) <= 1, to_act


def test_customers_who_use_less_are_told_of_within_two_months_of_being_seen(
    planted, operator, model, end
):
    def less(usage: pd.DataFrame, late: pd.Series) -> None:
        usage.loc[late, ["voice_minutes", "data_mb"]] *= 0.4

    _told_of(planted(operator, "usage", less, add_months(end, -3)), "inputs.usage", model, end)


def test_a_column_that_breaks_is_told_of_within_two_months_of_being_seen(
    planted, operator, model, end
):
    def broken(usage: pd.DataFrame, late: pd.Series) -> None:
        usage["data_mb"] = usage["data_mb"].where(~late, 0.0)

    _told_of(planted(operator, "usage", broken, add_months(end, -3)), "inputs.usage", model, end)


def _told_of(operator: Path, measure: str, model: str, end: date) -> None:
    # The usage of a month is known a few days into the second month after it.
    found = churnml.monitor(operator, as_of=end, months=4, churn_model=model)
    by_month = [[alarm.measure for alarm in month.alarms] for month in found.months]
    assert not any(measure in alarms for alarms in by_month[:2])
    assert measure in by_month[3]


def test_a_world_that_changes_is_not_called_healthy_before_outcomes_are_known(
    operator, model, end, tmp_path
):
    """From a month on who leaves is drawn anew: inputs say nothing of it for a while."""
    import shutil

    place = tmp_path / "changed"
    shutil.copytree(operator, place)
    customers = pd.read_parquet(place / "customers.parquet")
    since = pd.Timestamp(add_months(end, -8))
    ended = pd.to_datetime(customers.groupby("customer_id")["terminated_on"].max())
    there = ended[ended.isna() | (ended >= since)].index.to_numpy()
    rng = np.random.default_rng(0)
    swap = dict(zip(there, rng.permutation(there), strict=True))
    for table in ("usage", "bills"):
        rows = pd.read_parquet(place / f"{table}.parquet")
        late = (pd.to_datetime(rows["month"]) >= since) & rows["customer_id"].isin(there)
        rows.loc[late, "customer_id"] = rows.loc[late, "customer_id"].map(swap)
        rows.to_parquet(place / f"{table}.parquet", index=False)
    last = customers.groupby("customer_id")["terminated_on"].max()
    back = {new: old for old, new in swap.items()}
    some = customers["customer_id"].isin(there)
    customers.loc[some, "terminated_on"] = [
        last[back[one]] for one in customers.loc[some, "customer_id"]
    ]
    customers.to_parquet(place / "customers.parquet", index=False)
    early = churnml.monitor(place, as_of=add_months(end, -7), months=3, churn_model=model)
    assert "cannot be known before" in early.verdict()
    late = churnml.monitor(place, as_of=end, months=9, churn_model=model)
    assert any(alarm.measure == "auc" for month in late.months for alarm in month.alarms)
