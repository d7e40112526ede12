"""Figures show the numbers they are given."""

import io
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from churnml.errors import DataError
from churnml.evaluation import churn_slices
from churnml.metrics.displays import GainsDisplay, ReliabilityDisplay, SatisfactionDisplay
from churnml.metrics.displays.balance import balance
from churnml.metrics.displays.importance import importance
from churnml.metrics.displays.slices import slices
from churnml.metrics.displays.style import page_axes


@pytest.fixture(scope="module")
def scored():
    random = np.random.default_rng(0)
    probability = random.beta(1, 9, 4000)
    return random.random(4000) < probability, probability


def gains(left, scores):
    return GainsDisplay.from_predictions(left, scores, ax=page_axes("Gains")).figure_


def calibration(left, probability):
    return ReliabilityDisplay.from_predictions(
        left, probability, ax=page_axes("Calibration")
    ).figure_


def drawn(figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def test_gains_rise_from_0_to_1_and_never_beat_perfection(scored):
    left, probability = scored
    figure = gains(left, probability)
    model, perfect, _ = figure.axes[0].get_lines()
    x, y = model.get_xdata(), model.get_ydata()
    assert (y[0], y[-1]) == (0, 1)
    assert (np.diff(y) >= 0).all()
    assert (y <= np.interp(x, perfect.get_xdata(), perfect.get_ydata()) + 1e-12).all()
    assert drawn(figure).startswith(b"\x89PNG")


def test_calibration_of_true_probabilities_lies_on_the_diagonal(scored):
    left, probability = scored
    figure = calibration(left, probability)
    points = figure.axes[0].get_lines()[1]
    assert np.abs(points.get_xdata() - points.get_ydata()).max() < 0.05
    (spans,) = figure.axes[0].collections
    inside = [
        low <= x <= high
        for x, ((_, low), (_, high)) in zip(points.get_xdata(), spans.get_segments(), strict=True)
    ]
    assert sum(inside) >= 8
    assert drawn(figure).startswith(b"\x89PNG")


def test_importance_shows_columns_and_sums_by_driver():
    values = {"arpu": 3.0, "complaints": 2.0, "calls": 1.0, "other one": 0.0}
    drivers = {"arpu": "value", "complaints": "network", "calls": "network"}
    columns, groups = importance(values, drivers).axes
    assert [label.get_text() for label in columns.get_yticklabels()][-1] == "arpu"
    widths = {
        label.get_text(): bar.get_width()
        for label, bar in zip(groups.get_yticklabels(), groups.patches, strict=True)
    }
    assert widths == pytest.approx({"value": 0.5, "network": 0.5, "other": 0.0})


def test_without_drivers_there_are_columns_only():
    figure = importance({"a$b$c": 1.0, "x" * 60: 0.5})
    assert len(figure.axes) == 1
    assert drawn(figure).startswith(b"\x89PNG")


def test_satisfaction_groups_lie_in_the_order_of_their_prediction():
    random = np.random.default_rng(0)
    predicted = random.uniform(40, 90, 2000)
    actual = np.clip(predicted + random.normal(0, 10, 2000), 0, 100)
    figure = SatisfactionDisplay.from_predictions(
        actual, predicted, ax=page_axes("Satisfaction")
    ).figure_
    mean = figure.axes[0].get_lines()[1]
    assert np.abs(mean.get_xdata() - mean.get_ydata()).max() < 3
    assert drawn(figure).startswith(b"\x89PNG")


@pytest.mark.parametrize("draw", [gains, calibration])
def test_a_single_customer_can_be_drawn(draw):
    assert drawn(draw([1], [0.5])).startswith(b"\x89PNG")


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(DataError, match="shape"):
        gains([1, 0], [0.5])


def test_pyplot_and_its_windows_are_not_touched():
    script = (
        "import sys\nfrom churnml.metrics.displays import GainsDisplay\n"
        "from churnml.metrics.displays.style import page_axes\n"
        "assert 'matplotlib' not in sys.modules\n"
        "GainsDisplay.from_predictions([0, 1], [0.1, 0.2], ax=page_axes('Gains'))\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_driver_has_one_colour_whatever_its_rank():
    drivers = {"arpu": "value", "calls": "network"}

    def colours(values):
        groups = importance(values, drivers).axes[1]
        labels = [label.get_text() for label in groups.get_yticklabels()]
        return dict(zip(labels, [bar.get_facecolor() for bar in groups.patches], strict=True))

    found = colours({"arpu": 3.0, "calls": 1.0})
    assert found == colours({"arpu": 1.0, "calls": 3.0})
    assert found["value"] != found["network"]


def test_balance_shows_the_largest_differences_above_and_names_levels():
    table = pd.DataFrame(
        {
            "feature": ["debt", "age", "brand", "arpu"],
            "level": [None, None, "老年", None],
            "known": [0.01, 0.9, 1.0, 1.0],
            "before": [0.5, 0.4, -0.2, 0.05],
            "after": [0.6, 0.05, -0.02, 0.01],
        }
    )
    (axes,) = balance(table, top=2).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["brand = 老年", "age"]
    before, after = axes.get_lines()[:2]
    assert before.get_xdata().tolist() == [-0.2, 0.4]
    assert after.get_xdata().tolist() == [-0.02, 0.05]


def test_slices_show_their_intervals_and_mark_the_worse():
    table = pd.DataFrame({"brand": np.repeat(["senior", "gotone"], 1_000)})
    random = np.random.default_rng(0)
    p = random.uniform(0, 0.6, 2_000)
    y = random.random(2_000) < p
    told = np.where(table["brand"] == "senior", random.permutation(p), p)
    found = churn_slices(table, y, told, draws=20)
    (axes,) = slices(found, "auc", "AUC").axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "brand = gotone",
        "brand = senior",
    ]
    assert [line.get_marker() for line in axes.get_lines()] == ["o", "D"]
    spans = [span.get_segments()[0][:, 0].tolist() for span in axes.collections]
    assert spans == [[one.metrics["auc"].low, one.metrics["auc"].high] for one in found[::-1]]
    assert axes.get_xlabel() == "AUC, 95 % interval"
