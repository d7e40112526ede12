"""The months to measure on: matured, and learned from by neither."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnml.errors import LabelWindowError
from churnml.evaluation.unseen_months import learned_until, unseen_months
from churnml.labels.window import Window

DAYS = st.dates(date(2020, 1, 1), date(2027, 12, 31))


def test_learned_until_is_the_end_of_the_last_label(good):
    from dataclasses import replace

    dated = replace(good, origin=replace(good.origin, as_of=("2025-12-01", "2026-01-01")))
    assert learned_until(dated, Window("0d", "2mo")) == date(2026, 3, 1)
    assert learned_until(dated, Window("30d", "60d")) == date(2026, 4, 1)
    with pytest.raises(LabelWindowError, match="does not say on which dates"):
        learned_until(good, Window())


@given(DAYS, DAYS, st.integers(1, 5), st.integers(0, 40), st.integers(1, 90))
def test_every_month_is_matured_and_seen_by_nobody(covered, learned, months, gap, horizon):
    window = Window(f"{gap}d", f"{horizon}d")
    try:
        found = unseen_months(covered, learned, window, months=months)
    except LabelWindowError:
        first = learned if learned.day == 1 else (learned.replace(day=1) + timedelta(32))
        assert window.end(first.replace(day=1)) > covered
        return
    assert 1 <= len(found) <= months
    assert all(day.day == 1 and day >= learned and window.end(day) <= covered for day in found)
    later = (found[-1] + timedelta(32)).replace(day=1)
    assert window.end(later) > covered
    assert list(found) == sorted(set(found))


def test_no_such_month_says_what_is_there():
    with pytest.raises(LabelWindowError, match=r"learned until 2026-03-01, .* until 2026-04-15"):
        unseen_months(date(2026, 4, 15), date(2026, 3, 1), Window(), months=3, source="demo")


def test_months_before_the_data_begin_are_not_taken():
    days = unseen_months(
        date(2026, 7, 1), date(2025, 1, 1), Window(), months=6, earliest=date(2026, 2, 15)
    )
    assert [str(day) for day in days] == ["2026-03-01", "2026-04-01", "2026-05-01"]
