"""D. Killed, stopped, and writes that fail: the old result or the new one, nothing between."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.faults.catalogue.bench import Bench, files, names, parts, require
from tests.faults.catalogue.registry import case
from tests.faults.catalogue.tracing import Point, disturbed, points
from tests.faults.conftest import Result

CRASHES = (
    "staged",
    "journal.jsonl:written",
    "journal.jsonl:renamed",
    "part-00000.parquet:written",
    "part-00000.parquet:renamed",
    "part-00001.parquet:journalled",
    "part-00003.parquet:written",
    "_manifest.json:written",
    "_manifest.json:renamed",
    "sealed",
    "published",
    "swept",
)
AFTER = ("published", "swept")


class Work:
    """A scoring in four parts, into a folder of its own."""

    def __init__(self, at: Bench, name: str) -> None:
        self.at, self.place = at, at.place(name)
        self.out = self.place / "out"
        self.table = at.folder / "table.csv"
        self.config = at.folder / "config.yaml"
        if not self.table.exists():
            at.csv(at.rows)
            at.raw("scoring: {batch_rows: 150}\n", "config.yaml")

    def command(self, *more: object) -> list[object]:
        options = ("--overwrite", "--config", self.config)
        return self.at.command(self.table, *options, *more, out=self.out)

    def run(self, **options: object) -> Result:
        return self.at.run(*self.command(), **options)

    def age(self) -> None:
        """Let an older result stand there."""
        shutil.copytree(self.at.shared.old, self.out, dirs_exist_ok=True)

    def whole(self) -> str:
        """Whether the old or the new result stands there; fails on anything between."""
        old, now = files(self.at.shared.old), files(self.out)
        if now == old:
            return "old"
        self.at.alike(self.at.scorer.scores(self.out))
        return "new"

    def recovers(self, undisturbed: dict[str, bytes]) -> None:
        """The plain second run ends as if nothing had happened, and tidies up (I2, I8)."""
        done = self.run()
        require(done.status == 0, f"run again: {done.err[-300:]}")
        require(parts(self.out) == undisturbed, "run again: other bytes")
        require(names(self.place) == {"out"}, f"left over: {names(self.place)}")


def undisturbed(at: Bench) -> dict[str, bytes]:
    work = Work(at, "undisturbed")
    done = work.run()
    require(done.status == 0, done.err[-300:])
    return parts(work.out)


@case(61, "kill -9 at every named crash point of score")
def crash_points(at: Bench) -> None:
    good = undisturbed(at)
    for number, crash in enumerate(CRASHES):
        work = Work(at, f"crash{number}")
        work.age()
        done = work.run(killed=True, env={"CHURNML_CRASH_AT": crash})
        require(done.status == 137, f"{crash}: not reached, status {done.status}")
        require(work.whole() == ("new" if crash in AFTER else "old"), crash)
        work.recovers(good)


@case(62, "kill -9 at every write, fsync, rename")
def every_call(at: Bench) -> None:
    good = undisturbed(at)
    found = sweep(at)
    require(len(found) >= 35, f"only {len(found)} points")
    for number, point in enumerate(found):
        work = Work(at, f"k{number:03d}")
        work.age()
        disturbed(at, work.command(), point, "signal=KILL")
        work.whole()
        # The end of every fourth is tried; the named points try all of theirs.
        if number % 4 == 0:
            work.recovers(good)
        shutil.rmtree(work.place)


def sweep(at: Bench) -> list[Point]:
    """The calls to disturb, of a run that replaces an older result."""
    work = Work(at, "k000")
    work.age()
    found = points(at, work.command(), work.place)
    shutil.rmtree(work.place)
    return [point for point in found if point.call != "close"]


@case(63, "kill -9 during train and promote")
def registering(at: Bench) -> None:
    train = at.training(at.shared.training, "--name", "toy")
    at.store()
    require(at.run(*train).status == 0, "the second training")
    old = aliases(at)
    promote = ["promote", "churn", "--name", "toy", "--force", "a test"]
    for crash in ("promotion:checked", "registry:written", "registry:moved"):
        done = at.run(*promote, killed=True, env={"CHURNML_CRASH_AT": crash})
        require(done.status == 137, f"{crash}: status {done.status}: {done.err[-300:]}")
        moved = crash == "registry:moved"
        require((aliases(at) != old) == moved, f"{crash}: {aliases(at)}")
    require(aliases(at)["champion"] == 2, aliases(at))
    chance = at.random()
    for _ in range(3):
        running = at.start(*train)
        wait = chance.uniform(0.2, 3)
        at.note(f"killed after {wait:.2f} s")
        time.sleep(wait)
        os.kill(running.pid, signal.SIGKILL)
        running.result()
        require(aliases(at)["champion"] == 2, f"killed after {wait:.2f} s: {aliases(at)}")
        require(not half_registered(at), f"killed after {wait:.2f} s: {half_registered(at)}")
    done = at.run(*train, "--json")
    require(done.status == 0, done.err[-300:])
    model = done.json["model_uri"]
    require(at.score(at.csv(at.rows), model=model).status == 0, "the model trained after it")


def asked(at: Bench, question: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(at.folder / "mlflow.db")) as database:
        return database.execute(question).fetchall()


def aliases(at: Bench) -> dict[str, int]:
    return dict(asked(at, "select alias, version from registered_model_aliases"))


def half_registered(at: Bench) -> list[tuple[Any, ...]]:
    """Versions that are not ready, or whose run has not ended."""
    return asked(
        at,
        "select version, v.status, r.status from model_versions v left join runs r "
        "on r.run_uuid = v.run_id where v.status != 'READY' or r.status != 'FINISHED'",
    )


@case(64, "SIGTERM and SIGINT, once and twice")
def stopped(at: Bench) -> None:
    for number, status in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        for times in (1, 2):
            work = Work(at, f"{number.name}{times}")
            work.age()
            begun = work.place / "begun"
            before = SLOW.format(begun=str(begun))
            running = at.start(*work.command("--json"), before=before)
            waited = time.monotonic()
            while not begun.exists() and time.monotonic() - waited < 30:
                time.sleep(0.005)
            begun.unlink()
            for _ in range(times):
                os.kill(running.pid, number)
                time.sleep(0.05)
            done = running.result()
            require(done.status == status, f"{number.name}: {done.status}: {done.err[-300:]}")
            require("Traceback" not in done.err, done.err[-300:])
            work.whole()
            require(names(work.place) == {"out"}, f"left over: {names(work.place)}")


SLOW = """
import os, time
from pathlib import Path
fsync = os.fsync
def slowly(handle):
    fsync(handle)
    Path({begun!r}).touch()
    time.sleep(0.3)
os.fsync = slowly
"""
"""The disk takes its time, so that the signal arrives in the middle."""


def fails(at: Bench, found: list[Point], what: str, words: str) -> None:
    good = undisturbed(at)
    failed = 0
    for number, point in enumerate(found):
        work = Work(at, f"k{number:03d}")
        work.age()
        done = disturbed(at, work.command(), point, what)
        state = work.whole()
        inject = f"{what} at {point.line[:90]}"
        require(done.status in (0, 5), f"{inject}: status {done.status}: {done.err[-300:]}")
        require(done.status == 5 or state == "new", f"{inject}: status 0, nothing published")
        require(done.status == 0 or re.search(words, done.err), f"{inject}: {done.err[-300:]}")
        failed += done.status == 5
        if number % 4 == 0:
            work.recovers(good)
        shutil.rmtree(work.place)
    # After the exchange only tidying up is left, which may fail without harm.
    require(failed >= len(found) - 6, f"only {failed} of {len(found)} failed")


@case(65, "the disk is full at the n-th write")
def full(at: Bench) -> None:
    found = [one for one in sweep(at) if one.call in ("write", "pwrite64", "mkdir")]
    require(len(found) >= 10, f"only {len(found)} writes")
    fails(at, found, "error=ENOSPC", "full")


@case(66, "an input/output error on fsync and on close")
def syncing(at: Bench) -> None:
    found = [one for one in sweep(at) if one.call in ("fsync", "fdatasync")]
    require(len(found) >= 10, f"only {len(found)} fsyncs")
    fails(at, found[::2], "error=EIO", "error|cannot")


@case(77, "a power cut, by proxy: all is forced to disk before and after it is renamed")
def power(at: Bench) -> None:
    work = Work(at, "k000")
    found = points(at, work.command(), work.place)
    renames = [n for n, one in enumerate(found) if one.call.startswith("rename")]
    require(len(renames) >= 5, f"only {len(renames)} renames")
    for at_point in renames:
        source = re.findall(r'"([^"]+)"', found[at_point].line)[0]
        if source.endswith(".tmp"):
            forced = [one for one in found[:at_point] if one.call == "fsync" and source in one.line]
            require(forced, f"{source} is renamed before it is on disk")
        after = found[at_point + 1 : at_point + 4]
        require(any(one.call == "fsync" for one in after), f"{source}: folder not forced to disk")
    require(Path(work.out).exists(), "a result")
