"""Each check by its code, on single rows: what fires, at which value, and what happens then.

All cases stand in one operator, which is validated once.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import pytest

from churnml.config.settings import Config
from churnml.tables.source import open_source
from churnml.tables.validation import validate

NOON = dt.datetime(2026, 5, 3, 12)
EVERYTHING_GOES_ON = Config.model_validate({"validation": {"set_aside_limit": 1}})


@dataclass
class Case:
    name: str
    table: str
    changes: dict[str, Any] = field(default_factory=dict)
    code: str | None = None
    column: str = ""
    effect: str = ""

    def __str__(self):
        return f"{self.code or 'good'}-{self.table}-{self.name}"


def day(text):
    return dt.date.fromisoformat(text)


def moment(text):
    return dt.datetime.fromisoformat(text)


CASES = [
    # C04 out of range
    Case("amount 0", "bills", {"amount": 0.0}),
    Case("amount below 0", "bills", {"amount": -0.01}, "C04", "amount", "aside"),
    Case("amount at most", "bills", {"amount": 1e7}),
    Case("amount above", "bills", {"amount": 1e7 + 1}, "C04", "amount", "aside"),
    Case("amount infinite", "bills", {"amount": float("inf")}, "C04", "amount", "aside"),
    Case("amount no number", "bills", {"amount": float("nan")}, "C04", "amount", "aside"),
    Case("optional amount below 0", "bills", {"voice": -1.0}, "C04", "voice", "null"),
    Case("optional amount no number", "bills", {"data": float("nan")}, "C04", "data", "null"),
    Case("optional amount missing", "bills", {"voice": None}),
    Case("31 active days", "usage", {"active_days": 31}),
    Case("32 active days", "usage", {"active_days": 32}, "C04", "active_days", "aside"),
    Case("severity 3", "complaints", {"severity": 3}),
    Case("severity 4", "complaints", {"severity": 4}, "C04", "severity", "null"),
    Case("severity 0", "complaints", {"severity": 0}, "C04", "severity", "null"),
    Case("score infinite", "surveys", {"score": float("inf")}, "C04", "score", "aside"),
    Case("born 1899", "customers", {"birth_year": 1899}, "C04", "birth_year", "null"),
    Case("year 1899", "complaints", {"opened_at": moment("1899-12-31"), "closed_at": None},
         "C04", "opened_at", "aside"),
    Case("contract of ages", "customers", {"contract_ends_on": day("2200-01-01")},
         "C04", "contract_ends_on", "null"),
    Case("contract far ahead", "customers", {"contract_ends_on": day("2099-12-31")}),
    # C05 unknown code
    Case("brand known", "customers", {"brand": "mzone"}),
    Case("brand unknown", "customers", {"brand": "M-Zone"}, "C05", "brand", "null"),
    Case("brand with blank", "customers", {"brand": "mzone "}, "C05", "brand", "null"),
    Case("payment unknown", "customers", {"payment": "Prepaid"}, "C05", "payment", "aside"),
    Case("category unknown", "complaints", {"category": "coverage"}, "C05", "category", "aside"),
    Case("touchpoint unknown", "surveys", {"touchpoint": "shop"}, "C05", "touchpoint", "null"),
    # C07 orphan
    Case("nobody's bill", "bills", {"customer_id": "nobody"}, "C07", "customer_id", "aside"),
    Case("nobody's offer", "offers", {"customer_id": "c1 "}, "C07", "customer_id", "aside"),
    # C08 before it began
    Case("closed at once", "complaints", {"closed_at": moment("2026-05-03T10:00")}),
    Case("closed before", "complaints", {"closed_at": moment("2026-05-03T09:59:59")},
         "C08", "closed_at", "aside"),
    Case("open", "complaints", {"closed_at": None}),
    Case("reopened before", "complaints", {"reopened_at": moment("2026-05-01")},
         "C08", "reopened_at", "null"),
    Case("answered before", "surveys", {"answered_at": moment("2026-05-03T09:00")},
         "C08", "answered_at", "aside"),
    Case("accepted before", "offers", {"accepted_at": moment("2026-05-03T09:00")},
         "C08", "accepted_at", "null"),
    Case("paid on the first", "bills", {"paid_on": day("2026-06-01")}),
    Case("paid before the month", "bills", {"paid_on": day("2026-05-31")},
         "C08", "paid_on", "null"),
    # C09 terminated before activated
    Case("left at once", "customers", {"terminated_on": day("2020-01-01")}),
    Case("left before", "customers", {"terminated_on": day("2019-12-31")},
         "C09", "terminated_on", "aside"),
    # C12 the future: the bills end with June 2026, a month later is August 1
    Case("not yet the future", "contacts", {"started_at": moment("2026-07-31T23:59:59")}),
    Case("the future", "contacts", {"started_at": moment("2026-08-01")},
         "C12", "started_at", "aside"),
    Case("a bill of the future", "bills", {"month": day("2027-01-01")}, "C12", "month", "aside"),
    Case("closed in the future", "complaints", {"closed_at": moment("2099-12-31")},
         "C12", "closed_at", "null"),
    Case("terminated never", "customers", {"terminated_on": day("9999-12-31")},
         "C12", "terminated_on", "null"),
    Case("terminated in years", "customers", {"terminated_on": day("2030-01-01")},
         "C12", "terminated_on", "null"),
    Case("known in the future", "contacts", {"known_at": moment("2030-01-01")},
         "C12", "known_at", "aside"),
    # C13 known before it happened
    Case("known at once", "contacts", {"known_at": moment("2026-05-03T10:00")}),
    Case("known before", "contacts", {"known_at": moment("2026-05-03T09:59")},
         "C13", "known_at", "null"),
    Case("issued before", "bills", {"issued_on": day("2026-05-31")}, "C13", "issued_on", "null"),
    # C14 a score outside its scale
    Case("best score", "surveys", {"score": 10.0}),
    Case("worst score", "surveys", {"score": 1.0}),
    Case("above the scale", "surveys", {"score": 10.5}, "C14", "score", "aside"),
    Case("below the scale", "surveys", {"score": 0.0}, "C14", "score", "aside"),
    Case("no answer", "surveys", {"score": None, "answered_at": None}),
    Case("empty scale", "surveys", {"scale_min": 10.0, "score": 10.0}, "C14", "scale_max", "aside"),
    # C15 outside the customer's life
    Case("on the first day", "complaints",
         {"opened_at": moment("2020-01-01"), "closed_at": moment("2020-01-01")}),
    Case("before the first day", "complaints",
         {"opened_at": moment("2019-12-31T23:59"), "closed_at": None}, "C15", "opened_at", "warn"),
    # C16 a required value is missing
    Case("no amount", "bills", {"amount": None}, "C16", "amount", "aside"),
    Case("no payment", "customers", {"payment": None}, "C16", "payment", "aside"),
    Case("no offer", "offers", {"offer": ""}, "C16", "offer", "aside"),
    Case("no date", "contacts", {"started_at": None}, "C16", "started_at", "aside"),
    Case("no customer", "contacts", {"customer_id": None}, "C16", "customer_id", "aside"),
    Case("blank customer", "surveys", {"customer_id": "\u3000"}, "C16", "customer_id", "aside"),
    Case("blank in bills", "bills", {"customer_id": "  "}, "C16", "customer_id", "aside"),
    Case("no hall", "contacts", {"hall_id": " "}, "C16", "hall_id", "null"),
    Case("no category", "complaints", {"category": None}, "C16", "category", "aside"),
    Case("blank text for a category", "complaints", {"category": None, "text": "\u3000"},
         "C16", "category", "aside"),
    Case("a code for a category", "complaints", {"category": None, "code": "N1"}),
    Case("a text for a category", "complaints", {"category": None, "text": "no signal"}),
    Case("a code and a wrong category", "complaints", {"category": "N1", "code": "N1"},
         "C05", "category", "aside"),
    # C17 a month that is not its first day
    Case("mid-month", "usage", {"month": day("2026-06-15")}, "C17", "month", "aside"),
    # C20 late
    Case("a month later", "contacts", {"known_at": moment("2026-06-03T10:00")}),
    Case("later still", "contacts", {"known_at": moment("2026-06-03T10:01")},
         "C20", "known_at", "warn"),
    # C21 an unknown group
    Case("a group", "customers", {"group_id": "g1"}),
    Case("no such group", "customers", {"group_id": "g9"}, "C21", "group_id", "warn"),
]  # fmt: skip


ALSO = {
    # An infinite score is off every scale, and what is known in the future is known late.
    ("C14", "surveys", "score"),
    ("C20", "contacts", "known_at"),
}


@pytest.fixture(scope="module")
def validation(write, rows, tmp_path_factory):
    tables = rows.good()
    for case in CASES:
        tables[case.table].append(_row(rows, case))
        if case.table in ("bills", "usage"):
            tables["customers"].append(rows.customer(case.name))
    folder = write(tmp_path_factory.mktemp("cases") / "operator", tables)
    return validate(open_source(folder), EVERYTHING_GOES_ON)


def _row(rows, case):
    maker = getattr(rows, case.table.removesuffix("s"))
    return maker(case.name) | case.changes


@pytest.fixture(scope="module")
def breaches(validation):
    return {(one.code, one.table, one.column): one for one in validation.report.breaches}


@pytest.fixture(scope="module")
def clean(validation):
    """The good rows by their key, which names the case."""
    found = {}
    for name, table in validation.source.tables.items():
        for row in table.to_pyarrow().to_pylist():
            found[name, next(iter(row.values()))] = row
    return found


@pytest.fixture(scope="module")
def aside(validation):
    """The rows set aside by their key, with the reason."""
    found = {}
    for name, parts in validation.aside.items():
        for part in parts:
            for row in part.to_pyarrow().to_pylist():
                values = list(row.values())
                found.setdefault((name, values[5]), []).append(row)
    return found


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_row_is_kept_mended_or_set_aside(case, clean, aside, breaches):
    key = case.table, case.changes.get("customer_id", case.name)
    if case.table not in ("bills", "usage", "customers"):
        key = case.table, case.name
    if case.effect == "aside":
        assert key not in clean
        (row,) = aside[key]
        assert (row["code"], row["column"]) == (case.code, case.column)
    else:
        assert key not in aside
        kept = clean[key]
        expected = case.changes.get(case.column)
        if case.effect == "null" and case.column != "known_at":
            assert kept[case.column] is None
        elif case.effect == "warn":
            assert kept[case.column] == expected
    if case.code:
        assert breaches[case.code, case.table, case.column].effect == case.effect


def test_nothing_fires_that_no_case_asks_for(breaches):
    asked = {(case.code, case.table, case.column) for case in CASES if case.code}
    assert set(breaches) == asked


def test_each_check_counts_its_rows(breaches):
    for key, breach in breaches.items():
        cases = [case for case in CASES if (case.code, case.table, case.column) == key]
        assert breach.count == len(cases) + (key in ALSO), key


def test_what_was_known_too_early_is_known_when_it_happened(clean):
    assert clean["contacts", "known before"]["known_at"] == moment("2026-05-03T10:00")


def test_rows_in_are_rows_good_and_rows_set_aside(validation, clean, aside):
    for count in validation.report.counts:
        good = sum(1 for table, _key in clean if table == count.table)
        gone = sum(len(found) for (table, _key), found in aside.items() if table == count.table)
        if count.table not in ("bills", "usage"):
            assert (count.good, count.aside) == (good, gone)
        assert count.rows == count.good + count.aside


def test_a_breach_says_where_how_often_what_and_what_was_expected(breaches):
    assert str(breaches["C04", "complaints", "severity"]) == (
        "complaints.severity: a value out of range, 2 times: 4, 0 (row 3, 4); "
        "expected 1 to 3; values made null [C04]"
    )
    assert str(breaches["C05", "customers", "brand"]).startswith(
        "customers.brand: an unknown code, 2 times: M-Zone, mzone "
    )
    assert str(breaches["C12", "bills", "month"]).endswith(
        "2027-01-01 (row 25); expected before 2026-08-01; rows set aside [C12]"
    )
