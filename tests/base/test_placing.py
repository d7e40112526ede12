"""A folder is replaced whole or not at all, also where the system cannot swap two folders."""

import os
import subprocess
import sys

import pytest

from churnml.base.files import CRASH_AT
from churnml.base.placing import require_free
from churnml.errors import OutputError

REPLACE = """
import sys
from churnml.base import placing
placing.exchange = lambda one, other: False
with placing.placed(sys.argv[1]) as draft:
    draft.mkdir()
    (draft / "content").write_text("new")
"""


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "content").write_text("old")
    return folder


def replace(place, **environment: str) -> int:
    command = [sys.executable, "-c", REPLACE, str(place)]
    return subprocess.run(command, env=os.environ | environment, check=False).returncode


def test_without_an_exchange_two_renames_replace_it(place):
    assert replace(place) == 0
    assert (place / "content").read_text() == "new"
    assert list(place.parent.iterdir()) == [place]


def test_killed_between_the_two_renames_nothing_is_lost(place):
    assert replace(place, **{CRASH_AT: "placing:moved"}) == 137
    assert not place.exists()
    with pytest.raises(OutputError, match="a page stands there already"):
        require_free(place, overwrite=False, what="a page", ours=lambda folder: True)
    assert (place / "content").read_text() == "old"
    assert list(place.parent.iterdir()) == [place]
