"""ARPU: what the customer spends, by the bills visible at 2026-06-01."""

from datetime import date, datetime

import pytest

MAY, APRIL, MARCH = date(2026, 5, 1), date(2026, 4, 1), date(2026, 3, 1)


def bill(month, amount, customer="c", **more):
    return {"customer_id": customer, "month": month, "amount": amount} | more


def test_means_trend_and_peak_pass_over_months_without_a_bill(describe):
    bills = [bill(MAY, 30.0), bill(APRIL, 60.0), bill(date(2026, 1, 1), 90.0)]
    bills += [bill(date(2025, 12, 1), 100.0), bill(date(2025, 7, 1), 220.0)]
    row = describe(bills=bills)["c"]
    assert row["arpu_mean_1m_yuan"] == 30
    assert row["arpu_mean_3m_yuan"] == 45
    assert row["arpu_mean_6m_yuan"] == 70
    assert row["arpu_mean_12m_yuan"] == 100
    assert row["arpu_peak_12m_yuan"] == 220
    assert row["arpu_last_to_mean_3m_ratio"] == pytest.approx(30 / 45)
    assert row["arpu_last_to_mean_6m_ratio"] == pytest.approx(30 / 70)
    # Least squares of 30, 60, 90, 100 at 0, -1, -4, -5 months.
    assert row["arpu_slope_6m_yuan"] == pytest.approx(-220 / 17)
    assert row["arpu_volatility_6m_ratio"] == pytest.approx((3000 / 3) ** 0.5 / 70)
    # The record begins in July 2025: 11 months, of which 5 have a bill.
    assert row["arpu_missing_12m_months"] == 6


def test_a_bill_of_nothing_is_not_the_same_as_no_bill(describe):
    customers = [{}, {"customer_id": "none"}, {"customer_id": "new", "activated_on": MAY}]
    rows = describe(
        customers=customers, bills=[bill(MAY, 0.0), bill(APRIL, 0.0), bill(MAY, 5.0, "new")]
    )
    zero, none, new = rows["c"], rows["none"], rows["new"]
    assert zero["arpu_mean_3m_yuan"] == 0
    assert zero["arpu_last_to_mean_3m_ratio"] is None
    assert zero["arpu_slope_6m_yuan"] == 0
    assert zero["arpu_volatility_6m_ratio"] is None
    assert zero["arpu_missing_12m_months"] == 0
    assert none["arpu_mean_12m_yuan"] is None
    assert none["arpu_peak_12m_yuan"] is None
    # April and May, which are all that the record has.
    assert none["arpu_missing_12m_months"] == 2
    assert new["arpu_slope_6m_yuan"] is None
    assert new["arpu_volatility_6m_ratio"] is None
    assert new["arpu_missing_12m_months"] == 0


def test_every_bill_the_same_has_neither_trend_nor_volatility(describe):
    months = [date(2026, month, 1) for month in (1, 2, 3, 4, 5)]
    row = describe(bills=[bill(month, 58.13) for month in months])["c"]
    assert row["arpu_mean_6m_yuan"] == 58.13
    assert row["arpu_slope_6m_yuan"] == 0
    assert row["arpu_volatility_6m_ratio"] == 0


def test_shares_are_of_the_bills_that_tell_the_part(describe):
    bills = [
        bill(MAY, 100.0, voice=40.0, value_added=0.0),
        bill(APRIL, 50.0, value_added=None),
        bill(MARCH, 100.0, voice=20.0, value_added=None),
        bill(date(2026, 2, 1), 1000.0, voice=1000.0),
    ]
    row = describe(bills=bills)["c"]
    assert row["arpu_voice_3m_share"] == 0.3
    assert row["arpu_value_added_3m_share"] == 0
    assert "arpu_data_3m_share" not in row


def test_bills_issued_or_known_too_late_are_not_seen(describe):
    bills = [
        bill(MAY, 10.0, issued_on=date(2026, 6, 1)),
        bill(APRIL, 20.0, issued_on=date(2026, 5, 3), known_at=datetime(2026, 6, 1, 0, 0, 1)),
        bill(MARCH, 40.0, issued_on=date(2026, 5, 31), known_at=datetime(2026, 6, 1)),
    ]
    row = describe(bills=bills)["c"]
    assert row["arpu_mean_1m_yuan"] is None
    assert row["arpu_mean_12m_yuan"] == 40


def test_the_percentile_is_within_brand_and_region(describe):
    cell = {"brand": "gotone", "region": "北"}
    people = [
        {"customer_id": name} | cell | more
        for name, more in (
            ("low", {}),
            ("same", {}),
            ("twin", {}),
            ("high", {}),
            ("left", {"terminated_on": date(2026, 5, 20)}),
            ("south", {"region": "南"}),
        )
    ]
    amounts = {"low": 1.0, "same": 5.0, "twin": 5.0, "high": 9.0, "left": 2.0, "south": 3.0}
    bills = [bill(MAY, amount, name) for name, amount in amounts.items()]
    rows = describe(customers=[{}, *people], bills=bills)
    found = {name: rows[name]["arpu_percentile_3m_percent"] for name in rows if name in amounts}
    assert found == {
        "low": 0,
        "same": pytest.approx(100 / 3),
        "twin": pytest.approx(100 / 3),
        "high": 100,
        "south": 0,
    }
    assert rows["c"]["arpu_percentile_3m_percent"] is None


def test_no_month_before_the_record_begins_is_missing(describe):
    """A warehouse of 3 months: who has a bill in each has missed none, at whatever date."""
    bills = [bill(month, 50.0, known_at=datetime(2026, 6, 1)) for month in (MAY, APRIL, MARCH)]
    # Reached the warehouse after the date: it does not make the record begin earlier.
    bills.append(bill(date(2025, 1, 1), 50.0, known_at=datetime(2026, 6, 2)))
    row = describe(bills=bills)["c"]
    assert row["arpu_missing_12m_months"] == 0
    later = describe(bills=bills, as_of="2026-06-03")["c"]
    assert later["arpu_missing_12m_months"] == 9
