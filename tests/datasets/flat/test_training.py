"""A table to learn from: options, ids, rows set aside, and what is remembered."""

import json

import numpy as np
import pandas as pd
import pytest

from churnml.datasets.flat import Signature, read_training
from churnml.errors import DataError, UsageError

ROWS = 120


def frame(rows=ROWS):
    random = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "用户 id": [f"{at:05d}" for at in range(rows)],
            "费用": random.gamma(2, 40, rows).round(2).astype(str),
            "plan": random.choice(["basic", "plus"], rows),
            "since": pd.date_range("2024-01-01", periods=rows).strftime("%Y-%m-%d"),
            "流失": random.choice(["是", "否"], rows),
        }
    )


COUNTED = "Dates are counted from 2024-04-29, the latest of 'since'."


def read(path, **options):
    return read_training(path, **{"task": "churn", "target": "流失", "id": "用户 id", **options})


def test_a_table_becomes_numbers_categories_and_an_outcome(write):
    table = frame()

    data = read(write("t.csv", table))

    assert list(data.X.columns) == ["费用", "plan", "since"]
    assert data.X["费用"].tolist() == table["费用"].astype(float).tolist()
    assert data.X["plan"].tolist() == table["plan"].tolist()
    assert data.y.tolist() == (table["流失"] == "是").astype(int).tolist()
    assert data.ids.tolist() == data.groups.tolist() == table["用户 id"].tolist()
    share = 100 * data.y.mean()
    assert (data.rows, data.notes) == (ROWS, [f"left = 是 ({share:.1f} % of rows).", COUNTED])


def test_the_signature_survives_json(write):
    data = read(write("t.csv", frame()))

    signature = Signature.from_dict(json.loads(json.dumps(data.signature)))

    assert signature.names == ["费用", "plan", "since"]
    assert signature.to_dict() == data.signature
    assert (signature.target, signature.positive, signature.negative) == ("流失", "是", ("否",))
    assert (signature.id, signature.table) == ("用户 id", tuple(frame().columns))


@pytest.mark.parametrize("name", ["t.xlsx", "t.parquet", "t.tsv"])
def test_every_format_gives_the_same(write, name):
    table = frame()
    expected = read(write("t.csv", table))

    data = read(write(name, table, **({"sep": "\t"} if name == "t.tsv" else {})))

    pd.testing.assert_frame_equal(data.X, expected.X)
    assert data.signature == expected.signature
    assert data.ids.tolist() == expected.ids.tolist()


def test_typed_parquet_gives_what_text_gives(write):
    table = frame()
    typed = table.assign(
        费用=table["费用"].astype(float), since=pd.to_datetime(table["since"]).dt.date
    )

    data = read(write("t.parquet", typed.astype({"plan": "category"})))

    pd.testing.assert_frame_equal(data.X, read(write("t.csv", table)).X)


def test_gb18030_gives_the_same_and_says_so(write):
    expected = read(write("t.csv", frame()))

    data = read(write("t.csv", frame(), encoding="gb18030"))

    pd.testing.assert_frame_equal(data.X, expected.X)
    assert data.notes[1:] == ["t.csv: not UTF-8; read as GB18030.", COUNTED]


@pytest.mark.parametrize(
    "ids",
    [
        [f"00{at}" for at in range(ROWS)],
        [f"+86{13_800_000_000 + at}" for at in range(ROWS)],
        [str(10**19 + at) for at in range(ROWS)],
        [f" {at}" for at in range(ROWS)],
    ],
)
def test_ids_come_out_character_for_character(write, ids):
    data = read(write("t.csv", frame().assign(**{"用户 id": ids})))

    assert data.ids.tolist() == ids


@pytest.mark.parametrize("kind", ["int64", "Int64", "float64", "uint64", "decimal"])
def test_ids_that_are_numbers_have_no_decimal_point(write, kind):
    import pyarrow as pa

    whole = pd.Series(range(13_800_000_000, 13_800_000_000 + ROWS))
    ids = whole.astype(pd.ArrowDtype(pa.decimal128(25, 2)) if kind == "decimal" else kind)

    data = read(write("t.parquet", frame().assign(**{"用户 id": ids})))

    assert data.ids.tolist() == [str(one) for one in whole]


def test_ids_of_a_workbook_have_no_decimal_point(write):
    ids = [13_800_000_000.0 + at for at in range(ROWS)]

    data = read(write("t.xlsx", frame().assign(**{"用户 id": ids})))

    assert data.ids.tolist() == [f"{one:.0f}" for one in ids]


def test_without_an_id_the_rows_are_numbered(write):
    data = read(write("t.csv", frame().drop(columns="用户 id")), id=None)

    assert data.ids.tolist()[:2] == ["2", "3"]


def test_repeated_ids_are_refused_with_their_rows(write):
    table = pd.concat([frame(), frame().head(4)])

    with pytest.raises(DataError) as caught:
        read(write("t.csv", table))

    assert "4 ids of '用户 id' appear in more than one row (lines 2, 3, 4, 5, 122 …)" in str(
        caught.value
    )
    assert caught.value.details["rows"] == [2, 3, 4, 5, 122]


def test_with_a_group_ids_may_repeat(write):
    table = pd.concat([frame().assign(month=month) for month in ("1", "2")])

    data = read(write("t.csv", table), group="用户 id", id=None)

    assert data.groups.nunique() == ROWS
    assert "用户 id" not in data.X


def test_rows_that_cannot_be_used_are_counted(write):
    table = frame()
    table.loc[[3], "用户 id"] = " "
    table.loc[[5, 6], "流失"] = None
    path = write("t.csv", table)
    path.write_text(path.read_text(encoding="utf-8") + "x,y\n", encoding="utf-8")

    data = read(path)

    assert len(data) == ROWS - 3
    assert data.rows == ROWS + 1
    aside = "Set aside: 1 broken line, 1 row without an id, 2 rows without a target."
    assert data.notes[1:] == [COUNTED, aside]


def test_too_many_broken_rows_are_refused(write):
    path = write("t.csv", frame())
    path.write_text(path.read_text(encoding="utf-8") + "x,y\n" * 20, encoding="utf-8")

    with pytest.raises(DataError, match=r"20 of 140 rows cannot be used: 20 broken lines"):
        read(path)
    assert len(read(path, set_aside_limit=0.5)) == ROWS


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"target": "流失吗"}, "--target '流失吗'"),
        ({"id": "用户ID"}, "Did you mean '用户 id'"),
        ({"drop": ["plans"]}, "Did you mean 'plan'"),
        ({"group": "grp"}, "--group 'grp'"),
        ({"drop": ["流失"]}, "--target '流失' is also"),
        ({"id": "流失"}, "--target '流失' is also"),
    ],
)
def test_options_that_name_no_column_are_mistakes_of_the_command(write, options, says):
    with pytest.raises(UsageError) as caught:
        read(write("t.csv", frame()), **options)

    assert says in str(caught.value)


def test_dropped_and_useless_columns_are_left_out(write):
    table = frame().assign(
        country="中国", nothing="", number=range(ROWS), comment=[f"n{at}" for at in range(ROWS)]
    )

    data = read(write("t.csv", table), drop=["since"])

    assert list(data.X.columns) == ["费用", "plan"]
    assert data.notes[1:] == [
        "Left out: 'country' (always '中国'); 'nothing' (empty); 'number' (numbers the rows); "
        "'comment' (nearly every value differs)."
    ]


def test_a_column_that_tells_the_target_is_refused(write):
    table = frame().assign(state=lambda one: one["流失"].map({"是": "gone", "否": "here"}))

    with pytest.raises(DataError, match=r"'state' tells the target.*--drop 'state'"):
        read(write("t.csv", table))
    assert "state" not in read(write("t.csv", table), drop=["state"]).X


def test_nothing_left_to_learn_from_is_refused(write):
    with pytest.raises(DataError, match="no column is left"):
        read(write("t.csv", frame()[["用户 id", "流失"]]))


def test_no_rows_are_refused(write):
    with pytest.raises(DataError):
        read(write("t.csv", frame().head(0)))


def test_an_unnamed_column_of_row_numbers_is_left_out(write):
    path = write("t.csv", frame().rename_axis("").reset_index())

    data = read(path)

    assert list(data.X.columns) == ["费用", "plan", "since"]
    left_out = "Left out: column 1, which has no name and numbers the rows."
    assert data.notes[1:] == [left_out, COUNTED]


def test_any_other_unnamed_column_is_refused(write):
    with pytest.raises(DataError, match="column 6 has no name"):
        read(write("t.csv", frame().assign(**{" ": frame()["plan"]})))


def test_satisfaction_needs_its_scale(write):
    scores = np.random.default_rng(2).integers(1, 11, ROWS).astype(str)
    path = write("t.csv", frame().assign(score=scores))
    options = {"task": "satisfaction", "target": "score"}

    with pytest.raises(UsageError, match="--scale 1:10"):
        read(path, **options)
    data = read(path, scale="1:10", **options)

    np.testing.assert_allclose(data.y, (scores.astype(float) - 1) / 9 * 100)
    assert data.signature["scale"] == (1.0, 10.0)


def test_a_wrong_scale_is_refused(write):
    scores = np.random.default_rng(2).integers(1, 11, ROWS).astype(str)
    path = write("t.csv", frame().assign(score=scores))

    with pytest.raises(DataError, match="outside the scale"):
        read(path, task="satisfaction", target="score", scale="1:5")


def test_the_index_of_a_data_frame_is_left_out_unless_it_is_named(tmp_path):
    table = frame()
    table.sample(frac=1, random_state=0).to_parquet(tmp_path / "t.parquet")
    table.set_index("用户 id").to_parquet(tmp_path / "named.parquet")

    plain = read(tmp_path / "t.parquet")
    named = read(tmp_path / "named.parquet")

    assert "__index_level_0__" not in plain.X
    assert any("'__index_level_0__' (the index of the data frame" in one for one in plain.notes)
    assert named.ids.tolist() == table["用户 id"].tolist()
    assert not any("index" in one for one in named.notes)
