"""One operator told differently: in other files, with another future; the same results."""

import csv
import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from churnml.tables.contract import TABLES
from churnml.tables.source import open_source
from churnml.tables.source.mapping import read_mapping

AS_OF = "2026-04-01"
CHINESE = Path(__file__).parents[2] / "configs" / "sources" / "chinese.yaml"
STAMPS = ("closed_at", "reopened_at", "paid_on", "answered_at", "terminated_on")


def told(value, rule):
    """A value as the operator of the Chinese mapping writes it."""
    if value is None:
        return "NULL"
    if isinstance(value, dt.date):
        return value.strftime(rule.format)
    if isinstance(value, bool):
        value = str(value).lower()
    if rule.scale != 1:
        return round(value / rule.scale)
    return {ours: own for own, ours in rule.values.items()}.get(str(value), value)


@pytest.fixture(scope="module")
def chinese(operator, tmp_path_factory):
    """The operator's tables as GB18030 CSV with Chinese headers and codes, amounts in fen."""
    folder = tmp_path_factory.mktemp("chinese")
    source, mapping = open_source(operator), read_mapping(CHINESE)
    for name, table in source.tables.items():
        entry, columns = mapping.table(name), source.bindings[name].columns
        kept = table.select(*[column for column in table.columns if column in columns])
        with (folder / entry.file).open("w", encoding="gb18030", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow([entry.own_name(column) for column in kept.columns])
            rules = [entry.rule(column, mapping) for column in kept.columns]
            for row in kept.to_pyarrow().to_pylist():
                writer.writerow([told(*pair) for pair in zip(row.values(), rules, strict=True)])
    return folder


def lies_ahead(name, frame):
    """Whether each row happened, or became known, at or after ``AS_OF``."""
    midnight = pd.Timestamp(AS_OF)
    if "month" in frame:
        ahead = pd.to_datetime(frame["month"]) + pd.offsets.MonthBegin() > midnight
    else:
        ahead = pd.to_datetime(frame[TABLES[name].event]) >= midnight
    for column in ("valid_from", "issued_on", "known_at"):
        if column in frame:
            when = pd.to_datetime(frame[column])
            ahead |= when > midnight if column == "known_at" else when >= midnight
    return ahead


def scrambled(name, frame, random):
    """Two thirds of the rows that lie ahead, their values dealt anew, and later events undone."""
    ahead = lies_ahead(name, frame)
    # Simulated opt-outs are all of the last two months.
    assert 0 < ahead.sum() < len(frame) + (name == "opt_outs")
    rows = frame[ahead].sample(frac=2 / 3, random_state=3)
    spec = {column.name: column for column in TABLES[name].columns}
    for column in rows.columns.intersection([*spec]):
        if spec[column].kind in ("number", "integer", "text") and not column.endswith("_id"):
            rows[column] = random.permutation(rows[column].to_numpy())
    frame = pd.concat([rows, frame[~ahead]])
    for stamp in frame.columns.intersection(STAMPS):
        later = pd.to_datetime(frame[stamp]) >= pd.Timestamp(AS_OF)
        frame.loc[later & (random.random(len(frame)) < 0.5), stamp] = None
    return frame


@pytest.fixture(scope="module")
def other_future(operator, tmp_path_factory):
    """The operator with all that lies at or after ``AS_OF`` made up anew."""
    folder, random = tmp_path_factory.mktemp("future"), np.random.default_rng(0)
    for path in sorted(operator.glob("*.parquet")):
        frame = pd.read_parquet(path, dtype_backend="pyarrow")
        if path.stem in TABLES:
            frame = scrambled(path.stem, frame, random)
        frame.to_parquet(folder / path.name, index=False)
    return folder


def features(churnml, folder, out, *options):
    ran = churnml("features", folder, "--as-of", AS_OF, "--out", out, *options)
    assert ran.status == 0, ran.err
    return out.read_bytes()


def test_features_are_the_same_from_parquet_and_from_chinese_csv(
    churnml, operator, chinese, tmp_path
):
    parquet = features(churnml, operator, tmp_path / "a.parquet")
    assert features(churnml, chinese, tmp_path / "b.parquet", "--mapping", CHINESE) == parquet


def test_features_are_the_same_whatever_comes_later(churnml, operator, other_future, tmp_path):
    before = features(churnml, operator, tmp_path / "a.parquet")
    assert features(churnml, other_future, tmp_path / "b.parquet") == before


def test_chinese_csv_goes_the_whole_way(churnml, operator, chinese, settings, tmp_path):
    told = ("--mapping", CHINESE)
    report = churnml("validate", chinese, *told, "--json")
    assert report.status == 0, report.err
    assert report.json["breaches"] == []
    model = tmp_path / "model"
    ran = churnml(
        "train", "satisfaction", chinese, *told, "--no-track", "--out", model,
        "--config", settings, "--json",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    scores = {}
    for folder, options in ((chinese, told), (operator, ())):
        ran = churnml(
            "score", folder, *options, "--as-of", AS_OF, "--out", tmp_path / folder.name,
            "--satisfaction-model", model, "--json",
        )  # fmt: skip
        assert ran.status == 0, ran.err
        parts = sorted((tmp_path / folder.name).glob("*.parquet"))
        scores[folder] = [part.read_bytes() for part in parts]
    assert scores[chinese] == scores[operator] != []
