"""CSV tables: encodings, dialects, lines that are not rows, and what is no CSV."""

import datetime as dt
import gzip
import shutil
import tempfile

import pytest

from churnml.config.settings import Config
from churnml.errors import ContractError, DataError, OutputError
from churnml.tables.source import open_source
from churnml.tables.validation import quarantine, validate

CUSTOMERS = "customer_id,activated_on,terminated_on,payment\n"
BILLS = "customer_id,month,amount\n"
ALL = Config.model_validate({"validation": {"set_aside_limit": 1}})


@pytest.fixture
def bills(csv, folder, rows):
    """The rows of a bills.csv with this text."""

    def read(text, encoding="utf-8", name="bills.csv", mapping=None):
        csv(name, text, encoding)
        if mapping:
            (folder / "source.yaml").write_text(mapping)
        return rows(open_source(folder).tables["bills"])

    return read


@pytest.fixture
def report(csv, folder, customers):
    """The breaches of a bills.csv with this text, beside two customers."""

    def read(text, encoding="utf-8"):
        csv("bills.csv", text, encoding)
        return validate(open_source(folder), ALL)

    return read


@pytest.mark.parametrize(
    "id", ["00123", "+8613800138000", "13800138000000000000", "NA", "None", "null", "nan", "1e5"]
)
def test_ids_come_out_character_for_character(id, bills):
    (row,) = bills(f"{BILLS}{id},2026-06-01,1\n")
    assert row["customer_id"] == id


def test_values_are_typed_and_missing_ones_null(bills):
    rows = bills(
        "customer_id,month,amount,voice,paid_on\na,2026-06-01,12.5,,\nb,2026/6/1,0,1,2026-07-01\n"
    )
    assert rows == [
        {
            "customer_id": "a",
            "month": dt.date(2026, 6, 1),
            "amount": 12.5,
            "voice": None,
            "paid_on": None,
            "known_at": dt.datetime(2026, 7, 1),
        },
        {
            "customer_id": "b",
            "month": dt.date(2026, 6, 1),
            "amount": 0.0,
            "voice": 1.0,
            "paid_on": dt.date(2026, 7, 1),
            "known_at": dt.datetime(2026, 7, 1),
        },
    ]


@pytest.mark.parametrize(
    "text",
    [
        BILLS + "甲,2026-06-01,1\n",
        BILLS + "甲,2026-06-01,1",
        BILLS.replace("\n", "\r\n") + "甲,2026-06-01,1\r\n",
        BILLS + "甲,2026-06-01,1\r\n",
        BILLS.replace("\n", "\r") + "甲,2026-06-01,1\r",
        "\n".join([BILLS.strip(), "", '"甲","2026-06-01","1"', "", ""]),
        " customer_id , month,amount \n甲,2026-06-01, 1 \n",
    ],
    ids=["plain", "no-last-end", "crlf", "mixed", "cr", "quoted-and-blank-lines", "blanks"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gz"])
def test_the_same_rows_in_every_writing(text, encoding, csv, folder, rows):
    if encoding == "gz":
        csv("bills.csv.gz", gzip.compress(text.encode()))
    else:
        csv("bills.csv", text, encoding)
        (folder / "source.yaml").write_text(f"encoding: {encoding}\n")
    (row,) = rows(open_source(folder).tables["bills"])
    assert (row["customer_id"], row["amount"]) == ("甲", 1.0)


def test_a_byte_order_mark_needs_no_mapping(bills):
    assert bills(f"{BILLS}a,2026-06-01,1\n", "utf-8-sig")[0]["customer_id"] == "a"


def test_gzip_of_gb18030(csv, folder, rows):
    csv("bills.csv.gz", gzip.compress(f"{BILLS}甲,2026-06-01,1\n".encode("gb18030")))
    (folder / "source.yaml").write_text("encoding: gb18030\n")
    assert rows(open_source(folder).tables["bills"])[0]["customer_id"] == "甲"


def test_quoted_fields_hold_delimiters_quotes_and_line_ends(csv, folder):
    csv(
        "complaints.csv",
        "complaint_id,customer_id,opened_at,closed_at,category,text\n"
        'k1,a,2026-06-01 08:00:00,,network,"first, then ""again""\nand more"\n'
        "k2,a,2026-06-01 09:00:00,,network,\n",
    )
    rows = (
        open_source(folder).tables["complaints"].order_by("complaint_id").to_pyarrow().to_pylist()
    )
    assert rows[0]["text"] == 'first, then "again"\nand more'
    assert rows[1]["text"] is None


@pytest.mark.parametrize(
    ("delimiter", "shown"),
    [(";", "';'"), ("\t", "a tab"), ("|", r"'\|'")],
    ids=["semicolon", "tab", "bar"],
)
def test_another_delimiter_is_told_and_then_read(delimiter, shown, csv, folder, rows):
    csv("bills.csv", f"{BILLS}a,2026-06-01,1\n".replace(",", delimiter))
    message = (
        rf"bills\.csv: 1 column found; the fields look separated by {shown}\. Write delimiter: "
    )
    with pytest.raises(ContractError, match=message):
        open_source(folder)
    (folder / "source.yaml").write_text(f"delimiter: {delimiter!r}\n".replace("'", '"'))
    assert rows(open_source(folder).tables["bills"])[0]["amount"] == 1.0


def test_lines_that_are_no_rows_are_set_aside_with_their_number(report, tmp_path):
    found = report(
        f"{BILLS}00123,2026-05-01,1\n00123,2026-06-01\n00123,2026-06-01,2,3\n00123,2026-06-01,x\n"
    )
    lines, wrong = found.report.breaches[1], found.report.breaches[0]
    assert (wrong.code, wrong.rows, wrong.counted) == ("C03", (5,), "line")
    assert (lines.code, lines.count, lines.rows) == ("C18", 2, (3, 4))
    assert lines.examples == (
        "2 fields instead of 3",
        "4 fields instead of 3",
    )
    (count,) = [one for one in found.report.counts if one.table == "bills"]
    assert (count.rows, count.good, count.aside) == (4, 1, 3)
    assert quarantine(found, tmp_path / "bad") == {"bills": 3}
    import pyarrow.parquet as pq

    rows = pq.read_table(tmp_path / "bad" / "bills.parquet").to_pylist()
    assert [(row["row"], row["code"], row["line"], row["amount"]) for row in rows] == [
        (3, "C18", "00123,2026-06-01", None),
        (4, "C18", "00123,2026-06-01,2,3", None),
        (5, "C03", None, "x"),
    ]


def test_a_line_that_was_cut_off_is_set_aside(report):
    found = report(f"{BILLS}00123,2026-05-01,1\n00123,2026-0")
    (breach,) = found.report.breaches
    assert (breach.code, breach.rows) == ("C18", (3,))
    assert "no line end" in breach.examples[0]


def test_rows_are_counted_where_lines_cannot_be(report):
    found = report(f'{BILLS}"00123",2026-05-01,"1\n"\n\n00123,2026-06-01,x\n')
    (breach,) = found.report.breaches
    assert (breach.rows, breach.counted) == ((2,), "row")


def test_a_wrong_value_late_in_a_large_file_is_found(report):
    text = BILLS + "".join(f"00123,2026-05-01,{at}\n" for at in range(300_000))
    found = report(f"{text}00123,2026-05-01,free\n")
    (wrong,) = [one for one in found.report.breaches if one.code == "C03"]
    assert str(wrong) == (
        "bills.amount: a value of the wrong type: free (line 300002); expected a number such as "
        "1234.5; rows set aside [C03]"
    )


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("1,234.5", "C03"),
        ("12,5", "C03"),
        ("¥30", "C03"),
        ("12%", "C03"),
        ("1_000", "C03"),
        ("１２", "C03"),
        ("inf", "C04"),
        ("-inf", "C04"),
        ("nan", "C04"),
        ("1e400", "C04"),
        ("1e308", "C04"),
        ("1234.5", None),
        ("-0", None),
        (" 7 ", None),
    ],
)
def test_numbers(value, code, report):
    found = report(f'{BILLS}00123,2026-06-01,"{value}"\n')
    assert [one.code for one in found.report.breaches] == ([code] if code else [])


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ("", "a month by its first day, such as 2026-06-01, or formats in the mapping"),
        ("tables: {bills: {formats: {month: '%Y%m'}}}", "a month written as %Y%m"),
    ],
)
def test_a_wrong_date_is_told_with_how_it_should_be_written(mapping, expected, report, folder):
    (folder / "source.yaml").write_text(mapping)
    (breach,) = report(f"{BILLS}00123,June 2026,1\n").report.breaches
    assert breach.expected == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f'{BILLS}00123,2026-05-01,"1\n00123,2026-06-01,2\n00123,2026-07-01,3\n', 2),
        (f'{BILLS}\n00123,2026-05-01,1\n\n"00123,2026-06-01,2\n00123,2026-07-01,3\n', 5),
        (f'{BILLS}00123,2026-05-01,"1\n00123,2026-06-01,"2"\n00123,2026-07-01,3\n', 2),
    ],
    ids=["to-the-end", "after-blank-lines", "to-another-quote"],
)
def test_a_quote_that_is_never_closed_is_refused(text, line, report):
    with pytest.raises(ContractError, match=rf"a quote is opened in line {line} and not closed"):
        report(text)


@pytest.mark.parametrize("rows", [10, 3000])
@pytest.mark.parametrize(
    ("bad", "mapping", "message"),
    [
        (
            "甲".encode("gb18030"),
            "",
            r"byte {at} is not utf-8\. It reads as gb18030: write encoding",
        ),
        (b"\xff", "encoding: gb18030\n", r"byte {at} is not gb18030\. Save it as UTF-8"),
        (b"caf\xe9\x20!", "", r"byte {late} is not utf-8"),
    ],
    ids=["gb18030", "neither", "latin-1"],
)
def test_another_encoding_is_told_with_its_place(bad, mapping, message, rows, csv, folder):
    start = (BILLS + "a,2026-06-01,1\n" * rows * 30).encode()
    csv("bills.csv", start + bad + b",2026-06-01,1\n" + b"b,2026-06-01,1\n" * 10)
    (folder / "source.yaml").write_text(mapping)
    expected = message.format(at=len(start), late=len(start) + 3)
    with pytest.raises(DataError, match=expected):
        open_source(folder).tables["bills"].count().to_pyarrow()


def test_utf8_named_gb18030(csv, folder):
    csv("bills.csv", f"{BILLS}甲乙丙,2026-06-01,1\n", "utf-8-sig")
    (folder / "source.yaml").write_text("encoding: gb18030\n")
    with pytest.raises(
        ContractError, match="byte order mark of UTF-8, but the mapping says gb18030"
    ):
        open_source(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"the file is empty \(0 bytes\)"),
        (b"\n\n", "line 1 is blank"),
        (b"PAR1....PAR1", "the content is Parquet, not CSV"),
        (b"PK\x03\x04....", "the content is XLSX"),
        ("customer_id,month".encode("utf-16"), "the content is UTF-16 text"),
        (gzip.compress(b"x,y\n", mtime=0), r"the content is gzip\. Call it bills\.csv\.gz"),
        (b"month,amount,month\n", "column 'month' stands at positions 1 and 3"),
        (b"month,Month ,amount\n", "column 'month' and 'Month ' stands at positions 1 and 2"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value,
)
def test_what_is_no_csv_is_refused_when_it_is_opened(content, message, csv, folder):
    csv("bills.csv", content)
    with pytest.raises(DataError, match=message):
        open_source(folder)


@pytest.mark.parametrize("kept", [5, 0.5, -4])
def test_a_gzip_file_that_is_cut_off_is_refused(kept, csv, folder):
    packed = gzip.compress(
        "".join([BILLS, *(f"c{at},2026-06-01,{at}\n" for at in range(200_000))]).encode()
    )
    csv("bills.csv.gz", packed[: int(len(packed) * kept) if kept == 0.5 else kept])
    with pytest.raises(DataError, match="not a complete gzip file"):
        open_source(folder).tables["bills"].count().to_pyarrow()


def test_csv_named_gzip_is_refused(csv, folder):
    csv("bills.csv.gz", BILLS)
    with pytest.raises(DataError, match="not a complete gzip file"):
        open_source(folder)


def test_any_column_name_will_do(csv, folder, rows):
    name = 'a "b"; drop table s, 费用\\[{x}]' + "z" * 300
    quoted = '"' + name.replace('"', '""') + '"'
    csv("bills.csv", f'customer_id,month,{quoted},{quoted[:-1]}2"\na,2026-06-01,5,6\n')
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    (folder / "source.yaml").write_text(
        f'tables: {{bills: {{columns: {{"{escaped}": amount}}}}}}\n', encoding="utf-8"
    )
    assert rows(open_source(folder).tables["bills"])[0]["amount"] == 5.0


def test_columns_without_a_name_are_extra_ones(csv, folder):
    csv("bills.csv", ",customer_id,month,amount,\n0,a,2026-06-01,5,\n")
    source = open_source(folder)
    assert source.bindings["bills"].ignored == ("", "")
    assert source.tables["bills"].amount.to_pyarrow().to_pylist() == [5.0]


def test_zoned_texts_become_local(csv, folder):
    csv(
        "contacts.csv",
        "contact_id,customer_id,started_at,channel\n"
        "1,a,2026-06-01T01:00:00Z,app\n"
        "2,a,2026-06-01 01:00:00+02:00,app\n"
        "3,a,2026-06-01 01:00:00.5-0130,app\n"
        "4,a,2026-06-01 01:00:00,app\n"
        "5,a,2026-06-01,app\n",
    )
    (folder / "source.yaml").write_text("timezone: Asia/Shanghai\n")
    table = open_source(folder).tables["contacts"].order_by("contact_id")
    assert [str(at) for at in table.started_at.to_pyarrow().to_pylist()] == [
        "2026-06-01 09:00:00",
        "2026-06-01 07:00:00",
        "2026-06-01 10:30:00.500000",
        "2026-06-01 01:00:00",
        "2026-06-01 00:00:00",
    ]


def test_nothing_is_read_before_a_table_is_asked_for(csv, folder):
    path = csv("bills.csv", f"{BILLS}a,2026-06-01,1\n")
    source = open_source(folder)
    path.write_text(f"{BILLS}a,2026-06-01,2\n")
    assert source.tables["bills"].amount.to_pyarrow().to_pylist() == [2.0]
    with pytest.raises(DataError, match=r"bills\.csv: changed while it was read"):
        source.ensure_unchanged()


def test_a_header_that_is_none(csv, folder):
    csv("bills.csv", '"' + "x" * 200_000 + "\n")
    with pytest.raises(ContractError, match="line 1 holds no column names"):
        open_source(folder)


def test_a_line_of_megabytes_is_set_aside(report):
    found = report(f"{BILLS}00123,2026-05-01,1\n{'x' * 3_000_000},2026-05-01,1\n")
    (breach,) = found.report.breaches
    assert (breach.code, breach.rows) == ("C18", (3,))
    assert len(breach.examples[0]) <= 60


def test_a_temporary_folder_without_space_is_named(csv, folder, monkeypatch, tmp_path):
    csv("bills.csv", BILLS + "00123,2026-05-01,1\n")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    with pytest.raises(OutputError, match="TMPDIR: no temporary folder can be made"):
        open_source(folder)
    (tmp_path / "tmp").mkdir()
    source = open_source(folder)
    (workspace,) = (tmp_path / "tmp").iterdir()
    shutil.rmtree(workspace)
    with pytest.raises(OutputError, match=r"TMPDIR: the rows of .*bills\.csv cannot be kept"):
        source.tables["bills"]
