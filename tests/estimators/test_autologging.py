"""`mlflow.autolog()` of the user records what the user fits, and nothing that churnml fits."""

import json
import subprocess
import sys
import textwrap

import pytest

_BEGIN = """
import json, sys, time
import mlflow, numpy as np, pandas as pd
from churnml import ChurnClassifier, ChurnHazard, SatisfactionRegressor
from churnml.estimators.boosting.trials import prepare_trials
from churnml.evaluation.baselines import booster, regression

random = np.random.default_rng(0)
X = pd.DataFrame({"tenure": random.integers(1, 72, 300), "plan": random.choice(["a", "b"], 300)})
left = random.random(300) < 0.3
month = np.where(left, random.integers(1, 4, 300), -3)
score = np.clip(X["tenure"] + random.normal(0, 10, 300), 0, 100)
small = {"max_rounds": 20, "random_state": 1}

def fits():
    yield "churn", lambda: ChurnClassifier(repeats=1, **small).fit(X, left)
    yield "satisfaction", lambda: SatisfactionRegressor(repeats=1, **small).fit(X, score)
    yield "hazard", lambda: ChurnHazard(months=3, **small).fit(X, month)
    trials = prepare_trials(ChurnClassifier(**small), X, left)
    yield "trials", lambda: list(trials.losses({"num_leaves": 4}))
    for task, y in (("churn", left), ("satisfaction", score)):
        yield f"regression of {task}", lambda: regression(task, (X, y), X)
        yield f"booster of {task}", lambda: booster(task, (X, y), X)
"""


def _run(code, *arguments):
    """What a program prints; what it does to MLflow's functions ends with it."""
    program = textwrap.dedent(_BEGIN) + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_nothing_is_recorded_of_what_is_fitted_inside(store):
    found = _run(
        """
        mlflow.set_experiment("user's own")
        mlflow.autolog(log_models=False, log_input_examples=True)
        from mlflow.utils.autologging_utils import AUTOLOGGING_INTEGRATIONS, disable_autologging
        from sklearn.linear_model import LogisticRegression

        def settings():
            return json.dumps({name: dict(one) for name, one in AUTOLOGGING_INTEGRATIONS.items()})

        before = settings()
        for _, fit in fits():
            fit()
        alone = len(mlflow.search_runs())
        with mlflow.start_run() as run:
            for _, fit in fits():
                fit()
        kept = mlflow.get_run(run.info.run_id)
        with disable_autologging():
            for _, fit in fits():
                fit()
            LogisticRegression().fit(X[["tenure"]], left)
        turned_off = len(mlflow.search_runs()) - 1
        same = settings() == before
        # What the user fits is recorded as before.
        LogisticRegression().fit(X[["tenure"]], left)
        print(json.dumps({
            "alone": alone,
            "metrics": kept.data.metrics,
            "params": kept.data.params,
            "datasets": len(kept.inputs.dataset_inputs),
            "turned off": turned_off,
            "same settings": same,
            "user's": len(mlflow.search_runs()) - 1,
        }))
        """
    )
    assert found == {
        "alone": 0,
        "metrics": {},
        "params": {},
        "datasets": 0,
        "turned off": 0,
        "same settings": True,
        "user's": 1,
    }


@pytest.mark.slow
def test_a_training_records_its_own_run_alone(store, customers_csv):
    found = _run(
        """
        from churnml.cli import main
        mlflow.autolog()
        try:
            main(["train", "churn", sys.argv[1], "--target", "left", "--id", "id",
                  "--drop", "score", "--json"])
        except SystemExit as ended:
            assert not ended.code, ended.code
        runs = mlflow.search_runs(search_all_experiments=True, output_format="list")
        print(json.dumps([[run.info.run_name, run.data.tags] for run in runs]))
        """,
        customers_csv,
    )
    whole = [name for name, tags in found if "mlflow.parentRunId" not in tags]
    folds = [name for name, tags in found if "mlflow.parentRunId" in tags]
    assert whole == ["churn · churn-toy"], found
    assert all(name.startswith("fold ") for name in folds), found


@pytest.mark.benchmark
def test_fitting_takes_as_long_as_without(store):
    found = _run(
        """
        def seconds():
            taken = {}
            for name, fit in fits():
                began = time.perf_counter()
                fit()
                taken[name] = time.perf_counter() - began
            return taken

        seconds()
        before = seconds()
        mlflow.autolog()
        after = seconds()
        print(json.dumps({name: after[name] / before[name] for name in before}))
        """
    )
    print({name: f"{ratio:.2f} times as long" for name, ratio in found.items()})
    assert set(found) >= {"churn", "satisfaction", "hazard"}
