"""An operator with a model that learned from its early months, and faults that come later."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import churnml
from churnml.base.dates import add_months
from churnml.config.settings import Config
from churnml.datasets.dataset import build_dataset, label_facts
from churnml.estimators import ChurnClassifier, SatisfactionRegressor
from churnml.evaluation.held_out import importance
from churnml.features import declared
from churnml.metrics import mae
from churnml.metrics.significance import auc_influence
from churnml.models import bundle
from churnml.models.bundle import Origin
from churnml.models.profile import describe

QUICK = {"max_rounds": 60, "folds": 3, "repeats": 1, "n_jobs": 1}


def learned(operator: Path, days: list, place: Path) -> str:
    """A bundle that has learned from these dates."""
    data = build_dataset(churnml.open_source(operator), "churn", days)
    estimator = ChurnClassifier(**QUICK).fit(data.X, data.y, groups=data.groups)
    model = describe(
        estimator,
        data.X,
        origin=Origin(
            name="churn",
            label=label_facts("churn", Config()),
            as_of=tuple(map(str, days)),
            rows=len(data),
            customers=data.groups.nunique(),
        ),
        features=declared(),
        reference=estimator.oof_,
        customers=data.groups,
        times=data.times,
    )
    area, moved = auc_influence(data.y, estimator.oof_)
    reach = 1.96 * float((moved**2).sum()) ** 0.5
    tested = {
        "importance": importance(estimator, data.X),
        "metrics": {"auc": [area, area - reach, area + reach]},
    }
    bundle.save(replace(model, tested=tested), place)
    return str(place)


def learned_satisfaction(operator: Path, days: list, place: Path) -> str:
    """A bundle that has learned satisfaction from these dates."""
    data = build_dataset(churnml.open_source(operator), "satisfaction", days)
    estimator = SatisfactionRegressor(**QUICK).fit(data.X, data.y, groups=data.groups)
    model = describe(
        estimator,
        data.X,
        origin=Origin(
            name="satisfaction",
            label=label_facts("satisfaction", Config()),
            as_of=tuple(map(str, days)),
            rows=len(data),
            customers=data.groups.nunique(),
        ),
        features=declared(),
        reference=estimator.predict(data.X),
        customers=data.groups,
        times=data.times,
    )
    error = mae(data.y, estimator.oof_)
    tested = {
        "importance": importance(estimator, data.X),
        "metrics": {"mae": [error, 0.9 * error, 1.1 * error]},
    }
    bundle.save(replace(model, tested=tested), place)
    return str(place)


def last_day(operator: Path):
    """The first day after the last month with bills."""
    months = pd.to_datetime(pd.read_parquet(operator / "bills.parquet", columns=["month"])["month"])
    return add_months(months.max().date(), 1)


@pytest.fixture(scope="module")
def planted(tmp_path_factory) -> Callable[..., Path]:
    """``planted(operator, table, change, since)``: a copy with a table changed from a month on."""

    def make(operator: Path, table: str, change: Callable, since, time: str = "month") -> Path:
        place = tmp_path_factory.mktemp("planted") / "operator"
        shutil.copytree(operator, place)
        rows = pd.read_parquet(place / f"{table}.parquet")
        late = pd.to_datetime(rows[time]) >= pd.Timestamp(since)
        change(rows, late)
        rows.to_parquet(place / f"{table}.parquet", index=False)
        return place

    return make
