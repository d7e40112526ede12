"""Settings of the satisfaction index."""

from __future__ import annotations

from pydantic import Field

from churnml.config.section import Section, Span


class IndexSettings(Section):
    """The satisfaction index: which answers count, and what is shown of them."""

    window: Span = Field("2mo", description="answers given in so long before as_of count")
    overall_answers: int = Field(
        30,
        ge=1,
        description="from so many answers of touchpoint overall on, others are left out",
    )
    min_answers: int = Field(10, ge=10, description="a cell of fewer answers is hidden")
    pooled_below: int = Field(
        30, ge=10, description="a cell of fewer answers leans on what all cells have in common"
    )
    own_tuning: int = Field(
        100,
        ge=10,
        description="where every cell has so many answers, predictions are tuned cell by cell",
    )
    folds: int = Field(
        5, ge=2, description="folds by customer where the model has seen the answers"
    )
    fewest_learned: int = Field(
        50, ge=20, description="of fewer answers no predictions are learned and no weights"
    )
    silent_rows: int = Field(
        10_000, ge=1000, description="customers without an answer looked at to learn who answers"
    )
    cap: float = Field(5, gt=1, description="raking moves no weight by more than this factor")
    detect: float = Field(
        2.2, gt=0, description="change in points that the next survey is to see: interviews needed"
    )
    hidden_odds: float = Field(
        1.1, gt=0, description="odds of answering for every 10 points more, in the sensitivity"
    )
    most_cells: int = Field(2000, ge=1, description="cells that a column may have at most")
    seed: int = Field(0, ge=0)
