"""Log and register a fitted estimator, so that it is found, scored and promoted like any other."""

from __future__ import annotations

import html
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from churnml.base.tasks import TASKS, find_task
from churnml.base.text import counted
from churnml.datasets.flat import Column, Signature
from churnml.errors import UsageError
from churnml.estimators.encoding.frames import as_frame
from churnml.features import Feature, declared
from churnml.models.model import InputColumn, Model, Origin, estimator_class
from churnml.models.profile import describe
from churnml.registry.tracking import log_training
from churnml.registry.tracking.run import Data, TrainingRecord, origin_params
from churnml.tables.checked import Location, as_source
from churnml.tables.source import Source

if TYPE_CHECKING:
    from churnml.models.model import Estimator


@dataclass(frozen=True, kw_only=True)
class LoggedEstimator:
    """A registered model.

    Attributes
    ----------
    name : str
    model_uri : str
        What ``score`` and `churnml.load_model` take.
    run_id, model_version : str
    alias : {"champion", "challenger"}
    """

    name: str
    model_uri: str
    run_id: str | None
    model_version: str | None
    alias: str | None

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.model_uri)} ({html.escape(str(self.alias))})</p>"


def log_model(
    estimator: Estimator,
    X: Any,
    *,
    name: str | None = None,
    source: Source | Location | None = None,
    groups: Sequence[Any] | pd.Series | None = None,
    times: Sequence[Any] | pd.Series | None = None,
    notes: str = "",
    parent_run_id: str | None = None,
    experiment: str | None = None,
) -> LoggedEstimator:
    """Register an estimator that was fitted in a notebook, under a name of its own.

    Columns that all are features of operator tables make a model of operator tables, any others
    a model of a table that has these columns. Nothing is tested here: figures of how good it is
    come from `churnml.evaluate`.

    Parameters
    ----------
    estimator : ChurnClassifier, SatisfactionRegressor or ChurnHazard
        Fitted.
    X : DataFrame, shape (n, k)
        What it was fitted on; its distributions are kept, no row of it.
    name : str, optional
        The registered name, by default ``<task>-notebook``; not a task's own, whose models
        `churnml.train` makes and tests.
    source : Source or path, optional
        What the features were built from, where it has tables of your own (`churnml.Extra`):
        their features are then known as features too.
    groups : sequence, shape (n,), optional
        The customer of each row; categories that fewer than 10 have are not kept.
    times : sequence, shape (n,), optional
        The date of each row.
    notes : str, optional
        Markdown for the run and the version.
    parent_run_id, experiment : str, optional
        As `churnml.train` takes them.

    Returns
    -------
    LoggedEstimator

    Raises
    ------
    UsageError
        If it is not fitted, or the name is taken by a task.
    SchemaError
        If ``X`` lacks its columns.
    ModelError
        If the store cannot be reached or written.

    Examples
    --------
    >>> import churnml
    >>> churnml.log_model(churnml.ChurnClassifier(), [[1.0]])
    Traceback (most recent call last):
    ...
    churnml.errors.UsageError: This ChurnClassifier is not fitted. Call fit first.
    """
    started = datetime.now(UTC)
    task = _task(estimator)
    name = name or f"{task}-notebook"
    if name in TASKS:
        raise UsageError(
            f"name {name!r}: that is what the tested models of operator tables are called.",
            hint="Choose another, such as the name of the notebook.",
        )
    frame = as_frame(X)
    features = declared(None if source is None else as_source(source).tables)
    model = _described(estimator, frame, name, groups, times, features)
    text = f"A **{task}** model, fitted in a notebook; not tested by churnml."
    run = log_training(
        TrainingRecord(
            model=model,
            title=f"{task} · {name}",
            data=Data(name="frame", source="frame", digest="", rows=len(frame), target=""),
            params=origin_params(model)
            | {
                f"estimator.{key}": value
                for key, value in estimator.get_params(deep=False).items()
                if key != "monotone" and value is not None
            },
            notes=f"{text}\n\n{notes}".strip(),
            started=started,
            parent=parent_run_id,
            experiment=experiment,
        )
    )
    return LoggedEstimator(name=name, **asdict(run))


def _task(estimator: Any) -> str:
    known = [one for one in TASKS if isinstance(estimator, estimator_class(one))]
    if not known or not hasattr(estimator, "predict"):
        raise UsageError(
            f"{type(estimator).__name__} cannot be logged; ChurnClassifier, "
            "SatisfactionRegressor or ChurnHazard was expected.",
            hint="mlflow.sklearn.log_model logs any other estimator.",
        )
    try:
        check_is_fitted(estimator, "encoder_")
    except NotFittedError:
        raise UsageError(
            f"This {type(estimator).__name__} is not fitted.", hint="Call fit first."
        ) from None
    return find_task(known[0]).name


def _described(
    estimator: Any,
    frame: pd.DataFrame,
    name: str,
    groups: Any,
    times: Any,
    known: Sequence[Feature],
) -> Model:
    read = set(estimator.columns_in_)
    features = [one for one in known if one.name in read]
    of_operator = len(features) == len(read)
    if features and not of_operator:
        _warn_of_a_table(name, sorted(read - {one.name for one in features}), len(read))
    customers = len(frame) if groups is None else int(pd.Series(groups).nunique())
    origin = Origin(
        name=name,
        kind="operator" if of_operator else "table",
        rows=len(frame),
        customers=customers,
    )
    model = describe(
        estimator,
        frame,
        origin=origin,
        features=features if of_operator else (),
        customers=groups,
        times=times,
    )
    if of_operator:
        return model
    table = _signature(model.inputs, frame).to_dict()
    leaving = getattr(estimator, "pos_label_", None)
    positive = {} if leaving is None else {"positive": str(leaving)}
    return replace(model, origin=replace(model.origin, table=table | positive))


def _warn_of_a_table(name: str, others: Sequence[str], read: int) -> None:
    """Warn where features were meant for operator tables, but for some columns nobody declares."""
    warnings.warn(
        f"{name}: {len(others)} of {counted(read, 'column')} are no features of operator tables, "
        f"such as {others[0]!r}: it is kept as a model of a table that has these columns. "
        "Where they come from tables of your own, give source, the source they were built from.",
        UserWarning,
        stacklevel=5,
    )


def _signature(inputs: Sequence[InputColumn], frame: pd.DataFrame) -> Signature:
    columns = tuple(Column(name=one.name, kind=one.kind) for one in inputs)
    return Signature(columns=columns, target="", table=tuple(map(str, frame.columns)))
