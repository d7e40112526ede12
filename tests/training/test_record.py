"""What a training tells of itself: few numbers under fixed names, curves, folds, dates."""

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from churnml.base.tasks import TASKS
from churnml.config.settings import Config
from churnml.datasets.dataset import Dataset
from churnml.datasets.split_dates import Dates
from churnml.estimators import ChurnClassifier
from churnml.evaluation.held_out import measure
from churnml.labels.coverage import Coverage
from churnml.training.curves import boosting, by_date, folds, system, trials
from churnml.training.fit import Fitted
from churnml.training.record import record, title
from churnml.training.split import Split
from churnml.training.system_metrics import MachineSample, Watch
from churnml.training.tune import Search, Trial

COVERAGE = Coverage(*(date(2026, month, 1) for month in (1, 6, 2)))
LABEL = {"definition": "termination", "gap": "0d", "horizon": "60d"}


@pytest.fixture(scope="module")
def rows(learned) -> Dataset:
    days = pd.Series(np.where(np.arange(len(learned.X)) < 400, "2026-02-01", "2026-03-01"))
    groups = pd.Series([f"{one:05d}" for one in range(len(learned.X))])
    return Dataset(X=learned.X, y=pd.Series(learned.y, name="churned"), groups=groups, times=days)


@pytest.fixture(scope="module")
def fitted(churn, rows) -> Fitted:
    tested = measure("churn", churn.estimator, rows, rows)
    origin = replace(churn.origin, kind="operator", label=LABEL, as_of=("2026-05-01", "2026-06-01"))
    model = replace(churn, origin=origin, tested={"importance": {"tenure": 1.0}})
    days = tuple(date(2026, month, 1) for month in (2, 3))
    split = Split(
        train=rows.rows(np.arange(400)),
        test=rows,
        all=rows,
        source="/data/operator",
        dates=Dates(train=days[:1], test=days, all=days, coverage=COVERAGE),
    )
    return Fitted(model=model, before=model, tested=tested, split=split, settings=Config().churn)


@pytest.fixture
def run(fitted):
    return record(fitted, watch=Watch())


def test_a_run_has_a_name_that_a_person_can_read(fitted):
    assert title(fitted.model) == "churn · service ends within 60 days · 2026-06"
    flat = replace(fitted.model, origin=replace(fitted.model.origin, kind="table", name="toy"))
    assert title(flat) == "churn · toy"


def test_the_numbers_of_a_run_are_few_and_bear_the_names_of_the_headline(fitted, run):
    found = run.metrics
    plain = [name for name in found if "/" not in name]
    assert plain == list(TASKS["churn"].headline)
    sections = {name.partition("/")[0] for name in found if "/" in name}
    assert sections == {"regression", "booster", "rows"}
    table = run.tables["metrics"]
    at = table["measure"].index("auc")
    assert table["model low"][at] <= found["auc"] <= table["model high"][at]
    assert found["rows/all"] == 600
    assert all(len(f"{value:.10g}") <= 12 for value in found.values())


def test_every_measure_with_its_baselines_is_in_a_table(fitted, run):
    table = run.tables["metrics"]
    tested = fitted.tested
    assert set(table["measure"]) == set(tested.metrics)
    at = table["measure"].index("auc")
    assert table["model"][at] == pytest.approx(tested.metrics["auc"].value, abs=1e-6)
    assert table["base rate"][at] == 0.5
    assert {len(column) for column in table.values()} == {len(tested.metrics)}


def test_settings_that_were_left_to_a_rule_are_no_parameters(fitted, run):
    params = run.params
    assert params["settings.horizon"] == "2mo"
    assert params["estimator.repeats"] == 1
    assert "estimator.num_leaves" not in params


def test_boosting_tells_the_held_out_loss_after_each_round(churn):
    (curve,) = boosting("churn", churn.estimator).values()
    growth = churn.estimator.bag_.growth
    first = np.mean([one.losses[0] for one in growth])
    last = np.mean([one.losses[-1] for one in growth])
    assert curve.values[0] == pytest.approx(first)
    assert curve.values[-1] == pytest.approx(last)
    assert list(curve.steps) == sorted(set(curve.steps))
    assert len(curve.values) <= 100


def test_there_is_a_child_for_each_fold_and_each_row_is_left_out_once(churn, rows):
    found = folds("churn", churn.estimator)
    assert [one.title for one in found] == [f"fold {one} of 5" for one in range(1, 6)]
    # Rows that say the same are one row of greater weight.
    left_out = sum(one.metrics["rows/left_out"] for one in found)
    assert 0.95 * len(rows) < left_out <= len(rows)
    assert all(one.curves["boosting/log_loss"].values for one in found)


def test_a_loaded_model_and_one_without_folds_have_no_curves(rows):
    alone = ChurnClassifier(folds=1, repeats=1, max_rounds=5, n_jobs=1).fit(rows.X, rows.y)
    assert boosting("churn", alone) == {}
    assert folds("churn", alone) == []


def test_measures_by_date_are_those_of_the_date_s_own_rows(fitted):
    tested = fitted.tested
    table, curves = by_date("churn", tested)
    assert table["as_of"] == ["2026-02-01", "2026-03-01"]
    assert table["rows"] == [400, 200]
    assert table["mean_outcome"][1] == pytest.approx(tested.y[400:].mean())
    assert curves["by_date/auc"].steps == [1, 2]
    assert curves["by_date/auc"].moments[1] == datetime(2026, 3, 1, tzinfo=UTC)
    from sklearn.metrics import roc_auc_score

    expected = roc_auc_score(tested.y[400:], tested.scores[400:])
    assert curves["by_date/auc"].values[1] == pytest.approx(expected)


def test_a_date_on_which_nobody_left_has_no_measures(fitted):
    tested = fitted.tested
    nobody = replace(tested, y=np.where(np.arange(600) < 400, 0.0, tested.y))
    table, curves = by_date("churn", nobody)
    assert table["auc"][0] is None
    assert curves["by_date/auc"].steps == [2]


def test_trials_of_a_search_become_children():
    tried = (
        Trial(number=0, params={}, loss=0.5, folds=(0.4, 0.6), pruned=False, seconds=1.5),
        Trial(number=1, params={"l2": 1}, loss=0.6, folds=(0.6,), pruned=True, seconds=1),
    )
    rule, pruned = trials("churn", Search({}, tried, 0.0))
    assert (rule.metrics, rule.seconds) == ({"boosting/log_loss": 0.5}, 1.5)
    assert pruned.title == "trial 1, given up"
    assert pruned.params == {"l2": 1}
    assert trials("churn", None) == []


def test_the_load_of_a_long_run_bears_mlflow_s_names():
    moment = datetime(2026, 6, 1, tzinfo=UTC)
    ((name, curve),) = system([MachineSample(moment, {"cpu_utilization_percentage": 50.0})]).items()
    assert name == "system/cpu_utilization_percentage"
    assert (curve.values, curve.moments) == ([50.0], [moment])
    assert system([]) == {}
