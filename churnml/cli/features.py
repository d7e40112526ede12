"""``churnml features``: what was known of every customer at a date, and what all of it means."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from churnml.cli import options, output

if TYPE_CHECKING:
    from churnml.features.declaration import Declarations, Feature

_WIDTH = 80


def command(
    source: Annotated[
        str | None,
        typer.Argument(help="Operator tables: a folder of Parquet or CSV files, or a DuckDB file."),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(help="A date: everything known before midnight at its start counts."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="F.parquet", help="The Parquet file to write; from Spark a folder of parts."
        ),
    ] = None,
    listed: Annotated[
        bool,
        typer.Option(
            "--list",
            help="Print what every feature means and write nothing; with SOURCE those that it has.",
        ),
    ] = False,
    engine: options.Engine = None,
    mapping: options.Mapping = None,
    config: options.ConfigFile = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Write every customer's features at a date, or list what they mean.

    Example: churnml features demo/operator --as-of 2026-06-01 --out features.parquet
    """
    if listed:
        from churnml.features.listing import list_features

        _refuse_more(as_of=as_of, out=out, engine=engine, config=config)

        found = list_features(source, mapping=mapping)
        if json:
            output.print_json(found.to_dict())
        else:
            _print(found)
        return
    from churnml.config.settings import load_config
    from churnml.features.writing import save_features

    source, as_of, out = _required(source, as_of, out)
    output.show_progress()
    written = save_features(
        source,
        as_of=options.day(as_of),
        out=out,
        mapping=mapping,
        config=load_config(config),
        overwrite=overwrite,
        engine=engine,
    )
    if json:
        output.print_json(written.to_dict())
        return
    output.print_line(
        f"{written.rows:,} customers, {written.features} features at {written.as_of}: "
        f"{written.file}"
    )


def _required(source: str | None, as_of: str | None, out: Path | None) -> tuple[str, str, Path]:
    """What only a list of features can do without."""
    if source is not None and as_of is not None and out is not None:
        return source, as_of, out
    named = {"argument 'SOURCE'": source, "option '--as-of'": as_of, "option '--out'": out}
    missing = next(name for name, value in named.items() if value is None)
    raise typer.TyperException(f"Missing {missing}.")


def _refuse_more(**given: object) -> None:
    """Options that a list would pass over in silence."""
    from churnml.errors import UsageError

    for name, value in given.items():
        if value is not None:
            option = "--" + name.replace("_", "-")
            raise UsageError(
                f"{option}: --list prints what features mean and builds none.",
                hint=f"Leave out --list or {option}.",
            )


def _print(features: "Declarations") -> None:
    for feature in features:
        output.print_line(feature.name)
        for line in _facts(feature):
            for part in output.wrapped(line, _WIDTH - 4):
                output.print_line(f"    {part}")
    for part in output.wrapped(str(features), _WIDTH):
        output.print_line(part)


def _facts(feature: "Feature") -> list[str]:
    from churnml.features.declaration import EXPECTED

    expected = EXPECTED[feature.direction]
    facts = [
        f"unit: {feature.unit}" if feature.unit else feature.kind,
        f"driver: {feature.driver}",
        f"tables: {', '.join(feature.tables)}",
        f"higher: {expected} churn" if expected else "",
        "today's state only" if feature.availability == "snapshot" else "",
    ]
    special = {"0": feature.zero, "null": feature.null}
    means = [f"{value}: {text}" for value, text in special.items() if text]
    return [feature.en, feature.zh, "; ".join(filter(None, facts)), *means]
