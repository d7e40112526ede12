"""A source as it was at midnight when a day began."""

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnml.tables.source import open_source

JUNE = "2026-06-01"
MIDNIGHT = dt.datetime(2026, 6, 1)
BEFORE = dt.datetime(2026, 5, 31, 23, 59, 59)
STAMP = pa.timestamp("us")


def visible(folder, table, column, day=JUNE):
    rows = open_source(folder).until(day).tables[table].to_pyarrow().to_pylist()
    return sorted(row[column] for row in rows)


def test_events_before_midnight_that_were_known_by_then(parquet, folder):
    parquet(
        "contacts",
        types={"known_at": STAMP},
        contact_id=["before", "at", "known at", "known after", "late"],
        customer_id=["1"] * 5,
        started_at=[BEFORE, MIDNIGHT, BEFORE, BEFORE, dt.datetime(2025, 1, 1)],
        channel=["app"] * 5,
        known_at=[None, None, MIDNIGHT, MIDNIGHT + dt.timedelta(seconds=1), MIDNIGHT],
    )
    assert visible(folder, "contacts", "contact_id") == ["before", "known at", "late"]


def test_months_that_had_ended(parquet, folder):
    months = [dt.date(2026, 4, 1), dt.date(2026, 5, 1), dt.date(2026, 6, 1)]
    parquet("bills", customer_id=["1"] * 3, month=months, amount=[1.0] * 3)
    assert visible(folder, "bills", "month") == months[:2]
    assert visible(folder, "bills", "month", "2026-05-31") == months[:1]


def test_a_lag_hides_the_last_month(parquet, folder, csv):
    months = [dt.date(2026, 4, 1), dt.date(2026, 5, 1)]
    parquet("bills", customer_id=["1"] * 2, month=months, amount=[1.0] * 2)
    csv("source.yaml", "tables: {bills: {known_after: 1h}}")
    assert visible(folder, "bills", "month") == months[:1]


@pytest.mark.parametrize(
    ("issued", "seen"), [("2026-05-30", True), ("2026-05-31", True), (JUNE, False)]
)
def test_a_bill_is_known_after_the_day_it_was_issued(issued, seen, parquet, folder):
    parquet(
        "bills",
        customer_id=["1"],
        month=[dt.date(2026, 4, 1)],
        amount=[1.0],
        issued_on=[dt.date.fromisoformat(issued)],
    )
    assert bool(visible(folder, "bills", "month")) is seen


def test_later_events_are_null_where_they_lay_ahead(parquet, folder):
    parquet(
        "surveys",
        survey_id=["a", "b"],
        customer_id=["1", "1"],
        sent_at=[BEFORE, BEFORE],
        answered_at=[BEFORE, MIDNIGHT],
        score=[7.0, 8.0],
        scale_min=[1.0, 1.0],
        scale_max=[10.0, 10.0],
    )
    rows = open_source(folder).until(JUNE).tables["surveys"].order_by("survey_id")
    found = rows.to_pyarrow().to_pylist()
    assert [(row["answered_at"], row["score"]) for row in found] == [(BEFORE, 7.0), (None, None)]


def test_versions_of_customers_that_had_begun(parquet, folder):
    parquet(
        "customers",
        types={"terminated_on": pa.date32()},
        customer_id=["a", "a", "b", "c"],
        activated_on=[dt.date(2020, 1, 1)] * 2 + [dt.date(2026, 5, 31), dt.date(2026, 6, 1)],
        terminated_on=[None, dt.date(2026, 6, 1), None, None],
        payment=["prepaid"] * 4,
        valid_from=[dt.date(2020, 1, 1), dt.date(2026, 6, 1), None, None],
    )
    assert visible(folder, "customers", "customer_id") == ["a", "b"]


def test_the_earlier_of_two_days_holds(parquet, folder):
    months = [dt.date(2026, month, 1) for month in (1, 2, 3)]
    parquet("bills", customer_id=["1"] * 3, month=months, amount=[1.0] * 3)
    source = open_source(folder)
    for one in (source.until("2026-03-01").until(dt.date(2026, 2, 1)),
                source.until("2026-02-01").until("2026-03-01")):  # fmt: skip
        assert one.tables["bills"].month.to_pyarrow().to_pylist() == months[:1]
    assert source.tables["bills"].count().to_pyarrow().as_py() == 3


moments = st.datetimes(dt.datetime(2026, 4, 1), dt.datetime(2026, 8, 1))


@settings(max_examples=15, deadline=None)
@given(
    past=st.lists(st.tuples(moments, moments), max_size=3),
    ahead=st.lists(st.tuples(moments, moments), min_size=1, max_size=3),
)
def test_rows_that_lay_ahead_change_nothing(past, ahead, tmp_path_factory):
    kinds = {name: pa.string() for name in ("complaint_id", "customer_id", "category")}
    kinds |= dict.fromkeys(("opened_at", "closed_at", "known_at"), STAMP)

    def seen(events):
        rows = [
            {"complaint_id": name, "customer_id": "1", "category": "network"}
            | {"opened_at": opened, "known_at": known}
            for name, opened, known in events
        ]
        folder = tmp_path_factory.mktemp("ahead")
        table = pa.Table.from_pylist(rows, schema=pa.schema(kinds))
        pq.write_table(table, folder / "complaints.parquet")
        shown = open_source(folder).until(JUNE).tables["complaints"]
        return shown.order_by("complaint_id").to_pyarrow().to_pylist()

    visible_ones = [(f"a{at}", *event) for at, event in enumerate(past)]
    hidden = [
        (f"b{at}", opened, known)
        for at, (opened, known) in enumerate(ahead)
        if opened >= MIDNIGHT or known > MIDNIGHT
    ]
    assert seen(visible_ones + hidden) == seen(visible_ones)
