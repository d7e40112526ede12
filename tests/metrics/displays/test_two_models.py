"""Several models on one pair of axes."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

from churnml.metrics.displays import GainsDisplay, ProfitDisplay, ReliabilityDisplay

KINDS = [(GainsDisplay, {}), (ProfitDisplay, {"value": 500.0}), (ReliabilityDisplay, {})]


@pytest.fixture(scope="module")
def scored():
    random = np.random.default_rng(0)
    z = random.normal(size=500)
    p = 1 / (1 + np.exp(1 - z))
    return (random.random(500) < p).astype(int), p


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_models_on_one_axes_are_told_apart_under_a_title(kind, options, scored):
    y, p = scored
    one = kind.from_predictions(y, p, name="新模型", **options)
    other = kind.from_predictions(y, np.sqrt(p), ax=one.ax_, **options)
    assert one.line_.get_color() != other.line_.get_color()
    names = [text.get_text() for text in one.ax_.get_legend().get_texts()]
    assert len(names) == len(set(names))
    assert {"新模型", "model 2"} <= set(names)
    assert one.ax_.get_title()
    plt.close(one.figure_)


def test_a_title_of_ones_own_stays(scored):
    _, axes = plt.subplots()
    axes.set_title("mine")
    assert GainsDisplay.from_predictions(*scored, ax=axes).ax_.get_title() == "mine"
    plt.close(axes.figure)


def test_the_best_share_lies_on_the_line(scored):
    shown = ProfitDisplay.from_predictions(*scored, value=500.0)
    at, profit = shown.line_.get_data()
    best = shown.curve.best_share.value
    assert np.interp(best, at, profit) == shown.curve.maximum.value
    assert max(profit) == shown.curve.maximum.value
    plt.close(shown.figure_)
