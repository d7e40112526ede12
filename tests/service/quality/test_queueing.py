"""Erlang's formulas to the printed digits, and days simulated with a peak."""

import math

import numpy as np
import pytest

from churnml.service.quality.queueing import (
    HallDay,
    Queue,
    erlang_a,
    erlang_b,
    erlang_c,
    half_hours,
    servers_needed,
    simulate_day,
    windows_needed,
)


def test_the_example_of_a_call_centre():
    # 100 calls in 30 minutes of 180 s, 80 % within 20 s.
    queue = Queue(rate=100 / 1800, service=180, servers=14)
    assert queue.load == pytest.approx(10)
    assert round(queue.waiting, 5) == 0.17413
    assert round(queue.within(20), 5) == 0.88835
    assert round(queue.mean_wait, 2) == 7.84
    assert round(queue.occupancy, 4) == 0.7143
    assert math.ceil(14 / (1 - 0.3)) == 20
    assert round(Queue(rate=100 / 1800, service=180, servers=13).within(20), 4) == 0.7956
    assert servers_needed(rate=100 / 1800, service=180, seconds=20, share=0.8) == 14


def test_a_larger_example():
    queue = Queue(rate=360 / 1800, service=240, servers=55)
    assert queue.load == pytest.approx(48)
    assert round(queue.waiting, 4) == 0.2387
    assert round(queue.mean_wait, 2) == 8.18
    assert round(queue.within(15), 4) == 0.8459


@pytest.mark.parametrize(("servers", "waiting"), [(21, 0.3959), (23, 0.1907)])
def test_eighteen_erlang(servers, waiting):
    assert round(erlang_c(servers, 18), 4) == waiting


def test_callers_who_hang_up():
    found = erlang_a(rate=48 / 60, service=60, servers=50, patience=120)
    assert round(found.abandoned, 4) == 0.0309
    assert round(found.mean_wait / 60, 4) == 0.0618
    assert round(found.waiting, 4) == 0.4678
    assert round(erlang_c(50, 48), 4) == 0.6945


def test_the_infinitely_patient_wait_as_erlang_c_says():
    patient = erlang_a(rate=8 / 60, service=60, servers=10, patience=1e6)
    assert patient.waiting == pytest.approx(erlang_c(10, 8), rel=1e-3)
    assert patient.abandoned < 1e-3


@pytest.mark.parametrize(
    ("an_hour", "minutes", "windows", "within", "one_less"),
    [
        (20, 6, 3, 0.916, None),
        (40, 6, 6, 0.990, 0.895),
        (60, 6, 8, 0.987, 0.884),
        (40, 8, 7, 0.949, None),
    ],
)
def test_windows_of_a_hall_in_a_steady_hour(an_hour, minutes, windows, within, one_less):
    rate, service = an_hour / 3600, minutes * 60
    assert servers_needed(rate=rate, service=service, seconds=600, share=0.9) == windows
    assert round(Queue(rate=rate, service=service, servers=windows).within(600), 3) == within
    if one_less:
        fewer = Queue(rate=rate, service=service, servers=windows - 1)
        assert round(fewer.within(600), 3) == one_less


def test_blocking_of_small_systems_by_hand():
    # One server: a / (1 + a); two: a^2/2 / (1 + a + a^2/2).
    assert erlang_b(1, 0.5) == pytest.approx(0.5 / 1.5)
    assert erlang_b(2, 1.0) == pytest.approx(0.5 / 2.5)


def test_an_overloaded_queue_is_unstable_and_its_wait_endless():
    queue = Queue(rate=1, service=10, servers=10)
    assert not queue.stable
    assert (queue.waiting, queue.mean_wait, queue.within(600)) == (1.0, math.inf, 0.0)


def test_a_simulated_day_without_end_agrees_with_erlang_c():
    rate, service, servers = 40 / 3600, 360.0, 6
    random = np.random.default_rng(0)
    day = HallDay(arrivals=np.full(48, rate * 1800), service=random.exponential(service, 20_000))
    moment, wait = simulate_day(day, servers=servers, days=150, seed=1)
    # The day begins empty; after some hours it is steady.
    steady = moment > 6 * 3600
    expected = Queue(rate=rate, service=float(day.service.mean()), servers=servers)
    assert (wait[steady] > 0).mean() == pytest.approx(expected.waiting, abs=0.02)
    assert (wait[steady] > 600).mean() == pytest.approx(1 - expected.within(600), abs=0.006)


def test_a_backlog_outlives_its_peak():
    hours = np.array([20.0, 25, 60, 60, 30, 20, 25, 45, 40, 20])
    arrivals = np.zeros(48)
    arrivals[16:36] = np.repeat(hours / 2, 2)
    day = HallDay(arrivals=arrivals, service=np.random.default_rng(2).exponential(360, 5_000))
    moment, wait = simulate_day(day, servers=5, days=100)
    quiet = (moment // 3600).astype(int) == 12
    told = 1 - Queue(rate=30 / 3600, service=360, servers=5).within(600)
    assert (wait[quiet] > 600).mean() > 3 * told
    windows, longer = windows_needed(day, days=100)
    assert longer <= 0.1
    assert (simulate_day(day, servers=windows - 1, days=100)[1] > 600).mean() > 0.1


def test_nobody_needs_no_window():
    assert windows_needed(HallDay(arrivals=np.zeros(48), service=np.array([300.0]))) == (0, 0.0)


def test_the_same_seed_gives_the_same_day():
    day = HallDay(arrivals=np.full(48, 2.0), service=np.array([100.0, 500.0]))
    first, again = (simulate_day(day, servers=2, days=5, seed=3) for _ in range(2))
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])


def test_half_hours_of_a_day():
    moments = [9 * 3600, 9 * 3600 + 1799, 9 * 3600 + 1800]
    assert half_hours(moments, [1, 1, 1])[18:20].tolist() == [2, 1]
