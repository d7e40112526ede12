"""The churn classifier as its users meet it."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from churnml.errors import DataError, SchemaError, UsageError
from churnml.estimators import ChurnClassifier
from churnml.metrics import auc

QUICK = {"repeats": 1, "max_rounds": 60, "n_jobs": 1}


@pytest.fixture(scope="module")
def table(churn_table):
    return churn_table()


@pytest.fixture(scope="module")
def fitted(table):
    return ChurnClassifier(**QUICK).fit(*table)


def _model(estimator):
    state, boosters = estimator.to_state()
    return json.dumps(state, sort_keys=True), boosters


def test_probabilities_rank_customers_never_seen(churn_table, fitted):
    X, y = churn_table(4_000, seed=1)
    found = fitted.predict_proba(X)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert auc(y, found[:, 1]) > 0.76


def test_the_same_data_give_the_same_model_whatever_their_order(table):
    X, y = table
    groups = np.arange(len(X)) // 3
    order = np.random.default_rng(3).permutation(len(X))
    columns = list(reversed(X.columns))
    one = ChurnClassifier(**QUICK).fit(X, y, groups=groups)
    other = ChurnClassifier(**QUICK | {"n_jobs": 2}).fit(
        X.iloc[order][columns], y[order], groups=groups[order]
    )
    (state, boosters), (other_state, other_boosters) = one.to_state(), other.to_state()
    assert boosters == other_boosters
    assert state | {"columns": columns} == other_state
    assert one.oof_[order].tobytes() == other.oof_.tobytes()


def test_another_seed_gives_another_model(table, fitted):
    assert _model(ChurnClassifier(**QUICK, random_state=1).fit(*table))[1] != _model(fitted)[1]


FRAMES = {
    "object": lambda frame: frame.astype(object),
    "float32": lambda frame: frame.astype({"tenure": "float32", "bill": "float32"}),
    "nullable": lambda frame: frame.convert_dtypes(),
    "category": lambda frame: frame.astype({"plan": "category"}),
    "arrow": lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    "Arrow table": lambda frame: pa.Table.from_pandas(frame.astype({"plan": "category"})),
    "decimal": lambda frame: frame.assign(
        bill=[None if np.isnan(value) else Decimal(str(value)) for value in frame["bill"]]
    ),
    "other order": lambda frame: frame[["roams", "plan", "complaints", "tenure", "bill"]],
    "extra column": lambda frame: frame.assign(extra="x"),
}


@pytest.mark.parametrize("convert", FRAMES.values(), ids=FRAMES)
def test_frames_of_any_kind_have_the_same_scores(fitted, table, convert):
    X, _ = table
    expected = fitted.predict_proba(X)
    assert fitted.predict_proba(convert(X)).tobytes() == expected.tobytes()


@pytest.mark.parametrize("kind", ["object", "float32", "nullable", "category", "arrow", "decimal"])
def test_frames_of_any_kind_give_the_same_model(fitted, table, kind):
    X, y = table
    assert _model(ChurnClassifier(**QUICK).fit(FRAMES[kind](X), y)) == _model(fitted)


def test_a_batch_changes_no_byte(fitted, table):
    X, _ = table
    together, reasons = fitted.predict_proba(X), fitted.explain(X)
    for size in (1, 7):
        parts = [X.iloc[start : start + size] for start in range(0, 70, size)]
        alone = np.vstack([fitted.predict_proba(part) for part in parts])
        assert alone.tobytes() == together[:70].tobytes()
        told = np.vstack([fitted.explain(part).to_numpy() for part in parts])
        assert told.tobytes() == reasons.to_numpy()[:70].tobytes()


def test_no_row_gives_no_score(fitted, table):
    X, _ = table
    assert fitted.predict_proba(X.iloc[:0]).shape == (0, 2)
    assert fitted.explain(X.iloc[:0]).shape == (0, 5)
    assert fitted.unseen(X.iloc[:0]) == {}


def test_contributions_and_base_add_up_to_the_log_odds(fitted, table):
    X, _ = table
    told = fitted.explain(X)
    assert list(told) == list(X)
    total = told.sum(axis=1) + fitted.base_log_odds_
    np.testing.assert_allclose(total, fitted.predict_log_odds(X), atol=1e-9)
    chance = 1 / (1 + np.exp(-fitted.predict_log_odds(X)))
    np.testing.assert_allclose(chance, fitted.predict_proba(X)[:, 1])


def test_a_column_that_does_not_matter_contributes_little(fitted, table):
    size = fitted.explain(table[0]).abs().mean()
    assert size["tenure"] > 3 * size["roams"]


def test_a_saved_state_predicts_the_same_bytes(fitted, table):
    X, _ = table
    state, boosters = fitted.to_state()
    again = ChurnClassifier.from_state(json.loads(json.dumps(state)), boosters)
    assert again.predict_proba(X).tobytes() == fitted.predict_proba(X).tobytes()
    assert again.explain(X).equals(fitted.explain(X))
    assert again.base_log_odds_ == fitted.base_log_odds_
    assert again.categories_ == {"plan": ["basic", "family", "gold"]}
    assert list(again.feature_names_in_) == list(X)
    assert _model(again) == _model(fitted)


def test_unseen_categories_are_scored_and_counted(fitted, table):
    X, _ = table
    strange = X.head(3).assign(plan=["Basic", "basic ", "gold"])
    assert fitted.unseen(strange) == {"plan": 2}
    assert np.isfinite(fitted.predict_proba(strange)).all()


def test_missing_values_are_scored_where_training_had_none(fitted, table):
    X, _ = table
    median = X.head(1).assign(tenure=float(np.median(X["tenure"].astype(np.float32))))
    missing = X.head(1).assign(tenure=np.nan)
    assert fitted.predict_proba(missing).tobytes() == fitted.predict_proba(median).tobytes()


def test_columns_that_are_missing_or_text_are_refused(fitted, table):
    X, _ = table
    with pytest.raises(SchemaError, match=r"'tenure' \(nearest found: 'tenures'\)"):
        fitted.predict_proba(X.rename(columns={"tenure": "tenures"}))
    with pytest.raises(SchemaError, match="'bill' held numbers"):
        fitted.predict_proba(X.assign(bill="12.5"))


BAD_LABELS = {
    "one class": (lambda y: np.zeros_like(y), "1 class .0."),
    "three classes": (lambda y: np.arange(len(y)) % 3, "3 classes .0, 1, 2."),
    "missing": (lambda y: np.where(y == 1, np.nan, 0.0), "labels are missing"),
}


@pytest.mark.parametrize(("spoil", "message"), BAD_LABELS.values(), ids=BAD_LABELS)
def test_labels_that_nothing_can_be_learned_from_are_refused(table, spoil, message):
    X, y = table
    with pytest.raises(DataError, match=message):
        ChurnClassifier(**QUICK).fit(X, spoil(y))


def test_labels_may_be_text_and_the_greater_one_churned(table, fitted):
    X, y = table
    named = ChurnClassifier(**QUICK).fit(X, np.where(y == 1, "Yes", "No"))
    assert named.classes_.tolist() == ["No", "Yes"]
    assert named.predict_proba(X).tobytes() == fitted.predict_proba(X).tobytes()
    assert set(named.predict(X)) == {"No", "Yes"}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"num_leaves": (1,)}, "num_leaves"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"folds": 0}, "folds"),
        ({"monotone": {"tenur": 1}}, "'tenur' is not among"),
        ({"monotone": {"plan": 1}}, "'plan' is a category"),
        ({"monotone": {"bill": 2}}, "'bill' is 2"),
    ],
)
def test_parameters_out_of_range_are_refused_by_name(table, params, message):
    with pytest.raises(UsageError, match=message):
        ChurnClassifier(**QUICK | params).fit(*table)


@pytest.mark.parametrize("linear_start", [True, False, None])
def test_probabilities_follow_monotone_directions(table, linear_start):
    X, y = table
    estimator = ChurnClassifier(
        **QUICK, monotone={"tenure": -1, "bill": 1}, linear_start=linear_start
    )
    estimator.fit(X, y)
    for name, direction in (("tenure", -1), ("bill", 1)):
        for _, row in X.dropna().head(5).iterrows():
            swept = pd.DataFrame([row] * 60).infer_objects()
            swept[name] = np.linspace(0, 200, 60)
            steps = direction * np.diff(estimator.predict_log_odds(swept))
            assert (steps >= -1e-12).all()


def test_groups_are_never_parted(table):
    """A customer's rows that look alike would otherwise give their labels away."""
    random = np.random.default_rng(0)
    customers = 500
    mark = np.repeat(random.normal(size=(customers, 3)), 4, axis=0)
    X = pd.DataFrame(mark + random.normal(0, 0.001, mark.shape), columns=["a", "b", "c"])
    y = np.repeat(random.integers(0, 2, customers), 4)
    groups = np.repeat(np.arange(customers), 4)
    apart = ChurnClassifier(**QUICK).fit(X, y, groups=groups).oof_
    parted = ChurnClassifier(**QUICK).fit(X, y).oof_
    assert auc(y, apart) < 0.6
    assert auc(y, parted) > 0.75


def test_out_of_fold_probabilities_are_missing_where_the_weight_is_0(table):
    X, y = table
    weight = np.ones(len(y))
    weight[:10] = 0
    found = ChurnClassifier(**QUICK).fit(X, y, sample_weight=weight).oof_
    assert np.isnan(found[:10]).all()
    assert np.isfinite(found[10:]).all()


def test_names_with_any_character_are_kept(table):
    X, y = table
    names = ['费用 [元]{"a":1}', "4\\5G,用户", "line\nbreak", "😀", " "]
    renamed = X.set_axis(names, axis=1)
    found = ChurnClassifier(**QUICK).fit(renamed, y)
    assert list(found.explain(renamed)) == names
    state, boosters = found.to_state()
    again = ChurnClassifier.from_state(json.loads(json.dumps(state)), boosters)
    shuffled = renamed[names[::-1]]
    assert again.predict_proba(shuffled).tobytes() == found.predict_proba(renamed).tobytes()


def test_columns_without_news_do_no_harm(churn_table, table):
    X, y = table
    padded = X.assign(empty=np.nan, same="x", none=pd.Series([None] * len(X), dtype=object))
    found = ChurnClassifier(**QUICK).fit(padded, y)
    assert found.explain(padded)[["empty", "same", "none"]].abs().to_numpy().max() == 0
    ahead, outcome = churn_table(2_000, seed=1)
    ahead = ahead.assign(empty=np.nan, same="x", none=None)
    assert auc(outcome, found.predict_proba(ahead)[:, 1]) > 0.76


@pytest.mark.parametrize("rows", [2, 4, 12, 40])
def test_a_handful_of_rows_is_enough_to_fit(churn_table, rows):
    X, y = churn_table(rows, seed=5)
    y[:2] = [0, 1]
    found = ChurnClassifier(n_jobs=1).fit(X, y).predict_proba(X)[:, 1]
    assert ((found > 0) & (found < 1)).all()
