"""How the customer uses the network: level, trend, volatility, quality."""

from __future__ import annotations

import ibis
from ibis.expr import types as ir

from churnml import asof
from churnml.features import monthly
from churnml.features.declaration import Feature
from churnml.features.view import Part, View

_LEVELS = {
    # part of the name: column, unit, English, Chinese
    "voice": ("voice_minutes", "minutes", "Voice minutes", "通话分钟数"),
    "data": ("data_mb", "mb", "Data volume", "数据流量"),
    "active": ("active_days", "days", "Active days", "活跃天数"),
}
_NONE = "no usage on record in these months"


def _level(name: str) -> tuple[Feature, ...]:
    column, unit, en, zh = _LEVELS[name]
    needs = (f"usage.{column}",)
    common = {"driver": "usage", "needs": needs}
    return (
        Feature(
            name=f"usage_{name}_mean_1m_{unit}",
            unit=unit,
            direction=-1,
            en=f"{en} in the last month",
            zh=f"最近一月{zh}",
            zero="a month without any",
            null=_NONE,
            **common,
        ),
        Feature(
            name=f"usage_{name}_mean_3m_{unit}",
            unit=unit,
            direction=-1,
            en=f"{en} per month, mean of 3 months",
            zh=f"近3个月月均{zh}",
            zero="none in any of the months",
            null=_NONE,
            **common,
        ),
        Feature(
            name=f"usage_{name}_last_to_mean_6m_ratio",
            unit="ratio",
            direction=-1,
            en=f"{en} in the last month against the mean of 6",
            zh=f"最近一月{zh}与近6个月均值之比",
            zero="none in the last month",
            null="nothing on record in the last month, or a mean of 0",
            **common,
        ),
        Feature(
            name=f"usage_{name}_slope_6m_{unit}",
            unit=f"{unit} per month",
            direction=-1,
            en=f"Change of {en.lower()} per month, least squares over 6 months",
            zh=f"近6个月{zh}月均变化",
            zero="no trend",
            null="fewer than 2 months on record in 6",
            **common,
        ),
        Feature(
            name=f"usage_{name}_volatility_6m_ratio",
            unit="ratio",
            direction=1,
            en=f"Standard deviation of {en.lower()} over 6 months against the mean",
            zh=f"近6个月{zh}波动（变异系数）",
            zero="the same every month",
            null="fewer than 2 months on record in 6, or a mean of 0",
            **common,
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
        name="usage_dropped_mean_3m_calls",
        unit="calls per month",
        driver="network",
        direction=1,
        en="Dropped calls per month, mean of 3 months",
        zh="近3个月月均掉话次数",
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
        en="Months without a usage record among 6, counted from the month after activation",
        zh="近6个月无使用记录月数",
        needs=("usage.voice_minutes", "customers.activated_on"),
        zero="a record for every month, or activated too recently to have missed one",
        null="no month is visible for half of the customers",
    ),
)


def parts(view: View) -> dict[str, Part]:
    """What stands beside the customers: their usage."""
    return {"usage": Part(view.usage)}


def columns(row: ir.Table, view: View) -> dict[str, ir.Value]:
    """Usage features, from the last 12 months on record."""
    found: dict[str, ir.Value] = {}
    for name, (column, unit, *_texts) in _LEVELS.items():
        last, mean = row[f"{column}_0"], row[f"{column}_mean"]
        found |= {
            f"usage_{name}_mean_1m_{unit}": last.cast("float64"),
            f"usage_{name}_mean_3m_{unit}": monthly.mean(row, column, range(3)),
            f"usage_{name}_last_to_mean_6m_ratio": last / mean.nullif(0),
            f"usage_{name}_slope_6m_{unit}": monthly.slope(row, column, range(6)),
            f"usage_{name}_volatility_6m_ratio": monthly.volatility(row, column, range(6), mean),
        }
    if view.has("usage.data_speed_mbps"):
        found |= _speed(row)
    if view.has("usage.offnet_minutes"):
        share = _per_minute(row, "offnet_minutes", range(3))
        before = _per_minute(row, "offnet_minutes", range(3, 6))
        found |= {"usage_offnet_3m_share": share, "usage_offnet_change_3m_share": share - before}
    if view.has("usage.dropped_calls"):
        rate = _per_minute(row, "dropped_calls", range(3)) * 100.0
        found["usage_dropped_mean_3m_calls"] = monthly.mean(row, "dropped_calls", range(3))
        found["usage_dropped_rate_3m_per_100min"] = rate
    return found | {
        "usage_active_last_12m_days": _since_active(row),
        "usage_missing_6m_months": monthly.missing(
            row, "voice_minutes", range(6), row.usage_ends - asof.month_index(row.activated_on)
        ),
    }


def _speed(row: ir.Table) -> dict[str, ir.Value]:
    now = monthly.mean(row, "data_speed_mbps", range(3))
    before = monthly.mean(row, "data_speed_mbps", range(3, 6))
    return {
        "usage_speed_mean_3m_mbps": now,
        "usage_speed_change_3m_ratio": now / before.nullif(0),
    }


def _per_minute(row: ir.Table, column: str, ago: range) -> ir.FloatingValue:
    """A column's sum over the voice minutes of the months in which it is known."""
    minutes = monthly.total_where(row, "voice_minutes", column, ago)
    return monthly.total(row, column, ago) / minutes.nullif(0)


def _since_active(row: ir.Table) -> ir.IntegerValue:
    """Days from the end of the last month with an active day."""
    ended = (row.last_active + ibis.interval(months=1)).cast("date")
    return row.as_of.delta(ended, unit="day")
