"""Cells about few people are hidden, with as many others as it takes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from churnml.service.complaints.cells import hidden_places, with_company
from churnml.service.small_cells import FEWEST, WITHIN, hidden

counts_of_a_sum = st.lists(st.integers(0, 40), min_size=2, max_size=8)


@settings(max_examples=60, deadline=None)
@given(counts_of_a_sum)
def test_one_sum_is_hidden_as_optimising_would_hide_it(counts):
    values = np.array(counts, float)
    found = with_company(values, values < FEWEST)
    assert found.tolist() == hidden(values).tolist()


CELLS = [("", ""), ("region", "n"), ("region", "s"), ("hall_id", "n1"), ("hall_id", "n2"),
         ("hall_id", "s1"), ("hall_id", "s2")]  # fmt: skip
PARENTS = {"n1": "n", "n2": "n", "s1": "s", "s2": "s"}


def bounds(counts, mask):
    """How far each hidden count is told by the shown ones, by linear programming."""
    cells, columns = counts.shape
    place = np.arange(counts.size).reshape(counts.shape)
    rows, right = [], []
    for parts, total in (([1, 2], 0), ([3, 4], 1), ([5, 6], 2)):
        for column in range(columns):
            row = np.zeros(counts.size)
            row[place[parts, column]] = 1
            row[place[total, column]] = -1
            rows.append(row)
            right.append(0.0)
    for cell in range(cells):
        # A cell's total over the columns is shown where it is not small.
        if counts[cell].sum() >= FEWEST and columns > 1:
            row = np.zeros(counts.size)
            row[place[cell]] = 1
            rows.append(row)
            right.append(counts[cell].sum())
    known = [(0, None) if hide else (value, value) for value, hide in
             zip(counts.ravel(), mask.ravel(), strict=True)]  # fmt: skip
    widths = []
    for at in np.flatnonzero(mask.ravel()):
        goal = np.zeros(counts.size)
        goal[at] = 1
        ends = [
            linprog(sign * goal, A_eq=np.array(rows), b_eq=right, bounds=known) for sign in (1, -1)
        ]
        widths.append(np.inf if ends[1].status == 3 else -ends[1].fun - ends[0].fun)
    return widths


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=4, max_size=4))
def test_a_hidden_hall_is_told_neither_by_its_region_nor_by_the_whole(halls):
    n1, n2, s1, s2 = halls
    counts = np.array([[sum(halls)], [n1 + n2], [s1 + s2], [n1], [n2], [s1], [s2]], float)
    mask = hidden_places(CELLS, counts, counts < FEWEST, parents=PARENTS)
    assert mask[counts < FEWEST].all()
    if not mask[0, 0]:
        assert all(width > 2 * WITHIN for width in bounds(counts, mask))


def test_cells_by_columns():
    rng = np.random.default_rng(0)
    for _ in range(20):
        halls = rng.poisson([[4, 30, 60], [15, 30, 60], [25, 30, 60], [12, 30, 60]])
        halls = halls.astype(float)
        regions = np.array([halls[:2].sum(axis=0), halls[2:].sum(axis=0)])
        counts = np.vstack([regions.sum(axis=0), regions, halls])
        mask = hidden_places(CELLS, counts, counts < FEWEST, parents=PARENTS)
        assert mask[counts < FEWEST].all()
        assert not mask.all()
        assert all(width > 1e-6 for width in bounds(counts, mask))
