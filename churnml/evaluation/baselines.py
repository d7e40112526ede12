"""What a model must beat: the base rate, and a plain regression."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from churnml.errors import DataError, SchemaError
from churnml.evaluation.inputs import check_labels, check_pair
from churnml.evaluation.options import check_kind, check_pair_of, check_task, check_whole

Task = Literal["churn", "satisfaction"]

_MOST_ROWS = 50_000


def base_rate(y: ArrayLike, rows: int) -> NDArray[np.float64]:
    """The training mean for everybody, shape (rows,).

    >>> base_rate([0, 1, 1, 0], 2)
    array([0.5, 0.5])
    """
    known, _ = check_pair(y, y)
    return np.full(check_whole("rows", rows, least=0), float(known.mean()))


def regression(
    task: Task, train: tuple[pd.DataFrame, ArrayLike], X: pd.DataFrame
) -> NDArray[np.float64]:
    """Predictions of scikit-learn's logistic (churn) or ridge (satisfaction) regression.

    Numbers by their ranks on a normal scale, so that long tails do no harm, the missing at
    the median and marked; categories one-hot. Learns from every k-th row where there are
    more than 50,000.

    Parameters
    ----------
    task : {"churn", "satisfaction"}
    train : (DataFrame, array)
        Features and target to learn from.
    X : DataFrame, shape (n, k)
        Rows to predict.

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
    from sklearn.linear_model import LogisticRegression, RidgeCV

    features, target = _checked(task, train, X)
    step = -(-len(features) // _MOST_ROWS)
    features, target = features.iloc[::step], target[::step]
    prepare = _preparation(features)
    matrix = prepare.fit_transform(_plain(features))
    ahead = prepare.transform(_plain(X))
    if task == "churn":
        logistic = LogisticRegression(C=0.1, solver="newton-cholesky")
        logistic.fit(matrix, target)
        return np.asarray(logistic.predict_proba(ahead)[:, 1])
    ridge = RidgeCV(np.logspace(0, 4, 9)).fit(matrix, target)
    return np.clip(ridge.predict(ahead), 0, 100)


def _checked(
    task: Task, train: tuple[pd.DataFrame, ArrayLike], X: pd.DataFrame
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    check_task(task)
    check_pair_of("train", train, "(features, target)")
    features = check_kind("the features to learn from", train[0], pd.DataFrame)
    check_kind("X", X, pd.DataFrame)
    target, _ = check_pair(check_labels(train[1]) if task == "churn" else train[1], train[1])
    if len(features) != target.size:
        raise DataError(f"the features have {len(features):,} rows, y {target.size:,}.")
    if task == "churn" and np.ptp(target) == 0:
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
                f"X.{name} is of type {X[name].dtype}; numbers were expected, as learnt from.",
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
    """The same columns as float64 and, where they are no numbers, text without holes."""
    plain = {
        name: column.astype("float64")
        if _number(column)
        else column.astype(object).where(column.notna(), "").astype(str)
        for name, column in features.items()
    }
    return pd.DataFrame(plain)
