"""System calls of a running command that are made to fail, or to be its last.

The command is forked and waits until strace holds it. Only its main thread is traced, and
only what it does in the case's own folder is disturbed: its calls are counted in an
undisturbed run first.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.faults.catalogue.bench import Bench, require
from tests.faults.conftest import Result

CALLS = "write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,mkdir,ftruncate,unlink,close"

STRACE = ("strace", "-y", "-qq", "-e", f"trace={CALLS}")

HELD = """
import ctypes, time
ctypes.CDLL(None).prctl(0x59616d61, ctypes.c_ulong(-1), 0, 0, 0)
while "TracerPid:\\t0" in open("/proc/self/status").read(): time.sleep(0.005)
time.sleep(0.02)
"""


@dataclass(frozen=True)
class Point:
    """The n-th call of a name, and what it was."""

    call: str
    nth: int
    line: str


def traced(
    at: Bench, command: list[object], *options: str, log: Path = Path("/dev/null")
) -> Result:
    """Run a command under strace."""
    running = at.start(*command, before=HELD)
    strace = subprocess.Popen(
        [*STRACE, *options, "-o", str(log), "-p", str(running.pid)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    done = running.result()
    strace.wait(timeout=20)
    return done


def points(at: Bench, command: list[object], place: Path) -> list[Point]:
    """The calls of an undisturbed run that concern a folder."""
    require(shutil.which("strace"), "strace is not installed")
    log = at.folder / "calls.txt"
    done = traced(at, command, log=log)
    require(done.status == 0, done.err[-300:])
    counts: Counter[str] = Counter()
    found = []
    for line in log.read_text("utf-8", "replace").splitlines():
        name = re.match(r"(\w+)\(", line)
        if name is None:
            continue
        counts[name[1]] += 1
        if str(place) in line:
            found.append(Point(name[1], counts[name[1]], line))
    return found


def disturbed(at: Bench, command: list[object], point: Point, what: str) -> Result:
    """Run a command one of whose calls fails, or is its last."""
    inject = f"inject={point.call}:{what}:when={point.nth}"
    at.note(f"{inject}  # {point.line[:120]}")
    done = traced(at, command, "-e", inject)
    if "signal" not in what:
        at.proper(done, "--json" in command)
    return done
