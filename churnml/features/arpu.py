"""Spending features: level, trend, composition, rank among peers."""

from __future__ import annotations

import ibis
from ibis import _
from ibis.expr import types as ir

from churnml.features import monthly
from churnml.features.declaration import Feature
from churnml.features.monthly import UNIT
from churnml.features.view import KEYS, JoinedTable, View
from churnml.tables import asof

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
        en="Months without a bill among 12, since activation and the first month on record",
        zh="近12个月无账单月数",
        needs=(*_AMOUNT, "customers.activated_on"),
        zero="a bill for every month",
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


def parts(view: View) -> dict[str, JoinedTable]:
    """The tables joined to the customers: their bills, and their rank among peers."""
    by_table = {"bills": JoinedTable(view.bills, _spending(view.bills, view))}
    if view.has("customers.brand", "customers.region"):
        peers = _peers(view)
        by_table["peers"] = JoinedTable(peers, {"arpu_percentile_3m_percent": peers.percentile})
    return by_table


def columns(row: ir.Table, view: View) -> dict[str, ir.Value]:
    """Features that need the customer's tenure as well as the bills."""
    return {"arpu_missing_12m_months": monthly.missing(row, "bills", 12, row.billed_months)}


def _spending(bills: ir.Table, view: View) -> dict[str, ir.Value]:
    values = monthly.filled(bills, "amount", range(6))
    there = monthly.there(bills, "amount", range(6))
    trend = monthly.MonthlyTrend(there)
    mean = monthly.ratio(monthly.total(values), trend.number)
    means = {
        1: bills.amount_0 / UNIT,
        3: _mean_3m(bills),
        6: mean / UNIT,
        12: monthly.ratio(bills.billed_amount, bills.billed_months) / UNIT,
    }
    columns = {f"arpu_mean_{months}m_yuan": means[months] for months in _WINDOWS}
    columns |= {
        "arpu_last_to_mean_3m_ratio": means[1] / means[3].nullif(0),
        "arpu_last_to_mean_6m_ratio": means[1] / means[6].nullif(0),
        "arpu_slope_6m_yuan": trend.slope(values),
        "arpu_volatility_6m_ratio": trend.volatility(values, mean),
        "arpu_peak_12m_yuan": bills.peak_amount / UNIT,
        "billed_months": bills.billed_months,
    }
    for part in _PARTS:
        if view.has(f"bills.{part}"):
            share = monthly.ratio(bills[f"{part}_sum"], bills[f"{part}_of"])
            columns[f"arpu_{part}_3m_share"] = share
    return columns


def _mean_3m(bills: ir.Table) -> ir.FloatingValue:
    spent = monthly.total(monthly.filled(bills, "amount", range(3)))
    number = monthly.total(monthly.there(bills, "amount", range(3)))
    return monthly.ratio(spent, number) / UNIT


def _peers(view: View) -> ir.Table:
    """The rank of each eligible customer's mean bill within brand and region, in percent."""
    spent = view.bills.select(*KEYS, mean=_mean_3m(view.bills)).filter(_.mean.notnull())
    peers = asof.eligible(view.customers).select(*KEYS, "brand", "region")
    ranks = peers.join(spent, list(KEYS))
    cell = ibis.window(group_by=["as_of", "brand", "region"], order_by="mean")
    return ranks.select(*KEYS, percentile=ibis.percent_rank().over(cell) * 100)
