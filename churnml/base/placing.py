"""Check where a result may be written: never on its input, and only over churnml's own files.

Whatever churnml writes whole is a `Product`, which is asked first and then replaced here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from churnml.base import scratch
from churnml.base.files import (
    crash_point,
    exchange,
    is_utf8,
    output_errors,
    require_writable,
    shown,
    sync_file,
    sync_folder,
    uninterrupted,
)
from churnml.errors import OutputError

_OLD = "old"


@dataclass(frozen=True)
class ReadPlaces:
    """The paths that a command reads and must never write to.

    Attributes
    ----------
    places : tuple of Path
        Files and folders; an output neither is nor holds one.
    tables : tuple of Path
        Folders of a table's parts or of a model; an output does not lie in one.
    names : tuple of Path
        Where a table or a mapping would be looked for, though none stands there yet.
    """

    places: tuple[Path, ...] = ()
    tables: tuple[Path, ...] = ()
    names: tuple[Path, ...] = ()

    def with_models(self, models: Iterable[object]) -> ReadPlaces:
        """These places and the folders of models among the given."""
        folders = tuple(
            Path(one)
            for one in models
            if isinstance(one, str | Path) and one != "" and Path(one).is_dir()
        )
        return replace(self, tables=(*self.tables, *folders), places=(*self.places, *folders))


def require_apart(out: str | Path, read: ReadPlaces) -> None:
    """Refuse an output that is, contains or lies in an input.

    Raises
    ------
    OutputError
        Whether or not something may be overwritten.
    """
    place = real(out)
    for one in map(real, read.places):
        if place == one or place in one.parents:
            raise _refused(out, "is" if place == one else "holds", one)
    for one in map(real, read.tables):
        if one in place.parents:
            raise OutputError(
                f"{shown(out)}: lies in {shown(one)}, which is itself an input.",
                hint="Choose another place; nothing was written.",
                file=shown(out),
                code="INPUT",
            )
    for one in map(real, read.names):
        above = [step for step in (place, *place.parents) if step.parent == one.parent]
        if any(step.name.casefold() == one.name.casefold() for step in above):
            raise OutputError(
                f"{shown(out)}: {'has' if place in above else 'lies in what has'} the name of a "
                "table or mapping of the source.",
                hint="Choose another name; nothing was written.",
                file=shown(out),
                code="INPUT",
            )


def _refused(out: str | Path, verb: str, one: Path) -> OutputError:
    return OutputError(
        f"{shown(out)}: {verb} the input{'' if verb == 'is' else f' {shown(one)}'}.",
        hint="Choose another place; nothing was written.",
        file=shown(out),
        code="INPUT",
    )


@dataclass(frozen=True, kw_only=True)
class Product:
    """A kind of file or folder that churnml writes whole, and may replace where it wrote it.

    Attributes
    ----------
    what : str
        What messages call it: ``a report``.
    ours : callable
        Whether what is at a place is such a thing, and nothing else is with it.
    """

    what: str
    ours: Callable[[Path], bool]

    def require_free(self, place: str | Path, *, overwrite: bool) -> None:
        """Refuse a place that cannot be written, or holds something that must not be replaced.

        Parameters
        ----------
        place : path
        overwrite : bool
            Whether such a thing may be replaced; anything else never is.

        Raises
        ------
        OutputError
        """
        require_writable(place)
        path = real(place)
        with output_errors(path):
            scratch.sweep(path.parent, _prefix(path), rescue=lambda dead: _put_back(dead, path))
            if not path.exists() or (path.is_dir() and not any(path.iterdir())):
                return
            known = self.ours(path)
        if known and overwrite:
            return
        raise OutputError(
            f"{place}: {self.what} already exists there."
            if known
            else f"{place}: already exists and is not {self.what} of churnml alone.",
            hint="Give --overwrite to replace it, or choose another place."
            if known
            else "Nothing was changed; choose another place.",
            file=str(place),
            code="EXISTS" if known else "FOREIGN",
        )

    @contextmanager
    def replaced(self, place: str | Path, *, overwrite: bool) -> Iterator[Path]:
        """As `placed`, once `require_free` has agreed."""
        self.require_free(place, overwrite=overwrite)
        with placed(place) as fresh:
            yield fresh


@contextmanager
def placed(place: str | Path) -> Iterator[Path]:
    """Give a temporary path for a file or folder, which moves to its place when the block ends.

    It is built beside its place and forced to disk. What was there is replaced only then; if
    the block or the system fails, it stays.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    path = real(place)
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        made = scratch.make(path.parent, _prefix(path))
        fresh = made.folder / path.name
        try:
            yield fresh
            _sync(fresh)
            _move(fresh, path, made.folder / _OLD)
            sync_folder(path.parent)
        finally:
            made.remove()


def _sync(fresh: Path) -> None:
    for path in (fresh, *(fresh.rglob("*") if fresh.is_dir() else ())):
        sync_file(path)


def _move(fresh: Path, place: Path, old: Path) -> None:
    if fresh.is_file():
        fresh.replace(place)
    elif not place.exists():
        fresh.rename(place)
    elif not exchange(fresh, place):
        with uninterrupted():
            place.rename(old)
            crash_point("placing:moved")
            try:
                fresh.rename(place)
            except OSError:
                old.rename(place)
                raise


def _prefix(place: Path) -> str:
    return f".{place.name}.churnml-draft-"


def _put_back(dead: Path, place: Path) -> None:
    """Undo the first of two renames that a killed process left without the second."""
    if (dead / _OLD).is_dir() and not place.exists():
        (dead / _OLD).rename(place)
        sync_folder(place.parent)


@contextmanager
def input_first(judge: Callable[[], object]) -> Iterator[None]:
    """Report a refused input rather than a refused output, where both are.

    Parameters
    ----------
    judge : callable
        Raises what is wrong with the input; called only where the output is refused.
    """
    try:
        yield
    except OutputError:
        judge()
        raise


def only(folder: Path, known: Callable[[str], bool]) -> bool:
    """Whether a folder and its subfolders hold only files with known names."""
    if not folder.is_dir():
        return False
    files = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    return all(known(path.relative_to(folder).as_posix()) for path in files)


def real(path: str | Path) -> Path:
    """Resolve a path's links and relative steps.

    Raises
    ------
    OutputError
        If it is none, or its name is not UTF-8.
    """
    try:
        place = Path(os.path.realpath(path))
    except (ValueError, OSError):
        place = Path("/")
    if not place.name or not is_utf8(place):
        raise OutputError(
            f"{shown(path)!r}: not the name of a file or folder"
            + ("." if is_utf8(place) else " in UTF-8."),
            hint="Choose another.",
        )
    return place
