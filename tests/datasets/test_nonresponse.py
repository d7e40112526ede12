"""Who answers surveys, on an operator whose silent customers' satisfaction is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from churnml import build_dataset, open_source
from churnml.config.settings import Config
from churnml.datasets.nonresponse import asked, response_weights, trimmed_weights, weight_answers
from churnml.errors import DataError
from churnml.labels.window import Window
from churnml.training.fit import fit_and_test
from churnml.training.split import Split

DAY = date(2026, 5, 1)
CUSTOMERS = 1_600
WEIGHED = Config.model_validate({"satisfaction": {"weighting": "response"}})


def _operator(folder, *, by_age=0.0, by_score=0.0, asked_share=0.9):
    """Everybody's satisfaction grows with age; answering hangs on age, or on the score."""
    random = np.random.default_rng(0)
    names = np.array([f"c{number:04d}" for number in range(CUSTOMERS)])
    age = random.integers(20, 70, CUSTOMERS)
    score = np.clip(40 + 0.8 * age + random.normal(0, 12, CUSTOMERS), 0, 100).round()
    pd.DataFrame(
        {
            "customer_id": names,
            "activated_on": date(2024, 1, 1),
            "terminated_on": pd.Series([None] * CUSTOMERS, dtype="datetime64[us]"),
            "payment": "postpaid",
            "birth_year": 2026 - age,
        }
    ).to_parquet(folder / "customers.parquet")
    months = [date(2026, month, 1) for month in range(1, 7)]
    pd.DataFrame(
        [(name, month, 50 + at / 100) for month in months for at, name in enumerate(names)],
        columns=["customer_id", "month", "amount"],
    ).to_parquet(folder / "bills.parquet")
    odds = -0.5 + by_age * (age - 45) / 10 + by_score * (score - 76) / 10
    answers = random.random(CUSTOMERS) < 1 / (1 + np.exp(-odds))
    sent = random.random(CUSTOMERS) < asked_share
    surveys = pd.DataFrame(
        {
            "survey_id": names,
            "customer_id": names,
            "sent_at": pd.Timestamp("2026-05-10 10:00"),
            "answered_at": np.where(
                answers, np.datetime64("2026-05-11T10:00"), np.datetime64("NaT")
            ),
            "score": np.where(answers, score, np.nan),
            "scale_min": 0,
            "scale_max": 100,
        }
    )
    surveys["answered_at"] = surveys["answered_at"].astype("datetime64[us]")
    surveys[sent].to_parquet(folder / "surveys.parquet")
    return open_source(str(folder)), score[sent].mean()


@pytest.fixture(scope="module")
def by_age(tmp_path_factory):
    """The old answer more."""
    source, truth = _operator(tmp_path_factory.mktemp("by_age"), by_age=0.7)
    data = build_dataset(source, "satisfaction", DAY)
    return source, data, truth, response_weights(source, data)


def test_weights_bring_those_who_answered_to_everybody(by_age):
    _, data, truth, found = by_age
    age = found.balance.set_index("feature").loc["lifecycle_age_years"]
    assert age["before"] > 0.3
    assert abs(age["after"]) < 0.1
    plain = data.y.mean()
    weighted = np.average(data.y, weights=found.weight)
    assert plain - truth > 3
    assert abs(weighted - truth) < 0.4 * (plain - truth)
    assert found.weight.mean() == pytest.approx(1)
    assert (found.weight > 0).all()


def test_the_facts_agree_with_the_tables(by_age):
    source, data, _, found = by_age
    invited = asked(source.tables, [DAY], Window("0d", "2mo")).count().execute()
    facts = found.facts
    assert facts["answered"] == len(data) == found.weight.size
    assert facts["answered"] + facts["silent"] == invited
    assert facts["rate"] == pytest.approx(len(data) / invited)
    assert facts["auc"] > 0.6
    assert 0.5 < facts["effective"] < 1
    assert facts["mean_weighted"] < facts["mean"]
    assert f"{facts['rate']:.0%} of those asked answered" in found.notes()[0]
    assert "no column shows" in found.notes()[1]


def test_weights_to_stand_for_all_customers_count_those_never_asked(by_age):
    source, data, _, _ = by_age
    found = response_weights(source, data, among="all")
    assert found.facts["answered"] + found.facts["silent"] == CUSTOMERS
    few = response_weights(source, data, among="all", max_silent=500)
    assert few.facts["silent"] <= 500
    assert few.facts["rate"] == pytest.approx(found.facts["rate"])
    assert np.corrcoef(few.weight, found.weight)[0, 1] > 0.7


def test_weights_cannot_mend_what_no_column_shows(tmp_path):
    source, truth = _operator(tmp_path, by_score=0.5)
    data = build_dataset(source, "satisfaction", DAY)
    found = response_weights(source, data)
    plain, weighted = found.facts["mean"], found.facts["mean_weighted"]
    assert plain - truth > 3
    # Age tells a part of the score, and that part is all that is mended.
    assert weighted - truth > 0.4 * (plain - truth)


def test_settings_decide_whether_answers_are_weighed(by_age):
    source, data, _, found = by_age
    (plain,), response, notes = weight_answers(source, [data], Config())
    assert plain.weights is None
    assert response is None
    assert "unweighted" in notes[0]
    (ours,), response, notes = weight_answers(source, [data], WEIGHED)
    assert response.balance.equals(found.balance)
    assert ours.weights.to_numpy().tobytes() == found.weight.tobytes()
    assert ours.rows(np.array([3, 1])).weights.tolist() == [found.weight[3], found.weight[1]]
    assert notes == found.notes()


def test_the_order_of_rows_changes_no_weight(by_age):
    source, data, _, found = by_age
    order = np.random.default_rng(1).permutation(len(data))
    again = response_weights(source, data.rows(order))
    assert again.weight.tobytes() == found.weight[order].tobytes()


def test_too_few_silent_customers_are_refused(tmp_path):
    source, _ = _operator(tmp_path, by_age=0.0, asked_share=0.02)
    data = build_dataset(source, "satisfaction", DAY)
    with pytest.raises(DataError, match=r"answered and .* did not; at least 50"):
        response_weights(source, data)


def test_the_largest_weights_are_trimmed():
    weight, cut = trimmed_weights(np.r_[np.full(99, 0.5), 1e-9])
    assert cut == 1
    np.testing.assert_allclose(weight, 1)


def test_a_training_with_weights_is_compared_with_one_without(by_age):
    source, data, _, _ = by_age
    (ours,), _, _ = weight_answers(source, [data], WEIGHED)
    half = np.arange(len(data)) % 2 == 0
    train, test = ours.rows(np.flatnonzero(half)), data.rows(np.flatnonzero(~half))
    config = Config.model_validate({"satisfaction": {"repeats": 1, "max_rounds": 50}})
    splits = [
        Split(train=rows, test=test, all=rows) for rows in (train, replace(train, weights=None))
    ]
    found, plain = (fit_and_test("satisfaction", one, config=config).tested for one in splits)

    assert found.baselines["unweighted"]["r2"] == plain.metrics["r2"] != found.metrics["r2"]
    assert "unweighted" not in plain.baselines
