"""What one column alone says of the outcome."""

import numpy as np
import pandas as pd
import pytest

from churnml.metrics import columns_alone


def test_a_bent_relation_is_found_and_noise_is_not():
    random = np.random.default_rng(1)
    usage, noise = random.normal(size=4_000), random.normal(size=4_000)
    y = (random.random(4_000) < np.where(np.abs(usage) > 1, 0.6, 0.05)).astype(float)

    found = columns_alone("churn", pd.DataFrame({"noise": noise, "usage": usage}), y)

    assert list(found) == ["usage", "noise"]
    assert found["usage"] > 0.78
    assert found["noise"] == pytest.approx(0.5, abs=0.04)


def test_ids_and_constants_say_nothing():
    random = np.random.default_rng(2)
    y = (random.random(2_000) < 0.3).astype(float)
    X = pd.DataFrame({"id": [f"C{at}" for at in range(2_000)], "one": 7.0, "none": np.nan})

    assert list(columns_alone("churn", X, y).values()) == pytest.approx([0.5] * 3, abs=0.04)


def test_rows_of_one_customer_do_not_tell_each_others_outcome():
    random = np.random.default_rng(3)
    customer = np.repeat(np.arange(500), 4)
    y = (random.random(500) < 0.3).astype(float)[customer]
    X = pd.DataFrame({"name": [f"C{at}" for at in customer]})

    assert columns_alone("churn", X, y)["name"] > 0.9
    assert columns_alone("churn", X, y, customer)["name"] == pytest.approx(0.5, abs=0.05)


def test_satisfaction_is_told_as_a_share_of_the_variance():
    random = np.random.default_rng(4)
    halls = random.choice(["A", "B"], 3_000)
    y = np.where(halls == "A", 80.0, 40.0) + random.normal(0, 20, 3_000)

    found = columns_alone("satisfaction", pd.DataFrame({"hall": halls, "same": 1}), y)

    assert found["hall"] == pytest.approx(0.5, abs=0.05)
    assert found["same"] == 0
