"""Billing: how the customer pays, at 2026-06-01."""

from datetime import date

MAY, APRIL, MARCH = date(2026, 5, 1), date(2026, 4, 1), date(2026, 3, 1)


def bill(month, amount, issued_on, paid_on, customer="c"):
    return {
        "customer_id": customer,
        "month": month,
        "amount": amount,
        "issued_on": issued_on,
        "paid_on": paid_on,
    }


def test_delays_and_what_is_owed(describe):
    bills = [
        bill(APRIL, 30.5, date(2026, 5, 3), date(2026, 6, 1)),
        bill(MARCH, 12.25, date(2026, 4, 3), None),
        bill(date(2026, 2, 1), 50.0, date(2026, 3, 3), date(2026, 3, 13)),
        bill(date(2026, 1, 1), 50.0, date(2026, 2, 3), date(2026, 2, 3)),
        bill(date(2025, 8, 1), 50.0, date(2025, 9, 3), date(2025, 10, 3)),
        bill(date(2025, 1, 1), 99.0, date(2025, 2, 3), None),
    ]
    row = describe(bills=bills)["c"]
    assert row["billing_delay_mean_6m_days"] == 5
    assert row["billing_delay_max_12m_days"] == 30
    # April's was paid on the day of as_of, which is too late to be known.
    assert row["billing_unpaid_sum_12m_yuan"] == 42.75
    assert row["billing_unpaid_count_12m_months"] == 2
    assert row["billing_unpaid_oldest_12m_days"] == 59
    assert row["billing_paid_last_12m_days"] == 80


def test_owing_nothing_is_zero_and_no_bill_is_null(describe):
    bills = [bill(APRIL, 30.0, date(2026, 5, 3), date(2026, 5, 4))]
    bills += [bill(date(2025, 1, 1), 9.0, date(2025, 2, 3), None, "old")]
    rows = describe(customers=[{}, {"customer_id": "old"}], bills=bills)
    assert rows["c"]["billing_unpaid_sum_12m_yuan"] == 0
    assert rows["c"]["billing_unpaid_count_12m_months"] == 0
    assert rows["c"]["billing_unpaid_oldest_12m_days"] is None
    billing = {value for name, value in rows["old"].items() if name.startswith("billing")}
    assert billing == {None}


def test_without_dates_of_payment_nothing_is_said(describe):
    row = describe(bills=[{"month": MAY}])["c"]
    assert not [name for name in row if name.startswith("billing")]
