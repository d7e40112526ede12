"""What an operator declares of a table of its own: when its rows happened, and what they tell."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from churnml.base.drivers import Driver
from churnml.config.section import Section
from churnml.config.settings import Available
from churnml.tables.source.entries import CsvEncoding, Lag, ScaleFactor

Aggregate = Literal["last", "mean", "sum", "count", "share", "trend", "days_since"]
Window = Annotated[str, StringConstraints(pattern=r"^[1-9]\d{0,3}(mo|d)$")]
Kind = Literal["number", "category", "boolean", "date"]


def _listed(given: Any) -> Any:
    return (given,) if isinstance(given, str) else given


def _whole(given: Any) -> Any:
    """A number where YAML's scalars are read as they are written."""
    text = given.strip().removeprefix("+") if isinstance(given, str) else ""
    return int(text) if text.lstrip("-").isdigit() else given


class Meaning(Section):
    """A word or a sentence in both languages."""

    en: str = Field("", description="in English")
    zh: str = Field("", description="in Chinese")


def _said(given: Any) -> Any:
    return {"en": given, "zh": given} if isinstance(given, str) else given


SaidInWords = Annotated[Meaning, BeforeValidator(_said, json_schema_input_type=str | Meaning)]


class ExtraColumn(Section):
    """One column, or expression over columns, and the features that it makes."""

    aggregate: Annotated[tuple[Aggregate, ...], BeforeValidator(_listed)] = Field(
        ("last",), min_length=1, description="what is told of a customer's rows"
    )
    windows: Annotated[tuple[Window, ...], BeforeValidator(_listed)] = Field(
        (), description="how far back, as 3mo or 30d; none: everything seen"
    )
    expression: str | None = Field(
        None, min_length=1, description="arithmetic or comparison over columns, for a column"
    )
    kind: Kind | None = Field(None, description="number, category, boolean or date")
    equals: str | None = Field(None, description="the text whose rows are counted")
    unit: SaidInWords = Field(Meaning(), description="of the values")
    driver: Driver = Field("usage", description="the group of causes that it belongs to")
    direction: Annotated[Literal[-1, 0, 1], BeforeValidator(_whole)] = Field(
        0, description="how churn is expected to move when it grows"
    )
    en: str = Field("", description="what it is, in English")
    zh: str = Field("", description="what it is, in Chinese")
    null: SaidInWords = Field(Meaning(), description="what a missing value means")
    zero: SaidInWords = Field(Meaning(), description="what 0 means")
    empty: Annotated[int | None, BeforeValidator(_whole)] = Field(
        None, description="the value of a customer without any row"
    )
    availability: Available = Field("operator", description="who has it when scored")


class ExtraMapping(Section):
    """A table of the operator's own."""

    file: str | None = Field(None, min_length=1, description="file, folder or database table")
    encoding: CsvEncoding | None = Field(None, description="of this CSV file, where it differs")
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="of this CSV file, where it differs"
    )
    formats: dict[str, str] = Field({}, description="column: how its dates are written, as %Y%m%d")
    scale: dict[str, ScaleFactor] = Field({}, description="column: its unit = theirs times this")
    values: dict[str, dict[str, str]] = Field({}, description="column: {their code: yours}")
    key: str | dict[str, str] = Field(
        "customer_id",
        description="customer_id, group_id, hall_id or region; {their name: one of these}",
    )
    time: str | None = Field(
        None, description="the column of the event, the month, or valid_from; by default by name"
    )
    rows: Literal["event", "month", "state"] | None = Field(
        None, description="what a row is, where the column of its time is called otherwise"
    )
    known_at: str | None = Field(None, description="the column that says when a row was known")
    known_after: Lag = Field("0d", description="how long after it happened a row is known")
    columns: dict[str, ExtraColumn] = Field(min_length=1, description="name: what it tells")
