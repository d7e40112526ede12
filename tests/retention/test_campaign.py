"""What a campaign did: known answers, coverage, looks before the end."""

import math

import numpy as np
import pytest

from churnml.errors import DataError
from churnml.metrics.effects import effect_of
from churnml.metrics.power import confidence_sequence
from churnml.retention.campaign import (
    adjusted,
    complier_effect,
    intention_to_treat,
    sample_ratio,
)


def test_known_sample_ratio_and_complier_effect():
    assert round(sample_ratio(2457, 2446, 0.5), 2) == 0.89
    found = complier_effect(effect_of(-0.59, 0.39), 0.314, 2457)
    assert found.value == pytest.approx(-1.88, abs=0.01)
    assert found.error == pytest.approx(0.39 / 0.314, rel=0.02)
    assert complier_effect(effect_of(-0.59, 0.39), 0.0, 2457) is None


def test_scale_of_a_large_known_experiment():
    exposed = complier_effect(effect_of(0.115, 0.01), 0.036, 10_000_000)
    assert exposed.value == pytest.approx(3.2, abs=0.01)


def draw(random, rows=1200, effect=-0.03):
    score = random.beta(2, 18, rows)
    treated = random.random(rows) < 0.8
    chance = np.clip(score + effect * treated, 0, 1)
    return (random.random(rows) < chance).astype(float), treated, score


def test_intervals_cover():
    """A thousand and a half cheap draws: Monte-Carlo error about 0.6 points."""
    random, plain, better, draws = np.random.default_rng(0), 0, 0, 1500
    for _ in range(draws):
        left, treated, score = draw(random, effect=0.0)
        one, other = intention_to_treat(left, treated), adjusted(left, treated, score)
        plain += one.low <= 0 <= one.high
        better += other.low <= 0 <= other.high
    error = math.sqrt(0.95 * 0.05 / draws)
    print(f"plain {plain / draws:.3f}, adjusted {better / draws:.3f}, Monte-Carlo {error:.4f}")
    assert 0.93 <= plain / draws <= 0.97
    assert 0.93 <= better / draws <= 0.97


def test_adjusting_for_the_score_narrows_the_interval():
    left, treated, score = draw(np.random.default_rng(1), rows=20_000)
    assert adjusted(left, treated, score).error < intention_to_treat(left, treated).error


def test_households_count_once():
    left, treated, _ = draw(np.random.default_rng(1), rows=400)
    alone = intention_to_treat(left, treated)
    twice = intention_to_treat(
        np.repeat(left, 2), np.repeat(treated, 2), np.repeat(np.arange(400), 2)
    )
    assert twice.error == pytest.approx(alone.error)


def test_fifty_looks_raise_no_more_alarms_than_one():
    random, alarms, draws, planned = np.random.default_rng(0), 0, 2000, 2000
    looks = np.linspace(40, planned, 50).astype(int)
    half = confidence_sequence(looks, 1.0, planned=planned)
    plain = 0
    for _ in range(draws):
        means = np.cumsum(random.normal(size=planned))[looks - 1] / looks
        alarms += (np.abs(means) > half).any()
        plain += (np.abs(means) > 1.96 / np.sqrt(looks)).any()
    assert alarms / draws <= 0.06
    assert plain / draws > 0.2


def test_an_arm_of_one_is_refused():
    with pytest.raises(DataError, match="1 treated"):
        intention_to_treat([0, 1, 1], [1, 0, 0])
