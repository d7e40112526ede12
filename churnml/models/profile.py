"""Profile the training data for a saved model: distributions of columns, never a customer.

Quantiles of numbers, values of categories that enough customers have, quantiles of the
scores, and golden rows: synthetic rows whose columns are drawn from those independently of
each other, so that none of them is anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from churnml.base.tasks import TASKS, TaskName
from churnml.estimators.encoding.frames import Values, as_frame, read_column
from churnml.features.declaration import Feature
from churnml.models.drift import binned, profiled
from churnml.models.model import (
    Golden,
    InputColumn,
    Model,
    Origin,
    estimator_class,
    frame_of,
    predict,
)

if TYPE_CHECKING:
    from churnml.models.model import Estimator

LIBRARIES = ("lightgbm", "mlflow", "numpy", "pandas", "pyarrow", "scikit-learn")
"""The libraries that a model depends on at run time."""

_SHARES = np.linspace(0.05, 0.95, 19)
_GOLDEN_ROWS = 24


def describe(
    estimator: Estimator,
    X: pd.DataFrame,
    *,
    origin: Origin | None = None,
    features: Iterable[Feature] = (),
    reference: ArrayLike | None = None,
    min_customers: int = 10,
    customers: Sequence[Any] | pd.Series | None = None,
    times: Sequence[Any] | pd.Series | None = None,
) -> Model:
    """Build a model: a fitted estimator with its profile, golden rows and references.

    Parameters
    ----------
    estimator : ChurnClassifier, SatisfactionRegressor or ChurnHazard
        Fitted.
    X : DataFrame, shape (n, k)
        What it was fitted on.
    origin : Origin, optional
        Its ``tables`` are filled in from ``features``.
    features : iterable of Feature
        Declarations; those of columns that the model does not have are passed over.
    reference : array, shape (m,), optional
        Scores to rank new scores against, best of rows that the estimator had not seen;
        by default its scores of ``X``.
    min_customers : int, default 10
        Values of a category that fewer customers have are not kept here.
    customers : sequence, shape (n,), optional
        Whose row each is; by default every row is another customer's.
    times : sequence, shape (n,), optional
        The date of each row: what differs from date to date is no drift.

    Returns
    -------
    Model
    """
    task = _task(estimator)
    read = set(estimator.columns_in_)
    used = [feature for feature in features if feature.name in read]
    declared = {feature.name: feature.to_dict() for feature in used}
    frame = as_frame(X)
    who = pd.factorize(np.asarray(customers))[0] if customers is not None else None
    dated = _dated(origin or Origin())
    read_columns = ((name, read_column(frame[name])) for name in estimator.columns_in_)
    inputs = tuple(
        _binned(_input(name, values, declared.get(name), who, min_customers), values, times, dated)
        for name, values in read_columns
    )
    model = Model(
        task=task,
        estimator=estimator,
        inputs=inputs,
        reference=(),
        golden=Golden({}, {}),
        origin=replace(origin or Origin(), tables=_needs(used)),
        versions={"churnml": _own_version()} | {name: version(name) for name in LIBRARIES},
    )
    if reference is None:
        reference = next(iter(predict(model, X).values()))
    rows = _golden(inputs)
    scores = predict(model, frame_of(rows, inputs))
    golden = Golden(rows, {name: [float(s) for s in values] for name, values in scores.items()})
    quantiles = _quantiles(np.asarray(reference, dtype=float))
    return replace(model, golden=golden, reference=quantiles)


def _task(estimator: Estimator) -> TaskName:
    return next(
        one.name for one in TASKS.values() if isinstance(estimator, estimator_class(one.name))
    )


def _needs(features: Iterable[Feature]) -> dict[str, list[str]]:
    """The columns that features read, by table."""
    needs = sorted({tuple(need.split(".", 1)) for feature in features for need in feature.needs})
    return {table: [c for t, c in needs if t == table] for table in sorted({t for t, _ in needs})}


def _own_version() -> str:
    from churnml import __version__

    return __version__


def _quantiles(scores: NDArray[np.float64]) -> tuple[float, ...]:
    finite = scores[np.isfinite(scores)]
    return tuple(np.quantile(finite, np.linspace(0, 1, 1001)).tolist()) if finite.size else ()


def _input(
    name: str,
    values: Values,
    feature: dict[str, Any] | None,
    who: NDArray[np.int64] | None,
    min_customers: int,
) -> InputColumn:
    if values.kind == "number":
        present = values.numbers[~np.isnan(values.numbers)].astype(float)
        missing = 1 - present.size / max(values.numbers.size, 1)
        knots = tuple(np.quantile(present, _SHARES).tolist()) if present.size else ()
        return InputColumn(name=name, kind="number", missing=missing, knots=knots, feature=feature)
    rows = pd.DataFrame({"code": values.codes})
    rows["who"] = np.arange(len(rows)) if who is None else who
    holders = rows.groupby("code")["who"].nunique()
    common = holders >= min_customers
    counts = rows["code"].value_counts()
    levels = {
        level: counts[code] / len(rows)
        for code, level in enumerate(values.levels)
        if common.get(code, False)
    }
    missing = float((values.codes < 0).mean()) if len(rows) else 0.0
    # Each customer held out in turn: the values that the others' rows do not have.
    alone = rows["code"].map(holders).eq(1) & (rows["code"] >= 0)
    unseen = float(alone.mean()) if len(rows) else 0.0
    return InputColumn(
        name=name, kind="category", missing=missing, levels=levels, feature=feature, unseen=unseen
    )


def _dated(origin: Origin) -> set[str]:
    """A flat table's columns that are ages of dates, which grow with time."""
    columns = origin.table.get("columns", ())
    return {column["name"] for column in columns if column.get("kind") == "date"}


def _binned(
    column: InputColumn, values: Values, times: Sequence[Any] | pd.Series | None, dated: set[str]
) -> InputColumn:
    if column.name in dated:
        return column
    return replace(column, **profiled(column, binned(column, values), times))


def _golden(inputs: tuple[InputColumn, ...]) -> dict[str, list[Any]]:
    random = np.random.default_rng(0)
    return {column.name: _draw(column, random) for column in inputs}


def _draw(column: InputColumn, random: np.random.Generator) -> list[Any]:
    choices: list[Any] = list(column.knots) or sorted(column.levels)
    drawn = random.random(_GOLDEN_ROWS)
    absent = random.random(_GOLDEN_ROWS) < column.missing
    if not choices:
        return [None] * _GOLDEN_ROWS
    return [
        None if gone else choices[int(place * len(choices))]
        for place, gone in zip(drawn, absent, strict=True)
    ]
