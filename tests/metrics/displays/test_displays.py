"""Displays in scikit-learn's shape: made from predictions, drawn on given or new axes."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from churnml.errors import DataError
from churnml.metrics.displays import (
    GainsDisplay,
    GroupsDisplay,
    ProfitDisplay,
    ReasonsDisplay,
    ReliabilityDisplay,
    SatisfactionDisplay,
    SurvivalDisplay,
)
from tests.evaluation.broken import churn_rows, honest, satisfaction_rows


@pytest.fixture(autouse=True)
def _no_window():
    import matplotlib.pyplot as plt

    with mpl.rc_context():
        plt.switch_backend("Agg")
        yield
        plt.close("all")


def made():
    _, truth, y = churn_rows(1_000)
    _, level, answers = satisfaction_rows(500)
    contributions = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 3)), columns=list("abc"))
    return {
        "gains": lambda ax: GainsDisplay.from_predictions(y, honest(truth), ax=ax),
        "groups": lambda ax: GroupsDisplay.from_values(
            y, np.where(truth < 0.1, "low", "high"), ax=ax
        ),
        "profit": lambda ax: ProfitDisplay.from_predictions(y, truth, value=900.0, ax=ax),
        "reliability": lambda ax: ReliabilityDisplay.from_predictions(y, truth, ax=ax),
        "reasons": lambda ax: ReasonsDisplay.from_predictions(contributions, ax=ax),
        "satisfaction": lambda ax: SatisfactionDisplay.from_predictions(
            answers, level, interval=(level - 15, level + 15), ax=ax
        ),
        "survival": lambda ax: SurvivalDisplay.from_predictions(
            np.where(y == 1, 1, -2), np.c_[truth / 2, truth], ax=ax
        ),
    }


@pytest.mark.parametrize("name", list(made()))
def test_a_display_draws_on_given_axes_or_on_new_ones(name):
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    shown = made()[name](ax)
    assert shown.ax_ is ax
    assert shown.figure_ is figure
    assert ax.get_xlabel()
    again = shown.plot()
    assert again is shown
    assert again.figure_ is not figure
    figure.canvas.draw()
    again.figure_.canvas.draw()


def test_gains_find_whoever_has_one_score_together():
    shown = GainsDisplay.from_predictions([1, 0, 1, 0], [0.5, 0.5, 0.2, 0.1])
    assert shown.share.tolist() == [0, 0.5, 0.75, 1]
    assert shown.found.tolist() == [0, 0.5, 1, 1]


def test_answers_with_one_prediction_are_drawn_together():
    shown = SatisfactionDisplay.from_predictions([60, 70, 80, 90], [50, 50, 50, 70], bins=4)
    assert [(one.rows, one.observed) for one in shown.bins] == [(3, 70.0), (1, 90.0)]


def test_leavers_of_one_risk_are_drawn_together():
    within = np.array([[0.1, 0.2]] * 9 + [[0.5, 0.7]])
    shown = SurvivalDisplay.from_predictions([1, 2, *[-2] * 7, 1], within)
    assert [(curve.name, curve.observed[-1]) for curve in shown.curves] == [
        ("lower half", pytest.approx(2 / 9)),
        ("highest 5 %", 1.0),
    ]


def test_an_interval_is_of_customers_and_not_of_their_rows():
    random = np.random.default_rng(0)
    answers = random.uniform(40, 90, 200)
    once = SatisfactionDisplay.from_predictions(answers, answers, bins=2)
    twice = SatisfactionDisplay.from_predictions(
        np.tile(answers, 2), np.tile(answers, 2), groups=np.tile(np.arange(200), 2), bins=2
    )
    for one, two in zip(once.bins, twice.bins, strict=True):
        assert two.high - two.low == pytest.approx(one.high - one.low, rel=0.02)


def test_estimators_are_drawn_by_what_they_predict():
    class Told:
        def predict_proba(self, X):
            return np.column_stack([1 - X, X])

        def predict(self, X):
            return X

        def predict_interval(self, X):
            return X - 10, X + 10

        def explain(self, X):
            return pd.DataFrame({"one": X})

    p = np.array([0.1, 0.9, 0.2, 0.3])
    assert GainsDisplay.from_estimator(Told(), p, [0, 1, 0, 0]).found[1] == 1
    assert ReliabilityDisplay.from_estimator(Told(), p, [0, 1, 0, 0], bins=2).bins[0].rows == 2
    assert ProfitDisplay.from_estimator(Told(), p, [0, 1, 0, 0], value=900.0).curve.everybody < 70
    assert ReasonsDisplay.from_estimator(Told(), p).up["one"] == pytest.approx(p.mean())
    shown = SatisfactionDisplay.from_estimator(Told(), 100 * p, [20, 80, 30, 40], bins=1)
    assert shown.interval.tolist() == [[27.5, 47.5]]


def test_nothing_to_draw_is_refused():
    with pytest.raises(DataError, match="no contributions"):
        ReasonsDisplay.from_predictions(pd.DataFrame())
    with pytest.raises(DataError, match="shape"):
        SatisfactionDisplay.from_predictions([1.0], [1.0, 2.0])


def test_groups_have_counts_wilsons_intervals_and_the_order_of_tiers():
    tiers = ["gold"] * 100 + ["standard"] * 200 + ["diamond"] * 10 + [None]
    left = [1] * 50 + [0] * 50 + [1] * 20 + [0] * 190 + [1]
    shown = GroupsDisplay.from_values(left, tiers, names={"diamond": "钻石卡"}, title="离网率")
    assert list(shown.means.index) == ["standard", "gold", "钻石卡"]
    assert shown.means["n"].tolist() == [200, 100, 10]
    gold = shown.means.loc["gold"]
    # Wilson's interval of 50 of 100, to the printed digits.
    assert (gold["low"].round(3), gold["mean"], gold["high"].round(3)) == (0.404, 0.5, 0.596)
    assert shown.means.loc["钻石卡", "low"] == 0.0
    ticks = [text.get_text() for text in shown.ax_.get_yticklabels()]
    assert ticks == ["standard  (n = 200)", "gold  (n = 100)", "钻石卡  (n = 10)"]
    assert shown.ax_.get_title() == "离网率"
    assert shown.ax_.get_xlabel() == "%; 95 % interval, dashed: all"
    top, bottom = shown.ax_.get_ylim()
    assert top > bottom, "the first group stands on top"


def test_a_mean_of_points_has_the_interval_of_its_standard_error():
    points = np.random.default_rng(0).normal(70, 10, 400)
    shown = GroupsDisplay.from_values(points, np.repeat(["b", "a"], 200), order=["b", "a"])
    assert list(shown.means.index) == ["b", "a"]
    half = 1.96 * points[:200].std(ddof=1) / np.sqrt(200)
    assert shown.means.loc["b", "high"] == pytest.approx(points[:200].mean() + half, abs=1e-3)


def test_what_is_aimed_at_and_what_was_promised_are_drawn():
    means = pd.DataFrame({"mean": -0.01, "low": -0.03, "high": 0.01, "n": 900}, index=["data_pack"])
    about = {"percent": True, "dashed": "promised", "target": -0.02}
    shown = GroupsDisplay(means=means, whole=-0.025, **about).plot()
    drawn = [float(line.get_xdata()[0]) for line in shown.ax_.get_lines()]
    assert drawn == [-1.0, -2.5, -2.0, 0.0]
    assert "dashed: promised, orange: the target" in shown.ax_.get_xlabel()
