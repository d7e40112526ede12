"""The month of leaving, on small frames written out by hand."""

from datetime import date

import ibis
import pytest

from churnml.errors import LabelWindowError, UsageError
from churnml.labels import window as labels
from churnml.labels.hazard import month_of_leaving, months_seen
from churnml.tables import asof
from churnml.tables.contract import TABLES

JAN = date(2026, 1, 1)
MONTHS = [date(2026, month, 1) for month in range(1, 13)]
LATE = date(2026, 12, 1)


@pytest.fixture
def con():
    return ibis.duckdb.connect()


def tables(con, customers, usage=()):
    """Tables as a source gives them; usage as (customer, month, active days)."""
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
    }
    found = {}
    for name, (rows, schema) in frames.items():
        columns = {column: [row[place] for row in rows] for place, column in enumerate(schema)}
        table = con.create_table(name, schema=ibis.schema(schema))
        if rows:
            con.insert(name, ibis.memtable(columns, schema=schema))
        found[name] = table.mutate(known_at=asof.known_at(table, TABLES[name]))
    return found


def customer(name, *, ended=None, payment="postpaid", since=date(2025, 1, 1)):
    return (name, since, ended, payment)


def active(name, months):
    return [(name, MONTHS[month - 1], 9) for month in months]


def outcomes(table):
    rows = table.order_by("as_of", "customer_id").to_pyarrow().to_pylist()
    return {row["customer_id"]: row["outcome"] for row in rows}


def test_months_are_half_open_and_counted_from_the_date(con):
    given = tables(
        con,
        [
            customer("first day", ended=JAN),
            customer("last of first", ended=date(2026, 1, 31)),
            customer("second", ended=date(2026, 2, 1)),
            customer("sixth", ended=date(2026, 6, 30)),
            customer("seventh", ended=date(2026, 7, 1)),
            customer("stays"),
            customer("gone before", ended=date(2025, 12, 31)),
            customer("not yet", since=JAN),
        ],
    )
    assert outcomes(month_of_leaving(given, [JAN], until=LATE, definition="termination")) == {
        "first day": 1,
        "last of first": 1,
        "second": 2,
        "sixth": 6,
        "seventh": -6,
        "stays": -6,
    }


def test_nothing_after_the_end_of_the_data_is_counted(con):
    given = tables(
        con,
        [
            customer("seen", ended=date(2026, 2, 28)),
            customer("later", ended=date(2026, 3, 1)),
            customer("silent", payment="prepaid"),
            customer("silent later", payment="prepaid"),
        ],
        active("silent later", [1]),
    )
    until = date(2026, 3, 1)
    found = outcomes(month_of_leaving(given, [JAN], until=until))
    assert found == {"seen": 2, "later": -2, "silent": 2, "silent later": -2}
    with pytest.raises(LabelWindowError, match="2026-03-01"):
        month_of_leaving(given, [until], until=until)


def test_a_silence_is_a_farewell_when_it_has_lasted_long_enough(con):
    names = ["at once", "back in two", "later", "twice one", "again", "never", "ended first"]
    people = [customer(name, payment="prepaid") for name in names[:-1]]
    people += [customer("ended first", payment="prepaid", ended=date(2026, 2, 3))]
    usage = [
        *active("back in two", [2, 3, 4, 5, 6]),
        *active("later", [1, 2, 5, 6]),
        *active("twice one", [2, 4, 6]),
        *active("again", [3, 4]),
        *active("never", range(1, 13)),
        *active("ended first", [1]),
        ("postpaid", JAN, 0),
    ]
    given = tables(con, [*people, customer("postpaid")], usage)
    assert outcomes(month_of_leaving(given, [JAN], until=LATE)) == {
        "at once": 2,
        "back in two": -6,
        "later": 4,
        "twice one": -6,
        "again": 2,
        "never": -6,
        "ended first": 2,
        "postpaid": -6,
    }
    three = outcomes(month_of_leaving(given, [JAN], until=LATE, silence=3))
    assert (three["at once"], three["later"], three["again"]) == (3, -6, -6)
    one = outcomes(month_of_leaving(given, [JAN], until=LATE, silence=1))
    assert (one["back in two"], one["twice one"], one["later"]) == (1, 1, 3)
    alone = outcomes(month_of_leaving(given, [JAN], until=LATE, definition="inactivity"))
    assert alone["at once"] == 2
    assert alone["ended first"] == 3


@pytest.mark.parametrize("day", [JAN, date(2026, 2, 11)])
@pytest.mark.parametrize("gap", ["0d", "1mo"])
@pytest.mark.parametrize("definition", ["termination", "inactivity", "either"])
def test_within_two_months_is_the_churn_label(con, day, gap, definition):
    people = [customer(f"{n}", payment=["prepaid", "postpaid"][n % 2]) for n in range(40)]
    people += [
        customer(f"e{n}", ended=MONTHS[n % 7].replace(day=1 + n), payment="prepaid")
        for n in range(25)
    ]
    usage = [
        row
        for n, person in enumerate(people)
        for row in active(person[0], [m for m in range(1, 12) if (n // 2) >> (m % 5) & 1])
    ]
    given = tables(con, people, usage)
    found = outcomes(month_of_leaving(given, [day], until=LATE, gap=gap, definition=definition))
    label = labels.churn(given, [day], labels.Window(gap, "2mo"), definition).to_pyarrow()
    expected = {row["customer_id"]: row["churned"] for row in label.to_pylist()}
    assert {name: int(0 < outcome <= 2) for name, outcome in found.items()} == expected
    assert 0 < sum(expected.values()) < len(expected)


def test_who_leaves_in_the_gap_has_no_row(con):
    given = tables(
        con, [customer("in it", ended=date(2026, 1, 20)), customer("after", ended=MONTHS[1])]
    )
    found = month_of_leaving(given, [JAN], until=LATE, gap="1mo", definition="termination")
    assert outcomes(found) == {"after": 1}


def test_several_dates_are_one_table_and_each_sees_what_it_can(con):
    given = tables(con, [customer("a", ended=date(2026, 4, 10)), customer("b")])
    found = month_of_leaving(given, [JAN, MONTHS[2], MONTHS[3]], until=date(2026, 5, 1))
    rows = found.order_by("customer_id", "as_of").to_pyarrow().to_pylist()
    assert [row["outcome"] for row in rows] == [4, 2, 1, -4, -2, -1]


def test_without_usage_either_means_termination(con):
    given = tables(con, [customer("a", payment="prepaid")])
    del given["usage"]
    assert outcomes(month_of_leaving(given, [JAN], until=LATE)) == {"a": -6}
    with pytest.raises(UsageError, match="usage"):
        month_of_leaving(given, [JAN], until=LATE, definition="inactivity")


def test_one_month_of_silence_needs_a_first_of_month(con):
    given = tables(con, [customer("a", payment="prepaid")])
    with pytest.raises(UsageError, match="no whole month"):
        month_of_leaving(given, [date(2026, 1, 15)], until=LATE, silence=1)


def test_months_seen_stop_at_the_end_of_the_data_and_at_what_is_asked():
    assert months_seen(JAN, JAN) == 0
    assert months_seen(JAN, date(2026, 3, 1)) == 2
    assert months_seen(JAN, LATE, months=4) == 4
    assert months_seen(JAN, date(2026, 3, 1), gap="1mo") == 1
