"""Settings of scoring."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from churnml.config.section import Section, Share


class Scoring(Section):
    """How customers are scored."""

    batch_rows: int = Field(50_000, ge=1, description="rows in memory at a time, and in one part")
    reasons: int = Field(3, ge=0, description="reasons given for each customer")
    satisfaction_reasons: int = Field(
        3, ge=0, description="reasons given for each customer's satisfaction, beside those of churn"
    )
    bands_by: Literal["percentile", "probability", "money"] = Field(
        "percentile",
        description="what cuts the risk bands: percentile among the customers of training, "
        "probability of leaving, or money: that probability times ARPU and costs.months_kept",
    )
    band_percentiles: tuple[float, float, float] = Field(
        (50, 80, 95), description="percentiles at which medium, high and critical risk begin"
    )
    band_probabilities: tuple[float, float, float] = Field(
        (0.05, 0.1, 0.2), description="the same by probability of leaving, 0 to 1"
    )
    band_money: tuple[float, float, float] = Field(
        (50, 100, 300), description="the same by money, yuan at risk"
    )
    unseen_limit: Share = Field(
        0.05,
        description="share of unknown values in a category column, beyond what customers held "
        "out of the training had, that trips a gate",
    )
    drift_limit: float = Field(
        0.75, gt=0, description="drift of a column, beyond chance and the usual, that trips a gate"
    )
    track: bool = Field(
        True,
        description="record scorings and evaluations, without any customer, in their models' store",
    )

    @model_validator(mode="after")
    def _bands_ascend(self) -> Self:
        ends = {"band_percentiles": 100.0, "band_probabilities": 1.0, "band_money": float("inf")}
        for name, end in ends.items():
            low, middle, high = getattr(self, name)
            if not 0 < low < middle < high < end:
                limit = f"between 0 and {end:g}" if end < float("inf") else "from above 0"
                raise ValueError(f"{name} must ascend {limit}")
        return self
