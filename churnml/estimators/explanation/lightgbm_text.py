"""The trees in a LightGBM model text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churnml.errors import ModelError

_NAN_IS_MISSING = 2


@dataclass(frozen=True, kw_only=True)
class Tree:
    """One tree as LightGBM writes it. Children below 0 are leaves, ``~child``."""

    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    lost_left: NDArray[np.bool_]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    leaf_value: NDArray[np.float64]
    leaf_count: NDArray[np.float64]
    node_count: NDArray[np.float64]


def read_trees(text: str) -> Iterator[Tree]:
    """The trees of a LightGBM model text.

    Raises
    ------
    ModelError
        For categorical splits, which the encoder never gives, and linear leaves.
    """
    for block in text.split("\nTree=")[1:]:
        fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if fields.get("num_cat", "0") != "0" or fields.get("is_linear", "0") != "0":
            raise ModelError("the model has categorical splits or linear leaves.")
        kinds = _array(fields, "decision_type", np.int64)
        threshold = _array(fields, "threshold", np.float64)
        yield Tree(
            feature=_array(fields, "split_feature", np.int64),
            threshold=threshold,
            lost_left=_lost_goes_left(kinds, threshold),
            left=_array(fields, "left_child", np.int64),
            right=_array(fields, "right_child", np.int64),
            leaf_value=_array(fields, "leaf_value", np.float64),
            leaf_count=_array(fields, "leaf_count", np.float64),
            node_count=_array(fields, "internal_count", np.float64),
        )


def _array(fields: dict[str, str], name: str, dtype: Any) -> NDArray[Any]:
    return np.array(fields.get(name, "").split(), dtype=dtype)


def _lost_goes_left(kinds: NDArray[np.int64], threshold: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where a missing value goes: its learned side, or that of 0 where none was seen."""
    learned = ((kinds >> 2) & 3) == _NAN_IS_MISSING
    return np.where(learned, (kinds & 2) > 0, threshold >= 0)
