"""Each rule of the gate, on measures whose gains are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnml.config.settings import Promotion
from churnml.evaluation.contest_checks import Rule, churn_rules, judge
from churnml.metrics import churn_measures

SETTINGS = Promotion(draws=60)
RANKING = [Rule(measure="auc", better="more", margin=SETTINGS.auc_margin)]


def outcomes(rows: int, seed: int, middle: float = -1.5):
    """True log-odds, and who left."""
    random = np.random.default_rng(seed)
    odds = random.normal(middle, 1.2, rows)
    return odds, (random.random(rows) < chance(odds)).astype(float)


def chance(odds):
    return 1 / (1 + np.exp(-odds))


def checks(y, challenger, champion, rules=None):
    own, other = churn_measures(y, challenger), churn_measures(y, champion)
    found = judge(rules or churn_rules(SETTINGS, y.mean()), own, other, np.arange(len(y)), SETTINGS)
    return {check.measure: check for check in found}


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 5))
def test_whoever_scores_as_the_champion_passes_whatever_the_champion_is(seed, scale):
    odds, y = outcomes(300, seed)
    y[:2] = 0, 1
    p = chance(odds * scale)
    assert all(check.passed for check in checks(y, p, p).values())


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_a_gain_for_one_is_a_loss_for_the_other(seed):
    odds, y = outcomes(300, seed)
    y[:2] = 0, 1
    noisy = chance(odds + np.random.default_rng(seed + 1).normal(size=300))
    there, back = checks(y, noisy, chance(odds)), checks(y, chance(odds), noisy)
    for measure, check in there.items():
        assert check.gain.value == pytest.approx(-back[measure].gain.value, abs=1e-12)


def test_over_confidence_is_refused_although_the_ranking_is_the_same():
    odds, y = outcomes(8_000, 0)
    found = checks(y, chance(2.5 * odds), chance(odds))
    assert found["auc"].passed
    assert found["auc"].reason == "as good"
    for measure in ("log_loss", "calibration_slope", "calibration_error"):
        assert not found[measure].passed, measure
    assert found["calibration_slope"].reason == "outside 0.8 to 1.25, further than the champion"


def test_where_the_champion_is_out_of_bounds_too_the_nearer_one_passes():
    odds, y = outcomes(8_000, 0)
    worst, bad = chance(3 * odds), chance(2 * odds)
    assert checks(y, bad, worst)["calibration_slope"].passed
    assert not checks(y, worst, bad)["calibration_slope"].passed


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_probabilities_of_another_level_are_refused_at_a_rate_of_3_percent(factor):
    """Halved ones err by .015 for everybody, which no bound in points would see."""
    odds, y = outcomes(40_000, 2, middle=-4.0)
    assert y.mean() == pytest.approx(0.034, abs=0.005)
    found = checks(y, np.minimum(factor * chance(odds), 1), chance(odds))
    assert not found["predicted_to_observed"].passed
    assert found["predicted_to_observed"].challenger == pytest.approx(factor, rel=0.1)
    assert found["predicted_to_observed"].reason == "outside 0.8 to 1.25, further than the champion"
    assert found["calibration_error"].passed or factor == 2.0


def test_out_of_bounds_and_not_shown_nearer_than_the_champion_is_refused():
    """Two alike, both over-confident: one of them is a trifle nearer, by chance."""
    odds, y = outcomes(8_000, 3)
    one, other = (chance(2 * (odds + 0.3 * noise)) for noise in _noises(8_000))
    found = checks(y, one, other)["calibration_slope"], checks(y, other, one)["calibration_slope"]
    assert max(check.gain.value for check in found) > 0
    for check in found:
        assert not check.passed
        assert check.reason == "outside 0.8 to 1.25, not shown nearer than the champion"


def _noises(rows: int):
    random = np.random.default_rng(4)
    return random.normal(size=rows), random.normal(size=rows)


def test_a_log_loss_that_differs_by_less_than_the_tolerance_is_no_reason():
    odds, y = outcomes(60_000, 4)
    noise = np.random.default_rng(5).normal(size=60_000)
    loss = checks(y, chance(odds + 0.1 * noise), chance(odds))["log_loss"]
    assert loss.gain.high < 0
    assert loss.passed
    assert loss.reason.startswith("not shown worse by more than 0.0")
    more = checks(y, chance(odds + 0.5 * noise), chance(odds))["log_loss"]
    assert not more.passed


def test_a_loss_within_the_margin_passes_where_the_rows_suffice_to_say_so():
    odds, y = outcomes(60_000, 4)
    noise = np.random.default_rng(5).normal(size=60_000)
    slightly = checks(y, chance(odds + 0.1 * noise), chance(odds), RANKING)["auc"]
    assert slightly.gain.high < 0
    assert slightly.passed
    assert slightly.reason == "no loss above 0.01"
    more = checks(y, chance(odds + 0.6 * noise), chance(odds), RANKING)["auc"]
    assert not more.passed
    assert more.reason == "worse, perhaps by more than the margin of 0.01"


def test_too_few_rows_to_tell_are_called_so():
    odds, y = outcomes(250, 6)
    noise = np.random.default_rng(7).normal(size=250)
    one, other = chance(odds + 0.8 * noise), chance(odds - 0.8 * noise)
    unsure = checks(y, one, other, RANKING)["auc"]
    assert unsure.gain.low < -0.01 < unsure.gain.high
    assert not unsure.passed
    assert "0.01" in unsure.reason


def test_what_is_not_defined_for_the_challenger_is_no_pass():
    odds, y = outcomes(400, 1)
    rules = [Rule(measure="calibration_slope", better="near", bounds=(0.8, 1.25), aim=1.0)]
    flat = np.full(400, y.mean())
    assert not checks(y, flat, chance(odds), rules)["calibration_slope"].passed
    assert checks(y, chance(odds), flat, rules)["calibration_slope"].passed


@pytest.mark.slow
def test_how_often_the_gate_errs():
    """100 operators of 20,000 customers: equals pass, losers do not."""
    passed = {"equal": 0, "worse": 0}
    for seed in range(100):
        odds, y = outcomes(20_000, seed)
        random = np.random.default_rng(1_000 + seed)
        champion = chance(odds + 0.3 * random.normal(size=odds.size))
        for kind, noise in (("equal", 0.3), ("worse", 0.8)):
            challenger = chance(odds + noise * random.normal(size=odds.size))
            passed[kind] += checks(y, challenger, champion, RANKING)["auc"].passed
    assert passed["equal"] >= 90
    assert passed["worse"] == 0
