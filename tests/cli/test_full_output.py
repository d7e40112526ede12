"""Standard output that takes nothing: a status of its own, a sentence, no traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.is_char_device(), reason="the system has no such device")
@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["--version"], 5), (["score", "--help"], 5), (["history", "churn", "--json"], 4)],
)
def test_a_full_standard_output_is_told_without_a_traceback(arguments, status, tmp_path):
    command = [sys.executable, "-m", "churnml", *arguments]
    with FULL.open("w") as full:
        ran = subprocess.run(
            command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ran.returncode == status
    assert "churnml: " in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "a fault of" not in ran.stderr.lower()
