"""Compare fitted models on the same rows, with the intervals of their differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from churnml.base.tasks import TITLES
from churnml.errors import DataError, UsageError
from churnml.estimators.concordance import concordance
from churnml.evaluation.html import table
from churnml.metrics.bootstrap import (
    Estimate,
    Measure,
    bootstrap,
    format_estimate,
    paired_difference,
)
from churnml.metrics.satisfaction import mae_measure, r2_measure, spearman_measure
from churnml.metrics.suites import churn_measures
from churnml.models.model import Model
from churnml.registry.resolve import as_resolved

_RANKS = ("auc", "average_precision", "lift_top_10pct", "log_loss", "brier")
_CONCORDANCE = "concordance"


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One measure of one model, beside the first model's.

    Attributes
    ----------
    model, measure : str
    estimate : Estimate
    difference : Estimate or None
        This model's less the first's on the same draws of customers; None of the first.
    """

    model: str
    measure: str
    estimate: Estimate
    difference: Estimate | None

    @property
    def apart(self) -> bool:
        """Whether the interval of the difference leaves 0 out."""
        return self.difference is not None and not (
            self.difference.low <= 0 <= self.difference.high
        )


@dataclass(frozen=True, kw_only=True, repr=False)
class RowsComparison:
    """Several models, measured on the same rows.

    Attributes
    ----------
    models : tuple of str
        The first is what the others are compared with.
    rows, customers : int
    measured : tuple of Compared
    """

    models: tuple[str, ...]
    rows: int
    customers: int
    measured: tuple[Compared, ...]

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain data."""
        return {
            "models": list(self.models),
            "rows": self.rows,
            "customers": self.customers,
            "measured": [asdict(one) for one in self.measured],
        }

    def to_pandas(self) -> pd.DataFrame:
        """A row for each model and measure: value and difference, with their intervals."""
        return pd.DataFrame(
            [
                {
                    "model": one.model,
                    "measure": one.measure,
                    **_ends("", one.estimate),
                    **_ends("difference", one.difference),
                }
                for one in self.measured
            ]
        )

    def __repr__(self) -> str:
        lines = [" | ".join(row) for row in [self._heads(), *self._rows()]]
        return "\n".join([self._title(), *lines])

    def _repr_html_(self) -> str:
        return table(self._title(), self._heads(), self._rows())

    def _title(self) -> str:
        return (
            f"{len(self.models)} models on the same {self.rows:,} rows of "
            f"{self.customers:,} customers; 95 % intervals"
        )

    def _heads(self) -> tuple[str, ...]:
        return ("measure", "model", "value", f"less {self.models[0]}", "")

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for one in sorted(self.measured, key=lambda each: self._measures.index(each.measure)):
            told = "" if one.difference is None else "apart" if one.apart else "not told apart"
            plain = one.measure.replace("_", " ").replace("pct", " %")
            name = TITLES.get(one.measure, plain)
            less = "" if one.difference is None else format_estimate(one.difference)
            yield (name, one.model, format_estimate(one.estimate), less, told)

    @property
    def _measures(self) -> list[str]:
        return list(dict.fromkeys(one.measure for one in self.measured))


def _ends(name: str, estimate: Estimate | None) -> dict[str, float]:
    values = (np.nan,) * 3 if estimate is None else (estimate.value, estimate.low, estimate.high)
    heads = (name or "value", f"{name}_low".strip("_"), f"{name}_high".strip("_"))
    return dict(zip(heads, values, strict=True))


def compare_on_rows(
    models: Sequence[Any] | Mapping[str, Any],
    X: Any,
    y: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    draws: int = 200,
    seed: int = 0,
) -> RowsComparison:
    """Measure fitted models on the same rows; `churnml.compare` says more.

    Raises
    ------
    UsageError
        Fewer than two models, or models that predict different things.
    DataError
        Rows that none of them has seen the like of, or outcomes of one kind alone.
    """
    named = _named(models)
    kinds = {name: _kind(name, model) for name, model in named.items()}
    if len(set(kinds.values())) > 1:
        listed = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
        raise UsageError(f"These models predict different things: {listed}.")
    measures = {name: _measures(model, X, y) for name, model in named.items()}
    rows = len(np.asarray(y))
    first, *others = measures
    asked: dict[tuple[str, str, bool], Measure] = {}
    for name, found in measures.items():
        asked |= {(name, measure, False): one for measure, one in found.items()}
    for name in others:
        for measure, one in measures[name].items():
            asked[name, measure, True] = paired_difference(one, measures[first][measure])
    keys = {f"{at}": key for at, key in enumerate(asked)}
    found_all = bootstrap(
        {at: asked[key] for at, key in keys.items()},
        rows if groups is None else groups,
        draws=draws,
        seed=seed,
    )
    estimates = {key: found_all[at] for at, key in keys.items()}
    return RowsComparison(
        models=tuple(named),
        rows=rows,
        customers=rows if groups is None else int(pd.Series(np.asarray(groups)).nunique()),
        measured=tuple(
            Compared(
                model=name,
                measure=measure,
                estimate=estimates[name, measure, False],
                difference=estimates.get((name, measure, True)),
            )
            for name in named
            for measure in measures[name]
        ),
    )


def _named(models: Sequence[Any] | Mapping[str, Any]) -> dict[str, Any]:
    """The fitted estimators by name: their own, or that of their class, numbered."""
    named: dict[str, Any] = {}
    pairs = models.items() if isinstance(models, Mapping) else ((None, one) for one in models)
    for given, one in pairs:
        own, estimator = _estimator(one)
        name, number = given or own, 2
        while name in named:
            name, number = f"{own} {number}", number + 1
        named[name] = estimator
    if len(named) < 2:
        raise UsageError(
            f"compare takes two or more models, got {len(named)}.",
            hint="compare([first, second], X, y), or a dict of names and models.",
        )
    return named


def _estimator(given: Any) -> tuple[str, Any]:
    if isinstance(given, Model | str | Path):
        resolved = as_resolved(given)
        return resolved.version, resolved.model.estimator
    return type(given).__name__, given


def _kind(name: str, model: Any) -> str:
    try:
        check_is_fitted(model)
    except (NotFittedError, TypeError):
        raise UsageError(
            f"{name} is a {type(model).__name__}, which is not a fitted model.",
            hint="Call fit first, or give a model's URI.",
        ) from None
    if hasattr(model, "predict_within"):
        return "when customers leave"
    return "who leaves" if hasattr(model, "predict_proba") else "a score"


def _measures(model: Any, X: Any, y: ArrayLike) -> dict[str, Measure]:
    """Functions of row weights, of what the model predicts of the rows."""
    outcome = np.asarray(y)
    if hasattr(model, "predict_within"):
        pairs = partial(concordance, outcome.astype(np.int64), model.predict(X))
        return {_CONCORDANCE: pairs}
    if not hasattr(model, "predict_proba"):
        predicted, scores = np.asarray(model.predict(X), float), outcome.astype(float)
        return {
            "r2": r2_measure(scores, predicted),
            "spearman": spearman_measure(scores, predicted),
            "mae": mae_measure(scores, predicted),
        }
    column = int(getattr(model, "leaving_column_", 1))
    left = _left(outcome, np.asarray(model.classes_), column)
    found = churn_measures(left, np.asarray(model.predict_proba(X), float)[:, column])
    return {name: found[name] for name in _RANKS}


def _left(outcome: NDArray[Any], classes: NDArray[Any], column: int) -> NDArray[np.float64]:
    """Who left, of labels as the model knows them."""
    strange = ~np.isin(outcome, classes)
    if strange.any():
        raise DataError(
            f"y holds {outcome[strange][0]!r}, which is neither of the labels of training.",
            expected=" or ".join(map(repr, classes.tolist())),
            count=int(strange.sum()),
        )
    left = (outcome == classes[column]).astype(np.float64)
    if left.min(initial=1) == left.max(initial=0):
        raise DataError(f"y: all {left.size} outcomes are the same; there is nothing to compare.")
    return left
