"""Raking and what weights cost."""

import numpy as np
import pytest

from churnml.errors import DataError
from churnml.service.index.weights import Margin, design_effect, kish, merge_empty, rake


def margin(codes, totals, names=None):
    names = names or tuple("abcdefgh"[: len(totals)])
    return Margin(codes=np.array(codes), totals=np.array(totals, float), names=names)


def test_the_known_table():
    margins = {"rows": margin([0, 0, 1, 1], [60, 40]), "columns": margin([0, 1, 0, 1], [55, 45])}
    found = rake([40, 30, 20, 10], margins)
    assert found.weight.round(6).tolist() == [30.610723, 29.389277, 24.389277, 15.610723]
    assert found.capped == 0
    assert found.missed < 1e-6


def test_kish():
    assert kish([1, 1, 1, 1, 2, 2, 2, 4]) == 6.125
    assert round(design_effect([1, 1, 1, 1, 2, 2, 2, 4]), 5) == 1.30612


def test_a_kind_nobody_of_whom_answered_is_refused_by_name():
    with pytest.raises(DataError, match="brand: nobody of b answered"):
        rake([1, 1], {"brand": margin([0, 0], [60, 40])})


def test_margins_that_do_not_agree_are_refused():
    with pytest.raises(DataError, match="brand 100, region 90"):
        rake([1, 1], {"brand": margin([0, 1], [60, 40]), "region": margin([0, 1], [60, 30])})


def test_no_weight_moves_beyond_the_cap_and_it_is_told():
    found = rake(np.ones(20), {"brand": margin([0] * 19 + [1], [10, 90])}, cap=5)
    assert found.capped == 20
    assert found.weight.max() / found.weight.min() <= 25 + 1e-9
    assert found.weight.sum() == pytest.approx(100)
    assert found.missed > 0.1


def test_kinds_without_answers_join_their_neighbour():
    found, merged = merge_empty(margin([1, 1, 3], [10, 20, 30, 40, 50]))
    assert merged == ["a", "c", "e"]
    assert found.names == ("a, b", "c, d, e")
    assert found.totals.tolist() == [30, 120]
    assert found.codes.tolist() == [0, 0, 1]
    weight = rake(np.ones(3), {"kind": found}).weight
    assert weight.tolist() == pytest.approx([15, 15, 120])


def test_with_nobody_at_all_one_kind_is_left():
    found, merged = merge_empty(margin(np.array([], int), [10, 20]))
    assert found.totals.tolist() == [30]
    assert merged == ["a", "b"]
