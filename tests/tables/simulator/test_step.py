"""A planted step in satisfaction: in the answers and the truth, and nowhere else."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

import churnml
from churnml.errors import UsageError

ASKED = {"customers": 300, "months": 6, "seed": 3}


def test_the_step_is_in_the_truth_and_the_answers_alone(tmp_path):
    churnml.simulate(tmp_path / "flat", **ASKED)
    churnml.simulate(tmp_path / "step", **ASKED, satisfaction_step=6, step_from=date(2026, 3, 1))
    flat, step = tmp_path / "flat", tmp_path / "step"
    other = {
        path.relative_to(flat).as_posix()
        for path in flat.rglob("*.parquet")
        if path.read_bytes() != (step / path.relative_to(flat)).read_bytes()
    }
    assert other == {"surveys.parquet", "truth/hazard.parquet"}
    one, two = (pd.read_parquet(place / "truth" / "hazard.parquet") for place in (flat, step))
    rise = two["satisfaction"] - one["satisfaction"]
    before = pd.to_datetime(one["month"]) < "2026-03-01"
    assert (rise[before] == 0).all()
    assert np.median(rise[~before]) == pytest.approx(6)
    assert two["satisfaction"].max() <= 99
    same = ["customer_id", "month", "churn_probability"]
    pd.testing.assert_frame_equal(one[same], two[same])
    one, two = (pd.read_parquet(place / "surveys.parquet") for place in (flat, step))
    early = one["sent_at"] < "2026-03-01"
    pd.testing.assert_frame_equal(one[early], two[two["sent_at"] < "2026-03-01"])


def test_a_step_that_cannot_be_is_refused(tmp_path):
    with pytest.raises(UsageError, match="satisfaction_step is 40"):
        churnml.simulate(tmp_path, **ASKED, satisfaction_step=40)
    with pytest.raises(UsageError, match="step_from is 2026-03-02"):
        churnml.simulate(tmp_path, **ASKED, satisfaction_step=4, step_from=date(2026, 3, 2))
