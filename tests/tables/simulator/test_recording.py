"""How complaints are written down changes nothing but how they are written down."""

import duckdb
import pyarrow.parquet as pq
import pytest

from churnml.errors import UsageError
from churnml.tables.contract import TABLES
from churnml.tables.simulator import simulate
from churnml.tables.source import open_source
from churnml.tables.validation import validate

ALIKE = ("complaint_id", "customer_id", "opened_at", "closed_at", "channel", "severity", "code")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    simulate(folder, customers=2_000, months=8, seed=5)
    return folder


@pytest.fixture(scope="module")
def worded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("worded")
    simulate(folder, customers=2_000, months=8, seed=5, own_words=True, uncoded=0.5, spoilt=0.5)
    return folder


def read(folder, name):
    return pq.read_table(folder / f"{name}.parquet")


def test_everything_else_is_the_same(plain, worded):
    there = [name for name in TABLES if (plain / f"{name}.parquet").exists()]
    assert len(there) == len(TABLES) - 1  # all but ties
    for name in (*there, "truth/hazard", "truth/complaint"):
        one, other = read(plain, name), read(worded, name)
        columns = ALIKE if name == "complaints" else one.column_names
        assert one.select(columns).equals(other.select(columns))


def test_the_truth_has_the_category_of_every_complaint(plain, worded):
    for folder in (plain, worded):
        rows = duckdb.sql(
            f"""
            select count(*), count(c.category), count(*) filter (c.category <> t.category),
            count(*) filter (c.subcategory <> t.subcategory), count(t.category)
            from '{folder}/complaints.parquet' c
            join '{folder}/truth/complaint.parquet' t using (complaint_id)
            """
        ).fetchall()[0]
        total, coded, wrong, fine_wrong, known = rows
        assert (wrong, fine_wrong, known) == (0, 0, total)
        assert coded == total if folder == plain else 0.4 < coded / total < 0.6


def test_what_nobody_has_coded_is_no_breach(worded):
    rows = read(worded, "complaints").to_pandas()
    bare = rows[["category", "text", "code"]].isna().all(axis=1).sum()
    found = validate(open_source(worded)).report.breaches
    assert {(one.code, one.column) for one in found} <= {("C16", "category")}
    assert sum(one.count for one in found) == bare < 0.03 * len(rows)


def test_texts_are_of_many_wordings_and_some_are_spoilt(plain, worded):
    assert len(set(read(plain, "complaints")["text"].drop_null().to_pylist())) == 15
    texts = read(worded, "complaints")["text"].drop_null().to_pylist()
    assert len(set(texts)) > 0.9 * len(texts)
    assert any(typo in text for text in texts for typo in ("电活", "信好", "套参", "办里"))


def test_codes_belong_to_subcategories(plain):
    rows = duckdb.sql(
        f"select code, count(distinct subcategory), count(*) from '{plain}/complaints.parquet' "
        "where code not like 'GEN%' group by code"
    ).fetchall()
    assert len(rows) > 20
    assert {many for _code, many, _count in rows} == {1}
    share = read(plain, "complaints")["code"].null_count / len(read(plain, "complaints"))
    assert 0.1 < share < 0.3


@pytest.mark.parametrize("name", ["uncoded", "spoilt"])
def test_shares_are_shares(name, tmp_path):
    with pytest.raises(UsageError, match=f"{name} is 2"):
        simulate(tmp_path / "out", customers=10, months=2, **{name: 2.0})
    assert not (tmp_path / "out").exists()
