"""What a data scientist expects of an estimator in a notebook."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.model_selection import cross_val_score

import churnml.estimators.churn as module
from churnml import ChurnClassifier, ChurnHazard, OfferEffect, SatisfactionRegressor
from churnml.errors import DataError, UsageError
from churnml.models import bundle
from churnml.models.model import predict
from churnml.models.profile import describe

QUICK = {"repeats": 1, "folds": 2, "max_rounds": 20, "n_jobs": 1}


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(0)
    X = pd.DataFrame({"use": random.normal(size=400), "plan": random.choice(["a", "b"], 400)})
    return X, (random.random(400) < 1 / (1 + np.exp(-2 * X["use"]))).astype(int)


@pytest.fixture(scope="module")
def plain(rows):
    return ChurnClassifier(**QUICK).fit(*rows)


@pytest.fixture(scope="module")
def worded(rows):
    X, y = rows
    return ChurnClassifier(pos_label="churned", **QUICK).fit(X, words(y))


def words(y):
    return np.where(y, "churned", "stayed")


def test_pos_label_names_who_left_and_columns_keep_scikit_learns_order(rows, plain, worded):
    X, y = rows
    assert worded.classes_.tolist() == ["churned", "stayed"]
    assert (worded.pos_label_, worded.leaving_column_) == ("churned", 0)
    assert (plain.pos_label_, plain.leaving_column_) == (1, 1)
    leaving = plain.predict_proba(X)[:, 1]
    assert np.array_equal(worded.predict_proba(X)[:, 0], leaving)
    assert np.array_equal(worded.predict(X), words(plain.predict(X)))
    assert np.array_equal(worded.predict_log_odds(X), plain.predict_log_odds(X))
    assert np.array_equal(worded.decision_function(X), -plain.decision_function(X))
    pd.testing.assert_frame_equal(worded.explain(X), plain.explain(X))
    for scoring in ("roc_auc", "neg_log_loss"):
        found = cross_val_score(worded, X, words(y), cv=2, scoring=scoring)
        assert np.allclose(found, cross_val_score(plain, X, y, cv=2, scoring=scoring))


def test_a_saved_model_scores_who_left(rows, plain, worded, tmp_path):
    X, _ = rows
    bundle.save(describe(worded, X), tmp_path / "model")
    loaded = bundle.load(tmp_path / "model")
    assert loaded.estimator.pos_label_ == "churned"
    leaving = plain.predict_proba(X)[:, 1]
    assert np.array_equal(predict(loaded, X)["churn_probability"], leaving)


@pytest.mark.parametrize(
    "labels", [("churned", "stayed"), ("leaver", "loyal"), ("已流失", "未流失")]
)
def test_labels_that_sound_the_other_way_are_told(rows, labels):
    X, y = rows
    with pytest.warns(UserWarning, match=f"{labels[1]!r}, the greater label, is taken for leav"):
        ChurnClassifier(**QUICK).fit(X, np.where(y, *labels))


def test_a_label_that_is_not_there_is_refused(rows):
    with pytest.raises(UsageError, match="pos_label is 'gone', but y holds 0 and 1"):
        ChurnClassifier(pos_label="gone", **QUICK).fit(*rows)


@pytest.mark.parametrize("bad", [0.0, 5.0, 60.0])
def test_a_threshold_outside_the_scale_is_refused(rows, bad):
    X, _ = rows
    y = np.resize([1, 2, 3, 4, 5], len(X))
    with pytest.raises(UsageError, match=r"outside the scale .* give dissatisfied=3.4"):
        SatisfactionRegressor(bounds=(1, 5), dissatisfied=bad, **QUICK).fit(X, y)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (ChurnClassifier(folds=2.5), "folds is 2.5; a whole number of 1 or more"),
        (ChurnClassifier(repeats="2"), "repeats is '2'; a whole number"),
        (ChurnClassifier(max_rounds=True), "max_rounds is True; a whole number of 0"),
        (ChurnClassifier(l2="5"), "l2 is '5'; a number of 0 or more"),
        (ChurnClassifier(column_share=2), "column_share is 2; .* at most 1"),
        (ChurnClassifier(learning_rate=float("nan")), "learning_rate is nan; a number above 0"),
        (ChurnClassifier(num_leaves="8"), "num_leaves is '8'; whole numbers from 2 to 131,072"),
        (ChurnClassifier(num_leaves=(8, 1)), "num_leaves is .8, 1.; whole numbers"),
        (ChurnClassifier(linear_start="no"), "linear_start is 'no'; True or False"),
        (ChurnClassifier(monotone=["use"]), "monotone is .*; a mapping of columns"),
        (ChurnClassifier(n_jobs=1.5), "n_jobs is 1.5; a whole number"),
        (ChurnClassifier(random_state="x"), "random_state is 'x'; a whole number"),
        (ChurnClassifier(verbose=None), "verbose is None; a whole number of 0"),
        (SatisfactionRegressor(bounds=5), "bounds is 5; low below high"),
        (SatisfactionRegressor(dissatisfied="60"), "dissatisfied is '60'; a number was"),
        (SatisfactionRegressor(interval_by=3), "interval_by is 3; a column's name"),
        (ChurnHazard(months=61), "months is 61; a whole number from 1 to 60"),
        (ChurnHazard(folds=2.5), "folds is 2.5; a whole number"),
        (ChurnHazard(num_leaves=1), "num_leaves is 1; whole numbers"),
        (OfferEffect(num_leaves=2.5), "num_leaves is 2.5; a whole number from 2 to"),
        (OfferEffect(l2=None), "l2 is None; a number of 0 or more"),
    ],
)
def test_every_parameter_is_checked_when_it_is_used(rows, made, message):
    X, y = rows
    options = {"offer": np.where(y, "data", None)} if isinstance(made, OfferEffect) else {}
    with pytest.raises(UsageError, match=message):
        made.fit(X, y, **options)


FLAW = (True, "x", 2.5, None, -7, float("nan"), float("inf"), 10**30, [], object())
TAKES = {
    "num_leaves": {None},
    "learning_rate": {None, 2.5, 10**30},
    "max_rounds": {10**30},
    "folds": {None, 10**30},
    "repeats": {None},
    "linear_start": {True, None},
    "min_leaf": {None, 10**30},
    "l2": {None, 2.5, 10**30},
    "column_share": {None},
    "monotone": {None},
    "pos_label": {None, True},
    "random_state": {None, -7, 10**30},
    "n_jobs": {None},
    "verbose": {10**30},
    "bounds": {None},
    "dissatisfied": {2.5},
    "interval_by": {None, "x"},
    "max_person_months": {10**30},
    "drivers": {None},
}
"""Of the flawed values those that a parameter takes in earnest."""
NEEDED = {
    ChurnHazard: {"num_leaves", "folds"},
    OfferEffect: {"learning_rate", "folds", "l2"},
}
"""Parameters that None leaves without a value."""


@pytest.mark.parametrize("kind", [ChurnClassifier, SatisfactionRegressor, ChurnHazard, OfferEffect])
def test_every_parameter_is_named_where_its_value_is_of_the_wrong_kind(rows, kind):
    X, y = rows[0][:60], rows[1][:60]
    y = np.where(y, 1, -1) if kind is ChurnHazard else y
    options = {"offer": np.where(np.arange(60) % 2, "data", None)} if kind is OfferEffect else {}
    for name in kind().get_params():
        for value in FLAW:
            takes = TAKES.get(name, set()) - ({None} if name in NEEDED.get(kind, ()) else set())
            if not isinstance(value, list) and value in takes:
                continue
            with pytest.raises(UsageError, match=f"{name} is "):
                kind(**{name: value}).fit(X, y, **options)


@pytest.mark.parametrize("scale", [1e-5, 1000.0])
def test_the_scale_of_weights_that_are_no_counts_does_not_matter(rows, scale):
    X, y = rows
    weight = np.random.default_rng(1).uniform(0.5, 1.5, len(X))
    one, other = (
        ChurnClassifier(**QUICK).fit(X, y, sample_weight=w).predict_proba(X)
        for w in (weight, weight * scale)
    )
    assert np.allclose(one, other, atol=1e-9)


def test_a_fit_that_is_interrupted_leaves_the_old_model_whole(rows, monkeypatch):
    X, y = rows
    model = ChurnClassifier(**QUICK).fit(X, y)
    before = model.predict_proba(X)

    def interrupt(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "fit_calibration", interrupt)
        with pytest.raises(KeyboardInterrupt):
            model.fit(X[["use"]], 1 - y)
    assert np.array_equal(model.predict_proba(X), before)
    with pytest.raises(DataError):
        model.fit(X[["use"]], np.zeros(len(X)))
    assert np.array_equal(model.predict_proba(X), before)


def test_importances_are_shares_of_the_gain_and_contributions(rows, plain):
    X, _ = rows
    shares = plain.feature_importances_
    assert shares.shape == (2,)
    assert shares.sum() == pytest.approx(1)
    table = plain.importance(X)
    assert table.index.tolist() == ["use", "plan"]
    assert table["gain"].tolist() == shares.tolist()
    means = plain.explain(X).abs().mean()
    assert table["mean_contribution"].to_dict() == means.to_dict()
    month = np.where(rows[1], 1, -3)
    hazard = ChurnHazard(months=3, max_rounds=10, folds=2, n_jobs=1).fit(X, month)
    assert hazard.feature_importances_[0] > 0.8


def test_verbose_prints_a_line_for_each_booster(rows, capsys):
    ChurnClassifier(**QUICK).fit(*rows)
    assert capsys.readouterr().out == ""
    ChurnClassifier(**QUICK, verbose=1).fit(*rows)
    told = capsys.readouterr().out.splitlines()
    assert len(told) >= 2
    assert all("trees, loss 0." in line for line in told)


def test_lazy_frames_are_collected_and_dicts_are_refused(rows, plain):
    X, y = rows
    lazy = pl.from_pandas(X).lazy()
    again = ChurnClassifier(**QUICK).fit(lazy, y)
    assert np.array_equal(again.predict_proba(lazy), plain.predict_proba(X))
    for given, kind in ((X.to_dict("records"), "a list of dicts"), (X.to_dict("list"), "a dict")):
        with pytest.raises(DataError, match=f"X is {kind}; a frame or an array"):
            plain.predict_proba(given)
        with pytest.raises(DataError, match=f"X is {kind}"):
            ChurnClassifier().fit(given, y)


def test_batches_of_arrow_are_read(rows, plain):
    X, _ = rows
    table = pa.Table.from_pandas(X)
    for given in (table.to_reader(max_chunksize=100), table.to_struct_array()):
        assert np.array_equal(plain.predict_proba(given), plain.predict_proba(X))


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (pd.Series([1.0, 2.0]), "one column"),
        (pl.Series([1.0, 2.0]), "one column"),
        (pa.array([1.0, 2.0]), "one column"),
        (None, "a NoneType"),
        ("customers.csv", "a str"),
        (iter([[1.0]]), "a list_iterator"),
    ],
    ids=["pandas", "polars", "Arrow", "None", "text", "iterator"],
)
def test_what_holds_no_columns_is_refused_in_a_sentence(plain, given, kind):
    with pytest.raises(DataError, match=f"X is {kind}; a frame or an array of numbers was"):
        plain.predict_proba(given)
