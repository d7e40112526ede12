"""A search finds what folds show, keeps the rule where they show nothing, and goes on."""

import logging
from logging.handlers import BufferingHandler

import numpy as np
import pandas as pd
import pytest

from churnml.estimators import ChurnClassifier, SatisfactionRegressor
from churnml.training.tune import search

PARAMS = {"num_leaves", "min_leaf", "l2", "column_share"}


@pytest.fixture(scope="module")
def woven():
    """Who leaves depends on three columns together and on none of them alone."""
    random = np.random.default_rng(0)
    X = pd.DataFrame(random.normal(size=(1500, 3)), columns=["a", "b", "c"])
    odd = (X > 0).sum(axis=1) % 2
    return X, (random.random(len(X)) < 0.1 + 0.8 * odd).astype(float)


def test_it_finds_settings_that_are_clearly_better(woven):
    X, y = woven
    found = search(ChurnClassifier(n_jobs=1), X, y, trials=8)
    assert set(found.params) == PARAMS
    assert found.gain > 0.02
    best = min((t for t in found.trials if not t.pruned), key=lambda t: t.loss)
    assert found.params["num_leaves"][0] == best.params["num_leaves"]
    rows = np.arange(len(X))
    half = rows % 2 == 0
    own, better = (
        ChurnClassifier(n_jobs=1, repeats=1, max_rounds=300, **params).fit(X[half], y[half])
        for params in ({"linear_start": True, "min_leaf": 30}, found.params)
    )
    right = [
        np.mean((model.predict_proba(X[~half])[:, 1] > 0.5) == y[~half]) for model in (own, better)
    ]
    assert right[1] > right[0] + 0.02


def test_over_noise_the_rule_is_kept():
    random = np.random.default_rng(1)
    X = pd.DataFrame(random.normal(size=(300, 4)), columns=list("abcd"))
    found = search(SatisfactionRegressor(n_jobs=1), X, random.uniform(0, 100, 300), trials=6)
    assert found.params == {}
    assert "none clearly better" in found.note()


def test_the_same_trials_are_the_same_search(woven):
    X, y = woven
    again = [search(ChurnClassifier(n_jobs=1), X[:500], y[:500], trials=4) for _ in range(2)]
    told = [[(t.params, t.folds, t.pruned) for t in found.trials] for found in again]
    assert told[0] == told[1]


def test_the_order_of_the_rows_does_not_matter(woven):
    X, y = woven[0][:500], woven[1][:500]
    back = slice(None, None, -1)
    one, other = (
        search(ChurnClassifier(n_jobs=1), *rows, trials=2).trials
        for rows in ((X, y), (X[back], y[back]))
    )
    assert [t.folds for t in one] == [t.folds for t in other]


@pytest.fixture
def said(monkeypatch):
    """What a search logs, also where the command line has set up logging before."""
    heard = BufferingHandler(1_000)
    logger = logging.getLogger("churnml.training.tune")
    monkeypatch.setattr(logger, "handlers", [heard])
    monkeypatch.setattr(logger, "propagate", False)
    before = logger.level
    logger.setLevel(logging.INFO)
    yield heard.buffer
    logger.setLevel(before)


def test_it_goes_on_where_it_stopped(woven, tmp_path, said):
    X, y = woven[0][:500], woven[1][:500]
    journal = tmp_path / "search.journal"
    ended = []
    first = search(ChurnClassifier(n_jobs=1), X, y, trials=2, journal=journal)
    assert said == []
    both = search(ChurnClassifier(n_jobs=1), X, y, trials=3, journal=journal, progress=ended.append)
    assert [one.getMessage() for one in said] == ["going on after 2 trials of an earlier run"]
    assert both.trials[:2] == first.trials
    assert [trial.number for trial in ended] == [2]
    # What earlier sessions took counts.
    spent = search(ChurnClassifier(n_jobs=1), X, y, seconds=1e-6, journal=journal)
    assert spent.trials == both.trials


def test_no_trial_begins_after_the_budget(woven):
    X, y = woven[0][:300], woven[1][:300]
    found = search(ChurnClassifier(n_jobs=1), X, y, seconds=0.001)
    assert len(found.trials) == 1
    assert found.params == {}


def test_a_trial_given_up_early_is_never_chosen(woven):
    X, y = woven
    found = search(ChurnClassifier(n_jobs=1), X[:700], y[:700], trials=12)
    given_up = [trial for trial in found.trials if trial.pruned]
    assert given_up
    assert all(2 <= len(trial.folds) <= 5 for trial in given_up)
    assert found.params.get("l2") not in [trial.params["l2"] for trial in given_up]


def test_seconds_or_trials(woven):
    X, y = woven
    with pytest.raises(ValueError, match="one of them"):
        search(ChurnClassifier(), X, y)


def test_it_shows_itself(woven):
    found = search(ChurnClassifier(n_jobs=1), woven[0][:300], woven[1][:300], trials=2)
    assert "<table>" in found._repr_html_()
    assert "2 settings tried" in found.note()
