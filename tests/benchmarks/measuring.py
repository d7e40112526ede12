"""Two ways measured in turns in one run, as ratios, and the table of what was found."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

FULL = os.environ.get("SIZE", "small") == "full"
_LIBRARIES = ("churnml", "lightgbm", "numpy", "pandas", "duckdb", "ibis-framework", "pyarrow")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One ratio.

    Attributes
    ----------
    topic, what, size : str
    ours, bare : float
        Medians, in ``unit``.
    unit : str
    ratio, low, high : float
        Median and range over the rounds.
    least, most : float or None
        What is asked of the ratio.
    """

    topic: str
    what: str
    size: str
    ours: float
    bare: float
    unit: str
    ratio: float
    low: float
    high: float
    least: float | None = None
    most: float | None = None

    @property
    def asked(self) -> str:
        """What is asked, in words."""
        if self.least is not None:
            return f"at least {self.least:g}"
        return "" if self.most is None else f"at most {self.most:g}"

    @property
    def reached(self) -> bool | None:
        """Whether it is; None where nothing is asked."""
        if self.least is not None:
            return self.ratio >= self.least
        return None if self.most is None else self.ratio <= self.most


def in_turns(*ways: Callable[[], Any], rounds: int) -> list[list[float]]:
    """Processor seconds, of all threads, of each way in each round.

    The machine may be shared: processor time tells the work, the clock on the wall the crowd.
    """
    taken: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        for way, times in zip(ways, taken, strict=True):
            start = time.process_time()
            way()
            times.append(time.process_time() - start)
    return taken


def processor_time(work: Callable[[], Any]) -> float:
    """Processor seconds of a piece of work, in this process and those that it started."""
    before = _used()
    work()
    return sum(seconds - before.get(pid, 0.0) for pid, seconds in _used().items())


def _used() -> dict[int, float]:
    found = {}
    for one in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        with suppress(psutil.Error):
            found[one.pid] = sum(one.cpu_times()[:2])
    return found


def rates(rows: int, ours: Sequence[float], bare: Sequence[float]) -> dict[str, Any]:
    """Rows a second of processor time, and ours over bare."""
    ratios = [theirs / mine for mine, theirs in zip(ours, bare, strict=True)]
    return {
        "ours": rows / statistics.median(ours),
        "bare": rows / statistics.median(bare),
        "unit": "rows/s",
    } | spread(ratios)


def seconds(ours: Sequence[float], bare: Sequence[float]) -> dict[str, Any]:
    """Seconds of processor time, and ours over bare."""
    ratios = [mine / theirs for mine, theirs in zip(ours, bare, strict=True)]
    return {
        "ours": statistics.median(ours),
        "bare": statistics.median(bare),
        "unit": "s",
    } | spread(ratios)


def spread(ratios: Sequence[float]) -> dict[str, float]:
    """Median and range."""
    return {"ratio": statistics.median(ratios), "low": min(ratios), "high": max(ratios)}


def run_script(script: str, *arguments: object, env: Mapping[str, str] | None = None) -> Any:
    """Run Python code in a process of its own; return the JSON of its last line."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=None if env is None else {**os.environ, **env},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (OSError, ValueError):
        names, memory = [], float("nan")
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "load_average": os.getloadavg()[0],
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def as_json(figures: Sequence[Figure]) -> str:
    """The figures with the machine's description."""
    rows = [asdict(one) | {"asked": one.asked, "reached": one.reached} for one in figures]
    content = {"size": "full" if FULL else "small", "machine": machine(), "figures": rows}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def as_table(figures: Sequence[Figure]) -> str:
    """The figures as text, one line each, ordered by topic."""
    rows = [("", "size", "churnml", "bare", "unit", "ratio", "range", "asked", "")]
    topic = None
    for one in sorted(figures, key=lambda one: one.topic):
        if one.topic != topic:
            topic = one.topic
            rows.append((topic, *[""] * 8))
        verdict = {None: "", True: "reached", False: "NOT REACHED"}[one.reached]
        numbers = (_number(one.ours), _number(one.bare), one.unit, f"{one.ratio:.2f}")
        between = f"{one.low:.2f} to {one.high:.2f}"
        rows.append((f"  {one.what}", one.size, *numbers, between, one.asked, verdict))
    # A topic may be longer than any line below it.
    widths = [max(len(row[at]) for row in rows if at or row[1]) for at in range(9)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: tuple[str, ...], widths: Sequence[int]) -> str:
    if not row[1]:
        return row[0]
    right = (2, 3, 5)
    cells = [
        text.rjust(width) if at in right else text.ljust(width)
        for at, (text, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
