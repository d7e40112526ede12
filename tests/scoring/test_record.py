"""What a scoring leaves in the store: its histograms, never a customer; and a store that fails."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from churnml.models.drift import counted
from churnml.models.histograms import ScoringRecord, count_scores, histograms
from churnml.registry.resolve import Resolved
from churnml.registry.tracking.scorings import record_scoring, recorded_scorings
from churnml.scoring.manifest import Manifest, RowCounts
from churnml.scoring.record import track


@pytest.fixture
def record(churn, features) -> ScoringRecord:
    scores = np.asarray(churn.estimator.oof_)
    found = histograms(
        churn, "churn/1", counted(churn.inputs, features), count_scores(churn, scores)
    )
    return ScoringRecord(
        source="/data/operator", as_of="2026-06-01", rows=600, models={"churn": found}
    )


def manifest(folder: Path) -> Manifest:
    return Manifest(
        source="/data/operator",
        as_of="2026-06-01",
        config="c",
        models={},
        rows=RowCounts(total=600, scored=600, quarantined=0, ineligible=0),
        quarantined=[],
        unseen={},
        ignored=[],
        warnings=[],
        gates=[],
        parts=[],
        churnml="0",
        started_at="2026-06-02T00:00:00+00:00",
        ended_at="2026-06-02T00:01:00+00:00",
        folder=str(folder),
    )


def test_a_scoring_by_a_model_of_the_store_is_a_run_that_monitoring_reads(
    store, record, churn, tmp_path
):
    models = {"churn": Resolved(churn, "models:/churn@champion", "churn/1")}
    track(models, record, manifest(tmp_path / "scores"))
    (found,) = recorded_scorings("/data/operator")
    assert found.models == record.models
    assert (found.ended_at, found.folder) == (
        "2026-06-02T00:01:00+00:00",
        str(tmp_path / "scores"),
    )
    assert recorded_scorings("/data/another") == []
    experiment = store.client.get_experiment_by_name("scoring")
    (run,) = store.client.search_runs([experiment.experiment_id])
    assert run.info.run_name == "scores at 2026-06-01"
    assert run.data.metrics["rows"] == 600
    assert run.data.metrics["churn_mean"] == pytest.approx(record.models["churn"].scores.mean)


def test_later_scorings_come_later(store, record):
    for day in ("2026-05-01", "2026-06-01", "2026-04-01"):
        record_scoring(replace(record, as_of=day))
    found = [one.as_of for one in recorded_scorings("/data/operator")]
    assert found == ["2026-04-01", "2026-05-01", "2026-06-01"]


def test_a_model_of_a_folder_opens_no_store(record, churn, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    track({"churn": Resolved(churn, "models/churn", "churn/1")}, record, manifest(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_fails_is_a_warning(record, churn, tmp_path, monkeypatch, caplog):
    (tmp_path / "mlflow.db").write_bytes(b"no database at all" * 100)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    models = {"churn": Resolved(churn, "models:/churn@champion", "churn/1")}
    with caplog.at_level(logging.WARNING, logger="churnml"):
        track(models, record, manifest(tmp_path))
    assert "was not recorded in the store" in caplog.text
