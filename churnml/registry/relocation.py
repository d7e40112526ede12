"""Keep the model store of a project folder that was moved or copied.

MLflow writes the absolute place of every file into its database. Where a SQLite store finds
itself in another folder, with its files beside it, their places are written anew; so a copy
never writes into the folder that it was copied from.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from churnml.base.text import counted
from churnml.errors import ModelError, UsageError

ARTIFACTS = "mlartifacts"
"""The folder of a store's files, beside its database."""

_PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Relocated:
    """A store whose files' places were looked at.

    Attributes
    ----------
    store : str
        The database file.
    artifacts : str
        Where its files are now.
    moved_from : list of str
        Where it said that they were.
    places : int
        How many it wrote anew.
    missing : int
        Models whose files are not there.
    """

    store: str
    artifacts: str
    moved_from: list[str]
    places: int
    missing: int

    def to_dict(self) -> dict[str, Any]:
        """What ``churnml store relocate --json`` prints."""
        return asdict(self)

    def __repr__(self) -> str:
        if not self.moved_from:
            return f"{self.store}: its files are where it says, in {self.artifacts}."
        lost = f"; {counted(self.missing, 'model')} without files" if self.missing else ""
        return (
            f"{self.store}: {counted(self.places, 'place')} moved from "
            f"{', '.join(self.moved_from)} to {self.artifacts}{lost}."
        )


def relocate_store(database: Path | None) -> Relocated:
    """Write the places of a store's files anew, for the folder that it is in now.

    Parameters
    ----------
    database : Path or None
        The SQLite file; ``None`` for any other store.

    Raises
    ------
    UsageError
        If the store is no SQLite file.
    ModelError
        If there is none, or no folder of files beside it, or it cannot be written.
    """
    if database is None:
        raise UsageError(
            "store relocate: only a store in a SQLite file moves with its folder.",
            hint="A server or database keeps its files where MLFLOW_DEFAULT_ARTIFACT_ROOT says.",
        )
    home = database.parent / ARTIFACTS
    if not database.is_file() or not home.is_dir():
        what = "model store" if not database.is_file() else f"folder {ARTIFACTS} beside the store"
        raise ModelError(
            f"{database}: no {what} there.",
            hint="Run this in the project folder, with mlflow.db and mlartifacts in it.",
            file=str(database),
        )
    try:
        with closing(sqlite3.connect(database, timeout=30)) as connection:
            return _relocated(connection, database, _bases(connection, home))
    except sqlite3.Error as error:
        raise ModelError(
            f"{database}: the store cannot be changed ({error}).", file=str(database)
        ) from error


def follow_move(database: Path | None) -> None:
    """As `relocate_store`, where the store's files certainly came along with it.

    Where they did not, or the store cannot be written, nothing is done.

    Parameters
    ----------
    database : Path or None
    """
    if database is None or not database.is_file() or not (database.parent / ARTIFACTS).is_dir():
        return
    with suppress(sqlite3.Error), closing(sqlite3.connect(database, timeout=30)) as connection:
        home = database.parent / ARTIFACTS
        bases = [base for base in _bases(connection, home) if _came_along(connection, base, home)]
        if bases:
            _log.info("%r", _relocated(connection, database, bases))


def _bases(connection: sqlite3.Connection, home: Path) -> list[str]:
    """The folders of files that the store names and that are not its own."""
    known = "SELECT 1 FROM sqlite_master WHERE name = 'experiments'"
    if connection.execute(known).fetchone() is None:
        return []
    rows = connection.execute("SELECT DISTINCT artifact_location FROM experiments").fetchall()
    return [
        base
        for (base,) in rows
        if base
        and base.rstrip("/").endswith(f"/{ARTIFACTS}")
        and _path(base) is not None
        and not _same(_path(base), home)
    ]


def _came_along(connection: sqlite3.Connection, base: str, home: Path) -> bool:
    """Whether files of a run stand in the new place, or the old one is gone."""
    rest = [place[len(base) + 1 :] for place in _named(connection, "runs", "artifact_uri", base)]
    old = _path(base)
    if not rest:
        return old is None or not old.is_dir()
    return any((home / one).parent.is_dir() for one in rest)


def _named(connection: sqlite3.Connection, table: str, column: str, base: str) -> list[str]:
    """The places below a folder that a table names."""
    known = "SELECT 1 FROM sqlite_master WHERE name = ?"
    if connection.execute(known, [table]).fetchone() is None:
        return []
    rows = connection.execute(f"SELECT {column} FROM {table}").fetchall()
    return [place for (place,) in rows if place and place.startswith(f"{base}/")]


def _relocated(connection: sqlite3.Connection, database: Path, bases: list[str]) -> Relocated:
    home = database.parent / ARTIFACTS
    changed = 0
    missing = sum(
        not (home / place[len(base) + 1 :]).is_dir()
        for base in bases
        for place in _named(connection, "logged_models", "artifact_location", base)
    )
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master").fetchall()}
    with connection:
        for base in bases:
            for table, column in _PLACES:
                if table in tables:
                    changed += connection.execute(
                        f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                        f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                        (home.as_uri(), len(base) + 1, base, len(base) + 1, f"{base}/"),
                    ).rowcount
    return Relocated(
        store=str(database),
        artifacts=str(home),
        moved_from=[str(_path(base)) for base in bases],
        places=changed,
        missing=missing,
    )


def _path(uri: str) -> Path | None:
    """The folder of a file URI or plain path; ``None`` for any other address."""
    parsed = urlparse(uri)
    if parsed.scheme == "file":
        return Path(unquote(parsed.path))
    return Path(uri) if uri.startswith("/") else None


def _same(one: Path | None, other: Path) -> bool:
    if one is None or one == other:
        return one is not None
    return one.exists() and one.samefile(other)
