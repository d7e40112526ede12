"""Exact TreeSHAP."""

from __future__ import annotations

import itertools
import math

import lightgbm as lgb
import numpy as np
import pytest

from churnml.errors import ModelError
from churnml.estimators.explanation.treeshap import build_tables

ROWS = 400


@pytest.fixture(scope="module")
def matrix():
    random = np.random.default_rng(0)
    found = random.normal(size=(ROWS, 6)).astype(np.float32)
    found[random.random((ROWS, 6)) < 0.1] = np.nan
    found[:, :2] = np.nan_to_num(found[:, :2])
    return found


def _grow(matrix, leaves, seed=0, rounds=30):
    known = np.nan_to_num(matrix)
    y = known[:, 0] * known[:, 1] + known[:, 2] + (known[:, 3] > 0)
    params = {
        "num_leaves": leaves,
        "max_depth": 8,
        "min_data_in_leaf": 5,
        "feature_fraction": 0.7,
        "seed": seed,
        "num_threads": 1,
        "verbosity": -1,
    }
    return lgb.train(params, lgb.Dataset(matrix, y), rounds)


@pytest.mark.parametrize("leaves", [2, 3, 8, 31])
def test_contributions_are_those_of_lightgbm(matrix, leaves):
    boosters = [_grow(matrix, leaves, seed) for seed in (1, 2)]
    tables = build_tables([booster.model_to_string() for booster in boosters], 6)
    theirs = np.mean([booster.predict(matrix, pred_contrib=True) for booster in boosters], axis=0)
    np.testing.assert_allclose(tables.contributions(matrix), theirs[:, :-1], atol=1e-10)
    assert tables.base == pytest.approx(theirs[0, -1], abs=1e-10)


def test_contributions_are_shapley_values_by_definition(matrix):
    booster = _grow(matrix, 8, rounds=1)
    tables = build_tables([booster.model_to_string()], 6)
    root = booster.dump_model()["tree_info"][0]["tree_structure"]
    for row in matrix[:20]:
        expected = _shapley_by_definition(root, row)
        np.testing.assert_allclose(tables.contributions(row[None])[0], expected, atol=1e-12)


def _shapley_by_definition(root, row):
    columns = len(row)
    values = {
        known: _expected(root, row, set(known))
        for size in range(columns + 1)
        for known in itertools.combinations(range(columns), size)
    }
    found = np.zeros(columns)
    for known, value in values.items():
        for at in set(range(columns)) - set(known):
            share = math.factorial(len(known)) * math.factorial(columns - len(known) - 1)
            gain = values[tuple(sorted({*known, at}))] - value
            found[at] += share / math.factorial(columns) * gain
    return found


def _expected(node, row, known):
    if "leaf_value" in node:
        return node["leaf_value"]
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        value = row[node["split_feature"]]
        goes = node["default_left"] if np.isnan(value) else value <= node["threshold"]
        return _expected(left if goes else right, row, known)
    counts = [child.get("internal_count", child.get("leaf_count")) for child in (left, right)]
    parts = [_expected(child, row, known) for child in (left, right)]
    return np.average(parts, weights=counts)


def test_a_row_has_the_same_bytes_alone_and_in_company(matrix):
    tables = build_tables([_grow(matrix, 8).model_to_string()], 6)
    together = tables.contributions(np.tile(matrix, (25, 1)))
    alone = np.vstack([tables.contributions(row[None]) for row in matrix[:50]])
    assert together[:50].tobytes() == alone.tobytes()
    assert together[-50:].tobytes() == together[ROWS - 50 : ROWS].tobytes()


def test_no_booster_and_no_row_give_nothing(matrix):
    assert build_tables([], 6).contributions(matrix).sum() == 0
    tables = build_tables([_grow(matrix, 4).model_to_string()], 6)
    assert tables.contributions(matrix[:0]).shape == (0, 6)


def test_a_tree_without_a_split_adds_to_the_base_alone():
    matrix = np.zeros((50, 1), np.float32)
    booster = lgb.train(
        {"verbosity": -1, "num_threads": 1}, lgb.Dataset(matrix, np.full(50, 3.0)), 1
    )
    tables = build_tables([booster.model_to_string()], 1)
    assert tables.base == pytest.approx(3.0)
    assert tables.contributions(matrix).sum() == 0


def test_categorical_splits_are_refused():
    column = np.tile(np.arange(4.0), 50)[:, None]
    data = lgb.Dataset(column, column[:, 0] % 2, categorical_feature=[0])
    params = {"verbosity": -1, "num_threads": 1, "min_data_in_leaf": 1, "cat_smooth": 0}
    with pytest.raises(ModelError, match="categorical splits"):
        build_tables([lgb.train(params, data, 2).model_to_string()], 1)
