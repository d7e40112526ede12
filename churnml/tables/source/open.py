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
from churnml.tables.source import parquet
from churnml.tables.source.binding import Binding, Exact, numbered_rows, read_rows
from churnml.tables.source.coded import CodedComplaints, find_coded, read_coded
from churnml.tables.source.csv import load as delimited
from churnml.tables.source.csv.sniffing import read_names
from churnml.tables.source.engines import database, frames, spark
from churnml.tables.source.engines.duckdb import Engine, require_utf8, start
from churnml.tables.source.folder import MAPPING_FILE, find
from churnml.tables.source.mapping import SourceMapping, check_mapping, read_mapping
from churnml.tables.source.source import Source

ENGINES = ("duckdb", "spark")
"""What can read a folder."""

CSV_ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz")


def open_source(
    location: str | Path | Mapping[str, Any],
    *,
    mapping: str | Path | SourceMapping | None = None,
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
        return _open_frames(location, mapping, start(memory_limit=memory_limit, threads=threads))
    if not isinstance(location, str | Path):
        raise UsageError(
            f"A {type(location).__name__} is not a place of operator tables.",
            hint='Give a folder, a file or an address, or frames by their names: {"customers": '
            'frame, "bills": frame}.',
        )
    _require_engine(engine, str(location))
    if database.is_address(location):
        return _open_database(str(location), mapping)
    path = Path(location)
    require_utf8(path)
    if not path.exists():
        raise DataError(f"{path}: there is no such folder or file.", file=str(path))
    used, text = _mapping(path, mapping)
    con: Any
    hash_files = None
    if engine == "spark":
        con = spark.connected(spark.start("--engine spark"))
        bindings = _bind_folder(partial(_bind_on_spark, con), used, path)
        hash_files = partial(spark.hash_files, con)
    else:
        duck = start(memory_limit=memory_limit, threads=threads)
        con = duck.con
        bindings = (
            _bind_file(duck, used, path)
            if path.is_file()
            else _bind_folder(partial(_bind, duck), used, path)
        )
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
        mapping_text=text,
        stamps=stamps,
        address=str(location),
        mapping_file=_file_of(mapping),
        coded=coded,
        operator=used.name or "",
        hash_files=hash_files,
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
    places = [] if location is None else [location if location.is_dir() else location.parent]
    if given is not None and not isinstance(given, SourceMapping):
        places.append(Path(given).absolute().parent)
    return read_coded(find_coded(mapping.coded, places))


def _file_of(mapping: str | Path | SourceMapping | None) -> str:
    given = mapping is not None and not isinstance(mapping, SourceMapping)
    return str(Path(mapping).absolute()) if given else ""  # type: ignore[arg-type]


def _bind_folder(
    bind: Callable[[SourceMapping, str, Path], Binding], mapping: SourceMapping, folder: Path
) -> dict[str, Binding]:
    places = {name: find(folder, name, mapping.table(name).file) for name in TABLES}
    files = {name: path for name, path in places.items() if path is not None}
    if not files:
        raise ContractError(
            f"{folder}: no table of the contract here.",
            hint=f"Expected are files such as customers.parquet or bills.csv: {_listing(folder)}. "
            f"Files and columns of other names need --mapping, which churnml init {folder} drafts; "
            "configs/sources/ has examples.",
            file=str(folder),
        )
    return {name: bind(mapping, name, path) for name, path in files.items()}


def _bind_file(engine: Engine, mapping: SourceMapping, path: Path) -> dict[str, Binding]:
    names = database.attach(engine, path)
    bindings = {}
    for table, name in database.choose(names, mapping, str(path)).items():
        plain, numbered = database.attached_views(engine, table, names[name])
        origin = f"{name} in {path}"
        bindings[table] = _bound(mapping, table, origin, plain, numbered, files=(path,))
    if not bindings:
        raise _no_table(str(path), names)
    return bindings


def _open_frames(
    given: Mapping[str, Any], mapped: str | Path | SourceMapping | None, engine: Engine
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
        bindings[table] = _bound(mapping, table, "a frame", plain, numbered)
    return Source(
        location="frames",
        con=engine.con,
        bindings=bindings,
        mapping_text=text,
        mapping_file=_file_of(mapped),
        coded=_coded(mapping, mapped, None),
        operator=mapping.name or "",
        identify_rows=partial(frames.digest, engine.con, names),
    )


def _open_database(location: str, given: str | Path | SourceMapping | None) -> Source:
    mapping, text = _mapping(None, given)
    con, tables, shown = database.connect(location, mapping.timezone)
    bindings = {}
    chosen = database.choose(tables, mapping, shown)
    for table, name in chosen.items():
        plain = tables[name]
        bindings[table] = _bound(
            mapping, table, f"{name} in {shown}", plain, numbered_rows(plain), exact="all"
        )
    if not bindings:
        raise _no_table(shown, tables)
    return Source(
        location=shown,
        con=con,
        bindings=bindings,
        mapping_text=text,
        address=location,
        mapping_file=_file_of(given),
        coded=_coded(mapping, given, None),
        operator=mapping.name or "",
        identify_rows=partial(database.digest, con, location, chosen.values()),
    )


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


def _bind(engine: Engine, mapping: SourceMapping, table: str, path: Path) -> Binding:
    """Match a table of a folder to the contract, without reading its rows."""
    if path.is_file() and path.name.lower().endswith(CSV_ENDINGS):
        mapping = mapping.of_file(table)
        names = read_names(path, mapping.encoding, mapping.delimiter)
        load = partial(delimited.load, mapping=mapping, engine=engine)
        return Binding(
            spec=TABLES[table],
            entry=mapping.table(table),
            origin=str(path),
            names=names,
            load=load,
            files=(path,),
        )
    files = tuple(parquet.parts(path)) if path.is_dir() else (path,)
    parquet.check(path, files)
    plain, numbered = parquet.views(engine.con, table, path, files)
    return _bound(mapping, table, str(path), plain, numbered, files=files)


def _bind_on_spark(con: Any, mapping: SourceMapping, table: str, path: Path) -> Binding:
    """Match a Parquet table of a folder to the contract, as tables of Spark."""
    if path.is_file() and path.name.lower().endswith(CSV_ENDINGS):
        raise UsageError(
            f"--engine spark: {path} is a CSV file; Spark reads Parquet.",
            hint="Use duckdb, or write the table as Parquet.",
            table=table,
            file=str(path),
        )
    files = tuple(parquet.parts(path)) if path.is_dir() else (path,)
    parquet.check(path, files, pages=False)
    plain, numbered = spark.files_view(con, table, path, files, mapping.timezone)
    return _bound(mapping, table, str(path), plain, numbered, files=files, exact="text")


def _bound(
    mapping: SourceMapping,
    table: str,
    origin: str,
    plain: ir.Table,
    numbered: ir.Table,
    *,
    files: tuple[Path, ...] = (),
    exact: Exact = "",
) -> Binding:
    load = partial(read_rows, plain=plain, numbered=numbered, mapping=mapping, exact=exact)
    kinds = plain.schema().items()
    zoned = tuple(name for name, kind in kinds if kind.is_timestamp() and kind.timezone)
    if mapping.timezone is not None:
        zoned = ()
    numbers = {name: str(kind).lstrip("!") for name, kind in kinds if kind.is_integer()}
    entry, names = mapping.table(table), tuple(plain.columns)
    return Binding(
        spec=TABLES[table],
        entry=entry,
        origin=origin,
        names=names,
        load=load,
        files=files,
        zoned=zoned,
        numbers=numbers,
    )


def _stamps(files: Iterable[Path]) -> dict[str, tuple[int, int, int]]:
    states = ((path, path.stat()) for path in files)
    return {str(path): (state.st_ino, state.st_size, state.st_mtime_ns) for path, state in states}
