"""Percentiles and risk bands."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnml import score
from churnml.config.settings import Config
from churnml.models import bundle
from churnml.scoring.percentile import percentile, risk_band
from churnml.scoring.pyfunc import Scorer

scores = st.lists(st.floats(0, 1, width=32), min_size=2, max_size=40)


@given(scores, scores)
def test_percentiles_lie_between_0_and_100_and_rise_with_the_score(reference, asked):
    ranks = percentile(sorted(asked), sorted(reference))
    assert ranks.min() >= 0
    assert ranks.max() <= 100
    assert (np.diff(ranks) >= 0).all()


@given(scores, scores)
def test_one_row_alone_has_the_percentile_that_it_has_among_others(reference, asked):
    together = percentile(asked, sorted(reference))
    alone = [percentile([score], sorted(reference))[0] for score in asked]
    assert together.tolist() == alone


def test_the_reference_s_own_scores_are_spread_evenly():
    random = np.random.default_rng(0)
    sample = random.beta(1, 20, 50_000)
    ranks = percentile(random.beta(1, 20, 50_000), np.quantile(sample, np.linspace(0, 1, 1001)))
    shares = [(ranks >= cut).mean() for cut in (50, 80, 95)]
    assert shares == pytest.approx([0.5, 0.2, 0.05], abs=0.01)


def test_scores_beyond_the_reference_have_its_ends():
    assert percentile([-1, 2], [0.1, 0.5, 0.9]).tolist() == [0, 100]


def test_without_a_reference_there_is_no_percentile():
    assert np.isnan(percentile([0.5], [])).all()


def test_bands_begin_at_their_cuts():
    bands = risk_band(np.array([0, 49.999, 50, 79.999, 80, 94.999, 95, 100]), (50, 80, 95))
    assert bands.tolist() == ["low"] * 2 + ["medium"] * 2 + ["high"] * 2 + ["critical"] * 2


def test_risk_bands_begin_where_the_training_said_unless_the_settings_at_hand_do(
    churn, customers_csv, tmp_path
):
    bundle.save(replace(churn, bands=(20.0, 40.0, 60.0)), tmp_path / "model")
    assert bundle.load(tmp_path / "model").bands == (20, 40, 60)
    own = _banded(customers_csv, tmp_path / "own", tmp_path / "model", {})
    assert own["risk_band"] == risk_band(own["churn_percentile"], (20, 40, 60)).tolist()
    assert own["warnings"] == []
    settings = {"band_percentiles": (10, 50, 90)}
    other = _banded(customers_csv, tmp_path / "other", tmp_path / "model", settings)
    assert other["risk_band"] == risk_band(other["churn_percentile"], (10, 50, 90)).tolist()
    assert other["warnings"][0].startswith("Risk bands begin at 10, 50, 90, as the settings say")
    served = Scorer(bundle.load(tmp_path / "model")).predict(pd.read_csv(customers_csv))
    assert served["risk_band"].tolist() == own["risk_band"]


def _banded(table, out, model, scoring):
    config = Config.model_validate({"scoring": scoring})
    manifest = score(table, out=out, id="id", churn_model=str(model), config=config)
    scores = pq.read_table(out).to_pydict()
    return scores | {"warnings": manifest.warnings}
