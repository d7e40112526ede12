"""Complaints at 2026-06-01: the customer's own, and those around them."""

from datetime import date, datetime, timedelta

import pytest

from churnml.config.settings import Config

AS_OF = datetime(2026, 6, 1)


def complaint(days, category="network", customer="c", **more):
    """A complaint made so many days before as_of."""
    opened = AS_OF - timedelta(days=days)
    return {"customer_id": customer, "opened_at": opened, "category": category} | more


def test_windows_are_half_open(describe):
    second = 1 / 86_400
    complaints = [
        complaint(0),
        complaint(second),
        complaint(30, "tariff"),
        complaint(30 + second, "tariff"),
        complaint(90, "other"),
        complaint(180, "service_window"),
        complaint(180 + second, "business_support"),
    ]
    row = describe(complaints=complaints)["c"]
    assert [row[f"complaints_all_count_{days}d"] for days in (30, 90, 180)] == [2, 4, 5]
    assert row["complaints_network_count_30d"] == 1
    assert [row[f"complaints_tariff_count_{days}d"] for days in (30, 90)] == [1, 2]
    assert row["complaints_other_count_90d"] == 1
    assert row["complaints_service_window_count_180d"] == 1
    assert row["complaints_business_support_count_180d"] == 0
    assert row["complaints_last_days"] == 1


def test_open_closed_and_reopened(describe):
    def closed(days):
        return {"closed_at": AS_OF - timedelta(days=days)}

    complaints = [
        complaint(400),
        complaint(50, **closed(48)),
        complaint(20, **closed(0)),
        complaint(10, **closed(8), reopened_at=AS_OF - timedelta(days=3)),
        complaint(9, **closed(5), reopened_at=AS_OF - timedelta(days=6)),
        complaint(8, **closed(4), reopened_at=AS_OF),
    ]
    row = describe(complaints=complaints)["c"]
    assert row["complaints_open_count"] == 3
    assert row["complaints_open_oldest_days"] == 400
    assert row["complaints_close_mean_180d_hours"] == (2 + 2 + 4 + 4) * 24 / 4
    assert row["complaints_reopened_count_180d"] == 2


def test_never_complained_and_nothing_open(describe):
    rows = describe(
        customers=[{}, {"customer_id": "calm"}],
        complaints=[complaint(9, closed_at=AS_OF - timedelta(days=9), severity=None)],
    )
    assert rows["c"]["complaints_open_count"] == 0
    assert rows["c"]["complaints_open_oldest_days"] is None
    assert rows["c"]["complaints_close_mean_180d_hours"] == 0
    assert rows["c"]["complaints_severity_max_180d_level"] is None
    assert rows["calm"]["complaints_all_count_180d"] == 0
    assert rows["calm"]["complaints_repeat_count_180d"] == 0
    assert rows["calm"]["complaints_last_days"] is None


def test_severity_and_repeats(describe):
    complaints = [
        complaint(201, "tariff"),
        complaint(171, "tariff", severity=3),
        complaint(140.9, "tariff", severity=1),
        complaint(140, "network", severity=1),
        complaint(140, "network"),
        complaint(120, "other"),
    ]
    row = describe(complaints=complaints)["c"]
    assert row["complaints_repeat_count_180d"] == 2
    assert row["complaints_severity_max_180d_level"] == 3
    assert row["complaints_severity_mean_180d_level"] == pytest.approx(5 / 3)
    config = Config.model_validate({"complaints": {"repeat_days": 31}})
    assert describe(complaints=complaints, config=config)["c"]["complaints_repeat_count_180d"] == 3


def test_complaints_around_against_what_is_usual(describe):
    customers = [
        {"hall_id": "H1", "region": "北"},
        {"customer_id": "near", "hall_id": "H1", "region": "北"},
        {"customer_id": "left", "hall_id": "H1", "terminated_on": date(2026, 1, 1)},
        {"customer_id": "far", "hall_id": "H2", "region": "北"},
        {"customer_id": "nowhere"},
    ]
    complaints = [complaint(days, customer="near") for days in (1, 2, 3)]
    complaints += [complaint(100, "tariff", "left"), complaint(101, "network", "left")]
    # On record for 90 days before the last 30, so that a usual month is a third of them.
    complaints += [complaint(120, "tariff", "far")]
    rows = describe(customers=customers, complaints=complaints)
    assert rows["c"]["complaints_hall_surge_30d_ratio"] == pytest.approx(4 / (2 / 3 + 1))
    assert rows["c"]["complaints_network_hall_surge_30d_ratio"] == pytest.approx(4 / (1 / 3 + 1))
    assert rows["c"]["complaints_region_surge_30d_ratio"] == pytest.approx(4 / (1 / 3 + 1))
    assert rows["far"]["complaints_hall_surge_30d_ratio"] == pytest.approx(1 / (1 / 3 + 1))
    assert rows["nowhere"]["complaints_hall_surge_30d_ratio"] is None
    short = describe(
        customers=customers, complaints=[*complaints[:3], complaint(59, customer="far")]
    )
    assert short["c"]["complaints_hall_surge_30d_ratio"] is None
