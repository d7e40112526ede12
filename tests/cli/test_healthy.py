"""A healthy operator, scored month after month: no gate cries wolf."""

from datetime import date

import pytest

from churnml.base.dates import months_before
from churnml.tables.simulator import simulate


@pytest.mark.slow
@pytest.mark.parametrize("history", [13, 20])
def test_no_gate_trips_in_the_year_after_training(churnml, tmp_path, monkeypatch, history):
    """Trained on few months of data, when its record is still young, and on many."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    simulate("operator", customers=6_000, months=history + 12, seed=11)
    quick = "churn: {folds: 2, repeats: 1, max_rounds: 60}\nscoring: {reasons: 0}\n"
    (tmp_path / "quick.yaml").write_text(quick)
    end = date(2026, 6, 1)
    dates = [months_before(end, ago) for ago in range(12, -1, -1)]
    trained = churnml(
        *("train", "churn", "operator", "--until", dates[0], "--config", "quick.yaml"),
        *("--no-track", "--out", "model"),
    )
    assert trained.status == 0, trained.err
    tripped = {}
    for day in dates[1:]:
        ran = churnml(
            *("score", "operator", "--as-of", day, "--out", f"scores-{day}", "--json"),
            *("--churn-model", "model", "--config", "quick.yaml"),
        )
        assert ran.status in (0, 6), ran.err
        if ran.status:
            tripped[str(day)] = ran.err[-400:]
    assert not tripped
