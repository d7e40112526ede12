"""Find, create and open the MLflow store without changing MLflow's global state.

A SQLite file in the working folder by default; ``MLFLOW_TRACKING_URI``, or a tracking URI
that the caller has set in MLflow, comes first, and may name a PostgreSQL database or a server.
MLflow's own active run, tracking URI and autologging are left as they are.
"""

from __future__ import annotations

import importlib
import logging
import os
import sqlite3
import sys
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from churnml.errors import ChurnmlError, ModelError
from churnml.errors.masking import without_secrets
from churnml.registry.relocation import ARTIFACTS, follow_move

if TYPE_CHECKING:
    from mlflow import MlflowClient

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgresql+", "postgres://")
_TRACKING = "MLFLOW_TRACKING_URI"
_ARTIFACTS = "MLFLOW_DEFAULT_ARTIFACT_ROOT"
_LOCK_SECONDS = 300
_LOCK_KEY = 0x636875726E6D6C
"""The letters of churnml, by which its processes find each other in a database."""

_timeout = ContextVar("seconds after which a store is given up", default=30)
_set_here: dict[str, str] = {}


@dataclass(frozen=True)
class Store:
    """An MLflow store.

    Attributes
    ----------
    uri : str
        The tracking URI.
    client : MlflowClient
    """

    uri: str
    client: MlflowClient

    @property
    def artifacts(self) -> str | None:
        """The artifact location of new experiments; ``None`` where a server decides.

        ``MLFLOW_DEFAULT_ARTIFACT_ROOT`` comes first: people who share a database need a
        place for the files that all of them reach.
        """
        if os.environ.get(_ARTIFACTS):
            return os.environ[_ARTIFACTS]
        database = database_file(self.uri)
        if database is not None:
            return (database.parent / ARTIFACTS).as_uri()
        if self.uri.startswith(("http://", "https://", "databricks")):
            return None
        return (Path.cwd() / ARTIFACTS).as_uri()

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make this MLflow's global store while the block runs.

        MLflow 3.17 looks a model's files up in its global store, whatever client is asked.
        """
        import mlflow

        before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
        if before == self.uri:
            yield
            return
        mlflow.set_tracking_uri(self.uri)
        try:
            yield
        finally:
            # Back into the environment alone: what was set there is not to outlive it.
            mlflow.set_tracking_uri(None)
            if before is not None:
                os.environ[_TRACKING] = before

    def alone(self) -> AbstractContextManager[object]:
        """Lock the store against other churnml processes."""
        return _alone(self.uri)


def store_uri() -> str:
    """The tracking URI to use, without contacting a server."""
    default = f"{_SQLITE}{Path.cwd() / 'mlflow.db'}"
    if "mlflow" not in sys.modules and not os.environ.get(_TRACKING):
        # Nobody can have told MLflow of another; importing it takes a second.
        return default
    mlflow_quietly()
    import mlflow

    if mlflow.is_tracking_uri_set():
        return mlflow.get_tracking_uri()
    return default


def mlflow_quietly() -> None:
    """Turn off MLflow's telemetry and its printing of rows; called before MLflow is imported."""
    for name in ("MLFLOW_DISABLE_TELEMETRY", "MLFLOW_DISABLE_SCHEMA_DETAILS"):
        os.environ.setdefault(name, "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    with warnings.catch_warnings():
        # In a notebook without ipywidgets tqdm complains when MLflow imports it.
        warnings.filterwarnings("ignore", message="IProgress not found")
        importlib.import_module("tqdm.auto")
    if "mlflow.telemetry.client" in sys.modules:
        # The caller has imported MLflow already; it reads the variable anew.
        sys.modules["mlflow.telemetry.client"].set_telemetry_client()


@contextmanager
def quiet(*names: str, below: int = logging.WARNING) -> Iterator[None]:
    """Silence loggers below warnings, or another level, while the block runs."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(below)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def database_file(uri: str) -> Path | None:
    """The file of a SQLite store; ``None`` for any other.

    >>> database_file("sqlite:////srv/mlflow.db")
    PosixPath('/srv/mlflow.db')
    """
    if not uri.startswith(_SQLITE):
        return None
    return Path(uri[len(_SQLITE) :].partition("?")[0]).absolute()


def store_exists(uri: str) -> bool:
    """Whether the store exists; a server or database is assumed to."""
    database = database_file(uri)
    return database is None or database.is_file()


def open_store(uri: str | None = None) -> Store:
    """Connect to the store, creating its tables if needed.

    Any number of processes may do so at once: its tables are made by one of them.

    Parameters
    ----------
    uri : str, optional
        By default what `store_uri` says.

    Raises
    ------
    ModelError
        If it cannot be opened.
    """
    uri = uri or store_uri()
    mlflow_quietly()
    wait_at_most(_timeout.get())
    with mlflow_errors(uri), _address_errors(uri), _alone(uri):
        from mlflow import MlflowClient

        _await_unlocked(uri)
        follow_move(database_file(uri))
        with quiet("alembic", "mlflow.store.db.utils"):
            client = MlflowClient(tracking_uri=uri, registry_uri=uri)
            # The tables of runs and of models are made on first use.
            client.search_experiments(max_results=1)
            client.search_registered_models(max_results=1)
    return Store(uri, client)


def wait_at_most(seconds: int) -> None:
    """Set timeouts for a store that does not answer.

    What the user's own environment says of MLflow's and PostgreSQL's patience stays.

    Parameters
    ----------
    seconds : int
    """
    _timeout.set(seconds)
    patience = {
        # Three tries of a request, with short pauses.
        "MLFLOW_HTTP_REQUEST_TIMEOUT": max(1, seconds // 3),
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": 2,
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": 1,
        "PGCONNECT_TIMEOUT": seconds,
    }
    for name, value in patience.items():
        if os.environ.get(name) in (None, _set_here.get(name)):
            os.environ[name] = _set_here[name] = str(value)


def _await_unlocked(uri: str) -> None:
    """Wait until no other program has a SQLite store locked.

    Raises
    ------
    ModelError
        If it does not let go of it in time.
    """
    database = database_file(uri)
    if database is None or not database.is_file():
        return
    seconds = _timeout.get()
    connection = sqlite3.connect(database, timeout=seconds, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise ModelError(
                f"{database}: another program has had the model store locked for {seconds} s.",
                hint="Run again when it has released it, or raise store.timeout.",
                file=str(database),
            ) from None
    except sqlite3.DatabaseError:
        # MLflow says what is wrong with it.
        pass
    finally:
        connection.close()


@contextmanager
def _address_errors(uri: str) -> Iterator[None]:
    """Turn drivers' errors on an invalid address into a `ModelError`."""
    try:
        yield
    except ChurnmlError:
        raise
    except (ValueError, ImportError) as error:
        raise _unusable(uri, error) from error


def _alone(uri: str) -> AbstractContextManager[object]:
    database = database_file(uri)
    if database is not None:
        return _file_lock(database)
    if uri.startswith(_POSTGRES):
        return _database_lock(uri)
    return nullcontext()


@contextmanager
def _database_lock(uri: str) -> Iterator[None]:
    """Take a PostgreSQL advisory lock, released when the connection ends."""
    from sqlalchemy import NullPool, create_engine, text
    from sqlalchemy.exc import OperationalError

    engine = create_engine(uri, poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(f"SET lock_timeout = '{_LOCK_SECONDS}s'"))
        try:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK_KEY})
        except OperationalError as error:
            if "lock timeout" not in str(error):
                raise
            raise _held(without_secrets(uri)) from None
        yield


def _held(place: str) -> ModelError:
    return ModelError(
        f"{place}: another process has held the model store for {_LOCK_SECONDS} s.",
        hint="Wait for it to finish, or name another store in MLFLOW_TRACKING_URI.",
        file=place,
    )


@contextmanager
def _file_lock(database: Path) -> Iterator[None]:
    lock = FileLock(f"{database}.lock", timeout=_LOCK_SECONDS)
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise _held(str(database)) from None
    except OSError as error:
        raise ModelError(
            f"{database}: the model store cannot be written ({error.strerror}).",
            hint="Name another store in MLFLOW_TRACKING_URI.",
            file=str(database),
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def mlflow_errors(uri: str) -> Iterator[None]:
    """Turn errors of MLflow and its database in the block into a `ModelError`."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:
        raise _unusable(uri, error) from error


def _unusable(uri: str, error: Exception) -> ModelError:
    problem = without_secrets(str(error), uri).strip().split("\n")[0][:300]
    return ModelError(
        f"model store {without_secrets(uri)}: {problem.rstrip('.')}.",
        hint="Check MLFLOW_TRACKING_URI and that the store can be reached and written.",
    )


@contextmanager
def existing_store() -> Iterator[Store]:
    """The model store, which must be there; its errors as errors of churnml."""
    location = store_uri()
    if not store_exists(location):
        raise ModelError(
            f"{location}: no model store there.",
            hint="Train a model with churnml train, run from the folder that holds mlflow.db, or "
            "set MLFLOW_TRACKING_URI.",
        )
    store = open_store(location)
    with mlflow_errors(location):
        yield store
