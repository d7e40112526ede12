"""What every section of the configuration is, and types that several use."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Share = Annotated[float, Field(ge=0, le=1)]

Span = Annotated[str, StringConstraints(pattern=r"^\d+(d|mo)$")]
"""A length of time: days (``60d``) or calendar months (``2mo``)."""

Budget = Annotated[str, StringConstraints(pattern=r"^[1-9]\d*(s|m|h)$")]
"""A time to spend: seconds (``60s``), minutes or hours."""


class Section(BaseModel):
    """A section of the configuration: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
