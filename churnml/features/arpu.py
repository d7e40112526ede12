"""What the customer spends: level, trend, composition, standing among peers."""

from __future__ import annotations

import ibis
from ibis import _
from ibis.expr import types as ir

from churnml import asof
from churnml.features import monthly
from churnml.features.declaration import Feature
from churnml.features.monthly import PER_YUAN
from churnml.features.view import KEYS, Part, View

_AMOUNT = ("bills.amount",)
_PARTS = {
    "voice": ("voice", "语音"),
    "data": ("data", "数据"),
    "value_added": ("value-added services", "增值业务"),
}
_WINDOWS = (1, 3, 6, 12)


def _mean(months: int) -> Feature:
    return Feature(
        name=f"arpu_mean_{months}m_yuan",
        unit="yuan",
        driver="value",
        en=f"Mean monthly bill, last {months} months" if months > 1 else "Bill of the last month",
        zh=f"近{months}个月月均消费",
        needs=_AMOUNT,
        zero="billed 0 yuan",
        null="no bill in these months",
    )


def _last_to_mean(months: int) -> Feature:
    return Feature(
        name=f"arpu_last_to_mean_{months}m_ratio",
        unit="ratio",
        driver="value",
        direction=-1,
        en=f"Bill of the last month against the mean of {months} months",
        zh=f"最近一月消费与近{months}个月均值之比",
        needs=_AMOUNT,
        zero="the last bill is 0 yuan",
        null="no bill in the last month, or a mean of 0",
    )


def _share(part: str) -> Feature:
    en, zh = _PARTS[part]
    return Feature(
        name=f"arpu_{part}_3m_share",
        unit="share",
        driver="value",
        en=f"Share of {en} in the bills of 3 months that tell it",
        zh=f"近3个月{zh}消费占比",
        needs=(*_AMOUNT, f"bills.{part}"),
        zero="nothing was charged for it",
        null="no such bill in 3 months, or bills of 0 yuan",
    )


FEATURES = (
    *(_mean(months) for months in _WINDOWS),
    _last_to_mean(3),
    _last_to_mean(6),
    Feature(
        name="arpu_slope_6m_yuan",
        unit="yuan per month",
        driver="value",
        direction=-1,
        en="Change of the bill per month, least squares over 6 months",
        zh="近6个月消费月均变化",
        needs=_AMOUNT,
        zero="no trend",
        null="fewer than 2 bills in 6 months",
    ),
    Feature(
        name="arpu_volatility_6m_ratio",
        unit="ratio",
        driver="value",
        direction=1,
        en="Standard deviation of the bills of 6 months against their mean",
        zh="近6个月消费波动（变异系数）",
        needs=_AMOUNT,
        zero="every bill the same",
        null="fewer than 2 bills in 6 months, or a mean of 0",
    ),
    Feature(
        name="arpu_peak_12m_yuan",
        unit="yuan",
        driver="value",
        en="Highest bill of 12 months",
        zh="近12个月最高月消费",
        needs=_AMOUNT,
        zero="billed 0 yuan at most",
        null="no bill in 12 months",
    ),
    *(_share(part) for part in _PARTS),
    Feature(
        name="arpu_missing_12m_months",
        unit="months",
        driver="value",
        direction=1,
        en="Months without a bill among 12, counted from the month after activation",
        zh="近12个月无账单月数",
        needs=(*_AMOUNT, "customers.activated_on"),
        zero="a bill for every month, or activated too recently to have missed one",
        null="no month is visible for half of the customers",
    ),
    Feature(
        name="arpu_percentile_3m_percent",
        unit="percent",
        driver="value",
        en="Rank of the mean bill of 3 months among eligible customers of brand and region",
        zh="近3个月月均消费在同品牌同地区中的百分位",
        needs=(*_AMOUNT, "customers.brand", "customers.region"),
        relative=True,
        zero="the lowest, or alone",
        null="no bill in 3 months, or not eligible",
    ),
)


def parts(view: View) -> dict[str, Part]:
    """What stands beside the customers: their bills, and their place among their peers."""
    found = {"bills": Part(view.bills)}
    if view.has("customers.brand", "customers.region"):
        found["peers"] = Part(_peers(view))
    return found


def columns(row: ir.Table, view: View) -> dict[str, ir.Value]:
    """Spending features, from the bills of the last 12 months."""
    found = {f"arpu_mean_{months}m_yuan": row[f"mean_{months}m"] for months in _WINDOWS}
    for months in (3, 6):
        mean = row[f"mean_{months}m"].nullif(0)
        found[f"arpu_last_to_mean_{months}m_ratio"] = row.mean_1m / mean
    found |= {
        "arpu_slope_6m_yuan": monthly.slope(row, "amount", range(6), per=PER_YUAN),
        "arpu_volatility_6m_ratio": monthly.volatility(
            row, "amount", range(6), row.mean_6m, per=PER_YUAN
        ),
        "arpu_peak_12m_yuan": monthly.peak(row, "amount", range(12)) / float(PER_YUAN),
        "arpu_missing_12m_months": monthly.missing(
            row, "amount", range(12), row.bills_ends - asof.month_index(row.activated_on)
        ),
    }
    for part in _PARTS:
        if view.has(f"bills.{part}"):
            whole = monthly.total_where(row, "amount", part, range(3)).nullif(0)
            found[f"arpu_{part}_3m_share"] = monthly.total(row, part, range(3)) / whole
    if view.has("customers.brand", "customers.region"):
        found["arpu_percentile_3m_percent"] = row.arpu_percentile
    return found


def _peers(view: View) -> ir.Table:
    """The rank of each eligible customer's mean bill within brand and region, in percent."""
    spent = view.bills.select(*KEYS, "mean_3m").filter(_.mean_3m.notnull())
    peers = asof.eligible(view.customers).select(*KEYS, "brand", "region")
    ranks = peers.join(spent, list(KEYS))
    cell = ibis.window(group_by=["as_of", "brand", "region"], order_by="mean_3m")
    return ranks.select(*KEYS, arpu_percentile=ibis.percent_rank().over(cell) * 100)
