"""A step that the simulator plants in satisfaction is found, where it is and how large it is."""

from datetime import date

import pandas as pd
import pytest

import churnml
from churnml.config.settings import Config
from churnml.service.quality.records import records
from churnml.service.quality.word_of_mouth import word_of_mouth
from churnml.tables.checked import check

CONFIG = Config.model_validate({"engine": {"threads": 1}, "index": {"folds": 2}})
POINTS, SINCE = 10.0, date(2025, 8, 1)


@pytest.fixture(scope="module")
def operator(tmp_path_factory):
    folder = tmp_path_factory.mktemp("step") / "operator"
    churnml.simulate(
        folder, customers=10_000, months=24, seed=4, satisfaction_step=POINTS, step_from=SINCE
    )
    return folder


@pytest.mark.slow
def test_the_word_of_mouth_finds_the_step(operator):
    clean = check(churnml.open_source(operator), CONFIG).accepted()
    curve, points = word_of_mouth(records(clean.tables, date(2026, 6, 1), CONFIG))
    whole = [point for point in points if point["segment"] == ""]
    near = [point for point in whole if point["earliest"] <= SINCE <= point["latest"]]
    assert len(near) == 1, whole
    assert near[0]["low"] > 0
    rows = curve[curve["segment"] == ""].set_index("month")
    assert rows.loc[near[0]["month"], "change_point"]


@pytest.mark.slow
def test_the_index_tells_the_change_with_its_interval(operator, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    found = churnml.satisfaction_index(operator, as_of="2026-06-01", config=CONFIG)
    whole = found.to_pandas().iloc[0]
    truth = pd.read_parquet(operator / "truth" / "hazard.parquet")
    means = truth.groupby(pd.to_datetime(truth["month"]))["satisfaction"].mean()
    rise = means[pd.Timestamp("2026-06-01")] - means[pd.Timestamp("2025-06-01")]
    assert rise > 5
    assert whole["change_year_low"] > 0
    assert whole["change_year_low"] - 1 < rise < whole["change_year_high"] + 1
    assert whole["change_month_low"] < 0 < whole["change_month_high"]
    part = found.to_dict()["what_changed"]["year"]
    assert part["true_low"] > 0
