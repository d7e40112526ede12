"""One scoring from its claim on the output to the published result."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from churnml import __version__
from churnml.base.placing import ReadPlaces, input_first, require_apart
from churnml.base.progress import bar
from churnml.base.text import counted
from churnml.errors.masking import without_secrets
from churnml.scoring.bands import BANDS
from churnml.scoring.facts import count_rows, count_scores, sum_bands, sum_tallies
from churnml.scoring.feed import Batch, Feed, ScoredParts
from churnml.scoring.gates import drift_values, drifted, drifts, tripped, unseen_shares
from churnml.scoring.manifest import Manifest, PartFile, RowCounts
from churnml.scoring.plan import Work, band_warnings, version_warnings
from churnml.scoring.postgres import is_target
from churnml.scoring.publish import Output, claimed
from churnml.scoring.record import scoring_record, track
from churnml.scoring.shards import part_bytes, score_rows
from churnml.scoring.staging import HISTOGRAMS, Staged, Staging
from churnml.scoring.table_output import TableOutput, claimed_table

_log = logging.getLogger(__name__)


def run(
    out: str | Path,
    plan: Callable[[], Work],
    feed: Callable[[Work, Staging], Feed | ScoredParts],
    *,
    read: ReadPlaces,
    judge: Callable[[], object],
    overwrite: bool = False,
) -> Manifest:
    """Score and publish.

    Parameters
    ----------
    out : path or address
        The folder of the result, or the table.
    plan : callable
        Finds out what work this is, once the output has been claimed.
    feed : callable
        Opens the input, or has it scored elsewhere.
    read : ReadPlaces
        What is never written to.
    judge : callable
        Raises what is wrong with the input, which is told before what is wrong with the output.
    overwrite : bool, default False

    Returns
    -------
    Manifest

    Raises
    ------
    OutputError, ModelError, DataError
        Before anything is published.
    """
    started = datetime.now(UTC)
    with ExitStack() as stack:
        with input_first(judge):
            output = stack.enter_context(_claimed(out, read, overwrite=overwrite))
        work = plan()
        record = None
        if not output.published(work.key()):
            staging = output.stage(work.key())
            try:
                manifest = _score(work, feed(work, staging), staging, started)
            except (KeyboardInterrupt, SystemExit):
                _keep_parts(output, staging)
                raise
            record = scoring_record(work, manifest, staging.done)
            output.commit(staging, manifest.to_bytes(), {HISTOGRAMS: record.to_bytes()})
        manifest = output.manifest()
    if work.config.scoring.track:
        track(work.recipe.models, record, manifest)
    return manifest


def _claimed(
    out: str | Path, read: ReadPlaces, *, overwrite: bool
) -> AbstractContextManager[Output | TableOutput]:
    if is_target(out):
        return claimed_table(str(out), overwrite=overwrite)
    require_apart(out, read)
    return claimed(out, overwrite=overwrite)


def _keep_parts(output: Output | TableOutput, staging: Staging) -> None:
    """Keep the parts that a stopped scoring has finished, and say how to go on."""
    parts = [one for name, one in staging.done.items() if name.startswith("part-")]
    if parts and isinstance(output, Output) and output.keep():
        rows = sum(one.facts["rows"] for one in parts)
        _log.warning(
            "stopped; %s already scored are kept: run the same command again to go on",
            counted(rows, "row"),
        )


def _parts(work: Work, feed: Feed, staging: Staging) -> dict[str, Staged]:
    parts: dict[str, Staged] = {}
    with bar("scoring", "row") as shown:
        for number, batch in enumerate(feed.batches()):
            name = f"part-{number:05d}.parquet"
            parts[name] = staging.done.get(name) or _part(work, batch, staging, name)
            shown.update(parts[name].facts["rows"])
            done = sum(part.facts["rows"] for part in parts.values())
            _log.info("%s scored", counted(done, "row"))
    return parts


def _score(work: Work, feed: Feed | ScoredParts, staging: Staging, started: datetime) -> Manifest:
    engine: dict[str, str] = {}
    if isinstance(feed, ScoredParts):
        parts, engine = feed.parts(), feed.engine()
    else:
        parts = _parts(work, feed, staging)
    account = feed.account()
    scored = sum(part.facts["rows"] for part in parts.values())
    account.check(scored)
    total = sum_tallies(part.facts["tally"] for part in parts.values())
    models, limits = work.recipe.models, work.config.scoring
    drift = drifts((part.facts.get("drift", {}) for part in parts.values()), models)
    gates = account.gates + tripped(total, scored, models, limits.unseen_limit)
    return Manifest(
        source=without_secrets(work.source),
        as_of=work.recipe.as_of.isoformat() if work.recipe.as_of else None,
        config=work.config.digest(),
        models=work.models(),
        rows=RowCounts(
            total=account.total,
            scored=scored,
            quarantined=account.quarantined,
            ineligible=account.ineligible,
        ),
        quarantined=account.reasons,
        unseen=unseen_shares(total, scored),
        ignored=account.ignored,
        warnings=[
            *account.warnings,
            *band_warnings(work.recipe),
            *version_warnings(dict(models)),
        ],
        drift=drift_values(drift, models),
        kind=work.recipe.kind,
        ages=account.ages,
        bands=_bands(work, parts.values()),
        engine=engine,
        trees=work.recipe.trees,
        features=_own_features(work),
        gates=[*gates, *drifted(drift, models, limits.drift_limit, gates)],
        parts=[_entry(name, part) for name, part in parts.items()],
        churnml=__version__,
        started_at=_utc(started),
        ended_at=_utc(datetime.now(UTC)),
    )


def _part(work: Work, batch: Batch, staging: Staging, name: str) -> Staged:
    table = score_rows(work.recipe, batch.ids, batch.rows, batch.value)
    facts = count_rows(work.recipe, batch.rows) | count_scores(work.recipe, table)
    return staging.write(name, part_bytes(table), facts)


def _own_features(work: Work) -> dict[str, dict[str, Any]]:
    """The declarations of the features of one's own that the models read."""
    return {
        column.name: dict(column.feature)
        for one in work.recipe.models.values()
        for column in one.model.inputs
        if column.feature and column.feature.get("definition")
    }


def _bands(work: Work, parts: Iterable[Staged]) -> dict[str, Any]:
    """What the risk bands mean, with the customers and the mean probability of each."""
    means = work.bands()
    if not means:
        return {}
    sums = sum_bands(part.facts.get("bands", {}) for part in parts)
    riskiest_first = [name for name in BANDS if name in sums]
    return means | {
        "customers": {name: int(sums[name][0]) for name in riskiest_first},
        "churn_probability": {
            name: round(sums[name][1] / sums[name][0], 6) for name in riskiest_first
        },
    }


def _entry(name: str, part: Staged) -> PartFile:
    return PartFile(name=name, rows=part.facts["rows"], bytes=part.bytes, sha256=part.sha256)


def _utc(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
