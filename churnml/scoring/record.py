"""What is kept of a scoring for monitoring: histograms beside the manifest, and in the store."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from churnml.errors import ChurnmlError
from churnml.errors.masking import without_secrets
from churnml.models import histograms as kept
from churnml.models.drift import summed
from churnml.models.histograms import ScoringRecord
from churnml.registry.resolve import Resolved
from churnml.registry.tracking.scorings import record_scoring
from churnml.scoring.manifest import Manifest
from churnml.scoring.plan import Work
from churnml.scoring.postgres import is_target
from churnml.scoring.staging import HISTOGRAMS, Staged

_FROM_STORE = ("models:", "runs:")
_log = logging.getLogger(__name__)


def scoring_record(work: Work, manifest: Manifest, done: Mapping[str, Staged]) -> ScoringRecord:
    """The histograms of a scoring, from what its parts counted."""
    parts = [one.facts for name, one in done.items() if name.startswith("part-")]
    models = {
        task: kept.histograms(
            one.model,
            one.version,
            summed(part.get("drift", {}).get(task, {}) for part in parts),
            kept.summed_scores(part.get("scores", {}).get(task, {}) for part in parts),
        )
        for task, one in work.recipe.models.items()
    }
    day = work.recipe.as_of
    return ScoringRecord(
        source=place_of(work.source),
        as_of=day.isoformat() if day else None,
        rows=manifest.rows.scored,
        models=models,
    )


def place_of(location: str) -> str:
    """A source's location, absolute where it is a file or folder; without a password.

    >>> place_of("postgresql://crm@db/operator")
    'postgresql://crm@db/operator'
    """
    path = Path(location)
    return without_secrets(str(path.resolve()) if path.exists() else location)


def read_record(folder: str | Path) -> ScoringRecord | None:
    """The record of a published scoring, with its folder and when it ended; None without one."""
    try:
        content = (Path(folder) / HISTOGRAMS).read_bytes()
        manifest = Manifest.read(folder)
    except (OSError, ChurnmlError):
        return None
    record = ScoringRecord.from_bytes(content)
    place = str(Path(folder).absolute())
    return record and replace(record, ended_at=manifest.ended_at, folder=place)


def track(models: Mapping[str, Resolved], record: ScoringRecord | None, manifest: Manifest) -> None:
    """Record a published scoring in the store that its models came from.

    A store that fails is a warning: the scores stand. Where every model came from a folder
    no store is opened.

    Parameters
    ----------
    models : mapping of str to Resolved
    record : ScoringRecord or None
        None where a run that was killed had published already: then its folder has it.
    manifest : Manifest
    """
    if not any(one.uri.startswith(_FROM_STORE) for one in models.values()):
        return
    folder = "" if is_target(manifest.folder) else str(Path(manifest.folder).absolute())
    record = record or (read_record(folder) if folder else None)
    if record is None:
        return
    try:
        record_scoring(replace(record, ended_at=manifest.ended_at, folder=folder))
    except ChurnmlError as error:
        _log.warning("the scoring was not recorded in the store: %s", error)
