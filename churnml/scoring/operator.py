"""Scoring an operator's customers: everyone eligible at a date, from tables to scores."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from churnml.base.files import output_errors
from churnml.config.settings import Config
from churnml.errors import UsageError
from churnml.features import write_features
from churnml.features.requirements import require_bills
from churnml.scoring.customer_value import customer_value, wanted_columns
from churnml.scoring.feed import Account, Batch
from churnml.scoring.input_account import input_account
from churnml.scoring.manifest import Manifest
from churnml.scoring.on_spark import SparkFeed, require_shared
from churnml.scoring.plan import ModelsAsked, Work, choose_models, make_recipe
from churnml.scoring.requirements import require_features
from churnml.scoring.run import run
from churnml.scoring.same_operator import require_same_operator
from churnml.scoring.shards import LIGHTGBM
from churnml.scoring.staging import Staging
from churnml.tables.checked import check
from churnml.tables.source import Source

FEATURES = "features.parquet"
_log = logging.getLogger(__name__)


def score_operator(
    source: Source,
    day: date,
    out: str | Path,
    *,
    models: ModelsAsked,
    reasons: int | None,
    config: Config,
    overwrite: bool,
    any_source: bool = False,
) -> Manifest:
    """Score every customer who is eligible at a date, as `churnml.score` says."""
    on_spark = source.engine == "spark"
    if on_spark and config.engine.trees != LIGHTGBM:
        raise UsageError(
            f"engine.trees is {config.engine.trees}: Spark's executors score with LightGBM.",
            hint="Set engine.trees to lightgbm.",
            value=config.engine.trees,
        )
    if on_spark:
        require_shared(out)

    def plan() -> Work:
        chosen = choose_models(models)
        for task, one in chosen.items():
            if models.get(task) is None and not any_source:
                require_same_operator(one, source)
            require_features(one, source)
        require_bills(source, day)
        recipe = make_recipe(chosen, day, reasons, config)
        return Work(
            source=source.location,
            fingerprint=source.fingerprint(),
            recipe=recipe,
            config=config,
            engine="spark" if on_spark else "",
        )

    def feed(work: Work, staging: Staging) -> OperatorFeed | SparkFeed:
        kind = SparkFeed if on_spark else OperatorFeed
        return kind(source, work, staging, day)

    def judge() -> None:
        require_bills(source, day)
        check(source, config, until=day).accepted()

    read = source.read.with_models(models.values())
    return run(out, plan, feed, read=read, judge=judge, overwrite=overwrite)


class OperatorFeed:
    """The features of all eligible customers, in the order of their ids.

    Parameters
    ----------
    source : Source
    work : Work
    staging : Staging
        Where the features are kept until the result is published, so that a killed run
        need not build them again.
    """

    def __init__(self, source: Source, work: Work, staging: Staging, day: date) -> None:
        self._source = source
        self._work = work
        self._staging = staging
        if FEATURES not in staging.done:
            self._build(day)

    def _build(self, day: date) -> None:
        path = self._staging.path(FEATURES)
        # What lies ahead of the date must not decide what is set aside.
        checked = check(self._source, self._work.config, until=day)
        clean = checked.accepted()
        _log.info("building features at %s", day)
        with output_errors(self._staging.place):
            eligible = write_features(clean.tables, day, path, config=self._work.config)
        self._staging.adopt(FEATURES, asdict(input_account(self._source, checked, eligible)))

    def batches(self) -> Iterator[Batch]:
        """The features in batches of ``scoring.batch_rows`` rows."""
        models = self._work.recipe.models.values()
        names = [name for one in models for name in one.model.names]
        wanted = wanted_columns(names, self._work.config.tiers)
        with pq.ParquetFile(self._staging.path(FEATURES)) as file:
            names = [name for name in wanted if name in file.schema_arrow.names]
            for table in _even(file, names, self._work.config.scoring.batch_rows):
                value = customer_value(table, self._work.config.tiers)
                yield Batch(table["customer_id"], table.to_pandas(), value)

    def account(self) -> Account:
        """Where the customers went.

        Raises
        ------
        DataError
            If a file of the source has changed since it was opened.
        """
        self._source.ensure_unchanged()
        return Account(**self._staging.done[FEATURES].facts)


def _even(file: pq.ParquetFile, names: list[str], rows: int) -> Iterator[pa.Table]:
    """Tables of ``rows`` rows each, whatever the file's row groups; the last may be shorter."""
    waiting: list[pa.RecordBatch] = []
    held = 0
    given = False
    for batch in file.iter_batches(batch_size=rows, columns=names):
        waiting.append(batch)
        held += batch.num_rows
        while held >= rows:
            table = pa.Table.from_batches(waiting)
            yield table.slice(0, rows)
            given = True
            waiting, held = table.slice(rows).to_batches(), held - rows
    if held or not given:
        fields = pa.schema([file.schema_arrow.field(name) for name in names])
        yield pa.Table.from_batches(waiting, schema=fields)
