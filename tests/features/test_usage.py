"""Usage at 2026-06-01: level, trend, volatility, quality."""

from datetime import date

import pytest

from churnml.base.dates import months_before

MAY = date(2026, 5, 1)


def month(ago, minutes=0.0, customer="c", **more):
    row = {"customer_id": customer, "month": months_before(MAY, ago), "voice_minutes": minutes}
    return row | more


def test_level_trend_and_volatility(describe):
    minutes = [10.0, 40.0, 70.0, None, 120.0, 160.0, 999.0]
    usage = [month(ago, value) for ago, value in enumerate(minutes) if value is not None]
    row = describe(usage=usage)["c"]
    assert row["usage_voice_mean_1m_minutes"] == 10
    assert row["usage_voice_mean_3m_minutes"] == 40
    assert row["usage_voice_last_to_mean_6m_ratio"] == pytest.approx(10 / 80)
    assert row["usage_voice_slope_6m_minutes"] == pytest.approx(-500 / 17.2)
    assert row["usage_voice_volatility_6m_ratio"] == pytest.approx((14600 / 4) ** 0.5 / 80)
    assert row["usage_missing_6m_months"] == 1


def test_silence_is_zero_and_no_record_is_null(describe):
    usage = [month(ago, active_days=0) for ago in range(6)] + [month(7, active_days=1)]
    rows = describe(
        customers=[{}, {"customer_id": "none"}, {"customer_id": "new", "activated_on": MAY}],
        usage=[*usage, month(0, 5.0, "new", active_days=31)],
    )
    silent, none, new = rows["c"], rows["none"], rows["new"]
    assert silent["usage_active_mean_3m_days"] == 0
    assert silent["usage_active_last_to_mean_6m_ratio"] is None
    assert silent["usage_active_slope_6m_days"] == 0
    assert silent["usage_active_last_12m_days"] == 212
    assert silent["usage_missing_6m_months"] == 0
    assert none["usage_active_mean_3m_days"] is None
    assert none["usage_active_last_12m_days"] is None
    assert none["usage_missing_6m_months"] == 6
    young = describe(usage=[month(0), month(1)], customers=[{}, {"customer_id": "none"}])
    assert young["c"]["usage_missing_6m_months"] == 0
    assert young["none"]["usage_missing_6m_months"] == 2
    assert new["usage_active_last_12m_days"] == 0
    assert new["usage_active_mean_1m_days"] == 31
    assert new["usage_voice_slope_6m_minutes"] is None
    assert new["usage_missing_6m_months"] == 0


def test_quality_is_measured_where_it_is_recorded(describe):
    usage = [
        month(0, 100.0, offnet_minutes=50.0, dropped_calls=3, data_speed_mbps=10.0),
        month(1, 900.0, data_speed_mbps=20.0),
        month(2, 100.0, offnet_minutes=30.0, dropped_calls=1),
        month(3, 50.0, offnet_minutes=5.0, data_speed_mbps=60.0),
        month(4, 0.0, offnet_minutes=0.0),
    ]
    row = describe(usage=usage)["c"]
    assert row["usage_offnet_3m_share"] == pytest.approx(0.4)
    assert row["usage_offnet_change_3m_share"] == pytest.approx(0.3)
    assert row["usage_dropped_sum_3m_calls"] == 4
    assert row["usage_dropped_rate_3m_per_100min"] == pytest.approx(2)
    assert row["usage_speed_mean_3m_mbps"] == 15
    assert row["usage_speed_change_3m_ratio"] == 0.25


def test_without_the_optional_columns_their_features_are_absent(describe):
    row = describe(usage=[month(0, 10.0)])["c"]
    assert "usage_voice_mean_1m_minutes" in row
    absent = ("usage_offnet", "usage_dropped", "usage_speed")
    assert not [name for name in row if name.startswith(absent)]
