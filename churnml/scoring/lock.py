"""Allow one writer at a time, by a lock file beside the output."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from churnml.base.files import output_errors
from churnml.errors import OutputError


@contextmanager
def locked(path: Path, output: Path | str) -> Iterator[None]:
    """Hold the lock file ``path`` while the block runs.

    The system releases the lock when the process ends, however it ends; a file that a
    killed process left behind locks nobody out.

    Parameters
    ----------
    path : Path
        The lock file; made here and removed at the end.
    output : path or str
        What is being locked, for the message.

    Raises
    ------
    OutputError
        At once, if another process holds it; with its process id and machine.
    """
    with output_errors(path):
        handle = _acquire(path, output)
    try:
        yield
    finally:
        # Removed while still held: a process that opened the same file and waits for it
        # sees afterwards that the name has gone, and starts again.
        path.unlink(missing_ok=True)
        os.close(handle)


def _acquire(path: Path, output: Path | str) -> int:
    while True:
        handle = _open(path)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(handle, 1000, 0)
            os.close(handle)
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            raise _held(holder, output) from None
        if _still_named(handle, path):
            _require_ours(handle, path)
            owner = {"pid": os.getpid(), "host": socket.gethostname()}
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps(owner).encode(), 0)
            return handle
        os.close(handle)


def _open(path: Path) -> int:
    """Open the lock file without following a symbolic link."""
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    while True:
        with suppress(FileExistsError):
            return os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            return os.open(path, flags)
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            raise _planted(path) from None


def _require_ours(handle: int, path: Path) -> None:
    """Refuse a file that is not a lock file or has other hard links."""
    state = os.fstat(handle)
    plain = stat.S_ISREG(state.st_mode) and state.st_nlink == 1
    if not plain or (state.st_size and _owner(os.pread(handle, 1000, 0)) is None):
        os.close(handle)
        raise _planted(path)


def _planted(path: Path) -> OutputError:
    return OutputError(
        f"{path}: is where churnml keeps its lock, but was not written by churnml.",
        hint="Remove it, or choose another folder.",
        file=str(path),
        code="FOREIGN",
    )


def _still_named(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _owner(content: bytes) -> tuple[int, str] | None:
    """The owner of a lock: process and machine."""
    try:
        owner = json.loads(content)
        return int(owner["pid"]), str(owner["host"])
    except (ValueError, KeyError, TypeError):
        return None


def _held(holder: bytes, output: Path | str) -> OutputError:
    owner = _owner(holder)
    who = "another process" if owner is None else f"process {owner[0]} on {owner[1]:.60}"
    pid = None if owner is None else owner[0]
    return OutputError(
        f"{output}: {who} is writing it.",
        hint="Wait until it has finished, or choose another folder.",
        file=str(output),
        pid=pid,
        code="LOCKED",
    )
