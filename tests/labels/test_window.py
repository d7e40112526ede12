"""Labels on small frames written out by hand."""

from datetime import date, datetime

import ibis
import pytest

from churnml.errors import UsageError
from churnml.labels import window as labels
from churnml.tables import asof
from churnml.tables.contract import TABLES

MAY, JUNE, JULY = date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)
TWO_MONTHS = labels.Window("0d", "2mo")


def tables(con, customers, usage=(), surveys=None, bills=()):
    """Tables as a source gives them, from rows written out by hand."""
    frames = {
        "customers": (
            customers,
            {
                "customer_id": "string",
                "activated_on": "date",
                "terminated_on": "date",
                "payment": "string",
            },
        ),
        "usage": (usage, {"customer_id": "string", "month": "date", "active_days": "int64"}),
        "bills": (bills, {"customer_id": "string", "month": "date", "amount": "float64"}),
    }
    if surveys is not None:
        frames["surveys"] = (
            surveys,
            {
                "survey_id": "string",
                "customer_id": "string",
                "sent_at": "timestamp",
                "answered_at": "timestamp",
                "score": "float64",
                "scale_min": "float64",
                "scale_max": "float64",
                "touchpoint": "string",
            },
        )
    found = {}
    for name, (rows, schema) in frames.items():
        columns = {column: [row[place] for row in rows] for place, column in enumerate(schema)}
        table = con.create_table(name, schema=ibis.schema(schema))
        if rows:
            con.insert(name, ibis.memtable(columns, schema=schema))
        found[name] = table.mutate(known_at=asof.known_at(table, TABLES[name]))
    return found


@pytest.fixture
def con():
    return ibis.duckdb.connect()


def answers(table):
    frame = table.order_by("as_of", "customer_id").to_pandas()
    return {
        (row[0], row[1].date().isoformat() if hasattr(row[1], "date") else str(row[1])): row[2]
        for row in frame.itertuples(index=False)
    }


def customer(name, *, ended=None, payment="postpaid", since=date(2025, 1, 1)):
    return (name, since, ended, payment)


def test_termination_in_the_half_open_window(con):
    given = tables(
        con,
        [
            customer("first day", ended=MAY),
            customer("last day", ended=date(2026, 6, 30)),
            customer("day after", ended=JULY),
            customer("stays"),
            customer("left before", ended=date(2026, 4, 30)),
            customer("too new", since=MAY),
        ],
    )
    found = labels.churn(given, [MAY], TWO_MONTHS, "termination")
    assert answers(found) == {
        ("first day", "2026-05-01"): 1,
        ("last day", "2026-05-01"): 1,
        ("day after", "2026-05-01"): 0,
        ("stays", "2026-05-01"): 0,
    }


def test_who_leaves_in_the_gap_has_no_label(con):
    given = tables(
        con, [customer("in gap", ended=date(2026, 5, 20)), customer("after", ended=JUNE)]
    )
    found = labels.churn(given, [MAY], labels.Window("1mo", "2mo"), "termination")
    assert answers(found) == {("after", "2026-05-01"): 1}


def test_inactivity_is_no_active_day_in_every_whole_month_of_a_prepaid(con):
    prepaid = [customer(name, payment="prepaid") for name in ("silent", "back", "no rows")]
    usage = [
        ("silent", MAY, 0),
        ("silent", JUNE, 0),
        ("back", MAY, 0),
        ("back", JUNE, 1),
        ("postpaid", MAY, 0),
        ("postpaid", JUNE, 0),
        ("silent", date(2026, 4, 1), 30),
    ]
    given = tables(con, [*prepaid, customer("postpaid")], usage)
    for definition in ("inactivity", "either"):
        found = labels.churn(given, [MAY], TWO_MONTHS, definition)
        assert answers(found) == {
            ("silent", "2026-05-01"): 1,
            ("back", "2026-05-01"): 0,
            ("no rows", "2026-05-01"): 1,
            ("postpaid", "2026-05-01"): 0,
        }


def test_either_counts_both_ways_of_leaving(con):
    given = tables(
        con,
        [customer("ended", ended=JUNE), customer("silent", payment="prepaid")],
        [("ended", MAY, 5), ("silent", MAY, 0)],
    )
    assert set(answers(labels.churn(given, [MAY], TWO_MONTHS, "either")).values()) == {1}
    only = answers(labels.churn(given, [MAY], TWO_MONTHS, "inactivity"))
    assert only == {("ended", "2026-05-01"): 0, ("silent", "2026-05-01"): 1}


def test_only_whole_months_count_for_inactivity(con):
    given = tables(
        con, [customer("a", payment="prepaid")], [("a", MAY, 3), ("a", JUNE, 0), ("a", JULY, 3)]
    )
    # [15 May, 15 July) holds one whole month: June.
    found = labels.churn(given, [date(2026, 5, 15)], TWO_MONTHS, "inactivity")
    assert set(answers(found).values()) == {1}
    with pytest.raises(UsageError, match="no whole month"):
        labels.churn(given, [date(2026, 5, 15)], labels.Window("0d", "30d"), "inactivity")


def test_either_without_usage_means_termination(con):
    given = tables(con, [customer("a", payment="prepaid")])
    del given["usage"]
    assert set(answers(labels.churn(given, [MAY], TWO_MONTHS, "either")).values()) == {0}
    with pytest.raises(UsageError, match="usage"):
        labels.churn(given, [MAY], TWO_MONTHS, "inactivity")


def test_several_dates_are_one_table(con):
    given = tables(con, [customer("a", ended=date(2026, 6, 10))])
    found = labels.churn(given, [date(2026, 3, 1), MAY], labels.Window("0d", "1mo"), "termination")
    assert answers(found) == {("a", "2026-03-01"): 0, ("a", "2026-05-01"): 0}


def survey(name, who, answered, score, touchpoint="overall", low=1, high=10):
    sent = datetime(2026, 5, 1)
    return (name, who, sent, answered, score, float(low), float(high), touchpoint)


def test_satisfaction_is_the_first_overall_answer_else_the_first_of_any(con):
    surveys = [
        survey("1", "a", datetime(2026, 5, 2), 1.0, "hall"),
        survey("2", "a", datetime(2026, 5, 9), 10.0),
        survey("3", "a", datetime(2026, 5, 20), 1.0),
        survey("4", "b", datetime(2026, 5, 3), 4.0, "hall", 1, 5),
        survey("5", "b", datetime(2026, 5, 4), 1.0, "hotline", 1, 5),
        survey("6", "c", None, None),
        survey("7", "d", datetime(2026, 7, 1), 9.0),
        survey("8", "e", datetime(2026, 6, 30, 23, 59, 59), 5.5),
    ]
    given = tables(con, [customer(name) for name in "abcde"], surveys=surveys)
    assert answers(labels.satisfaction(given, [MAY], TWO_MONTHS)) == {
        ("a", "2026-05-01"): 100.0,
        ("b", "2026-05-01"): 75.0,
        ("e", "2026-05-01"): 50.0,
    }
