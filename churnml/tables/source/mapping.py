"""The mapping of an operator's names, codes, units and encodings, ``source.yaml``.

>>> mapping = SourceMapping.model_validate(
...     {"tables": {"bills": {"columns": {"账期": "month"}, "formats": {"账期": "%Y%m"}}}}
... )
>>> mapping.table("bills").rule("month", mapping).format
'%Y%m'
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Literal

import duckdb
from pydantic import Field

from churnml.base.text import nearest
from churnml.config.faults import line_of
from churnml.config.section import Section
from churnml.config.settings import Available, parse
from churnml.config.yaml import read_yaml
from churnml.errors import UsageError
from churnml.tables.contract import KNOWN_AT, TABLES, TableSpec
from churnml.tables.source.columns import ReadingRule
from churnml.tables.source.entries import CsvEncoding, Lag, ScaleFactor, lag_of
from churnml.tables.source.extra.declaration import ExtraMapping


class TableMapping(Section):
    """The mapping of one table.

    In ``values``, ``scale``, ``formats`` and ``availability`` a column goes by the operator's
    name or by the contract's.
    """

    file: str | None = Field(
        None, min_length=1, description="file, folder of parts, bills_*.csv, or database table"
    )
    sheet: str | None = Field(
        None, min_length=1, description="of this workbook; by default the first"
    )
    encoding: CsvEncoding | None = Field(None, description="of this CSV file, where it differs")
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="of this CSV file, where it differs"
    )
    columns: dict[str, str] = Field({}, description="their column name: the contract's")
    values: dict[str, dict[str, str]] = Field(
        {}, description="column: {their code: the contract's}"
    )
    scale: dict[str, ScaleFactor] = Field(
        {}, description="column: the contract's unit = theirs times this"
    )
    formats: dict[str, str] = Field({}, description="column: how its dates are written, as %Y%m%d")
    known_after: Lag = Field("0d", description="how long after it happened a row is known")
    availability: dict[str, Available] = Field(
        {}, description="column: operator, survey, outcome or snapshot, as who has it"
    )

    @property
    def lag(self) -> timedelta:
        """``known_after`` as a length of time."""
        return lag_of(self.known_after)

    def own_name(self, name: str) -> str:
        """The operator's name of a contract column."""
        return next((own for own, ours in self.columns.items() if ours == name), name)

    def format_of(self, name: str) -> str | None:
        """The date format of a contract column, where the mapping gives one."""
        return self.formats.get(name, self.formats.get(self.own_name(name)))

    def rule(self, name: str, mapping: SourceMapping) -> ReadingRule:
        """How a contract column is to be read."""
        own = self.own_name(name)
        scale = self.scale.get(name, self.scale.get(own, "1"))
        return ReadingRule(
            values=self.values.get(name, self.values.get(own, {})),
            scale=Fraction(scale),
            format=self.format_of(name),
            nulls=mapping.nulls or (),
            timezone=mapping.timezone or "UTC",
            thousands=mapping.thousands is not None,
        )


class ComplaintsMapping(TableMapping):
    """The mapping of the complaints."""

    coded: str | None = Field(
        None, min_length=1, description="file of categories, from churnml complaints --coded"
    )


class CodedFile(Section):
    """The complaints' categories from a file."""

    coded: str | None = Field(
        None, min_length=1, description="file of categories, from churnml complaints --coded"
    )


class TableMappings(Section):
    """One entry for each of the tables."""

    customers: TableMapping = TableMapping()
    groups: TableMapping = TableMapping()
    bills: TableMapping = TableMapping()
    usage: TableMapping = TableMapping()
    complaints: ComplaintsMapping = ComplaintsMapping()
    contacts: TableMapping = TableMapping()
    surveys: TableMapping = TableMapping()
    offers: TableMapping = TableMapping()
    opt_outs: TableMapping = TableMapping()
    ties: TableMapping = TableMapping()


class SourceMapping(Section):
    """The content of a ``source.yaml``."""

    name: str | None = Field(None, min_length=1, description="the operator's name")
    encoding: CsvEncoding = Field("utf-8", description="of CSV files: utf-8, utf-8-sig or gb18030")
    delimiter: str = Field(",", min_length=1, max_length=1, description="between CSV fields")
    sheet: str | None = Field(
        None, min_length=1, description="of workbooks; by default each one's first"
    )
    nulls: tuple[str, ...] | None = Field(None, description="texts that mean a missing value")
    thousands: Literal[","] | None = Field(
        None, description="the comma where numbers are written as 1,234.50"
    )
    timezone: str | None = Field(None, description="where zoned timestamps become local ones")
    tables: TableMappings = TableMappings()
    complaints: CodedFile = CodedFile()
    extra: dict[str, ExtraMapping] = Field({}, description="tables of your own, by name")

    @property
    def coded(self) -> str | None:
        """The file of complaints' categories, named beside the tables or among them."""
        return self.complaints.coded or self.tables.complaints.coded

    def table(self, name: str) -> TableMapping:
        """The entry of one table."""
        entry: TableMapping = getattr(self.tables, name)
        return entry

    def of_file(self, name: str) -> SourceMapping:
        """The mapping with the encoding, delimiter and sheet of one table's file."""
        return self.of_entry(self.table(name))

    def of_entry(self, entry: TableMapping) -> SourceMapping:
        """The mapping with the encoding, delimiter and sheet that an entry names."""
        own = {"encoding": entry.encoding, "delimiter": entry.delimiter, "sheet": entry.sheet}
        return self.model_copy(update={key: one for key, one in own.items() if one is not None})


def check_mapping(mapping: SourceMapping) -> None:
    """Refuse a mapping with columns or codes that the contract does not have.

    Raises
    ------
    UsageError
        With the entry and the nearest legal name.
    """
    if mapping.timezone is not None:
        _check_zone(mapping.timezone)
    for name, spec in TABLES.items():
        _check_table(spec, mapping.table(name))


def _check_zone(zone: str) -> None:
    # The zones of the engine, since those of the machine may be others, or none.
    known = [name for (name,) in duckdb.sql("SELECT name FROM pg_timezone_names()").fetchall()]
    if zone not in known:
        near = nearest(zone, known)
        hint = f"Did you mean {near!r}?" if near else "Write it as Asia/Shanghai."
        raise UsageError(f"timezone: {zone!r} is not a time zone.", hint=hint, key="timezone")


def _check_table(spec: TableSpec, entry: TableMapping) -> None:
    columns = {column.name: column for column in (*spec.columns, KNOWN_AT)}
    place = ("tables", spec.name)
    for own, ours in entry.columns.items():
        _expect(ours, columns, *place, "columns", own)
        twice = [other for other, target in entry.columns.items() if target == ours]
        if len(twice) > 1:
            raise _refused(f"{' and '.join(twice)} both become {ours!r}", *place, "columns", own)
    known = {**columns, **{own: columns[ours] for own, ours in entry.columns.items()}}
    for part, kinds in _KINDS.items():
        for name in getattr(entry, part):
            _expect(name, known, *place, part, name)
            kind = known[name].kind
            if kind not in kinds:
                raise _refused(f"a {kind} takes no {part}", *place, part, name)
    for name, scale in entry.scale.items():
        if not Fraction(scale):
            raise _refused(f"a positive number expected, got {scale}", *place, "scale", name)
    for name, codes in entry.values.items():
        if known[name].listed:
            # The settings say what is legal, when the values are checked.
            continue
        legal = ("true", "false") if known[name].kind == "boolean" else known[name].codes
        for own, ours in codes.items():
            _expect(ours, legal or (ours,), *place, "values", name, own)


_KINDS = {
    "values": ("text", "boolean", "integer", "number"),
    "scale": ("number", "integer"),
    "formats": ("date", "month", "timestamp"),
}


def _expect(given: str, legal: Iterable[str], *place: str) -> None:
    if given not in legal:
        near = nearest(given, legal)
        advice = f"Did you mean {near!r}?" if near else f"Known: {', '.join(legal)}."
        raise _refused(f"{given!r} is not in the contract", *place, hint=advice)


def _refused(problem: str, *place: str, hint: str | None = None) -> UsageError:
    key = ".".join(place)
    return UsageError(f"{key}: {problem}.", hint=hint, key=key)


def read_mapping(path: str | Path) -> SourceMapping:
    """Read a mapping from a YAML file.

    Every scalar is taken as it is written: ``01`` and ``NO`` are codes, not numbers or truth.

    Parameters
    ----------
    path : path

    Raises
    ------
    UsageError
        If the file cannot be read or says what no mapping says, with the place.
    """
    path = Path(path)
    content = read_yaml(path, as_written=True)
    text = path.read_text(encoding="utf-8-sig")
    mapping = parse(SourceMapping, content or {}, str(path), text)
    try:
        check_mapping(mapping)
    except UsageError as error:
        line = line_of(text, str(error.details.get("key", "")).split("."))
        raise UsageError(
            f"{path}{line}: {error.message}", hint=error.hint, **error.details | {"file": str(path)}
        ) from None
    return mapping


def schema() -> str:
    """The JSON schema of a mapping, for editors."""
    return json.dumps(SourceMapping.model_json_schema(), indent=2, ensure_ascii=False) + "\n"
