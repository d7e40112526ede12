"""C06 and C10: of rows that share a key the one known first stays."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnml.config.settings import Config
from churnml.tables.source import open_source
from churnml.tables.validation import validate

ALL = Config.model_validate({"validation": {"set_aside_limit": 1}})
JUNE = dt.date(2026, 6, 1)


def known(day, hour=0):
    return dt.datetime(2026, 7, day, hour)


def bills_of(validation):
    table = validation.source.tables["bills"]
    return table.order_by("customer_id", "month").to_pyarrow().to_pylist()


@pytest.fixture
def check(write, rows, folder):
    def _check(*bills):
        tables = {"customers": [rows.customer("c1"), rows.customer("c2")], "bills": list(bills)}
        return validate(open_source(write(folder, tables)), ALL)

    return _check


def test_rows_with_keys_of_their_own_are_left_as_they_are(check, rows):
    found = check(rows.bill("c1"), rows.bill("c2"), rows.bill("c1", 5))
    assert found.report.breaches == ()
    assert found.source.cleaned == {}


def test_months_of_many_years_are_told_apart(check, rows):
    years = [rows.bill() | {"month": dt.date(year, 6, 1)} for year in range(2020, 2027)]
    assert [one.code for one in check(*years).report.breaches] == ["C11"]
    assert [one.code for one in check(*years, years[3]).report.breaches] == ["C10", "C11"]


def test_the_bill_known_first_stays(check, rows):
    late, early = known(9), known(3)
    found = check(rows.bill(amount=2.0, known_at=late), rows.bill(amount=1.0, known_at=early))
    (bill,) = bills_of(found)
    assert (bill["amount"], bill["known_at"]) == (1.0, early)
    (breach,) = found.report.breaches
    assert str(breach) == (
        "bills.customer_id, month: two rows with one key: c1 2026-06-01 (row 1); expected one row "
        "for each customer_id and month: of several the one known first stays, and none where "
        "the first ones contradict each other; rows set aside [C10]"
    ).replace("two rows with one key", "two bills for one month")


def test_of_equal_bills_one_stays(check, rows):
    found = check(rows.bill(), rows.bill(), rows.bill(), rows.bill("c2"))
    assert len(bills_of(found)) == 2
    (count,) = [one for one in found.report.counts if one.table == "bills"]
    assert (count.rows, count.good, count.aside) == (4, 2, 2)


def test_bills_that_differ_and_were_known_together_all_go(check, rows):
    found = check(rows.bill(amount=1.0), rows.bill(amount=2.0), rows.bill("c2"))
    assert [bill["customer_id"] for bill in bills_of(found)] == ["c2"]


def test_a_later_bill_does_not_win_where_first_ones_differ(check, rows):
    found = check(
        rows.bill(amount=1.0, known_at=known(3)),
        rows.bill(amount=2.0, known_at=known(3)),
        rows.bill(amount=3.0, known_at=known(9)),
    )
    assert bills_of(found) == []


def test_a_missing_value_is_a_difference(check, rows):
    found = check(rows.bill(voice=None), rows.bill(voice=1.0))
    assert bills_of(found) == []


def test_a_bad_row_does_not_take_the_good_one_of_its_key_with_it(check, rows):
    found = check(rows.bill(amount=-1.0), rows.bill(amount=5.0))
    assert [bill["amount"] for bill in bills_of(found)] == [5.0]


def test_other_tables_have_C06(write, rows, folder):
    tables = rows.good()
    tables["complaints"] = [rows.complaint("k1"), rows.complaint("k1", category="tariff")]
    found = validate(open_source(write(folder, tables)), ALL)
    (breach,) = found.report.breaches
    assert (breach.code, breach.column, breach.examples) == ("C06", "complaint_id", ("k1",))


def test_versions_of_a_customer_are_no_duplicates(write, rows, folder):
    versions = [
        rows.customer("c1", valid_from=dt.date(2020, 1, 1), brand="mzone"),
        rows.customer("c1", valid_from=dt.date(2026, 1, 1), brand="gotone"),
        rows.customer("c1", valid_from=dt.date(2026, 1, 1), brand="other"),
        rows.customer("c2", valid_from=None),
        rows.customer("c2", valid_from=None),
    ]
    tables = {"customers": versions, "bills": [rows.bill()]}
    found = validate(open_source(write(folder, tables)), ALL)
    left = found.source.tables["customers"].order_by("customer_id").to_pyarrow().to_pylist()
    assert [(row["customer_id"], row["brand"]) for row in left] == [("c1", "mzone"), ("c2", None)]


@settings(max_examples=5, deadline=None)
@given(
    amounts=st.lists(st.integers(1, 3), min_size=1, max_size=4),
    later=st.lists(st.tuples(st.integers(1, 3), st.integers(10, 20)), max_size=3),
)
def test_what_becomes_known_later_never_changes_which_row_stays(
    amounts, later, write, rows, tmp_path_factory
):
    def left(bills):
        tables = {"customers": [rows.customer("c1")], "bills": bills}
        folder = write(tmp_path_factory.mktemp("keys"), tables)
        return bills_of(validate(open_source(folder), ALL))

    first = [rows.bill(amount=float(a), known_at=known(3)) for a in amounts]
    more = [rows.bill(amount=float(a), known_at=known(day)) for a, day in later]
    assert left([*more, *first]) == left(first)
