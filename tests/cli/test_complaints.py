"""``churnml complaints``, as a service manager would type it."""

import pytest

from tests.service.complaints.conftest import complaints_table, rows, write

__all__ = ["rows", "write"]


@pytest.fixture
def folder(write, rows, tmp_path):
    return write(tmp_path / "operator", rows)


def test_what_is_printed(churnml, folder, tmp_path):
    done = churnml(
        "complaints", folder, "--as-of", "2026-06-01", "--months", "5", "--out", tmp_path / "out"
    )
    assert (done.status, "Traceback" in done.err) == (0, False)
    assert "300 complaints in 5 months" in done.out
    assert "unclassified 未归类" in done.out
    assert "长期未解决" in done.out
    names = {path.stem for path in (tmp_path / "out").iterdir()}
    assert names == {"categories", "for_a_person", "open", "quality"}


def test_json_alone_and_a_file_of_categories(churnml, folder, tmp_path):
    coded = tmp_path / "coded.parquet"
    asked = ("complaints", folder, "--as-of", "2026-06-01", "--coded", coded, "--json")
    done = churnml(*asked)
    assert (done.status, done.json["complaints"]) == (0, 300)
    assert done.json["coded"] == str(coded)
    assert coded.stat().st_mode & 0o777 == 0o600
    again = churnml(*asked)
    assert (again.status, again.json["error"]["code"]) == (5, "EXISTS")


@pytest.mark.parametrize(
    ("options", "status", "says"),
    [
        (("--as-of", "soon"), 2, "date"),
        (("--as-of", "2026-06-01", "--months", "0"), 2, "months"),
        ((), 2, "--as-of"),
    ],
)
def test_a_wrong_command_line(churnml, folder, options, status, says):
    done = churnml("complaints", folder, *options)
    assert done.status == status
    assert says in done.err


def test_a_source_without_complaints_and_a_wrong_category(churnml, folder, rows):
    (folder / "complaints.parquet").unlink()
    done = churnml("complaints", folder, "--as-of", "2026-06-01", "--json")
    assert (done.status, done.json["error"]["table"]) == (3, "complaints")
    import pyarrow.parquet as pq

    wrong = [row | {"category": "coverage"} for row in rows]
    pq.write_table(complaints_table(wrong), folder / "complaints.parquet")
    done = churnml("complaints", folder, "--as-of", "2026-06-01")
    assert done.status == 3
    assert "C05 category 300" in done.err
