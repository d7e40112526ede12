"""Progress is for who watches: nothing of it in logs, one line where a step takes minutes."""

import io
import logging
import sys
import time

import pytest

from churnml.base.progress import bar, counted_off


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("screen", "level", "seen"),
    [(Terminal, logging.INFO, True), (io.StringIO, logging.INFO, False), (Terminal, 30, False)],
)
def test_a_bar_is_drawn_for_a_command_on_a_terminal_alone(monkeypatch, screen, level, seen):
    monkeypatch.setattr(sys, "stderr", screen())
    monkeypatch.setattr(logging.getLogger("churnml"), "level", level)
    logging.getLogger("churnml.base.progress").manager._clear_cache()
    assert list(counted_off(iter("abc"), "growing", "booster", total=3)) == ["a", "b", "c"]
    with bar("scoring", "row") as shown:
        shown.update(50_000)
    drawn = sys.stderr.getvalue()
    assert ("growing" in drawn, "scoring" in drawn) == (seen, seen)


def test_a_step_of_minutes_says_how_long_it_takes(monkeypatch, caplog):
    clock = iter(range(0, 10_000, 50))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    with caplog.at_level(logging.INFO, "churnml"):
        list(counted_off(iter("abcde"), "growing boosters", "booster", total=5))
        list(counted_off(iter("ab"), "short", "booster", total=2, at_once=2))
    assert [one.message for one in caplog.records] == ["growing boosters: about 3 minutes more"]
