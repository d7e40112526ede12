"""The index as a table: what is hidden cannot be worked out; changes have their interval."""

import numpy as np
import pandas as pd
import pytest

from churnml.config.settings import IndexSettings
from churnml.service.index.cells import measure
from churnml.service.index.payers import by_payer
from churnml.service.index.survey import Level, Survey, shares_of_customers
from churnml.service.index.table import COLUMNS, Measured, hide, tabulate

BRANDS, HALLS = ("a", "b"), ("H1", "H2", "H3", "H4")
# Answers by brand and hall: hall H2 has 4 in all, and b in H3 has 3.
ANSWERS = {("a", "H1"): 40, ("a", "H2"): 2, ("a", "H3"): 20, ("a", "H4"): 30}
ANSWERS |= {("b", "H1"): 25, ("b", "H2"): 2, ("b", "H3"): 3, ("b", "H4"): 35}


def level(values):
    names = tuple(sorted(set(values)))
    return Level(codes=np.array([names.index(one) for one in values], np.int32), names=names)


def survey(seed=0, answers=ANSWERS, *, customers=100):
    """A hundred customers of each brand and hall, of whom so many answered."""
    rng = np.random.default_rng(seed)
    keys = [key for key in answers for _ in range(customers)]
    brand, hall = (list(one) for one in zip(*keys, strict=True))
    place = np.concatenate(
        [np.arange(at * customers, at * customers + n) for at, n in enumerate(answers.values())]
    )
    count = len(keys)
    return Survey(
        predictions=np.full(count, 70.0),
        invited=np.isin(np.arange(count) % customers, np.arange(60)).astype(np.int64),
        levels={
            "brand": level(brand),
            "hall": level(hall),
            "brand+hall": level([f"{b}+{h}" for b, h in zip(brand, hall, strict=True)]),
        },
        place=place,
        score=rng.uniform(40, 100, place.size),
        held_out=np.full(place.size, 70.0),
        weight=np.full(place.size, count / place.size),
        ids=np.array([f"c{at}" for at in place], object),
    )


def measured(one):
    cells = measure(one, IndexSettings())
    return Measured(cells=cells, hidden=hide(cells, one, 10))


@pytest.fixture(scope="module")
def table():
    now = measured(survey())
    return tabulate(now, None, None)


def test_columns_are_those_promised_and_the_whole_comes_first(table):
    assert tuple(table.columns) == COLUMNS
    assert table.loc[0, ["by", "cell"]].tolist() == ["", ""]
    assert table.loc[0, "customers"] == 800
    assert table.loc[0, "answers"] == 157
    assert table["by"].drop_duplicates().tolist() == ["", "brand", "hall", "brand+hall"]
    assert len(table) == 1 + 2 + 4 + 8


def test_nothing_is_told_of_a_hidden_cell_but_how_many_customers_it_has(table):
    hidden = table[table["how"] == "hidden"]
    assert {"H2", "a+H2", "b+H2", "b+H3"} <= set(hidden["cell"])
    told = hidden.drop(columns=["by", "cell", "customers", "how"])
    assert told.isna().all(axis=None)
    assert hidden["customers"].notna().all()


def test_no_hidden_count_can_be_worked_out(table):
    """Whatever the shown rows say of the hidden ones, linear algebra leaves them open."""
    fine = [f"{b}+{h}" for b, h in ANSWERS]
    rows = []
    for row in table[table["answers"].notna()].to_dict("records"):
        inside = {
            "": lambda key: True,
            "brand": lambda key, row=row: key[0] == row["cell"],
            "hall": lambda key, row=row: key[1] == row["cell"],
            "brand+hall": lambda key, row=row: "+".join(key) == row["cell"],
        }[row["by"]]
        rows.append([float(inside(key)) for key in ANSWERS])
    known = np.array(rows)
    rank = np.linalg.matrix_rank(known)
    asked = {name: np.eye(8)[at] for at, name in enumerate(fine)}
    asked |= {hall: np.array([float(key[1] == hall) for key in ANSWERS]) for hall in HALLS}
    hidden = set(table.loc[table["how"] == "hidden", "cell"])
    for name in hidden & set(asked):
        assert np.linalg.matrix_rank(np.vstack([known, asked[name]])) > rank, name


def test_a_change_has_an_interval_that_knows_who_answered_twice():
    now = survey(1)
    again = survey(1)
    other = survey(2)
    unrelated = Survey(**{**vars(other), "ids": np.array([f"x{at}" for at in other.place], object)})
    same = tabulate(measured(now), measured(again), measured(unrelated)).iloc[0]
    assert same["change_month"] == 0
    assert same["change_month_high"] - same["change_month_low"] == pytest.approx(0, abs=1e-6)
    assert same["change_year_high"] - same["change_year_low"] > 5
    assert same["change_year_low"] < same["change_year"] < same["change_year_high"]


def test_no_change_is_told_of_what_was_hidden_before():
    few = {**ANSWERS, ("a", "H1"): 3, ("b", "H1"): 3}
    found = tabulate(measured(survey()), measured(survey(answers=few)), None).set_index("cell")
    assert found.loc["H1", "how"] == "direct"
    assert np.isnan(found.loc["H1", "change_month"])
    assert np.isfinite(found.loc["H4", "change_month"])


def test_a_level_of_few_customers_is_hidden_even_without_answers():
    small = {("a", "H1"): 40, ("a", "H2"): 30, ("b", "H3"): 0}
    one = survey(answers=small)
    hall = one.levels["hall"].codes.copy()
    hall[200:295] = 0
    parted = Survey(**{**vars(one), "levels": {"hall": Level(codes=hall, names=HALLS[:3])}})
    found = tabulate(measured(parted), None, None).set_index("cell")
    assert found.loc["H3", "how"] == "hidden"
    assert pd.isna(found.loc["H3", "customers"])
    assert found["customers"].isna().sum() == 2


def test_fewer_than_ten_answers_in_all_are_hidden_altogether():
    few = survey(answers={("a", "H1"): 5, ("b", "H2"): 3})
    found = tabulate(measured(few), None, None)
    assert set(found["how"]) == {"hidden"}
    assert found["index"].isna().all()


def test_users_payers_and_households_are_told_apart():
    import pyarrow as pa

    one = survey()
    count = one.customers
    ids = pa.array([f"c{at}" for at in range(count)])
    # The second half is paid for by the first customer; the rest pay themselves.
    payers = pa.array([None if at < count // 2 else "c0" for at in range(count)], pa.string())
    found = by_payer(one, customer_ids=ids, payers=payers, households=None, fewest=10)
    themselves, others, payer = found
    assert (themselves.customers, others.customers) == (400, 400)
    assert themselves.answers + others.answers == 157
    half = one.place < 400
    assert themselves.mean.value == pytest.approx(one.score[half].mean())
    assert others.mean.value == pytest.approx(one.score[~half].mean())
    # c0 and all it pays for are one of 400 payers.
    mates = (one.place == 0) | (one.place >= 400)
    shares = np.where(mates, 1 / 401, 1.0)
    assert payer.mean.value == pytest.approx(np.average(one.score, weights=shares))
    low, high = payer.mean.interval()
    assert low < payer.mean.value < high
    homes = pa.array([f"h{at // 4}" for at in range(count)])
    (home,) = by_payer(one, customer_ids=None, payers=None, households=homes, fewest=10)
    assert home.mean.value == pytest.approx(one.score.mean(), abs=2)
    assert by_payer(one, customer_ids=None, payers=None, households=ids, fewest=10) == []


def test_answers_of_one_customer_share_what_one_answer_weighs():
    assert shares_of_customers(np.array([1, 2, 2, 2])).round(3).tolist() == [1, 0.333, 0.333, 0.333]
