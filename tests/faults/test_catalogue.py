"""The catalogue of faults is whole, and what it finds is what ``make faults`` prints."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def test_every_number_is_judged_or_out_of_scope(monkeypatch):
    monkeypatch.syspath_prepend(CHECKOUT)
    from tests.faults.catalogue import running

    judged, apart = set(running.CASES), set(running.OUT_OF_SCOPE)
    assert len(judged) == running.JUDGED
    assert judged.isdisjoint(apart)
    assert judged | apart == set(range(1, 101))


@pytest.mark.slow
def test_a_case_survives_and_the_naive_scorer_fails_it():
    done = python("-m", "tests.faults.catalogue", "21", "42")
    assert done.returncode == 0, done.stdout + done.stderr
    naive = python("-m", "tests.faults.catalogue", "--naive", "21", "42")
    assert naive.returncode == 1
    assert naive.stdout.count("FAILED ") == 2


@pytest.mark.slow
def test_churnml_survives_every_case_and_a_naive_scorer_few():
    done = python("-m", "tests.faults.catalogue")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "survived 97 of 97" in done.stdout
