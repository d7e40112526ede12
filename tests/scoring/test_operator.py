"""Every eligible customer of an operator gets scores, and every row is accounted for."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import churnml
from churnml import score
from churnml.config.settings import Config
from churnml.errors import DataError, ModelError, OutputError, SchemaError, UsageError
from churnml.estimators import ChurnClassifier, SatisfactionRegressor
from churnml.features import build_features, declared
from churnml.features.writing import save_features
from churnml.models import bundle
from churnml.models.bundle import Origin
from churnml.models.profile import describe
from churnml.scoring import Manifest

AS_OF = "2026-06-01"
QUICK = {"max_rounds": 20, "folds": 2, "repeats": 1, "linear_start": False}
SETTINGS = Config.model_validate({"scoring": {"batch_rows": 100}})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 customers over 14 months, until the end of May 2026."""
    place = tmp_path_factory.mktemp("operator")
    churnml.simulate(place, customers=300, months=14, seed=1)
    return place


@pytest.fixture(scope="module")
def built(folder: Path) -> pd.DataFrame:
    return build_features(churnml.open_source(folder), AS_OF).to_pandas()


@pytest.fixture(scope="module")
def models(folder, built, tmp_path_factory) -> dict[str, str]:
    """Two bundles that read the operator's features; what they predict is made up."""
    place = tmp_path_factory.mktemp("models")
    X = built.drop(columns=["customer_id", "as_of"])
    random = np.random.default_rng(0)
    spent = X["arpu_mean_3m_yuan"].rank(pct=True).fillna(0.5)
    left, score = random.random(len(X)) < spent, 100 * spent * random.random(len(X))
    found = {}
    for task, estimator, y in (
        ("churn", ChurnClassifier(**QUICK), left),
        ("satisfaction", SatisfactionRegressor(**QUICK), score),
    ):
        fitted = estimator.fit(X, y)
        model = describe(fitted, X, features=declared(), origin=Origin(name=task))
        bundle.save(model, place / task)
        found[f"{task}_model"] = str(place / task)
    return found


@pytest.fixture(scope="module")
def result(folder, models, tmp_path_factory) -> Manifest:
    out = tmp_path_factory.mktemp("scores") / "out"
    return score(churnml.open_source(folder), AS_OF, out=out, config=SETTINGS, **models)


def test_bands_can_be_cut_by_the_money_at_risk(folder, models, tmp_path):
    settings = {"scoring": {"bands_by": "money", "band_money": [100, 300, 700]}}
    manifest = score(folder, AS_OF, out=tmp_path / "out", config=settings, **models)
    rows = manifest.to_pandas()
    money = rows["churn_probability"] * rows["arpu"] * 12
    names = np.select(
        [money < 100, money < 300, money < 700], ["low", "medium", "high"], "critical"
    )
    known = money.notna()
    assert rows.loc[known, "risk_band"].tolist() == names[known].tolist()
    assert rows.loc[~known, "risk_band"].isna().all()
    assert manifest.bands["by"] == "money"
    assert sum(manifest.bands["customers"].values()) == known.sum()
    assert "100 yuan" in manifest.bands["meaning"]


def table(folder: object) -> pd.DataFrame:
    return pq.read_table(str(folder)).to_pandas()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def parts(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("part-*"))}


def test_everyone_eligible_is_scored_once_in_parts_of_even_size(result, built):
    scores = table(result.folder)
    assert scores["customer_id"].tolist() == built["customer_id"].tolist()
    assert scores["customer_id"].is_unique
    assert [part.rows for part in result.parts][:-1] == [100] * (len(result.parts) - 1)
    assert sum(part.rows for part in result.parts) == len(built)
    result.verify()


def test_scores_are_the_models_own(result, built, models):
    scores = table(result.folder)
    for uri in models.values():
        model = bundle.load(uri)
        for name, expected in bundle.predict(model, built).items():
            assert np.array_equal(scores[name], expected)
    assert (scores["satisfaction_low"] <= scores["satisfaction"]).all()
    reasons = bundle.load(models["churn_model"]).estimator.explain(built).abs().max(axis=1)
    assert scores["reasons"].map(lambda given: abs(given[0]["contribution"])).tolist() == list(
        reasons
    )
    drivers = {feature.name: feature.driver for feature in declared()}
    assert all(r["driver"] == drivers[r["feature"]] for given in scores["reasons"] for r in given)


def test_tiers_and_arpu_are_those_of_the_features(result, built):
    scores = table(result.folder)
    for name, feature in {
        "individual_tier": "tier_individual_now",
        "group_tier": "tier_group_now",
        "arpu": "arpu_mean_3m_yuan",
    }.items():
        pd.testing.assert_series_equal(scores[name], built[feature], check_names=False)
    assert (scores.loc[scores["arpu"] >= 3000, "individual_tier"] == "diamond").all()


def test_the_manifest_accounts_for_every_customer(result, folder, built):
    customers = pd.read_parquet(folder / "customers.parquet")["customer_id"].nunique()
    assert result.rows.total == customers
    assert result.rows.scored == len(built)
    assert result.rows.quarantined == 0
    assert result.rows.ineligible == customers - len(built)
    facts = json.loads((Path(result.folder) / "_manifest.json").read_bytes())
    assert facts["as_of"] == AS_OF
    assert facts["config"] == SETTINGS.digest()
    assert facts["models"]["churn"]["version"].startswith("churn/")
    assert facts["churnml"] == churnml.__version__
    assert facts["started_at"] <= facts["ended_at"]


def test_the_same_work_again_gives_the_same_bytes(result, folder, models, tmp_path):
    out = tmp_path / "out"
    source = churnml.open_source(folder, threads=1)
    again = score(source, AS_OF, out=out, config=SETTINGS, **models)
    assert parts(out) == parts(Path(result.folder))
    times = {"started_at", "ended_at"}
    ours, theirs = again.to_dict(), result.to_dict()
    assert {k: v for k, v in ours.items() if k not in times} == {
        k: v for k, v in theirs.items() if k not in times
    }
    with pytest.raises(OutputError, match="holds a complete result"):
        score(source, AS_OF, out=out, config=SETTINGS, **models)
    assert names(tmp_path) == ["out"]


def test_bad_rows_are_set_aside_and_counted(folder, models, tmp_path):
    spoiled = tmp_path / "operator"
    shutil.copytree(folder, spoiled)
    customers = pd.read_parquet(spoiled / "customers.parquet")
    victims = customers["customer_id"].drop_duplicates().iloc[:4]
    customers.loc[customers["customer_id"].isin(victims), "payment"] = "barter"
    blank = customers.head(2).assign(customer_id=["  ", "\u3000"])
    pd.concat([customers, blank]).to_parquet(spoiled / "customers.parquet", index=False)
    offers = pd.read_parquet(spoiled / "offers.parquet").assign(note="x")
    offers.to_parquet(spoiled / "offers.parquet")
    settings = Config.model_validate({"scoring": {"reasons": 0}, "tiers": {"arpu_months": 2}})
    made = score(
        churnml.open_source(spoiled),
        AS_OF,
        out=tmp_path / "out",
        churn_model=models["churn_model"],
        config=settings,
    )
    assert made.rows.quarantined == 4 + 2
    assert made.rows.total == made.rows.scored + 6 + made.rows.ineligible
    (why,) = [why for why in made.quarantined if why["code"] == "C16"]
    rows = len(customers)
    assert (why["rows"], why["reason"]) == (2, f"expected a value (row {rows + 1}, {rows + 2})")
    assert made.ignored == ["offers.note"]
    assert any(why["table"] == "customers" and why["code"] == "C05" for why in made.quarantined)
    scores = table(tmp_path / "out")
    assert not set(scores["customer_id"]) & set(victims)
    assert "reasons" not in scores
    assert "satisfaction" not in scores
    bills = pd.read_parquet(spoiled / "bills.parquet")
    # The bills of May are issued in June: March and April are the last two months known.
    last = bills[bills["month"].astype(str).isin(["2026-03-01", "2026-04-01"])]
    two = last.groupby("customer_id")["amount"].mean()
    known = scores.set_index("customer_id")["arpu"].dropna()
    assert np.allclose(known, two.reindex(known.index), rtol=0, atol=0.01)


def test_a_source_that_changes_meanwhile_is_refused_and_nothing_is_published(
    folder, models, tmp_path
):
    moving = tmp_path / "operator"
    shutil.copytree(folder, moving)
    source = churnml.open_source(moving)
    os.utime(moving / "offers.parquet", ns=(1, 1))
    with pytest.raises(DataError, match=r"offers\.parquet: changed while it was read"):
        score(source, AS_OF, out=tmp_path / "out", **models)
    assert names(tmp_path) == ["operator"]


@pytest.mark.parametrize(
    ("day", "message"),
    [
        ("2026-07-02", r"the last bill before 2026-07-02 is of 2026-05.*or score at 2026-07-01"),
        ("2031-01-01", "more than a month old"),
        ("2020-01-01", "no bill of a month that had ended by 2020-01-01"),
    ],
)
def test_a_date_without_recent_bills_is_refused(folder, models, tmp_path, day, message):
    with pytest.raises(DataError, match=message) as refused:
        score(churnml.open_source(folder), day, out=tmp_path / "out", **models)
    assert refused.value.status == 3
    with pytest.raises(DataError, match=message):
        save_features(folder, as_of=day, out=tmp_path / "f.parquet", config=SETTINGS)
    assert list(tmp_path.iterdir()) == []


def test_where_nobody_is_eligible_the_result_is_empty_and_says_so(folder, models, tmp_path):
    place = tmp_path / "operator"
    shutil.copytree(folder, place)
    customers = pd.read_parquet(place / "customers.parquet")
    customers["terminated_on"] = customers["activated_on"]
    customers.to_parquet(place / "customers.parquet")
    made = score(churnml.open_source(place), AS_OF, out=tmp_path / "out", **models)
    assert (made.rows.scored, made.rows.quarantined) == (0, 0)
    assert made.warnings[0] == "no customer is eligible at that date; the result is empty"


def test_a_date_that_is_none(folder, tmp_path):
    with pytest.raises(UsageError, match="'soon' is not a date"):
        score(churnml.open_source(folder), "soon", out=tmp_path / "out")


def test_a_model_that_needs_an_absent_table_is_refused_by_its_name(folder, models, tmp_path):
    poor = tmp_path / "operator"
    shutil.copytree(folder, poor)
    (poor / "complaints.parquet").unlink()
    with pytest.raises(SchemaError, match=r"churn/\w+ needs complaints, which .* does not have"):
        score(churnml.open_source(poor), AS_OF, out=tmp_path / "out", **models)
    bills = pd.read_parquet(folder / "bills.parquet").drop(columns="voice")
    shutil.copy(folder / "complaints.parquet", poor)
    bills.to_parquet(poor / "bills.parquet")
    with pytest.raises(SchemaError, match=r"needs bills\.voice"):
        score(churnml.open_source(poor), AS_OF, out=tmp_path / "out", **models)
    assert names(tmp_path) == ["operator"]


def test_a_model_of_a_flat_table_is_refused(folder, churn, tmp_path):
    bundle.save(churn, tmp_path / "model")
    with pytest.raises(ModelError, match=r"reads a flat table.*'tenure' and 3 more"):
        score(
            churnml.open_source(folder), AS_OF, out=tmp_path / "out", churn_model=tmp_path / "model"
        )


def test_a_model_of_the_other_task_is_refused(folder, models, tmp_path):
    with pytest.raises(ModelError, match="a satisfaction model; a churn model was asked for"):
        score(
            churnml.open_source(folder),
            AS_OF,
            out=tmp_path / "out",
            churn_model=models["satisfaction_model"],
        )


def test_no_model_at_all(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(ModelError, match="No model: neither"):
        score(churnml.open_source(folder), AS_OF, out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
