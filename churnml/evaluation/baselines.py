"""Baselines that a model must beat: base rate, linear model, one small booster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from churnml.base.autologging import without_autologging
from churnml.base.tasks import TaskName, of_task
from churnml.errors import DataError, SchemaError
from churnml.estimators.boosting.folds import assign_folds
from churnml.estimators.boosting.init_score import raw_loss
from churnml.estimators.boosting.ridge import Loss, fit_lines
from churnml.metrics.check_arrays import check_groups, check_labels, check_pair
from churnml.metrics.check_options import check_kind, check_pair_of, check_whole

Floats = NDArray[np.float64]
_Rows = tuple[Floats, Floats]

_MOST_TO_CHOOSE = 20_000
_FOLDS = 3
_PENALTIES = tuple(float(10**power) for power in np.arange(4, -0.5, -0.5))
_ROUNDS = 200
_SHY = {
    "num_leaves": 8,
    "learning_rate": 0.05,
    "deterministic": True,
    "force_col_wise": True,
    # Threads of its own would be lost in a process that forks.
    "num_threads": 1,
    "verbosity": -1,
}


def base_rate(y: ArrayLike, rows: int) -> NDArray[np.float64]:
    """The training mean for everybody, shape (rows,).

    >>> base_rate([0, 1, 1, 0], 2)
    array([0.5, 0.5])
    """
    known, _ = check_pair(y, y)
    return np.full(check_whole("rows", rows, least=0), float(known.mean()))


@without_autologging()
def regression(
    task: TaskName,
    train: tuple[pd.DataFrame, ArrayLike],
    X: pd.DataFrame,
    groups: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Predictions of scikit-learn's logistic (churn) or ridge (satisfaction) regression.

    Numbers by their ranks on a normal scale, so that long tails do no harm, the missing at
    the median and marked; categories one-hot. It learns from all rows, with the penalty
    whose loss on folds left out is smallest; above 20,000 rows some of the customers tell it.

    Parameters
    ----------
    task : {"churn", "satisfaction"}
    train : (DataFrame, array)
        Features and target to learn from.
    X : DataFrame, shape (n, k)
        Rows to predict.
    groups : array, optional
        The customer of each row to learn from, whom no fold parts; else every row is one.

    Returns
    -------
    array of float64, shape (n,)
        Probabilities, or scores from 0 to 100.

    Raises
    ------
    DataError
        Targets that do not fit, of one outcome alone, or no numbers.
    SchemaError
        Columns to predict that lack, or are of another kind than, those learnt from.
    UsageError
        Another ``task``, no DataFrame.

    Examples
    --------
    >>> X = pd.DataFrame({"wait": [1.0, 2.0, 8.0, 9.0], "hall": list("abab")})
    >>> regression("churn", (X, [0, 0, 1, 1]), X) > 0.5
    array([False, False,  True,  True])
    """
    features, target = _checked(task, train, X)
    customers = _customers(groups, len(features))
    prepare = _preparation(features)
    matrix = prepare.fit_transform(_plain(features))
    ahead = prepare.transform(_plain(X))
    penalty = _best_penalty(task, matrix, target, customers)
    return of_task(task, _LEARNERS).line(penalty, matrix, target, ahead)


def booster(
    task: TaskName, train: tuple[pd.DataFrame, ArrayLike], X: pd.DataFrame
) -> NDArray[np.float64]:
    """Predictions of one small LightGBM booster: 200 trees of 8 leaves, learning rate 0.05.

    Everything else has LightGBM's defaults. Parameters and errors are those of `regression`.

    Examples
    --------
    >>> X = pd.DataFrame({"wait": np.arange(100.0), "hall": list("ab") * 50})
    >>> booster("churn", (X, X["wait"] > 49), X.iloc[[0, 99]]) > 0.5
    array([False,  True])
    """
    import lightgbm as lgb

    features, target = _checked(task, train, X)
    matrix, ahead = _coded(features, X)
    texts = [at for at, name in enumerate(features) if not _number(features[name])]
    rows = lgb.Dataset(matrix, target, categorical_feature=texts)
    learner = of_task(task, _LEARNERS)
    grown = lgb.engine.train({**_SHY, "objective": learner.objective}, rows, _ROUNDS)
    return learner.bounded(np.asarray(grown.predict(ahead, num_threads=1), np.float64))


def _logistic(penalty: float, known: Floats, target: Floats, ahead: Floats) -> Floats:
    from sklearn.linear_model import LogisticRegression

    line = LogisticRegression(C=1 / penalty, solver="newton-cholesky").fit(known, target)
    return np.asarray(line.predict_proba(ahead)[:, 1], np.float64)


def _ridge(penalty: float, known: Floats, target: Floats, ahead: Floats) -> Floats:
    from sklearn.linear_model import Ridge

    line = Ridge(penalty).fit(known, target)
    return _on_scale(line.predict(ahead).astype(np.float64))


def _on_scale(scores: Floats) -> Floats:
    return np.clip(scores, 0, 100)


@dataclass(frozen=True, kw_only=True)
class _Learner:
    """How the baselines of a task are fitted."""

    loss: Loss
    objective: str
    two_outcomes: bool
    check: Callable[[ArrayLike], ArrayLike]
    line: Callable[[float, Floats, Floats, Floats], Floats]
    bounded: Callable[[Floats], Floats]


_LEARNERS: Mapping[str, _Learner] = {
    "churn": _Learner(
        loss="logistic",
        objective="binary",
        two_outcomes=True,
        check=check_labels,
        line=_logistic,
        bounded=lambda chances: chances,
    ),
    "satisfaction": _Learner(
        loss="squared",
        objective="regression",
        two_outcomes=False,
        check=lambda answers: answers,
        line=_ridge,
        bounded=_on_scale,
    ),
}


def _best_penalty(
    task: TaskName,
    matrix: Floats,
    target: NDArray[np.float64],
    customers: NDArray[np.int64],
) -> float:
    """Choose the penalty with the smallest loss in cross-validation grouped by customer."""
    step = -(-len(target) // _MOST_TO_CHOOSE)
    some = np.flatnonzero(customers % step == 0)
    matrix, target = matrix[some], target[some]
    customers = np.unique(customers[some], return_inverse=True)[1]
    two = of_task(task, _LEARNERS).two_outcomes
    rarest = np.unique(target, return_counts=True)[1].min() if two else len(target)
    folds = int(min(_FOLDS, customers.max() + 1, rarest))
    if folds < 2:
        return _PENALTIES[len(_PENALTIES) // 2]
    fold = assign_folds(target, customers, folds=folds, seed=0)
    losses = np.zeros(len(_PENALTIES))
    for one in range(folds):
        inside, outside = fold != one, fold == one
        losses += _losses(
            task, (matrix[inside], target[inside]), (matrix[outside], target[outside])
        )
    return _PENALTIES[int(np.argmin(losses))]


def _losses(task: TaskName, inside: _Rows, outside: _Rows) -> NDArray[np.float64]:
    """The summed held-out loss of each penalty."""
    (known, target), (ahead, happened) = inside, outside
    if of_task(task, _LEARNERS).two_outcomes and np.ptp(target) == 0:
        return np.zeros(len(_PENALTIES))
    kind = of_task(task, _LEARNERS).loss
    lines = fit_lines(known, target, np.ones(len(target)), loss=kind, penalties=_PENALTIES, steps=3)
    weight = np.ones(len(happened))
    return np.array([raw_loss(kind, happened, one.score(ahead), weight) for one in lines])


def _customers(groups: ArrayLike | None, rows: int) -> NDArray[np.int64]:
    """The number of each row's customer."""
    named = check_groups(groups, rows)
    return np.arange(rows) if named is None else named


def _coded(features: pd.DataFrame, X: pd.DataFrame) -> tuple[Floats, Floats]:
    """Encode both tables: categories as codes, unknown levels as missing."""
    known, ahead = _plain(features), _plain(X[list(features)])
    for name in features:
        if not _number(features[name]):
            places = {level: at for at, level in enumerate(sorted(set(known[name]) - {""}))}
            known[name], ahead[name] = known[name].map(places), ahead[name].map(places)
    return known.to_numpy(np.float64), ahead.to_numpy(np.float64)


def _checked(
    task: TaskName, train: tuple[pd.DataFrame, ArrayLike], X: pd.DataFrame
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    learner = of_task(task, _LEARNERS)
    check_pair_of("train", train, "(features, target)")
    features = check_kind("the features to learn from", train[0], pd.DataFrame)
    check_kind("X", X, pd.DataFrame)
    target, _ = check_pair(learner.check(train[1]), train[1])
    if len(features) != target.size:
        raise DataError(f"the features have {len(features):,} rows, y {target.size:,}.")
    if learner.two_outcomes and np.ptp(target) == 0:
        raise DataError(
            f"y is {target[0]:g} in all {target.size:,} rows to learn from; 0 and 1 were expected.",
            hint="Learn from more rows, or compare with base_rate alone.",
        )
    if not len(X):
        raise DataError("X has no rows to predict.", count=0)
    _same_columns(features, X)
    return features, target


def _same_columns(features: pd.DataFrame, X: pd.DataFrame) -> None:
    lacking = [str(name) for name in features if name not in X]
    if lacking:
        raise SchemaError(
            f"X lacks {len(lacking)} of the {features.shape[1]} columns to learn from: "
            f"{', '.join(lacking[:5])}.",
            column=lacking[0],
            count=len(lacking),
        )
    for name in features:
        if _number(features[name]) and not _number(X[name]):
            raise SchemaError(
                f"X.{name} is of type {X[name].dtype}; numbers were expected, as in training.",
                column=str(name),
                expected=str(features[name].dtype),
            )


def _number(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype))


def _preparation(features: pd.DataFrame) -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, QuantileTransformer

    numbers = [name for name in features if _number(features[name])]
    texts = [name for name in features if name not in numbers]
    ranks = QuantileTransformer(
        n_quantiles=min(200, len(features)),
        output_distribution="normal",
        subsample=20_000,
        random_state=0,
    )
    levels = OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=10, sparse_output=False
    )
    filled = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    return make_column_transformer(
        (make_pipeline(filled, ranks), numbers),
        (levels, texts),
    )


def _plain(features: pd.DataFrame) -> pd.DataFrame:
    """Convert columns to float64 or, if not numeric, to text without missing values."""
    plain = {
        name: column.astype("float64")
        if _number(column)
        else column.astype(object).where(column.notna(), "").astype(str)
        for name, column in features.items()
    }
    return pd.DataFrame(plain)
