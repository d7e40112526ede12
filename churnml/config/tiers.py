"""Settings of the customers' tiers."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from churnml.config.section import Section, Share


class Tiers(Section):
    """Customer tiers: individuals by ARPU, corporate groups by size, sector and spending."""

    arpu_months: int = Field(3, ge=1, le=12, description="visible months whose mean is the ARPU")
    silver: float = Field(666.0, gt=0, description="silver card (银卡) from this ARPU, yuan")
    gold: float = Field(1500.0, gt=0, description="gold card (金卡) from this ARPU, yuan")
    diamond: float = Field(3000.0, gt=0, description="diamond card (钻石卡) from this ARPU, yuan")
    a_handsets: int = Field(500, gt=0, description="group A from this many handsets on")
    b_handsets: int = Field(100, gt=0, description="group B from this many handsets on")
    a_sectors: tuple[str, ...] = (
        "government",
        "party",
        "military",
        "media",
        "telecom",
        "post",
        "bank",
        "power",
        "water",
        "gas",
        "highway",
        "airport",
        "railway",
    )
    b_sectors: tuple[str, ...] = ("securities", "insurance")
    a_share: Share = Field(0.05, description="share of groups that are A by 12 months' spending")
    b_share: Share = Field(0.25, description="share of groups that are B by 12 months' spending")
    fill_quotas: bool = Field(
        False, description="fill A and B by spending rank alone, up to their shares"
    )

    @model_validator(mode="after")
    def _thresholds_ascend(self) -> Self:
        if not self.silver < self.gold < self.diamond:
            raise ValueError("silver < gold < diamond must hold")
        if not self.b_handsets < self.a_handsets:
            raise ValueError("b_handsets < a_handsets must hold")
        return self
