"""The commit protocol: publish a result atomically.

The result is built in a hidden folder beside its place (`churnml.scoring.staging`) and
moved there in one step of the file system: a rename where nothing stands yet, an exchange
of two folders where an older result is replaced. Killed before that step, the old state
stands and the next run of the same work goes on; killed after it, the new result stands
and the next run only tidies up. An error or a signal that the process lives to see
removes the hidden folder.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from churnml.base.files import (
    crash_point,
    exchange,
    output_errors,
    stoppable,
    sync_folder,
    uninterrupted,
    write_file,
)
from churnml.base.placing import real
from churnml.base.text import counted
from churnml.errors import OutputError
from churnml.scoring.lock import locked
from churnml.scoring.staging import (
    HISTOGRAMS,
    MANIFEST,
    Facts,
    Staging,
    commits,
    remove,
    require_ours,
)

if TYPE_CHECKING:
    from churnml.scoring.manifest import Manifest

_PART = re.compile(r"part-\d{5,}\.parquet")

PlaceState = Literal["absent", "complete"]


class Output:
    """The place of a result, claimed by this process; made by `claimed`.

    Attributes
    ----------
    place : Path
        Where the result will stand, without symbolic links.
    """

    def __init__(self, place: Path, *, overwrite: bool) -> None:
        self.place = place
        self._hidden = place.with_name(f".{place.name}.churnml-staging")
        self._overwrite = overwrite
        self._staged = False

    def prepare(self) -> None:
        """Recover from a killed run, and check that a result may be written here.

        Raises
        ------
        OutputError
            If a complete result stands here and may not be overwritten, something else
            does, or nothing can be written.
        """
        self._recover()
        if state(self.place) == "complete" and not (self._overwrite or self._just_published()):
            raise OutputError(
                f"{self.place}: holds a complete result.",
                hint="Use --overwrite to replace it, or choose another folder.",
                file=str(self.place),
                code="EXISTS",
            )
        self._probe()

    def _recover(self) -> None:
        """Undo the first of two renames that replace an exchange, if the second is missing."""
        old = self._hidden / "old"
        if not self._hidden.is_symlink() and old.is_dir() and not self.place.exists():
            old.rename(self.place)
            sync_folder(self.place.parent)

    def _just_published(self) -> bool:
        """Whether the run that left its hidden folder here had published before it was killed."""
        manifest = self.place / MANIFEST
        if not manifest.is_file():
            return False
        return hashlib.sha256(manifest.read_bytes()).hexdigest() in commits(self._hidden)

    def _probe(self) -> None:
        probe = self.place.with_name(f".{self.place.name}.churnml-probe")
        write_file(probe, b"\0" * 4096)
        probe.unlink()

    def published(self, plan: Facts) -> bool:
        """Whether a killed run of the same work had already published; if so, tidy up.

        Then nothing is left to do.
        """
        if not self._just_published():
            return False
        same = Staging.plan_of(self._hidden) == json.loads(json.dumps(dict(plan)))
        with output_errors(self._hidden):
            remove(self._hidden)
        return same

    def stage(self, plan: Facts) -> Staging:
        """Open the hidden folder for this work, with the files of a killed run of it."""
        with output_errors(self._hidden):
            require_ours(self._hidden)
            self._staged = True
            return Staging(self._hidden, plan, self.place)

    def commit(
        self, staging: Staging, manifest: bytes, beside: Mapping[str, bytes] | None = None
    ) -> None:
        """Publish what has been staged.

        Parameters
        ----------
        staging : Staging
        manifest : bytes
        beside : mapping of str to bytes, optional
            Files that stand beside the manifest, no part of the scores.

        Raises
        ------
        OutputError
            If that fails; then what stood at the place still does.
        """
        with output_errors(self.place), uninterrupted():
            staging.seal(manifest, beside or {})
            self._move(staging)
            sync_folder(self.place.parent)
            crash_point("published")
            # Published is published: what cannot be removed now, the next run removes.
            with suppress(OSError):
                remove(self._hidden)
                sync_folder(self.place.parent)

    def _move(self, staging: Staging) -> None:
        if state(self.place) == "absent":
            staging.result.rename(self.place)
        elif not exchange(staging.result, self.place):
            old = self._hidden / "old"
            self.place.rename(old)
            crash_point("moved")
            try:
                staging.result.rename(self.place)
            except OSError:
                old.rename(self.place)
                raise

    def manifest(self) -> Manifest:
        """The manifest of what has been published."""
        # It reads tables, which takes seconds to import and is not needed to publish.
        from churnml.scoring.manifest import Manifest

        return Manifest.read(self.place)

    def keep(self) -> bool:
        """Leave what this process has staged for the next run of the same work.

        Not beside an older result, where it would lie for good. Returns whether it was left.
        """
        if state(self.place) == "complete":
            return False
        self._staged = False
        return True

    def abandon(self) -> None:
        """Remove what this process has staged, as far as possible."""
        if self._staged:
            with uninterrupted(), suppress(OSError):
                remove(self._hidden)


def state(place: Path) -> PlaceState:
    """What is at the place of a result.

    Raises
    ------
    OutputError
        If it is not a folder, or holds anything but a result with its manifest: that is
        not ours, and parts without a manifest may be anybody's table.
    """
    if not place.exists():
        return "absent"
    if not place.is_dir():
        raise OutputError(
            f"{place}: is a file; a folder is expected.",
            hint="Choose another folder.",
            file=str(place),
        )
    with output_errors(place):
        names = {path.name for path in place.iterdir()}
    if not names:
        return "absent"
    foreign = sorted(names - _results(place, names))
    if foreign:
        listing = ", ".join(foreign[:5]) + (" ..." if len(foreign) > 5 else "")
        raise OutputError(
            f"{place}: holds {counted(len(foreign), 'file')} not of a result with its "
            f"manifest: {listing}.",
            hint="Nothing was changed; choose another folder.",
            file=str(place),
            count=len(foreign),
            code="FOREIGN",
        )
    return "complete"


def _results(place: Path, names: set[str]) -> set[str]:
    """The names in a folder that belong to a result, by its manifest."""
    try:
        content = json.loads((place / MANIFEST).read_bytes())
        listed = {part["name"] for part in content["parts"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    if "rows" not in content:
        return set()
    return {
        MANIFEST,
        HISTOGRAMS,
        *(name for name in names if _PART.fullmatch(name) and name in listed),
    }


@contextmanager
def claimed(out: str | Path, *, overwrite: bool = False) -> Iterator[Output]:
    """Lock the place of a result before any work is done.

    Parameters
    ----------
    out : path
        The folder; the folders above it are made.
    overwrite : bool, default False
        Whether a complete result that stands there may be replaced.

    Raises
    ------
    OutputError
        If another process is writing it, a complete result or foreign files stand there,
        or the disk or the permissions do not allow it.
    """
    place = real(out)
    with output_errors(place):
        place.parent.mkdir(parents=True, exist_ok=True)
    lock = place.with_name(f".{place.name}.churnml-lock")
    with stoppable(), locked(lock, place):
        output = Output(place, overwrite=overwrite)
        try:
            with output_errors(place):
                output.prepare()
            yield output
        except BaseException:
            output.abandon()
            raise
