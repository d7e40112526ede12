"""Scores of customers, and models for other places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from churnml.base.placing import ReadPlaces, require_apart
from churnml.config.settings import Config
from churnml.tables.checked import opened


def score_source(
    location: str,
    as_of: str,
    out: Path,
    *,
    mapping: Path | None = None,
    churn_model: str | None = None,
    satisfaction_model: str | None = None,
    hazard_model: str | None = None,
    reasons: int | None = None,
    config: Config,
    overwrite: bool = False,
) -> Any:
    """Score an operator's customers at a date; gives the manifest."""
    from churnml import scoring

    return scoring.score_source(
        opened(location, mapping, config),
        as_of,
        out,
        churn_model=churn_model,
        satisfaction_model=satisfaction_model,
        hazard_model=hazard_model,
        reasons=reasons,
        config=config,
        overwrite=overwrite,
    )


def score_table(
    table: str,
    out: Path,
    *,
    id: str | None,
    as_of: str | None = None,
    reading: Mapping[str, str | None] | None = None,
    churn_model: str | None = None,
    satisfaction_model: str | None = None,
    reasons: int | None = None,
    config: Config,
    overwrite: bool = False,
) -> Any:
    """Score the rows of a table of one's own; gives the manifest."""
    from churnml import scoring
    from churnml.datasets.flat import Reading

    return scoring.score_table(
        table,
        out,
        id=id,
        as_of=as_of,
        reading=Reading(**(reading or {})),
        churn_model=churn_model,
        satisfaction_model=satisfaction_model,
        reasons=reasons,
        config=config,
        overwrite=overwrite,
    )


def export(uri: str, folder: Path, *, notes: Sequence[str] = (), overwrite: bool) -> dict[str, Any]:
    """Write a model into a folder that score and MLflow read, with its model card."""
    from churnml.registry.export import export_model
    from churnml.registry.resolve import resolve

    resolved = resolve(uri)
    if Path(uri).exists():
        require_apart(folder, ReadPlaces(places=(Path(uri),), tables=(Path(uri),)))
    export_model(resolved.model, folder, version=resolved.version, notes=notes, overwrite=overwrite)
    return {"model": resolved.version, "folder": str(folder), "card": str(folder / "MODEL_CARD.md")}
