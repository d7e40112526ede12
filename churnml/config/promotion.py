"""Settings of promotion."""

from __future__ import annotations

from pydantic import Field

from churnml.config.section import Section, Share


class Promotion(Section):
    """When a challenger may replace the champion."""

    months: int = Field(
        3, ge=1, description="most recent months that neither has trained on, at most so many"
    )
    draws: int = Field(300, ge=50, description="bootstrap draws over customers")
    min_positives: int = Field(
        50, ge=2, description="who left (churn) or answered, for a slice to be judged"
    )
    auc_margin: Share = Field(0.01, description="churn: AUC that the challenger may lose at most")
    log_loss_margin: Share = Field(
        0.01, description="churn: log loss that it may add, as a share of the base rate's"
    )
    predicted_to_observed: tuple[float, float] = Field(
        (0.8, 1.25),
        description="churn: mean probability over observed rate; out of it and not shown nearer "
        "than the champion is refused",
    )
    mae_margin: float = Field(
        0.25, ge=0, description="satisfaction: mean error in points that it may add at most"
    )
    significance: Share = Field(
        0.05, description="chance of a false alarm over all slices together (Holm)"
    )
    calibration_slope: tuple[float, float] = Field(
        (0.8, 1.25),
        description="churn: out of it and not shown nearer than the champion is refused",
    )
    calibration_error: Share = Field(
        0.02, description="churn: above it and not shown below the champion's is refused"
    )
    coverage: tuple[Share, Share] = Field(
        (0.87, 0.93), description="satisfaction: share of answers within the 90 % interval"
    )
    seed: int = Field(0, ge=0)
