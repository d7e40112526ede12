"""C07, C11, C15 and C21: rows beside other rows."""

import datetime as dt

import pytest

from churnml.config.settings import Config
from churnml.tables.source import open_source
from churnml.tables.validation import validate

ALL = Config.model_validate({"validation": {"set_aside_limit": 1}})


@pytest.fixture
def check(write, folder):
    return lambda tables: validate(open_source(write(folder, tables)), ALL)


def told(validation):
    return [str(breach) for breach in validation.report.breaches]


def test_orphans_are_set_aside(check, good, rows):
    good["contacts"] += [rows.contact("t2", customer_id="x"), rows.contact("t3", customer_id="x")]
    assert told(check(good)) == [
        "contacts.customer_id: a customer_id of no customer, 2 times: x (row 2, 3); "
        "expected a customer_id of customers; rows set aside [C07]"
    ]


def test_orphans_are_judged_before_anything_is_set_aside(check, good, rows):
    good["customers"][0]["payment"] = "barter"
    found = check(good)
    assert [breach.code for breach in found.report.breaches] == ["C05"]
    assert found.source.tables["bills"].count().to_pyarrow().as_py() == 12


def test_a_bad_row_that_is_an_orphan_too_is_set_aside_once(check, good, rows):
    good["contacts"].append(rows.contact("t2", customer_id="x", channel="pigeon"))
    found = check(good)
    assert [breach.code for breach in found.report.breaches] == ["C05", "C07"]
    (count,) = [one for one in found.report.counts if one.table == "contacts"]
    assert (count.rows, count.good, count.aside) == (2, 1, 1)


def test_a_gap_in_the_months_is_mentioned_and_kept(check, good):
    del good["bills"][2:4]
    found = check(good)
    assert told(found) == [
        "bills.month: a gap in a customer's months: c1 lacks 2 months; expected every month from "
        "the first to the last; kept [C11]"
    ]
    assert found.source.cleaned == {}


def test_months_that_follow_one_another_over_new_year_are_no_gap(check, good, rows):
    good["bills"].append(rows.bill("c1") | {"month": dt.date(2025, 12, 1)})
    assert told(check(good)) == []


def test_a_month_without_any_row_is_noted(check, good):
    good["bills"] = [bill for bill in good["bills"] if bill["month"].month != 3]
    assert check(good).report.notes == ("bills: no row at all for 2026-03.",)


def test_months_after_the_end_of_service_are_outside_its_life(check, good, rows):
    good["customers"].append(rows.customer("c3", terminated_on=dt.date(2026, 4, 20)))
    good["usage"] += [rows.usage("c3", month) for month in (3, 4, 5)]
    assert told(check(good)) == [
        "usage.month: an event outside the customer's life: 2026-05-01 in a life of 2020-01-01 "
        "to 2026-04-20 (row 4); expected activated_on to terminated_on; kept [C15]"
    ]


def test_the_last_day_of_service_is_within_its_life(check, good, rows):
    good["customers"].append(rows.customer("c3", terminated_on=dt.date(2026, 4, 20)))
    for key, hour in (("t2", "2026-04-20T23:59"), ("t3", "2026-04-21T00:00")):
        started = dt.datetime.fromisoformat(hour)
        good["contacts"].append(rows.contact(key, customer_id="c3", started_at=started))
    (breach,) = check(good).report.breaches
    assert (breach.code, breach.rows) == ("C15", (3,))


def test_a_life_spans_all_versions_of_a_customer(check, good, rows):
    good["customers"] += [
        rows.customer("c3", valid_from=dt.date(2020, 1, 1)),
        rows.customer("c3", valid_from=dt.date(2026, 4, 20), terminated_on=dt.date(2026, 4, 20)),
    ]
    good["usage"].append(rows.usage("c3", 5))
    assert [breach.code for breach in check(good).report.breaches] == ["C15"]
