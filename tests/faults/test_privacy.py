"""Nothing that one customer alone has is found in a model or in what MLflow keeps."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from churnml.estimators import ChurnClassifier
from churnml.metrics.displays import GainsDisplay
from churnml.metrics.displays.style import page_axes
from churnml.models import bundle
from churnml.models.bundle import Origin
from churnml.models.profile import describe
from churnml.registry.tracking import Data, TrainingRecord, log_training

ID = "13800138000-CANARY"
PLACE = "CANARY-VILLAGE"
AMOUNT = 98765.4375
SECRET = "hunter2-CANARY"


@pytest.fixture(scope="module")
def planted(customers: pd.DataFrame) -> pd.DataFrame:
    """A table in which one customer's id, village and bill are unlike anybody else's."""
    frame = customers.copy()
    villages = np.random.default_rng(0).choice([f"village {n}" for n in range(8)], len(frame))
    frame["village"] = villages
    frame.loc[3, ["id", "village"]] = [ID, PLACE]
    frame.loc[3, "费用"] = AMOUNT
    return frame


def found(folder: Path, needle: str) -> list[str]:
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and needle.encode() in path.read_bytes()
    ]


def test_no_customer_in_bundle_database_or_artifacts(planted, store, tmp_path):
    X = planted.drop(columns=["id", "left", "score"])
    estimator = ChurnClassifier(repeats=1, n_jobs=1).fit(X, planted["left"])
    origin = Origin(name="churn-planted", kind="table", rows=len(X))
    model = describe(estimator, X, origin=origin, reference=estimator.oof_)
    scores = estimator.oof_
    log_training(
        TrainingRecord(
            model=model,
            title="planted",
            data=Data(
                name="planted",
                source=f"postgresql://me:{SECRET}@host/db",
                digest="ab" * 32,
                rows=len(X),
                target="left",
            ),
            params={"source": f"postgresql://me:{SECRET}@host/db"},
            figures={
                "gains": lambda: (
                    GainsDisplay.from_predictions(
                        planted["left"], scores, ax=page_axes("Gains")
                    ).figure_
                )
            },
            importance=dict.fromkeys(X.columns, 1.0),
            notes="# Planted",
        )
    )
    kept = tmp_path / "work"
    assert found(kept, "planted")
    for needle in (ID, PLACE, str(AMOUNT), SECRET):
        assert found(kept, needle) == [], needle


def test_the_refusal_of_a_damaged_model_shows_no_content(churn, tmp_path):
    bundle.save(replace(churn, origin=replace(churn.origin, name="x")), tmp_path / "model")
    (tmp_path / "model/bundle.json").write_text(f'{{"protocol": "{SECRET}"}}')
    with pytest.raises(Exception, match="was changed") as refused:
        bundle.load(tmp_path / "model")
    assert SECRET not in str(refused.value)
