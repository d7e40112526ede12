"""The hidden folder in which a result is built, and the journal for resuming a killed run.

::

    .{name}.churnml-staging/
        journal.jsonl     the plan, then one line for every file that is whole
        features.parquet  what the parts are made from
        result/           part-00000.parquet ... and _manifest.json: what gets published

The first line of the journal says what work this is. A later run of the same work keeps
every file whose bytes still have the journalled SHA-256; any other run starts afresh.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from churnml.base.files import crash_point, output_errors, sync_file, sync_folder, write_file
from churnml.errors import OutputError

MANIFEST = "_manifest.json"
HISTOGRAMS = "_histograms.json"
"""What monitoring reads: beside the manifest, no part of the scores."""
_JOURNAL = "journal.jsonl"

Facts = Mapping[str, Any]


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Staged:
    """A complete file: its size, SHA-256 and further facts."""

    bytes: int
    sha256: str
    facts: Facts


class Staging:
    """A result being built.

    Parameters
    ----------
    folder : Path
        The hidden folder; made here, or found as a killed run of the same work left it.
    plan : mapping
        What work this is, as plain data: whatever changes a byte of the result is in it.
    place : Path
        Where the result will stand, for messages.

    Attributes
    ----------
    done : dict of str to Staged
        The files that an earlier run of the same work has finished, by name.
    """

    def __init__(self, folder: Path, plan: Facts, place: Path) -> None:
        self.folder = folder
        self.place = place
        self.result = folder / "result"
        self.done: dict[str, Staged] = {}
        opening = json.loads(_line({"plan": dict(plan)}))
        # What a link leads to is somebody else's.
        lines = [] if folder.is_symlink() else read_journal(folder)
        if lines[:1] == [opening]:
            self._go_on(lines)
        else:
            self._start(opening)

    def _start(self, opening: Facts) -> None:
        remove(self.folder)
        self.folder.mkdir(mode=0o700)
        self.result.mkdir()
        write_file(self.folder / _JOURNAL, _line(opening))
        crash_point("staged")

    def _go_on(self, lines: list[dict[str, Any]]) -> None:
        self.done = self._whole(lines)
        # What a kill cut off must neither be appended to nor be published.
        kept = [line for line in lines if "plan" in line or line.get("file") in self.done]
        write_file(self.folder / _JOURNAL, b"".join(_line(line) for line in kept))
        self.result.mkdir(exist_ok=True)
        for folder in (self.folder, self.result):
            for path in folder.iterdir():
                if path.name not in {*self.done, _JOURNAL, self.result.name}:
                    _discard(path)

    def _whole(self, lines: list[dict[str, Any]]) -> dict[str, Staged]:
        parts = {}
        for line in lines:
            if "file" not in line:
                continue
            path = self.path(line["file"])
            whole = path.is_file() and path.stat().st_size == line["bytes"]
            if whole and sha256(path) == line["sha256"]:
                parts[line["file"]] = Staged(line["bytes"], line["sha256"], line["facts"])
        return parts

    @staticmethod
    def plan_of(folder: Path) -> Facts | None:
        """The plan of the run that built in this folder, if any."""
        plan = next(iter(read_journal(folder)), {}).get("plan")
        return plan if isinstance(plan, dict) else None

    def path(self, name: str) -> Path:
        """The path at which a file of that name is built."""
        return (self.result if name.startswith("part-") else self.folder) / name

    def write(self, name: str, data: bytes, facts: Facts) -> Staged:
        """Write a file and journal it.

        Parameters
        ----------
        name : str
        data : bytes
        facts : mapping
            What a later run must know of the file without reading it; plain data.

        Raises
        ------
        OutputError
            If the disk or the permissions do not allow it.
        """
        staged = Staged(len(data), hashlib.sha256(data).hexdigest(), facts)
        with output_errors(self.place):
            write_file(self.path(name), data)
            self._keep_from_others(name)
            return self._note(name, staged)

    def adopt(self, name: str, facts: Facts, *, digest: str | None = None) -> Staged:
        """Journal a file that was written to `path` by other code; its SHA-256, if known."""
        path = self.path(name)
        with output_errors(self.place):
            self._keep_from_others(name)
            sync_file(path)
            sync_folder(path.parent)
            return self._note(name, Staged(path.stat().st_size, digest or sha256(path), facts))

    def _keep_from_others(self, name: str) -> None:
        """Rows of customers are for the eyes of whoever asked for them."""
        if name.startswith("part-"):
            self.path(name).chmod(0o600)

    def _note(self, name: str, staged: Staged) -> Staged:
        facts = dict(staged.facts)
        line = {"file": name, "bytes": staged.bytes, "sha256": staged.sha256, "facts": facts}
        self._append(line)
        self.done[name] = staged
        crash_point(f"{name}:journalled")
        return staged

    def seal(self, manifest: bytes, beside: Mapping[str, bytes]) -> None:
        """Write the manifest, which completes the result, after the files that stand beside it."""
        for name, content in beside.items():
            write_file(self.result / name, content)
        write_file(self.result / MANIFEST, manifest)
        self._append({"commit": hashlib.sha256(manifest).hexdigest()})
        crash_point("sealed")

    def _append(self, line: Facts) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(self.folder / _JOURNAL, flags), "ab") as file:
            file.write(_line(line))
            file.flush()
            os.fsync(file.fileno())


def _line(facts: Facts) -> bytes:
    return json.dumps(facts, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def read_journal(folder: Path) -> list[dict[str, Any]]:
    """Read the journal up to the first incomplete line."""
    try:
        raw = (folder / _JOURNAL).read_bytes()
    except FileNotFoundError:
        return []
    lines = []
    for piece in raw.splitlines(keepends=True):
        try:
            line = json.loads(piece) if piece.endswith(b"\n") else None
        except ValueError:
            line = None
        if not isinstance(line, dict):
            break
        lines.append(line)
    return lines


def commits(folder: Path) -> set[str]:
    """SHA-256 of the manifests that the run in this folder was about to publish."""
    return {line["commit"] for line in read_journal(folder) if "commit" in line}


def require_ours(folder: Path) -> None:
    """Refuse a folder that has a staging folder's name but is not one.

    Raises
    ------
    OutputError
    """
    if folder.is_symlink() or not folder.exists() or Staging.plan_of(folder) is not None:
        return
    # What a run leaves that dies before its journal stands.
    begun = {folder / "result", folder / f".{_JOURNAL}.tmp", folder / _JOURNAL}
    if not folder.is_dir() or not begun.issuperset(folder.rglob("*")):
        raise OutputError(
            f"{folder}: is where churnml builds the result, but was not written by churnml.",
            hint="Remove it, or choose another folder.",
            file=str(folder),
            code="FOREIGN",
        )


def remove(folder: Path) -> None:
    """Remove a staging folder, its journal last, so that a later run can tell what it was."""
    if not folder.is_dir() or folder.is_symlink():
        _discard(folder)
        return
    for path in folder.iterdir():
        if path.name != _JOURNAL:
            _discard(path)
    crash_point("swept")
    _discard(folder)


def _discard(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
