"""The satisfaction regressor: scores from 0 to 100 with intervals, and who is dissatisfied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin

from churnml.errors import UsageError
from churnml.estimators.base import BoostedEstimator, State
from churnml.estimators.boosting.bag import Bag
from churnml.estimators.boosting.fit import Settings, fit_sample, refit_for
from churnml.estimators.distribution.distribution import (
    Distribution,
    Index,
    Outcomes,
    fit_distribution,
)
from churnml.estimators.distribution.slopes import mean_slopes
from churnml.estimators.encoding.encoder import Encoder
from churnml.estimators.encoding.frames import read_column
from churnml.estimators.encoding.sample import Sample, read_bounds, read_scores
from churnml.estimators.parameters import check_real

COVERAGE = 0.9


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What is predicted for some rows; arrays of float64, shape (n,).

    Attributes
    ----------
    mean : array
        Expected scores.
    low, high : array
        The closed 90 % interval.
    dissatisfied : array
        Probabilities of a score at or below the threshold.
    """

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    dissatisfied: NDArray[np.float64]


class SatisfactionRegressor(RegressorMixin, BoostedEstimator):
    """The distribution of satisfaction, from cross-fitted bags of boosters.

    One bag predicts the score, one the log-odds of dissatisfaction; what shares of answers
    lie at or below each level follows from both. The mean, the interval and the probability
    of dissatisfaction are read off that one distribution.

    Parameters
    ----------
    bounds : (float, float), optional, default (0, 100)
        The scale: targets outside are refused, predictions are clipped to it. None for
        a target without ends.
    dissatisfied : float, default 60
        Scores at or below it are dissatisfied; within ``bounds``.
    interval_by : str, optional
        A column of text: those of its values that at least 250 customers have get intervals
        that hold the promised share of each. Passed over where X has no such column.
    num_leaves, learning_rate, max_rounds, folds, repeats, linear_start, monotone
        As in :class:`~churnml.estimators.churn.ChurnClassifier`.
    min_leaf, l2, column_share
        As in :class:`~churnml.estimators.churn.ChurnClassifier`.
    random_state : int, default 0
    n_jobs : int, optional
    verbose : int, default 0
        Above 0 a line is printed for each booster.

    Attributes
    ----------
    categories_ : dict of str to list of str
        The levels seen in training, by column.
    boosters_ : list of Booster
    distribution_ : Distribution
        Of the score, given what both bags say.
    levels_ : array of float64, shape (t,)
        The levels of :meth:`predict_distribution`, rising: all scores seen in training, or
        about 60 quantiles of them.
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
        interval_by: str | None = None,
        num_leaves: tuple[int, ...] | None = None,
        learning_rate: float | None = None,
        max_rounds: int = 2000,
        folds: int | None = None,
        repeats: int | None = None,
        linear_start: bool | None = None,
        min_leaf: int | None = None,
        l2: float | None = None,
        column_share: float | None = None,
        monotone: Mapping[str, int] | None = None,
        random_state: int = 0,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.bounds = bounds
        self.dissatisfied = dissatisfied
        self.interval_by = interval_by
        self.num_leaves = num_leaves
        self.learning_rate = learning_rate
        self.max_rounds = max_rounds
        self.folds = folds
        self.repeats = repeats
        self.linear_start = linear_start
        self.min_leaf = min_leaf
        self.l2 = l2
        self.column_share = column_share
        self.monotone = monotone
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Fit to customers who answered.

        Parameters
        ----------
        X : DataFrame, shape (n, k)
            Numbers, booleans, and text as categories.
        y : array of float, shape (n,)
            Scores within ``bounds``.
        groups : array, shape (n,), optional
            Rows of one customer share a value and are never parted by a fold.
        sample_weight : array, shape (n,), optional
            At least 0; scaled as `ChurnClassifier.fit` says.

        Raises
        ------
        DataError
            Missing, infinite or out-of-scale scores, infinite numbers in X, dates.
        UsageError
            A parameter out of its range.
        """
        return self._fit(X, y, groups, sample_weight)

    def _settings(self) -> Settings:
        check_real("dissatisfied", self.dissatisfied)
        if self.bounds is not None:
            _check_within(read_bounds(self.bounds), self.dissatisfied)
        if not (self.interval_by is None or isinstance(self.interval_by, str)):
            raise UsageError(
                f"interval_by is {self.interval_by!r}; a column's name, or None, was expected."
            )
        return Settings.of(self.get_params(deep=False))

    def _target(self, y: ArrayLike) -> NDArray[np.float64]:
        return read_scores(y, self.bounds)

    def _learn(self, settings: Settings, frame: pd.DataFrame, sample: Sample) -> None:
        label = self._sample_labels(frame, sample)
        fitted = fit_sample(sample, "squared", settings)
        bad = (sample.y <= self.dissatisfied).astype(np.float64)
        # Who is more satisfied is less often dissatisfied.
        opposite = {name: -sign for name, sign in (self.monotone or {}).items()}
        dissatisfied = refit_for(fitted, sample, bad, replace(settings, monotone=opposite))
        self._hold_bags(
            fitted.encoder, fitted.bag, None if dissatisfied is None else dissatisfied.bag
        )
        score = fitted.held_out.mean(axis=0)
        odds = np.zeros(score.size) if dissatisfied is None else dissatisfied.held_out.mean(axis=0)
        index = Index(score, odds)
        seen = Outcomes(
            index=index, y=sample.y, weight=sample.weight, group=sample.group, label=label
        )
        self.distribution_ = fit_distribution(
            seen, coverage=COVERAGE, cut=self.dissatisfied, ends=self.bounds
        )
        self.oof_ = sample.back(self.distribution_.mean(index))

    def _sample_labels(self, frame: pd.DataFrame, sample: Sample) -> NDArray[np.object_] | None:
        """The labels of ``interval_by`` in the order of the sample; None without the column."""
        if self.interval_by not in frame.columns:
            return None
        used = sample.place >= 0
        labels = np.empty(sample.y.size, object)
        labels[sample.place[used]] = _labels(frame[self.interval_by])[used]
        return labels

    def _hold_bags(self, encoder: Encoder, bag: Bag, dissatisfied: Bag | None) -> None:
        self.bag_ = bag
        self.dissatisfied_bag_ = dissatisfied
        self._hold(encoder, [booster for one in self._explained() for booster in one.boosters])

    def _explained(self) -> list[Bag]:
        return [self.bag_, *([] if self.dissatisfied_bag_ is None else [self.dissatisfied_bag_])]

    def _index(self, matrix: NDArray[np.float32]) -> Index:
        """The scores of both bags."""
        score = self.bag_.score(matrix, self._threads)
        if self.dissatisfied_bag_ is None:
            return Index(score, np.zeros(score.size))
        return Index(score, self.dissatisfied_bag_.score(matrix, self._threads))

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Expected scores: the means of the distributions, shape (n,)."""
        _, matrix = self._matrix(X)
        return self.distribution_.mean(self._index(matrix))

    def predict_all(self, X: Any) -> Prediction:
        """Mean, interval and probability of dissatisfaction, in one pass over the boosters."""
        frame, matrix = self._matrix(X)
        shares = self.distribution_.at(self._index(matrix))
        mean = self.distribution_.mean_of(shares)
        named = self.distribution_.masses and self.interval_by in frame.columns
        low, high = self.distribution_.interval(
            shares, _labels(frame[self.interval_by]) if named else None
        )
        return Prediction(
            mean=mean,
            # Of lopsided answers the mean may lie outside the middle 90 %.
            low=np.minimum(low, mean),
            high=np.maximum(high, mean),
            dissatisfied=self.distribution_.below(shares, self.dissatisfied),
        )

    def predict_distribution(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of a score at or below each of :attr:`levels_`, shape (n, t).

        They rise along a row, and the last is 1.
        """
        _, matrix = self._matrix(X)
        return self.distribution_.at(self._index(matrix))

    @property
    def levels_(self) -> NDArray[np.float64]:
        """The levels of :meth:`predict_distribution`, rising, shape (t,)."""
        return self.distribution_.thresholds

    def predict_interval(self, X: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Closed intervals that hold 90 % of scores: low and high, shape (n,) each.

        Calibrated on out-of-fold predictions with a finite-sample correction, so the share
        holds over all customers, and over those of each value of ``interval_by`` that is
        frequent enough; not for every kind of them. The mean lies within.
        """
        prediction = self.predict_all(X)
        return prediction.low, prediction.high

    def predict_dissatisfied(self, X: Any) -> NDArray[np.float64]:
        """Calibrated probabilities of a score at or below ``dissatisfied``, shape (n,)."""
        return self.predict_all(X).dissatisfied

    def explain(self, X: Any) -> pd.DataFrame:
        """Contributions to the expected score, in its points, by column.

        A row's contributions and :attr:`base_score_` add up to the prediction within 1e-9.
        Both bags' exact contributions (TreeSHAP) count, scaled by how much the mean moves
        with each bag's score between the base and the row, over both orders alike.

        Returns
        -------
        DataFrame, shape (n, k)
            The columns of training in their order, the index of ``X``.
        """
        frame, matrix = self._matrix(X)
        base, index = self._base(), self._index(matrix)
        by_score, by_odds = mean_slopes(self.distribution_, base, index)
        explainers = self._explainers()
        contributions = explainers[0].contributions(matrix) * by_score[:, None]
        if len(explainers) > 1:
            contributions += explainers[1].contributions(matrix) * by_odds[:, None]
        return self._by_column(contributions, frame)

    @property
    def base_score_(self) -> float:
        """The base value of contributions."""
        return float(self.distribution_.mean(self._base())[0])

    def _base(self) -> Index:
        bases = [explainer.base for explainer in self._explainers()]
        return Index(np.array(bases[:1]), np.array(bases[1:] or [0.0]))

    def _own_state(self) -> State:
        dissatisfied = self.dissatisfied_bag_
        state = {
            "bag": self.bag_.to_state(),
            "distribution": self.distribution_.to_state(),
            "unhappy": None if dissatisfied is None else dissatisfied.to_state(),
        }
        return state, [text for bag in self._explained() for text in bag.texts]

    def _restore(self, encoder: Encoder, state: Mapping[str, Any], boosters: list[str]) -> None:
        count = state["bag"]["boosters"]
        dissatisfied = state["unhappy"]
        self._hold_bags(
            encoder,
            Bag.from_state(state["bag"], boosters[:count]),
            None if dissatisfied is None else Bag.from_state(dissatisfied, boosters[count:]),
        )
        self.distribution_ = Distribution.from_state(state["distribution"])


def _check_within(bounds: tuple[float, float], dissatisfied: float) -> None:
    """Refuse a threshold that would make everybody, or nobody, dissatisfied."""
    low, high = bounds
    if low <= dissatisfied < high:
        return
    same = low + 0.6 * (high - low)
    raise UsageError(
        f"dissatisfied is {dissatisfied:g}, outside the scale from {low:g} to {high:g}: "
        f"{'everybody' if dissatisfied >= high else 'nobody'} would be dissatisfied.",
        hint=f"60 of 100 is {same:g} on this scale: give dissatisfied={same:g}.",
        value=repr(dissatisfied),
        expected=f"{low:g} or more and below {high:g}",
    )


def _labels(column: pd.Series) -> NDArray[np.object_]:
    """A column's values as text, None where missing."""
    values = read_column(column, "category")
    return np.array([*values.levels, None], object)[values.codes]
