"""The time rule: what had happened, and was known, at midnight of ``as_of``."""

from datetime import date, datetime, timedelta

import ibis
import pyarrow as pa
import pytest

from churnml.base.dates import parse_dates
from churnml.tables import asof
from churnml.tables.contract import TABLES

JUNE = date(2026, 6, 1)
MIDNIGHT = datetime(2026, 6, 1)
SECOND = timedelta(seconds=1)


def table(rows, **types):
    kinds = {"date": pa.date32(), "moment": pa.timestamp("us"), "text": pa.string()}
    schema = pa.schema([(name, kinds[kind]) for name, kind in types.items()])
    return ibis.memtable(pa.Table.from_pylist(rows, schema=schema))


def ids(rows, name):
    return sorted(rows[name].to_pyarrow().to_pylist())


def complaints(*opened, **more):
    rows = [
        {"complaint_id": str(place), "customer_id": "c", "opened_at": at}
        for place, at in enumerate(opened)
    ]
    rows = [
        row | {name: values[place] for name, values in more.items()}
        for place, row in enumerate(rows)
    ]
    return table(
        rows,
        complaint_id="text",
        customer_id="text",
        opened_at="moment",
        **dict.fromkeys(more, "moment"),
    )


def known(name, rows, lag=timedelta()):
    return rows.mutate(known_at=asof.known_at(rows, TABLES[name], lag))


class TestKnownAt:
    def of(self, name, row, lag=timedelta(), **types):
        rows = known(name, table([row], **types), lag)
        return rows.known_at.to_pyarrow()[0].as_py()

    def test_an_event_is_known_when_it_happens_or_after_the_lag(self):
        row = {"opened_at": MIDNIGHT}
        assert self.of("complaints", row, opened_at="moment") == MIDNIGHT
        later = self.of("complaints", row, timedelta(days=3), opened_at="moment")
        assert later == MIDNIGHT + timedelta(days=3)

    def test_a_month_is_known_when_it_has_ended(self):
        row = {"month": date(2026, 5, 1)}
        assert self.of("usage", row, month="date") == MIDNIGHT
        assert self.of("usage", row, timedelta(hours=5), month="date") == datetime(2026, 6, 1, 5)

    @pytest.mark.parametrize(
        ("issued_on", "known_at", "expected"),
        [
            (date(2026, 6, 3), None, datetime(2026, 6, 4)),
            (date(2026, 6, 3), datetime(2026, 6, 9, 7), datetime(2026, 6, 9, 7)),
            # Known before it was issued cannot be; a date's end is what it says.
            (date(2026, 6, 3), datetime(2026, 6, 2), datetime(2026, 6, 4)),
            (None, datetime(2026, 6, 2), datetime(2026, 6, 2)),
            (None, None, MIDNIGHT),
        ],
    )
    def test_a_bill_is_known_from_its_issue(self, issued_on, known_at, expected):
        row = {"month": date(2026, 5, 1), "issued_on": issued_on, "known_at": known_at}
        types = {"month": "date", "issued_on": "date"}
        assert self.of("bills", row, **types, known_at="moment") == expected
        if known_at is None:
            assert (
                self.of("bills", row | {"known_at": None}, **types, known_at="moment") == expected
            )
            assert self.of("bills", {k: row[k] for k in types}, **types) == expected

    def test_a_state_is_known_from_its_first_day(self):
        row = {"valid_from": date(2026, 5, 7), "activated_on": date(2020, 1, 1)}
        found = self.of("customers", row, valid_from="date", activated_on="date")
        assert found == datetime(2026, 5, 7)
        assert self.of("customers", {"activated_on": JUNE}, activated_on="date") == MIDNIGHT
        # A group that does not say since when has always been there.
        assert self.of("groups", {"registered_on": None}, registered_on="date").year == 1900


class TestVisible:
    def test_events_before_midnight_that_were_known_by_then(self):
        rows = complaints(
            MIDNIGHT - SECOND,
            MIDNIGHT,
            MIDNIGHT - SECOND,
            MIDNIGHT - SECOND,
            known_at=[None, None, MIDNIGHT, MIDNIGHT + SECOND],
        )
        seen = asof.visible(known("complaints", rows), TABLES["complaints"], asof.moments(JUNE))
        assert ids(seen, "complaint_id") == ["0", "2"]

    def test_months_that_had_ended(self):
        months = [date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)]
        rows = table(
            [{"customer_id": "c", "month": month} for month in months],
            customer_id="text",
            month="date",
        )
        rows = known("usage", rows)
        seen = asof.visible(rows, TABLES["usage"], asof.moments([JUNE, "2026-05-31"]))
        found = seen.select("as_of", "month").to_pyarrow().to_pylist()
        assert sorted((row["as_of"], row["month"]) for row in found) == [
            (date(2026, 5, 31), months[0]),
            (JUNE, months[0]),
            (JUNE, months[1]),
        ]

    def test_only_the_spine_s_customers_where_there_is_one(self):
        rows = complaints(MIDNIGHT - SECOND)
        spine = table([{"customer_id": "other", "as_of": JUNE}], customer_id="text", as_of="date")
        spec = TABLES["complaints"]
        assert (
            asof.visible(known("complaints", rows), spec, spine).count().to_pyarrow().as_py() == 0
        )

    def test_later_events_are_hidden_until_they_have_happened(self):
        opened = [MIDNIGHT - timedelta(days=9)] * 3
        rows = complaints(
            *opened,
            closed_at=[MIDNIGHT - SECOND, MIDNIGHT, None],
            reopened_at=[MIDNIGHT + SECOND, None, None],
        )
        seen = asof.visible(known("complaints", rows), TABLES["complaints"], asof.moments(JUNE))
        found = seen.order_by("complaint_id").to_pyarrow().to_pydict()
        assert found["closed_at"] == [MIDNIGHT - SECOND, None, None]
        assert found["reopened_at"] == [None, None, None]

    def test_a_score_is_hidden_with_its_answer(self):
        rows = ibis.memtable(
            pa.table(
                {
                    "customer_id": ["c", "c"],
                    "sent_at": pa.array([MIDNIGHT - SECOND] * 2, pa.timestamp("us")),
                    "answered_at": pa.array([MIDNIGHT - SECOND, MIDNIGHT], pa.timestamp("us")),
                    "score": [1.0, 2.0],
                }
            )
        )
        seen = asof.visible(known("surveys", rows), TABLES["surveys"], asof.moments(JUNE))
        assert sorted(seen.score.to_pyarrow().to_pylist(), key=str) == [1.0, None]


def customers(*versions, named=True):
    types = {
        "customer_id": "text",
        "activated_on": "date",
        "terminated_on": "date",
        "payment": "text",
    }
    types |= {"valid_from": "date", "known_at": "moment"} if named else {}
    rows = [{"customer_id": "c", "activated_on": date(2020, 1, 1)} | row for row in versions]
    return known("customers", table(rows, **types))


class TestInForce:
    def payment(self, as_of, *versions):
        spec = TABLES["customers"]
        rows = asof.in_force(customers(*versions), spec, asof.moments(as_of))
        return ids(rows, "payment")

    def test_the_last_version_that_had_begun(self):
        versions = [
            {"valid_from": date(2020, 1, 1), "payment": "first"},
            {"valid_from": date(2026, 5, 31), "payment": "second"},
            {"valid_from": JUNE, "payment": "third"},
        ]
        assert self.payment("2026-05-31", *versions) == ["first"]
        assert self.payment(JUNE, *versions) == ["second"]
        assert self.payment("2026-06-02", *versions) == ["third"]
        assert self.payment("2020-01-01", *versions) == []

    def test_a_version_known_too_late_is_not_in_force_yet(self):
        versions = [
            {"valid_from": date(2020, 1, 1), "payment": "first"},
            {"valid_from": date(2026, 5, 1), "payment": "late", "known_at": MIDNIGHT + SECOND},
        ]
        assert self.payment(JUNE, *versions) == ["first"]
        assert self.payment("2026-06-02", *versions) == ["late"]

    def test_of_one_day_s_versions_the_last_known_counts(self):
        versions = [
            {"valid_from": date(2026, 5, 1), "payment": "mended", "known_at": datetime(2026, 5, 9)},
            {"valid_from": date(2026, 5, 1), "payment": "wrong", "known_at": datetime(2026, 5, 2)},
        ]
        assert self.payment(JUNE, *versions) == ["mended"]

    def test_without_versions_there_is_one_state_from_activation_on(self):
        rows = customers({"payment": "now"}, named=False)
        for as_of, found in (("2020-01-01", []), ("2020-01-02", ["now"])):
            there = asof.in_force(rows, TABLES["customers"], asof.moments(as_of))
            assert ids(there, "payment") == found

    def test_only_the_wanted_keys(self):
        wanted = table([{"customer_id": "d", "as_of": JUNE}], customer_id="text", as_of="date")
        rows = customers({"payment": "p", "valid_from": date(2020, 1, 1)})
        assert ids(asof.in_force(rows, TABLES["customers"], wanted), "payment") == []


def test_the_spine_holds_who_had_come_and_not_gone():
    rows = customers(
        {"customer_id": "there"},
        {"customer_id": "new", "activated_on": date(2026, 5, 31)},
        {"customer_id": "too-new", "activated_on": JUNE},
        {"customer_id": "gone", "terminated_on": date(2026, 5, 31)},
        {"customer_id": "going", "terminated_on": JUNE},
        named=False,
    )
    spine = asof.spine({"customers": rows}, JUNE)
    assert ids(spine, "customer_id") == ["going", "new", "there"]
    both = asof.spine({"customers": rows}, [JUNE, "2026-05-31"])
    assert ids(both, "customer_id") == ["going", "going", "gone", "new", "there", "there"]


def test_dates_are_sorted_and_distinct():
    assert parse_dates(["2026-06-01", date(2026, 5, 1), "2026-06-01T08:00"]) == [
        date(2026, 5, 1),
        JUNE,
    ]


class TestLatestMonth:
    def of(self, months, eligible, as_of=(JUNE,), **more):
        rows = [
            {"customer_id": name, "month": month} | more
            for name, given in months.items()
            for month in given
        ]
        types = {"customer_id": "text", "month": "date"} | dict.fromkeys(more, "date")
        bills = known("bills", table(rows, **types))
        people = [{"customer_id": name, "as_of": day} for day in as_of for name in eligible]
        spine = table(people, customer_id="text", as_of="date")
        return asof.latest_months({"bills": bills}, spine, list(as_of))["bills"]

    def test_half_of_the_eligible_suffice(self):
        may, april = date(2026, 5, 1), date(2026, 4, 1)
        months = {"a": [april, may], "b": [april], "stranger": [may], "c": [], "d": []}
        assert self.of(months, "ab") == {JUNE: may}
        assert self.of(months, "abc") == {JUNE: april}
        assert self.of(months, "abcd") == {JUNE: april}
        assert self.of({"a": [april, may]}, "abc") == {}

    def test_a_month_that_has_not_ended_or_is_not_issued_does_not_count(self):
        months = {"a": [date(2026, 4, 1), date(2026, 5, 1), JUNE]}
        assert self.of(months, "a") == {JUNE: date(2026, 5, 1)}
        assert self.of(months, "a", as_of=(date(2026, 5, 31),)) == {
            date(2026, 5, 31): date(2026, 4, 1)
        }
        assert self.of(months, "a", issued_on=JUNE) == {}

    def test_the_last_month_of_stale_data_is_found_however_old(self):
        months = {"a": [date(2019, 3, 1)], "b": [date(2019, 2, 1), date(2019, 3, 1)]}
        assert self.of(months, "ab") == {JUNE: date(2019, 3, 1)}

    def test_nobody_eligible_and_nothing_there(self):
        assert self.of({}, "a") == {}
        assert self.of({"a": [date(2026, 5, 1)]}, "") == {}

    def test_each_date_has_its_own(self):
        days = (date(2026, 3, 1), JUNE)
        months = {"a": [date(2026, 1, 1), date(2026, 2, 1), date(2026, 4, 1)]}
        assert self.of(months, "a", as_of=days) == {
            days[0]: date(2026, 2, 1),
            JUNE: date(2026, 4, 1),
        }


def test_a_calendar_counts_back_from_the_latest_month():
    found = asof.calendar({JUNE: date(2026, 1, 1)}, 3).order_by("ago").to_pyarrow().to_pylist()
    assert [(row["month"], row["ago"]) for row in found] == [
        (date(2026, 1, 1), 0),
        (date(2025, 12, 1), 1),
        (date(2025, 11, 1), 2),
    ]
    assert asof.calendar({}, 3).count().to_pyarrow().as_py() == 0


def test_the_last_months_are_those_of_the_calendar_that_were_known():
    months = [date(2026, 5, 1), date(2026, 4, 1), date(2026, 3, 1), date(2026, 1, 1)]
    issued = [JUNE, date(2026, 5, 31), date(2026, 4, 3), date(2026, 2, 3)]
    rows = [
        {"customer_id": "c", "month": month, "issued_on": day, "paid_on": JUNE}
        for month, day in zip(months, issued, strict=True)
    ]
    bills = table(rows, customer_id="text", month="date", issued_on="date", paid_on="date")
    calendar = asof.calendar({JUNE: months[0]}, 4)
    seen = asof.last_months(known("bills", bills), TABLES["bills"], calendar)
    found = seen.order_by("ago").to_pyarrow().to_pydict()
    assert found["ago"] == [1, 2]
    assert found["paid_on"] == [None, None]


def test_the_last_days_begin_at_midnight():
    edge = datetime(2026, 5, 2)
    rows = complaints(edge, edge - SECOND, MIDNIGHT - SECOND)
    seen = asof.visible(known("complaints", rows), TABLES["complaints"], asof.moments(JUNE))
    inside = seen.filter(asof.last_days(seen, "opened_at", 30))
    assert ids(inside, "complaint_id") == ["0", "2"]
