"""The test of features in time: passes churnml's own, and fails those that look ahead."""

from datetime import date

import pandas as pd
import pyarrow as pa
import pytest

import churnml
from churnml import Extra
from churnml.errors import UsageError
from churnml.features import Feature, builder
from churnml.testing import assert_point_in_time

CROWD = [f"C{number}" for number in range(6)]
DAY = "2026-03-01"


@pytest.fixture(scope="module")
def source():
    customers = pa.table(
        {
            "customer_id": CROWD,
            "activated_on": [date(2024, 1, 1)] * 6,
            "terminated_on": [None, None, None, None, None, date(2026, 3, 20)],
            "payment": ["prepaid", "postpaid"] * 3,
        }
    )
    months = [date(2026, month, 1) for month in (1, 2, 3)]
    bills = pa.table(
        {
            "customer_id": CROWD * 3,
            "month": [month for month in months for _ in CROWD],
            "amount": [10.0 * number for number in range(18)],
            "paid_on": [date(2026, 3, 5)] * 18,
        }
    )
    crm = pd.DataFrame([(one, month, 5.0) for one in CROWD for month in months])
    crm.columns = ["customer_id", "month", "balance"]
    crm["balance"] = [float(number) for number in range(18)]
    crm["known_at"] = pd.to_datetime(crm["month"]) + pd.DateOffset(months=1)
    # C0 has its February late.
    crm.loc[1, "known_at"] = pd.Timestamp("2026-03-09")
    extra = Extra(crm, columns={"balance": {"aggregate": ["last", "sum"], "windows": ["2mo"]}})
    return churnml.open_source({"customers": customers, "bills": bills}, extra={"crm": extra})


def test_all_features_of_a_source_pass(source):
    assert_point_in_time(source, as_of=DAY)


def test_features_by_name_pass_and_unknown_ones_are_refused(source):
    assert_point_in_time(source, ["crm_balance_last_2m", "arpu_mean_3m_yuan"], as_of=DAY)
    with pytest.raises(UsageError, match=r"no feature 'crm_balance_last_2'.*Did you mean"):
        assert_point_in_time(source, "crm_balance_last_2", as_of=DAY)


def leak(name):
    return Feature(name=name, unit="", driver="value", en=name, zh=name, needs=("bills.amount",))


@builder(leak("leak_amount"))
def later_bills(view):
    bills = view.tables["bills"].group_by("customer_id")
    sums = bills.agg(leak_amount=view.tables["bills"].amount.sum())
    return view.rows.select("customer_id", "as_of").join(sums, "customer_id")[
        ["customer_id", "as_of", "leak_amount"]
    ]


@builder(leak("honest_amount"))
def seen_bills(view):
    rows = view.last_months("bills", 2)
    return rows.group_by("customer_id", "as_of").agg(honest_amount=rows.amount.sum())


def late_rows(source, day):
    """Knows the months before the date, whenever they arrived."""
    rows = source.tables["crm"]
    rows = rows.filter(rows.month < day)
    return rows.group_by("customer_id").agg(leak_balance=rows.balance.sum())


def later_payment(source, day):
    """Reads of a bill that was seen when it was paid later."""
    rows = source.tables["bills"]
    rows = rows.filter(rows.month < date(2026, 2, 1))
    return rows.group_by("customer_id").agg(leak_paid=rows.paid_on.max().day())


def later_values(source, day):
    """Counts on rows that are there in either case: only their values tell."""
    rows = source.tables["crm"]
    last = rows.filter(rows.month == rows.month.max())
    known = rows.filter(rows.month < date(2026, 2, 1)).select("customer_id", "balance")
    frame = known.to_pandas()
    frame["leak"] = float(last.balance.max().to_pyarrow().as_py() > 20)
    return frame


@pytest.mark.parametrize(
    ("leaky", "words"),
    [
        (later_bills, "leak_amount is not point in time: of customer C0 at 2026-03-01"),
        (late_rows, r"leak_balance .*customer C0 .*taken away \(1 of 6 customers differ\)"),
        (later_payment, "leak_paid is not point in time: of customer C0"),
        (later_values, "leak is not point in time"),
    ],
)
def test_what_looks_ahead_fails_with_its_name_and_a_customer(source, leaky, words):
    with pytest.raises(AssertionError, match=words):
        assert_point_in_time(source, leaky, as_of=DAY)


def test_a_builder_that_keeps_the_rule_passes(source):
    assert_point_in_time(source, seen_bills, as_of=DAY)


def test_customers_that_only_later_rows_tell_fail(source):
    def stayers(source, day):
        rows = source.tables["customers"]
        return rows.filter(rows.terminated_on.isnull()).select("customer_id", x=1)

    with pytest.raises(AssertionError, match="Customer C5 is among the rows"):
        assert_point_in_time(source, stayers, as_of=DAY)


def test_a_date_after_which_nothing_lies_is_refused(source):
    with pytest.raises(UsageError, match="Nothing in frames happened or became known after"):
        assert_point_in_time(source, as_of="2026-06-01")
