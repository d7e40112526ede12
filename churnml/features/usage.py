"""Usage features: level, trend, volatility, quality."""

from __future__ import annotations

from dataclasses import replace

import ibis
from ibis.expr import types as ir

from churnml.features import monthly
from churnml.features.declaration import Feature
from churnml.features.monthly import UNIT
from churnml.features.view import JoinedTable, View

_LEVELS = {
    # part of the name: column, unit, English, Chinese
    "voice": ("voice_minutes", "minutes", "Voice minutes", "通话分钟数"),
    "data": ("data_mb", "mb", "Data volume", "数据流量"),
    "active": ("active_days", "days", "Active days", "活跃天数"),
}
_NONE = "no usage on record in these months"


def _level(name: str) -> tuple[Feature, ...]:
    column, unit, en, zh = _LEVELS[name]
    plain = Feature(
        name=f"usage_{name}_mean_3m_{unit}",
        unit=unit,
        driver="usage",
        direction=-1,
        en=f"{en} per month, mean of 3 months",
        zh=f"近3个月月均{zh}",
        needs=(f"usage.{column}",),
        zero="none in any of the months",
        null=_NONE,
    )
    return (
        replace(
            plain,
            name=f"usage_{name}_mean_1m_{unit}",
            en=f"{en} in the last month",
            zh=f"最近一月{zh}",
            zero="a month without any",
        ),
        plain,
        replace(
            plain,
            name=f"usage_{name}_last_to_mean_6m_ratio",
            unit="ratio",
            en=f"{en} in the last month against the mean of 6",
            zh=f"最近一月{zh}与近6个月均值之比",
            zero="none in the last month",
            null="nothing on record in the last month, or a mean of 0",
        ),
        replace(
            plain,
            name=f"usage_{name}_slope_6m_{unit}",
            unit=f"{unit} per month",
            en=f"Change of {en.lower()} per month, least squares over 6 months",
            zh=f"近6个月{zh}月均变化",
            zero="no trend",
            null="fewer than 2 months on record in 6",
        ),
        replace(
            plain,
            name=f"usage_{name}_volatility_6m_ratio",
            unit="ratio",
            direction=1,
            en=f"Standard deviation of {en.lower()} over 6 months against the mean",
            zh=f"近6个月{zh}波动（变异系数）",
            zero="the same every month",
            null="fewer than 2 months on record in 6, or a mean of 0",
        ),
    )


FEATURES = (
    *(feature for name in _LEVELS for feature in _level(name)),
    Feature(
        name="usage_offnet_3m_share",
        unit="share",
        driver="usage",
        direction=1,
        en="Share of off-net minutes in the voice minutes of 3 months",
        zh="近3个月网外通话占比",
        needs=("usage.offnet_minutes", "usage.voice_minutes"),
        zero="no off-net call",
        null="no voice minutes in 3 months, or off-net minutes not recorded",
    ),
    Feature(
        name="usage_offnet_change_3m_share",
        unit="share",
        driver="usage",
        direction=1,
        en="Off-net share of 3 months less that of the 3 months before",
        zh="网外通话占比变化（近3个月较前3个月）",
        needs=("usage.offnet_minutes", "usage.voice_minutes"),
        zero="unchanged",
        null="one of the two shares is null",
    ),
    Feature(
        name="usage_dropped_sum_3m_calls",
        unit="calls",
        driver="network",
        direction=1,
        en="Dropped calls in 3 months",
        zh="近3个月掉话次数",
        needs=("usage.dropped_calls",),
        zero="no dropped call",
        null=_NONE,
    ),
    Feature(
        name="usage_dropped_rate_3m_per_100min",
        unit="calls per 100 minutes",
        driver="network",
        direction=1,
        en="Dropped calls per 100 voice minutes of 3 months",
        zh="近3个月每百分钟掉话次数",
        needs=("usage.dropped_calls", "usage.voice_minutes"),
        zero="no dropped call",
        null="no voice minutes in 3 months, or dropped calls not recorded",
    ),
    Feature(
        name="usage_speed_mean_3m_mbps",
        unit="Mbit/s",
        driver="network",
        direction=-1,
        en="Mean download speed, mean of 3 months",
        zh="近3个月平均下载速率",
        needs=("usage.data_speed_mbps",),
        zero="no throughput",
        null="no speed on record in these months",
    ),
    Feature(
        name="usage_speed_change_3m_ratio",
        unit="ratio",
        driver="network",
        direction=-1,
        en="Mean download speed of 3 months against the 3 months before",
        zh="近3个月下载速率与前3个月之比",
        needs=("usage.data_speed_mbps",),
        zero="no throughput",
        null="no speed on record in one of the two, or 0 before",
    ),
    Feature(
        name="usage_active_last_12m_days",
        unit="days",
        driver="usage",
        direction=1,
        en="Days since the end of the last month with an active day, among 12 months",
        zh="距最近活跃月末天数",
        needs=("usage.active_days",),
        zero="that month ended yesterday",
        null="no active day in 12 months on record",
    ),
    Feature(
        name="usage_missing_6m_months",
        unit="months",
        driver="usage",
        direction=1,
        en="Months without usage on record among 6, since activation and the first month on record",
        zh="近6个月无使用记录月数",
        needs=("usage.voice_minutes", "customers.activated_on"),
        zero="a record for every month",
        null="no month is visible for half of the customers",
    ),
)


def parts(view: View) -> dict[str, JoinedTable]:
    """The tables joined to the customers: usage of the last 12 months on record."""
    row = view.usage
    # A record has all three levels, as the contract requires them.
    trend = monthly.MonthlyTrend(monthly.there(row, "voice_minutes", range(6)))
    sums: dict[str, ir.Value] = {"used_months": row.used_months}
    for name, (column, unit, *_texts) in _LEVELS.items():
        values = monthly.filled(row, column, range(6))
        mean = monthly.ratio(monthly.total(values), trend.number)
        recent = monthly.ratio(monthly.total(values[:3]), monthly.total(trend.there[:3]))
        last = row[f"{column}_0"]
        sums |= {
            f"usage_{name}_mean_1m_{unit}": last / UNIT,
            f"usage_{name}_mean_3m_{unit}": recent / UNIT,
            f"usage_{name}_last_to_mean_6m_ratio": last / mean.nullif(0),
            f"usage_{name}_slope_6m_{unit}": trend.slope(values),
            f"usage_{name}_volatility_6m_ratio": trend.volatility(values, mean),
        }
    ended = (row.last_active + ibis.interval(months=1)).cast("date")
    sums["usage_active_last_12m_days"] = row.as_of.delta(ended, unit="day")
    return {"usage": JoinedTable(row, sums | _quality(row, view))}


def columns(row: ir.Table, view: View) -> dict[str, ir.Value]:
    """Features that need the customer's tenure as well as the usage."""
    return {"usage_missing_6m_months": monthly.missing(row, "usage", 6, row.used_months)}


def _quality(row: ir.Table, view: View) -> dict[str, ir.Value]:
    columns: dict[str, ir.Value] = {}
    if view.has("usage.offnet_minutes"):
        share = monthly.ratio(row.offnet_minutes_3m, row.offnet_minutes_of_3m)
        before = monthly.ratio(row.offnet_minutes_6m, row.offnet_minutes_of_6m)
        columns |= {"usage_offnet_3m_share": share, "usage_offnet_change_3m_share": share - before}
    if view.has("usage.dropped_calls"):
        rate = monthly.ratio(row.dropped_calls_3m, row.dropped_calls_of_3m)
        columns["usage_dropped_sum_3m_calls"] = row.dropped_calls_3m / UNIT
        columns["usage_dropped_rate_3m_per_100min"] = rate * 100
    if view.has("usage.data_speed_mbps"):
        speed = monthly.ratio(row.speed_3m, row.speeds_3m)
        before = monthly.ratio(row.speed_6m, row.speeds_6m)
        columns["usage_speed_mean_3m_mbps"] = speed / UNIT
        columns["usage_speed_change_3m_ratio"] = speed / before.nullif(0)
    return columns
