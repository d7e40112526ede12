"""An exported model stands on its own, says what it is, and is the same every time."""

import time
from dataclasses import replace

import mlflow
import numpy as np
import pytest

from churnml.errors import OutputError
from churnml.evaluation.summary import Predictions, evidence
from churnml.metrics import churn_metrics
from churnml.models.bundle import load, predict
from churnml.models.cards.model_card import FIGURE
from churnml.registry.export import CARD, export_model
from churnml.registry.resolve import resolve


@pytest.fixture(scope="module")
def tested(churn, customers, features):
    """The toy model with what a test would have found."""
    left = customers["left"].to_numpy(dtype=float)
    scores = churn.estimator.oof_
    outcome = Predictions(
        task="churn", X=features, y=left, scores=scores, customers=np.arange(len(left))
    )
    metrics = churn_metrics(left, scores, draws=20)
    found = evidence(
        outcome,
        metrics=metrics,
        baselines={"base rate": metrics},
        importance={"tenure": 0.3, "plan": 0.1, "费用": 0.05, "online": 0.05},
        rows={"train": 400, "test": 600, "all": 600},
        dates={},
        notes=["Table usage is absent."],
    )
    return replace(churn, tested=found)


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_an_export_is_an_mlflow_model_a_bundle_and_a_card(tested, features, tmp_path):
    export_model(tested, tmp_path / "churn")
    found = files(tmp_path / "churn")
    assert {"MLmodel", CARD, FIGURE, "requirements.txt", "data/bundle/SHA256SUMS"} < set(found)
    assert found[FIGURE].startswith(b"\x89PNG")
    expected = predict(tested, features)["churn_probability"].tolist()
    served = mlflow.pyfunc.load_model(str(tmp_path / "churn"))
    assert served.predict(features)["churn_probability"].tolist() == expected
    resolved = resolve(tmp_path / "churn")
    assert predict(resolved.model, features)["churn_probability"].tolist() == expected
    assert resolved.model.tested == tested.tested


def test_an_export_of_a_registered_version_says_which(tested, tmp_path):
    export_model(tested, tmp_path / "one", version="churn/3")
    assert resolve(tmp_path / "one").version == "churn/3"
    export_model(tested, tmp_path / "other", version="churn/m-0a1b")
    assert resolve(tmp_path / "other").version.startswith(f"{tested.origin.name}/")


def test_the_same_model_is_exported_with_the_same_bytes_at_any_time(tested, tmp_path):
    export_model(tested, tmp_path / "one", notes=["A note."])
    time.sleep(1.1)
    again = load(tmp_path / "one" / "data" / "bundle")
    export_model(again, tmp_path / "two", notes=["A note."])
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_the_card_says_what_is_to_be_known_before_use(tested, tmp_path):
    export_model(tested, tmp_path / "churn", notes=["Of *one* shop | only."])
    card = (tmp_path / "churn" / CARD).read_text("utf-8")
    titles = [line.removeprefix("## ") for line in card.splitlines() if line.startswith("## ")]
    assert titles == [
        "Purpose",
        "Data",
        "How good it is",
        "Calibration",
        "What moves the scores",
        "Limits",
        "What the scores may and may not be used for",
        "Use",
        "Provenance",
    ]
    assert "PIPL art. 24" in card
    assert "GDPR art. 22" in card
    assert r"- Of \*one\* shop \| only." in card
    assert "- Table usage is absent." in card
    auc = tested.tested["metrics"]["auc"]
    assert f"| `auc` | {auc[0]:.3f} ({auc[1]:.3f} to {auc[2]:.3f}) |" in card
    assert f"]({FIGURE})" in card


def test_an_untested_model_is_exported_and_says_so(churn, tmp_path):
    export_model(churn, tmp_path / "churn")
    assert "not tested" in (tmp_path / "churn" / CARD).read_text("utf-8")
    assert not (tmp_path / "churn" / FIGURE).exists()


def test_nothing_but_a_model_is_replaced(churn, satisfaction, tmp_path):
    folder = tmp_path / "model"
    export_model(churn, folder)
    with pytest.raises(OutputError, match="already exists"):
        export_model(satisfaction, folder)
    export_model(satisfaction, folder, overwrite=True)
    assert resolve(folder).model.task == "satisfaction"
    (tmp_path / "diary").mkdir()
    (tmp_path / "diary" / "monday").write_text("rain")
    with pytest.raises(OutputError, match="already exists"):
        export_model(churn, tmp_path / "diary", overwrite=True)
    assert (tmp_path / "diary" / "monday").read_text() == "rain"
    assert {path.name for path in tmp_path.iterdir()} == {"model", "diary"}
