"""A file's name is that name, though it looks like a pattern to a reader of files."""

import os
import tempfile
from pathlib import Path

import duckdb
import ibis
import pandas as pd
import pyarrow.parquet as pq
import pytest

from churnml.datasets.flat import open_table
from churnml.errors import DataError
from churnml.tables.source import open_source
from churnml.tables.source.engines.duckdb import write_parquet

# What each pattern would also, or instead, match.
NAMES = [
    ("export[1]", "export1"),
    ("t?", "tx"),
    ("t*", "txx"),
    ("[!a]", "x"),
    ("**", "x"),
    ("{x,y}", "x"),
    ("it's [2]", "it's 2"),
    ("~", "x"),
    ("file:t", "t"),
]
WITHOUT_PATTERN = ("a\\b", "a/b")
ENDINGS = (".csv", ".csv.gz", ".parquet", ".xlsx")


def write(path: Path, **columns: list) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame(columns)
    if path.name.endswith(".parquet"):
        frame.to_parquet(path, index=False)
    elif path.name.endswith(".xlsx"):
        frame.to_excel(path, index=False)
    else:
        frame.to_csv(path, index=False)


def bills(path: Path, amount: float) -> None:
    write(path, customer_id=["1"], month=["2026-06-01"], amount=[amount])


def amounts(location: str | Path) -> list[float]:
    return open_source(location).tables["bills"].amount.to_pyarrow().to_pylist()


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(("name", "decoy"), [*NAMES, WITHOUT_PATTERN])
def test_a_table_of_one_s_own_is_the_file_that_was_named(name, decoy, ending, tmp_path):
    write(tmp_path / f"{name}{ending}", id=["right"])
    write(tmp_path / f"{decoy}{ending}", id=["wrong"])
    table = open_table(tmp_path / f"{name}{ending}")
    assert table.query("c0") == [("right",)]


@pytest.mark.parametrize(("name", "decoy"), NAMES)
def test_a_relative_name_too(name, decoy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / f"{name}.parquet", id=["right"])
    write(tmp_path / f"{decoy}.parquet", id=["wrong"])
    assert open_table(f"{name}.parquet").query("c0") == [("right",)]


@pytest.mark.parametrize(("name", "decoy"), NAMES)
def test_a_folder_of_parts(name, decoy, tmp_path):
    for folder, word in ((name, "right"), (decoy, "wrong")):
        write(tmp_path / folder / "part-0[1].parquet", id=[word, word])
        write(tmp_path / folder / "part-01.parquet", id=[word])
    table = open_table(tmp_path / name)
    assert table.query("row_number, c0", "ORDER BY 1") == [(at, "right") for at in (1, 2, 3)]


@pytest.mark.parametrize("file", ["bills.csv", "bills.parquet", "bills/part-0.parquet"])
@pytest.mark.parametrize(("name", "decoy"), [*NAMES, WITHOUT_PATTERN])
def test_operator_tables_in_a_folder(name, decoy, file, tmp_path):
    bills(tmp_path / name / file, 1.0)
    bills(tmp_path / decoy / file, 2.0)
    assert amounts(tmp_path / name) == [1.0]


@pytest.mark.parametrize(("name", "decoy"), NAMES)
def test_operator_tables_in_a_database(name, decoy, tmp_path):
    for file, amount in ((name, 1.0), (decoy, 2.0)):
        with duckdb.connect(str((tmp_path / f"{file}.duckdb").absolute())) as con:
            con.execute(
                f"CREATE TABLE bills AS SELECT 'a' AS customer_id, {amount} AS amount, "
                "DATE '2026-06-01' AS month"
            )
    assert amounts(tmp_path / f"{name}.duckdb") == [1.0]


def test_a_file_that_the_mapping_names(tmp_path):
    bills(tmp_path / "账单[1].csv", 1.0)
    bills(tmp_path / "账单1.csv", 2.0)
    mapping = "tables: {bills: {file: '账单[1].csv'}}"
    (tmp_path / "source.yaml").write_text(mapping, encoding="utf-8")
    assert amounts(tmp_path) == [1.0]


def test_partitions_by_their_keys(tmp_path):
    for region, amount in (("[n]", 1.0), ("n", 2.0)):
        write(
            tmp_path / "bills" / f"region={region}" / "part-0.parquet",
            customer_id=["1"],
            month=["2026-06-01"],
            amount=[amount],
        )
    assert sorted(amounts(tmp_path)) == [1.0, 2.0]


def test_a_temporary_folder_with_such_a_name(tmp_path, monkeypatch):
    (tmp_path / "t[1]").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t[1]"))
    bills(tmp_path / "op" / "bills.csv", 1.0)
    write(tmp_path / "t.csv", id=["right"])
    assert amounts(tmp_path / "op") == [1.0]
    assert open_table(tmp_path / "t.csv").query("c0") == [("right",)]


@pytest.mark.parametrize("name", [*(name for name, _ in NAMES), "a\u00a0b", '"q"'])
def test_what_is_written_stands_where_it_was_asked_for(name, tmp_path):
    (tmp_path / name).mkdir()
    write_parquet(ibis.memtable({"x": [1]}), tmp_path / name / f"{name}.parquet")
    assert pq.ParquetFile(tmp_path / name / f"{name}.parquet").read().to_pydict() == {"x": [1]}
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_name_that_no_engine_can_be_told_is_refused(tmp_path):
    write(tmp_path / "a\\b[1].parquet", id=["right"])
    with pytest.raises(DataError, match="backslash"):
        open_table(tmp_path / "a\\b[1].parquet")


def test_a_database_with_a_backslash_is_refused_rather_than_another_one_opened(tmp_path):
    (tmp_path / "a").mkdir()
    with duckdb.connect(str(tmp_path / "a" / "b.duckdb")) as con:
        con.execute("CREATE TABLE bills AS SELECT 1 AS amount")
    (tmp_path / "a\\b.duckdb").write_bytes((tmp_path / "a" / "b.duckdb").read_bytes())
    with pytest.raises(DataError, match="backslash"):
        open_source(tmp_path / "a\\b.duckdb")


@pytest.mark.parametrize("place", ["t.csv", "t.parquet", "folder/t.csv"])
def test_a_name_that_is_not_utf_8_is_refused_in_words(place, tmp_path):
    strange = Path(os.fsdecode(os.fsencode(tmp_path / place.replace("t", "\udcff"))))
    write(strange, id=["1"])
    with pytest.raises(DataError, match=r"\\xff.*not UTF-8") as refused:
        open_table(strange)
    assert refused.value.status == 3
    refused.value.details["file"].encode()
