"""A. Broken input files."""

from __future__ import annotations

import gzip
import io
import os
import shutil

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.faults.catalogue.bench import Bench, require
from tests.faults.catalogue.registry import case


@case(1, "a file of 0 bytes")
def empty(at: Bench) -> None:
    at.refuses(at.raw(b""), "empty")
    at.refuses(at.raw(b"", "table.parquet"), "empty")


@case(2, "a header alone; Parquet without rows")
def no_rows(at: Bench) -> None:
    none = at.rows.head(0)
    for table in (at.csv(none), at.parquet(none)):
        done = at.score(table, "--overwrite", "--json")
        found = at.finishes(done)
        require(list(found.columns) == list(at.shared.expected.columns), list(found.columns))
        require(done.json["rows"]["in"] == 0, done.json["rows"])


@case(3, "Parquet cut off")
def cut(at: Bench) -> None:
    data = at.parquet(at.rows).read_bytes()
    for size in (4, len(data) // 2, len(data) - 1):
        at.refuses(at.raw(data[:size], "table.parquet"), r"table\.parquet", "Parquet|parquet")


@case(4, "a flipped byte in a Parquet page, with and without page checksums")
def flipped(at: Bench) -> None:
    options = {"compression": "none", "use_dictionary": False}
    data = at.parquet(at.rows, write_page_checksum=True, **options).read_bytes()
    refused = 0
    for share in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5):
        broken = bytearray(data)
        broken[int(len(data) * share)] ^= 0x40
        table = at.raw(bytes(broken), "table.parquet")
        done = at.score(table, "--overwrite", "--json")
        if done.status == 0:
            # Not all of a file is data: no score may have changed.
            at.alike(at.finishes(done))
        else:
            at.refuses(table, r"table\.parquet")
            refused += 1
    require(refused >= 4, f"only {refused} noticed")
    # Without checksums a changed value cannot be told; damage to the structure can.
    data = at.parquet(at.rows, compression="snappy").read_bytes()
    broken = bytearray(data)
    broken[-6] ^= 0xFF
    at.refuses(at.raw(bytes(broken), "table.parquet"), r"table\.parquet")


@case(5, "CSV cut off inside its last line")
def cut_line(at: Bench) -> None:
    text = at.csv(at.rows).read_text("utf-8").rstrip("\n")
    at.sets_aside(at.raw(text[: text.rindex(",") - 12]), 1, "field|column")


@case(6, "a row with too many fields")
def too_many(at: Bench) -> None:
    row = "90000,5,1.0,3,basic,village 1,True,more"
    table = at.lines(lambda lines: [*lines[:5], row, *lines[5:]])
    at.sets_aside(table, 1, "too many|8|line 6")


@case(7, "a row with too few fields")
def too_few(at: Bench) -> None:
    table = at.lines(lambda lines: [*lines[:5], "90000,5", *lines[5:]])
    at.sets_aside(table, 1, "too few|2|line 6")


@case(8, "a quote that is never closed")
def open_quote(at: Bench) -> None:
    row = '90000,5,1.0,3,"basic,village 1,True'
    at.refuses_or_sets_aside(at.lines(lambda lines: [*lines[:7], row, *lines[7:]]), "quote")


@case(9, "another delimiter")
def delimiter(at: Bench) -> None:
    for sign in (";", "\t", "|"):
        at.same(at.csv(at.rows, sep=sign))
    table = at.lines(lambda lines: (line.replace(",", "~") for line in lines))
    # There is no id column in it: the command line's or the table's fault.
    at.refuses(table, "column|delimiter", status=(2, 3))


@case(10, "GB18030, UTF-16, Latin-1")
def encodings(at: Bench) -> None:
    at.same(at.csv(at.rows, encoding="gb18030"))
    done = at.score(at.csv(at.rows, encoding="utf-16"), "--overwrite", "--json")
    if done.status == 0:
        at.alike(at.finishes(done))
    else:
        at.refuses(at.csv(at.rows, encoding="utf-16"), r"table\.csv", "UTF-16|utf-16|encoding")
    latin = at.rows.rename(columns={"费用": "coût"}).to_csv(index=False).encode("latin-1")
    at.refuses(at.raw(latin), r"table\.csv")


@case(11, "a byte order mark")
def byte_order_mark(at: Bench) -> None:
    at.same(at.csv(at.rows, encoding="utf-8-sig"))


@case(12, "NUL and control characters in cells")
def control_characters(at: Bench) -> None:
    for sign in ("\x00", "\x1b", "\x07"):
        row = f"90000,5{sign},1.0,3,basic,village 1,True"
        done = at.refuses_or_sets_aside(at.lines(lambda ls, row=row: [*ls[:9], row, *ls[9:]]))
        require(sign not in done.out + done.err, "a control character reaches the terminal")


@case(13, "a column name twice")
def twice(at: Bench) -> None:
    table = at.lines(lambda lines: [lines[0].replace("calls", "tenure"), *lines[1:]])
    at.refuses(table, "tenure")


@case(14, "names that are alike but for case and blanks")
def alike_names(at: Bench) -> None:
    table = at.csv(at.rows.assign(**{"Tenure ": 5.0}))
    done = at.score(table, "--overwrite", "--json")
    if done.status == 0:
        # Told apart, letter for letter: the exact name is the one read.
        at.alike(at.finishes(done))
        require("Tenure" in str(done.json["ignored"]), done.json["ignored"])
    else:
        at.refuses(table, "tenure", "Tenure")
    at.refuses(at.csv(at.rows.rename(columns={"tenure": "Tenure "})), "tenure", "Tenure")


@case(15, "content that is not what the name says; gzip cut off")
def content(at: Bench) -> None:
    data = at.parquet(at.rows, "good.parquet").read_bytes()
    at.refuses(at.raw(data), r"table\.csv", "Parquet|parquet")
    workbook = io.BytesIO()
    at.rows.to_excel(workbook, index=False)
    at.refuses(at.raw(workbook.getvalue()), r"table\.csv")
    whole = gzip.compress(at.csv(at.rows, "good.csv").read_bytes())
    at.refuses(at.raw(whole[: len(whole) // 2], "table.csv.gz"), r"table\.csv\.gz")
    zipped = at.raw(whole)
    done = at.score(zipped, "--overwrite", "--json")
    if done.status == 0:
        at.alike(at.finishes(done))
    else:
        at.refuses(zipped, "gzip")


def divided(at: Bench, source: str) -> pa.Table:
    """An operator whose bills lie in a folder of parts; gives them back."""
    place = at.operator(source)
    bills = pq.read_table(place / "bills.parquet")
    (place / "bills.parquet").unlink()
    (place / "bills").mkdir()
    pq.write_table(bills.slice(0, 1000), place / "bills" / "part-0.parquet")
    return bills


def features(at: Bench, source: str, status: int, *words: str) -> None:
    """Features of an operator: refused with these words, and no file is there."""
    as_of, out = "2026-06-01", at.folder / f"{source}.parquet"
    done = at.run("features", at.folder / source, "--as-of", as_of, "--out", out, "--json")
    require(done.status == status, f"{source}: status {done.status}: {done.err[-400:]}")
    require(out.exists() == (status == 0), "a file where there should be none, or none")
    for word in words:
        require(word in done.err, f"{word!r} is not in {done.err[-400:]}")


@case(16, "parts of one table that disagree on a type")
def disagreeing(at: Bench) -> None:
    bills = divided(at, "op")
    at_column = bills.schema.get_field_index("amount")
    text = bills.set_column(at_column, "amount", pa.array(["much"] * len(bills)))
    pq.write_table(text.slice(1000), at.folder / "op" / "bills" / "part-1.parquet")
    features(at, "op", 3, "bills", "amount")


@case(17, "a folder that an unfinished job has left", apart="`_SUCCESS` is no setting")
def unfinished(at: Bench) -> None:
    bills = divided(at, "op")
    hidden = at.folder / "op" / "bills" / "_temporary"
    hidden.mkdir()
    pq.write_table(bills.slice(1000), hidden / "part-1.parquet")
    features(at, "op", 3, "_temporary")


@case(18, "a partition's key that contradicts the column of that name")
def contradicting(at: Bench) -> None:
    bills = divided(at, "op")
    folder = at.folder / "op" / "bills" / "month=2020-01-01"
    folder.mkdir()
    pq.write_table(bills.slice(1000), folder / "part-1.parquet")
    features(at, "op", 3, "month")


@case(19, "a folder, a pipe, a broken link, a device for a table")
def special(at: Bench) -> None:
    os.mkfifo(at.folder / "pipe.csv")
    (at.folder / "link.csv").symlink_to("nowhere.csv")
    at.place("folder.csv")
    for name in ("pipe.csv", "link.csv", "folder.csv", "/dev/zero"):
        at.refuses(at.folder / name)


CHANGING = """
import threading, time
def change():
    first = ".*staging*/result/part-00000.parquet"
    while not list(Path(argv[5]).parent.glob(first)): time.sleep(0.001)
    with open(argv[1], "a") as file: file.write("91234,5,1.0,3,basic,village 1,True\\n")
from pathlib import Path
threading.Thread(target=change, daemon=True).start()
"""


@case(20, "a table that changes while it is read")
def changing(at: Bench) -> None:
    table = at.csv(pd.concat([at.rows.assign(id=at.rows["id"] + f"-{n}") for n in range(5)]))
    config = at.raw("scoring: {batch_rows: 500}", "c.yaml")
    at.refuses(table, "changed", more=("--config", config), before=CHANGING)
    shutil.rmtree(at.out)
