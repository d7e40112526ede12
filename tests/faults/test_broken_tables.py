"""Broken input of a flat table: the status, one readable message, and the old output intact."""

import gzip
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churnml.models import bundle
from churnml.scoring import Manifest

Write = Callable[[pd.DataFrame, Path], Path]


@pytest.fixture(scope="module")
def model(churn, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("model") / "churn"
    bundle.save(churn, place)
    return place


@pytest.fixture(scope="module")
def rows(customers) -> pd.DataFrame:
    """400 customers as a data scientist's file has them."""
    return customers.drop(columns=["left", "score"]).head(400)


@pytest.fixture(scope="module")
def expected(rows, model, cli, tmp_path_factory) -> pd.DataFrame:
    """Their scores, from a file with nothing wrong."""
    folder = tmp_path_factory.mktemp("good")
    csv(rows, folder / "good.csv")
    done = cli(*command(folder / "good.csv", folder / "out", model), cwd=folder)
    assert done.status == 0, done.err
    return scores(folder / "out")


@pytest.fixture(scope="module")
def old(rows, model, cli, tmp_path_factory) -> Path:
    """A result that stands where the broken file's would."""
    folder = tmp_path_factory.mktemp("old")
    csv(rows.head(20), folder / "old.csv")
    assert cli(*command(folder / "old.csv", folder / "out", model), cwd=folder).status == 0
    return folder / "out"


def command(table: Path, out: Path, model: Path, *more: str) -> list[str]:
    return [
        "score",
        str(table),
        "--id",
        "id",
        "--out",
        str(out),
        "--churn-model",
        str(model),
        *more,
    ]


def scores(folder: Path) -> pd.DataFrame:
    Manifest.read(folder).verify()
    return pq.read_table(folder).to_pandas().set_index("customer_id")


def csv(frame: pd.DataFrame, path: Path, **options: object) -> Path:
    frame.to_csv(path, index=False, lineterminator="\n", **options)
    return path


def text(frame: pd.DataFrame) -> list[str]:
    return frame.to_csv(index=False, lineterminator="\n").splitlines()


def edited(edit: Callable[[list[str]], list[str]]) -> Write:
    """The CSV file with its lines changed."""

    def write(frame: pd.DataFrame, folder: Path) -> Path:
        path = folder / "broken.csv"
        path.write_text("\n".join(edit(text(frame))) + "\n", encoding="utf-8")
        return path

    return write


def reframed(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Write:
    return lambda frame, folder: csv(change(frame.copy()), folder / "broken.csv")


def parquet(
    change: Callable[[pa.Table], pa.Table] = lambda table: table, **options: object
) -> Write:
    def write(frame: pd.DataFrame, folder: Path) -> Path:
        table = change(pa.Table.from_pandas(frame, preserve_index=False))
        pq.write_table(table, folder / "broken.parquet", **options)
        return folder / "broken.parquet"

    return write


def cut(share: float) -> Write:
    def write(frame: pd.DataFrame, folder: Path) -> Path:
        path = parquet()(frame, folder)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share) - 1])
        return path

    return write


def flipped(frame: pd.DataFrame, folder: Path) -> Path:
    path = parquet(write_page_checksum=True)(frame, folder)
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 255
    path.write_bytes(bytes(data))
    return path


def raw(data: bytes, name: str = "broken.csv") -> Write:
    def write(frame: pd.DataFrame, folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return write


def insert(at: int, line: str) -> Callable[[list[str]], list[str]]:
    return lambda lines: [*lines[:at], line, *lines[at:]]


@dataclass(frozen=True)
class Case:
    """One way in which a file can be wrong.

    ``quarantined`` rows are set aside and the rest is scored; without it the file is
    refused, or scored whole where ``status`` is 0.
    """

    name: str
    write: Write
    status: int
    says: str = ""
    quarantined: int = 0


REFUSED = (
    Case("empty file", raw(b""), 3, "empty"),
    Case("empty parquet file", raw(b"", "broken.parquet"), 3, "empty"),
    Case("parquet cut in half", cut(0.5), 3, r"broken\.parquet"),
    Case("parquet without its last byte", cut(1.0), 3, r"broken\.parquet"),
    Case("parquet with a flipped byte", flipped, 3, r"broken\.parquet"),
    Case("text called parquet", raw(b"id,tenure\n1,2\n", "broken.parquet"), 3, r"broken\.parquet"),
    Case("parquet called csv", raw(b"PAR1" + bytes(200) + b"PAR1"), 3, r"broken\.csv"),
    Case("missing column", reframed(lambda f: f.drop(columns="tenure")), 3, "tenure"),
    Case(
        "renamed column",
        reframed(lambda f: f.rename(columns={"tenure": "tenor"})),
        3,
        r"tenure.*tenor",
    ),
    Case("id column missing", reframed(lambda f: f.rename(columns={"id": "key"})), 2, "'id'"),
    Case(
        "duplicate header",
        edited(lambda ls: [ls[0].replace("plan", "tenure"), *ls[1:]]),
        3,
        "tenure",
    ),
    Case("duplicate ids", edited(lambda ls: [*ls, *ls[5:7]]), 3, "id"),
    Case(
        "text in a whole number column",
        reframed(lambda f: f.assign(tenure=[f"{n} months" for n in f["tenure"]])),
        3,
        "tenure",
    ),
    Case("quote that is never closed", edited(insert(7, '00900,"5,1,basic,True')), 3, ""),
    Case("no such file", lambda f, d: d / "absent.csv", 3, r"absent\.csv"),
    Case("a folder", lambda f, d: d, 3, ""),
)

SET_ASIDE = (
    Case(
        "text in one number cell",
        edited(lambda ls: [*ls[:9], ls[9].replace(ls[9].split(",")[1], "many", 1), *ls[10:]]),
        0,
        "",
        quarantined=1,
    ),
    Case(
        "infinite number",
        reframed(lambda f: f.assign(tenure=[np.inf, 1e308, *f["tenure"][2:]])),
        0,
        "",
        quarantined=2,
    ),
    Case(
        "row with too many fields",
        edited(insert(5, "00901,5,1,basic,True,more")),
        0,
        "",
        quarantined=1,
    ),
    Case("row with too few fields", edited(insert(5, "00901,5")), 0, "", quarantined=1),
    Case("row without an id", edited(insert(5, ",5,1,basic,True")), 0, "", quarantined=1),
)

HARMLESS = (
    Case("tabs for commas", lambda f, d: csv(f, d / "broken.csv", sep="\t"), 0),
    Case("GB18030", lambda f, d: csv(f, d / "broken.csv", encoding="gb18030"), 0),
    Case(
        "byte order mark",
        lambda f, d: csv(f, d / "broken.csv", encoding="utf-8-sig"),
        0,
    ),
    Case(
        "windows newlines",
        lambda f, d: raw("\r\n".join(text(f)).encode() + b"\r\n")(f, d),
        0,
    ),
    Case("columns in another order", reframed(lambda f: f[f.columns[::-1]]), 0),
    Case("rows in another order", reframed(lambda f: f.sample(frac=1, random_state=0)), 0),
    Case("more columns", reframed(lambda f: f.assign(note="x", other=1)), 0),
    Case("parquet", parquet(), 0),
    Case("gzip", lambda f, d: csv(f, d / "broken.csv.gz"), 0),
    Case(
        "whole numbers as integers",
        lambda f, d: parquet()(f.assign(tenure=f["tenure"].astype(int)), d),
        0,
    ),
    Case(
        "single precision",
        lambda f, d: parquet()(f.assign(tenure=f["tenure"].astype("float32")), d),
        0,
    ),
    Case(
        "dictionary-encoded text",
        lambda f, d: parquet()(f.assign(plan=f["plan"].astype("category")), d),
        0,
    ),
)

TRIPPED = (
    Case(
        "categories in upper case",
        reframed(lambda f: f.assign(plan=f["plan"].str.upper())),
        6,
        "plan: none of the 3 known values",
    ),
    Case("categories with a space", reframed(lambda f: f.assign(plan=f["plan"] + " ")), 6, "plan"),
    Case("categories as numbers", reframed(lambda f: f.assign(plan=7)), 6, "plan"),
    Case(
        "too many unseen values",
        reframed(lambda f: f.assign(plan=["ultra"] * 40 + f["plan"].tolist()[40:])),
        6,
        r"plan: 40 of 400 rows \(10\.0%\)",
    ),
    Case("a column empty now", reframed(lambda f: f.assign(tenure=None)), 6, "tenure"),
)


def by_name(cases: tuple[Case, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def check_message(done, case: Case) -> None:
    assert done.status == case.status, (done.status, done.err, done.out)
    assert "Traceback" not in done.err
    (message,) = [line for line in done.err.splitlines() if line.startswith("churnml: ")]
    assert re.search(case.says, message), message


@by_name(REFUSED)
def test_refused_with_the_old_result_as_it_was(case, rows, old, model, cli, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(old, out)
    before = snapshot(out)
    table = case.write(rows, tmp_path)
    done = cli(*command(table, out, model, "--overwrite", "--json"), cwd=tmp_path)
    check_message(done, case)
    assert done.json["error"]["status"] == case.status
    assert snapshot(out) == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@by_name(SET_ASIDE)
def test_bad_rows_are_set_aside_and_the_rest_is_scored(case, rows, expected, model, cli, tmp_path):
    table = case.write(rows, tmp_path)
    done = cli(*command(table, tmp_path / "out", model, "--json"), cwd=tmp_path)
    assert done.status == 0, done.err
    counts = done.json["rows"]
    assert counts["quarantined"] == case.quarantined
    assert counts["in"] == counts["scored"] + counts["quarantined"]
    assert sum(why["rows"] for why in done.json["quarantined"]) == case.quarantined
    found = scores(tmp_path / "out")
    same = found.index.intersection(expected.index)
    assert len(same) >= 398
    pd.testing.assert_frame_equal(found.loc[same], expected.loc[same])


@by_name(HARMLESS)
def test_harmless_differences_change_no_bit(case, rows, expected, model, cli, tmp_path):
    table = case.write(rows, tmp_path)
    done = cli(*command(table, tmp_path / "out", model, "--json"), cwd=tmp_path)
    assert done.status == 0, done.err
    assert done.json["rows"] == {"in": 400, "scored": 400, "quarantined": 0, "ineligible": 0}
    pd.testing.assert_frame_equal(scores(tmp_path / "out").loc[expected.index], expected)


@by_name(TRIPPED)
def test_a_gate_trips_after_the_result_is_published(case, rows, model, cli, tmp_path):
    table = case.write(rows, tmp_path)
    done = cli(*command(table, tmp_path / "out", model), cwd=tmp_path)
    check_message(done, case)
    found = scores(tmp_path / "out")
    assert len(found) == 400
    assert Manifest.read(tmp_path / "out").gates


def test_some_unseen_values_are_scored_and_their_share_is_told(rows, model, cli, tmp_path):
    csv(rows.assign(plan=["ultra"] * 10 + rows["plan"].tolist()[10:]), tmp_path / "t.csv")
    done = cli(*command(tmp_path / "t.csv", tmp_path / "out", model, "--json"), cwd=tmp_path)
    assert done.status == 0, done.err
    assert done.json["unseen"] == {"plan": 0.025}
    assert len(scores(tmp_path / "out")) == 400


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_without_rows_gives_an_empty_result_with_all_columns(
    kind, rows, expected, model, cli, tmp_path
):
    table = tmp_path / f"none.{kind}"
    none = rows.head(0)
    csv(none, table) if kind == "csv" else none.to_parquet(table)
    done = cli(*command(table, tmp_path / "out", model, "--json"), cwd=tmp_path)
    assert done.status == 0, done.err
    assert done.json["rows"]["in"] == 0
    found = scores(tmp_path / "out")
    assert len(found) == 0
    assert list(found.columns) == list(expected.columns)


IDS = ["00123", "+8613800138000", "12345678901234567890", "NA", "null", "001"]


def test_ids_come_out_character_for_character(rows, model, cli, tmp_path):
    frame = rows.head(len(IDS)).assign(id=IDS)
    csv(frame, tmp_path / "t.csv")
    done = cli(*command(tmp_path / "t.csv", tmp_path / "out", model), cwd=tmp_path)
    assert done.status == 0, done.err
    assert set(scores(tmp_path / "out").index) == set(IDS)


def test_ignored_columns_are_listed_once(rows, model, cli, tmp_path):
    csv(rows.assign(note="x"), tmp_path / "t.csv")
    done = cli(*command(tmp_path / "t.csv", tmp_path / "out", model, "--json"), cwd=tmp_path)
    assert done.json["ignored"] == ["note"]


def test_special_files_are_refused_at_once(model, cli, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "link.csv").symlink_to("nowhere.csv")
    for table in (tmp_path / "pipe.csv", tmp_path / "link.csv", Path("/dev/zero")):
        done = cli(*command(table, tmp_path / "out", model), cwd=tmp_path)
        assert done.status == 3, (table, done.err)


def test_a_truncated_gzip_file_is_refused(rows, model, cli, tmp_path):
    whole = gzip.compress("\n".join(text(rows)).encode())
    (tmp_path / "t.csv.gz").write_bytes(whole[: len(whole) // 2])
    done = cli(*command(tmp_path / "t.csv.gz", tmp_path / "out", model), cwd=tmp_path)
    assert done.status == 3, done.err
    assert "t.csv.gz" in done.err


def test_values_that_would_draw_on_the_terminal_are_shown_escaped(rows, model, cli, tmp_path):
    name = "ten\x1b[31mure"
    csv(rows.rename(columns={"tenure": name}), tmp_path / "t.csv")
    done = cli(*command(tmp_path / "t.csv", tmp_path / "out", model), cwd=tmp_path)
    assert done.status == 3
    assert "\x1b" not in done.err


def test_the_error_is_one_json_object(rows, model, cli, tmp_path):
    csv(rows.drop(columns="tenure"), tmp_path / "t.csv")
    done = cli(*command(tmp_path / "t.csv", tmp_path / "out", model, "--json"), cwd=tmp_path)
    error = json.loads(done.out)["error"]
    assert error["status"] == 3
    assert error["column"] == "tenure"
