"""What holds for every builder: rows, order, other customers, and an independent answer."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from churnml.config.settings import Config
from churnml.features import build_features, declared
from churnml.features.view import look
from churnml.tables import asof
from churnml.tables.contract import TABLES

AS_OF = ("2026-05-15", "2026-06-01")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_feature_equals_an_independent_answer_in_sql(generate, lazily, oracle, seed):
    frames = generate(seed)
    found = build_features(lazily(frames), AS_OF).to_pandas()
    expected = oracle(frames, AS_OF)
    assert set(expected.columns) == set(found.columns)
    assert found["customer_id"].tolist() == expected["customer_id"].tolist()
    wrong = {name: place for name in found if (place := _differs(found[name], expected[name]))}
    assert not wrong


def _differs(found: pd.Series, expected: pd.Series) -> list[int]:
    """Places where two columns differ, nulls told apart from all else."""
    null, absent = found.isna().to_numpy(), expected.isna().to_numpy()
    if pd.api.types.is_numeric_dtype(expected) and pd.api.types.is_numeric_dtype(found):
        one, other = found.fillna(0).astype(float), expected.fillna(0).astype(float)
        equal = np.isclose(one, other, rtol=1e-9, atol=1e-9)
    else:
        equal = (found.astype(str) == expected.astype(str)).to_numpy() | (null & absent)
    return np.flatnonzero((null != absent) | ~equal).tolist()


def test_one_row_for_each_row_of_the_spine_also_for_strangers(generate, lazily):
    tables = lazily(generate(0))
    rows = {
        "customer_id": ["stranger", "C003", "C003", "C001"],
        "as_of": [date(2026, 6, 1), date(2026, 6, 1), date(2026, 5, 15), date(2026, 6, 1)],
    }
    spine = ibis.memtable(pa.table(rows))
    found = build_features(tables, AS_OF, spine=spine).to_pandas()
    assert list(zip(found["as_of"].astype(str).str[:10], found["customer_id"], strict=True)) == [
        ("2026-05-15", "C003"),
        ("2026-06-01", "C001"),
        ("2026-06-01", "C003"),
        ("2026-06-01", "stranger"),
    ]
    stranger = found[found["customer_id"] == "stranger"].iloc[0]
    empty = {feature.name: feature.empty for feature in declared()}
    for name in found.columns[2:]:
        assert stranger[name] == empty[name] if empty[name] is not None else pd.isna(stranger[name])


def test_rows_of_a_given_spine_are_those_of_everyone(generate, lazily):
    tables = lazily(generate(1))
    everyone = build_features(tables, AS_OF).to_pyarrow()
    some = everyone.filter(pc.match_substring(everyone["customer_id"], "7"))
    spine = ibis.memtable(some.select(["customer_id", "as_of"]))
    found = build_features(tables, AS_OF, spine=spine).to_pyarrow()
    assert found.to_pydict() == some.to_pydict()


def test_without_customers_there_are_no_rows_but_every_column(generate, lazily):
    empty = {name: frame.slice(0, 0) for name, frame in generate(0).items()}
    found = build_features(lazily(empty), AS_OF).to_pyarrow()
    assert found.num_rows == 0
    assert found.column_names[2:] == [feature.name for feature in declared()]


# Told by other tables too: months missed by activation, a group's tier by its size.
ALSO_OTHERWISE = ("arpu_missing", "usage_missing", "tier_individual_now", "tier_group")


@pytest.mark.parametrize(
    "name", ["groups", "bills", "usage", "complaints", "contacts", "surveys", "ties"]
)
def test_an_empty_table_gives_its_features_their_empty_values(generate, answers, name):
    frames = generate(0)
    found = answers(frames | {name: frames[name].slice(0, 0)}, "2026-06-01")
    concerned = [
        feature
        for feature in declared()
        if feature.tables[0] == name and not feature.name.startswith(ALSO_OTHERWISE)
    ]
    if name == "groups":
        concerned = [feature for feature in declared() if name in feature.tables]
    assert len(concerned) >= 3
    for feature in concerned:
        assert set(found[feature.name]) == {repr(feature.empty)}, feature.name


def test_the_order_of_rows_changes_no_byte(generate, answers):
    frames = generate(2, customers=40)
    shuffled = {
        name: frame.take(np.random.default_rng(1).permutation(len(frame)))
        for name, frame in frames.items()
    }
    assert answers(frames, AS_OF) == answers(shuffled, AS_OF)


@pytest.mark.slow
def test_neither_order_nor_threads_change_a_byte_of_many_rows():
    """Enough rows for several threads, and amounts whose sums depend on their order."""
    answers = []
    for threads, order in ((1, "customer_id, month"), (2, "hash(customer_id || month)")):
        con = ibis.duckdb.connect(threads=threads)
        con.raw_sql(MANY.format(order=order))
        tables = {
            name: con.table(name).mutate(known_at=asof.known_at(con.table(name), TABLES[name]))
            for name in ("customers", "bills", "usage")
        }
        answers.append(build_features(tables, AS_OF).to_pyarrow())
    assert answers[0].num_rows == 60_000
    assert answers[0].equals(answers[1])


MANY = """
CREATE TABLE customers AS
SELECT lpad(i::VARCHAR, 6, '0') AS customer_id, DATE '2020-01-01' AS activated_on,
       NULL::DATE AS terminated_on, 'postpaid' AS payment, 'gotone' AS brand, 'R' || i % 5 AS region
FROM range(30000) t(i);
CREATE TABLE bills AS
SELECT customer_id, m::DATE AS month, (hash(customer_id, m) % 1000003) / 7.0 AS amount,
       (hash(customer_id, m, 1) % 1003) / 11.0 AS voice, m::DATE + 33 AS issued_on,
       m::DATE + 35 AS paid_on
FROM customers, range(DATE '2025-01-01', DATE '2026-06-01', INTERVAL 1 MONTH) t(m)
ORDER BY {order};
CREATE TABLE usage AS
SELECT customer_id, month, amount / 3 AS voice_minutes, amount / 13 AS data_mb,
       hash(month) % 29 AS active_days, amount / 17 AS offnet_minutes,
       amount / 19 AS data_speed_mbps
FROM bills ORDER BY {order};
"""


@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(kept=st.sets(st.integers(0, 39), min_size=15, max_size=30))
def test_other_customers_change_only_relative_features(generate, answers, lazily, kept):
    frames = generate(3, customers=40)
    ids = [f"C{place:03d}" for place in kept]
    fewer = {
        name: frame.filter(pc.is_in(frame["customer_id"], pa.array(ids)))
        if name != "groups"
        else frame
        for name, frame in frames.items()
    }
    # Which month is the latest is everyone's doing; here it is to be the same.
    assume(latest(lazily(fewer)) == latest(lazily(frames)))
    everyone, some = answers(frames, AS_OF), answers(fewer, AS_OF)
    places = [place for place, one in enumerate(everyone["customer_id"]) if one[1:-1] in ids]
    changed = {
        n for n, values in some.items() if [everyone[n][place] for place in places] != values
    }
    assert changed <= {feature.name for feature in declared() if feature.relative}


def latest(tables):
    return look(tables, AS_OF, Config()).latest


def test_other_customers_do_change_relative_features(generate, lazily):
    frames = generate(3, customers=40)
    some = build_features(lazily(frames), "2026-06-01").to_pandas()
    middle = some.loc[some["arpu_percentile_3m_percent"].between(30, 70), "customer_id"].iloc[0]
    bills = frames["bills"]
    others = pc.and_(pc.not_equal(bills["customer_id"], middle), pc.is_valid(bills["amount"]))
    richer = pc.if_else(others, pc.multiply(bills["amount"], 50.0), bills["amount"])
    place = bills.schema.get_field_index("amount")
    changed = frames | {"bills": bills.set_column(place, bills.schema.field(place), richer)}
    after = build_features(lazily(changed), "2026-06-01").to_pandas()
    one, other = (frame[frame["customer_id"] == middle].iloc[0] for frame in (some, after))
    assert one["arpu_percentile_3m_percent"] > other["arpu_percentile_3m_percent"]
    assert one["arpu_mean_12m_yuan"] == other["arpu_mean_12m_yuan"]
