"""A small operator with hostile names, and what all verbs find of it."""

import pickle
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

import churnml
from churnml.reports.manager.findings import Findings, Given, find_out
from churnml.tables.checked import as_source

HOSTILE = '<script>alert("x")</script>&\'"'
AS_OF = date(2026, 6, 1)
MODELS = Path(__file__).parents[3] / "models"
GIVEN = {
    "churn_model": str(MODELS / "churn"),
    "satisfaction_model": str(MODELS / "satisfaction"),
}
SMALL = churnml.Config.model_validate(
    {
        "quality": {"months": 2, "by": ["brand"], "most_halls": 0},
        "complaints": {"months": 1},
        "index": {"window": "6mo", "fewest_learned": 100000},
    }
)


def hostile_operator(folder: Path) -> Path:
    """An operator whose halls, regions, sectors and complaints are named by an enemy."""
    churnml.simulate(folder, customers=500, months=10, seed=5)
    for name, columns in {
        "customers": ("hall_id", "region"),
        "contacts": ("hall_id",),
        "complaints": ("text",),
        "groups": ("sector",),
    }.items():
        file = folder / f"{name}.parquet"
        frame = pd.read_parquet(file)
        for column in columns:
            if column in ("hall_id", "region"):
                # Two of each, so that some cells are large enough to be told of.
                odd = frame[column].astype(str).str[-1].isin(list("02468ngi"))
                names = {True: HOSTILE, False: f"{HOSTILE} 2"}
                frame[column] = odd.map(names).where(frame[column].notna())
            else:
                frame[column] = HOSTILE
        frame.to_parquet(file)
    return folder


@pytest.fixture(scope="session")
def findings(tmp_path_factory) -> Findings:
    """What all verbs find of it, found once for all workers."""
    shared = tmp_path_factory.getbasetemp().parent / "findings.pkl"
    with FileLock(f"{shared}.lock"):
        if not shared.exists():
            shared.write_bytes(pickle.dumps(_find_out(tmp_path_factory.mktemp("hostile"))))
        return pickle.loads(shared.read_bytes())


def _find_out(place: Path) -> Findings:
    operator = hostile_operator(place / HOSTILE.replace("/", ""))
    churnml.score(operator, AS_OF, out=place / "scores", config=SMALL, **GIVEN)
    source = as_source(operator, config=SMALL)
    return find_out(source, AS_OF, Given(scores=place / "scores", **GIVEN), SMALL)
