"""Piecewise-linear terms and what they come to."""

from __future__ import annotations

import json

import numpy as np
import pytest

from churnml.estimators.boosting.additive import (
    RICHNESS,
    Shapes,
    add_up,
    count_terms,
    design,
    fit_terms,
)


@pytest.fixture
def matrix():
    random = np.random.default_rng(0)
    found = np.column_stack(
        [random.lognormal(3, 1, 500), random.integers(0, 2, 500), np.full(500, 7.0)]
    ).astype(np.float32)
    found[random.random(500) < 0.2, 0] = np.nan
    return found


@pytest.mark.parametrize("richness", RICHNESS)
def test_terms_are_standardised_and_constant_columns_have_none(matrix, richness):
    terms = fit_terms(matrix, richness)
    values = design(terms, matrix)
    assert {term.at for term in terms} == {0, 1}
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(values.std(axis=0), 1, atol=1e-6)
    assert len(terms) <= count_terms(matrix, richness) + 1


@pytest.mark.parametrize("richness", RICHNESS)
def test_shapes_are_the_weighted_sum_of_their_terms(matrix, richness):
    terms = fit_terms(matrix, richness)
    weights = np.random.default_rng(1).normal(size=len(terms))
    shapes = add_up(terms, 0.5, weights)
    np.testing.assert_allclose(
        shapes.score(matrix), 0.5 + design(terms, matrix) @ weights, atol=1e-9
    )


def test_tails_are_clipped(matrix):
    terms = fit_terms(matrix, "hinges")
    shapes = add_up(terms, 0.0, np.ones(len(terms)))
    far = np.array([[1e6, 0, 7], [1e30, 0, 7]], np.float32)
    assert np.ptp(shapes.score(far)) == 0


def test_all_terms_but_missing_ones_rise(matrix):
    rising = np.linspace(0, 500, 100, dtype=np.float32)
    for term in fit_terms(matrix, "hinges"):
        if term.rises:
            assert (np.diff(term.of(rising)) >= 0).all()


def test_a_state_gives_the_same_bytes(matrix):
    terms = fit_terms(matrix, "hinges")
    shapes = add_up(terms, 0.1, np.random.default_rng(2).normal(size=len(terms)))
    again = Shapes.from_state(json.loads(json.dumps(shapes.to_state())))
    assert again.score(matrix).tobytes() == shapes.score(matrix).tobytes()
