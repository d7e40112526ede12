"""Settings of the tasks that train a model: churn, satisfaction, hazard."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from churnml.config.section import Budget, Section, Span


class TrainingSettings(Section):
    """Which months train and test a model, and how its label looks ahead."""

    gap: Span = Field("0d", description="from as_of to the start of the label window")
    horizon: Span = Field("2mo", description="length of the label window")
    train_months: int = Field(8, ge=1, description="monthly as_of dates used for training")
    test_months: int = Field(2, ge=1, description="last monthly as_of dates, kept for testing")
    monotone: bool = Field(
        False, description="hold the features' declared directions as constraints"
    )
    min_positives: int = Field(20, ge=1, description="refuse to train on fewer of the rarer class")
    max_rows: int = Field(
        500_000, ge=1000, description="train on a sample of the customers above this many rows"
    )
    folds: int | None = Field(
        None, ge=2, description="boosters of a repeat; the default is a rule on the rows"
    )
    repeats: int | None = Field(
        None, ge=1, description="times the folds are drawn; the default is a rule on the rows"
    )
    max_rounds: int = Field(2000, ge=1, description="trees of a booster at most")
    seed: int = Field(0, ge=0)
    budget: Budget | None = Field(
        None, description="time for a search of better settings before training, e.g. 60s or 5m"
    )

    @property
    def fewest(self) -> int:
        """Rows of the rarer outcome that a training needs at least."""
        return self.min_positives


class ChurnSettings(TrainingSettings):
    """The churn task."""

    definition: Literal["termination", "inactivity", "either"] = "either"


class SatisfactionSettings(TrainingSettings):
    """The satisfaction task."""

    train_months: int = Field(12, ge=1, description="monthly as_of dates used for training")
    min_answers: int = Field(100, ge=10, description="refuse to train on fewer answered surveys")
    interval_by: str | None = Field(
        "lifecycle_brand",
        description="column whose frequent values have 90 % intervals of their own, if there",
    )
    weighting: Literal["none", "response"] = Field(
        "none", description="response: answers count by the inverse chance of answering"
    )

    @property
    def fewest(self) -> int:
        """Answered surveys that a training needs at least."""
        return self.min_answers


class HazardSettings(TrainingSettings):
    """The hazard task: in which month a customer leaves."""

    horizon: Literal["6mo"] = Field("6mo", description="months told apart, counted from the gap")
    train_months: int = Field(12, ge=1, description="monthly as_of dates used for training")
    folds: int | None = Field(None, ge=2, description="boosters of the bag; the default is 4")
    repeats: None = Field(None, description="the folds of the hazard are drawn once")
    definition: Literal["termination", "inactivity", "either"] = "either"
    silence_months: int = Field(
        2, ge=1, le=6, description="whole months of silence that count as having left"
    )
    max_person_months: int = Field(
        12_000_000, ge=10_000, description="above it, months in which nobody left are thinned"
    )

    @property
    def months(self) -> int:
        """Months told apart."""
        return int(self.horizon.removesuffix("mo"))
