"""A simulated operator as GB18030 CSV with Chinese headers: the same tables as its Parquet."""

import csv
import datetime as dt
from pathlib import Path

import pytest

from churnml.tables.contract import TABLES
from churnml.tables.simulator import simulate
from churnml.tables.source import open_source
from churnml.tables.source.mapping import read_mapping
from churnml.tables.validation import validate

MAPPING = Path(__file__).parents[3] / "configs" / "sources" / "chinese.yaml"


def export(source, folder):
    """Write the tables as the shipped Chinese mapping, with ties, says the operator has them."""
    mapping = read_mapping(folder / "mapping.yaml")
    for name, table in source.tables.items():
        entry, columns = mapping.table(name), source.bindings[name].columns
        if "known_at" in table.columns and "known_at" not in columns:
            table = table.drop("known_at")
        with (folder / entry.file).open("w", encoding="gb18030", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow([entry.own_name(column) for column in table.columns])
            rules = [entry.rule(column, mapping) for column in table.columns]
            for row in table.to_pyarrow().to_pylist():
                writer.writerow([told(*pair) for pair in zip(row.values(), rules, strict=True)])


def told(value, rule):
    """A value as the operator writes it."""
    if value is None:
        return "\\N"
    if isinstance(value, dt.date):
        return value.strftime(rule.format)
    if isinstance(value, bool):
        value = str(value).lower()
    codes = {ours: own for own, ours in rule.values.items()}
    if rule.scale != 1:
        return round(value / rule.scale)
    return codes.get(str(value), value)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    parquet, text = tmp_path_factory.mktemp("parquet"), tmp_path_factory.mktemp("csv")
    simulate(parquet, customers=300, months=8, seed=3, contagion=0.0)
    source = open_source(parquet)
    head, mark, ties = MAPPING.read_text(encoding="utf-8").partition("  # ties:\n")
    told = head + (mark + ties).replace("  # ", "  ")
    (text / "mapping.yaml").write_text(told, encoding="utf-8")
    export(source, text)
    return source, open_source(text, mapping=text / "mapping.yaml")


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_are_the_same(name, both):
    parquet, text = (source.tables[name].order_by(TABLES[name].key) for source in both)
    if name in ("customers", "groups"):
        parquet, text = (
            table.order_by(*TABLES[name].key, "valid_from") for table in (parquet, text)
        )
    assert text.schema() == parquet.schema()
    assert text.to_pyarrow().to_pylist() == parquet.to_pyarrow().to_pylist()
    assert text.count().to_pyarrow().as_py() > 0


def test_neither_has_a_breach_that_the_other_has_not(both):
    parquet, text = (validate(source).report for source in both)
    assert parquet.codes() == text.codes()
    assert parquet.counts == text.counts
    assert set(parquet.codes()) <= {"C11", "C15", "C20"}
