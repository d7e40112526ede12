"""Settings of every run: when a source is refused, what the engine and the store may use."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from churnml.config.section import Section, Share


class ValidationSettings(Section):
    """When a source is refused."""

    set_aside_limit: Share = Field(
        0.05, description="share of a table's rows set aside above which the source is refused"
    )
    future_days: int = Field(
        31, ge=0, description="days after the last billed month from which on is the future"
    )


class EngineSettings(Section):
    """What the embedded database may use, and what reads the boosters' trees."""

    memory_limit: str | None = Field(
        None,
        description="for example 2GB; by default half of the memory, and at most 3 GB or half a "
        "GB a thread",
    )
    threads: int | None = Field(None, ge=1)
    trees: Literal["lightgbm", "lleaves"] = Field(
        "lightgbm",
        description="what scores the boosters: LightGBM, or machine code that lleaves makes of "
        "them once, several times as fast (needs the extra fast); scores differ in the last digits",
    )


class StoreSettings(Section):
    """How the model store is reached."""

    timeout: int = Field(
        30, ge=1, description="seconds after which a store that does not answer is given up"
    )
