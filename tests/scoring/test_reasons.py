"""Reasons are the model's own contributions, the largest first."""

import numpy as np
import pytest

from churnml.scoring.reasons import reasons, shown


@pytest.mark.parametrize("task", ["churn", "satisfaction"])
def test_reasons_are_the_largest_contributions_in_order(task, request, features):
    model = request.getfixturevalue(task)
    rows = features.head(50)
    contributions = model.estimator.explain(rows)
    for given, (_, own) in zip(
        reasons(model, rows, 3).to_pylist(), contributions.iterrows(), strict=True
    ):
        expected = own.loc[own.abs().sort_values(ascending=False, kind="stable").index[:3]]
        assert [reason["feature"] for reason in given] == list(expected.index)
        assert [reason["contribution"] for reason in given] == expected.tolist()


def test_all_reasons_and_the_base_add_up_to_the_log_odds(churn, features):
    rows = features.head(50)
    sums = [
        sum(reason["contribution"] for reason in given)
        for given in reasons(churn, rows, 99).to_pylist()
    ]
    log_odds = churn.estimator.predict_log_odds(rows) - churn.estimator.base_log_odds_
    assert np.allclose(sums, log_odds, atol=1e-9, rtol=0)


def test_values_are_the_customer_s_own(churn, features):
    rows = features.head(20)
    for given, (_, own) in zip(reasons(churn, rows, 4).to_pylist(), rows.iterrows(), strict=True):
        for reason in given:
            assert reason["value"] == shown(own[reason["feature"]])
            assert reason["driver"] is None


def test_no_rows_no_reasons(churn, features):
    assert len(reasons(churn, features.head(0), 3)) == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"),
        (np.float32(0.5), "0.5"),
        (-1234.5678, "-1234.57"),
        (12345678, "12345700"),
        (1e-9, "0.000000001"),
        (-0.0, "0"),
        (True, "true"),
        (np.False_, "false"),
        ("全球通", "全球通"),
        ("", ""),
        (None, None),
        (float("nan"), None),
    ],
)
def test_values_as_text(value, text):
    assert shown(value) == text
