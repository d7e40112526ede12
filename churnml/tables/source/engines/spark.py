"""Spark: its session, an operator's tables in it, and queries that stay on its executors."""

from __future__ import annotations

import atexit
import logging
import os
import re
import shutil
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr import operations as ops
from ibis.expr import types as ir

from churnml.base.files import OUT_OF_ROOM
from churnml.errors import ChurnmlError, DataError, OutputError, UsageError
from churnml.errors.masking import without_secrets
from churnml.tables.source.columns import FILE, ROW

_ADDRESS = "spark://"
_MASTER = re.compile(r"spark://[^/]+:\d+(,|/|$)")
_JAVA = (
    "Install Java 17 or later (Debian: apt-get install openjdk-17-jre-headless), or set JAVA_HOME."
)
_PATTERN = re.compile(r"[\\*?\[\]{}]")
# Of the session's own settings: dates are counted in UTC, partition folders are text as they
# are with DuckDB, and text that a writer left as bytes is text.
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.parquet.binaryAsString": "true",
    "spark.sql.legacy.parquet.nanosAsLong": "true",
}
_LOCAL = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "8",
}
_MEMORY = ("OutOfMemoryError", "Container killed", "ExecutorLostFailure", "exceeding memory limits")
_ROOM = "No space left on device"
_log = logging.getLogger(__name__)


def start(asked: str) -> Any:
    """Join the running Spark session, or start one, and give a session of our own within it.

    Settings, temporary views and time zone of the user's session stay as they are.

    Parameters
    ----------
    asked : str
        What needs Spark, for messages.

    Raises
    ------
    UsageError
        If pyspark or Java is missing, the session is one of Spark Connect, or none can be
        started.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise UsageError(
            f"{asked}: needs the extra 'spark'.", hint="Run pip install 'churnml[spark]'."
        ) from None
    # pyspark 4.3 says so at every call; what is used here is tested with pandas 3.
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support")
    warnings.filterwarnings("ignore", message="The copy keyword is deprecated")
    running = SparkSession.getActiveSession() or _of_context()
    if running is not None and "connect" in type(running).__module__:
        raise _connected(asked)
    if running is None and not _java():
        raise UsageError(f"{asked}: Spark needs Java, and there is none here.", hint=_JAVA)
    session = running or _started(asked)
    own = session.newSession()
    for name, value in _SETTINGS.items():
        own.conf.set(name, value)
    return own


def _of_context() -> Any:
    """The session of a running context, which another thread may have started."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    there = SparkContext._active_spark_context is not None
    return SparkSession.builder.getOrCreate() if there else None


def _connected(asked: str) -> UsageError:
    return UsageError(
        f"{asked}: this is a session of Spark Connect, which cannot hand a model to the executors.",
        hint="Start the program with spark-submit, or a SparkSession without remote().",
    )


def _java() -> bool:
    home = os.environ.get("JAVA_HOME")
    return bool(shutil.which("java") or (home and (Path(home) / "bin" / "java").exists()))


def _started(asked: str) -> Any:
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    try:
        # What spark-submit and spark-defaults.conf say is known once the gateway stands.
        SparkContext._ensure_initialized()
        conf = SparkConf().setIfMissing("spark.app.name", "churnml")
        if conf.get("spark.master", "local").startswith("local"):
            # The driver's Python is there on this machine; elsewhere the cluster says which.
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
            conf.setIfMissing("spark.master", "local[*]")
            for name, value in _LOCAL.items():
                conf.setIfMissing(name, value)
        # Our own log says what is being done; bars would run through it.
        conf.set("spark.ui.showConsoleProgress", "false")
        conf.setIfMissing("spark.log.level", "ERROR")
        session = SparkSession.builder.config(conf=conf).getOrCreate()
    except PySparkException as error:
        hint = _JAVA if "JAVA_GATEWAY" in str(error) else "See what spark-submit says of it."
        raise UsageError(
            f"{asked}: no Spark session could be started ({_first_line(error)}).", hint=hint
        ) from None
    # Executors of a cluster are given back, rather than lost.
    atexit.register(session.stop)
    _log.info("Spark %s on %s", session.version, session.sparkContext.master)
    return session


def described(session: Any) -> dict[str, str]:
    """The Spark that a session runs on: version, master and application."""
    context = session.sparkContext
    return {
        "name": "spark",
        "version": session.version,
        "master": context.master,
        "application": context.applicationId,
    }


def on_spark(con: Any) -> bool:
    """Whether an Ibis connection is to Spark."""
    return bool(con.name == "pyspark")


def connected(session: Any) -> Any:
    """An Ibis connection whose end leaves the session running."""
    con = ibis.pyspark.connect(session)
    con.disconnect = lambda: None
    return con


def is_address(location: str) -> bool:
    """Whether a location is a schema of Spark."""
    return location.startswith(_ADDRESS)


def connect(location: str, zone: str | None) -> tuple[Any, dict[str, ir.Table], str]:
    """Connect to a schema of Spark; return engine, tables, and an address without secrets.

    Raises
    ------
    UsageError
        If Spark is missing, the address is that of a master, or a zone must be named.
    DataError
        If the schema cannot be read.
    """
    shown = without_secrets(location)
    if _MASTER.match(location):
        raise UsageError(
            f"{shown}: a Spark master's address; spark://catalog.schema is expected.",
            hint="Name the schema that holds the tables, and give the master to spark-submit.",
        )
    catalog, _, schema = location.removeprefix(_ADDRESS).partition(".")
    session = start(shown)
    con = connected(session)
    place = (catalog, schema) if schema else catalog
    steps = (catalog, schema) if schema else (catalog,)
    try:
        # Temporary views would be listed in every schema.
        listed = session.catalog.listTables(".".join(steps))
        names = [table.name for table in listed if not table.isTemporary]
    except Exception as error:
        raise DataError(f"{shown}: cannot be read ({_first_line(error)}).") from None
    tables = {name: con.table(name, database=place) for name in names}
    for name, table in tables.items():
        fields = session.table(".".join((*steps, name)))
        tables[name] = _localised(table, _zoned(fields), zone)
    return con, tables, shown


def digest(con: Any, location: str, names: Sequence[str]) -> str:
    """A text that differs wherever the rows of the tables do."""
    place = location.removeprefix(_ADDRESS)
    found = []
    for name in sorted(names):
        query = f"SELECT count(*), sum(cast(xxhash64(*) AS decimal(38, 0))) FROM {place}.`{name}`"
        rows, hashed = con._session.sql(query).first()
        found.append(f"{name}\t{rows}\t{hashed}")
    return "\n".join(found)


def files_view(
    con: Any, table: str, root: Path, files: Sequence[Path], zone: str | None
) -> tuple[ir.Table, ir.Table]:
    """Parquet files as one lazy table, and as one with each row's file and number in it.

    Parameters
    ----------
    con : ibis Backend
    table : str
        Names the view.
    root : Path
        The file, or the folder of the parts.
    files : sequence of Path
    zone : str or None
        The mapping's time zone.
    """
    from pyspark.sql import functions as f

    session = con._session
    reader = session.read
    if root != files[0]:
        reader = reader.option("basePath", uri(root))
    rows = reader.parquet(*(uri(path) for path in files))
    for name in _nanoseconds(files[0]):
        # Spark has no nanoseconds; as DuckDB does, they are cut off.
        micros = f.expr(f"timestamp_micros({_quoted(name)} div 1000)")
        rows = rows.withColumn(name, micros.cast("timestamp_ntz"))
    rows.createOrReplaceTempView(table)
    file = "replace(regexp_replace(_metadata.file_path, '^file:/+', '/'), '+', '%2B')"
    placed = rows.withColumn(FILE, f.expr(f"url_decode({file})"))
    placed = placed.withColumn(ROW, f.expr("_metadata.row_index + 1"))
    placed.createOrReplaceTempView(f"{table}_placed")
    zoned = _zoned(rows)
    return tuple(_localised(con.table(n), zoned, zone) for n in (table, f"{table}_placed"))


def uri(path: Path) -> str:
    """A path of this machine as Spark reads it, whatever its own file system is."""
    return "file://" + _PATTERN.sub(r"\\\g<0>", str(path.absolute()))


def _nanoseconds(path: Path) -> list[str]:
    schema = pq.read_schema(path)
    return [
        field.name
        for field in schema
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns" and field.type.tz is None
    ]


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _zoned(rows: Any) -> list[str]:
    # Ibis shows Spark's zoned and plain timestamps alike.
    return [field.name for field in rows.schema if field.dataType.typeName() == "timestamp"]


_from_utc = ibis.udf.scalar.builtin(
    lambda moment, zone: None,
    name="from_utc_timestamp",
    signature=(("timestamp", "string"), "timestamp"),
)


def _localised(table: ir.Table, zoned: Sequence[str], zone: str | None) -> ir.Table:
    if not zoned:
        return table
    if zone is None:
        raise UsageError(
            f"{table.get_name()}: {', '.join(zoned)} have a time zone.",
            hint="Name the one that local days are counted in as timezone in a mapping.",
        )
    return table.mutate(**{name: _from_utc(table[name], zone) for name in zoned})


def hash_files(con: Any, paths: Sequence[Path]) -> dict[Path, str]:
    """SHA-256 of files, each read once, by a task of its own."""
    if not paths:
        return {}
    context = con._session.sparkContext
    texts = [str(path.absolute()) for path in paths]
    sums = context.parallelize(texts, min(len(texts), 10_000)).map(_sha256).collect()
    return dict(zip(paths, sums, strict=True))


def _sha256(path: str) -> str:
    import hashlib

    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def dataframe(table: ir.Table) -> Any:
    """A lazy table of Spark as its DataFrame; nothing of it reaches the driver.

    A last sorting is left out: of many rows it costs as much as the rest, and who reads
    parts sorts within them. The expression must live as long as the DataFrame is used.
    """
    node = table.op()
    expr = node.parent.to_expr() if isinstance(node, ops.Sort) else table
    con = ibis.get_backend(table)
    require_utc(con._session)
    register(expr)
    return con._session.sql(con.compile(expr))


def register(table: ir.Table) -> None:
    """Give Spark the small tables that an expression holds, which Ibis's `cache` forgets."""
    ibis.get_backend(table)._run_pre_execute_hooks(table)


def require_utc(session: Any) -> None:
    """Check that nobody has changed the session's time zone, by which hours would shift.

    Raises
    ------
    ChurnmlError
    """
    zone = session.conf.get("spark.sql.session.timeZone")
    if zone != "UTC":
        raise ChurnmlError(
            f"The Spark session's time zone has become {zone}; days are counted in UTC.",
            hint="Open the source again, and leave spark.sql.session.timeZone alone.",
        )


@contextmanager
def set_for(session: Any, settings: Mapping[str, str]) -> Iterator[None]:
    """Settings of the session while a block runs."""
    before = {name: session.conf.get(name, None) for name in settings}
    try:
        for name, value in settings.items():
            session.conf.set(name, value)
        yield
    finally:
        for name, old in before.items():
            session.conf.unset(name) if old is None else session.conf.set(name, old)


@contextmanager
def spark_errors(location: str, place: Path | str) -> Iterator[None]:
    """Turn Spark's errors into churnml's own.

    Parameters
    ----------
    location : str
        What is read.
    place : path
        Where the result will stand.

    Raises
    ------
    OutputError
        If there is no room or memory for the rows, or executors are lost.
    DataError
        If the tables cannot be read.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        text = str(error)
        if _ROOM in text:
            raise OutputError(
                f"{place}: cannot be written ({os.strerror(OUT_OF_ROOM[0])}).",
                hint="Free space there and in spark.local.dir, then run the same command again.",
                file=str(place),
            ) from error
        if any(sign in text for sign in _MEMORY):
            raise OutputError(
                f"{place}: Spark lost executors or ran out of memory ({_cause(text)}).",
                hint="Raise spark.executor.memory or spark.executor.memoryOverhead, then run the "
                "same command again.",
                file=str(place),
            ) from error
        raise DataError(
            f"{location}: Spark could not read or work on it ({_cause(text)}).",
            hint="The application's log says more; then run the same command again.",
        ) from error


def _cause(text: str) -> str:
    """The first line that names an exception, else the first."""
    lines = [line.strip() for line in without_secrets(text).splitlines() if line.strip()]
    named = [
        line for line in lines if re.match(r"(Caused by: )?[\w.]+(Exception|Error|Failure)", line)
    ]
    return (named or lines or ["no reason given"])[-1 if named else 0][:300]


def _first_line(error: Exception) -> str:
    return without_secrets(str(error)).strip().partition("\n")[0][:300].rstrip(".")
