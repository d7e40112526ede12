"""A table to be scored: read as in training, its bad rows set aside, never guessed."""

import numpy as np
import pandas as pd
import pytest

from churnml.datasets.flat import Signature, open_scoring, read_training
from churnml.errors import DataError, SchemaError, UsageError

ROWS = 200


def frame(rows=ROWS):
    random = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "id": [f"{at:05d}" for at in range(rows)],
            "charge": random.gamma(2, 40, rows).round(2).astype(str),
            "plan": random.choice(["basic", "plus", "NA"], rows),
            "since": pd.date_range("2024-01-01", periods=rows).strftime("%d/%m/%Y"),
            "online": random.choice(["True", "False"], rows),
            "left": random.choice(["Yes", "No"], rows),
        }
    )


@pytest.fixture
def trained(write):
    """The training data of the table, and its signature."""
    data = read_training(write("train.csv", frame()), task="churn", id="id", target="left")
    return data, Signature.from_dict(data.signature)


@pytest.fixture
def score(write, trained):
    """Open a table for scoring by that signature."""

    def one(table, name="t.csv", **options):
        return open_scoring(write(name, table), trained[1], **{"id": "id", **options})

    return one


def read(scorable, rows=70):
    batches = list(scorable.batches(rows))
    X = pd.concat([one.X for one in batches], ignore_index=True)
    ids = [text for one in batches for text in one.ids.to_pylist()]
    return X, ids, [len(one.X) for one in batches]


def test_the_training_table_reads_as_in_training(score, trained):
    X, ids, sizes = read(score(frame()))

    pd.testing.assert_frame_equal(X, trained[0].X)
    assert ids == trained[0].ids.tolist()
    assert sizes == [70, 70, 60]


@pytest.mark.parametrize("name", ["t.parquet", "t.xlsx", "t.csv"])
def test_order_extras_and_format_do_not_matter(score, trained, name):
    table = frame()[sorted(frame(), reverse=True)].assign(extra="x", more=1)

    scorable = score(table, name)

    pd.testing.assert_frame_equal(read(scorable)[0], trained[0].X)
    assert scorable.ignored == ("extra", "more")


def test_typed_parquet_reads_as_text_did(score, trained):
    table = frame()
    typed = table.assign(
        charge=table["charge"].astype(float),
        since=pd.to_datetime(table["since"], format="%d/%m/%Y"),
        online=table["online"] == "True",
        plan=table["plan"].astype("category"),
    )

    pd.testing.assert_frame_equal(read(score(typed, "t.parquet"))[0], trained[0].X)


def test_rows_keep_their_order_over_many_row_groups(write, trained, tmp_path):
    table = pd.concat([frame()] * 60, ignore_index=True)
    table["id"] = [str(at) for at in range(len(table))]
    table.to_parquet(tmp_path / "t.parquet", row_group_size=700)

    scorable = open_scoring(tmp_path / "t.parquet", trained[1], id="id", threads=4)

    X, ids, sizes = read(scorable, 5_000)
    assert ids == table["id"].tolist()
    assert sizes == [5_000, 5_000, 2_000]
    np.testing.assert_array_equal(X["charge"], table["charge"].astype(float))


def test_missing_values_are_scored(score):
    table = frame()
    table.loc[0] = ["00000", " ", None, "", "\\N", None]

    scorable = score(table)

    assert scorable.quarantined == 0
    assert read(scorable)[0].loc[0].isna().all()


BAD = [
    ("charge", "1,234.5", "a finite number expected (line 9: '1,234.5', thousands separators)"),
    ("charge", "12,5", "decimal commas"),
    ("charge", "¥30", "currency signs"),
    ("charge", "12%", "percent signs"),
    ("charge", "inf", "'inf'"),
    ("charge", "-Infinity", "'-Infinity'"),
    ("charge", "1e400", "'1e400'"),
    ("charge", "1e39", "'1e39'"),
    ("charge", "a\x1b[31m", "'a\\x1b[31m'"),
    ("plan", "ba\x00sic", "'ba\\x00sic'"),
    ("since", "2024-02-30", "a date written as %d/%m/%Y expected (line 9: '2024-02-30')"),
    ("since", "0000-00-00", "'0000-00-00'"),
    ("since", "01/01/2300", "'01/01/2300'"),
]


@pytest.mark.parametrize(("column", "value", "says"), BAD)
def test_a_bad_cell_sets_its_row_aside(score, column, value, says):
    table = frame()
    table.loc[7, column] = value

    scorable = score(table)

    (aside,) = scorable.aside
    assert (aside.code, aside.column, aside.count) == ("C03", column, 1)
    assert says in aside.reason
    assert read(scorable)[1] == table["id"].drop(7).tolist()
    assert (scorable.total, scorable.quarantined) == (ROWS, 1)


def test_rows_without_an_id_or_with_other_fields_are_set_aside(score, write, trained):
    table = frame()
    table.loc[[4, 5], "id"] = ["", " \u3000"]
    path = write("t.csv", table)
    path.write_text(path.read_text(encoding="utf-8") + "a,1\nb,1,2,3,4,5,6\n", encoding="utf-8")

    scorable = open_scoring(path, trained[1], id="id")

    assert [(one.code, one.count) for one in scorable.aside] == [("C18", 2), ("C16", 2)]
    assert "line 202" in scorable.aside[0].reason
    assert scorable.aside[1].reason == "an id expected, found none (line 6, line 7)"
    assert scorable.total == ROWS + 2 == len(read(scorable)[1]) + scorable.quarantined


def test_an_id_with_a_control_character_is_told_apart_from_an_empty_one(score):
    table = frame()
    table.loc[4, "id"] = "a\x00b"
    (aside,) = score(table, "t.parquet").aside
    assert (aside.code, aside.count) == ("C19", 1)
    assert "an id without control characters expected (row 5)" in aside.reason


def test_a_row_with_several_bad_cells_counts_once(score):
    table = frame()
    table.loc[7, ["charge", "since"]] = ["x", "y"]

    assert score(table).quarantined == 1


def test_more_bad_rows_than_allowed_are_refused(score):
    table = frame()
    table.loc[:19, "charge"] = "x"

    with pytest.raises(DataError, match=r"20 of 200 rows cannot be scored, at most 5%"):
        score(table)
    assert score(table, set_aside_limit=0.1).quarantined == 20


@pytest.mark.parametrize(
    ("column", "values"),
    [("charge", "abc"), ("charge", "¥30"), ("since", "yesterday"), ("charge", "true")],
)
def test_a_column_of_another_type_is_refused_by_name(score, column, values):
    with pytest.raises(SchemaError, match=f"'{column}': 200 of 200 values are not a "):
        score(frame().assign(**{column: values}))


def test_a_typed_column_of_another_type_is_refused_by_name(score):
    table = frame().assign(charge=pd.date_range("2024-01-01", periods=ROWS))

    with pytest.raises(SchemaError, match="'charge': 200 of 200"):
        score(table, "t.parquet")


def test_missing_columns_are_named_with_what_stands_there(score):
    table = frame().rename(columns={"charge": "revenue", "plan": "Plan_"})

    with pytest.raises(SchemaError) as caught:
        score(table)

    assert "expected 'charge', found 'revenue' at position 2" in str(caught.value)
    assert "expected 'plan', found 'Plan_' at position 3" in str(caught.value)
    assert caught.value.details["expected"] == ["charge", "plan"]


def test_a_column_that_is_gone_is_named(score):
    with pytest.raises(SchemaError, match="1 column is missing: 'charge'"):
        score(frame().drop(columns="charge"))


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """What a model of eight columns knows of its table."""
    path = tmp_path_factory.mktemp("wide") / "train.csv"
    random = np.random.default_rng(0)
    table = pd.DataFrame({f"number\\{at}": random.random(ROWS).round(3) for at in range(8)})
    table.assign(left=random.integers(0, 2, ROWS)).to_csv(path, index=False)
    return Signature.from_dict(read_training(path, task="churn", target="left").signature)


def test_columns_of_another_table_are_not_told_as_renamed_ones(write, wide):
    other = write("t.csv", pd.DataFrame({f"numbr {at}": [1.0] for at in range(8)}))
    with pytest.raises(SchemaError) as caught:
        open_scoring(other, wide, id=None)
    assert "8 columns are missing, of 8 that the model reads: 'number\\0'; 'number" in str(
        caught.value
    )
    assert "found" not in str(caught.value)
    assert "Is this a model of such a table?" in str(caught.value)


def test_columns_in_another_case_are_told_even_where_all_are(write, wide):
    other = write("t.csv", pd.DataFrame({f"NUMBER\\{at}": [1.0] for at in range(8)}))
    with pytest.raises(SchemaError) as caught:
        open_scoring(other, wide, id=None)
    assert "expected 'number\\7', found 'NUMBER\\7' at position 8" in str(caught.value)


def test_the_id_column_must_be_there(score):
    with pytest.raises(UsageError, match=r"--id 'ID'.*Did you mean 'id'"):
        score(frame(), id="ID")


def test_repeated_ids_are_refused(score):
    with pytest.raises(DataError, match="1 id of 'id' appears in more than one row"):
        score(pd.concat([frame(), frame().head(1)]))


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.xlsx"])
def test_a_header_alone_gives_one_empty_batch(score, trained, name):
    scorable = score(frame().head(0), name)

    X, ids, sizes = read(scorable)
    assert (ids, sizes, scorable.total) == ([], [0], 0)
    assert list(X.columns) == trained[1].names


def test_a_number_may_be_a_category(score, write):
    table = frame().assign(plan=np.random.default_rng(0).choice(["1", "2", "A"], ROWS))
    path = write("other.csv", table)
    data = read_training(path, task="churn", id="id", target="left")
    numbers = table.assign(plan=np.where(table["plan"] == "1", 1.0, 2.0))

    scorable = open_scoring(
        write("t.parquet", numbers), Signature.from_dict(data.signature), id="id"
    )

    assert set(read(scorable)[0]["plan"]) == {"1", "2"}


def test_what_stood_for_nothing_in_training_does_so_later(write):
    table = frame()
    table.loc[:11, "charge"] = "Unknown"
    options = {"task": "churn", "id": "id", "target": "left"}
    table = pd.concat([table, frame().assign(id=[f"x{at}" for at in range(ROWS)])])
    data = read_training(write("train.csv", table), **options)

    scorable = open_scoring(
        write("t.csv", table.head(50)), Signature.from_dict(data.signature), id="id"
    )

    assert scorable.quarantined == 0
    assert read(scorable)[0]["charge"].isna().sum() == 12


def test_two_models_read_one_table(write, trained):
    table = frame().assign(score=np.random.default_rng(0).integers(1, 6, ROWS).astype(str))
    options = {"task": "satisfaction", "target": "score", "scale": "1:5", "drop": ["left", "since"]}
    other = read_training(write("other.csv", table), id="id", **options)

    both = [trained[1], Signature.from_dict(other.signature)]
    scorable = open_scoring(write("t.csv", table), both, id="id")

    assert list(read(scorable)[0].columns) == ["charge", "plan", "since", "online"]
    assert scorable.ignored == ()


def test_two_models_that_disagree_are_refused(write, trained):
    later = frame().assign(since=pd.date_range("2025-01-01", periods=ROWS).strftime("%d/%m/%Y"))
    other = read_training(write("other.csv", later), task="churn", id="id", target="left")

    with pytest.raises(UsageError, match="'since': the two models read it in different ways"):
        open_scoring(
            write("t.csv", frame()), [trained[1], Signature.from_dict(other.signature)], id="id"
        )
