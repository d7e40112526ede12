"""Open a source: from a location and a mapping to tables matched to the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ibis.expr import types as ir

from churnml.base.text import nearest
from churnml.errors import ContractError, DataError, UsageError
from churnml.errors.masking import without_secrets
from churnml.tables.contract import TABLES
from churnml.tables.source.bind import bind_file, bind_on_spark, bind_rows
from churnml.tables.source.binding import Binding, numbered_rows
from churnml.tables.source.coded import CodedComplaints, find_coded, read_coded
from churnml.tables.source.engines import database, frames, spark
from churnml.tables.source.engines.duckdb import Engine, require_utf8, start
from churnml.tables.source.extra.extra import Extra
from churnml.tables.source.extra.opening import Surroundings, open_extras
from churnml.tables.source.folder import MAPPING_FILE, find
from churnml.tables.source.mapping import SourceMapping, check_mapping, read_mapping
from churnml.tables.source.source import Source

ENGINES = ("duckdb", "spark")
"""What can read a folder."""

_Stored = Mapping[str, Callable[[], tuple[ir.Table, ir.Table]]]


def open_source(
    location: str | Path | Mapping[str, Any],
    *,
    mapping: str | Path | SourceMapping | None = None,
    extra: Mapping[str, Extra] | None = None,
    engine: str | None = None,
    memory_limit: str | None = None,
    threads: int | None = None,
) -> Source:
    """Open an operator's tables, without reading a row of what is stored.

    Parameters
    ----------
    location : str, path, or mapping of str to frame
        A folder with ``<table>.parquet``, ``<table>.csv[.gz]`` or a folder ``<table>/`` of
        Parquet parts for each table; a DuckDB file; ``postgresql://…``; or
        ``spark://catalog.schema``. Or the tables themselves by their names: pandas, polars
        (lazy ones too), Arrow (tables, datasets, record batch readers), DuckDB relations or
        Ibis tables, whose rows are taken into the engine once.
    mapping : path or SourceMapping, optional
        The operator's names, codes and units; by default ``source.yaml`` in the folder.
    extra : mapping of str to Extra, optional
        Tables of your own, by name, beside those that the mapping declares; their columns
        become features.
    engine : {"duckdb", "spark"}, optional
        What reads a folder: DuckDB by default; Spark reads Parquet, which all its machines
        must see at the same path. A database reads itself.
    memory_limit : str, optional
        What DuckDB may take, as ``2GB``; other engines have limits of their own.
    threads : int, optional

    Returns
    -------
    Source

    Raises
    ------
    UsageError
        If the mapping, the engine or a limit cannot be followed.
    DataError
        If a file cannot be read as what it claims to be.
    ContractError
        If there is no table of the contract.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame({"customer_id": ["1"], "activated_on": ["2020-01-01"],
    ...                           "terminated_on": [None], "payment": ["prepaid"]})
    >>> bills = pd.DataFrame({"customer_id": ["1"], "month": ["2026-05-01"], "amount": [58.0]})
    >>> open_source({"customers": customers, "bills": bills})
    Source('frames': customers, bills)
    """
    if isinstance(location, Mapping):
        _require_engine(engine, None)
        duck = start(memory_limit=memory_limit, threads=threads)
        return _open_frames(location, mapping, extra, duck)
    if not isinstance(location, str | Path):
        raise UsageError(
            f"A {type(location).__name__} is not a place of operator tables.",
            hint='Give a folder, a file or an address, or frames by their names: {"customers": '
            'frame, "bills": frame}.',
        )
    _require_engine(engine, str(location))
    if database.is_address(location):
        return _open_database(str(location), mapping, extra)
    path = Path(location)
    require_utf8(path)
    if not path.exists():
        raise DataError(f"{path}: there is no such folder or file.", file=str(path))
    used, text = _mapping(path, mapping)
    con: Any
    hash_files = None
    places = _places(mapping, path)
    if engine == "spark":
        con = spark.connected(spark.start("--engine spark"))
        around = Surroundings(places=places, read=partial(bind_on_spark, con))
        bindings = _bind_folder(around, used, path)
        hash_files = partial(spark.hash_files, con)
    else:
        duck = start(memory_limit=memory_limit, threads=threads)
        con = duck.con
        stored = _attached(duck, path) if path.is_file() else {}
        around = Surroundings(
            places=places, read=partial(bind_file, duck), engine=duck, stored=stored
        )
        bindings = (
            _bind_stored(stored, used, path) if path.is_file() else _bind_folder(around, used, path)
        )
    own = open_extras(used, extra, around)
    bindings |= own.bindings
    coded = _coded(used, mapping, path)
    stamps = _stamps(
        [
            *(file for binding in bindings.values() for file in binding.files),
            *([coded.path] if coded else []),
        ]
    )
    return Source(
        location=str(location),
        con=con,
        bindings=bindings,
        mapping_text=text + own.text,
        stamps=stamps,
        address=str(location),
        mapping_file=_file_of(mapping),
        coded=coded,
        operator=used.name or "",
        hash_files=hash_files,
        extras=own.tables,
        identify_rows=partial(frames.digest, con, own.frames) if own.frames else None,
    )


def _require_engine(engine: str | None, location: str | None) -> None:
    """Refuse an engine that there is not, or that does not read such a source; None: frames."""
    if engine not in (None, *ENGINES):
        raise UsageError(f"--engine {engine}: not available.", hint=f"Use {' or '.join(ENGINES)}.")
    if engine is None:
        return
    if location is None:
        if engine == "spark":
            raise UsageError(
                "--engine spark: frames are in this process, not on Spark.",
                hint="Use duckdb, or write them as Parquet.",
            )
        return
    if database.is_address(location):
        own = "spark" if spark.is_address(location) else "the database"
        if engine != own:
            raise UsageError(
                f"--engine {engine}: {without_secrets(location)} is read by {own} itself.",
                hint="Leave --engine out.",
            )
    elif engine == "spark" and Path(location).is_file():
        raise UsageError(
            f"--engine spark: {location} is one file; Spark reads folders of Parquet tables.",
            hint="Use duckdb, or write its tables as Parquet.",
        )


def _coded(
    mapping: SourceMapping, given: str | Path | SourceMapping | None, location: Path | None
) -> CodedComplaints | None:
    """The categories from the file that the mapping names, if it names one."""
    if mapping.coded is None:
        return None
    return read_coded(find_coded(mapping.coded, _places(given, location)))


def _places(given: str | Path | SourceMapping | None, location: Path | None) -> list[Path]:
    """The folders of the tables and of the mapping, where files that it names are looked for."""
    places = [] if location is None else [location if location.is_dir() else location.parent]
    if given is not None and not isinstance(given, SourceMapping):
        places.append(Path(given).absolute().parent)
    return places


def _file_of(mapping: str | Path | SourceMapping | None) -> str:
    given = mapping is not None and not isinstance(mapping, SourceMapping)
    return str(Path(mapping).absolute()) if given else ""  # type: ignore[arg-type]


def _bind_folder(around: Surroundings, mapping: SourceMapping, folder: Path) -> dict[str, Binding]:
    places = {name: find(folder, name, mapping.table(name).file) for name in TABLES}
    files = {name: path for name, path in places.items() if path is not None}
    if not files:
        raise ContractError(
            f"{folder}: no table of the contract here.",
            hint=f"Expected are files such as customers.parquet or bills.csv: {_listing(folder)}. "
            f"Files and columns of other names need --mapping, which churnml init {folder} drafts; "
            "configs/sources/ of churnml's repository has examples.",
            file=str(folder),
        )
    return {name: _bind(around, mapping, name, path) for name, path in files.items()}


def _attached(engine: Engine, path: Path) -> _Stored:
    """The tables of a DuckDB file; each gives its rows, plain and numbered."""
    names = database.attach(engine, path)
    return {
        name: partial(database.attached_views, engine, name, sql) for name, sql in names.items()
    }


def _bind_stored(stored: _Stored, mapping: SourceMapping, path: Path) -> dict[str, Binding]:
    bindings = {}
    for table, name in database.choose(stored, mapping, str(path)).items():
        plain, numbered = stored[name]()
        declared = TABLES[table], mapping.table(table)
        origin = f"{name} in {path}"
        bindings[table] = bind_rows(mapping, declared, origin, plain, numbered, files=(path,))
    if not bindings:
        raise _no_table(str(path), stored)
    return bindings


def _open_frames(
    given: Mapping[str, Any],
    mapped: str | Path | SourceMapping | None,
    extra: Mapping[str, Extra] | None,
    engine: Engine,
) -> Source:
    mapping, text = _mapping(None, mapped)
    for name in given:
        if name not in TABLES:
            near = nearest(str(name), TABLES)
            raise UsageError(
                f"{name!r} is not a table of the contract.",
                hint=f"Did you mean {near!r}?" if near else f"Known: {', '.join(TABLES)}.",
                table=str(name),
            )
    if not given:
        raise _no_table("frames", ())
    bindings, names = {}, {}
    for table in (name for name in TABLES if name in given):
        plain, numbered, names[table] = frames.frame_views(engine, table, given[table])
        declared = TABLES[table], mapping.table(table)
        bindings[table] = bind_rows(mapping, declared, "a frame", plain, numbered)
    around = Surroundings(
        places=_places(mapped, None), read=partial(bind_file, engine), engine=engine
    )
    own = open_extras(mapping, extra, around)
    bindings |= own.bindings
    names |= own.frames
    return Source(
        location="frames",
        con=engine.con,
        bindings=bindings,
        mapping_text=text + own.text,
        stamps=_stamps(file for one in own.bindings.values() for file in one.files),
        mapping_file=_file_of(mapped),
        coded=_coded(mapping, mapped, None),
        operator=mapping.name or "",
        extras=own.tables,
        identify_rows=partial(frames.digest, engine.con, names),
    )


def _open_database(
    location: str,
    given: str | Path | SourceMapping | None,
    extra: Mapping[str, Extra] | None,
) -> Source:
    mapping, text = _mapping(None, given)
    con, tables, shown = database.connect(location, mapping.timezone)
    bindings = {}
    chosen = database.choose(tables, mapping, shown)
    for table, name in chosen.items():
        plain = tables[name]
        declared = TABLES[table], mapping.table(table)
        bindings[table] = bind_rows(
            mapping, declared, f"{name} in {shown}", plain, numbered_rows(plain), exact="all"
        )
    if not bindings:
        raise _no_table(shown, tables)
    stored = {name: partial(_with_numbers, tables, name) for name in tables}
    own = open_extras(mapping, extra, Surroundings(places=_places(given, None), stored=stored))
    bindings |= own.bindings
    names = {*chosen.values(), *(one.origin for one in own.bindings.values())} & set(tables)
    return Source(
        location=shown,
        con=con,
        bindings=bindings,
        mapping_text=text + own.text,
        address=location,
        mapping_file=_file_of(given),
        coded=_coded(mapping, given, None),
        operator=mapping.name or "",
        extras=own.tables,
        identify_rows=partial(database.digest, con, location, sorted(names)),
    )


def _with_numbers(tables: Mapping[str, ir.Table], name: str) -> tuple[ir.Table, ir.Table]:
    return tables[name], numbered_rows(tables[name])


def _no_table(location: str, names: Iterable[str]) -> ContractError:
    return ContractError(
        f"{location}: no table of the contract here.",
        hint=f"It has {', '.join(list(names)[:5]) or 'none that this user may read'}; name yours "
        "in a mapping.",
        file=location,
    )


def _listing(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir())
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "") if names else "it is empty"


def _mapping(
    folder: Path | None, given: str | Path | SourceMapping | None
) -> tuple[SourceMapping, str]:
    if isinstance(given, SourceMapping):
        check_mapping(given)
        return given, given.model_dump_json()
    own = folder / MAPPING_FILE if folder is not None and folder.is_dir() else None
    path = Path(given) if given is not None else own
    if path is None or (given is None and not path.exists()):
        return SourceMapping(), ""
    used = read_mapping(path)
    return used, used.model_dump_json()


def _bind(around: Surroundings, mapping: SourceMapping, table: str, path: Path) -> Binding:
    """Match a table of a folder to the contract, without reading its rows."""
    declared = TABLES[table], mapping.table(table)
    assert around.read is not None
    return around.read(mapping.of_file(table), table, path, lambda names, types: declared)


def _stamps(files: Iterable[Path]) -> dict[str, tuple[int, int, int]]:
    states = ((path, path.stat()) for path in files)
    return {str(path): (state.st_ino, state.st_size, state.st_mtime_ns) for path, state in states}
