"""Open the tables of one's own beside those of the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ibis
from ibis.expr import schema as sch
from ibis.expr import types as ir

from churnml.errors import ContractError, UsageError
from churnml.tables.source.bind import Declared, Match, bind_rows
from churnml.tables.source.binding import Binding, Exact, numbered_rows
from churnml.tables.source.engines import frames
from churnml.tables.source.engines.duckdb import Engine
from churnml.tables.source.extra.declaration import ExtraMapping
from churnml.tables.source.extra.extra import Extra
from churnml.tables.source.extra.table import ExtraTable, check_name, declare
from churnml.tables.source.folder import CSV_ENDINGS, find
from churnml.tables.source.mapping import SourceMapping


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Where tables of one's own are looked for.

    Attributes
    ----------
    places : sequence of Path
        Folders: of the tables, of the mapping.
    read : callable or None
        How the engine reads a file; None of a database, which reads its own tables.
    engine : Engine or None
        DuckDB; None where another engine runs.
    stored : mapping of str to callable
        The tables of a database: each gives its rows, plain and numbered.
    """

    places: Sequence[Path] = ()
    read: Callable[[SourceMapping, str, Path, Match], Binding] | None = None
    engine: Engine | None = None
    stored: Mapping[str, Callable[[], tuple[ir.Table, ir.Table]]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class OpenedExtras:
    """The tables of one's own that are there.

    Attributes
    ----------
    tables : mapping of str to ExtraTable
    bindings : mapping of str to Binding
    frames : mapping of str to str
        Those that were frames, by the names of their rows in the engine.
    text : str
        What is declared in Python, and what tells apart the rows of frames and files beside
        a database, for the fingerprint of the source.
    """

    tables: Mapping[str, ExtraTable]
    bindings: Mapping[str, Binding]
    frames: Mapping[str, str]
    text: str = ""


def open_extras(
    mapping: SourceMapping, given: Mapping[str, Extra] | None, around: Surroundings
) -> OpenedExtras:
    """Open what the mapping declares and what is given in Python.

    A table that the mapping declares without naming its file is absent where there is none.

    Raises
    ------
    UsageError
        If a declaration cannot be followed, or one name is declared twice.
    ContractError
        If a file that is named does not exist.
    """
    tables: dict[str, ExtraTable] = {}
    bindings: dict[str, Binding] = {}
    taken: dict[str, str] = {}
    beside: list[str] = []
    for name, data, entry in _declared(mapping, given):
        check_name(name)
        found: list[ExtraTable] = []

        def match(
            names: tuple[str, ...],
            types: sch.Schema | None,
            name: str = name,
            entry: ExtraMapping = entry,
            found: list[ExtraTable] = found,
        ) -> Declared:
            found.append(declare(name, entry, names, types))
            return found[0].spec, found[0].entry

        own = _reading(mapping, entry)
        if data is not None and not isinstance(data, str | Path):
            binding, rows = _frame(own, name, data, around, match, beside)
            taken |= {name: rows} if rows else {}
        else:
            binding_or_none = _stored(own, name, data, entry, around, match, beside)
            if binding_or_none is None:
                continue
            binding = binding_or_none
        bindings[name], tables[name] = binding, found[0]
    said = sorted((name, one.mapping.model_dump_json()) for name, one in (given or {}).items())
    text = "\n".join([f"{said}" if said else "", *sorted(beside)]).rstrip("\n")
    return OpenedExtras(tables=tables, bindings=bindings, frames=taken, text=text)


def _declared(
    mapping: SourceMapping, given: Mapping[str, Extra] | None
) -> Iterator[tuple[str, Any, ExtraMapping]]:
    for name, entry in mapping.extra.items():
        yield name, None, entry
    for name, one in (given or {}).items():
        if name in mapping.extra:
            raise UsageError(
                f"extra.{name}: the mapping declares it too.",
                hint="Call one of the two otherwise.",
                key=f"extra.{name}",
            )
        if not isinstance(one, Extra):
            raise UsageError(
                f"extra.{name}: a churnml.Extra expected, found a {type(one).__name__}.",
                hint='Give extra={"crm": churnml.Extra(path_or_frame, columns={…})}.',
                key=f"extra.{name}",
            )
        yield name, one.path_or_frame, one.mapping


def _reading(mapping: SourceMapping, entry: ExtraMapping) -> SourceMapping:
    own = {"encoding": entry.encoding, "delimiter": entry.delimiter}
    return mapping.model_copy(update={key: one for key, one in own.items() if one is not None})


def _frame(
    mapping: SourceMapping,
    name: str,
    frame: Any,
    around: Surroundings,
    match: Match,
    beside: list[str],
) -> tuple[Binding, str]:
    """Bind a frame; beside a database its rows stay here, and what tells them apart is added."""
    if around.engine is not None:
        plain, numbered, rows = frames.frame_views(around.engine, name, frame)
    else:
        held = frames.arrow_table(name, frame)
        beside.append(f"{name}\t{frames.digest_rows(held)}")
        plain, rows = ibis.memtable(held), ""
        numbered = numbered_rows(plain)
    declared = match(tuple(plain.columns), plain.schema())
    exact: Exact = "" if around.engine is not None else "all"
    return bind_rows(mapping, declared, "a frame", plain, numbered, exact=exact), rows


def _stored(
    mapping: SourceMapping,
    name: str,
    data: str | Path | None,
    entry: ExtraMapping,
    around: Surroundings,
    match: Match,
    beside: list[str],
) -> Binding | None:
    named = str(data) if data is not None else entry.file
    table = named or name
    if table in around.stored:
        plain, numbered = around.stored[table]()
        declared = match(tuple(plain.columns), plain.schema())
        exact: Exact = "" if around.engine is not None else "all"
        return bind_rows(mapping, declared, table, plain, numbered, exact=exact)
    path = _found(name, named, around.places, here=data is not None)
    if path is None:
        return None
    if around.read is not None:
        return around.read(mapping, name, path, match)
    if path.name.lower().endswith(CSV_ENDINGS):
        raise UsageError(
            f"extra.{name}: {path} beside a database; a table of it, or Parquet, expected.",
            hint="Load it into the database, or store it as Parquet.",
            key=f"extra.{name}.file",
        )
    from pyarrow import dataset

    binding, _rows = _frame(mapping, name, dataset.dataset(path), around, match, beside)
    return binding


def _found(name: str, named: str | None, places: Sequence[Path], *, here: bool) -> Path | None:
    """The file of a table: as it is named, in a folder of the tables or of the mapping."""
    if named is None:
        tried = (find(place, name) for place in places if place.is_dir())
        return next((path for path in tried if path is not None), None)
    candidates = [Path(named)] if here else []
    candidates += [place / named for place in places if place.is_dir()]
    for path in candidates:
        if path.exists():
            return path
    shown = candidates[0] if candidates else Path(named)
    raise ContractError(
        f"{name}: {shown} does not exist, though {'Extra' if here else 'the mapping'} names it.",
        hint=f"Correct extra.{name}{'' if here else '.file'}.",
        table=name,
        file=str(shown),
    )
