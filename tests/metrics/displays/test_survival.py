"""The figure of when customers leave, on curves that are known."""

import numpy as np
import pytest

from churnml.metrics.displays import SurvivalDisplay
from churnml.metrics.displays.style import page_axes


@pytest.fixture
def known():
    random = np.random.default_rng(0)
    hazard = random.choice([0.01, 0.03, 0.08, 0.2], 10_000, p=[0.5, 0.3, 0.15, 0.05])
    first = random.geometric(hazard)
    within = 1 - (1 - hazard[:, None]) ** np.arange(1, 7)
    return np.where(first <= 6, first, -6), within


def leaving_curves(outcome, within):
    return SurvivalDisplay.from_predictions(
        outcome, within, ax=page_axes("When customers leave")
    ).figure_


def test_lines_rise_through_the_dots_of_four_groups(known):
    outcome, within = known
    (axes,) = leaving_curves(outcome, within).axes
    drawn = [line.get_ydata() for line in axes.get_lines()]
    assert len(drawn) == 8
    for line, dots in zip(drawn[::2], drawn[1::2], strict=True):
        assert (np.diff(line) >= 0).all()
        assert np.allclose(line, dots, atol=0.04)
    assert [text.get_text() for text in axes.get_legend().get_texts()][-1] == "highest 5 %"
    assert "months" in axes.get_xlabel()


def test_only_months_that_everybody_was_seen_for_are_drawn(known):
    outcome, within = known
    short = np.where((outcome > 3) | (outcome < 0), -3, outcome)
    (axes,) = leaving_curves(short, within).axes
    assert axes.get_lines()[0].get_xdata().tolist() == [1, 2, 3]
