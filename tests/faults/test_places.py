"""A place that cannot be written is noticed before the work, whichever command it is for."""

import pytest

from churnml.base.files import require_writable
from churnml.errors import OutputError


@pytest.mark.parametrize("place", ["a file/out", "a file/deeper/out"])
def test_a_place_below_a_file_is_refused(tmp_path, place):
    (tmp_path / "a file").write_text("mine")

    with pytest.raises(OutputError, match="Not a directory") as refused:
        require_writable(tmp_path / place)
    assert refused.value.details["file"] == str(tmp_path / place)


def test_a_place_whose_folders_are_to_come_is_taken_and_nothing_is_left(tmp_path):
    require_writable(tmp_path / "out" / "deeper" / "scores")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "argv",
    [
        ["evaluate", "nowhere", "no source", "--as-of", "2026-01-01", "--out"],
        ["backtest", "churn", "no source", "--out"],
        ["train", "churn", "no source", "--out"],
        ["train", "churn", "no table.csv", "--id", "a", "--target", "b", "--out"],
        ["features", "no source", "--as-of", "2026-01-01", "--out"],
        ["validate", "no source", "--quarantine"],
    ],
    ids=lambda argv: argv[0],
)
def test_of_a_missing_input_and_an_impossible_place_the_input_is_told(cli, tmp_path, argv):
    (tmp_path / "a file").write_text("mine")
    done = cli.start(*argv, tmp_path / "a file" / "out", cwd=tmp_path).result()

    assert done.status == 3
    assert "there is no such" in done.err


def test_with_a_good_input_the_place_is_refused_before_the_work(cli, tmp_path):
    (tmp_path / "a file").write_text("mine")
    (tmp_path / "table.csv").write_text("id,left\n1,Yes\n2,No\n")
    argv = ("train", "churn", "table.csv", "--id", "id", "--target", "left", "--no-track", "--out")
    done = cli(*argv, tmp_path / "a file" / "out", cwd=tmp_path)

    assert done.status == 5
    assert "cannot be written (Not a directory)" in done.err
    assert "reading" not in done.err
