"""What runs on Spark's executors: load the models once a process, score batches, count parts."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnml.base.files import crash_point

if TYPE_CHECKING:
    import pyarrow as pa

    from churnml.config.settings import Tiers
    from churnml.scoring.shards import ScoringRecipe

# Spark runs one task a core already; LightGBM and NumPy read this when they are first imported.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_LIBRARIES = ("churnml", "lightgbm", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy")
_loaded: dict[str, ScoringRecipe] = {}
"""The recipe of this process, by the key of what was shipped."""


@dataclass(frozen=True, kw_only=True)
class ShippedModel:
    """A model on its way: the files of its bundle, as `churnml.models.bundle.encode` has them."""

    files: Mapping[str, bytes]
    uri: str
    version: str


@dataclass(frozen=True, kw_only=True)
class Shipment:
    """What the executors get of a scoring, once each.

    Attributes
    ----------
    key : str
        Names it.
    models : mapping of str to ShippedModel
        By task.
    options : mapping
        What else a `ScoringRecipe` is made of.
    tiers : Tiers
    """

    key: str
    models: Mapping[str, ShippedModel]
    options: Mapping[str, Any]
    tiers: Tiers


@dataclass(frozen=True, kw_only=True)
class Found:
    """What is found on an executor before any work: versions, and what is wrong, if anything."""

    host: str
    versions: Mapping[str, str]
    problem: str = ""
    blind: bool = False


def library_versions() -> dict[str, str]:
    """The versions, here, of the libraries that scores depend on."""
    return {name: _version(name) for name in _LIBRARIES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def look_around(shipped: Any, folder: str, _numbers: Iterable[int]) -> Iterator[Found]:
    """Load the models, score their golden rows, and see whether the folder is there."""
    from churnml.errors import ChurnmlError

    problem = ""
    try:
        _recipe(shipped.value)
    except ChurnmlError as error:
        problem = str(error)
    yield Found(
        host=socket.gethostname(),
        versions=library_versions(),
        problem=problem,
        blind=not Path(folder).is_dir(),
    )


def score_batches(shipped: Any, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Score the batches of one task, as they come."""
    import pyarrow as pa

    recipe = _recipe(shipped.value)
    from churnml.scoring.customer_value import customer_value
    from churnml.scoring.shards import score_rows

    for number, batch in enumerate(batches):
        crash_point(f"{_place()}, batch {number}")
        if not batch.num_rows:
            continue
        table = pa.Table.from_batches([batch])
        value = customer_value(table, shipped.value.tiers)
        scored = score_rows(recipe, table["customer_id"], table.to_pandas(), value)
        yield from scored.combine_chunks().to_batches()


def _place() -> str:
    """Which task this is, and which attempt at it."""
    from pyspark import TaskContext

    task = TaskContext.get()
    return f"part {task.partitionId()}, attempt {task.attemptNumber()}" if task else "driver"


def count_features(shipped: Any, rows: int, path: str) -> dict[str, Any]:
    """What is counted of a part of the features."""
    from churnml.scoring.facts import count_rows, sum_facts

    recipe = _recipe(shipped.value)
    names = [name for one in recipe.models.values() for name in one.model.names]
    return sum_facts(
        count_rows(recipe, batch.to_pandas())
        for batch in _batches(path, rows, list(dict.fromkeys(names)))
    )


def count_scores(shipped: Any, rows: int, path: str) -> dict[str, Any]:
    """What is counted of a part of the scores, its size and SHA-256."""
    import hashlib

    from churnml.scoring.facts import count_scores, sum_facts

    recipe = _recipe(shipped.value)
    facts = sum_facts(count_scores(recipe, batch) for batch in _batches(path, rows, None))
    with Path(path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"facts": facts, "sha256": digest}


def _batches(path: str, rows: int, names: list[str] | None) -> Iterator[pa.Table]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=rows, columns=names):
            yield pa.Table.from_batches([batch])


def _recipe(shipment: Shipment) -> ScoringRecipe:
    """The recipe with its models, loaded and checked once in each process."""
    if shipment.key not in _loaded:
        _loaded.clear()
        _loaded[shipment.key] = _load(shipment)
    return _loaded[shipment.key]


def _load(shipment: Shipment) -> ScoringRecipe:
    for name in _THREADS:
        os.environ[name] = "1"
    # LightGBM may hang in a process that was forked after it was imported: only here, then.
    import pyarrow as pa

    from churnml.models.bundle import check_golden, decode
    from churnml.registry.resolve import Resolved
    from churnml.scoring.shards import ScoringRecipe

    pa.set_cpu_count(1)
    models = {}
    for task, one in shipment.models.items():
        model = decode(one.files, one.version)
        model.estimator.set_params(n_jobs=1)
        check_golden(model)
        models[task] = Resolved(model=model, uri=one.uri, version=one.version)
    return ScoringRecipe(models=models, **shipment.options)
