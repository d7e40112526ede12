"""Folds of scikit-learn's tools that look ahead in time."""

import datetime as dt
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate

from churnml import ForwardSplit
from churnml.base.dates import add_span
from churnml.errors import DataError, LabelWindowError, UsageError

DAYS = st.dates(dt.date(2024, 1, 1), dt.date(2025, 12, 31))
SPANS = st.sampled_from(["0d", "10d", "45d", "1mo", "2mo"])


@given(
    times=st.lists(DAYS, min_size=8, max_size=60),
    folds=st.integers(1, 4),
    months=st.integers(1, 3),
    gap=SPANS,
    horizon=SPANS,
)
def test_every_fold_tests_after_all_that_its_training_looked_at(times, folds, months, gap, horizon):
    splitter = ForwardSplit(folds, horizon=horizon, gap=gap, test_months=months, times=times)
    try:
        found = list(splitter.split(times))
    except LabelWindowError:
        assume(False)
    assert len(found) == splitter.get_n_splits() == folds
    month = np.array([day.strftime("%Y-%m") for day in times])
    tested_before = ""
    for train, test in found:
        first = min(times[row] for row in test)
        assert len(train)
        assert len(test)
        for row in train:
            assert times[row] < first
            assert add_span(add_span(times[row], gap), horizon) <= first
        left = np.setdiff1d(np.arange(len(times)), [*train, *test])
        # Nothing known by then is left out, and no month is parted.
        for row in left:
            known = add_span(add_span(times[row], gap), horizon)
            assert times[row] >= first or known > first
        assert not set(month[test]) & {*month[left], *month[train]}
        assert len(set(month[test])) == months
        assert min(month[test]) > tested_before
        tested_before = max(month[test])
    assert tested_before == max(month)


@given(order=st.permutations(range(24)))
def test_the_order_of_rows_does_not_matter(order):
    times = pd.date_range("2025-01-01", periods=24, freq="15D")
    plain = list(ForwardSplit(3).split(times, times=times))
    shuffled = list(ForwardSplit(3).split(times, times=times[order]))
    for (train, test), (train_too, test_too) in zip(plain, shuffled, strict=True):
        assert {order[row] for row in train_too} == set(train)
        assert {order[row] for row in test_too} == set(test)


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(0)
    times = pd.Series(random.choice(pd.date_range("2025-01-01", periods=10, freq="MS"), 400))
    X = pd.DataFrame({"a": random.normal(size=400)})
    return X, (X["a"] + random.normal(size=400) > 0).astype(int), times


def test_scikit_learn_takes_it_as_cv(data):
    X, y, times = data
    forward = ForwardSplit(3, times=times)
    scores = cross_val_score(LogisticRegression(), X, y, cv=forward, scoring="roc_auc")
    by_hand = cross_val_score(LogisticRegression(), X, y, cv=list(forward.split(X)))
    assert scores.shape == by_hand.shape == (3,)
    assert scores.min() > 0.6
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=forward).fit(X, y)
    assert search.n_splits_ == 3
    assert "ForwardSplit(3, horizon='2mo', gap='0d', test_months=1, times=<400 d" in repr(search)
    again = clone(clone(search).cv)
    assert again.get_params().keys() == forward.get_params().keys()
    kept = pickle.loads(pickle.dumps(again))
    for one, other in zip(kept.split(X), forward.split(X), strict=True):
        assert [part.tolist() for part in one] == [part.tolist() for part in other]


def test_stacking_takes_models_fitted_on_earlier_months(data):
    X, y, times = data
    forward = ForwardSplit(1, times=times)
    named = [("line", LogisticRegression()), ("same", LogisticRegression(C=0.1))]
    with pytest.raises(ValueError, match="only works for partitions"):
        StackingClassifier(named, cv=forward).fit(X, y)
    ((past, later),) = forward.split(X)
    fitted = [(name, model.fit(X.iloc[past], y.iloc[past])) for name, model in named]
    stacked = StackingClassifier(fitted, cv="prefit").fit(X.iloc[later], y.iloc[later])
    assert stacked.score(X.iloc[later], y.iloc[later]) > 0.6


def test_dates_are_routed_to_it(data):
    X, y, times = data
    with sklearn.config_context(enable_metadata_routing=True):
        routed = cross_validate(
            LogisticRegression(), X, y, cv=ForwardSplit(2), params={"times": times}
        )
    given = cross_val_score(LogisticRegression(), X, y, cv=ForwardSplit(2, times=times))
    assert routed["test_score"].tolist() == given.tolist()


STAMPS = pd.date_range("2025-01-01", periods=6, freq="MS")


@pytest.mark.parametrize(
    "times",
    [
        [str(day.date()) for day in STAMPS],
        [day.date() for day in STAMPS],
        [day.to_pydatetime().replace(hour=8) for day in STAMPS],
        STAMPS,
        STAMPS.to_numpy("datetime64[D]"),
        STAMPS.tz_localize("Asia/Shanghai"),
        pd.Series(STAMPS.strftime("%Y-%m-%d"), dtype="category"),
        STAMPS.to_period("D"),
        pl.Series(STAMPS.date.tolist()),
        pa.array(STAMPS.date),
    ],
    ids=lambda times: type(times).__name__,
)
def test_dates_of_every_common_type_are_taken(times):
    (fold,) = ForwardSplit(1, times=times).split(np.zeros((6, 1)))
    assert [part.tolist() for part in fold] == [[0, 1, 2, 3], [5]]


@pytest.mark.parametrize(
    ("made", "kind", "message"),
    [
        (lambda: ForwardSplit(0), UsageError, "n_splits is 0"),
        (lambda: ForwardSplit(2.5), UsageError, "n_splits is 2.5; a whole number"),
        (lambda: ForwardSplit(1, test_months=0), UsageError, "test_months is 0"),
        (lambda: ForwardSplit(1, horizon="two"), UsageError, "horizon: 'two' is not a span"),
        (lambda: ForwardSplit(1, gap=3), UsageError, "gap: 3 is not a span"),
        (lambda: list(ForwardSplit(1).split(STAMPS)), UsageError, "needs the date that each"),
        (
            lambda: list(ForwardSplit(1, times=STAMPS).split([1, 2])),
            DataError,
            "6 dates for 2 rows",
        ),
        (
            lambda: list(ForwardSplit(1, times=[None, *STAMPS[1:]]).split(STAMPS)),
            DataError,
            "1 of 6 rows have no date",
        ),
        (
            lambda: list(ForwardSplit(1, times=["May"] * 2).split([1, 2])),
            DataError,
            "times: 'May' is not a date",
        ),
        (
            lambda: list(ForwardSplit(5, times=STAMPS).split(STAMPS)),
            LabelWindowError,
            "6 months of rows, 2025-01-01 to 2025-06-01, allow 4",
        ),
    ],
)
def test_what_cannot_be_split_is_refused(made, kind, message):
    with pytest.raises(kind, match=message):
        made()
