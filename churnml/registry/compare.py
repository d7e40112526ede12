"""Compare two models: origin, differences, test results.

Figures are set against each other only where they can be: the same label, the same test
dates and the same data. Elsewhere they are shown, and said not to compare.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from churnml.base.tasks import TASKS
from churnml.errors import UsageError
from churnml.models.model import Model
from churnml.registry.on_rows import RowsComparison, compare_on_rows
from churnml.registry.resolve import Resolved, as_resolved

_FEATURES = 15


@dataclass(frozen=True, kw_only=True, repr=False)
class Comparison:
    """Two models side by side.

    Attributes
    ----------
    models : (str, str)
        Their versions.
    comparable : bool
        Whether the metrics were measured on the same rows by the same label.
    notes : list of str
        Why they were not, and what else a reader should know.
    origin, params : dict of str to (value, value)
        Everything of ``origin``; of ``params`` what differs.
    metrics : dict of str to (list or None, list or None)
        Value with the ends of its 95 % interval, as tested before the refit.
    only : (list of str, list of str)
        Features that the other lacks.
    importance : dict of str to (float or None, float or None)
        Mean absolute contribution of the columns that weigh most in either.
    """

    models: tuple[str, str]
    comparable: bool
    notes: list[str]
    origin: dict[str, tuple[Any, Any]]
    params: dict[str, tuple[Any, Any]]
    metrics: dict[str, tuple[Any, Any]]
    only: tuple[list[str], list[str]]
    importance: dict[str, tuple[float | None, float | None]]

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain data, for ``--json``."""
        return dict(vars(self))

    def __repr__(self) -> str:
        return f"Comparison({' and '.join(self.models)})"

    def _repr_html_(self) -> str:
        from churnml.evaluation.html import table

        rows = [
            (name, *("" if side is None else side for side in pair))
            for part in (self.origin, self.params, self.metrics)
            for name, pair in part.items()
        ]
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return f"{table('Two models side by side', ('', *self.models), rows)}<ul>{notes}</ul>"


@overload
def compare(first: Model | str | Path, second: Model | str | Path) -> Comparison: ...
@overload
def compare(
    first: Sequence[Any] | Mapping[str, Any],
    second: Any,
    y: Any = None,
    *,
    groups: Any = None,
    draws: int = 200,
) -> RowsComparison: ...


def compare(
    first: Model | str | Path | Sequence[Any] | Mapping[str, Any],
    second: Any,
    y: Any = None,
    *,
    groups: Any = None,
    draws: int = 200,
) -> Comparison | RowsComparison:
    """Compare two models by what they say of themselves, or several on the same rows.

    Parameters
    ----------
    first : Model, str or path; or several in a list, or in a dict by name
        Models or their URIs. In a list also estimators that were fitted in a notebook, those
        of scikit-learn too.
    second : Model, str or path; or DataFrame of shape (n, k)
        The other model; the rows, where ``first`` holds several.
    y : array, shape (n,), optional
        What became of the rows, as of the estimators' ``fit``.
    groups : array, shape (n,), optional
        The customer of each row; else every row is one. Intervals are over customers.
    draws : int, default 200
        Of the bootstrap, which are the same for all models.

    Returns
    -------
    Comparison or RowsComparison
        The latter for several models: each measure with its interval, and its difference from
        the first model's with the interval of the difference.

    Raises
    ------
    ModelError
        If there is no such model.
    UsageError
        If the models predict different things, or rows were given without their outcomes.

    Examples
    --------
    >>> import churnml
    >>> churnml.compare("models:/churn@champion", "no/such/folder")
    Traceback (most recent call last):
    ...
    churnml.errors.ModelError: ...
    """
    if isinstance(first, Sequence | Mapping) and not isinstance(first, str):
        if y is None:
            raise UsageError(
                "compare: several models are compared on rows: X and y are missing.",
                hint="compare([first, second], X, y).",
            )
        return compare_on_rows(first, second, y, groups=groups, draws=draws)
    strange = [one for one in (first, second) if not isinstance(one, Model | str | Path)]
    if y is not None or strange:
        raise UsageError(
            "compare: two registered models were expected, or several on the same rows.",
            hint="compare([first, second], X, y) takes fitted estimators.",
        )
    left, right = as_resolved(first), as_resolved(second)
    a, b = left.model, right.model
    notes = [*_apart(a, b), *_untested(left, right)]
    origins = _origin(a), _origin(b)
    params = _params(a), _params(b)
    names = sorted(params[0].keys() | params[1].keys())
    return Comparison(
        models=(left.version, right.version),
        comparable=not notes,
        notes=notes,
        origin={name: (origins[0][name], origins[1][name]) for name in origins[0]},
        params={
            name: (params[0].get(name), params[1].get(name))
            for name in names
            if params[0].get(name) != params[1].get(name)
        },
        metrics=_metrics(a, b),
        only=(
            [name for name in a.names if name not in b.names],
            [name for name in b.names if name not in a.names],
        ),
        importance=_importance(a, b),
    )


def _apart(a: Model, b: Model) -> list[str]:
    """Why two models' figures are not comparable."""
    if a.task != b.task:
        return [f"One predicts {a.task}, the other {b.task}: no figure compares."]
    notes = []
    labels = a.origin.label, b.origin.label
    different = sorted(
        name
        for name in labels[0].keys() | labels[1].keys()
        if labels[0].get(name) != labels[1].get(name)
    )
    if different:
        listed = "; ".join(
            f"{name} {labels[0].get(name, 'none')} and {labels[1].get(name, 'none')}"
            for name in different
        )
        notes.append(f"They predict different things ({listed}): their figures do not compare.")
    if a.origin.kind != b.origin.kind:
        notes.append("One reads operator tables, the other a flat table.")
    days = [sorted(_dates(model).get("test", ())) for model in (a, b)]
    if all(days) and days[0] != days[1]:
        listed = " and on ".join(", ".join(one) for one in days)
        notes.append(
            f"They were tested on different dates (on {listed}): the figures do not compare; "
            "churnml promote measures both on the same ones."
        )
    elif a.origin.digest != b.origin.digest and not _same_test(a, b):
        notes.append(
            "They learned from different data and were tested on different rows: the figures "
            "do not compare."
        )
    return notes


def _same_test(a: Model, b: Model) -> bool:
    """Whether both tests had the same dates and as many rows, whatever was learned from."""
    dated = bool(_dates(a).get("test"))
    rows = [model.tested.get("rows", {}).get("test") for model in (a, b)]
    return dated and rows[0] == rows[1]


def _untested(first: Resolved, second: Resolved) -> list[str]:
    return [
        f"{one.version} does not say how it was tested."
        for one in (first, second)
        if not one.model.tested.get("metrics")
    ]


def _dates(model: Model) -> dict[str, list[str]]:
    return dict(model.tested.get("dates", {}))


def _origin(model: Model) -> dict[str, Any]:
    origin = model.origin
    return {
        "task": model.task,
        "name": origin.name,
        "kind": origin.kind,
        "label": _joined(dict(origin.label)),
        "learned from": _span(origin.as_of),
        "tested on": ", ".join(_dates(model).get("test", ())),
        "data window": " .. ".join(origin.window),
        "rows": origin.rows,
        "customers": origin.customers,
        "columns": len(model.inputs),
        "data digest": origin.digest[:16],
        "settings digest": origin.config[:16],
        "model digest": model.digest[:16],
        "churnml": model.versions.get("churnml", ""),
        "lightgbm": model.versions.get("lightgbm", ""),
    }


def _span(days: tuple[str, ...]) -> str:
    return f"{len(days)} dates, {days[0]} to {days[-1]}" if days else ""


def _joined(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items() if value is not None)


def _params(model: Model) -> dict[str, Any]:
    estimator: Any = model.estimator
    return dict(estimator.get_params(deep=False))


def _metrics(a: Model, b: Model) -> dict[str, tuple[Any, Any]]:
    metrics = dict(a.tested.get("metrics", {})), dict(b.tested.get("metrics", {}))
    names = dict.fromkeys([*TASKS[a.task].headline, *TASKS[b.task].headline])
    return {
        name: (metrics[0].get(name), metrics[1].get(name))
        for name in names
        if name in metrics[0] or name in metrics[1]
    }


def _importance(a: Model, b: Model) -> dict[str, tuple[float | None, float | None]]:
    importances = dict(a.tested.get("importance", {})), dict(b.tested.get("importance", {}))

    def weight(name: str) -> tuple[float, str]:
        return -max(importances[0].get(name, 0.0), importances[1].get(name, 0.0)), name

    names = sorted(importances[0].keys() | importances[1].keys(), key=weight)[:_FEATURES]
    return {name: (importances[0].get(name), importances[1].get(name)) for name in names}
