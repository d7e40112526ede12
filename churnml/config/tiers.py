"""Settings of the customers' tiers."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from churnml.config.section import Section, Share

ARPU_WINDOWS = (1, 3, 6, 12)
"""Months whose mean bill is a feature."""


class Tiers(Section):
    """Customer tiers: individuals by ARPU, corporate groups by size, sector and spending."""

    arpu_months: int = Field(3, ge=1, le=12, description="visible months whose mean is the ARPU")
    by: Literal["threshold", "quantile"] = Field(
        "threshold", description="individual tiers by an ARPU to reach, or by rank of the ARPU"
    )
    currency: str = Field("yuan", min_length=1, description="of the thresholds that follow")
    currency_yuan: float = Field(
        1.0, gt=0, description="yuan for one unit of it, where bills are read in yuan"
    )
    silver: float = Field(666.0, gt=0, description="silver card (银卡) from this ARPU on")
    gold: float = Field(1500.0, gt=0, description="gold card (金卡) from this ARPU on")
    diamond: float = Field(3000.0, gt=0, description="diamond card (钻石卡) from this ARPU on")
    quantiles: tuple[float, float, float] = Field(
        (0.7, 0.9, 0.98),
        description="by quantile: share of the customers with a bill below silver, gold, diamond",
    )
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
        if not 0 < self.quantiles[0] < self.quantiles[1] < self.quantiles[2] < 1:
            raise ValueError("quantiles must ascend between 0 and 1")
        if self.currency != "yuan" and "currency_yuan" not in self.model_fields_set:
            raise ValueError(
                f"currency is {self.currency}: currency_yuan must say what one of it is in yuan "
                "(1 where the bills are read in that currency)"
            )
        if self.by == "quantile" and self.arpu_months not in ARPU_WINDOWS:
            windows = ", ".join(map(str, ARPU_WINDOWS))
            raise ValueError(f"by quantile, arpu_months is one of {windows}")
        if not self.b_handsets < self.a_handsets:
            raise ValueError("b_handsets < a_handsets must hold")
        return self

    @property
    def thresholds(self) -> tuple[float, float, float]:
        """From which ARPU on silver, gold and diamond begin, in yuan.

        >>> Tiers(currency="EUR", currency_yuan=8, silver=20, gold=50, diamond=100).thresholds
        (160.0, 400.0, 800.0)
        """
        return tuple(one * self.currency_yuan for one in (self.silver, self.gold, self.diamond))  # type: ignore[return-value]
