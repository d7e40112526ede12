"""Twelve months scored again by a monitoring, against one scoring of the same source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import churnml
from tests.benchmarks.measuring import FULL, in_turns, seconds

CUSTOMERS = (5_000, 20_000) if FULL else (2_000,)
DAY = "2026-06-01"
SHIPPED = Path(__file__).parents[2] / "models"


@pytest.fixture(scope="module")
def models():
    """The shipped models, as if they had learned long before."""
    found = {}
    for task in ("churn", "satisfaction"):
        model = churnml.load_model(SHIPPED / task)
        origin = replace(model.origin, as_of=("2024-06-01",))
        found[f"{task}_model"] = replace(model, origin=origin)
    return found


@pytest.mark.benchmark
@pytest.mark.parametrize("customers", CUSTOMERS)
def test_a_year_scored_again_against_one_scoring(models, customers, record, tmp_path):
    operator = tmp_path / "operator"
    churnml.simulate(operator, customers=customers, months=24, seed=1)
    outputs = iter(range(10))

    def score():
        churnml.score(operator, DAY, out=tmp_path / f"scores{next(outputs)}", **models)

    def monitor():
        found = churnml.monitor(operator, as_of=DAY, months=12, **models)
        assert {month.origin for month in found.months} == {"replayed"}
        assert {month.satisfaction.origin for month in found.months} == {"replayed"}

    score()  # What is imported at the first use is no part of it.
    ours, theirs = in_turns(monitor, score, rounds=2 if FULL else 1)
    figure = record(
        topic="Monitoring",
        what="twelve months scored again, against one scoring",
        size=f"{customers:,} customers",
        **seconds(ours, theirs),
        most=6,
    )
    assert figure.ratio < 8
