"""The share of leavers where it is all that has moved: known answers, and where nothing is told."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy.stats import norm

from churnml.base.dates import add_months
from churnml.config.monitoring import MonitorSettings
from churnml.models.histograms import Histograms, ScoreHistogram, psi_between
from churnml.monitoring.alarms import MonthSeen, raise_alarms
from churnml.monitoring.foretold import with_priors
from churnml.monitoring.outcomes import Realised
from churnml.monitoring.prior import estimate_prior, shifted_prior
from churnml.monitoring.result import MonitoredMonth

TRAINED = 0.03
FIRST = date(2025, 1, 1)


def by_steps(p, prior: float, steps: int) -> float:
    """The steps of Saerens and others, written down once more."""
    p = np.asarray(p)
    q = prior
    for _step in range(steps):
        left, stayed = p * q / prior, (1 - p) * (1 - q) / (1 - prior)
        q = float((left / (left + stayed)).mean())
    return q


def test_the_steps_of_saerens_end_where_the_likelihood_is_highest():
    p = [0.1, 0.2, 0.3, 0.8]
    assert [round(by_steps(p, 0.25, steps), 6) for steps in (1, 2, 10)] == [
        0.35,
        0.428729,
        0.645771,
    ]
    assert float(shifted_prior(p, 0.25)) == pytest.approx(0.684730, abs=1e-6)
    assert float(shifted_prior(p, 0.25)) == pytest.approx(by_steps(p, 0.25, 5000), abs=1e-6)
    assert float(shifted_prior(p, 0.25, [1, 1, 1, 1])) == pytest.approx(0.684730, abs=1e-6)


def scores(rate: float, rows: int = 200_000, seed: int = 0, moved: float = 0.0):
    """Exact probabilities, at 3 %, of leavers about 1 and stayers about 0; and who left."""
    rng = np.random.default_rng(seed)
    left = rng.random(rows) < rate
    x = rng.normal(left.astype(float) + moved, 1.0)
    likely = TRAINED * norm.pdf(x, 1), (1 - TRAINED) * norm.pdf(x, 0)
    return likely[0] / (likely[0] + likely[1]), left


EDGES = np.quantile(scores(TRAINED, seed=99)[0], np.linspace(0.02, 0.98, 49))


def histogram(p) -> ScoreHistogram:
    bins = np.searchsorted(EDGES, p)
    rows = np.bincount(bins, minlength=50)
    sums = np.bincount(bins, weights=p, minlength=50)
    there = np.flatnonzero(rows)
    return ScoreHistogram(
        edges=tuple(EDGES),
        bins=tuple(((int(at),), int(rows[at])) for at in there),
        means=tuple(sums[there] / rows[there]),
        mean=float(p.mean()),
        psi=psi_between(rows, np.full(50, 0.02)),
        shares=(0.02,) * 50,
    )


def test_a_doubled_share_of_leavers_is_told_though_the_mean_score_hardly_moves():
    held, told = 0, []
    for seed in range(12):
        before, was = scores(TRAINED, rows=20_000, seed=10 + seed)
        now, _left = scores(0.06, rows=20_000, seed=100 + seed)
        assert now.mean() < 0.036
        facts = {"since": FIRST, "left": int(was.sum())}
        one = estimate_prior(histogram(now), histogram(before), **facts)
        told.append(one.rate)
        held += one.low < 0.06 < one.high
    assert held >= 10
    assert np.mean(told) == pytest.approx(0.06, abs=0.006)


def test_a_share_that_stays_is_told_as_such():
    before, was = scores(TRAINED, seed=1)
    now, _left = scores(TRAINED, seed=5)
    told = estimate_prior(histogram(now), histogram(before), since=FIRST, left=int(was.sum()))
    assert told.low < TRAINED < told.high
    assert told.before == pytest.approx(before.mean())


def test_scores_that_no_share_explains_and_few_customers_tell_nothing():
    before, was = scores(TRAINED, seed=1)
    facts = {"since": FIRST, "left": int(was.sum())}
    # Everybody has moved, leavers and stayers alike: no mixture of the two as they were.
    moved, _left = scores(TRAINED, seed=3, moved=-0.5)
    assert estimate_prior(histogram(moved), histogram(before), **facts) is None
    few, _left = scores(0.06, rows=900, seed=4)
    assert estimate_prior(histogram(few), histogram(before), **facts) is None


def month(place: int, rate: float, fared: Realised | None, digest: str = "d") -> MonitoredMonth:
    day = add_months(FIRST, place)
    found = Histograms(
        task="churn",
        version="churn/1",
        digest=digest,
        learned_until="2024-12-01",
        customers=100_000,
        inputs={},
        scores=histogram(scores(rate, rows=50_000, seed=place)[0]),
    )
    return MonitoredMonth(
        as_of=day,
        rows=50_000,
        origin="scored",
        model="churn/1",
        histograms=found,
        realised=fared,
        estimated=None,
        known_from=add_months(day, 3),
    )


def realised(rate: float, predicted: float) -> Realised:
    spread = (predicted * (1 - predicted) * 50_000) ** 0.5
    return Realised(
        auc=0.75,
        low=0.74,
        high=0.76,
        rate=rate,
        predicted=predicted,
        rows=50_000,
        left=int(rate * 50_000),
        treated=0,
        slope=1.0,
        error=0.01,
        surprise=(rate - predicted) * 50_000 / spread,
    )


def year(shares: list[float], known: list[float]) -> list[MonitoredMonth]:
    """Months whose scores have these shares of leavers, and that many left of the first ones."""
    return [
        month(place, share, realised(known[place], TRAINED) if place < len(known) else None)
        for place, share in enumerate(shares)
    ]


def test_estimates_are_shown_where_the_last_known_month_came_true_and_only_there():
    settings = MonitorSettings()
    healthy = [TRAINED] * 6 + [0.06, 0.06]
    told, shown = with_priors(year(healthy, [TRAINED] * 5), settings)
    assert shown
    assert [one.prior is not None for one in told] == [False] * 3 + [True] * 5
    assert told[-1].prior.rate == pytest.approx(0.06, abs=0.012)
    assert told[-1].prior.since == add_months(FIRST, 4)
    # Twice as many left of the last known month as its scores had foretold.
    _told, shown = with_priors(year(healthy, [TRAINED] * 4 + [0.06]), settings)
    assert not shown
    # What is foretold by another model is not compared.
    other = [replace(one, histograms=replace(one.histograms, digest="e")) for one in told[-1:]]
    told, _shown = with_priors([*year(healthy, [TRAINED] * 5)[:-1], *other], settings)
    assert told[-1].prior is None


def priors_alarmed(shares: list[float], known: list[float]) -> list[list[tuple[str, str, str]]]:
    """The alarms of the share of leavers that each month raises, with what they say."""
    told, _shown = with_priors(year(shares, known), MonitorSettings())
    seen = [
        MonthSeen(
            as_of=one.as_of,
            known_from=one.known_from,
            histograms=one.histograms,
            realised=one.realised,
            prior=one.prior,
        )
        for one in told
    ]
    found = raise_alarms(seen, MonitorSettings())
    return [
        [(one.level, one.what_to_do("en"), one.what_to_do("zh")) for one in alarms]
        for alarms in (
            [alarm for alarm in found[month.as_of] if alarm.measure == "prior"] for month in seen
        )
    ]


def test_a_share_of_leavers_that_doubles_is_watched_in_its_second_month():
    *before, first, second = priors_alarmed([TRAINED] * 6 + [0.06, 0.06], [TRAINED] * 5)
    assert before == [[]] * 6
    assert first == []
    ((level, english, chinese),) = second
    assert level == "watch"
    # Whom it is compared with, and when it will be known, in both languages.
    for text in (english, chinese):
        assert add_months(FIRST, 4).isoformat() in text
        assert add_months(FIRST, 10).isoformat() in text


def test_a_share_that_halves_is_watched_and_one_that_stays_is_not():
    assert priors_alarmed([TRAINED] * 6 + [0.012, 0.012], [TRAINED] * 5)[-1]
    assert priors_alarmed([TRAINED] * 8, [TRAINED] * 5) == [[]] * 8
    # One month alone may be chance.
    assert priors_alarmed([TRAINED] * 7 + [0.06], [TRAINED] * 5)[-1] == []
