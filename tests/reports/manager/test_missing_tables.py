"""The report of an operator that lacks a table: what is absent is said in a line."""

import shutil
from pathlib import Path

import pytest

import churnml
from churnml.base.dates import add_months
from tests.monitoring.conftest import last_day, learned

pytestmark = pytest.mark.slow

OPTIONAL = ("contacts", "surveys", "complaints", "groups", "usage")
SAID = {
    "surveys": ("mouth", "no answers"),
    "complaints": ("complaints", "no complaints in the data"),
}


@pytest.fixture(scope="module")
def operator(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "operator"
    churnml.simulate(folder, customers=600, months=12, seed=3)
    return folder


def without(operator: Path, place: Path, *tables: str) -> Path:
    shutil.copytree(operator, place)
    for name in tables:
        (place / f"{name}.parquet").unlink()
    return place


@pytest.fixture(scope="module")
def model(operator, tmp_path_factory) -> str:
    """A model that reads none of the optional tables."""
    place = tmp_path_factory.mktemp("bare")
    bare = without(operator, place / "operator", *OPTIONAL)
    end = last_day(operator)
    return learned(bare, [add_months(end, -back) for back in (5, 4, 3)], place / "model")


@pytest.mark.parametrize("table", OPTIONAL)
def test_a_report_without_a_table_says_what_is_absent(operator, model, table, tmp_path):
    place = without(operator, tmp_path / "operator", table)
    out = tmp_path / "report.html"
    written = churnml.report(place, last_day(operator), out=out, churn_model=model)
    assert "are expected to leave" in written.headline
    page = out.read_text()
    assert "Traceback" not in page
    assert "nan" not in written.headline
    if table in SAID:
        part, words = SAID[table]
        assert words in written.findings[part]
    assert "tables are absent" in written.findings["data"]
