"""Folders of a process's own, and what is done with those of dead processes."""

import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from churnml.base import scratch

LEAVE = """
import os, signal, sys, tempfile
from pathlib import Path
from churnml.base import scratch
tempfile.tempdir = sys.argv[1]
made = scratch.temporary()
(made.folder / "customers.parquet").write_bytes(b"rows")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def kill_one(place: Path) -> Path:
    subprocess.run([sys.executable, "-c", LEAVE, str(place)], check=False, cwd=Path.cwd())
    (left,) = place.iterdir()
    assert (left / "customers.parquet").exists()
    return left


def test_it_is_for_its_owner_alone_and_says_whose_it_is(place):
    with scratch.temporary_folder() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        owner = json.loads((folder / scratch.OWNER).read_bytes())
        assert owner == {"pid": os.getpid(), "host": socket.gethostname()}
        assert str(os.getpid()) in folder.name
    assert list(place.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next_one(place):
    kill_one(place)
    with scratch.temporary_folder() as folder:
        assert list(place.iterdir()) == [folder]


def test_a_process_id_given_anew_does_not_keep_it(place):
    left = kill_one(place)
    owner = {"pid": os.getpid(), "host": socket.gethostname()}
    (left / scratch.OWNER).write_text(json.dumps(owner))
    with scratch.temporary_folder() as folder:
        assert list(place.iterdir()) == [folder]


def test_that_of_a_living_process_stays(place):
    with scratch.temporary_folder() as one, scratch.temporary_folder() as other:
        assert sorted(place.iterdir()) == sorted((one, other))


def test_what_is_of_another_machine_or_of_somebody_else_stays(place):
    left = kill_one(place)
    (left / scratch.OWNER).write_text(json.dumps({"pid": 1, "host": "elsewhere"}))
    (place / "churnml-notes").mkdir()
    (place / "churnml-notes" / "mine").write_text("mine")
    (place / "churnml-link").symlink_to(left)
    with scratch.temporary_folder() as folder:
        assert set(place.iterdir()) == {
            left,
            folder,
            place / "churnml-notes",
            place / "churnml-link",
        }
    assert (left / "customers.parquet").exists()
