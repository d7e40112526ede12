"""Open and validate operator tables, once for each source, date and settings."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from churnml.base.placing import input_first, require_apart
from churnml.base.text import counted
from churnml.config.settings import Config, ConfigGiven, as_config
from churnml.errors import UsageError
from churnml.tables.source import Source, open_source
from churnml.tables.source.engines.frames import is_frame
from churnml.tables.source.mapping import SourceMapping
from churnml.tables.source.source import HasTables
from churnml.tables.validation import Validation
from churnml.tables.validation import quarantine as write_quarantine
from churnml.tables.validation import validate as validate_tables
from churnml.tables.validation.quarantine import QUARANTINE

Location = str | Path
T = TypeVar("T", bound=HasTables)
_log = logging.getLogger(__name__)


def as_source(
    data: Source | Location | Mapping[str, Any],
    *,
    mapping: Location | SourceMapping | None = None,
    config: ConfigGiven | None = None,
    engine: str | None = None,
) -> Source:
    """Open operator tables as a source, with the engine settings.

    Parameters
    ----------
    data : Source, str, path, or mapping of str to frame
        A source stays as it is; all else is opened.
    mapping : path or SourceMapping, optional
        Of a location.
    config : Config, path or mapping, optional
        Its ``engine`` section.
    engine : {"duckdb", "spark"}, optional
        Of a location: what reads it.

    Raises
    ------
    UsageError
        If it is neither, another engine is asked for than the source was opened with, or a
        mapping is given with a source, which has its own.
    """
    if isinstance(data, Source):
        if mapping is not None:
            raise UsageError(
                "A mapping belongs to the opening of a source, and this one is open.",
                hint="churnml.open_source(location, mapping=...)",
            )
        if engine not in (None, data.engine):
            raise UsageError(
                f"--engine {engine}: this source was opened with {data.engine}.",
                hint=f"churnml.open_source(location, engine={engine!r})",
            )
        return data
    frames = isinstance(data, Mapping) and data and all(map(is_frame, data.values()))
    if not (frames or isinstance(data, str | Path)):
        raise UsageError(
            f"Operator tables expected, found a {type(data).__name__}.",
            hint="Give churnml.open_source(...) or its location; a table of your own needs id "
            "and target.",
        )
    limits = as_config(config).engine
    return open_source(
        data,
        mapping=mapping,
        engine=engine,
        memory_limit=limits.memory_limit,
        threads=limits.threads,
    )


def as_tables(
    data: T | Location,
    *,
    mapping: Location | SourceMapping | None = None,
    config: ConfigGiven | None = None,
) -> T | Source:
    """The operator's tables: what holds them already, or the good rows at a location.

    Raises
    ------
    UsageError
        If it is neither.
    ContractError
        If the source at the location is refused.
    """
    if not isinstance(data, str | Path) and hasattr(data, "tables"):
        return data
    settings = as_config(config)
    source = as_source(data, mapping=mapping, config=settings)  # type: ignore[arg-type]
    return check(source, settings).accepted()


def check(source: Source, config: Config, *, until: date | str | None = None) -> Validation:
    """Validate a source and log what was set aside; the result is cached.

    Parameters
    ----------
    source : Source
    config : Config
    until : date, optional
        Look at the source as it was at the start of that day.
    """
    seen = source if until is None else source.until(until)
    key = f"{seen.day} {config.validation.model_dump_json()} {config.brands.names}"
    if key not in source.checks:
        _log.info("checking %s", source.location)
        validation = source.checks[key] = validate_tables(seen, config)
        for count in validation.report.counts:
            if count.aside:
                rows = counted(count.rows, "row")
                _log.info("%s: %s of %s set aside", count.table, f"{count.aside:,}", rows)
        for breach in validation.report.breaches:
            if breach.effect == "null":
                _log.info("%s", breach.lost)
    return source.checks[key]


def validate(
    data: Source | Location,
    config: ConfigGiven | None = None,
    *,
    until: date | str | None = None,
    mapping: Location | SourceMapping | None = None,
    quarantine: Location | None = None,
    overwrite: bool = False,
) -> Validation:
    """Check operator tables against the contract.

    A bad value in an optional column becomes null and is counted; a bad key, date or
    required value sets the row aside. Orphans are judged before anything is set aside.

    Parameters
    ----------
    data : Source, str or path
        What `churnml.open_source` opens, or has opened.
    config : Config, path or mapping, optional
        Its ``validation`` section: above which share a source is refused, and where the
        future begins.
    until : date, optional
        Look at the source as it was at the start of that day.
    mapping : path, optional
        The operator's own names, codes and units.
    quarantine : path, optional
        A folder for the rows set aside, each with its reason.
    overwrite : bool, default False
        Whether an earlier quarantine there may be replaced.

    Returns
    -------
    Validation
        ``accepted()`` gives the good rows as a source, or raises why there are none.

    Raises
    ------
    DataError
        If a file cannot be read at all.
    OutputError
        If the quarantine cannot be written.

    Examples
    --------
    >>> import churnml, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> _ = churnml.simulate(folder, customers=50, months=12, overwrite=True)
    >>> churnml.validate(folder).refused
    False
    """
    settings = as_config(config)
    source = as_source(data, mapping=mapping, config=settings)
    if quarantine is not None:
        with input_first(lambda: check(source, settings, until=until).raise_if_refused()):
            require_apart(quarantine, source.read)
            QUARANTINE.require_free(quarantine, overwrite=overwrite)
    validation = check(source, settings, until=until)
    if quarantine is not None:
        write_quarantine(validation, quarantine, overwrite=overwrite)
    return validation
