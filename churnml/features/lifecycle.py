"""Customer features: tenure, brand, payment, age, contract."""

from __future__ import annotations

from ibis.expr import types as ir

from churnml.features.declaration import Feature
from churnml.features.view import JoinedTable, View

_NOT_IN_FORCE = "no version of the customer was in force"

FEATURES = (
    Feature(
        name="lifecycle_tenure_days",
        unit="days",
        driver="lifecycle",
        direction=-1,
        en="Days since service began",
        zh="在网时长（天）",
        needs=("customers.activated_on",),
        null=_NOT_IN_FORCE,
    ),
    Feature(
        name="lifecycle_brand",
        unit="",
        driver="lifecycle",
        kind="category",
        en="Brand",
        zh="品牌",
        needs=("customers.brand",),
        null="the brand is not recorded",
    ),
    Feature(
        name="lifecycle_payment",
        unit="",
        driver="lifecycle",
        kind="category",
        en="Prepaid or postpaid",
        zh="付费方式",
        needs=("customers.payment",),
        null=_NOT_IN_FORCE,
    ),
    Feature(
        name="lifecycle_age_years",
        unit="years",
        driver="lifecycle",
        en="Age: the year less the year of birth",
        zh="年龄",
        needs=("customers.birth_year",),
        zero="born this year",
        null="the year of birth is not recorded",
    ),
    Feature(
        name="lifecycle_contract_end_days",
        unit="days",
        driver="lifecycle",
        en="Days until the contract ends; negative once it has ended",
        zh="距合约到期天数（已到期为负）",
        # Today's contract end is the renewed one of those who stayed; only its past may teach.
        needs=("customers.contract_ends_on", "customers.valid_from"),
        zero="the contract ends today",
        null="no contract on record",
    ),
    Feature(
        name="lifecycle_as_of_month",
        unit="month",
        driver="lifecycle",
        en="Month of the year, 1 to 12",
        zh="月份",
        needs=("customers.activated_on",),
        null=_NOT_IN_FORCE,
    ),
)


def parts(view: View) -> dict[str, JoinedTable]:
    """No tables: the customers' own columns suffice."""
    return {}


def columns(row: ir.Table, view: View) -> dict[str, ir.Value]:
    """Lifecycle features of the customers in force."""
    known = row.activated_on.notnull()
    features = {
        "lifecycle_tenure_days": row.as_of.delta(row.activated_on, unit="day"),
        "lifecycle_payment": row.payment,
        "lifecycle_as_of_month": known.ifelse(row.as_of.month(), None),
    }
    if view.has("customers.brand"):
        features["lifecycle_brand"] = row.brand
    if view.has("customers.birth_year"):
        features["lifecycle_age_years"] = row.as_of.year() - row.birth_year
    if view.has("customers.contract_ends_on"):
        ends = row.contract_ends_on
        features["lifecycle_contract_end_days"] = ends.delta(row.as_of, unit="day")
    return features
