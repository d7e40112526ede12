"""Collects what the benchmarks find, prints one table of it at the end, and writes it as JSON."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.measuring import Figure, as_json, as_table

_FOUND = pytest.StashKey[list[Figure]]()


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Callable[..., Figure]:
    """Keep a figure for the table."""

    def keep(**figure: Any) -> Figure:
        found = request.config.stash.setdefault(_FOUND, [])
        found.append(Figure(**figure))
        return found[-1]

    return keep


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table, and write the file that ``BENCH_JSON`` names."""
    figures = terminalreporter.config.stash.get(_FOUND, [])
    if not figures:
        return
    terminalreporter.section("ratios of one run, by processor time")
    terminalreporter.write_line(as_table(figures))
    if path := os.environ.get("BENCH_JSON"):
        Path(path).write_text(as_json(figures), encoding="utf-8")
        terminalreporter.write_line(f"written to {path}")
