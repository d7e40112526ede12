"""Operator tables: simulated, opened, checked, and their features."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnml.base.placing import ReadPlaces, input_first, require_apart
from churnml.base.text import counted
from churnml.config.settings import Config
from churnml.features import declared
from churnml.tables.source import Source, open_source
from churnml.tables.validation import Validation

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)


def simulate(
    folder: Path,
    *,
    customers: int,
    months: int,
    seed: int,
    overwrite: bool,
    trend: float = 0.0,
    interactions: float = 0.0,
) -> dict[str, int]:
    """Write the tables of a simulated operator; rows by table."""
    from churnml.tables.simulator import simulate as write

    _log.info("simulating %s customers over %d months", f"{customers:,}", months)
    return write(
        folder,
        customers=customers,
        months=months,
        seed=seed,
        trend=trend,
        interactions=interactions,
        overwrite=overwrite,
        progress=True,
    )


def opened(location: str, mapping: Path | None, config: Config) -> Source:
    """An operator's source with the engine that the settings allow."""
    engine = config.engine
    return open_source(
        location, mapping=mapping, memory_limit=engine.memory_limit, threads=engine.threads
    )


def validate(
    location: str,
    *,
    mapping: Path | None,
    config: Config,
    quarantine: Path | None = None,
    overwrite: bool = False,
) -> Validation:
    """Check a source; write the rows set aside where a folder is given."""
    from churnml.tables.validation import quarantine as set_aside
    from churnml.tables.validation.quarantine import require_free

    source = opened(location, mapping, config)
    if quarantine is not None:
        with input_first(lambda: checked(source, config).raise_if_refused()):
            require_apart(quarantine, source.read)
            require_free(quarantine, overwrite=overwrite)
    found = checked(source, config)
    if quarantine is not None:
        set_aside(found, quarantine, overwrite=overwrite)
    return found


def require_report(
    out: Path,
    data: str,
    *,
    table: bool,
    reading: Mapping[str, str | None] | None = None,
    mapping: Path | None = None,
    config: Config,
    overwrite: bool,
) -> None:
    """Check that a report can be written where it is asked for; errors of the input come first."""
    from churnml.datasets.flat import Reading, open_table
    from churnml.metrics.displays.page import require_free

    def judge() -> None:
        if source is None:
            open_table(data, reading=Reading(**(reading or {})))
        else:
            checked(source, config).accepted()

    source = None if table else opened(data, mapping, config)
    own = Path(data)
    with input_first(judge):
        require_apart(
            out, ReadPlaces(places=(own,), tables=(own,)) if source is None else source.read
        )
        require_free(out, overwrite=overwrite)


def checked(source: Source, config: Config) -> Validation:
    """Validate a source, and say what was set aside."""
    from churnml.tables.validation import validate as check

    _log.info("checking %s", source.location)
    found = check(source, config)
    for count in found.report.counts:
        if count.aside:
            told = f"{count.aside:,} of {counted(count.rows, 'row')}"
            _log.info("%s: %s set aside", count.table, told)
    return found


def features(
    location: str,
    as_of: str,
    out: Path,
    *,
    mapping: Path | None,
    config: Config,
    overwrite: bool,
) -> dict[str, Any]:
    """Write the features of all eligible customers at a date."""
    from churnml.features import require_free, write_features
    from churnml.scoring.requirements import require_bills

    whole = opened(location, mapping, config)
    require_bills(whole, date.fromisoformat(as_of))
    source = whole.until(as_of)
    with input_first(lambda: checked(source, config).accepted()):
        require_apart(out, source.read)
        require_free(out, overwrite=overwrite)
    clean = checked(source, config).accepted()
    _log.info("building features at %s", as_of)
    rows = write_features(clean, as_of, out, config=config)
    return {
        "file": str(out),
        "as_of": as_of,
        "rows": rows,
        "features": len(declared(clean.tables)),
        "absent_tables": list(source.missing),
    }


def label_sensitivity(
    location: str, as_of: str | None, *, mapping: Path | None, config: Config
) -> pd.DataFrame:
    """The churn rate by every definition of leaving."""
    from churnml.labels.sensitivity import label_sensitivity as measure

    clean = checked(opened(location, mapping, config), config).accepted()
    _log.info("counting who leaves by which definition")
    return measure(clean, as_of, config=config)
