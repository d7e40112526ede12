"""Write features as Parquet parts by Spark, each row by the executor that built it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis
from ibis.expr import types as ir

from churnml.features.view import KEYS
from churnml.tables.source.engines import spark

# Version 1 of the algorithm moves a task's file only when the driver has let it commit, and
# the job's files only when all have; the protocol is Spark's own, which cleans up after both.
COMMITTER = {
    "spark.sql.sources.commitProtocolClass": (
        "org.apache.spark.sql.execution.datasources.SQLHadoopMapReduceCommitProtocol"
    ),
    "spark.sql.sources.partitionOverwriteMode": "static",
}
_OPTIONS = {
    "compression": "zstd",
    "mapreduce.fileoutputcommitter.algorithm.version": "1",
    "mapreduce.fileoutputcommitter.marksuccessfuljobs": "true",
}
_MOST_ROWS = 1_000_000
"""In one part: some 250 MB of features, or a minute's work of one core with reasons."""


def count_parts(rows: int, *, least_rows: int, cores: int) -> int:
    """Into how many parts rows are divided.

    Three for each core, so that none waits long for the last; fewer where parts would have
    less than ``least_rows`` rows, more where they would have over a million.

    >>> count_parts(1_000, least_rows=50_000, cores=8)
    1
    >>> count_parts(1_000_000_000, least_rows=50_000, cores=100)
    1000
    """
    wanted = min(-(-rows // least_rows), 3 * cores)
    return max(1, wanted, -(-rows // _MOST_ROWS))


def write_parts(table: ir.Table, folder: Path, *, parts: int) -> None:
    """Write features into a new folder, divided by a hash of the customer.

    By a hash and never in turn, so that a task that is run again has the same rows again.

    Parameters
    ----------
    table : Table
        Lazy, of Spark.
    folder : Path
        On a file system that all machines see.
    parts : int
    """
    session = ibis.get_backend(table)._session
    rows = spark.dataframe(table).repartition(parts, "customer_id").sortWithinPartitions(*KEYS)
    write(session, rows, folder)


def write(session: Any, rows: Any, folder: Path) -> None:
    """Write a DataFrame into a new folder through Spark's committer."""
    with spark.set_for(session, COMMITTER):
        spark.require_utc(session)
        rows.write.mode("errorifexists").options(**_OPTIONS).parquet(spark.uri(folder))


def part_files(folder: Path) -> list[Path]:
    """The parts that a committed job has written, in the order of its tasks."""
    return sorted(path for path in folder.glob("part-*.parquet") if path.is_file())
