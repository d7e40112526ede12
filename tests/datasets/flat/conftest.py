"""Small tables, written by the tests that read them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from churnml.datasets.flat import FlatData, read_training

Write = Callable[..., Path]
Train = Callable[..., FlatData]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a table: ``write("t.csv", text)`` or ``write("t.xlsx", frame)``."""

    def one(name: str, content: str | bytes | pd.DataFrame, **options: object) -> Path:
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_bytes(content.encode(str(options.get("encoding", "utf-8"))))
        elif name.endswith(".parquet"):
            content.to_parquet(path, index=False)
        elif name.endswith(".xlsx"):
            content.to_excel(path, index=False)
        else:
            content.to_csv(path, index=False, **options)
        return path

    return one


@pytest.fixture
def train(write: Write) -> Train:
    """Read columns as a churn table in which two in five customers left, by no rule."""

    def read(columns: dict[str, list[object]], name: str = "t.csv", **options: object) -> FlatData:
        rows = len(next(iter(columns.values())))
        filler = {"size": [float(at % 7) for at in range(rows)]}
        left = np.random.default_rng(0).permutation([at % 5 < 2 for at in range(rows)])
        target = {"left": ["Yes" if one else "No" for one in left]}
        path = write(name, pd.DataFrame(columns | filler | target))
        return read_training(path, task="churn", target="left", **options)

    return read


@pytest.fixture
def kinds() -> Callable[[FlatData], dict[str, str]]:
    """The kind of each column that the model reads."""
    return lambda data: {one["name"]: one["kind"] for one in data.signature["columns"]}
