"""``churnml quality`` as a service manager types it."""

import pytest

from churnml.tables.simulator import simulate


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quality") / "operator"
    simulate(folder, customers=600, months=8, seed=2)
    return folder


@pytest.fixture(autouse=True)
def _nowhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def test_the_table_and_the_files(churnml, small, tmp_path):
    done = churnml("quality", small, "--as-of", "2026-06-01", "--months", 3, "--out", "told")

    assert done.status == 0, done.err
    assert "Hall waits over 10 minutes" in done.out
    assert "营业厅等待超10分钟占比" in done.out
    assert "note: There is no champion of churn" in done.out
    files = {path.name for path in (tmp_path / "told").iterdir()}
    contract = ("indicators", "drivers", "hotline_menu", "word_of_mouth", "groups")
    assert {f"{name}.parquet" for name in contract} <= files
    # No store is made for want of a model.
    assert not (tmp_path / "mlflow.db").exists()
    again = churnml("quality", small, "--as-of", "2026-06-01", "--out", "told", "--json")
    assert (again.status, again.json["error"]["kind"]) == (5, "OutputError")


@pytest.mark.slow
def test_one_json_object(churnml, small):
    done = churnml("quality", small, "--as-of", "2026-06-01", "--months", 2, "--json")

    assert done.status == 0
    assert done.json["months"] == ["2026-04-01", "2026-05-01"]
    row = done.json["indicators"][0]
    assert {"stage", "indicator", "value", "low", "high", "n", "target", "light"} <= set(row)
    assert done.json["definitions"][row["indicator"]]["zh"]


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (("--as-of", "2031-01-01"), 3),
        (("--as-of", "soon"), 2),
        (("--as-of", "2026-06-01", "--months", 0), 2),
        (("--as-of", "2026-06-01", "--churn-model", "nowhere"), 4),
    ],
)
def test_what_cannot_be_told_is_refused(churnml, small, options, status):
    done = churnml("quality", small, *options)

    assert done.status == status
    assert "Traceback" not in done.err
