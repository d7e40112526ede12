"""The real tables, where they are there: read in full, and alike in every format."""

from pathlib import Path

import pandas as pd
import pytest

from churnml.datasets.flat import Signature, open_scoring, read_training
from churnml.errors import DataError

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real data is not there")

IBM = {"task": "churn", "id": "customerID", "target": "Churn"}
VOICE = {"task": "satisfaction", "id": "用户id", "target": "语音通话整体满意度", "scale": "1:10"}


def test_blank_charges_are_missing():
    data = read_training(DATA / "ibm_telco.csv", **IBM)

    assert data.X.shape == (7043, 19)
    assert data.X["TotalCharges"].isna().sum() == 11
    assert data.y.sum() == 1869
    assert data.notes == ["left = Yes (26.5 % of rows)."]


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_a_shuffled_copy_scores_alike(tmp_path, name):
    data = read_training(DATA / "beijing_mobile_voice.csv", **VOICE)
    table = pd.read_csv(DATA / "beijing_mobile_voice.csv", dtype=str, keep_default_na=False)
    table = table[sorted(table)]
    if name == "t.csv":
        table.to_csv(tmp_path / name, index=False, encoding="gb18030")
    else:
        table.to_parquet(tmp_path / name)

    scorable = open_scoring(tmp_path / name, Signature.from_dict(data.signature), id="用户id")

    (batch,) = scorable.batches(10_000)
    pd.testing.assert_frame_equal(batch.X, data.X)
    assert batch.ids.to_pylist() == data.ids.tolist()


def test_a_customer_of_several_months_needs_a_group():
    with pytest.raises(DataError, match="appear in more than one row"):
        read_training(DATA / "edw_cdr.csv", task="churn", id="customerid", target="churn")

    data = read_training(DATA / "edw_cdr.csv", task="churn", group="customerid", target="churn")

    assert data.groups.nunique() == 9525
    assert not {"callingnum", "noadditionallines", "year"} & set(data.X)


def test_what_was_written_after_the_outcome_is_refused():
    with pytest.raises(DataError, match="'Customer Status', 'Churn Label', 'Churn Category'"):
        read_training(
            DATA / "ibm_telco_v11.csv", task="churn", id="Customer ID", target="Churn Value"
        )
