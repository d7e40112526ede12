"""Every table has random numbers of its own: what is drawn for one leaves the others alone."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnml.tables.contract import TABLES
from churnml.tables.simulator import block, simulate
from churnml.tables.simulator.streams import Streams

NAMES = st.sampled_from(sorted(TABLES)) | st.text(max_size=8)
DRAWS = st.lists(st.tuples(NAMES, st.integers(-6, 40), st.integers(0, 50)), max_size=12)


@given(st.integers(0, 2**63 - 1), DRAWS, NAMES, st.integers(-6, 40))
def test_what_others_draw_changes_nothing(seed, others, name, month):
    alone, among = Streams(seed, 1, 0), Streams(seed, 1, 0)
    for other, when, count in others:
        if (other, when) != (name, month):
            among.of(other, when).random(count)
    assert among.of(name, month).random(3).tolist() == alone.of(name, month).random(3).tolist()


@given(st.integers(0, 2**63 - 1), st.lists(st.tuples(NAMES, st.integers(-6, 40)), unique=True))
def test_no_two_streams_are_alike(seed, places):
    first = [Streams(seed, *place).of(*key).random() for key in places for place in ((0,), (1, 0))]
    assert len(set(first)) == len(first)


def test_a_stream_goes_on_where_it_was_left():
    streams, whole = Streams(3), Streams(3)
    parts = [*streams.of("bills").random(2), *streams.of("bills").random(2)]
    assert parts == whole.of("bills").random(4).tolist()


def bytes_of(folder, **settings):
    simulate(folder, customers=400, months=4, seed=3, **settings)
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*.parquet")
    }


@pytest.mark.parametrize(
    ("table", "rows", "drawing"),
    [
        ("usage", "usage_rows", "usage"),
        ("bills", "bill_rows", "bills"),
        ("surveys", "month_surveys", "surveys"),
        ("groups", "group_versions", "groups"),
        # A table that is not there today.
        (None, "month_surveys", "ties"),
    ],
)
def test_a_table_or_a_column_more_leaves_the_bytes_of_the_others(
    tmp_path, monkeypatch, table, rows, drawing
):
    before = bytes_of(tmp_path / "before")
    original = getattr(block, rows)

    def draws_more(first, *rest):
        rng = first.rng(drawing) if hasattr(first, "rng") else first
        rng.random(7)
        return original(first, *rest)

    monkeypatch.setattr(block, rows, draws_more)
    after = bytes_of(tmp_path / "after")
    changed = {name for name in before if before[name] != after[name]}
    assert changed == ({f"{table}.parquet"} if table else set())


def test_a_switch_leaves_what_it_does_not_bear_on(tmp_path):
    before, after = bytes_of(tmp_path / "before"), bytes_of(tmp_path / "after", trend=0.1)
    assert before["groups.parquet"] == after["groups.parquet"]
    assert before["truth/hazard.parquet"] != after["truth/hazard.parquet"]
