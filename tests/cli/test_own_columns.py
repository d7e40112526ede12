"""A table of one's own through the whole way, by the command line."""

import numpy as np
import pandas as pd
import pytest
import yaml

pytestmark = pytest.mark.slow

SETTINGS = {"churn": {"train_months": 2, "folds": 2, "repeats": 1, "max_rounds": 60}}
SESSIONS = {
    "aggregate": ["last", "mean", "trend"],
    "windows": ["1mo", "3mo"],
    "unit": "sessions",
    "direction": -1,
    "en": "App sessions",
    "zh": "应用打开次数",
    "null": {"en": "no month on record", "zh": "无记录"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A simulated operator whose leavers use its app less, twenty columns of it, some late."""
    from churnml.tables.simulator import simulate

    place = tmp_path_factory.mktemp("own")
    simulate(place / "operator", customers=700, months=14, seed=5)
    customers = pd.read_parquet(place / "operator" / "customers.parquet")
    customers = customers.drop_duplicates("customer_id", keep="last")
    start = pd.read_parquet(place / "operator" / "bills.parquet")["month"].min()
    months = pd.Series(pd.date_range(start, periods=14, freq="MS"), name="month")
    rows = customers[["customer_id", "terminated_on"]].merge(months, how="cross")
    left = (pd.to_datetime(rows.pop("terminated_on")) - rows["month"]).dt.days.fillna(999)
    random = np.random.default_rng(1)
    rows["sessions"] = random.poisson(np.where(left < 100, 3, 20))
    for number in range(19):
        rows[f"screen_{number:02d}"] = random.poisson(3, len(rows))
    late = np.where(random.random(len(rows)) < 0.1, 30, 1)
    rows["known_at"] = rows["month"] + pd.DateOffset(months=1) + pd.to_timedelta(late, unit="D")
    rows.to_csv(place / "app.csv", index=False)
    columns = {
        f"screen_{number:02d}": {"aggregate": "mean", "windows": "3mo"} for number in range(19)
    }
    for name, changed in (("mapping", {}), ("other", {"expression": "sessions * 2"})):
        told = {"app": {"file": "app.csv", "columns": {"sessions": SESSIONS | changed, **columns}}}
        text = yaml.safe_dump({"extra": told}, allow_unicode=True)
        (place / f"{name}.yaml").write_text(text, encoding="utf-8")
    (place / "short.yaml").write_text(yaml.safe_dump(SETTINGS))
    return place


def test_the_model_keeps_what_was_declared(folder, store, churnml):
    mapped = ("--mapping", folder / "mapping.yaml", "--config", folder / "short.yaml")
    until = (*mapped, "--until", "2026-03-01")
    operator = folder / "operator"
    report = churnml("validate", operator, "--mapping", folder / "mapping.yaml", "--json").json
    assert [one["good"] for one in report["tables"] if one["table"] == "app"] == [
        one["rows"] for one in report["tables"] if one["table"] == "app"
    ]
    trained = churnml("train", "churn", operator, *until, "--json").json
    assert trained["metrics"]["auc"] > 0.7
    bare = churnml("score", operator, "--as-of", "2026-05-02", "--out", "none")
    assert bare.status == 3
    assert "needs app" in bare.err
    options = ("--mapping", folder / "other.yaml", "--as-of", "2026-05-02", "--out", "none")
    other = churnml("score", operator, *options)
    assert other.status == 4
    assert "value sessions in training, sessions * 2 here" in other.err
