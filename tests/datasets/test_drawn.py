"""A sample drawn by hash: at most so many rows, all who left kept, weights that make up for it."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from churnml.datasets.drawn import BUCKETS, WEIGHT, draw, representative, sampling_note

DAYS = [date(2026, month, 1) for month in (1, 2, 3, 4)]


@pytest.fixture(scope="module")
def labels():
    """4,000 customers at four dates; 4 % of the rows left."""
    random = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "customer_id": np.repeat([f"c{number:05d}" for number in range(4_000)], 4),
            "as_of": DAYS * 4_000,
        }
    )
    return rows.assign(churned=(random.random(len(rows)) < 0.04).astype("int8"))


def drawn(labels, most, **options):
    found = draw(ibis.memtable(labels), most, **options).to_pandas()
    return found.assign(as_of=found["as_of"].dt.date)


def test_few_enough_rows_all_come_without_weights(labels):
    found = drawn(labels, len(labels), keep_before=DAYS[3])
    assert WEIGHT not in found
    assert len(found) == len(labels)


def test_all_who_left_in_training_come_and_weights_stand_for_the_whole(labels):
    most = 5_000
    found = drawn(labels, most, keep_before=DAYS[3])
    assert 0.97 * most < len(found) <= most
    assert not found.duplicated(["customer_id", "as_of"]).any()
    training = labels[labels["as_of"] < DAYS[3]]
    left = set(training.loc[training["churned"] == 1, "customer_id"])
    sure = found[WEIGHT] == 1
    assert set(found.loc[sure, "customer_id"]) == left
    assert sure.sum() == training["customer_id"].isin(left).sum()
    (weight,) = set(found.loc[~sure, WEIGHT])
    assert weight == pytest.approx(BUCKETS / round(BUCKETS / weight))
    assert found[WEIGHT].sum() == pytest.approx(len(labels), rel=0.08)
    # The test's month is a plain sample: as many left as in the whole.
    test = found[found["as_of"] == DAYS[3]]
    rate = labels.loc[labels["as_of"] == DAYS[3], "churned"].mean()
    assert abs(test["churned"].mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / len(test))
    again = drawn(labels.sample(frac=1, random_state=1), most, keep_before=DAYS[3])
    keys = ["customer_id", "as_of"]
    assert again.sort_values(keys).values.tolist() == found.sort_values(keys).values.tolist()


def test_where_those_who_left_are_too_many_all_are_drawn_alike(labels):
    found = drawn(labels, 900, keep_before=DAYS[3])
    assert len(found) <= 900
    assert found[WEIGHT].nunique() == 1
    assert (found.groupby("customer_id").size() == 4).all()
    assert "each row standing for" in sampling_note(found[WEIGHT])


def test_what_is_representative_has_the_whole_s_rate(labels):
    found = drawn(labels, 5_000, keep_before=DAYS[3])
    training = found[found["as_of"] < DAYS[3]]
    assert training["churned"].mean() > 0.06
    kept = found.iloc[representative(found[WEIGHT])]
    assert abs(kept["churned"].mean() - labels["churned"].mean()) < 0.012
    note = sampling_note(found[WEIGHT])
    assert f"Learned from {len(found):,} of about 1" in note
    assert "training rows of customers who left (weight 1)" in note
