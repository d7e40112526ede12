"""The satisfaction regressor: scores from 0 to 100 with intervals, and who is dissatisfied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import column_or_1d
from threadpoolctl import threadpool_limits

from churnml.errors import DataError, UsageError
from churnml.estimators.bag import Bag
from churnml.estimators.calibration import Calibration, fit_calibration
from churnml.estimators.distribution import Distribution, fit_distribution
from churnml.estimators.encoding import Encoder
from churnml.estimators.explaining import Explainer, column_sums
from churnml.estimators.fitting import Settings, fit_sample, refit_for
from churnml.estimators.inputs import draw_sample, fit_frame, score_values
from churnml.estimators.state import plain_params, restore_columns

COVERAGE = 0.9


class SatisfactionRegressor(RegressorMixin, BaseEstimator):
    """Expected satisfaction with 90 % intervals, from cross-fitted bags of boosters.

    Parameters
    ----------
    bounds : (float, float), optional, default (0, 100)
        The scale: targets outside are refused, predictions are clipped to it. None for
        a target without ends.
    dissatisfied : float, default 60
        Scores at or below it are dissatisfied.
    num_leaves, learning_rate, max_rounds, folds, repeats, linear_start, monotone
        As in :class:`~churnml.estimators.churn.ChurnClassifier`.
    random_state : int, default 0
    n_jobs : int, optional

    Attributes
    ----------
    categories_ : dict of str to list of str
        The levels seen in training, by column.
    boosters_ : list of Booster
    distribution_ : Distribution
        Of the score, given its prediction.
    oof_ : array of float64, shape (n,)
        Out-of-fold predictions of the training rows, NaN where the weight is 0; not saved.
    n_features_in_ : int
    feature_names_in_ : array of str

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"wait": rng.exponential(300, 300), "hall": rng.choice(["a", "b"], 300)})
    >>> y = np.clip(90 - X["wait"] / 20 + rng.normal(0, 10, 300), 0, 100)
    >>> model = SatisfactionRegressor(repeats=1).fit(X, y)
    >>> low, high = model.predict_interval(X)
    >>> bool(np.all((low <= high) & (low >= 0) & (high <= 100)))
    True
    """

    def __init__(
        self,
        *,
        bounds: tuple[float, float] | None = (0.0, 100.0),
        dissatisfied: float = 60.0,
        num_leaves: tuple[int, ...] | None = None,
        learning_rate: float | None = None,
        max_rounds: int = 2000,
        folds: int | None = None,
        repeats: int | None = None,
        linear_start: bool | None = None,
        monotone: Mapping[str, int] | None = None,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.bounds = bounds
        self.dissatisfied = dissatisfied
        self.num_leaves = num_leaves
        self.learning_rate = learning_rate
        self.max_rounds = max_rounds
        self.folds = folds
        self.repeats = repeats
        self.linear_start = linear_start
        self.monotone = monotone
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Learn from customers who answered.

        Parameters
        ----------
        X : DataFrame, shape (n, k)
            Numbers, booleans, and text as categories.
        y : array of float, shape (n,)
            Scores within ``bounds``.
        groups : array, shape (n,), optional
            Rows of one customer share a value and are never parted by a fold.
        sample_weight : array, shape (n,), optional
            At least 0.

        Raises
        ------
        DataError
            Missing, infinite or out-of-scale scores, infinite numbers in X, dates.
        """
        # Sums over several threads differ in the last bits with the number of threads.
        with threadpool_limits(limits=1, user_api="blas"):
            return self._fit(X, y, groups, sample_weight)

    def _fit(
        self, X: Any, y: ArrayLike, groups: ArrayLike | None, sample_weight: ArrayLike | None
    ) -> Self:
        settings = Settings.of(self.get_params(deep=False))
        frame = fit_frame(self, X)
        scores = self._scores(y)
        self.columns_in_ = list(frame.columns)
        sample = draw_sample(frame, scores, sample_weight, groups)
        fitted = fit_sample(sample, "squared", settings)
        held_out = self._clip(fitted.held_out.mean(axis=0))
        self.distribution_ = fit_distribution(held_out, sample.y, sample.weight, coverage=COVERAGE)
        bad = (sample.y <= self.dissatisfied).astype(np.float64)
        unhappy = refit_for(fitted, sample, bad, settings)
        self._learned(fitted.encoder, fitted.bag, None if unhappy is None else unhappy.bag)
        if unhappy is not None:
            self.calibration_ = fit_calibration(
                unhappy.held_out, bad, sample.weight, unhappy.members
            )
        self.oof_ = sample.back(held_out)
        return self

    def _scores(self, y: Any) -> NDArray[np.float64]:
        if y is None:
            raise DataError("This estimator requires y to be passed, but the target y is None.")
        scores = column_or_1d(_numeric(y), warn=True)
        bad = ~np.isfinite(scores)
        if bad.any():
            kind = "NaN" if np.isnan(scores).any() else "infinity"
            raise DataError(
                f"y: Input contains {kind}: {int(bad.sum())} of {len(scores)} scores are "
                "missing or infinite.",
                count=int(bad.sum()),
            )
        if self.bounds is not None:
            low, high = self.bounds
            if not low < high:
                raise UsageError(f"bounds is {self.bounds!r}; low below high was expected.")
            out = np.flatnonzero((scores < low) | (scores > high))
            if out.size:
                raise DataError(
                    f"y: {out.size} scores outside {low:g} to {high:g} "
                    f"(row {out[0] + 1}: {scores[out[0]]:g}).",
                    hint="Bring the scores to the scale, or give the scale as bounds.",
                    count=int(out.size),
                    row=int(out[0]) + 1,
                )
        return scores

    def _clip(self, score: NDArray[np.float64]) -> NDArray[np.float64]:
        return score if self.bounds is None else np.clip(score, *self.bounds)

    def _learned(self, encoder: Encoder, bag: Bag, unhappy: Bag | None) -> None:
        self.encoder_ = encoder
        self.bag_ = bag
        self.unhappy_bag_ = unhappy
        self.boosters_ = bag.boosters + ([] if unhappy is None else unhappy.boosters)
        self.categories_ = encoder.categories
        self._explains: Explainer | None = None

    def _matrix(self, X: Any) -> NDArray[np.float32]:
        _, values = score_values(self, X)
        return self.encoder_.matrix(values)

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Expected scores, within ``bounds``, shape (n,)."""
        matrix = self._matrix(X)
        return self._clip(self.bag_.score(matrix, self.n_jobs or 0))

    def predict_interval(self, X: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Closed intervals that hold 90 % of scores: low and high, shape (n,) each.

        Calibrated on out-of-fold predictions with a finite-sample correction, so the share
        holds over all customers, not for every kind of them. The prediction, a mean, lies
        within: of lopsided answers it may lie outside the middle 90 %.
        """
        prediction = self.predict(X)
        low, high = self.distribution_.interval(prediction)
        return np.minimum(low, prediction), np.maximum(high, prediction)

    def predict_dissatisfied(self, X: Any) -> NDArray[np.float64]:
        """Calibrated probabilities of a score at or below ``dissatisfied``, shape (n,)."""
        matrix = self._matrix(X)
        if self.unhappy_bag_ is None:
            score = self._clip(self.bag_.score(matrix, self.n_jobs or 0))
            return self.distribution_.below(score, self.dissatisfied)
        score = self.unhappy_bag_.score(matrix, self.n_jobs or 0)
        return np.asarray(expit(self.calibration_.log_odds(score)))

    def explain(self, X: Any) -> pd.DataFrame:
        """Contributions to the score before it is clipped, in its points, by column.

        A row's contributions and :attr:`base_score_` add up to the prediction within 1e-9
        where it lies within ``bounds``.

        Returns
        -------
        DataFrame, shape (n, k)
            The columns of training in their order, the index of ``X``.
        """
        frame, values = score_values(self, X)
        found = self._explainer().contributions(self.encoder_.matrix(values))
        sums = column_sums(found, self.encoder_, self.columns_in_)
        return sums.set_axis(frame.index, axis=0)

    @property
    def base_score_(self) -> float:
        """The score that contributions are told from."""
        return self._explainer().base

    def _explainer(self) -> Explainer:
        if self._explains is None:
            self._explains = Explainer(self.bag_, self.encoder_.owners.size)
        return self._explains

    def unseen(self, X: Any) -> dict[str, int]:
        """Rows by column whose category was not seen in training, where there are any."""
        _, values = score_values(self, X)
        return self.encoder_.unseen(values)

    def to_state(self) -> tuple[dict[str, Any], list[str]]:
        """Plain data for JSON, and the booster texts: all that predicting needs."""
        state = {
            "columns": self.columns_in_,
            "named": hasattr(self, "feature_names_in_"),
            "params": plain_params(self),
            "encoder": self.encoder_.to_state(),
            "bag": self.bag_.to_state(),
            "distribution": self.distribution_.to_state(),
            "unhappy": None,
        }
        texts = list(self.bag_.texts)
        if self.unhappy_bag_ is not None:
            state["unhappy"] = self.unhappy_bag_.to_state()
            state["calibration"] = self.calibration_.to_state()
            texts += self.unhappy_bag_.texts
        return state, texts

    @classmethod
    def from_state(cls, state: Mapping[str, Any], boosters: list[str]) -> Self:
        """The fitted regressor of :meth:`to_state`, with the same predictions to the bit."""
        made = cls(**state["params"])
        restore_columns(made, state)
        count = state["bag"]["boosters"]
        unhappy = None
        if state["unhappy"] is not None:
            unhappy = Bag.from_state(state["unhappy"], boosters[count:])
            made.calibration_ = Calibration.from_state(state["calibration"])
        made._learned(
            Encoder.from_state(state["encoder"]),
            Bag.from_state(state["bag"], boosters[:count]),
            unhappy,
        )
        made.distribution_ = Distribution.from_state(state["distribution"])
        return made

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


def _numeric(y: Any) -> NDArray[np.float64]:
    array = np.asarray(y)
    if np.iscomplexobj(array):
        raise DataError("y: Complex data not supported.")
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"y: scores must be numbers ({error}).") from error
