"""`churnml.report`: what it refuses, and the page of an operator with the required tables alone."""

import hashlib
import json
import subprocess
import sys
from datetime import date

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import churnml
from churnml.config.settings import Config
from churnml.errors import DataError, ModelError, OutputError, UsageError
from churnml.models.histograms import ScoringRecord
from churnml.registry.tracking.scorings import record_scoring
from churnml.reports.manager.at_risk import at_risk
from churnml.scoring.manifest import Manifest, PartFile, RowCounts

AS_OF = "2026-06-01"
REASON = pa.list_(
    pa.struct(
        [
            ("feature", pa.string()),
            ("driver", pa.string()),
            ("value", pa.string()),
            ("contribution", pa.float64()),
        ]
    )
)
# How many customers of each band and tier, with which probability and ARPU.
ROWS = [
    ("critical", "diamond", 4, 0.5, 4000.0),
    ("critical", "standard", 20, 0.4, 100.0),
    ("high", "gold", 26, 0.2, 2000.0),
    ("medium", "standard", 50, 0.1, 50.0),
    ("low", "diamond", 30, 0.01, 3500.0),
    ("low", "standard", 100, 0.01, 40.0),
]


@pytest.fixture
def scores(tmp_path):
    """Scores of 230 customers, written out by hand."""
    folder = tmp_path / "scores"
    folder.mkdir()
    rows = [
        {
            "customer_id": f"{kind}{number:05d}",
            "churn_probability": chance,
            "risk_band": band,
            "individual_tier": tier,
            "group_tier": None,
            "arpu": arpu,
            "reasons": [{"feature": "f", "driver": "network", "value": "1", "contribution": 0.5}],
        }
        for kind, (band, tier, count, chance, arpu) in enumerate(ROWS)
        for number in range(count)
    ]
    schema = pa.schema(
        [
            ("customer_id", pa.string()),
            ("churn_probability", pa.float64()),
            ("risk_band", pa.string()),
            ("individual_tier", pa.string()),
            ("group_tier", pa.string()),
            ("arpu", pa.float64()),
            ("reasons", REASON),
        ]
    )
    part = folder / "part-00000.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema), part)
    data = part.read_bytes()
    manifest = Manifest(
        source="op",
        as_of=AS_OF,
        config="",
        models={"churn": {"version": "churn/1", "uri": "", "digest": ""}},
        rows=RowCounts(total=230, scored=230, quarantined=0, ineligible=0),
        quarantined=[],
        unseen={},
        ignored=[],
        warnings=[],
        gates=[],
        parts=[
            PartFile(
                name=part.name,
                rows=230,
                bytes=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
            )
        ],
        churnml="",
        started_at="",
        ended_at="",
        kind="operator",
    )
    (folder / "_manifest.json").write_bytes(manifest.to_bytes())
    return folder


@pytest.fixture
def operator(tmp_path):
    """An operator with the required tables alone."""
    folder = tmp_path / "op"
    folder.mkdir()
    ids = [f"{kind}{number:05d}" for kind, one in enumerate(ROWS) for number in range(one[2])]
    customers = {
        "customer_id": ids,
        "activated_on": [date(2020, 1, 1)] * len(ids),
        "terminated_on": pa.nulls(len(ids), pa.date32()),
        "payment": ["postpaid"] * len(ids),
    }
    pq.write_table(pa.table(customers), folder / "customers.parquet")
    bills = pd.concat(
        pd.DataFrame({"customer_id": ids, "month": date(2026, month, 1), "amount": 50.0})
        for month in (3, 4, 5)
    )
    bills.to_parquet(folder / "bills.parquet")
    return folder


def test_sums_of_a_scoring_are_those_of_its_rows(scores):
    told = at_risk(Manifest.read(scores), Config())
    assert told.whole.customers == 230
    assert told.whole.at_risk == 50
    assert told.whole.leavers == pytest.approx(2 + 8 + 5.2 + 5 + 0.3 + 1)
    value = 2 * (4 * 2000 + 20 * 40 + 26 * 400 + 50 * 5 + 30 * 35 + 100 * 0.4)
    assert told.whole.value == pytest.approx(value)
    variance = 4 * 0.25 + 20 * 0.24 + 26 * 0.16 + 50 * 0.09 + 130 * 0.0099
    assert told.high - told.whole.leavers == pytest.approx(1.959964 * variance**0.5, rel=1e-4)
    assert [one.name for one in told.bands] == ["critical", "high", "medium", "low"]
    assert [one.name for one in told.drivers] == ["network"]


def test_few_people_are_hidden_with_what_would_give_them_away(scores):
    told = at_risk(Manifest.read(scores), Config())
    tiers = {one.name: one for one in told.tiers}
    # 4 diamond customers are at risk: another tier's count goes with theirs.
    assert tiers["diamond"].at_risk is None
    assert sum(one.at_risk is None for one in told.tiers) >= 2
    assert tiers["diamond"].customers == 34


def test_the_page_of_the_required_tables_says_what_is_absent(operator, scores, tmp_path):
    out = tmp_path / "report.html"
    made = churnml.report(operator, AS_OF, out=out, scores=scores)
    text = out.read_text("utf-8")
    assert made.bytes == len(text.encode())
    assert made.headline in text
    assert "230 customers about 22 (" in made.headline
    assert made.findings["complaints"] == "There are no complaints in the data"
    assert made.to_dict()["as_of"] == AS_OF
    with pytest.raises(OutputError, match="already exists"):
        churnml.report(operator, AS_OF, out=out, scores=scores)
    assert out.read_text("utf-8") == text


def test_what_does_not_fit_is_refused(operator, scores, tmp_path, store):
    out = tmp_path / "r.html"
    operator = churnml.open_source(operator)
    with pytest.raises(UsageError, match="en or zh"):
        churnml.report(operator, AS_OF, out=out, lang="de")
    with pytest.raises(UsageError, match="not of 2026-05-20"):
        churnml.report(operator, "2026-05-20", out=out, scores=scores)
    with pytest.raises(ModelError, match="No model"):
        churnml.report(operator, AS_OF, out=out)
    with pytest.raises(DataError, match="holds no plan"):
        churnml.report(operator, AS_OF, out=out, scores=scores, plan=scores)
    (tmp_path / "c.json").write_text("{}")
    with pytest.raises(DataError, match="no measurement"):
        churnml.report(operator, AS_OF, out=out, scores=scores, campaign=tmp_path / "c.json")
    (tmp_path / "m").mkdir()
    with pytest.raises(DataError, match="no result of churnml monitor"):
        churnml.report(operator, AS_OF, out=out, scores=scores, monitor=tmp_path / "m")
    with pytest.raises(OutputError, match="itself an input"):
        churnml.report(operator, AS_OF, out=scores / "r.html", scores=scores)
    with pytest.raises(DataError):
        churnml.report(operator, "2027-06-01", out=out, scores=scores)
    (tmp_path / "mine.html").write_text("<html>")
    with pytest.raises(OutputError, match="not a report"):
        churnml.report(operator, AS_OF, out=tmp_path / "mine.html", scores=scores, overwrite=True)
    assert not out.exists()


@pytest.mark.slow
def test_the_page_stands_beside_the_run_of_its_scoring(operator, scores, tmp_path, store):
    manifest = json.loads((scores / "_manifest.json").read_text())
    facts = manifest | {"ended_at": "2026-06-01T08:00", "source": str(operator)}
    facts["models"]["churn"]["uri"] = "models:/churn@champion"
    (scores / "_manifest.json").write_text(json.dumps(facts))
    asked = {"source": str(operator), "as_of": AS_OF, "rows": 230, "folder": ""}
    record_scoring(ScoringRecord(ended_at="2026-05-01T08:00", **asked))
    record_scoring(ScoringRecord(ended_at="2026-06-01T08:00", **asked))
    churnml.report(operator, AS_OF, out=tmp_path / "r.html", scores=scores)
    experiment = store.client.get_experiment_by_name("scoring")
    runs = store.client.search_runs([experiment.experiment_id])
    held = {
        run.data.tags["churnml.at"]: {
            one.path for one in store.client.list_artifacts(run.info.run_id)
        }
        for run in runs
    }
    assert "report-en.html" in held["2026-06-01T08:00"]
    assert "report-en.html" not in held["2026-05-01T08:00"]


@pytest.mark.slow
def test_the_command_writes_the_same_page(operator, scores, tmp_path):
    churnml.report(operator, AS_OF, out=tmp_path / "a.html", scores=scores)
    again = {"out": tmp_path / "a.html", "lang": "zh", "overwrite": True}
    churnml.report(operator, AS_OF, scores=scores, **again)
    command = [sys.executable, "-m", "churnml", "report", str(operator), "--as-of", AS_OF]
    command += ["--scores", str(scores), "--lang", "zh", "--json", "--out", "b.html"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, text=True)
    assert json.loads(done.stdout)["lang"] == "zh"
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
