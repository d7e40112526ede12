"""What features declare, and which of them a source can have."""

import re
from collections import Counter
from dataclasses import replace

import pyarrow as pa
import pytest

from churnml.features import BUILDERS, build_features, declared
from churnml.features.declaration import Declarations
from churnml.tables.contract import TABLES

NAME = re.compile(r"(lifecycle|arpu|billing|complaints|tier|usage|service|ties)(_[a-z0-9]+)+")
UNITS = {
    "days",
    "years",
    "month",
    "months",
    "yuan",
    "ratio",
    "share",
    "percent",
    "hours",
    "seconds",
    "level",
    "levels",
    "points",
    "handsets",
    "minutes",
    "mb",
    "mbps",
    "calls",
    "count",
}


def test_names_are_unique_and_say_group_statistic_window_unit():
    names = [feature.name for feature in declared()]
    assert max(Counter(names).values()) == 1
    for feature in declared():
        assert NAME.fullmatch(feature.name), feature.name
        words = feature.name.split("_")
        assert feature.kind == "category" or UNITS & set(words) or words[-1] == "100min", words
        windows = [word for word in words if re.fullmatch(r"\d+[dm]", word)]
        assert len(windows) <= 1, feature.name


def test_each_is_described_in_both_languages_and_says_what_null_means():
    for feature in declared():
        assert feature.en[0].isupper(), feature.name
        assert re.search("[\u4e00-\u9fff]", feature.zh), feature.name
        assert not feature.en.endswith("."), feature.name
        # Where a customer without any row is told as 0, null cannot occur.
        assert bool(feature.null) == (feature.empty is None), feature.name
    assert max(Counter(feature.en for feature in declared()).values()) == 1
    assert max(Counter(feature.zh for feature in declared()).values()) == 1


def test_needs_are_columns_of_the_contract():
    for feature in declared():
        assert feature.needs, feature.name
        for need in feature.needs:
            table, column = need.split(".")
            assert TABLES[table].column(column), feature.name


def test_columns_come_as_declared(operator, lazily):
    found = build_features(lazily(operator), "2026-06-01").to_pyarrow()
    assert found.column_names == ["customer_id", "as_of", *(f.name for f in declared())]
    for feature in declared():
        kind = found.schema.field(feature.name).type
        assert pa.types.is_string(kind) == (feature.kind == "category"), feature.name


@pytest.mark.parametrize("table", ["groups", "usage", "complaints", "contacts", "surveys", "ties"])
def test_an_absent_table_takes_its_features_along(operator, lazily, table):
    tables = lazily({name: frame for name, frame in operator.items() if name != table})
    found = build_features(tables, "2026-06-01")
    kept = [feature.name for feature in declared() if table not in feature.tables]
    assert list(found.columns) == ["customer_id", "as_of", *kept]
    assert found.count().to_pyarrow().as_py() > 0


def test_absent_optional_columns_take_theirs(operator, lazily):
    bare = {
        name: frame.select([*required, *(["known_at"] if name == "usage" else [])])
        for name, frame in operator.items()
        if (required := TABLES[name].required)
    }
    tables = lazily(bare)
    found = build_features(tables, "2026-06-01")
    kept = [
        feature.name
        for feature in declared()
        if all(
            need.split(".")[1] in bare[need.split(".")[0]].column_names for need in feature.needs
        )
    ]
    assert list(found.columns[2:]) == kept
    assert len(kept) < len(declared())
    assert found.to_pyarrow().num_rows > 0


def test_what_reads_only_today_s_state_is_marked(operator, lazily):
    def availability(frames):
        return {feature.name: feature.availability for feature in declared(lazily(frames))}

    versioned = availability(operator)
    assert set(versioned.values()) == {"operator"}
    today = availability(
        operator | {name: operator[name].drop(["valid_from"]) for name in ("customers", "groups")}
    )
    snapshots = {name for name, value in today.items() if value == "snapshot"}
    assert {"lifecycle_brand", "lifecycle_payment", "tier_group_now"} <= snapshots
    assert "complaints_hall_surge_30d_ratio" in snapshots
    assert not {"lifecycle_tenure_days", "lifecycle_age_years", "arpu_mean_3m_yuan"} & snapshots
    gone = set(versioned) - set(today)
    assert gone == {
        "lifecycle_contract_end_days",
        "tier_group_3m_level",
        "tier_group_6m_level",
        "tier_group_change_6m_levels",
    }


def test_the_groups_of_the_contract_s_drivers_are_all_served():
    assert {feature.driver for feature in declared()} == {
        "network",
        "tariff",
        "business_support",
        "service_window",
        "value",
        "usage",
        "lifecycle",
        "tier",
        "ties",
    }
    assert len(BUILDERS) == 8


def test_declarations_show_themselves_escaped():
    shown = declared()._repr_html_()
    assert shown.count("<tr>") == len(declared()) + 1
    odd = Declarations([replace(declared()[0], en="<b>a & b</b>")])
    assert "&lt;b&gt;a &amp; b&lt;/b&gt;" in odd._repr_html_()
    assert repr(declared()).startswith(f"{len(declared())} features: ")
