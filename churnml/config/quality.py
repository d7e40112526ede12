"""The settings of service quality: its indicators with their targets, and how they are told.

What each indicator counts is code (`churnml.service.quality.measures`); what it is called, what
it should be and why stands here.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from churnml.config.section import Section, Share

Stage = Literal["hall", "hotline", "network", "tariff", "billing"]
"""Along the customer's way: 营业厅, 热线, 网络, 资费, 账单."""


class Indicator(Section):
    """An indicator as people read it."""

    stage: Stage
    kind: Literal["operation", "perception"]
    definition: str = Field(description="what is counted, to be printed beside the number")
    unit: str = Field(description="share, points, seconds, hours or a rate")
    target: float | None = Field(None, description="what the value should reach; none: no light")
    direction: Literal[1, -1] = Field(description="1 where more is better, -1 where less is")
    norm: str = Field("", description="where the target comes from")
    itu_e803: str = Field("", description="the parameter of ITU-T E.803 that it resembles")
    en: str
    zh: str


def _indicator(
    stage: Stage,
    kind: Literal["operation", "perception"],
    unit: str,
    direction: Literal[1, -1],
    en: str,
    zh: str,
    definition: str,
    **more: Any,
) -> Indicator:
    return Indicator(
        stage=stage,
        kind=kind,
        unit=unit,
        direction=direction,
        en=en,
        zh=zh,
        definition=definition,
        **more,
    )


_WERE_THERE = "mean score, 0 to 100, of answers given within 30 days after a contact there"
_ASKED = "mean score, 0 to 100, of the answers about it"

INDICATORS: dict[str, Indicator] = {
    "hall_wait_over_10min": _indicator(
        "hall",
        "operation",
        "share",
        -1,
        "Hall waits over 10 minutes",
        "营业厅等待超10分钟占比",
        "of hall visits with a known wait, not dealt with while waiting: the share over 600 s",
        target=0.1,
        norm="waiting no longer than 10 minutes; that 90 % do not is this project's choice",
        itu_e803="accessibility to technical support",
    ),
    "hall_pre_served": _indicator(
        "hall",
        "operation",
        "share",
        1,
        "Dealt with while waiting",
        "业务预处理占比",
        "of hall visits that tell: the share dealt with beforehand, while waiting",
    ),
    "hall_self_service": _indicator(
        "hall",
        "operation",
        "share",
        1,
        "Done at a terminal in the hall",
        "自助终端办理占比",
        "of contacts in halls and at their terminals: the share at a terminal",
    ),
    "hall_resolved": _indicator(
        "hall",
        "operation",
        "share",
        1,
        "Settled in the hall",
        "营业厅一次办结占比",
        "of hall visits that tell: the share settled when the visit ended",
    ),
    "hall_complaints": _indicator(
        "hall",
        "operation",
        "per 1,000 customer-months",
        -1,
        "Complaints about the service window",
        "服务窗口投诉率",
        "complaints of category service_window, per 1,000 customer-months",
        itu_e803="organisational efficiency of complaint management",
    ),
    "hall_satisfaction": _indicator(
        "hall",
        "perception",
        "points",
        1,
        "Satisfaction of those who were in a hall",
        "营业厅客户满意度",
        _WERE_THERE,
        target=79.1,
        norm="third-party survey at the end of 2011",
        itu_e803="opinion rating",
    ),
    "hotline_service_level": _indicator(
        "hotline",
        "operation",
        "share",
        1,
        "Answered in time",
        "热线应答及时率",
        "of calls for a person, without those given up early: the share answered in time",
        target=0.8,
        norm="an agent within 15 s (3G service norm, trial, 2009); the share is a custom",
        itu_e803="accessibility to technical support",
    ),
    "hotline_abandoned": _indicator(
        "hotline",
        "operation",
        "share",
        -1,
        "Calls given up",
        "热线呼损率",
        "of calls for a person, without those given up early: the share never answered",
    ),
    "hotline_wait_median": _indicator(
        "hotline",
        "operation",
        "seconds",
        -1,
        "Median wait on the hotline",
        "热线等待时长中位数",
        "of calls for a person, answered or given up: Kaplan and Meier's median",
        target=15,
        norm="an agent within 15 s (3G service norm, trial, 2009)",
    ),
    "hotline_wait_p95": _indicator(
        "hotline",
        "operation",
        "seconds",
        -1,
        "Wait that 95 % of callers do not exceed",
        "热线等待时长95分位数",
        "of calls for a person, answered or given up: Kaplan and Meier's 95th percentile",
    ),
    "hotline_fcr_7d": _indicator(
        "hotline",
        "operation",
        "share",
        1,
        "First-contact resolution, 7 days",
        "热线一次解决率（7天）",
        "of hotline contacts: the share not followed within 7 days, on any channel, by another "
        "of the same customer and item; of any item where none is recorded",
    ),
    "hotline_fcr_30d": _indicator(
        "hotline",
        "operation",
        "share",
        1,
        "First-contact resolution, 30 days",
        "热线一次解决率（30天）",
        "of hotline contacts: the share not followed within 30 days, on any channel, by another "
        "of the same customer and item; of any item where none is recorded",
    ),
    "hotline_resolved": _indicator(
        "hotline",
        "operation",
        "share",
        1,
        "Settled, as the agent says",
        "坐席登记解决率",
        "of hotline contacts that tell: the share settled when the call ended",
    ),
    "hotline_self_service": _indicator(
        "hotline",
        "operation",
        "share",
        1,
        "Done by the voice menu",
        "语音自助办理占比",
        "of hotline contacts that tell: the share that a machine dealt with",
    ),
    "hotline_satisfaction": _indicator(
        "hotline",
        "perception",
        "points",
        1,
        "Satisfaction of those who called",
        "热线客户满意度",
        _WERE_THERE,
        target=79.1,
        norm="third-party survey at the end of 2011, of halls",
        itu_e803="opinion rating",
    ),
    "network_complaints": _indicator(
        "network",
        "operation",
        "per 1,000 customer-months",
        -1,
        "Complaints about the network",
        "网络投诉率",
        "complaints of category network, per 1,000 customer-months",
        itu_e803="organisational efficiency of complaint management",
    ),
    "network_repair_median": _indicator(
        "network",
        "operation",
        "hours",
        -1,
        "Median time to settle a network complaint",
        "网络投诉处理时长中位数",
        "of complaints of category network: Kaplan and Meier's median of the hours to their "
        "closing, those still open counted as at least as long",
        target=24,
        norm="faults repaired within 24 h on average (service norm of 2009)",
        itu_e803="repairs within a specified time",
    ),
    "network_dropped": _indicator(
        "network",
        "operation",
        "per 1,000 minutes",
        -1,
        "Calls cut off",
        "掉话率",
        "calls cut off, per 1,000 minutes called",
    ),
    "network_speed": _indicator(
        "network",
        "operation",
        "Mbit/s",
        1,
        "Mean download speed",
        "平均下载速率",
        "mean over customers of their month's mean download speed",
    ),
    "network_satisfaction": _indicator(
        "network",
        "perception",
        "points",
        1,
        "Satisfaction with the network",
        "网络满意度",
        _ASKED,
        itu_e803="opinion rating",
    ),
    "tariff_complaints": _indicator(
        "tariff",
        "operation",
        "per 1,000 customer-months",
        -1,
        "Complaints about the tariff",
        "资费投诉率",
        "complaints of category tariff, per 1,000 customer-months",
        itu_e803="pricing transparency",
    ),
    "tariff_satisfaction": _indicator(
        "tariff",
        "perception",
        "points",
        1,
        "Satisfaction with the tariff",
        "资费满意度",
        _ASKED,
        itu_e803="opinion rating",
    ),
    "billing_complaints": _indicator(
        "billing",
        "operation",
        "per 1,000 customer-months",
        -1,
        "Complaints about business support",
        "业务支撑投诉率",
        "complaints of category business_support, per 1,000 customer-months",
    ),
    "billing_enquiries": _indicator(
        "billing",
        "operation",
        "per 1,000 customer-months",
        -1,
        "Enquiries about a bill",
        "账单查询率",
        "hall and hotline contacts about a bill, per 1,000 customer-months",
    ),
    "billing_on_time": _indicator(
        "billing",
        "operation",
        "share",
        1,
        "Bills issued in time",
        "账单及时率",
        "of the bills of a month that tell: the share issued by the 5th of the next",
    ),
    "billing_satisfaction": _indicator(
        "billing",
        "perception",
        "points",
        1,
        "Satisfaction with business support",
        "业务支撑满意度",
        _ASKED,
        itu_e803="opinion rating",
    ),
}
"""The indicators by name, in the order of the customer's way."""


class QualitySettings(Section):
    """Service quality: indicators, halls, hotline, word of mouth."""

    months: int = Field(24, ge=1, le=240, description="months told, the last whole one included")
    by: tuple[Literal["region", "hall_id", "brand"], ...] = Field(
        ("region", "hall_id", "brand"), description="columns of customers whose values are cells"
    )
    indicators: dict[str, Indicator] = Field(
        INDICATORS, description="by name; a file may leave some out or change their targets"
    )
    answer_seconds: float = Field(15, gt=0, description="a call is answered in time within this")
    short_seconds: float = Field(
        5, ge=0, description="calls given up earlier count neither for nor against"
    )
    hall_seconds: float = Field(600, gt=0, description="a hall wait beyond it is too long")
    hall_share: Share = Field(0.9, description="share of visits that windows must serve by then")
    window_seconds: dict[str, float] = Field(
        {}, description="service item: seconds at a window, where no times are recorded"
    )
    most_halls: int = Field(
        60, ge=0, description="halls whose windows are worked out, the busiest first"
    )
    profile_months: int = Field(
        3, ge=1, description="last months that make profiles, menus and windows"
    )
    bill_items: tuple[str, ...] = Field(
        ("bill_query",), description="service items that are about a bill"
    )
    menu: tuple[str, ...] = Field(
        (), description="the hotline's items in today's order, against which keys are saved"
    )
    menu_least: Share = Field(0.01, description="rarer items of the menu go under more")
    promoters_from: float = Field(85, description="a score of 0 to 100 from which on one promotes")
    detractors_to: float = Field(60, description="a score up to which one detracts")
    pooled_below: int = Field(
        30, ge=2, description="groups of customers with fewer answers are pooled for the mix"
    )
    fewest_halls: int = Field(
        10, ge=3, description="halls from which on a regression over them has an interval"
    )

    @field_validator("indicators", mode="before")
    @classmethod
    def _fill(cls, given: Any) -> Any:
        """What is left out of an indicator has its default."""
        if not isinstance(given, dict):
            return given
        known = {name: one.model_dump() for name, one in INDICATORS.items()}
        return {
            name: known.get(name, {}) | one if isinstance(one, dict) else one
            for name, one in given.items()
        }

    @model_validator(mode="after")
    def _known(self) -> Self:
        unknown = sorted(set(self.indicators) - set(INDICATORS))
        if unknown:
            raise ValueError(f"no such indicator: {', '.join(unknown)}")
        if not self.detractors_to < self.promoters_from:
            raise ValueError("detractors_to < promoters_from must hold")
        return self
