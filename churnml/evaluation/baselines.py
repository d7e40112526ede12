"""What a model must beat: the base rate, and a plain regression."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Task = Literal["churn", "satisfaction"]

_MOST_ROWS = 50_000


def base_rate(y: ArrayLike, rows: int) -> NDArray[np.float64]:
    """The training mean for everybody, shape (rows,).

    >>> base_rate([0, 1, 1, 0], 2)
    array([0.5, 0.5])
    """
    return np.full(rows, float(np.mean(np.asarray(y, np.float64))))


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

    Examples
    --------
    >>> X = pd.DataFrame({"wait": [1.0, 2.0, 8.0, 9.0], "hall": list("abab")})
    >>> regression("churn", (X, [0, 0, 1, 1]), X) > 0.5
    array([False, False,  True,  True])
    """
    from sklearn.linear_model import LogisticRegression, RidgeCV

    features, y = train
    step = -(-len(features) // _MOST_ROWS)
    features, y = features.iloc[::step], np.asarray(y)[::step]
    prepare = _preparation(features)
    matrix = prepare.fit_transform(_plain(features))
    ahead = prepare.transform(_plain(X))
    if task == "churn":
        logistic = LogisticRegression(C=0.1, solver="newton-cholesky")
        logistic.fit(matrix, np.asarray(y))
        return np.asarray(logistic.predict_proba(ahead)[:, 1])
    ridge = RidgeCV(np.logspace(0, 4, 9)).fit(matrix, np.asarray(y, np.float64))
    return np.clip(ridge.predict(ahead), 0, 100)


def _preparation(features: pd.DataFrame) -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, QuantileTransformer

    numbers = [name for name in features if pd.api.types.is_numeric_dtype(features[name])]
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
        if pd.api.types.is_numeric_dtype(column)
        else column.astype(object).where(column.notna(), "").astype(str)
        for name, column in features.items()
    }
    return pd.DataFrame(plain)
