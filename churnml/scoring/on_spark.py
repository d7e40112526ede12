"""Scoring an operator's customers on Spark: from features to parts, and both read back."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from churnml.base.files import output_errors
from churnml.base.text import counted
from churnml.errors import ModelError, OutputError, UsageError
from churnml.features import build_features
from churnml.features.on_spark import count_parts, part_files, write, write_parts
from churnml.models.bundle import encode
from churnml.scoring.customer_value import wanted_columns
from churnml.scoring.executor import (
    Found,
    Shipment,
    ShippedModel,
    count_features,
    count_scores,
    library_versions,
    look_around,
    score_batches,
)
from churnml.scoring.facts import sum_facts
from churnml.scoring.feed import Account
from churnml.scoring.input_account import input_account
from churnml.scoring.plan import Work
from churnml.scoring.postgres import is_target
from churnml.scoring.shards import ScoringRecipe, schema
from churnml.scoring.staging import Staged, Staging
from churnml.tables.checked import check
from churnml.tables.source import Source
from churnml.tables.source.engines import spark

_FEATURES, _SCORES = "features.json", "scores.json"
_EVERY_FILE = str(1 << 40)
"""More than any file has: bytes that make each file one task's input."""
_MOST_LOOKS = 64
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RowSums:
    """What must be the same of two sets of parts that hold the same customers."""

    rows: int
    customers: int
    keys: str


class SparkFeed:
    """The customers of a source on Spark, which are scored where they lie.

    Parameters
    ----------
    source : Source
        On Spark.
    work : Work
    staging : Staging
        On a file system that all machines see. It keeps features, and parts that have been
        counted, for a run that goes on where this one is killed.
    day : date
    """

    def __init__(self, source: Source, work: Work, staging: Staging, day: date) -> None:
        self._source = source
        self._work = work
        self._staging = staging
        self._session = source.con._session
        self._context = self._session.sparkContext
        with self._errors(), self._shipped() as shipped:
            self._require_executors(shipped)
            if not self._stands(_FEATURES):
                self._drop(_FEATURES, "features-")
                self._build(day)
            if not self._stands(_SCORES):
                self._drop(_SCORES, "part-")
                self._score(shipped)

    def parts(self) -> dict[str, Staged]:
        """The parts of the result by name, with what was counted of them."""
        names = self._staging.done[_SCORES].facts["parts"]
        return {name: self._staging.done[name] for name in names}

    def account(self) -> Account:
        """Where the customers went.

        Raises
        ------
        DataError
            If a file of the source has changed since it was opened.
        """
        self._source.ensure_unchanged()
        return Account(**self._staging.done[_FEATURES].facts["account"])

    def engine(self) -> dict[str, str]:
        """What the manifest says of the engine: which Spark, and the sum of its rows' hashes."""
        rows = self._staging.done[_SCORES].facts["row_hashes"]
        return spark.described(self._session) | {"row_hashes": rows}

    def _stands(self, account: str) -> bool:
        """Whether a killed run of the same work has done a step, with all its files."""
        done = self._staging.done
        return account in done and all(name in done for name in done[account].facts["parts"])

    def _drop(self, account: str, prefix: str) -> None:
        """Remove what a killed run has left of a step that it did not finish."""
        for name in [one for one in self._staging.done if one.startswith((prefix, account))]:
            self._staging.path(name).unlink(missing_ok=True)
            del self._staging.done[name]

    @contextmanager
    def _errors(self) -> Iterator[None]:
        place = self._staging.place
        with spark.spark_errors(self._source.location, place), output_errors(place):
            yield

    @contextmanager
    def _shipped(self) -> Iterator[Any]:
        """The models on their way to the executors, each of which fetches them once."""
        broadcast = self._context.broadcast(shipment(self._work))
        try:
            yield broadcast
        finally:
            broadcast.destroy()

    def _require_executors(self, shipped: Any) -> None:
        """Look at executors before any work: libraries, golden rows, the output's folder.

        Raises
        ------
        ModelError, OutputError
        """
        many = min(self._context.defaultParallelism, _MOST_LOOKS)
        look = partial(look_around, shipped, str(self._staging.folder))
        require_alike(
            self._context.parallelize(range(many), many).mapPartitions(look).collect(),
            self._staging.folder,
        )

    def _build(self, day: date) -> None:
        checked = check(self._source, self._work.config, until=day)
        clean = checked.accepted()
        _log.info("building features at %s on Spark", day)
        table = build_features(clean.tables, day, config=self._work.config)
        customers = int(clean.tables["customers"].count().to_pyarrow().as_py())
        many = count_parts(
            customers,
            least_rows=self._work.config.scoring.batch_rows,
            cores=self._context.defaultParallelism,
        )
        fresh = self._fresh("features")
        write_parts(table, fresh, parts=many)
        sums = self._sums(part_files(fresh))
        names = self._adopt(fresh, "features")
        facts = asdict(input_account(self._source, checked, sums.rows))
        self._staging.write(
            _FEATURES, b"", {"parts": names, "account": facts, "sums": asdict(sums)}
        )

    def _score(self, shipped: Any) -> None:
        facts = self._staging.done[_FEATURES].facts
        features = [self._staging.path(name) for name in facts["parts"]]
        expected = RowSums(**facts["sums"])
        _log.info("scoring %s on Spark", counted(expected.rows, "customer"))
        fresh = self._fresh("scores")
        rows = str(self._work.config.scoring.batch_rows)
        settings = {
            "spark.sql.files.maxPartitionBytes": _EVERY_FILE,
            "spark.sql.files.openCostInBytes": _EVERY_FILE,
            "spark.sql.execution.arrow.maxRecordsPerBatch": rows,
        }
        models = self._work.recipe.models.values()
        names = [name for one in models for name in one.model.names]
        wanted = wanted_columns(names, self._work.config.tiers)
        with spark.set_for(self._session, settings):
            read = self._read(features)
            read = read.select(*(f"`{name}`" for name in wanted if name in read.columns))
            scored = read.mapInArrow(
                partial(score_batches, shipped), spark_fields(self._work.recipe)
            )
            write(self._session, scored, fresh)
        files = part_files(fresh)
        require_same(expected, self._sums(files), self._staging.place)
        self._keep_scores(shipped, features, fresh, files)

    def _keep_scores(
        self, shipped: Any, features: Sequence[Path], fresh: Path, files: Sequence[Path]
    ) -> None:
        rows = self._work.config.scoring.batch_rows
        seen = sum_facts(self._each(partial(count_features, shipped, rows), features))
        found = self._each(partial(count_scores, shipped, rows), files)
        hashed = self._read(files).selectExpr("sum(cast(xxhash64(*) AS decimal(38, 0)))").first()
        for one in found:
            # What was counted of the features stands with the first part.
            one["facts"] |= {name: seen[name] for name in ("tally", "drift")}
            seen = {"tally": {}, "drift": {}}
        names = self._adopt(fresh, "part", found)
        self._staging.write(_SCORES, b"", {"parts": names, "row_hashes": str(hashed[0] or 0)})

    def _each(self, task: Any, files: Sequence[Path]) -> list[dict[str, Any]]:
        """The answers of tasks, one for each file; each answer comes once, whatever is retried."""
        paths = [str(file) for file in files]
        answers: list[dict[str, Any]] = (
            self._context.parallelize(paths, len(paths)).map(task).collect()
        )
        return answers

    def _adopt(
        self, fresh: Path, stem: str, found: Sequence[dict[str, Any]] | None = None
    ) -> list[str]:
        """Move a job's parts to where the result is built, and journal them."""
        names = []
        for number, file in enumerate(part_files(fresh)):
            name = f"{stem}-{number:05d}.parquet"
            file.rename(self._staging.path(name))
            said = found[number] if found else {"facts": {}, "sha256": None}
            self._staging.adopt(name, said["facts"], digest=said["sha256"])
            names.append(name)
        shutil.rmtree(fresh)
        return names

    def _fresh(self, name: str) -> Path:
        folder = self._staging.folder / f"spark-{name}"
        if folder.exists():
            shutil.rmtree(folder)
        return folder

    def _read(self, files: Sequence[Path]) -> Any:
        return self._session.read.parquet(*(spark.uri(file) for file in files))

    def _sums(self, files: Sequence[Path]) -> RowSums:
        rows, customers, keys = (
            self._read(files)
            .selectExpr(
                "count(*)",
                "count(DISTINCT customer_id)",
                "sum(cast(xxhash64(customer_id) AS decimal(38, 0)))",
            )
            .first()
        )
        return RowSums(rows=rows, customers=customers, keys=str(keys or 0))


def shipment(work: Work) -> Shipment:
    """What the executors need of a scoring."""
    recipe = work.recipe
    key = json.dumps(work.key(), sort_keys=True)
    return Shipment(
        key=hashlib.sha256(key.encode()).hexdigest(),
        models={
            task: ShippedModel(files=encode(one.model), uri=one.uri, version=one.version)
            for task, one in recipe.models.items()
        },
        options={
            name: getattr(recipe, name)
            for name in (
                "as_of",
                "reasons",
                "satisfaction_reasons",
                "bands",
                "bands_by",
                "months_kept",
            )
        },
        tiers=work.config.tiers,
    )


def require_alike(found: Sequence[Found], folder: Path) -> None:
    """Refuse executors whose libraries or golden scores differ, or that do not see the output.

    Raises
    ------
    ModelError
        Names the machine, and both versions.
    OutputError
        If the folder is not there for one of them.
    """
    here = library_versions()
    for one in found:
        differ = [
            f"{name} {there}; here is {here[name]}"
            for name, there in one.versions.items()
            if there != here[name]
        ]
        if differ:
            raise ModelError(
                f"The executor on {one.host} has {differ[0]}.",
                hint="Give the executors the same environment as the driver (docs/engines.md), "
                "or scores would differ from those of the model's tests.",
            )
        if one.problem:
            raise ModelError(f"On the executor on {one.host}: {one.problem}")
        if one.blind:
            raise OutputError(
                f"{folder.parent}: the executor on {one.host} does not see it.",
                hint="Name an --out that all machines see at the same path, such as a shared disk.",
                file=str(folder.parent),
            )


def require_same(expected: RowSums, found: RowSums, place: Path) -> None:
    """Refuse scores whose customers are not exactly those of the features.

    Raises
    ------
    OutputError
    """
    if found != expected or found.rows != found.customers:
        raise OutputError(
            f"{place}: Spark wrote {counted(found.rows, 'row')} of "
            f"{counted(found.customers, 'customer')}, but {counted(expected.rows, 'row')} of "
            f"{counted(expected.customers, 'customer')} were to be scored; nothing was published.",
            hint="Rows were lost or doubled on the way to the disk: see that the file system keeps "
            "a folder's renames whole, and run the same command again.",
            file=str(place),
            code="ROWS",
        )


def require_shared(out: str | Path) -> None:
    """Refuse an output that is no folder of this machine.

    Raises
    ------
    UsageError
    """
    if "://" in str(out) and not is_target(out):
        raise UsageError(
            f"--out {out}: a folder that this machine and the executors see is expected.",
            hint="Name a shared disk (NFS, CephFS, a mounted HDFS or object store), and copy the "
            "folder from there.",
        )


def spark_fields(recipe: ScoringRecipe) -> Any:
    """The result's columns as Spark's types."""
    from pyspark.sql.pandas.types import from_arrow_schema

    plain = pa.schema([field.with_nullable(True) for field in schema(recipe)])
    return from_arrow_schema(plain)
