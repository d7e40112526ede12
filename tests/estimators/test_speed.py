"""What fitting and explaining may take."""

from __future__ import annotations

import time

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest

from churnml.estimators import ChurnClassifier

pytestmark = pytest.mark.benchmark


def _wide(rows, columns):
    random = np.random.default_rng(0)
    numbers = random.normal(size=(rows, columns)).astype(np.float32)
    odds = -4 + numbers[:, 0] + numbers[:, 1] * numbers[:, 2]
    y = (random.random(rows) < 1 / (1 + np.exp(-odds))).astype(int)
    return pd.DataFrame(numbers, columns=[f"c{at}" for at in range(columns)]), y


def test_a_quarter_of_a_million_rows_are_learned_in_time():
    X, y = _wide(250_000, 130)
    began = time.process_time()
    ChurnClassifier().fit(X, y, groups=np.arange(len(X)) // 8)
    # Forty seconds on two processors.
    assert time.process_time() - began < 80


def test_explaining_is_faster_than_lightgbm():
    X, y = _wide(20_000, 40)
    model = ChurnClassifier(n_jobs=1).fit(X.head(5_000), y[:5_000])
    matrix = X[sorted(X)].to_numpy()
    model.explain(X.head(1))
    began = time.process_time()
    ours = model.explain(X)
    middle = time.process_time()
    some = matrix[:200]
    theirs = [
        lgb.Booster(model_str=text).predict(some, pred_contrib=True, num_threads=1)
        for text in model.bag_.texts
    ]
    ended = time.process_time()
    assert len(ours) / (middle - began) > 5 * len(some) / (ended - middle)
    assert np.mean(theirs, axis=0).shape == (200, 41)
