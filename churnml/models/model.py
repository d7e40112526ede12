"""A trained model: the estimator and everything needed to use it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.base.tasks import TASKS, WITHIN, TaskName
from churnml.errors import BundleError

if TYPE_CHECKING:
    from churnml.estimators import (
        ChurnClassifier,
        ChurnHazard,
        OfferEffect,
        SatisfactionRegressor,
    )

    Estimator = ChurnClassifier | SatisfactionRegressor | ChurnHazard | OfferEffect

Scores = dict[str, NDArray[np.float64]]

BANDS = (50.0, 80.0, 95.0)
"""Where risk bands begin in models whose settings say nothing else."""


@dataclass(frozen=True, kw_only=True)
class InputColumn:
    """A column that the model reads.

    Attributes
    ----------
    name : str
    kind : {"number", "category"}
    missing : float
        Share of the training rows without a value.
    knots : tuple of float
        Of a number: its 5 %, 10 %, ... 95 % quantiles in training.
    levels : dict of str to float
        Of a category: the share of the training rows, for the values that enough
        customers have.
    feature : dict or None
        The declaration of an operator feature: unit, driver, descriptions, direction.
    shares : tuple of float
        The share of the training rows in each bin of `churnml.models.drift`; empty where drift
        says nothing.
    usual : float
        The largest drift of one training date against all, or against the first.
    absent : (float, float) or ()
        The least and the largest share of missing values at a training date.
    unseen : float
        Of a category: the share of the training rows whose value no other customer had.
        So many values that training lacks are usual among new customers.
    """

    name: str
    kind: Literal["number", "category"]
    missing: float = 0.0
    knots: tuple[float, ...] = ()
    levels: Mapping[str, float] = field(default_factory=dict)
    feature: Mapping[str, Any] | None = None
    shares: tuple[float, ...] = ()
    usual: float = 0.0
    absent: tuple[float, ...] = ()
    unseen: float = 0.0

    @property
    def driver(self) -> str:
        """The driver group of an operator feature; empty for a flat table's column."""
        return str((self.feature or {}).get("driver", ""))


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a model was trained on, as plain data.

    Attributes
    ----------
    name : str
        The name under which it is registered.
    kind : {"operator", "table"}
        Whether it reads operator features or a flat table's own columns.
    label : dict
        What it predicts: definition, gap and horizon, or target column, positive value
        and scale.
    tables : dict of str to list of str
        Operator tables, with the columns, that its features need.
    as_of : tuple of str
        The dates trained on.
    window : tuple of str
        First and last day of the data used, features and labels.
    rows, customers : int
    digest : str
        SHA-256 of the training data.
    config : str
        SHA-256 of the settings.
    table : dict
        For a flat table: how its columns are read.
    operator : str
        The operator's name, where the mapping gives one.
    places : dict of str to list of str
        The regions and halls of its customers, by column.
    """

    name: str = ""
    kind: Literal["operator", "table"] = "operator"
    label: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, list[str]] = field(default_factory=dict)
    as_of: tuple[str, ...] = ()
    window: tuple[str, ...] = ()
    rows: int = 0
    customers: int = 0
    digest: str = ""
    config: str = ""
    table: Mapping[str, Any] = field(default_factory=dict)
    operator: str = ""
    places: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Golden:
    """Synthetic rows with the scores that the model gave them when it was made.

    Attributes
    ----------
    rows : dict of str to list
        By column; ``None`` where missing.
    scores : dict of str to list of float
    """

    rows: Mapping[str, list[Any]]
    scores: Mapping[str, list[float]]


@dataclass(frozen=True, kw_only=True)
class Model:
    """A trained estimator with everything needed to use it; made by `churnml.models.profile`.

    Attributes
    ----------
    task : {"churn", "satisfaction", "hazard"}
    estimator : ChurnClassifier, SatisfactionRegressor or ChurnHazard
    inputs : tuple of InputColumn
    reference : tuple of float
        Quantiles of the scores at 0, 0.1, ... 100 %, against which a new score is ranked.
    golden : Golden
    origin : Origin
    versions : dict of str to str
        Of the libraries with which it was made.
    bands : tuple of 3 float
        The percentiles at which medium, high and critical risk begin.
    tested : dict
        What testing found, as `churnml.evaluation.summary` says; empty where nobody tested it.
    digest : str
        SHA-256 that names a loaded bundle; empty before it was saved.
    uri, version : str
        How it was asked for, and which one it is (``churn/3``), where
        `churnml.load_model` loaded it.
    """

    task: TaskName
    estimator: Estimator
    inputs: tuple[InputColumn, ...]
    reference: tuple[float, ...]
    golden: Golden
    origin: Origin = Origin()
    versions: Mapping[str, str] = field(default_factory=dict)
    tested: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""
    bands: tuple[float, float, float] = BANDS
    uri: str = ""
    version: str = ""

    @property
    def names(self) -> list[str]:
        """The names of the columns that the model reads."""
        return [column.name for column in self.inputs]

    def to_dict(self) -> dict[str, Any]:
        """What it is and what it learned from, as plain data."""
        origin = self.origin
        return {
            "task": self.task,
            "name": origin.name,
            "version": self.version,
            "uri": self.uri,
            "digest": self.digest,
            "estimator": type(self.estimator).__name__,
            "kind": origin.kind,
            "label": dict(origin.label),
            "as_of": list(origin.as_of),
            "rows": origin.rows,
            "customers": origin.customers,
            "columns": self.names,
            "versions": dict(self.versions),
        }

    def _repr_html_(self) -> str:
        facts = self.to_dict()
        facts["columns"] = len(self.names)
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(_shown(value))}</td></tr>"
            for name, value in facts.items()
            if value
        )
        return f"<table>{rows}</table>"

    def __repr__(self) -> str:
        name = self.origin.name or self.task
        return f"Model({name}: {type(self.estimator).__name__}, {len(self.inputs)} columns)"


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def predict(model: Model, rows: pd.DataFrame) -> Scores:
    """Score rows; return the scores by the contract's column names.

    Parameters
    ----------
    model : Model
    rows : DataFrame, shape (n, k)
        Holds the model's columns, in any order.

    Returns
    -------
    dict of str to array, shape (n,)
        Those of `churnml.base.tasks.Task.scores` that need nothing but the estimator: no
        percentile and no risk band.
    """
    return predict_scores(model.task, model.estimator, rows)


def predict_scores(task: TaskName, estimator: Estimator, rows: pd.DataFrame) -> Scores:
    """Score rows with a fitted estimator; return the scores by the contract's column names."""
    return _PREDICT[task](estimator, rows)


def _churn(estimator: Any, rows: pd.DataFrame) -> Scores:
    return {"churn_probability": estimator.predict_proba(rows)[:, estimator.leaving_column_]}


def _satisfaction(estimator: Any, rows: pd.DataFrame) -> Scores:
    predicted = estimator.predict_all(rows)
    return {
        "satisfaction": predicted.mean,
        "satisfaction_low": predicted.low,
        "satisfaction_high": predicted.high,
        "dissatisfied_probability": predicted.dissatisfied,
    }


def _hazard(estimator: Any, rows: pd.DataFrame) -> Scores:
    within = estimator.predict_within(rows, WITHIN)
    return {name: within[:, at] for at, name in enumerate(TASKS["hazard"].scores)}


def _offers(estimator: Any, rows: pd.DataFrame) -> Scores:
    return {"offer_effect": estimator.effect(rows).to_numpy().min(axis=1)}


_PREDICT: Mapping[str, Callable[[Any, pd.DataFrame], Scores]] = {
    "churn": _churn,
    "satisfaction": _satisfaction,
    "hazard": _hazard,
    "offers": _offers,
}


def estimator_class(task: str) -> type[Any]:
    """The estimator class of a task.

    >>> estimator_class("churn").__name__
    'ChurnClassifier'
    """
    from churnml import estimators

    return getattr(estimators, TASKS[task].estimator)


def golden_rows(model: Model) -> pd.DataFrame:
    """The golden rows as a frame."""
    return frame_of(model.golden.rows, model.inputs)


def frame_of(rows: Mapping[str, list[Any]], inputs: tuple[InputColumn, ...]) -> pd.DataFrame:
    """Build a frame from plain columns: numbers as float64, categories as text."""
    columns = {
        column.name: pd.Series(
            rows[column.name], dtype="float64" if column.kind == "number" else "str"
        )
        for column in inputs
    }
    return pd.DataFrame(columns)


def check_golden(model: Model, *, exact: bool = False) -> None:
    """Score the golden rows again and compare.

    Parameters
    ----------
    model : Model
    exact : bool, default False
        Bit for bit, which the same machine and library versions give; else to nine
        digits, which every machine gives.

    Raises
    ------
    BundleError
        If a score differs.
    """
    tolerance = 0.0 if exact else 1e-9
    for name, scores in predict(model, golden_rows(model)).items():
        expected = np.asarray(model.golden.scores[name])
        worst = float(np.max(np.abs(scores - expected), initial=0.0))
        if not worst <= tolerance * max(1.0, float(np.max(np.abs(expected), initial=0.0))):
            raise BundleError(
                f"model {model.origin.name or model.task}: {name} of its golden rows differs "
                f"from the stored one by up to {worst:.3g}.",
                hint="Library versions differ too much from those it was made with; train again.",
                column=name,
            )
