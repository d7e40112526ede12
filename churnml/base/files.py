"""Write files atomically, and turn disk errors into messages that say what to do.

A file is written under a temporary name, forced to disk, renamed, and its folder forced
to disk; whoever looks sees the old content or the new one. A process can be made to die
at any step: ``CHURNML_CRASH_AT`` names a crash point, at which it exits as ``kill -9``
would, so that what is left behind can be tested.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from churnml.errors import OutputError

CRASH_AT = "CHURNML_CRASH_AT"
"""Environment variable that names the crash point at which to die."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
OUT_OF_ROOM = (*_FULL, errno.EFBIG)
"""Codes that only writing gives."""

_CODE = re.compile(r'"errno":\s*"?(\d+)|\[Errno (\d+)\]|OSError\((\d+),')
_DUMP = ': {"exception_type"'
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_NO_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM)


def crash_point(name: str) -> None:
    """Exit here without clean-up if the environment asks for it."""
    if os.environ.get(CRASH_AT) == name:
        os._exit(137)


def write_file(path: Path, data: bytes) -> None:
    """Write a file atomically, even in case of a power cut.

    Raises
    ------
    OSError
        As the system says it; the temporary file is gone and an older file untouched.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with os.fdopen(open_new(temporary), "wb") as file:
            file.write(data)
            crash_point(f"{path.name}:written")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    crash_point(f"{path.name}:renamed")
    sync_folder(path.parent)


def open_new(path: Path, mode: int = 0o666) -> int:
    """Open a new file; a symbolic link at its name is removed, never followed.

    Raises
    ------
    OSError
        As the system says it.
    """
    path.unlink(missing_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, mode)


def sync_folder(folder: Path) -> None:
    """Sync a folder to disk, without which a rename can be lost."""
    sync_file(folder)


def sync_file(path: Path) -> None:
    """Sync a file to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def exchange(one: Path, other: Path) -> bool:
    """Swap two folders atomically.

    Returns
    -------
    bool
        False, and nothing was done, where the system or the file system cannot.

    Raises
    ------
    OSError
        As the system says it.
    """
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    old, new = os.fsencode(one), os.fsencode(other)
    if rename(_AT_FDCWD, old, _AT_FDCWD, new, _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _NO_EXCHANGE:
        return False
    raise OSError(code, os.strerror(code), str(other))


def is_utf8(path: str | Path) -> bool:
    """Whether a path is valid UTF-8.

    >>> is_utf8("客户.csv"), is_utf8(os.fsdecode(bytes([255])))
    (True, False)
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(path: str | Path) -> str:
    r"""A path that is safe for messages and JSON.

    >>> shown(os.fsdecode(b"\xff.csv"))
    '\\xff.csv'
    """
    return os.fsencode(path).decode(errors="backslashreplace")


def system_code(error: BaseException) -> int | None:
    """The errno of a failed call, even where a library hides it in its message.

    >>> system_code(RuntimeError('IO Error: write failed: {"errno":"28"}')) == errno.ENOSPC
    True
    """
    if isinstance(error, OSError) and error.errno:
        return error.errno
    match = _CODE.search(str(error))
    return int(next(filter(None, match.groups()))) if match else None


def plain_reason(error: BaseException) -> str:
    """Why a call failed, in the system's words where it has an errno.

    >>> plain_reason(RuntimeError('IO Error: write failed: {"exception_type":"IO","errno":"28"}'))
    'no space left on device'
    """
    code = system_code(error)
    if code is not None:
        text = os.strerror(code)
        return text[:1].lower() + text[1:]
    return str(error).partition("\n")[0].partition(_DUMP)[0]


def output_error(error: OSError, path: Path) -> OutputError:
    """Turn a failed system call into an `OutputError`.

    >>> str(output_error(OSError(errno.EACCES, "Permission denied"), Path("/srv/scores")))
    '/srv/scores: no permission to write there. Ask for it, or choose another folder.'
    """
    code = error.errno
    facts = {"file": str(path), "reason": os.strerror(code) if code else str(error)}
    if code in _FULL:
        free = _free(path)
        return OutputError(
            f"{path}: the disk is full ({free} MB free).",
            hint="Free space or choose another disk, then run the same command again.",
            **facts,
        )
    if code == errno.EFBIG:
        return OutputError(
            f"{path}: a file would grow past the size limit of this account.",
            hint="Raise the limit (ulimit -f), or lower scoring.batch_rows.",
            **facts,
        )
    if code in _FORBIDDEN:
        hint = "Ask for it, or choose another folder."
        return OutputError(f"{path}: no permission to write there.", hint=hint, **facts)
    if code == errno.EMFILE:
        hint = "Raise the limit (ulimit -n)."
        return OutputError(f"{path}: too many open files.", hint=hint, **facts)
    return OutputError(
        f"{path}: cannot be written ({facts['reason']}).",
        hint="Nothing was published; check the disk or choose another folder.",
        **facts,
    )


def _free(path: Path) -> int:
    folder = next((parent for parent in (path, *path.parents) if parent.exists()), Path("/"))
    return shutil.disk_usage(folder).free // 1_000_000


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turn every `OSError` of the block into an `OutputError` about ``path``."""
    try:
        yield
    except OSError as error:
        raise output_error(error, path) from error


def require_writable(path: str | Path) -> None:
    """Check before any work that a place can be written to.

    Parameters
    ----------
    path : path
        A file or folder to come; the folders above it may be missing.

    Raises
    ------
    OutputError
        As `output_error` says it, of the nearest folder above that is there.

    Examples
    --------
    >>> try:
    ...     require_writable("/proc/scores")
    ... except OutputError as refused:
    ...     refused.status
    5
    """
    path = Path(path)
    with output_errors(path):
        above = next((one for one in path.absolute().parents if one.exists()), Path("/"))
        tempfile.TemporaryFile(dir=above).close()


@contextmanager
def stoppable() -> Iterator[None]:
    """Make SIGTERM raise an exception in the block, as Ctrl-C does, so that clean-ups run.

    It becomes ``SystemExit(143)``. A second signal does not disturb the clean-up.
    """
    if not _ours(signal.SIGTERM, signal.SIG_DFL):
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _ours(number: signal.Signals, expected: object) -> bool:
    main = threading.current_thread() is threading.main_thread()
    return main and signal.getsignal(number) is expected


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Defer SIGINT and SIGTERM until the block has ended."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    watched = (signal.SIGINT, signal.SIGTERM)
    before = {s: signal.signal(s, lambda number, frame: arrived.append(number)) for s in watched}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if arrived:
            signal.raise_signal(arrived[0])
