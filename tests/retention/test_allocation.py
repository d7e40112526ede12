"""Who gets which offer within limits: known answers, limits kept, never above the optimum."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from churnml.errors import DataError, UsageError
from churnml.retention.allocation import allocate

GAIN, COST = [[30, 10], [40, 50], [10, 55]], [[3, 6]] * 3


def draw(seed, customers=None):
    random = np.random.default_rng(seed)
    n = customers or int(random.integers(20, 150))
    offers = int(random.integers(1, 5))
    cost = random.uniform(5, 180, (n, offers))
    gain = random.normal(0, 60, (n, offers)) + 0.3 * cost
    limits = {"budget": float(random.uniform(0.05, 0.4) * cost.sum() / offers)}
    if seed % 2:
        limits["contacts"] = int(n * 0.3)
    if seed % 3 == 0:
        limits |= {
            "segment": random.integers(0, 3, n),
            "most": [n * 0.15] * 3,
            "least": [2, 0, 1],
        }
    return gain, cost, limits


@pytest.mark.parametrize("method", ["exact", "dual"])
def test_alice_bob_and_eve(method):
    found = allocate(GAIN, COST, budget=15, method=method)
    assert found.offer.tolist() == [0, 1, 1]
    assert (found.spent, found.value) == (15.0, 135.0)


def test_a_cheaper_offer_is_a_stage_and_no_second_offer():
    found = allocate(GAIN, COST, budget=12)
    assert found.offer.tolist() == [0, 0, 1]
    assert (found.spent, found.value) == (12.0, 125.0)
    assert allocate(GAIN, COST, budget=0).offer.tolist() == [-1, -1, -1]


@pytest.mark.parametrize("seed", range(40))
def test_never_above_the_optimum_and_within_every_limit(seed):
    gain, cost, limits = draw(seed)
    best = allocate(gain, cost, method="exact", **limits)
    ours = allocate(gain, cost, method="dual", **limits)
    for found in (best, ours):
        who = np.flatnonzero(found.offer >= 0)
        assert (gain[who, found.offer[who]] > 0).all()
        assert cost[who, found.offer[who]].sum() <= limits["budget"] + 1e-9
        assert len(who) <= limits.get("contacts", np.inf)
        if "segment" in limits:
            inside = np.bincount(limits["segment"][who], minlength=3)
            assert (inside <= limits["most"]).all()
            assert (inside >= limits["least"]).all()
        assert found.value <= found.bound + 1e-6
        assert found.price >= 0
    assert ours.value <= best.value + 1e-6 <= ours.bound + 2e-6
    assert ours.value >= 0.995 * best.value
    assert best.method == "HiGHS"


def draw_many(seed, customers):
    """Five offers as campaigns have them, and limits of every kind that all bind."""
    random = np.random.default_rng(seed)
    base = np.array([25, 60, 180, 5, 100.0])
    cost = base * random.uniform(0.9, 1.1, (customers, 5))
    gain = random.normal(-10, 40, (customers, 5)) + 0.4 * base * random.normal(
        0.3, 1, (customers, 1)
    )
    limits = {
        "budget": 3.0 * customers,
        "contacts": customers // 20,
        "segment": random.choice(12, customers, p=np.arange(1, 13) / 78),
        "most": [customers // 185] * 12,
        "least": [customers // 300] * 12,
    }
    return gain, cost, limits


def check_limits(found, gain, cost, limits):
    who = np.flatnonzero(found.offer >= 0)
    inside = np.bincount(limits["segment"][who], minlength=12)
    assert (gain[who, found.offer[who]] > 0).all()
    assert cost[who, found.offer[who]].sum() <= limits["budget"] + 1e-6
    assert len(who) <= limits["contacts"]
    assert (inside <= limits["most"]).all()
    assert (inside >= limits["least"]).all()


@pytest.mark.parametrize(
    ("customers", "most"),
    [(20_000, 0.0005), pytest.param(100_000, 0.0001, marks=pytest.mark.slow)],
)
def test_the_certificate_is_close_for_many(customers, most):
    gain, cost, limits = draw_many(1, customers)
    alone = allocate(gain, cost, budget=limits["budget"])
    fixed = np.broadcast_to(np.array([25, 60, 180, 5, 100.0]), cost.shape)
    listed = allocate(gain, fixed, budget=limits["budget"], contacts=limits["contacts"])
    found = allocate(gain, cost, **limits)
    for one in (alone, listed, found):
        assert one.method == "dual"
        assert 0 <= one.bound - one.value <= most * one.bound
    check_limits(found, gain, cost, limits)
    assert {"budget", "contacts", "segment 11"} <= set(found.binding)
    assert alone.binding == ["budget"]
    assert found.segment_price[0] < 0 < found.segment_price[11]


def test_the_bound_is_that_of_the_relaxed_problem():
    """An independent oracle: the linear programme, in which customers may be shared out."""
    gain, cost, limits = draw_many(2, 2_000)
    found = allocate(gain, cost, method="dual", **limits)
    who, offer = np.nonzero(gain > 0)
    variables = np.arange(len(who))
    each = csr_array((np.ones(len(who)), (who, variables)), shape=(len(gain), len(who)))
    inside = csr_array((np.ones(len(who)), (limits["segment"][who], variables)))
    relaxed = linprog(
        -gain[who, offer],
        A_ub=vstack([each, cost[who, offer][None], np.ones((1, len(who))), inside, -inside]),
        b_ub=np.concatenate(
            [
                np.ones(len(gain)),
                [limits["budget"], limits["contacts"]],
                limits["most"],
                -np.array(limits["least"]),
            ]
        ),
        method="highs",
    )
    assert -relaxed.fun <= found.bound * (1 + 1e-9)
    assert found.bound == pytest.approx(-relaxed.fun, rel=2e-5)
    assert found.price == pytest.approx(-relaxed.ineqlin.marginals[len(gain)], rel=0.05)


def test_more_money_is_worth_more_and_each_time_less():
    gain, cost, _ = draw_many(3, 8_000)
    budgets = np.arange(1, 7) * 4_000.0
    found = [allocate(gain, cost, budget=one, contacts=400) for one in budgets]
    values, prices = np.array([one.value for one in found]), [one.price for one in found]
    steps = np.diff(np.r_[0.0, values])
    assert (steps > 0).all()
    assert (np.diff(steps) < 0).all()
    assert prices == sorted(prices, reverse=True)
    # The price of the last yuan lies between what the last step and the next one bring.
    for at in range(len(budgets) - 1):
        assert steps[at + 1] / 4_000 - 0.01 <= prices[at] <= steps[at] / 4_000 + 0.01


@pytest.mark.slow
def test_a_million_customers():
    """Two gibibytes and a minute of processor time, both of a process of its own."""
    script = (
        "import resource, sys; from tests.retention.test_allocation import draw_many, allocate\n"
        "gain, cost, limits = draw_many(0, 1_000_000); found = allocate(gain, cost, **limits)\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print((found.bound - found.value) / found.bound, used.ru_utime + used.ru_stime, "
        "used.ru_maxrss / 2**20)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    gap, seconds, gibibytes = map(float, told.stdout.split())
    print(f"gap {gap:.2e}, {seconds:.0f} s, {gibibytes:.2f} GiB")
    assert 0 <= gap <= 0.0001
    assert seconds <= 60
    assert gibibytes <= 2


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_more_money_never_brings_less(seed):
    gain, cost, _ = draw(seed, customers=25)
    values = [allocate(gain, cost, budget=one).value for one in (0, 50, 150, 400, 1e6)]
    assert values == sorted(values)


def test_the_order_of_customers_changes_nothing():
    gain, cost, limits = draw(4)
    order = np.random.default_rng(0).permutation(len(gain))
    one, other = (
        allocate(gain, cost, **limits),
        allocate(gain[order], cost[order], **limits),
    )
    assert np.array_equal(one.offer[order], other.offer)


def test_others_by_the_same_prices():
    gain, cost, _ = draw(2)
    found = allocate(gain, cost, budget=300)
    same = found.would_get(gain, cost, np.zeros(len(gain), int))
    assert (same == found.offer).mean() > 0.95


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"budget": -1}, "budget is -1"),
        ({"contacts": -1}, "contacts is -1"),
        ({"segment": [0, 0, 0], "least": [3], "most": [1]}, "cannot be kept"),
        ({"segment": [0, 0, 0], "least": [3], "contacts": 2}, "3 customers together, and the con"),
        ({"segment": [0, 0, 0], "least": [3], "budget": 8}, "costs 9 yuan or more; the budget is"),
    ],
)
def test_limits_that_cannot_be_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        allocate(GAIN, COST, **options)


def test_least_numbers_are_kept_where_money_barely_reaches():
    random = np.random.default_rng(0)
    cost, segment = random.uniform(5, 100, (400, 3)), np.arange(400) % 4
    gain = 5 * cost
    cheapest = np.sort(cost.min(axis=1)[segment == 2])[:30].sum()
    found = allocate(
        gain, cost, budget=cheapest + 1, segment=segment, least=[0, 0, 30, 0], method="dual"
    )
    assert (segment[found.offer >= 0] == 2).sum() >= 30
    assert found.spent <= cheapest + 1


def test_numbers_that_cannot_be_are_refused():
    with pytest.raises(DataError, match="below 0"):
        allocate(GAIN, [[-1, 6]] * 3)
    with pytest.raises(DataError, match="missing"):
        allocate([[np.nan, 1]], [[1, 1]])
    with pytest.raises(DataError, match="shape"):
        allocate(GAIN, [[1], [1], [1]])


def test_nothing_is_printed(capfd):
    for seed in range(8):
        gain, cost, limits = draw(seed)
        allocate(gain, cost, method="exact", **limits)
    assert capfd.readouterr().out == ""


def test_nobody_to_choose_from():
    found = allocate(np.zeros((0, 2)), np.zeros((0, 2)), budget=10)
    assert (found.value, found.contacts) == (0.0, 0)
    assert allocate([[-1.0, -2.0]], [[1, 1]], budget=10).offer.tolist() == [-1]
