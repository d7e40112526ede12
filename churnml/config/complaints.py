"""Settings of the complaints: their codes, and what counts as repeated and long unsolved."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from churnml.config.section import Section

CodeMeaning = Annotated[
    str,
    StringConstraints(
        pattern=r"^(network|tariff|business_support|service_window|other)(/[a-z][a-z0-9_]*)?$"
    ),
]
"""What a code says: a category, or a category and its subcategory after a stroke."""

RegulatorClass = Literal["user_service", "network_quality", "charging_dispute"]
"""The regulator's classes: 用户服务, 网络质量, 收费争议."""

_CODES: dict[str, CodeMeaning] = {
    "NET": "network",
    "NET-01": "network/weak_signal",
    "NET-02": "network/call_cut_off",
    "NET-03": "network/slow_data",
    "NET-099": "business_support/number_portability",
    "TAR": "tariff",
    "TAR-01": "tariff/unclear_charge",
    "TAR-02": "tariff/unwanted_service",
    "TAR-03": "tariff/roaming_charge",
    "TAR-09": "business_support/order_failed",
    "TAR-092": "service_window/wrong_advice",
    "BUS": "business_support",
    "BUS-01": "business_support/order_failed",
    "BUS-02": "business_support/wrong_record",
    "BUS-03": "business_support/number_portability",
    "WIN": "service_window",
    "WIN-01": "service_window/long_wait",
    "WIN-02": "service_window/unfriendly",
    "WIN-03": "service_window/wrong_advice",
    "OTH": "other",
    "OTH-01": "other/spam",
    "OTH-02": "other/store_partner",
}

_REGULATOR: dict[CodeMeaning, RegulatorClass] = {
    "network": "network_quality",
    "tariff": "charging_dispute",
    "business_support": "user_service",
    "service_window": "user_service",
    "other": "user_service",
}


class ComplaintSettings(Section):
    """How complaints are put into categories, and what counts as repeated and long unsolved."""

    repeat_days: int = Field(
        30, ge=1, description="same category again within this many days is a repeat"
    )
    codes: dict[str, CodeMeaning] = Field(
        _CODES,
        description="the operator's code: category or category/subcategory; the longest that a "
        "code begins with counts, the code itself first",
    )
    regulator: dict[CodeMeaning, RegulatorClass] = Field(
        _REGULATOR,
        description="category or category/subcategory: the regulator's class beside it",
    )
    regulator_channels: tuple[str, ...] = Field(
        ("regulator", "申诉", "工信部申诉", "12300"),
        description="values of channel that mean a complaint to the regulator (申诉)",
    )
    long_days: int = Field(
        30, ge=1, description="open for this many days is long unsolved (长期未解决)"
    )
    low_score: float = Field(
        60.0, ge=0, le=100, description="an answer of at most this many points of 100 is low"
    )
    months: int = Field(12, ge=1, le=120, description="whole months that are looked back on")
    precision: float = Field(
        0.95, gt=0.5, lt=1, description="texts are coded where at least this share is right"
    )
    min_records: int = Field(
        30, ge=10, description="coded records of a category before texts are coded by it"
    )
    text_records: int = Field(
        5_000, ge=100, description="coded records that a model of the texts learns from at most"
    )
