"""Settings of retention: what a campaign costs, and who gets which offer."""

from __future__ import annotations

from pydantic import Field

from churnml.config.section import Section, Share, Span


class Costs(Section):
    """What a retention campaign costs, and what a customer who stays is worth; yuan."""

    contact_cost: float = Field(2.0, ge=0, description="of contacting one customer, yuan")
    offer_cost: float = Field(60.0, ge=0, description="of one offer that is accepted, yuan")
    success_rate: Share = Field(
        0.3, description="share of the leavers contacted who accept the offer and stay"
    )
    stayers_accept: Share = Field(
        1.0, description="share of the others contacted who take the offer too"
    )
    margin: Share = Field(0.4, description="profit in a yuan that the customer spends")
    months_kept: float = Field(12.0, gt=0, description="months that a customer kept stays")
    default_value: float = Field(
        1000.0, ge=0, description="worth of a customer where nobody's spending is known, yuan"
    )


class SegmentLimits(Section):
    """How many customers of one segment are offered something."""

    least: int = Field(0, ge=0, description="customers at least, as far as offers are worth it")
    most: int | None = Field(None, ge=0, description="customers at most; by default all")


class RetentionSettings(Section):
    """Who gets which offer under a budget."""

    horizon: Span = Field(
        "2mo", description="after the offer: who leaves within it was not kept by the offer"
    )
    propensity: Share | None = Field(
        None, description="probability with which past offers were drawn; learned by default"
    )
    least_rows: int = Field(
        500, ge=50, description="past offers below which nothing is learned from them"
    )
    max_rows: int = Field(
        200_000, ge=1000, description="past offers learned from at most, the latest first"
    )
    max_rounds: int = Field(100, ge=1, description="trees of a booster of effects")
    folds: int = Field(5, ge=3, description="parts in which customers are left out in turn")
    significance: Share = Field(0.05, description="chance of a false find, question by question")
    value_months: int = Field(12, ge=1, le=120, description="months that a customer's value spans")
    interest: float = Field(0.08, ge=0, description="a year, by which later months count less")
    hold_out: Share = Field(0.1, description="share of the list that is held out")
    rest_days: int = Field(180, ge=0, description="days after an offer without another one")
    rest_days_after_service: int = Field(
        3,
        ge=0,
        description="days after a visit to a hall or a call to the hotline without an offer",
    )
    contacts_a_year: int = Field(2, ge=1, description="offers to a customer in 365 days at most")
    least_age: int = Field(18, ge=0, description="years; younger customers are not contacted")
    segment_by: tuple[str, ...] = Field(
        ("brand", "individual_tier"), description="columns that part the customers into segments"
    )
    segments: dict[str, SegmentLimits] = Field(
        {}, description="by segment, its values joined by +: least and most customers"
    )
    drivers: tuple[str, ...] = Field(
        (
            "lifecycle_*",
            "tier_*",
            "*_mean_3m_*",
            "usage_offnet_3m_share",
            "arpu_data_3m_share",
            "complaints_all_count_90d",
            "service_all_count_90d",
        ),
        description="features by which effects may differ, * for any text; all where none is there",
    )
    without: tuple[str, ...] = Field(
        (), description="features that no effect may be told by, * for any text"
    )
    seed: int = Field(0, ge=0)
