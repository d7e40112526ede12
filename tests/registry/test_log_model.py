"""Estimators of a notebook in the registry, and runs under a run of one's own."""

import mlflow
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import churnml
from churnml.errors import ModelError, UsageError

QUICK = {"repeats": 1, "folds": 2, "max_rounds": 10, "n_jobs": 1}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield folder


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(0)
    X = pd.DataFrame({"use": random.normal(size=300), "plan": random.choice(["a", "b"], 300)})
    return X, np.where(random.random(300) < 1 / (1 + np.exp(-2 * X["use"])), "churned", "stayed")


@pytest.fixture(scope="module")
def fitted(rows):
    return churnml.ChurnClassifier(pos_label="churned", **QUICK).fit(*rows)


@pytest.fixture(scope="module")
def parent(place):
    store = f"sqlite:///{place / 'mlflow.db'}"
    mlflow.set_tracking_uri(store)
    try:
        with mlflow.start_run(run_name="my study") as run:
            yield run.info
    finally:
        mlflow.set_tracking_uri(None)


def test_score_reads_a_model_that_was_logged(place, rows, fitted, parent):
    X, _ = rows
    logged = churnml.log_model(fitted, X, name="mine", parent_run_id=parent.run_id)
    assert (logged.model_uri, logged.alias) == ("models:/mine/1", "champion")
    assert "models:/mine/1" in logged._repr_html_()
    run = mlflow.MlflowClient().get_run(logged.run_id)
    assert run.data.tags["mlflow.parentRunId"] == parent.run_id
    assert run.info.experiment_id == parent.experiment_id
    loaded = churnml.load_model(logged.model_uri)
    assert (loaded.task, loaded.names, loaded.origin.kind) == ("churn", ["use", "plan"], "table")
    assert len(loaded.digest) == 64
    assert np.array_equal(loaded.estimator.predict_proba(X), fitted.predict_proba(X))
    table = X.assign(id=[f"c{at}" for at in range(len(X))])
    manifest = churnml.score(table, id="id", out="scores", churn_model=logged.model_uri)
    leaving = fitted.predict_proba(X)[:, list(fitted.classes_).index("churned")]
    assert manifest.to_pandas()["churn_probability"].tolist() == leaving.tolist()


def test_what_cannot_be_logged_is_said(place, rows, fitted):
    X, _ = rows
    with pytest.raises(UsageError, match="is not fitted"):
        churnml.log_model(churnml.ChurnClassifier(), X)
    with pytest.raises(UsageError, match="LogisticRegression cannot be logged"):
        churnml.log_model(LogisticRegression(), X)
    with pytest.raises(UsageError, match="name 'churn'"):
        churnml.log_model(fitted, X, name="churn")
    with pytest.raises(ModelError, match="parent_run_id 'none': no such run"):
        churnml.log_model(fitted, X, parent_run_id="none")
    with pytest.raises(UsageError, match="are for runs that are tracked"):
        churnml.train(X, "churn", target="plan", track=False, out="x", parent_run_id="none")
