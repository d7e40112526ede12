"""Publish a result into a table of a database, exactly once.

The parts are built in a hidden folder of the working folder, as those of any result
(`churnml.scoring.staging`), copied into an unlogged table beside the target, counted, and
moved in one transaction together with a row of ``churn_runs``. Readers see the old scores or
the new. Killed before the commit, the next run of the same work goes on with the parts that
are there; killed after it, the next run finds its row and writes nothing.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from churnml.base.files import crash_point, output_errors, stoppable, uninterrupted
from churnml.base.text import counted
from churnml.errors import OutputError
from churnml.scoring.lock import locked
from churnml.scoring.manifest import Manifest
from churnml.scoring.postgres import (
    VERSIONS,
    ScoresTable,
    column_types,
    connect,
    copy_parts,
    parse_target,
    same_scores,
    server_errors,
)
from churnml.scoring.staging import Facts, Staging, remove, require_ours

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.sql import Composable

RUNS = "churn_runs"
_RUN_COLUMNS = {
    "run": "text NOT NULL",
    "target": "text NOT NULL",
    "as_of": "date",
    "models": "text NOT NULL",
    "rows": "bigint NOT NULL",
    "sha256": "text NOT NULL",
    "manifest": "jsonb NOT NULL",
    "ended_at": "timestamp with time zone NOT NULL",
}
_STAGE = "churnml_stage_"
_log = logging.getLogger(__name__)


class TableOutput:
    """A table that scores are written to, claimed by this process; made by `claimed_table`.

    Attributes
    ----------
    target : ScoresTable
    """

    def __init__(self, out: str, hidden: Path, *, overwrite: bool) -> None:
        self._out = out
        self.target = parse_target(out)
        self._hidden = hidden
        self._overwrite = overwrite
        self._connection: Connection[Any] | None = None
        self._schema = self.target.schema or ""
        self._run = ""
        self._as_of: date | None = None
        self._versions: dict[str, str] = {}

    def prepare(self) -> None:
        """Connect, and let no other writer in.

        Raises
        ------
        OutputError
            If the server or the role do not allow it, or another process writes this table.
        """
        with server_errors(self.target):
            self._connect()

    def _connect(self) -> None:
        self._connection = connect(self.target)
        if not self._schema:
            self._schema = self._value("SELECT current_schema()") or "public"
        if self._value("SELECT to_regnamespace(quote_ident(%s))", self._schema) is None:
            raise self._refused(
                f"there is no schema {self._schema}", "Create it, or correct --out."
            )
        if not self._value("SELECT has_schema_privilege(%s, 'CREATE')", self._schema):
            raise self._refused(
                f"this role may not create tables in the schema {self._schema}",
                f"Scores are staged in a table beside theirs: GRANT CREATE ON SCHEMA "
                f"{self._schema} TO this role.",
            )
        key = f"churnml:{self._name}"
        if not self._value("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", key):
            raise OutputError(
                f"{self.target.shown}: another process is writing it.",
                hint="Wait until it has finished, or choose another table.",
                file=self.target.shown,
                code="LOCKED",
            )

    @property
    def _name(self) -> str:
        return f"{self._schema}.{self.target.table}"

    @property
    def _models(self) -> str:
        """The models whose versions the rows hold."""
        return ", ".join(self._versions.values())

    def published(self, plan: Facts) -> bool:
        """Whether the same work has been published; if so, tidy up: nothing is left to do.

        Raises
        ------
        OutputError
            If other scores of these models at this date stand there and may not be replaced.
        """
        self._run = hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()[:32]
        self._as_of = date.fromisoformat(plan["as_of"]) if plan["as_of"] else None
        found = {f"{task}_model": one["version"] for task, one in plan["models"].items()}
        self._versions = {name: found[name] for name in VERSIONS if name in found}
        with server_errors(self.target):
            standing = self._standing()
            if standing == self._run:
                self._drop(_STAGE + self._run)
        if standing == self._run:
            with output_errors(self._hidden):
                remove(self._hidden)
            return True
        self._require_replaceable(standing)
        return False

    def _standing(self) -> str | None:
        """The run whose scores of these models at this date stand in the table."""
        if not self._columns(RUNS):
            return None
        run = self._value(
            f"SELECT run FROM {self._quoted(RUNS)} "
            "WHERE target = %s AND as_of IS NOT DISTINCT FROM %s AND models = %s",
            self._name,
            self._as_of,
            self._models,
        )
        return None if run is None else str(run)

    def _require_replaceable(self, standing: str | None) -> None:
        if standing is not None and not self._overwrite:
            when = f" at {self._as_of}" if self._as_of else ""
            raise OutputError(
                f"{self.target.shown}: holds other scores of {self._models}{when} "
                f"(run {standing} of {RUNS}).",
                hint="Use --overwrite to replace them, or choose another table.",
                file=self.target.shown,
                code="EXISTS",
            )

    def stage(self, plan: Facts) -> Staging:
        """Open the hidden folder for this work, with the files of a killed run of it."""
        with output_errors(self._hidden):
            require_ours(self._hidden)
            return Staging(self._hidden, plan, self._hidden)

    def commit(
        self, staging: Staging, manifest: bytes, beside: Mapping[str, bytes] | None = None
    ) -> None:
        """Publish what has been staged.

        Parameters
        ----------
        staging : Staging
        manifest : bytes
        beside : mapping of str to bytes, optional
            What stands beside the manifest in a folder; a table has no room for it.

        Raises
        ------
        OutputError
            If that fails; then what stood in the table still does, and what has been scored
            is kept for the next run of the same command.
        """
        facts = json.loads(manifest)
        parts = [staging.path(part["name"]) for part in facts["parts"]]
        types = column_types(pq.read_schema(parts[0]))
        with server_errors(self.target):
            self._reconnect()
            self._sweep()
            self._make(types)
            stage = self._copy(parts, types, expected=facts["rows"]["scored"])
            crash_point("staged in the table")
            with uninterrupted():
                self._move_in(stage, list(types), facts)
                crash_point("published")
                self._drop(_STAGE + self._run)
        with suppress(OSError):
            remove(self._hidden)

    def manifest(self) -> Manifest:
        """The account of what stands in the table, as its row of ``churn_runs`` tells it."""
        with server_errors(self.target):
            facts = self._value(
                f"SELECT manifest FROM {self._quoted(RUNS)} WHERE run = %s AND target = %s",
                self._run,
                self._name,
            )
        return Manifest.from_dict(facts, folder=self.target.shown, address=self._out)

    def close(self) -> None:
        """Let other writers in."""
        if self._connection is not None:
            self._connection.close()

    def _reconnect(self) -> None:
        """Connect again where the server has ended a connection that idled meanwhile."""
        import psycopg

        try:
            self._value("SELECT 1")
        except psycopg.OperationalError:
            self.close()
            self._connect()

    def _sweep(self) -> None:
        """Name what killed runs have left; remove it where things may be replaced."""
        rows = self._rows(
            "SELECT relname, obj_description(oid, 'pg_class') FROM pg_class "
            "WHERE relnamespace = to_regnamespace(quote_ident(%s)) AND starts_with(relname, %s)",
            self._schema,
            _STAGE,
        )
        for name, note in rows:
            if name == _STAGE + self._run or not _is_old(note, self._name):
                continue
            if self._overwrite:
                self._drop(name)
            else:
                _log.warning(
                    "%s.%s was left by a run that was killed more than a day ago; --overwrite, "
                    "or DROP TABLE, removes it",
                    self._schema,
                    name,
                )

    def _make(self, types: Mapping[str, str]) -> None:
        """Make the tables that are not there; refuse those that hold something else."""
        for name, wanted in ((self.target.table, types), (RUNS, _RUN_COLUMNS)):
            there = self._columns(name)
            if not there:
                self._create(name, wanted)
                continue
            wanted = {column: kind.partition(" NOT")[0] for column, kind in wanted.items()}
            _require_columns(f"{self._schema}.{name}", there, wanted, self.target)

    def _create(self, name: str, types: Mapping[str, str]) -> None:
        listed = ", ".join(f'"{column}" {kind}' for column, kind in types.items())
        key = ", PRIMARY KEY (run, target)" if name == RUNS else ""
        with self._open.transaction():
            self._do(f"CREATE TABLE {self._quoted(name)} ({listed}{key})")
            if name != RUNS:
                self._do(f"CREATE INDEX ON {self._quoted(name)} (as_of, customer_id)")

    def _copy(self, parts: list[Path], types: Mapping[str, str], *, expected: int) -> Composable:
        from psycopg import sql

        name = _STAGE + self._run
        stage = sql.Identifier(self._schema, name)
        self._drop(name)
        listed = ", ".join(f'"{column}" {kind}' for column, kind in types.items())
        self._do(f"CREATE UNLOGGED TABLE {self._quoted(name)} ({listed})")
        note = sql.Literal(f"{self._name} {_now(self._open)}")
        self._open.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(stage, note))
        rows = copy_parts(self._open, stage, parts, types)
        if rows != expected:
            raise self._refused(
                f"{counted(rows, 'row')} arrived of {expected:,}", "Run the same command again."
            )
        return stage

    def _move_in(self, stage: Composable, columns: list[str], facts: Facts) -> None:
        from psycopg import errors

        try:
            self._exchange(stage, columns, facts)
        except (errors.SerializationFailure, errors.DeadlockDetected):
            self._exchange(stage, columns, facts)

    def _exchange(self, stage: Composable, columns: list[str], facts: Facts) -> None:
        """Old scores of these models at this date out, the new in, with their account."""
        from psycopg import sql

        place = sql.Identifier(self._schema, self.target.table)
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        there = self._columns(self.target.table)
        same, values = same_scores(there, self._as_of, self._versions)
        with self._open.transaction():
            standing = self._standing()
            if standing is None:
                self._require_nobodys(same, values)
            else:
                self._require_replaceable(standing)
                self._do(f"DELETE FROM {self._quoted(self.target.table)} WHERE {same}", *values)
                self._do(
                    f"DELETE FROM {self._quoted(RUNS)} WHERE run = %s AND target = %s",
                    standing,
                    self._name,
                )
            insert = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}")
            self._open.execute(insert.format(place, names, names, stage))
            self._do(
                f"INSERT INTO {self._quoted(RUNS)} ({', '.join(_RUN_COLUMNS)}) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb, %s)",
                self._run,
                self._name,
                self._as_of,
                self._models,
                facts["rows"]["scored"],
                _digest(facts),
                json.dumps(facts, ensure_ascii=False),
                facts["ended_at"],
            )
            crash_point("before the commit")

    def _require_nobodys(self, same: str, values: tuple[Any, ...]) -> None:
        table = self._quoted(self.target.table)
        if self._value(f"SELECT EXISTS (SELECT FROM {table} WHERE {same})", *values):
            when = f" at {self._as_of}" if self._as_of else ""
            raise self._refused(
                f"holds rows of {self._models}{when} that no row of {RUNS} accounts for",
                "They were not written by churnml: remove them, or choose another table.",
                code="FOREIGN",
            )

    @property
    def _open(self) -> Connection[Any]:
        assert self._connection is not None
        return self._connection

    def _do(self, statement: str, *values: Any) -> None:
        self._open.execute(statement.encode(), values or None)

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._open.execute(query.encode(), values or None).fetchall()

    def _value(self, query: str, *values: Any) -> Any:
        rows = self._rows(query, *values)
        return rows[0][0] if rows else None

    def _quoted(self, name: str) -> str:
        from psycopg import sql

        return sql.Identifier(self._schema, name).as_string(self._open).replace("%", "%%")

    def _columns(self, name: str) -> dict[str, str]:
        """The columns of a table with their types; none where it is not there."""
        return dict(
            self._rows(
                "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
                "WHERE attrelid = to_regclass(quote_ident(%s) || '.' || quote_ident(%s)) "
                "AND attnum > 0 AND NOT attisdropped",
                self._schema,
                name,
            )
        )

    def _drop(self, name: str) -> None:
        self._do(f"DROP TABLE IF EXISTS {self._quoted(name)}")

    def _refused(self, problem: str, hint: str, code: str | None = None) -> OutputError:
        return OutputError(
            f"{self.target.shown}: {problem}.", hint=hint, file=self.target.shown, code=code
        )


def _require_columns(
    table: str, there: Mapping[str, str], wanted: Mapping[str, str], target: ScoresTable
) -> None:
    """Refuse a table that is something else, or lacks a column."""
    other = [name for name, kind in wanted.items() if there.get(name, kind) != kind]
    missing = [name for name in wanted if name not in there]
    if not other and not missing:
        return
    if other:
        name = other[0]
        problem = f"{table}.{name} is {there[name]}; {wanted[name]} expected"
        hint = "It is not a table of churnml's scores: choose another."
    else:
        problem = f"{table} has no column {missing[0]}" + (
            f" and {len(missing) - 1} more of the scores' columns" if len(missing) > 1 else ""
        )
        added = ", ".join(f'ADD COLUMN "{name}" {wanted[name]}' for name in missing)
        hint = f"If it is a table of scores: ALTER TABLE {table} {added}. Else choose another."
    raise OutputError(f"{target.shown}: {problem}.", hint=hint, file=target.shown, code="FOREIGN")


def _digest(facts: Facts) -> str:
    """SHA-256 over those of the parts, in their order."""
    joined = "".join(part["sha256"] for part in facts["parts"])
    return hashlib.sha256(joined.encode()).hexdigest()


def _now(connection: Connection[Any]) -> str:
    row = connection.execute("SELECT extract(epoch FROM now())::bigint").fetchone()
    assert row is not None
    return str(row[0])


def _is_old(note: str | None, name: str) -> bool:
    """Whether a staging table of this target was made more than a day ago, as its comment says."""
    import time

    target, _, began = (note or "").rpartition(" ")
    return target == name and began.isdigit() and time.time() - int(began) > 86_400


@contextmanager
def claimed_table(out: str, *, overwrite: bool = False) -> Iterator[TableOutput]:
    """Lock a table before any work is done.

    Parameters
    ----------
    out : str
        ``postgresql://user@host/database/schema.table``.
    overwrite : bool, default False
        Whether scores of the same models at the same date may be replaced.

    Raises
    ------
    UsageError
        If the address names no table.
    OutputError
        If the server or the role do not allow it, or another process is writing it.
    """
    target = parse_target(out)
    mark = hashlib.sha256(target.shown.encode()).hexdigest()[:8]
    place = Path.cwd() / f"{target.table.replace('/', '_')}-{mark}"
    lock = place.with_name(f".{place.name}.churnml-lock")
    hidden = place.with_name(f".{place.name}.churnml-staging")
    with stoppable(), locked(lock, Path(target.shown)):
        output = TableOutput(out, hidden, overwrite=overwrite)
        try:
            output.prepare()
            yield output
        finally:
            output.close()
