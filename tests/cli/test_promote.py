"""Challengers of known worth against the champion on an operator's tables, as typed."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from churnml.config.settings import Config
from churnml.datasets.dataset import build_dataset
from churnml.estimators import ChurnClassifier
from churnml.models.bundle import Origin
from churnml.models.profile import describe
from churnml.registry import resolve as resolving
from churnml.registry import versions as registry
from churnml.registry.store import open_store
from churnml.registry.tracking import Data, TrainingRecord, log_training
from churnml.tables.simulator import simulate
from churnml.tables.source import open_source
from churnml.tables.validation import validate

LABEL = {"gap": "0d", "horizon": "2mo", "definition": "either"}
LEARNED = [date(2025, 12, 1), date(2026, 1, 1)]
KNOWS = [
    "lifecycle_brand",
    "lifecycle_payment",
    "lifecycle_tenure_days",
    "arpu_mean_3m_yuan",
    "arpu_last_to_mean_3m_ratio",
    "usage_active_mean_1m_days",
    "usage_active_last_12m_days",
]
QUICK = {"repeats": 1, "folds": 2, "max_rounds": 40, "linear_start": False, "n_jobs": 1}


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> Path:
    """A simulated operator of 1,800 customers over 14 months."""
    folder = tmp_path_factory.mktemp("gate") / "operator"
    simulate(folder, customers=1_800, months=14, seed=3)
    return folder


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Path:
    """A gate that 1,800 customers can pass: a wide margin, and slices of 25 leavers."""
    path = tmp_path_factory.mktemp("settings") / "gate.yaml"
    path.write_text("promotion: {draws: 60, min_positives: 25, auc_margin: 0.05}\n")
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory, _empty_store) -> Path:
    """A working folder whose store has a champion and three challengers of known worth."""
    import shutil

    folder = tmp_path_factory.mktemp("work")
    shutil.copy(_empty_store, folder / "mlflow.db")
    return folder


@pytest.fixture(scope="module")
def versions(place, tables) -> dict[str, str]:
    """Version by kind: the same as the champion, as good, useless, of another label, …"""
    source = validate(open_source(str(tables)), Config()).accepted()
    data = build_dataset(source, "churn", LEARNED)
    shuffled = np.random.default_rng(0).permutation(len(data))
    chance = data.X.iloc[shuffled].reset_index(drop=True)
    store = open_store(f"sqlite:///{place / 'mlflow.db'}")
    found = {}
    for kind, X, label in (
        ("champion", data.X, LABEL),
        ("same", data.X, LABEL),
        ("equal", data.X, LABEL),
        ("useless", chance, LABEL),
        ("other label", data.X, LABEL | {"horizon": "3mo"}),
        ("refitted only", data.X, LABEL),
    ):
        seed = 1 if kind == "equal" else 0
        fitted = ChurnClassifier(**QUICK, random_state=seed).fit(
            X[KNOWS], data.y, groups=data.groups
        )
        # As registered it has seen the last months too; as it was before the refit, not.
        first, last = (
            describe(fitted, X[KNOWS], origin=origin(label, days), reference=fitted.oof_)
            for days in (LEARNED, [*LEARNED, date(2026, 3, 1), date(2026, 4, 1)])
        )
        logged = log_training(
            TrainingRecord(
                model=last,
                title=kind,
                data=Data(
                    name="operator",
                    source=str(tables),
                    digest="ab" * 32,
                    rows=len(data),
                    target="churned",
                ),
                before=None if kind == "refitted only" else first,
                tags={registry.SOURCE: str(tables)},
            ),
            store=store,
        )
        found[kind] = str(logged.model_version)
    return found


def origin(label, days) -> Origin:
    return Origin(name="churn", label=label, as_of=tuple(map(str, days)))


@pytest.fixture
def begun(place, versions, monkeypatch):
    """The working folder with the champion in force and nothing else."""
    monkeypatch.chdir(place)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    store = open_store()
    for alias in registry.aliases_of(store, "churn"):
        store.client.delete_registered_model_alias("churn", alias)
    store.client.set_registered_model_alias("churn", "champion", versions["champion"])
    return store


def test_an_equal_challenger_passes_on_the_source_that_its_run_recorded(
    churnml, begun, versions, settings
):
    begun.client.set_registered_model_alias("churn", "challenger", versions["equal"])
    ran = churnml("promote", "churn", "--config", settings, "--json")
    assert ran.status == 0, ran.out
    assert ran.json["event"]["what"] == "promoted"
    assert ran.json["aliases"] == {"champion": versions["equal"], "previous": versions["champion"]}
    gate = ran.json["gate"]
    # Neither has learned from labels after March begins; later labels are not covered.
    assert gate["months"] == ["2026-03-01", "2026-04-01"]
    assert gate["rows"] > 2_000
    assert {"auc", "profit_maximum", "log_loss"} <= {one["measure"] for one in gate["checks"]}
    assert {one["where"] for one in gate["checks"]} > {"all customers"}
    assert resolving.resolve("models:/churn@champion").version == f"churn/{versions['equal']}"


def test_the_champions_very_model_is_refused_unless_forced(churnml, begun, versions, settings):
    before = registry.aliases_of(begun, "churn")
    argv = ("promote", "churn", "--version", versions["same"], "--config", settings)
    ran = churnml(*argv)
    assert ran.status == 6
    assert f"byte for byte the champion, version {versions['champion']}" in ran.err
    assert registry.aliases_of(begun, "churn") == before
    forced = churnml(*argv, "--force", "a name that reads better", "--json")
    assert forced.status == 0
    assert forced.json["event"]["what"] == "forced"
    assert forced.json["aliases"]["champion"] == versions["same"]


def test_a_useless_challenger_is_refused_with_reasons_and_nothing_moves(
    churnml, begun, versions, settings, tables
):
    before = registry.aliases_of(begun, "churn")
    argv = ("promote", "churn", tables, "--version", versions["useless"], "--config", settings)
    ran = churnml(*argv)
    assert ran.status == 6
    assert "FAIL" in ran.out
    assert "auc of all customers: worse" in ran.err
    assert registry.aliases_of(begun, "churn") == before
    told = churnml("history", "churn", "--json")
    last = told.json["events"][-1]
    assert (last["what"], last["version"]) == ("refused", versions["useless"])
    assert last["gains"]["auc"][2] < 0
    forced = churnml(*argv, "--force", "the old one is withdrawn", "--json")
    assert forced.status == 0
    assert forced.json["event"]["why"].startswith("the old one is withdrawn (failed: auc")
    assert forced.json["aliases"]["champion"] == versions["useless"]
    back = churnml("rollback", "churn", "--reason", "as expected")
    assert back.status == 0
    assert back.out.splitlines() == [
        f"churn/{versions['champion']} is the champion again, "
        f"version {versions['useless']} is previous."
    ]
    printed = churnml("history", "churn")
    assert printed.status == 0
    for word in ("refused", "forced", "rolled back", "as expected"):
        assert word in printed.out


def test_another_label_is_never_measured(churnml, begun, versions):
    ran = churnml("promote", "churn", "--version", versions["other label"], "--json")
    assert ran.status == 4
    assert "horizon 3mo" in ran.json["error"]["message"]
    assert "--force REASON" in ran.json["error"]["hint"]


def test_a_source_that_is_not_there(churnml, begun, versions, tmp_path):
    ran = churnml("promote", "churn", tmp_path / "none", "--version", versions["equal"])
    assert ran.status == 3
    assert "none" in ran.err


def test_what_has_learned_from_every_month_cannot_be_measured(churnml, begun, versions, tables):
    ran = churnml("promote", "churn", tables, "--version", versions["refitted only"])
    assert ran.status == 3
    assert "no matured month that neither model has learned from" in ran.err
    assert registry.aliases_of(begun, "churn") == {"champion": versions["champion"]}


@pytest.mark.parametrize(
    ("argv", "status", "word"),
    [
        (("promote", "churn"), 4, "no challenger"),
        (("promote", "churn", "--version", "0"), 2, "--version"),
        (("promote", "churn", "--version", "99"), 4, "no such model"),
        (("promote", "churn", "--force", " "), 2, "reason is empty"),
        (("promote", "nonsense"), 2, "nonsense"),
        (("promote", "satisfaction"), 4, "no such registered model"),
        (("rollback", "churn"), 4, "no previous champion"),
        (("history", "satisfaction"), 4, "no such registered model"),
        (("compare", "models:/churn/1", "models:/churn/99"), 4, "no such model"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_status(churnml, begun, argv, status, word):
    ran = churnml(*argv)
    assert ran.status == status
    assert word in ran.err
    assert "Traceback" not in ran.err


def test_compare_shows_two_models_and_warns_of_another_label(churnml, begun, versions):
    one, other = (f"models:/churn/{versions[kind]}" for kind in ("champion", "other label"))
    ran = churnml("compare", one, other, "--json")
    assert ran.status == 0
    assert ran.json["models"] == [
        f"churn/{versions['champion']}",
        f"churn/{versions['other label']}",
    ]
    assert ran.json["comparable"] is False
    assert "horizon 2mo and 3mo" in ran.json["notes"][0]
    assert json.dumps(ran.json["origin"]["label"]).count("either") == 2
    printed = churnml("compare", one, other)
    assert "NOT comparable" in printed.out
