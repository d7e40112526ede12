"""One batch in the contract's columns, order and types."""

import io
from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churnml.models import bundle
from churnml.models.model import Origin
from churnml.registry.resolve import Resolved
from churnml.scoring.shards import ScoringRecipe, part_bytes, schema, score_rows, tally

BANDS = (50.0, 80.0, 95.0)
VALUE = {"individual_tier": ["gold", None], "group_tier": [None, "A"], "arpu": [1600.5, None]}


@pytest.fixture
def models(churn, satisfaction):
    return {
        "churn": Resolved(churn, "models:/churn@champion", "churn/1"),
        "satisfaction": Resolved(satisfaction, "models:/satisfaction/2", "satisfaction/2"),
    }


@pytest.fixture
def operators(models):
    """The same as models of operator tables."""
    return {
        task: replace(one, model=replace(one.model, origin=Origin(kind="operator")))
        for task, one in models.items()
    }


def test_all_columns_of_the_contract_in_its_order(operators, features):
    recipe = ScoringRecipe(models=operators, as_of=date(2026, 6, 1), reasons=2, bands=BANDS)
    table = score_rows(recipe, pa.array(["007", "x"]), features.head(2), VALUE)
    assert table.column_names == [
        "customer_id",
        "as_of",
        "churn_probability",
        "churn_percentile",
        "risk_band",
        "satisfaction",
        "satisfaction_low",
        "satisfaction_high",
        "dissatisfied_probability",
        "individual_tier",
        "group_tier",
        "arpu",
        "reasons",
        "satisfaction_reasons",
        "churn_model",
        "satisfaction_model",
    ]
    assert table["customer_id"].to_pylist() == ["007", "x"]
    assert table["as_of"].to_pylist() == [date(2026, 6, 1)] * 2
    assert table["arpu"].to_pylist() == [1600.5, None]
    assert table["group_tier"].to_pylist() == [None, "A"]
    assert table["churn_model"].to_pylist() == ["churn/1"] * 2
    assert [len(given) for given in table["reasons"].to_pylist()] == [2, 2]
    points = operators["satisfaction"].model.estimator.explain(features.head(2)).abs()
    of_satisfaction = table["satisfaction_reasons"].to_pylist()
    assert [abs(given[0]["contribution"]) for given in of_satisfaction] == list(points.max(axis=1))


def test_what_was_not_asked_for_is_absent(models, features):
    recipe = ScoringRecipe(
        models={"satisfaction": models["satisfaction"]}, as_of=None, reasons=0, bands=BANDS
    )
    table = score_rows(recipe, pa.array(["a", "b"]), features.head(2), {})
    assert table.column_names == [
        "customer_id",
        "as_of",
        "satisfaction",
        "satisfaction_low",
        "satisfaction_high",
        "dissatisfied_probability",
        "satisfaction_model",
    ]
    assert table.schema.field("as_of").type == pa.date32()
    assert table["as_of"].null_count == 2


@pytest.mark.parametrize(
    ("counts", "columns"),
    [
        ({"reasons": 1}, ["reasons", "satisfaction_reasons"]),
        ({"reasons": 2, "satisfaction_reasons": 0}, ["reasons"]),
        ({"reasons": 0, "satisfaction_reasons": 2}, ["satisfaction_reasons"]),
        ({"reasons": 0}, []),
    ],
)
def test_either_kind_of_reasons_can_be_left_out(models, features, counts, columns):
    both = ScoringRecipe(models=models, as_of=None, bands=BANDS, **counts)
    table = score_rows(both, pa.array(["a"]), features.head(1), {})
    assert [name for name in table.column_names if name.endswith("reasons")] == columns
    assert [len(table[name][0]) for name in columns] == [counts.get(n, 1) for n in columns]


def test_reasons_are_of_satisfaction_where_it_alone_is_scored(models, features):
    alone = ScoringRecipe(
        models={"satisfaction": models["satisfaction"]}, as_of=None, reasons=1, bands=BANDS
    )
    given = score_rows(alone, pa.array(["a"]), features.head(1), {})["reasons"].to_pylist()[0][0]
    points = models["satisfaction"].model.estimator.explain(features.head(1)).abs().max(axis=1)
    assert abs(given["contribution"]) == points.iloc[0]


def test_scores_are_those_of_the_model_alone_or_in_company(models, features):
    recipe = ScoringRecipe(models=models, as_of=None, reasons=3, bands=BANDS)
    ids = pa.array([str(number) for number in range(len(features))])
    whole = score_rows(recipe, ids, features, {})
    pieces = [
        score_rows(recipe, ids.slice(at, 1), features.iloc[at : at + 1], {}) for at in range(30)
    ]
    pieces.append(score_rows(recipe, ids.slice(30, 570), features.iloc[30:], {}))
    assert pa.concat_tables(pieces).equals(whole.combine_chunks())
    expected = bundle.predict(models["churn"].model, features)["churn_probability"]
    assert np.array_equal(whole["churn_probability"].to_numpy(), expected)
    assert (whole["satisfaction_low"].to_numpy() <= whole["satisfaction_high"].to_numpy()).all()


def test_a_table_s_day_is_given_back_without_tiers(models, features):
    recipe = ScoringRecipe(models=models, as_of=date(2026, 6, 1), reasons=0, bands=BANDS)
    table = score_rows(recipe, pa.array(["a", "b"]), features.head(2), {})
    assert table["as_of"].to_pylist() == [date(2026, 6, 1)] * 2
    assert not set(VALUE) & set(table.column_names)


def test_no_rows_have_the_same_columns(operators, features):
    recipe = ScoringRecipe(models=operators, as_of=date(2026, 6, 1), reasons=3, bands=BANDS)
    table = score_rows(
        recipe, pa.array([], pa.string()), features.head(0), {name: [] for name in VALUE}
    )
    assert table.num_rows == 0
    assert table.schema == schema(recipe)


def test_a_part_is_the_same_bytes_again_and_its_pages_bear_checksums(models, features):
    recipe = ScoringRecipe(models=models, as_of=None, reasons=3, bands=BANDS)
    ids = pa.array([str(number) for number in range(len(features))])
    data = part_bytes(score_rows(recipe, ids, features, {}))
    assert part_bytes(score_rows(recipe, ids, features, {})) == data
    table = pq.read_table(io.BytesIO(data), page_checksum_verification=True)
    assert table.schema == schema(recipe)
    place = data.index(b"00004"[-1:], 200)
    damaged = data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :]
    with pytest.raises(OSError, match=r"(?i)checksum|crc|deserialize|corrupt"):
        pq.read_table(io.BytesIO(damaged), page_checksum_verification=True)


def test_tally_counts_values_and_unseen_categories(models, features):
    rows = features.head(6).copy()
    rows["plan"] = ["basic", "BASIC", None, "plus ", "max", "max"]
    counts = tally(ScoringRecipe(models=models, as_of=None, reasons=0, bands=BANDS), rows)["churn"]
    assert counts["unseen"] == {"plan": 2}
    assert counts["present"]["plan"] == 5
    assert counts["present"]["费用"] == rows["费用"].notna().sum()
