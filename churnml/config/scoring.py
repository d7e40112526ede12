"""Settings of scoring."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from churnml.config.section import Section, Share


class Scoring(Section):
    """How customers are scored."""

    batch_rows: int = Field(50_000, ge=1, description="rows in memory at a time, and in one part")
    reasons: int = Field(3, ge=0, description="reasons given for each customer")
    satisfaction_reasons: int = Field(
        3, ge=0, description="reasons given for each customer's satisfaction, beside those of churn"
    )
    band_percentiles: tuple[float, float, float] = Field(
        (50, 80, 95), description="percentiles at which medium, high and critical risk begin"
    )
    unseen_limit: Share = Field(
        0.05,
        description="share of unknown values in a category column, beyond what customers held "
        "out of the training had, that trips a gate",
    )
    drift_limit: float = Field(
        0.75, gt=0, description="drift of a column, beyond chance and the usual, that trips a gate"
    )

    @model_validator(mode="after")
    def _bands_ascend(self) -> Self:
        low, middle, high = self.band_percentiles
        if not 0 < low < middle < high < 100:
            raise ValueError("band_percentiles must ascend between 0 and 100")
        return self
