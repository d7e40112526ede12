"""A folder is replaced whole or not at all, also where the system cannot swap two folders."""

import os
import subprocess
import sys

import pytest

from churnml.base.files import CRASH_AT
from churnml.base.placing import Product
from churnml.errors import OutputError

REPLACE = """
import sys
from churnml.base import placing
placing.exchange = lambda one, other: False
page = placing.Product(what="a page", ours=lambda folder: True)
with page.replaced(sys.argv[1], overwrite=True) as draft:
    draft.mkdir()
    (draft / "content").write_text("new")
"""

PAGE = Product(what="a page", ours=lambda folder: (folder / "content").is_file())


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
    with pytest.raises(OutputError, match="a page already exists there"):
        PAGE.require_free(place, overwrite=False)
    assert (place / "content").read_text() == "old"
    assert list(place.parent.iterdir()) == [place]
