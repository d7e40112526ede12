"""Scoring a flat table: its rows, by the columns that the model was trained on."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from churnml.base.placing import ReadPlaces
from churnml.config.settings import Config
from churnml.datasets.flat import (
    Reading,
    Scorable,
    Signature,
    fingerprint,
    open_scoring,
    open_table,
)
from churnml.errors import ModelError
from churnml.registry.resolve import Resolved
from churnml.registry.versions import champion_uri
from churnml.scoring.feed import Account, Batch
from churnml.scoring.manifest import Manifest
from churnml.scoring.plan import ModelsAsked, Work, choose_models, make_recipe
from churnml.scoring.run import run
from churnml.scoring.staging import Staging

_log = logging.getLogger(__name__)


def score_table(
    path: Path,
    out: str | Path,
    *,
    id: str | None,
    source: str,
    day: date | None,
    reading: Reading,
    models: ModelsAsked,
    reasons: int | None,
    config: Config,
    overwrite: bool,
) -> Manifest:
    """Score the rows of a table of one's own, as `churnml.score` says."""

    def plan() -> Work:
        chosen = choose_models(models)
        for one in chosen.values():
            _require_table(one, source)
        # The same rows with another id, or read otherwise, are another result.
        said = "".join(f"\n{name}={value}" for name, value in reading.to_dict().items())
        work = hashlib.sha256(f"{id}{said}\n{fingerprint(path)}".encode()).hexdigest()
        return Work(
            source=source,
            fingerprint=work,
            recipe=make_recipe(chosen, day, reasons, config),
            config=config,
        )

    def feed(work: Work, _staging: Staging) -> TableFeed:
        return TableFeed(path, id, work, reading)

    def judge() -> None:
        try:
            _open(path, id, plan(), reading)
        except ModelError:
            open_table(path, reading=reading)

    read = ReadPlaces(places=(path,), tables=(path,)).with_models(models.values())
    return run(out, plan, feed, read=read, judge=judge, overwrite=overwrite)


def _require_table(resolved: Resolved, source: str) -> None:
    model = resolved.model
    if model.origin.kind != "table":
        name = champion_uri(f"{model.task}-{Path(source).name.partition('.')[0]}")
        raise ModelError(
            f"{resolved.version} reads operator tables, not a flat table.",
            hint=f"Name a model that was trained on such a table, with --{model.task}-model "
            f"{name} for example.",
        )


def _open(path: Path, id: str | None, work: Work, reading: Reading) -> Scorable:
    config = work.config
    models = work.recipe.models.values()
    signatures = [Signature.from_dict(one.model.origin.table) for one in models]
    return open_scoring(
        path,
        signatures,
        id=id,
        as_of=work.recipe.as_of,
        reading=reading,
        set_aside_limit=config.validation.set_aside_limit,
        memory_limit=config.engine.memory_limit,
        threads=config.engine.threads,
    )


class TableFeed:
    """The good rows of a table, in its order.

    Parameters
    ----------
    path : Path
    id : str or None
    work : Work
    reading : Reading
    """

    def __init__(self, path: Path, id: str | None, work: Work, reading: Reading) -> None:
        _log.info("checking %s", work.source)
        self._rows = work.config.scoring.batch_rows
        self._trained = min(one.model.origin.rows for one in work.recipe.models.values())
        self._table = _open(path, id, work, reading)

    def batches(self) -> Iterator[Batch]:
        """The rows in batches of ``scoring.batch_rows``."""
        for batch in self._table.batches(self._rows):
            value = {} if batch.times is None else {"as_of": batch.times.tolist()}
            yield Batch(batch.ids, batch.X, value)

    def account(self) -> Account:
        """Where the rows went.

        Raises
        ------
        DataError
            If the file has changed since it was opened.
        """
        self._table.table.ensure_unchanged()
        reasons = [
            {
                "table": self._table.table.path.name,
                "column": one.column,
                "code": one.code,
                "rows": one.count,
                "reason": one.reason,
            }
            for one in self._table.aside
        ]
        table = self._table.table
        empty = [] if self._table.total else [f"{table.path.name}: no row; the result is empty."]
        beyond = self._table.beyond(self._trained)
        return Account(
            total=self._table.total,
            quarantined=self._table.quarantined,
            ineligible=0,
            reasons=reasons,
            ignored=list(self._table.ignored),
            warnings=[*empty, *table.notes, *self._table.taken, *beyond.few],
            gates=list(beyond.many),
            ages=self._table.ages.to_dict() if self._table.ages else {},
        )
