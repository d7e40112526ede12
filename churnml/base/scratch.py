"""Temporary folders owned by this process, and removal of those left by dead processes.

Each is made with a name that nobody can foresee, for its owner's eyes only (mode 0700), and
holds a file `OWNER` that says which process on which machine it belongs to. The process
keeps that file locked; the system lets go of it however the process ends. So the next one
of the same user finds out whose owner has died, and removes what it left, without being
misled by process ids that were given anew.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from churnml.base.files import open_new, plain_reason
from churnml.errors import OutputError

OWNER = "owner.json"
TEMPORARY = "churnml-"
"""What names in the system's temporary folder begin with."""


@dataclass(frozen=True)
class Scratch:
    """A temporary folder owned by this process.

    Attributes
    ----------
    folder : Path
    lock : int
        Handle of `OWNER`, locked.
    """

    folder: Path
    lock: int

    def remove(self) -> None:
        """Remove the folder and its contents, as far as possible."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):
            os.close(self.lock)


def make(parent: Path, prefix: str) -> Scratch:
    """Make a folder, after removing those of dead processes with the same prefix.

    Raises
    ------
    OSError
        As the system says it.
    """
    sweep(parent, prefix)
    folder = Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=parent))
    try:
        draft = folder / f".{OWNER}"
        lock = open_new(draft, 0o600)
        # Named only once it is locked: until then nobody takes the folder for a dead one's.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(lock, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode())
        draft.rename(folder / OWNER)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Scratch(folder, lock)


def sweep(
    parent: Path, prefix: str, *, rescue: Callable[[Path], None] = lambda folder: None
) -> None:
    """Remove folders left by dead processes of the same user on this machine.

    Parameters
    ----------
    parent : path
    prefix : str
    rescue : callable, optional
        Is given each such folder, to take out of it what must stay.
    """
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(prefix) and entry.is_dir(follow_symlinks=False):
                with suppress(OSError):
                    _remove_dead(Path(entry.path), rescue)


def _remove_dead(folder: Path, rescue: Callable[[Path], None]) -> None:
    if folder.lstat().st_uid != os.geteuid():
        return
    handle = os.open(folder / OWNER, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # A lock says nothing of a process on another machine.
        if json.loads(os.pread(handle, 1000, 0))["host"] == socket.gethostname():
            rescue(folder)
            shutil.rmtree(folder, ignore_errors=True)
    except (ValueError, KeyError, TypeError):
        return
    finally:
        os.close(handle)


def temporary() -> Scratch:
    """Make a folder in the system's temporary folder.

    Raises
    ------
    OutputError
        If none can be made.
    """
    try:
        return make(Path(tempfile.gettempdir()), TEMPORARY)
    except OSError as error:
        raise OutputError(
            f"TMPDIR: no temporary folder can be made ({plain_reason(error)}).",
            hint="Point TMPDIR to a folder with space.",
        ) from None


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A temporary folder, removed at the end of the block.

    Raises
    ------
    OutputError
        If there is no place for one.
    """
    made = temporary()
    try:
        yield made.folder
    finally:
        made.remove()
