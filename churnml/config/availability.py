"""Settings of the columns: who has them when customers are scored."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from churnml.config.section import Section

Available = Literal["operator", "survey", "outcome", "snapshot"]
"""Who has a column: every customer, those surveyed alone, or those whose outcome is known;
``snapshot`` where only today's state is known."""


class AvailabilitySettings(Section):
    """Which columns scoring can have."""

    columns: dict[str, Available] = Field(
        {}, description="column, feature or table.column, * and ? for any text: who has it"
    )
    unavailable: Literal["refuse", "drop"] = Field(
        "refuse", description="training with survey or outcome columns: refuse, or drop them"
    )
