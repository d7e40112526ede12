"""Payment features: delays and unpaid bills."""

from __future__ import annotations

from ibis.expr import types as ir

from churnml.features import monthly
from churnml.features.declaration import Feature
from churnml.features.monthly import UNIT
from churnml.features.view import JoinedTable, View

_PAID = ("bills.amount", "bills.paid_on")
_ISSUED = ("bills.issued_on", "bills.paid_on")
_NO_BILL = "no bill in 12 months"

FEATURES = (
    Feature(
        name="billing_delay_mean_6m_days",
        unit="days",
        driver="value",
        direction=1,
        en="Mean days from issue to payment of the bills of 6 months that were paid",
        zh="近6个月平均缴费天数",
        needs=_ISSUED,
        zero="paid on the day of issue",
        null="no bill of 6 months was paid",
    ),
    Feature(
        name="billing_delay_max_12m_days",
        unit="days",
        driver="value",
        direction=1,
        en="Longest days from issue to payment of the bills of 12 months that were paid",
        zh="近12个月最长缴费天数",
        needs=_ISSUED,
        zero="always paid on the day of issue",
        null="no bill of 12 months was paid",
    ),
    Feature(
        name="billing_unpaid_sum_12m_yuan",
        unit="yuan",
        driver="value",
        direction=1,
        en="Sum of the bills of 12 months that are not paid",
        zh="近12个月欠费金额",
        needs=_PAID,
        zero="nothing is owed",
        null=_NO_BILL,
    ),
    Feature(
        name="billing_unpaid_count_12m_months",
        unit="months",
        driver="value",
        direction=1,
        en="Bills of 12 months that are not paid",
        zh="近12个月欠费月数",
        needs=_PAID,
        zero="every bill is paid",
        null=_NO_BILL,
    ),
    Feature(
        name="billing_unpaid_oldest_12m_days",
        unit="days",
        driver="value",
        direction=1,
        en="Days since the oldest unpaid bill of 12 months was issued",
        zh="最早未缴账单已出账天数",
        needs=_ISSUED,
        null="every bill is paid, or there is none",
    ),
    Feature(
        name="billing_paid_last_12m_days",
        unit="days",
        driver="value",
        direction=1,
        en="Days since a bill of 12 months was last paid",
        zh="距最近一次缴费天数",
        needs=_PAID,
        null="no bill of 12 months was paid",
    ),
)


def parts(view: View) -> dict[str, JoinedTable]:
    """The tables joined to the customers: their paid and unpaid bills.

    A payment counts once it has happened: a bill paid at or after ``as_of`` is unpaid.
    """
    if not view.has("bills.paid_on"):
        return {}
    bills = view.bills
    billed = bills.billed_months > 0
    owed = bills.unpaid_amount.fill_null(0) / UNIT
    by_table = {
        "billing_unpaid_sum_12m_yuan": billed.ifelse(owed, None),
        "billing_unpaid_count_12m_months": billed.ifelse(bills.unpaid_months, None),
        "billing_paid_last_12m_days": bills.as_of.delta(bills.last_paid_on, unit="day"),
    }
    if view.has("bills.issued_on"):
        oldest = bills.as_of.delta(bills.oldest_unpaid_on, unit="day")
        by_table |= {
            "billing_delay_mean_6m_days": monthly.ratio(bills.delay_days, bills.delay_bills),
            "billing_delay_max_12m_days": bills.longest_delay_days,
            "billing_unpaid_oldest_12m_days": oldest,
        }
    return {"bills": JoinedTable(bills, by_table)}


def columns(row: ir.Table, view: View) -> dict[str, ir.Value]:
    """No further features."""
    return {}
