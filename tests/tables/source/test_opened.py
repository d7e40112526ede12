"""The opened source: what it shows, what it identifies, and what it leaves behind."""

import gc
import tempfile
from pathlib import Path

import pytest

from churnml.errors import ContractError
from churnml.tables.source import open_source

BILLS = "customer_id,month,amount\n00123,2026-06-01,1\n"


@pytest.fixture
def source(customers, csv, folder):
    csv("bills.csv", BILLS)
    return open_source(folder)


def test_a_mapping_of_lazy_tables(source):
    assert list(source.tables) == ["customers", "bills"]
    assert len(source.tables) == 2
    assert "usage" not in source.tables
    assert source.tables.get("usage") is None
    events = ("complaints", "contacts", "surveys", "offers", "opt_outs", "ties")
    assert source.missing == ("groups", "usage", *events)
    assert source.tables["bills"] is source.tables["bills"]


def test_a_required_table_that_is_absent_is_told(customers, folder):
    source = open_source(folder)
    with pytest.raises(ContractError, match=r"bills: there is no such table in .*\. \[C01\]"):
        source.tables["bills"]
    with pytest.raises(KeyError):
        source.tables["usage"]


def test_it_never_changes(source):
    with pytest.raises(AttributeError):
        source.location = "elsewhere"
    with pytest.raises(TypeError):
        source.tables["bills"] = None


def test_repr_is_short_and_escaped(csv, folder, customers):
    csv("bills.csv", BILLS)
    source = open_source(folder).until("2026-06-01")
    assert repr(source) == f"Source({str(folder)!r}: customers, bills, until 2026-06-01)"
    csv("source.yaml", 'tables: {bills: {file: "<b>.csv"}}')
    (folder / "bills.csv").rename(folder / "<b>.csv")
    html = open_source(folder)._repr_html_()
    assert "&lt;b&gt;.csv" in html
    assert "<b>" not in html


def test_the_fingerprint_tells_the_content(source, csv, folder):
    first = source.fingerprint()
    assert first == open_source(folder).fingerprint()
    assert first != source.until("2026-06-01").fingerprint()
    csv("source.yaml", "nulls: [x]")
    mapped = open_source(folder).fingerprint()
    assert first != mapped
    csv("bills.csv", BILLS.replace(",1\n", ",2\n"))
    assert open_source(folder).fingerprint() != mapped


def test_lazy_tables_outlive_their_source_and_leave_nothing_behind(
    customers, csv, folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    csv("bills.csv", BILLS)
    table = open_source(folder).tables["bills"]
    gc.collect()
    assert table.amount.to_pyarrow().to_pylist() == [1.0]
    assert len(list(Path(tmp_path).glob("churnml-*"))) == 1
    del table
    gc.collect()
    assert list(Path(tmp_path).glob("churnml-*")) == []


def test_nothing_is_written_into_the_working_folder(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    source.tables["bills"].to_pyarrow()
    assert sorted(tmp_path.rglob("*")) == before
