"""Intervals to the printed digits, and against what made them."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from churnml.metrics.intervals import wilson
from churnml.service.quality.intervals import net_promoters, rate, ratio, survival_quantile


def tallied(top, bottom, cluster):
    sums = pd.DataFrame({"t": top, "b": bottom, "c": cluster}).astype(float).groupby("c").sum()
    return pd.DataFrame(
        {
            "top": [sums["t"].sum()],
            "bottom": [sums["b"].sum()],
            "clusters": [len(sums)],
            "top2": [(sums["t"] ** 2).sum()],
            "cross": [(sums["t"] * sums["b"]).sum()],
            "bottom2": [(sums["b"] ** 2).sum()],
        }
    )


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"), [(791, 1000, 0.76471, 0.81506), (9, 10, 0.59585, 0.98212)]
)
def test_a_share_of_independent_rows_is_wilsons(hits, of, low, high):
    rows = np.arange(of)
    found = ratio(tallied(rows < hits, np.ones(of), rows), share=True)
    assert (round(float(found.low[0]), 5), round(float(found.high[0]), 5)) == (low, high)
    assert tuple(round(float(end), 5) for end in wilson(hits / of, of)) == (low, high)


def test_rows_of_one_cluster_count_for_less():
    hits = np.repeat([1.0, 0.0], 500)
    alone = ratio(tallied(hits, np.ones(1000), np.arange(1000)), share=True)
    tens = ratio(tallied(hits, np.ones(1000), np.arange(1000) // 10), share=True)
    wider = (tens.high[0] - tens.low[0]) / (alone.high[0] - alone.low[0])
    assert wider == pytest.approx(np.sqrt(10), rel=0.03)


def test_a_mean_of_independent_rows_has_students_interval():
    values = np.random.default_rng(0).normal(70, 15, 40)
    found = ratio(tallied(values, np.ones(40), np.arange(40)), share=False)
    expected = stats.t.interval(0.95, 39, values.mean(), stats.sem(values))
    assert (found.low[0], found.high[0]) == pytest.approx(expected)


def test_a_share_that_nobody_has_is_no_certainty():
    found = ratio(tallied(np.zeros(50), np.ones(50), np.arange(50)), share=True)
    assert (found.value[0], found.low[0]) == (0, 0)
    assert 0.06 < found.high[0] < 0.08


def test_promoters_less_detractors():
    found = net_promoters(40, 35, 100)
    assert float(found.value) == pytest.approx(5.0)
    middle, half = float(found.high + found.low) / 2, float(found.high - found.low) / 2
    assert (round(middle, 2), round(half, 2)) == (4.85, 16.62)


def test_few_answers_are_covered_where_wald_fails():
    random = np.random.default_rng(1)
    truth = 100 * (0.70 - 0.05)
    drawn = random.multinomial(10, [0.70, 0.25, 0.05], size=4000)
    found = net_promoters(drawn[:, 0], drawn[:, 2], 10)
    covered = ((found.low <= truth) & (truth <= found.high)).mean()
    p, d = drawn[:, 0] / 10, drawn[:, 2] / 10
    half = 196 * np.sqrt((p + d - (p - d) ** 2) / 10)
    plain = (abs(100 * (p - d) - truth) <= half).mean()
    assert covered == pytest.approx(0.950, abs=0.015)
    assert plain == pytest.approx(0.857, abs=0.02)


def test_nobody_answering_has_no_score():
    found = net_promoters(0, 0, 0)
    assert np.isnan([found.value, found.low, found.high]).all()


def test_a_rate_has_the_exact_poisson_interval():
    found = rate([0, 10], [2000.0, 2000.0], per=1000)
    assert found.value.tolist() == [0.0, 5.0]
    # 0 events: up to -log(0.025); 10: the chi-squared quantiles of tables.
    assert found.high[0] * 2 == pytest.approx(3.6889, abs=1e-4)
    assert [found.low[1] * 2, found.high[1] * 2] == pytest.approx([4.7954, 18.3904], abs=1e-4)


def test_a_wait_given_up_was_at_least_so_long():
    times, answered, given_up = [5.0, 10.0, 60.0], [40, 20, 10], [0, 30, 0]
    # Of the answered alone the 75th percentile is 10; of all it cannot be below 60.
    assert np.quantile(np.repeat(times, answered), 0.75) == 10
    value, low, high = survival_quantile(times, answered, given_up, 0.75)
    assert value == 60
    assert low <= value <= high


def test_without_anything_given_up_it_is_the_plain_quantile():
    waits = np.sort(np.random.default_rng(3).exponential(40, 400).round())
    times, counts = np.unique(waits, return_counts=True)
    value, low, high = survival_quantile(times, counts, np.zeros(len(times)), 0.5)
    assert value == np.quantile(waits, 0.5, method="inverted_cdf")
    assert low < value < high


def test_a_quantile_that_was_never_reached_is_not_told():
    value, _low, high = survival_quantile([10.0, 20.0], [1, 0], [0, 9], 0.5)
    assert np.isnan(value)
    assert np.isinf(high)


def test_the_medians_interval_covers():
    random = np.random.default_rng(5)
    truth, covered = 40 * np.log(2), 0
    for _draw in range(200):
        wait, patience = random.exponential(40, 120), random.exponential(90, 120)
        time, ended = np.minimum(wait, patience), wait <= patience
        order = np.argsort(time)
        _value, low, high = survival_quantile(time[order], ended[order], ~ended[order], 0.5)
        covered += low <= truth <= high
    assert 0.91 <= covered / 200 <= 0.99
