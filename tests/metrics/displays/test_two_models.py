"""Several models on one pair of axes."""

import warnings

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from churnml.metrics.displays import (
    FifthsDisplay,
    GainsDisplay,
    ProfitDisplay,
    ReasonsDisplay,
    ReliabilityDisplay,
    SatisfactionDisplay,
    SurvivalDisplay,
    UpliftDisplay,
    WordOfMouthDisplay,
)
from churnml.metrics.displays.style import _chinese_fonts

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
    assert {"新模型", "model 2"} <= {name.split(":")[0] for name in names}
    assert one.ax_.get_title()
    plt.close(one.figure_)


def others(z):
    """The other displays: each drawn for one of two models."""
    random = np.random.default_rng(1)
    answers = np.clip(60 + 20 * z, 0, 100)
    left = np.where(z > 1, 1, -3)
    within = np.cumsum(np.full((z.size, 3), 0.1), axis=1) * (1 + (z > 0))[:, None]
    effects = random.normal(-0.02, 0.1, z.size)
    months = pd.date_range("2026-01-01", periods=5, freq="MS")
    curve = pd.DataFrame({"month": months, "score": 10.0, "low": 5.0, "high": 15.0})
    curve["change_point"] = False
    moved = pd.DataFrame({"套餐": z, "arpu": -z})
    return {
        "reasons": lambda name, ax: ReasonsDisplay.from_predictions(moved, name=name, ax=ax),
        "satisfaction": lambda name, ax: SatisfactionDisplay.from_predictions(
            answers, answers, interval=(answers - 9, answers + 9), name=name, ax=ax
        ),
        "survival": lambda name, ax: SurvivalDisplay.from_predictions(
            left, within, name=name, ax=ax
        ),
        "uplift": lambda name, ax: UpliftDisplay.from_scores(
            effects, z, draws=20, name=name, ax=ax
        ),
        "fifths": lambda name, ax: FifthsDisplay.from_scores(effects, z, name=name, ax=ax),
        "word of mouth": lambda name, ax: WordOfMouthDisplay.from_frame(curve).plot(ax, name=name),
    }


@pytest.mark.parametrize("kind", list(others(np.zeros(5))))
def test_every_display_has_a_title_and_tells_two_models_apart(kind):
    draw = others(np.random.default_rng(2).normal(size=300))[kind]
    with warnings.catch_warnings():
        # A character without a font is a warning.
        warnings.simplefilter("error" if _chinese_fonts() else "default")
        axes = draw("新模型", None).ax_
        alone = axes.get_title()
        colours = _drawn(axes)
        draw("旧模型", axes)
        axes.set_title(axes.get_title() + "流失")
        axes.figure.canvas.draw()
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert alone
    assert any("新模型" in name for name in names)
    assert any("旧模型" in name for name in names)
    assert len(names) == len(set(names))
    assert _drawn(axes) - colours
    plt.close(axes.figure)


def _drawn(axes):
    """Colour, marker and dashes of what is drawn."""
    return {(str(one.get_color()), one.get_marker(), one.get_linestyle()) for one in axes.lines}


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
