"""One writer at a time: a lock file beside the output, held by a living process."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from churnml.durable import output_errors
from churnml.errors import OutputError


@contextmanager
def locked(path: Path, output: Path) -> Iterator[None]:
    """Hold the lock file ``path`` while the block runs.

    The system releases the lock when the process ends, however it ends; a file that a
    killed process left behind locks nobody out.

    Parameters
    ----------
    path : Path
        The lock file; made here and removed at the end.
    output : Path
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


def _acquire(path: Path, output: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(handle, 1000, 0)
            os.close(handle)
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            raise _held(holder, output) from None
        if _still_named(handle, path):
            owner = {"pid": os.getpid(), "host": socket.gethostname()}
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps(owner).encode(), 0)
            return handle
        os.close(handle)


def _still_named(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _held(holder: bytes, output: Path) -> OutputError:
    try:
        owner = json.loads(holder)
        who = f"process {int(owner['pid'])} on {owner['host']!s:.60}"
        pid = int(owner["pid"])
    except (ValueError, KeyError, TypeError):
        who, pid = "another process", None
    return OutputError(
        f"{output}: {who} is writing it.",
        hint="Wait until it has finished, or choose another folder.",
        file=str(output),
        pid=pid,
        code="LOCKED",
    )
