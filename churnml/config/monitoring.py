"""The settings of monitoring: how many months, when an alarm is raised, and who is told."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from churnml.config.section import Section, Share


class MonitorSettings(Section):
    """Monitoring month by month: what is compared, when an alarm is raised, and who is told."""

    months: int = Field(12, ge=1, le=60, description="months up to as_of")
    replay_rows: int = Field(
        100_000, ge=1000, description="customers of a month scored again, at most about"
    )
    of_months: int = Field(3, ge=1, le=12, description="an alarm looks at so many months")
    in_months: int = Field(
        2, ge=1, le=12, description="and is raised where so many of them are off, the last too"
    )
    false_share: float = Field(
        0.01, gt=0, lt=1, description="share of false finds among the columns of a month"
    )
    drift_limit: float = Field(
        0.25, gt=0, description="drift of a column, beyond the usual, that is watched"
    )
    act_drift: float = Field(
        0.75, gt=0, description="drift of a column, beyond the usual, that is acted on"
    )
    act_importance: Share = Field(
        0.02, description="share of the model's contributions that must have drifted to act"
    )
    score_limit: float = Field(
        0.25, gt=0, description="drift of the scores (PSI beyond chance) that is watched"
    )
    auc_limit: float = Field(
        0.05, gt=0, lt=0.5, description="loss of AUC against the test, beyond chance, to act on"
    )
    rate_limit: float = Field(
        0.25, gt=0, description="leavers above or below the predicted, as a share, to act on"
    )
    points_limit: float = Field(
        5.0, gt=0, description="points of 100 by which answers may miss the predicted satisfaction"
    )
    error_limit: float = Field(
        0.25, gt=0, description="growth of the satisfaction model's error on the test, to act on"
    )
    webhook: str | None = Field(
        None, description="an http or https address told of alarms, without any customer"
    )
    command: tuple[str, ...] = Field(
        (), description="a program and its arguments, run on alarms with JSON on its input"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.in_months > self.of_months:
            raise ValueError("in_months must not exceed of_months")
        if self.act_drift < self.drift_limit:
            raise ValueError("act_drift must not be below drift_limit")
        if self.webhook is not None and not self.webhook.startswith(("http://", "https://")):
            raise ValueError("webhook must begin with http:// or https://")
        return self
