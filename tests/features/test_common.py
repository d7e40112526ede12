"""What holds for every builder: rows, order, other customers, and an independent answer."""

import numpy as np
import pandas as pd
import pytest

from churnml.features import build_features

AS_OF = ("2026-05-15", "2026-06-01")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_feature_equals_an_independent_answer_in_sql(generate, lazily, oracle, seed):
    frames = generate(seed)
    found = build_features(lazily(frames), AS_OF).to_pandas()
    expected = oracle(frames, AS_OF)
    assert set(expected.columns) == set(found.columns)
    assert found["customer_id"].tolist() == expected["customer_id"].tolist()
    wrong = {name: place for name in found if (place := _differs(found[name], expected[name]))}
    assert not wrong


def _differs(found: pd.Series, expected: pd.Series) -> list[int]:
    """Places where two columns differ, nulls told apart from all else."""
    null, absent = found.isna().to_numpy(), expected.isna().to_numpy()
    if pd.api.types.is_numeric_dtype(expected) and pd.api.types.is_numeric_dtype(found):
        one, other = found.fillna(0).astype(float), expected.fillna(0).astype(float)
        equal = np.isclose(one, other, rtol=1e-9, atol=1e-9)
    else:
        equal = (found.astype(str) == expected.astype(str)).to_numpy() | (null & absent)
    return np.flatnonzero((null != absent) | ~equal).tolist()
