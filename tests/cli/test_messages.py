"""What a person reads: which rows, which lines, and sentences that end."""

import pytest

BILLS = "customer_id,month,amount,note \n"


@pytest.fixture
def tables(tmp_path):
    """An operator in CSV: twenty good bills, and what a test adds."""
    folder = tmp_path / "operator"
    folder.mkdir()
    (folder / "customers.csv").write_text(
        "customer_id,activated_on,terminated_on,payment\n001,2020-01-01,,prepaid\n"
        "002,2020-01-01,,prepaid\n"
    )

    def write(more=""):
        rows = [f"00{who},2025-{month:02d}-01,3,x\n" for who in (1, 2) for month in range(1, 13)]
        path = folder / "bills.csv"
        path.write_text(BILLS + "".join(rows) + more, encoding="utf-8")
        return folder

    return write


def test_validate_tells_lines_and_ignored_columns(churnml, tables):
    ran = churnml("validate", tables("\u3000,2026-01-01,3,x\n001,2026-01-01,3,x,y\n"))
    assert ran.status == 3
    assert "'\\u3000' (line 26)" in ran.out
    assert "5 fields instead of 4 (line 27)" in ran.out
    assert "ignored columns of bills: 'note'" in ran.out
    assert "C16 customer_id 1, C18 1" in ran.err


def test_validate_refuses_bills_without_rows(churnml, tables):
    folder = tables()
    (folder / "bills.csv").write_text(BILLS)
    ran = churnml("validate", folder)
    assert ran.status == 3
    assert "bills: a required table has no row" in ran.err


@pytest.mark.parametrize("day", ["2030-01-01", "2010-01-01"])
def test_features_are_refused_at_a_date_far_from_any_bill(churnml, tables, tmp_path, day):
    ran = churnml("features", tables(), "--as-of", day, "--out", tmp_path / "f.parquet")
    assert ran.status == 3
    assert "bills.month: " in ran.err
    assert not (tmp_path / "f.parquet").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("score", "x", "--id", "a", "--out", "o", "--reasons", "-1"),
        ("score",),
        ("score", "x", "--o"),
    ],
)
def test_what_is_wrong_with_the_command_line_is_a_sentence(churnml, arguments):
    ran = churnml(*arguments)
    assert ran.status == 2
    message = ran.err.strip().removesuffix(" Try churnml score --help.")
    assert message.endswith((".", "?"))
