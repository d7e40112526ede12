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
from churnml.errors import UsageError
from churnml.models import bundle
from churnml.scoring.percentile import BandCuts, percentile, risk_band
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


def test_what_cannot_be_told_has_no_band():
    assert risk_band([float("nan"), 0], (50, 80, 95)).tolist() == [None, "low"]
    cuts = BandCuts(by="money", cuts=(10, 20, 30), months=10)
    rows = {"churn_probability": [0.1, 0.1, 0.2, 0.3, 0.9], "arpu": [9.9, 10, 10, 10, None]}
    assert cuts.bands(rows).tolist() == ["low", "medium", "high", "critical", None]


def test_bands_cut_by_probability_say_so_with_the_mean_of_each(churn, customers_csv, tmp_path):
    bundle.save(churn, tmp_path / "model")
    cuts = (0.2, 0.4, 0.6)
    made = _banded(
        customers_csv,
        tmp_path / "own",
        tmp_path / "model",
        {"bands_by": "probability", "band_probabilities": cuts},
    )
    p = np.array(made["churn_probability"])
    names = np.select([p < 0.2, p < 0.4, p < 0.6], ["low", "medium", "high"], "critical")
    assert made["risk_band"] == names.tolist()
    told = made["bands"]
    assert told["by"] == "probability"
    assert "medium from 0.2, high from 0.4, critical from 0.6" in told["meaning"]
    for name, mean in told["churn_probability"].items():
        assert mean == pytest.approx(p[names == name].mean(), abs=1e-6)
        assert told["customers"][name] == (names == name).sum()
    assert list(told["customers"]) == [
        name for name in ("critical", "high", "medium", "low") if name in names
    ]


def test_a_table_of_one_s_own_has_no_money_to_cut_by(churn, customers_csv, tmp_path):
    bundle.save(churn, tmp_path / "model")
    with pytest.raises(UsageError, match="no ARPU"):
        _banded(customers_csv, tmp_path / "own", tmp_path / "model", {"bands_by": "money"})


@pytest.mark.parametrize("cuts", [(0.5, 0.2, 0.8), (0, 0.2, 0.8), (0.2, 0.8, 1.0)])
def test_cuts_that_do_not_ascend_are_refused(cuts):
    with pytest.raises(ValueError, match="band_probabilities must ascend"):
        Config.model_validate({"scoring": {"band_probabilities": cuts}})


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
    return scores | {"warnings": manifest.warnings, "bands": manifest.bands}
