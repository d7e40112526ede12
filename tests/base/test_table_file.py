"""Tables as files for people: what is written comes back, and no cell becomes a formula."""

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest

from churnml.base.table_file import MOST_XLSX_ROWS, SUFFIXES, TableFile
from churnml.errors import OutputError, UsageError

KIND = TableFile(what="a list", content="list", columns=("name", "number", "count"))
TABLE = pd.DataFrame(
    {
        "name": ["营业厅 1", "=HYPERLINK(1)", "@a", "-2", None, "a\x07b"],
        "number": [1.5, -2.25, None, 0.1, 3.0, 4.0],
        "count": pd.array([1, None, 3, 4, 5, 6], "Int64"),
    }
)


def test_parquet_holds_what_it_was_given(tmp_path):
    KIND.write(TABLE, tmp_path / "a.parquet")
    back = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert [row["name"] for row in back][:2] == ["营业厅 1", "=HYPERLINK(1)"]
    assert [row["count"] for row in back] == [1, None, 3, 4, 5, 6]


def test_csv_opens_in_a_spreadsheet_and_runs_nothing(tmp_path):
    KIND.write(TABLE, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbfname,number,count\n")
    back = pd.read_csv(tmp_path / "a.csv", encoding="utf-8-sig")
    assert back["name"].tolist()[:4] == ["营业厅 1", "'=HYPERLINK(1)", "'@a", "'-2"]
    assert back["number"].tolist()[1] == -2.25


def test_xlsx_holds_text_and_numbers_and_no_formula(tmp_path):
    KIND.write(TABLE, tmp_path / "a.xlsx")
    (sheet,) = openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets
    rows = list(sheet.iter_rows())
    assert [cell.value for cell in rows[0]] == ["name", "number", "count"]
    assert [cell.value for cell in rows[2]] == ["'=HYPERLINK(1)", -2.25, None]
    assert rows[6][0].value == "a\\x07b"
    assert {cell.data_type for row in rows for cell in row} <= {"s", "n"}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_table_gives_the_same_bytes_and_only_its_like_is_replaced(tmp_path, suffix):
    out = tmp_path / f"a{suffix}"
    KIND.write(TABLE, out)
    first = out.read_bytes()
    with pytest.raises(OutputError, match="already exists"):
        KIND.write(TABLE, out)
    KIND.write(TABLE, out, overwrite=True)
    assert out.read_bytes() == first
    other = TableFile(what="another", content="other", columns=("name", "number"))
    with pytest.raises(OutputError, match="not another"):
        other.write(TABLE, out, overwrite=True)
    assert out.read_bytes() == first
    out.write_bytes(b"mine")
    with pytest.raises(OutputError, match="not a list"):
        KIND.write(TABLE, out, overwrite=True)
    assert out.read_bytes() == b"mine"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_list_of_customers_is_its_owners_alone(tmp_path, suffix):
    private = TableFile(what="a list", content="list", columns=("name",), private=True)
    private.write(TABLE, tmp_path / f"a{suffix}")
    assert (tmp_path / f"a{suffix}").stat().st_mode & 0o777 == 0o600


def test_other_suffixes_and_too_many_rows_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"one of \.parquet, \.csv, \.xlsx expected"):
        KIND.write(TABLE, tmp_path / "a.txt")
    long = pd.DataFrame({"name": "a", "number": 1.0, "count": 1}, index=range(MOST_XLSX_ROWS + 1))
    with pytest.raises(UsageError, match="--top"):
        KIND.write(long, tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []
