"""What is hidden cannot be worked out: every linear relation is solved for, independently."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from churnml.service.small_cells import (
    Sum,
    blank,
    hidden,
    hidden_related,
    hidden_two_way,
    sums_over,
)


def assert_safe(counts, sums, mask):
    """Every hidden count may, by all that is shown, lie anywhere in more than 8 people."""
    counts, mask = np.asarray(counts, dtype=float), np.asarray(mask)
    assert mask[counts < 10].all()
    equations = np.zeros((len(sums), len(counts)))
    for row, (total, parts) in enumerate(sums):
        equations[row, total] = -1
        equations[row, list(parts)] = 1
    bounds = [
        (0, 1e6) if hide else (value, value) for value, hide in zip(counts, mask, strict=True)
    ]
    low, high = counts.copy(), counts.copy()
    for cell in np.flatnonzero(mask):
        for sign in (1, -1):
            if high[cell] - low[cell] <= 8:
                goal = np.zeros(len(counts))
                goal[cell] = sign
                found = linprog(goal, A_eq=equations, b_eq=np.zeros(len(sums)), bounds=bounds)
                low, high = np.minimum(low, found.x), np.maximum(high, found.x)
    assert (high - low > 8)[mask].all(), (counts, mask)


def with_margins(table):
    table = np.asarray(table, dtype=float)
    table = np.vstack([table, table.sum(axis=0)])
    return np.column_stack([table, table.sum(axis=1)])


def two_way_sums(shape):
    places = np.arange(shape[0] * shape[1]).reshape(shape)
    return [(line[-1], tuple(line[:-1])) for line in [*places, *places.T]]


def test_one_small_cell_takes_the_next_smallest_with_it():
    assert hidden([4, 60, 25, 90]).tolist() == [True, False, True, False]


def test_nothing_is_hidden_where_nobody_is_few():
    assert not hidden([10, 11, 500]).any()
    assert not hidden_two_way([[10, 20], [30, 40]]).any()


def test_two_small_cells_that_come_to_little_together_take_a_third():
    # 2 + 3 = 5: either is known to within 3 if only they are hidden.
    assert hidden([2, 3, 80, 40]).tolist() == [True, True, False, True]


def test_a_bridge_between_two_blocks_of_hidden_cells_is_seen():
    # Every line has two hidden cells or none, yet the cell between the blocks would be determined.
    table = np.full((5, 5), 50)
    block = [(0, 0), (0, 1), (1, 0), (1, 1), (3, 3), (3, 4), (4, 3), (4, 4), (1, 3)]
    for place in block:
        table[place] = 9
    mask = hidden_two_way(table)
    assert_safe(with_margins(table).ravel(), two_way_sums((6, 6)), mask.ravel())


def test_all_less_a_brand_and_month_less_month_are_seen():
    # whole, gotone, mzone; each over two months together, and each month.
    frame = pd.DataFrame(
        [
            (brand, month)
            for brand in ("", "gotone", "mzone")
            for month in ("", "2026-05", "2026-06")
        ],
        columns=["brand", "month"],
    )
    counts = [143, 70, 73, 90, 45, 45, 53, 25, 28]
    assert not hidden_related(counts, sums_over(frame)).any()
    counts = [123, 50, 73, 90, 45, 45, 33, 5, 28]
    mask = hidden_related(counts, sums_over(frame))
    assert mask.tolist() == [False] * 4 + [True, True, False, True, True]
    assert_safe(counts, [(one.total, one.parts) for one in sums_over(frame)], mask)


def test_who_is_in_no_cell_is_protected_too():
    # 100 in all, 95 of them in the two halls: the 5 in no hall could be had by subtraction.
    assert hidden_related([100, 60, 35], [Sum(total=0, parts=(1, 2))]).tolist() == [
        False,
        False,
        True,
    ]


def test_each_kind_of_count_is_protected():
    customers, answers = [900, 500, 400], [60, 52, 8]
    sums = [Sum(total=0, parts=(1, 2))]
    mask = hidden_related(np.column_stack([customers, answers]), sums)
    assert mask.tolist() == [False, True, True]


def test_parts_above_their_total_are_refused():
    with pytest.raises(ValueError, match="more than it holds"):
        hidden_related([10, 60, 40], [Sum(total=0, parts=(1, 2))])


def test_a_hidden_cell_loses_its_mean_with_its_count():
    frame = pd.DataFrame({"hall": ["a", "b", "c"], "n": [4, 30, 50], "mean": [60.0, 70.0, 80.0]})
    shown = blank(frame, hidden(frame["n"]), columns=["n", "mean"])
    assert shown[["n", "mean"]].isna().all(axis=1).tolist() == [True, True, False]
    assert shown["hall"].tolist() == ["a", "b", "c"]
    # The total's mean then tells only that of 34 people together.
    assert int(frame.loc[shown["mean"].isna(), "n"].sum()) >= 10


counts = st.lists(st.sampled_from([1, 3, 7, 9, 10, 14, 40, 300]), min_size=2, max_size=7)


@settings(max_examples=25, deadline=None)
@given(counts)
def test_lists_are_safe(cells):
    mask = hidden(cells)
    total = sum(cells)
    assert_safe([*cells, total], [(len(cells), tuple(range(len(cells))))], [*mask, total < 10])


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 4), st.integers(2, 4), st.integers(0, 10_000))
def test_tables_are_safe(rows, columns, seed):
    random = np.random.default_rng(seed)
    table = random.choice([0, 2, 6, 9, 11, 25, 80], size=(rows, columns))
    mask = hidden_two_way(table)
    assert_safe(with_margins(table).ravel(), two_way_sums(mask.shape), mask.ravel())


def test_every_whole_number_solution_of_a_small_table_is_tried():
    table = np.array([[3, 12, 30], [14, 11, 26], [31, 29, 40]])
    mask = hidden_two_way(table)
    assert mask[0, 0]
    assert not mask[-1].any()
    assert not mask[:, -1].any()
    places = np.argwhere(mask[:-1, :-1])
    seen = []
    for first in range(table.sum()):
        # One free value settles a ring of four hidden cells.
        trial = table.copy()
        (top, left), (bottom, right) = places[0], places[-1]
        change = first - table[top, left]
        trial[top, left] += change
        trial[bottom, right] += change
        trial[top, right] -= change
        trial[bottom, left] -= change
        if (trial >= 0).all():
            assert (trial.sum(axis=0) == table.sum(axis=0)).all()
            assert (trial.sum(axis=1) == table.sum(axis=1)).all()
            seen.append(trial)
    assert len(places) == 4
    for row, column in places:
        assert np.ptp([one[row, column] for one in seen]) > 8


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_halls_within_regions_are_safe(seed):
    random = np.random.default_rng(seed)
    halls = random.choice([1, 5, 9, 12, 40, 90], size=(4, 3)).astype(float)
    regions, brands = halls.sum(axis=1), np.array([0.7, 0.2, 0.1])
    brands = np.floor(brands * halls.sum())
    brands[0] += halls.sum() - brands.sum()
    counts = np.r_[halls.sum(), regions, halls.ravel(), brands]
    sums = [(0, (1, 2, 3, 4)), (0, tuple(range(5, 17))), (0, (17, 18, 19))]
    sums += [(1 + at, tuple(range(5 + 3 * at, 8 + 3 * at))) for at in range(4)]
    mask = hidden_related(counts, [Sum(total=total, parts=parts) for total, parts in sums])
    assert_safe(counts, sums, mask)
    assert mask.sum() < 17


def test_forty_halls_over_two_years_are_safe_and_mostly_shown():
    random = np.random.default_rng(4)
    table = random.poisson(random.gamma(3, 9, size=(40, 1)), size=(40, 24))
    mask = hidden_two_way(table)
    assert mask[:-1, :-1][table < 10].all()
    assert mask.mean() < 2.5 * (table < 10).mean()
