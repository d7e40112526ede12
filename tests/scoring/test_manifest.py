"""The account of a scoring, written and read."""

import json
from dataclasses import replace

import pytest

from churnml.errors import GateError, OutputError
from churnml.scoring.gates import check_gates
from churnml.scoring.manifest import Manifest, PartFile, RowCounts
from churnml.scoring.staging import sha256


@pytest.fixture
def manifest(tmp_path):
    (tmp_path / "part-00000.parquet").write_bytes(b"scores")
    part = PartFile(
        name="part-00000.parquet", rows=4, bytes=6, sha256=sha256(tmp_path / "part-00000.parquet")
    )
    made = Manifest(
        source="data/<b>demo</b>",
        as_of="2026-06-01",
        config="c" * 64,
        models={"churn": {"version": "churn/3", "uri": "models:/churn@champion", "digest": "d"}},
        rows=RowCounts(total=10, scored=4, quarantined=1, ineligible=5),
        quarantined=[{"table": "bills", "code": "C04", "rows": 1}],
        unseen={"plan": 0.25, "brand": 0.0},
        ignored=[],
        warnings=["usage is absent"],
        gates=["plan: 1 of 4 rows."],
        parts=[part],
        churnml="0.1.0",
        started_at="2026-06-01T00:00:00.000+00:00",
        ended_at="2026-06-01T00:00:01.000+00:00",
    )
    (tmp_path / "_manifest.json").write_bytes(made.to_bytes())
    return made, tmp_path


def test_what_is_written_is_what_is_read(manifest):
    made, folder = manifest
    assert Manifest.read(folder) == made
    facts = json.loads((folder / "_manifest.json").read_bytes())
    assert facts["rows"] == {"in": 10, "scored": 4, "quarantined": 1, "ineligible": 5}
    assert facts == made.to_dict()


def test_it_shows_itself_short_and_escaped(manifest):
    shown = Manifest.read(manifest[1])
    assert "10 in = 4 scored + 1 quarantined + 5 ineligible" in repr(shown)
    assert "plan 25.0%" in repr(shown)
    assert "brand" not in repr(shown)
    assert "&lt;b&gt;demo" in shown._repr_html_()


def test_it_tells_why_rows_were_set_aside_and_what_was_ignored(manifest):
    facts = {"table": "bills", "column": "amount", "code": "C16", "rows": 15_102}
    made = replace(
        manifest[0],
        rows=RowCounts(total=20_000, scored=19_990, quarantined=0, ineligible=10),
        quarantined=[facts | {"reason": "a value expected (line 7)"}],
        unseen={"sector": 0.0002, "plan": 0.25},
        ignored=["bills.4\\5G "],
    )
    lines = repr(made).splitlines()
    assert "customers    20,000 in = 19,990 scored + 0 quarantined + 10 ineligible" in lines
    assert (
        "set aside    15,102 rows of tables; a customer is quarantined where no row of "
        "customers is left"
    ) in lines
    assert "set aside    bills.amount: 15,102 rows, a value expected (line 7) [C16]" in lines
    assert "ignored      columns that no model uses: 'bills.4\\5G '" in lines
    assert "unseen       sector <0.1% (4 rows), plan 25.0% (4,998 rows)" in lines


def test_of_a_flat_table_no_date_is_shown(manifest):
    shown = repr(replace(manifest[0], as_of=None))
    assert "as of" not in shown
    assert "rows         10 in" in shown


def test_verify_tells_what_differs(manifest):
    _, folder = manifest
    Manifest.read(folder).verify()
    (folder / "part-00001.parquet").write_bytes(b"more")
    with pytest.raises(OutputError, match=r"part-00001\.parquet: is not listed"):
        Manifest.read(folder).verify()
    (folder / "part-00001.parquet").unlink()
    (folder / "part-00000.parquet").write_bytes(b"scorez")
    with pytest.raises(OutputError, match=r"part-00000\.parquet: was changed"):
        Manifest.read(folder).verify()
    (folder / "part-00000.parquet").unlink()
    with pytest.raises(OutputError, match=r"part-00000\.parquet: is missing"):
        Manifest.read(folder).verify()


def test_a_folder_without_one_is_no_result(tmp_path):
    with pytest.raises(OutputError, match="not a result"):
        Manifest.read(tmp_path)
    (tmp_path / "_manifest.json").write_text('{"rows": 3}')
    with pytest.raises(OutputError, match="not a manifest of churnml"):
        Manifest.read(tmp_path)


def test_its_gates_are_raised_with_status_6(manifest):
    with pytest.raises(GateError, match=r"scored and published, but plan: 1 of 4 rows\.") as error:
        check_gates(Manifest.read(manifest[1]))
    assert error.value.status == 6
