"""Challengers whose worth is known by construction, against champions of known worth."""

import numpy as np
import pandas as pd
import pytest

from churnml.config.settings import Config
from churnml.datasets.dataset import Dataset
from churnml.errors import DataError, SchemaError
from churnml.evaluation.contest import contest
from tests.evaluation.conftest import model, population

CONFIG = Config.model_validate({"promotion": {"draws": 100}})


def failed(verdict) -> set[tuple[str, str]]:
    return {(check.where, check.measure) for check in verdict.checks if not check.passed}


def test_a_clearly_better_challenger_passes(good, middling, unseen):
    verdict = contest(good, middling, unseen, CONFIG)
    assert verdict.passed, verdict.reasons
    auc = verdict.checks[0]
    assert (auc.measure, auc.reason) == ("auc", "better")
    assert 0 < auc.gain.low < auc.gain.value < auc.gain.high
    assert verdict.months == ("2026-03-01", "2026-04-01")
    assert (verdict.rows, verdict.positives) == (5_000, int(unseen.y.sum()))


def test_a_clearly_worse_challenger_is_refused_for_every_reason(useless, good, unseen):
    verdict = contest(useless, good, unseen, CONFIG)
    assert not verdict.passed
    assert {("all customers", name) for name in ("auc", "profit_maximum", "log_loss")} <= failed(
        verdict
    )
    assert ("brand senior", "auc") in failed(verdict)
    assert verdict.reasons[0].startswith("auc of all customers: worse")


def test_an_equal_challenger_passes(good, unseen):
    verdict = contest(good, good, unseen, CONFIG)
    assert verdict.passed
    assert {check.gain.value for check in verdict.checks} == {0.0}


def test_better_for_all_but_worse_for_the_elderly_is_refused(unfair, middling, unseen):
    verdict = contest(unfair, middling, unseen, CONFIG)
    everybody = [check for check in verdict.checks if check.where == "all customers"]
    # The others gain less in all than the elderly lose; both are told.
    slices = [check.where for check in verdict.checks if check.where != "all customers"]
    assert slices[0] == "brand senior"
    assert {("brand senior", "auc"), ("brand senior", "log_loss")} <= failed(verdict)
    assert not {where for where, _measure in failed(verdict)} & {"brand gotone", "brand mzone"}
    assert everybody[0].measure == "auc"


def test_another_operator_s_brands_for_the_elderly_come_first(good, middling, unseen):
    own = Config.model_validate({"brands": {"elderly": ["mzone"]}})
    verdict = contest(good, middling, unseen, own)
    slices = [check.where for check in verdict.checks if check.where != "all customers"]
    assert slices[0] == "brand mzone"
    others = unseen.rows(np.flatnonzero(unseen.X["lifecycle_brand"] != "mzone"))
    assert "No customer of the elderly brand" in contest(good, middling, others, own).notes[0]


def test_the_elderly_decide_although_all_customers_gain(unfair, middling, unseen):
    few = unseen.rows(
        np.flatnonzero((unseen.X["lifecycle_brand"] != "senior") | (np.arange(5_000) % 3 == 0))
    )
    verdict = contest(unfair, middling, few, CONFIG)
    assert {where for where, _measure in failed(verdict)} == {"brand senior"}
    assert verdict.checks[0].gain.low > 0


def test_a_slice_with_too_few_leavers_is_named_and_not_judged(good, middling, unseen):
    elderly = np.flatnonzero(unseen.X["lifecycle_brand"] == "senior")
    others = np.flatnonzero(unseen.X["lifecycle_brand"] != "senior")
    verdict = contest(good, middling, unseen.rows(np.r_[others, elderly[:60]]), CONFIG)
    assert "brand senior" not in {check.where for check in verdict.checks}
    (note,) = verdict.notes
    assert note.startswith("Fewer than 50 who left, not judged: brand senior (")


def test_without_elderly_customers_the_verdict_says_so(good, middling, unseen):
    others = unseen.rows(np.flatnonzero(unseen.X["lifecycle_brand"] != "senior"))
    assert "No customer of the elderly brand" in contest(good, middling, others, CONFIG).notes[0]


def test_too_few_leavers_to_tell_are_no_pass(good, unseen):
    with pytest.raises(DataError, match=r"who left: .*at least 50 expected"):
        contest(good, good, unseen.rows(np.arange(100)), CONFIG)


def test_a_column_that_the_source_lacks_is_told(good, middling, unseen):
    short = Dataset(
        X=unseen.X.drop(columns="general"), y=unseen.y, groups=unseen.groups, times=unseen.times
    )
    with pytest.raises(SchemaError, match="general"):
        contest(good, middling, short, CONFIG)


def test_rows_of_one_customer_are_drawn_together(good, middling):
    few = population(400, 5)
    many = Dataset(
        **{
            name: pd.concat([getattr(few, name)] * 6, ignore_index=True)
            for name in ("X", "y", "groups", "times")
        }
    )
    config = Config.model_validate({"promotion": {"min_positives": 20, "draws": 60}})
    once, again = (
        {(check.where, check.measure): check.gain for check in contest(*both, config).checks}
        for both in ((good, middling, few), (good, middling, many))
    )
    assert {where for where, _measure in once} > {"all customers"}
    for key, gain in once.items():
        assert again[key].value == pytest.approx(gain.value, abs=1e-9), key
        assert again[key].low == pytest.approx(gain.low, abs=1e-9), key


def answers(data: Dataset) -> Dataset:
    """The same customers with a satisfaction between 0 and 100."""
    random = np.random.default_rng(3)
    score = 70 - 12 * data.X["general"] + random.normal(0, 8, len(data.X))
    y = pd.Series(np.clip(score, 0, 100), name="score")
    return Dataset(X=data.X, y=y, groups=data.groups, times=data.times)


def test_satisfaction_is_judged_by_its_own_measures(taught, unseen):
    asked, test = answers(taught), answers(unseen)
    knows = model(asked, ["general"], "satisfaction")
    guesses = model(asked, ["luck"], "satisfaction")
    assert contest(knows, knows, test, CONFIG).passed
    assert contest(knows, guesses, test, CONFIG).passed
    verdict = contest(guesses, knows, test, CONFIG)
    assert {("all customers", name) for name in ("mae", "r2", "spearman")} <= failed(verdict)
    assert ("brand senior", "mae") in failed(verdict)


def test_the_same_contest_twice_gives_the_same_numbers(good, middling, unseen):
    first, second = (contest(good, middling, unseen, CONFIG).to_dict() for _ in range(2))
    assert first == second
