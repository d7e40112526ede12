"""Drift against the profile: what is chance, what is a shift, and what months do by nature."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnml.estimators.encoding.frames import read_column
from churnml.models.drift import binned as bins_of
from churnml.models.drift import (
    counted,
    describe_drift,
    drift_by_month,
    exceeds,
    measure_drift,
    profiled,
    summed,
)
from churnml.models.model import InputColumn

ROWS, LIMIT = 20_000, 0.75


def profile(values, *, times=None, name="x"):
    """A column's profile, as a bundle keeps it."""
    series = pd.Series(values)
    read = read_column(series)
    if read.kind == "number":
        present = read.numbers[~np.isnan(read.numbers)].astype(float)
        knots = tuple(np.quantile(present, np.linspace(0.05, 0.95, 19)).tolist())
        column = InputColumn(
            name=name, kind="number", missing=float(series.isna().mean()), knots=knots
        )
    else:
        levels = series.value_counts(normalize=True, dropna=False)
        column = InputColumn(
            name=name, kind="category", levels={k: v for k, v in levels.items() if pd.notna(k)}
        )
    own = profiled(column, bins_of(column, read), times)
    return InputColumn(
        name=column.name,
        kind=column.kind,
        missing=column.missing,
        knots=column.knots,
        levels=column.levels,
        **own,
    )


def drift(column, values):
    (counts,) = counted([column], pd.DataFrame({column.name: values})).values()
    return measure_drift(column, counts, ROWS)


@pytest.fixture(scope="module")
def random():
    return np.random.default_rng(3)


SHAPES = {
    "normal": lambda r, n: r.normal(50, 10, n),
    "skewed": lambda r, n: r.lognormal(4, 0.8, n),
    "counts": lambda r, n: r.poisson(0.4, n).astype(float),
    "rare": lambda r, n: (r.random(n) < 0.03) * r.integers(1, 9, n) * 1.0,
    "days": lambda r, n: np.minimum(r.poisson(29, n), 31).astype(float),
    "gaps": lambda r, n: np.where(r.random(n) < 0.3, np.nan, r.normal(0, 1, n)),
    "text": lambda r, n: r.choice(["a", "b", "c", "d"], n, p=[0.5, 0.3, 0.15, 0.05]),
    "towns": lambda r, n: np.array([f"town {at}" for at in r.integers(0, 400, n)]),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", [1, 5, 30, 200, 3_000, 30_000])
def test_more_of_the_same_drifts_nowhere(random, shape, rows):
    column = profile(SHAPES[shape](random, ROWS))

    for _again in range(5):
        assert drift(column, SHAPES[shape](random, rows)).value < 0.1


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 2_000))
def test_chance_alone_never_trips(seed, rows):
    random = np.random.default_rng(seed)
    column = profile(random.normal(0, 1, 2_000))
    (counts,) = counted([column], pd.DataFrame({"x": random.normal(0, 1, rows)})).values()

    assert not exceeds(column, measure_drift(column, counts, 2_000), LIMIT)


@pytest.mark.parametrize("shape", ["normal", "skewed", "days"])
@pytest.mark.parametrize(
    "spoil",
    [lambda x: x * 100, lambda x: x / 100, lambda x: x * 0 + np.median(x), lambda x: x * np.nan],
    ids=["larger unit", "smaller unit", "frozen", "empty"],
)
def test_another_unit_a_frozen_or_an_empty_column_trips(random, shape, spoil):
    column = profile(SHAPES[shape](random, ROWS))

    assert exceeds(column, drift(column, spoil(SHAPES[shape](random, 1_000))), LIMIT)


def test_a_shift_by_a_spread_and_more_trips_and_half_of_one_does_not(random):
    column = profile(random.normal(0, 1, ROWS))

    assert exceeds(column, drift(column, random.normal(1.2, 1, 5_000)), LIMIT)
    assert 0.1 < drift(column, random.normal(0.5, 1, 5_000)).value < 0.4


def test_a_february_and_a_rare_event_that_doubles_are_no_drift(random):
    days = profile(SHAPES["days"](random, ROWS))
    rare = profile(SHAPES["rare"](random, ROWS))
    twice = (random.random(9_000) < 0.06) * random.integers(1, 9, 9_000) * 1.0

    assert not exceeds(days, drift(days, np.minimum(SHAPES["days"](random, 9_000), 28)), LIMIT)
    assert not exceeds(rare, drift(rare, twice), LIMIT)


def test_values_that_go_missing_are_drift(random):
    column = profile(random.normal(0, 1, ROWS))
    lost = np.where(random.random(2_000) < 0.6, np.nan, random.normal(0, 1, 2_000))
    found = drift(column, lost)

    assert exceeds(column, found, LIMIT)
    (counts,) = counted([column], pd.DataFrame({"x": lost})).values()
    assert "of them, in training in 0.0%" in describe_drift(column, found, counts, LIMIT)


def test_other_shares_of_categories_are_drift(random):
    column = profile(SHAPES["text"](random, ROWS))

    assert exceeds(column, drift(column, ["d"] * 500), LIMIT)
    assert exceeds(column, drift(column, ["new"] * 500), LIMIT)
    assert not exceeds(column, drift(column, ["a"] * 300 + ["b"] * 130 + ["c"] * 70), LIMIT)


def test_what_is_wrong_is_told_with_both_medians(random):
    column = profile(random.normal(50, 10, ROWS))
    (counts,) = counted([column], pd.DataFrame({"x": random.normal(5000, 10, 700)})).values()
    sentence = describe_drift(column, measure_drift(column, counts, ROWS), counts, LIMIT)

    assert sentence.startswith("x: 700 rows differ from those of training by drift ")
    median = float(np.median(column.knots))
    assert f"the median was {median:g} and is above {column.knots[-1]:g}." in sentence


def test_the_calendar_does_not_drift(random):
    times = np.repeat([date(2026, month, 1) for month in range(1, 6)], 400)
    month = profile(np.repeat(np.arange(1.0, 6.0), 400), times=times)

    assert month.shares == ()
    assert counted([month], pd.DataFrame({"x": [6.0]})) == {}


def test_too_few_months_tell_nothing_of_the_usual(random):
    times = np.repeat([date(2026, 1, 1), date(2026, 2, 1)], 500)

    assert profile(random.normal(0, 1, 1_000), times=times).shares == ()


def test_what_moves_every_month_may_move_on(random):
    times = np.repeat([date(2026, month, 1) for month in range(1, 7)], 2_000)
    pulls = np.repeat([0.0, 3.0, 0.0, 3.0, 0.0, 3.0], 2_000)
    column = profile(random.normal(pulls, 1), times=times)
    still = profile(random.normal(0, 1, 12_000), times=times)
    later = random.normal(3, 1, 2_000)

    assert column.usual > 0.3
    assert not exceeds(column, drift(column, later), LIMIT)
    assert still.usual < 0.05
    assert exceeds(still, drift(still, later), LIMIT)


def test_a_record_that_grows_month_by_month_may_grow_on(random):
    """Days since something that half the customers have had once, as far back as is recorded."""
    months = [date(2026, month, 1) for month in range(1, 9)]
    depths = np.arange(90, 90 + 30 * len(months), 30)
    days = np.concatenate([random.uniform(0, depth, 1_000) for depth in depths])
    column = profile(days, times=np.repeat(months, 1_000))

    assert not exceeds(column, drift(column, random.uniform(0, 420, 1_000)), LIMIT)
    assert exceeds(column, drift(column, random.uniform(0, 24 * 420, 1_000)), LIMIT)


def test_as_many_missing_values_as_some_training_date_had_are_no_drift(random):
    """A change over six months is unknown to all until the record is as long."""
    months = [date(2026, month, 1) for month in range(1, 9)]
    known = [0.0, 0.0, 0.0, 0.0, 0.0, 0.9, 0.9, 0.95]
    values = np.where(
        random.random(8_000) < np.repeat(known, 1_000), random.normal(0, 1, 8_000), np.nan
    )
    column = profile(values, times=np.repeat(months, 1_000))
    full = np.where(random.random(1_000) < 0.92, random.normal(0, 1, 1_000), np.nan)

    assert column.missing > 0.6
    assert not exceeds(column, drift(column, full), LIMIT)
    assert exceeds(column, drift(column, full + 3), LIMIT)
    dense = np.where(random.random(8_000) < 0.9, random.normal(0, 1, 8_000), np.nan)
    always = profile(dense, times=np.repeat(months, 1_000))
    assert exceeds(always, drift(always, full * np.nan), LIMIT)


def test_counts_of_batches_are_those_of_the_whole(random):
    column, town = (
        profile(random.normal(0, 1, ROWS)),
        profile(SHAPES["text"](random, ROWS), name="t"),
    )
    rows = pd.DataFrame({"x": random.normal(0, 1, 1_000), "t": SHAPES["text"](random, 1_000)})
    rows.loc[::9, "x"] = np.nan

    whole = counted([column, town], rows)
    for size in (1, 7, 999):
        parts = [counted([column, town], rows.iloc[at : at + size]) for at in range(0, 1_000, size)]
        assert summed(parts) == whole
    assert sum(whole["x"]) == sum(whole["t"]) == 1_000


def test_the_table_has_every_feature_at_every_date(random):
    days = [date(2026, month, 1) for month in (1, 2, 3)]
    times = np.repeat(days, 500)
    X = pd.DataFrame({"x": random.normal(0, 1, 1_500), "t": SHAPES["text"](random, 1_500)})
    columns = [profile(X["x"]), profile(X["t"], name="t")]
    X.loc[1_000:, "x"] += 3

    table = drift_by_month(columns, X, times, 1_500)

    assert table[["feature", "as_of", "rows"]].to_numpy().tolist() == [
        [name, str(day), 500] for name in ("t", "x") for day in days
    ]
    assert (table["drift"] > LIMIT).tolist() == [False] * 5 + [True]
    assert table.loc[table["feature"] == "t", "shift"].isna().all()


def test_no_rows_and_profiles_of_before_drift_nowhere():
    column = profile(np.arange(100.0))

    assert measure_drift(column, [0] * len(column.shares), 100).value == 0
    assert (
        counted(
            [InputColumn(name="x", kind="number", knots=(1.0, 2.0))], pd.DataFrame({"x": [9.0]})
        )
        == {}
    )


def test_a_column_whose_present_values_are_all_alike_moves_only_in_what_is_missing():
    for column in (
        InputColumn(name="hall", kind="category", levels={"a": 1.0}, shares=(1 / 2, 1 / 2)),
        InputColumn(name="count", kind="number", knots=(), shares=(1 / 2, 1 / 2)),
    ):
        assert measure_drift(column, [50, 50], 1_000).value == 0.0
        assert measure_drift(column, [1_000, 0], 1_000).value > 0.5


def test_a_column_that_an_absent_table_would_have_is_left_out(random):
    calls = random.normal(size=500)
    columns = [profile(calls, name="calls"), profile(calls, name="spent")]
    table = drift_by_month(columns, pd.DataFrame({"calls": calls}), ["now"] * 500, 500)
    assert table["feature"].tolist() == ["calls"]
