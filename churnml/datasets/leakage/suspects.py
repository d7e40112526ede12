"""Find columns that look as if they came with the outcome, or after it.

By these rules:

- ``decides``: alone it reaches an AUC of 0.90 (R² of 0.5 for a score), or of 0.80 (0.2) and
  still more than all other columns together. Of honest columns of the tables this was
  tried on, the strongest reached 0.76 (0.10), of those that came after the outcome the
  weakest 0.94 (0.36).
- ``copy``: it orders the rows as the target does, or tells it value for value.
- ``one class``: filled, or other than its commonest value, for leavers or for stayers alone:
  at most a fiftieth of the others that chance would put there.
- ``survey``: coded like a questionnaire's choices, or answered on the target's own scale.
- ``id``: its values repeat and the target never changes within one: it names customers, whose
  rows would stand in training and test alike.
- ``name``: named after the outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.base.tasks import TASKS, TITLES, TaskName
from churnml.datasets.leakage.availability import dropping
from churnml.datasets.leakage.multivariate import together
from churnml.datasets.leakage.names import says_id, says_outcome
from churnml.datasets.leakage.one_class import one_class, repeats
from churnml.datasets.leakage.questionnaire import answers
from churnml.metrics.suites import suite
from churnml.metrics.univariate import deal, reached, unseen_means

SuspectKind = Literal["copy", "one class", "decides", "survey", "id", "name"]
Floats = NDArray[np.float64]

_MARGIN = 0.02
_COPY = 0.98
_SAME_SCALE = 0.1
_FEW_ROWS = 100
_NEARLY_EVERY = 0.95


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A column that looks like an outcome.

    Attributes
    ----------
    column : str
    kind : {"copy", "one class", "decides", "survey", "id", "name"}
    evidence : str
        What was found, with its number.
    strength : float
        What the column alone reaches: AUC, or R² for a score; NaN where not measured.
    """

    column: str
    kind: SuspectKind
    evidence: str
    strength: float = float("nan")

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for ``--json``."""
        fields = asdict(self)
        known = None if np.isnan(self.strength) else round(self.strength, 4)
        return fields | {"strength": known, "told": str(self)}

    def __str__(self) -> str:
        return describe_suspects([self])[0]


def describe_suspects(suspects: Sequence[Suspect], *, advise: bool = True) -> list[str]:
    """Describe suspects in sentences, one for the same evidence, with what to do about them.

    Examples
    --------
    >>> describe_suspects(
    ...     [
    ...         Suspect(column=name, kind="survey", evidence="two answers")
    ...         for name in ("Q1", "Q2")
    ...     ]
    ... )
    ["'Q1', 'Q2' look like outcomes: two answers. Leave out with --drop 'Q1' --drop 'Q2', or
    declare operator under availability.columns."]
    """
    alike: dict[tuple[str, str], list[str]] = {}
    for one in suspects:
        alike.setdefault((one.kind, one.evidence), []).append(one.column)
    return [
        _finding(kind, evidence, names) + (f" {_advice(kind, names)}" if advise else "")
        for (kind, evidence), names in alike.items()
    ]


def _finding(kind: str, evidence: str, names: list[str]) -> str:
    listed = ", ".join(repr(name) for name in names)
    look = "looks like" if len(names) == 1 else "look like"
    what = "an outcome" if len(names) == 1 else "outcomes"
    if kind == "id":
        what = "an id" if len(names) == 1 else "ids"
    return f"{listed} {look} {what}: {evidence}."


def _advice(kind: str, names: list[str]) -> str:
    drop = dropping(names)
    if kind == "id":
        return f"Give it as {drop.replace('--drop', '--group')}, or leave out with {drop}."
    return f"Leave out with {drop}, or declare operator under availability.columns."


def find_suspects(
    X: pd.DataFrame,
    y: Iterable[float],
    *,
    task: TaskName,
    groups: Iterable[Any] | None = None,
    scale: tuple[float, ...] = (),
    certain: Collection[str] = (),
    trusted: Collection[str] = (),
) -> list[Suspect]:
    """Find columns that look like outcomes.

    Parameters
    ----------
    X : DataFrame, shape (n, k)
        Numbers and texts, in the order of the file.
    y : shape (n,)
        Churn: 0 or 1. Satisfaction: 0 to 100.
    task : {"churn", "satisfaction"}
    groups : shape (n,), optional
        The customer of each row, where known.
    scale : (low, high), optional
        Of a satisfaction target as it was asked.
    certain : collection of str
        Columns that are known to settle the target.
    trusted : collection of str
        Columns that are declared to be there for every customer.

    Returns
    -------
    list of Suspect
        In the order of the columns, each once.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> y = (random.random(500) < 0.3).astype(float)
    >>> X = pd.DataFrame({"age": random.integers(18, 80, 500).astype(float)})
    >>> X["refund"] = np.where((y == 1) & (X["age"] < 50), 9.5, np.nan)
    >>> [(one.column, one.kind) for one in find_suspects(X, y, task="churn")]
    [('refund', 'one class')]
    """
    target = np.asarray(y, dtype=float)
    if len(target) < _FEW_ROWS:
        return [Suspect(column=name, kind="copy", evidence=_SETTLES) for name in certain]
    seen = _Seen(X.drop(columns=list(trusted)), target, task, groups, scale)
    suspects: dict[str, Suspect] = {
        name: Suspect(column=name, kind="copy", evidence=_SETTLES) for name in certain
    }
    for find in (_copies, _scale, _one_class, _deciding, _survey, _named, _customers):
        for one in find(seen, suspects):
            suspects.setdefault(one.column, one)
    place = {name: at for at, name in enumerate(X.columns)}
    return sorted(suspects.values(), key=lambda one: place[one.column])


_SETTLES = "each of its values goes with one outcome only"


class _Seen:
    """A sample of the rows with each column's univariate strength."""

    def __init__(
        self, X: pd.DataFrame, y: Floats, task: str, groups: Iterable[Any] | None, scale: Any
    ) -> None:
        self.all, self.y_all, self.task, self.scale = X, y, task, scale
        self.grouped = groups is not None
        rows, self.folds = deal(len(y), None if groups is None else np.asarray(groups))
        self.X, self.y = X.iloc[rows], y[rows]
        self.means = unseen_means(self.X, self.y, self.folds)
        self.strength = {name: self.reach(means) for name, means in self.means.items()}

    def reach(self, scores: Floats) -> float:
        """AUC or R² of scores."""
        return reached(self.task, self.y, scores)

    def rest(self, without: Collection[str]) -> tuple[int, float]:
        """The number of other columns, and what they reach together."""
        names = [name for name in self.means if name not in without]
        means = np.column_stack(
            [self.means[name] for name in names] or [np.empty((len(self.y), 0))]
        )
        return len(names), self.reach(together(means, self.y, self.folds))

    @property
    def measure(self) -> str:
        return TITLES[TASKS[self.task].skill]

    @property
    def limits(self) -> _Limits:
        return _LIMITS[self.task]


def _copies(seen: _Seen, _found: Collection[str]) -> Iterable[Suspect]:
    for name, strength in seen.strength.items():
        column = seen.X[name].reset_index(drop=True)
        if not pd.api.types.is_numeric_dtype(column) or strength < seen.limits.strong:
            continue
        evidence = seen.limits.copies(pd.Series(seen.y), column, strength)
        if evidence:
            yield Suspect(column=name, kind="copy", evidence=evidence, strength=strength)


def _splits_alike(y: pd.Series, column: pd.Series, strength: float) -> str:
    """Evidence that a column is the outcome itself; empty where it is not."""
    return f"alone it reaches AUC {strength:.3f}" if strength >= 1 - (1 - _COPY) / 10 else ""


def _orders_alike(y: pd.Series, column: pd.Series, strength: float) -> str:
    """Evidence that a column orders the rows as the answers do; empty where it does not."""
    alike = abs(y.corr(column, method="spearman"))
    same = column.notna().mean() > 0.5 and alike >= _COPY
    return f"its rank correlation with the target is {alike:.3f}" if same else ""


@dataclass(frozen=True, kw_only=True)
class _Limits:
    """What one column may reach alone, and what else gives it away.

    Attributes
    ----------
    decides, strong : float
        From here on it decides; from here on it does if all others together reach less.
    copies : function
        Of target, column and strength: evidence that the column is the target.
    classes : (str, str)
        Whose values, of the two kinds of customers.
    """

    decides: float
    strong: float
    copies: Callable[[pd.Series, pd.Series, float], str]
    classes: tuple[str, str]


_LIMITS: Mapping[str, _Limits] = {
    "churn": _Limits(
        decides=0.90, strong=0.80, copies=_splits_alike, classes=("leavers'", "stayers'")
    ),
    "satisfaction": _Limits(
        decides=0.5,
        strong=0.2,
        copies=_orders_alike,
        classes=("of the dissatisfied", "of the satisfied"),
    ),
}


def _one_class(seen: _Seen, _found: Collection[str]) -> Iterable[Suspect]:
    left = suite(seen.task).positives(seen.y_all)
    for name in seen.all.columns:
        evidence = one_class(seen.all[name], left, seen.limits.classes)
        if evidence:
            yield Suspect(
                column=name, kind="one class", evidence=evidence, strength=seen.strength[name]
            )


def _deciding(seen: _Seen, suspected: Collection[str]) -> Iterable[Suspect]:
    ranked = sorted(seen.strength, key=lambda name: -seen.strength[name])
    sure = [name for name in ranked if seen.strength[name] >= seen.limits.decides]
    others = [name for name in ranked if name not in sure and name not in suspected]
    strong = [name for name in others if seen.strength[name] >= seen.limits.strong]
    lost = {*suspected, *sure}
    for name in (*sure, *strong):
        count, rest = seen.rest({*lost, name})
        if name in sure or seen.strength[name] > rest + _MARGIN:
            lost.add(name)
            yield Suspect(
                column=name,
                kind="decides",
                evidence=f"alone it reaches {seen.measure} {seen.strength[name]:.2f}; "
                f"{count} other columns together {rest:.2f}",
                strength=seen.strength[name],
            )


def _survey(seen: _Seen, _found: Collection[str]) -> Iterable[Suspect]:
    items = answers(seen.all)
    for name in items:
        evidence = f"{len(items)} columns are coded like the answers of a survey"
        yield Suspect(column=name, kind="survey", evidence=evidence, strength=seen.strength[name])


def _scale(seen: _Seen, _found: Collection[str]) -> Iterable[Suspect]:
    for name, strength in seen.strength.items():
        column = seen.X[name]
        if strength < _SAME_SCALE or not seen.scale or not pd.api.types.is_numeric_dtype(column):
            continue
        levels = np.unique(column.dropna().to_numpy(dtype=float))
        if len(levels) < 4 or (levels % 1).any():
            continue
        ends = (float(levels[0]), float(levels[-1]))
        if ends == tuple(seen.scale):
            evidence = (
                f"it lies on the target's own scale, {ends[0]:g} to {ends[1]:g}, and alone "
                f"reaches {seen.measure} {strength:.2f}"
            )
            yield Suspect(column=name, kind="survey", evidence=evidence, strength=strength)


def _named(seen: _Seen, _found: Collection[str]) -> Iterable[Suspect]:
    for name, strength in seen.strength.items():
        why = says_outcome(name, seen.task)
        if why:
            evidence = f"{why} (alone it reaches {seen.measure} {strength:.2f})"
            yield Suspect(column=name, kind="name", evidence=evidence, strength=strength)


def _customers(seen: _Seen, suspected: Collection[str]) -> Iterable[Suspect]:
    """Columns that identify customers, by name or by repeating with the target."""
    columns = [name for name in seen.all.columns if name not in suspected]
    for name in columns:
        if says_id(name) and seen.all[name].nunique() >= _NEARLY_EVERY * len(seen.all):
            evidence = f"{seen.all[name].nunique()} values in {len(seen.all)} rows"
            yield Suspect(column=name, kind="id", evidence=evidence, strength=seen.strength[name])
    if seen.grouped:
        return
    named = {name: repeats(seen.all[name], seen.y_all) for name in columns}
    best = max(named, key=lambda name: named[name][0], default=None)
    if best is not None and named[best][0] > 0:
        yield Suspect(column=best, kind="id", evidence=named[best][1], strength=seen.strength[best])
