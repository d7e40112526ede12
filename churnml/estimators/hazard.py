"""The churn hazard: the probability of leaving month by month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.utils import Tags
from sklearn.utils.validation import column_or_1d

from churnml.errors import DataError, UsageError
from churnml.estimators.base import BoostedEstimator, State
from churnml.estimators.boosting.additive import Shapes
from churnml.estimators.boosting.bag import Bag
from churnml.estimators.boosting.booster import Recipe, load
from churnml.estimators.boosting.fit import seed_of
from churnml.estimators.boosting.hazard_bag import (
    MANY,
    Growing,
    HazardBag,
    calibrate,
    fit_hazard_bag,
    level_months,
)
from churnml.estimators.boosting.person_months import PersonMonths, expand, thin, with_month
from churnml.estimators.boosting.schedule import schedule
from churnml.estimators.calibration import Calibration
from churnml.estimators.concordance import concordance
from churnml.estimators.encoding.encoder import Encoder, fit_encoder
from churnml.estimators.encoding.sample import Sample, matrix_signs
from churnml.estimators.parameters import (
    check_count,
    check_directions,
    check_real,
    check_threads,
    read_leaves,
)

_CHUNK = 65_536


class ChurnHazard(BoostedEstimator):
    """Calibrated chances of leaving, month by month: a discrete-time hazard by LightGBM.

    Every month in which a customer was seen is a row, with what was known of the customer
    before the first and the month's number; the target is whether the customer left in
    it (Cox, 1972; Singer and Willett, 1993). Who was still there when the data ended
    teaches as many months as were seen. The chance of leaving within *h* months is
    ``1 - (1 - hazard_1) ... (1 - hazard_h)``, which never falls as *h* grows.

    Parameters
    ----------
    months : int, default 6
        Months told apart, 1 to 60.
    num_leaves : tuple of int, default (16, 8, 24)
        Leaves of a tree, taken in turn by the boosters.
    learning_rate : float, optional
        By default a rule on the number of person-months.
    max_rounds : int, default 2000
        Trees of a booster at most; early stopping ends it sooner.
    folds : int, default 4
        Customers are dealt into so many folds; each is left out by one booster, which it
        stops and which its outcomes calibrate. Above 2,000,000 person-months a fifth of
        the customers is left out, by one booster.
    max_person_months : int, default 12_000_000
        Above it, months in which nobody left are thinned and weigh more.
    monotone : dict of str to int, optional
        +1 where the chance must not fall as the column rises, -1 where it must not rise.
    random_state : int, default 0
    n_jobs : int, optional
        Threads; all by default. The result does not depend on it.
    verbose : int, default 0
        Above 0 a line is printed for each booster.

    Attributes
    ----------
    categories_ : dict of str to list of str
        The levels seen in training, by column.
    boosters_ : list of Booster
    calibrations_ : list of Calibration
        By month, from raw score to calibrated log-odds of the hazard.
    n_features_in_ : int
    feature_names_in_ : array of str

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"tenure": rng.integers(1, 72, 500)})
    >>> month = np.ceil(rng.exponential(3 + X["tenure"] / 6)).astype(int)
    >>> y = np.where(month <= 6, month, -6)
    >>> within = ChurnHazard().fit(X, y).predict_within(X, (1, 2, 3, 6))
    >>> within.shape, bool((np.diff(within, axis=1) >= 0).all())
    ((500, 4), True)
    """

    def __init__(
        self,
        *,
        months: int = 6,
        num_leaves: tuple[int, ...] = (16, 8, 24),
        learning_rate: float | None = None,
        max_rounds: int = 2000,
        folds: int = 4,
        max_person_months: int = 12_000_000,
        monotone: Mapping[str, int] | None = None,
        random_state: int = 0,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.months = months
        self.num_leaves = num_leaves
        self.learning_rate = learning_rate
        self.max_rounds = max_rounds
        self.folds = folds
        self.max_person_months = max_person_months
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
        """Fit to customers who left or were censored.

        Parameters
        ----------
        X : DataFrame, shape (n, k)
            Numbers, booleans, and text as categories.
        y : array of int, shape (n,)
            *k* > 0: left in month *k*; -*m*: still there after *m* months. Months beyond
            ``months`` count as staying for all of them.
        groups : array, shape (n,), optional
            Rows of one customer share a value and are never parted by a fold.
        sample_weight : array, shape (n,), optional
            At least 0; scaled as `ChurnClassifier.fit` says.

        Raises
        ------
        DataError
            Outcomes that are 0, missing or no whole numbers; nobody who left, or nobody
            who stayed a month; infinite numbers, dates.
        UsageError
            A parameter out of its range.
        """
        return self._fit(X, y, groups, sample_weight)

    def _target(self, y: ArrayLike) -> NDArray[np.float64]:
        return _outcomes(y, self.months).astype(np.float64)

    def _learn(self, seed: int, frame: pd.DataFrame, sample: Sample) -> None:
        drawn = sample.y.astype(np.int64)
        rank = np.random.default_rng(seed).permutation(int(sample.group.max()) + 1)[sample.group]
        encoder, matrix = fit_encoder(
            sample.values, (drawn > 0).astype(np.float64), sample.weight, rank
        )
        months = thin(expand(drawn, sample.weight), self.max_person_months, seed)
        _require_both(months, sample.y.size)
        folds = min(self.folds, int(sample.group.max()) + 1)
        folds = 5 if len(months) > MANY and folds > 1 else folds
        recipe = self._recipe(months, encoder, matrix.shape[1], alone=folds < 2)
        given = Growing(
            matrix=matrix,
            months=months,
            group=sample.group,
            recipe=recipe,
            folds=folds,
            seed=seed,
            threads=self._threads,
            verbose=self.verbose,
        )
        bag, scores, judged = fit_hazard_bag(given, self.months)
        self._hold(encoder, bag.boosters)
        self.bag_ = bag
        apart = calibrate(months, scores, judged, count=self.months, members=len(bag.texts))
        self.calibrations_ = level_months(apart, bag, given)

    def _settings(self) -> int:
        """The seed, of parameters in their ranges."""
        check_count("months", self.months, most=60)
        for name in ("max_rounds", "folds", "max_person_months"):
            check_count(name, getattr(self, name))
        if self.num_leaves is None:
            raise UsageError("num_leaves is None; whole numbers from 2 to 131,072 were expected.")
        read_leaves("num_leaves", self.num_leaves)
        check_real("learning_rate", self.learning_rate, above=0, none=True)
        check_directions("monotone", self.monotone)
        check_threads("n_jobs", self.n_jobs)
        check_count("verbose", self.verbose, least=0)
        return seed_of(self.random_state)

    def _recipe(
        self, months: PersonMonths, encoder: Encoder, columns: int, *, alone: bool
    ) -> Recipe:
        rule = schedule(len(months), len(months), len(months), columns)
        signs = matrix_signs(self.monotone, encoder)
        return Recipe(
            loss="logistic",
            num_leaves=read_leaves("num_leaves", self.num_leaves) or (),
            learning_rate=self.learning_rate or rule.learning_rate,
            max_rounds=min(self.max_rounds, 100) if alone else self.max_rounds,
            patience=rule.patience,
            min_leaf=int(np.clip(len(months) // 40, 1, 100)),
            row_share=0.8 if len(months) >= 100 else 1.0,
            # The month may act either way.
            monotone=() if signs is None else (*signs.tolist(), 0),
        )

    def predict_hazard(self, X: Any) -> NDArray[np.float64]:
        """The chance of leaving in each month, of those still there, shape (n, months).

        Raises
        ------
        SchemaError
            Columns missing, or text where training had numbers.
        DataError
            Infinite numbers.
        """
        _, matrix = self._matrix(X)
        out = np.empty((len(matrix), self.months))
        for start in range(0, len(matrix), _CHUNK):
            rows = with_month(matrix[start : start + _CHUNK], 0)
            for month in range(1, self.months + 1):
                rows[:, -1] = month
                raw = self.bag_.score(rows, self._threads)
                odds = self.calibrations_[month - 1].log_odds(raw)
                out[start : start + _CHUNK, month - 1] = expit(odds)
        return out

    def predict_within(self, X: Any, months: Sequence[int] | None = None) -> NDArray[np.float64]:
        """The chance of leaving within so many months, never falling from left to right.

        Parameters
        ----------
        X : DataFrame, shape (n, k)
            The columns of training by name, in any order; others are ignored.
        months : sequence of int, optional
            From 1 to ``months``, ascending; by default each of them.

        Returns
        -------
        array of float64, shape (n, len(months))

        Raises
        ------
        UsageError
            Months that the model does not reach.
        """
        wanted = list(range(1, self.months + 1)) if months is None else list(months)
        beyond = [month for month in wanted if not 1 <= month <= self.months]
        if beyond:
            raise UsageError(f"month {beyond[0]}: the model predicts months 1 to {self.months}.")
        # Sums of logs lose nothing where chances are small, and can only rise.
        within = -np.expm1(np.cumsum(np.log1p(-self.predict_hazard(X)), axis=1))
        return within[:, [month - 1 for month in wanted]]

    def predict(self, X: Any) -> NDArray[np.float64]:
        """The chance of leaving within all the months, shape (n,)."""
        return self.predict_within(X, (self.months,))[:, 0]

    def score(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """How often who left sooner had the higher chance of leaving (Harrell's *C*).

        Of all pairs of a customer who left in a month and one who was seen to stay through
        it, the share in which the first has the higher :meth:`predict`; ties count half.
        0.5 is chance, 1 perfect, NaN where there is no such pair.

        Parameters
        ----------
        X : DataFrame, shape (n, k)
        y : array of int, shape (n,)
            As of :meth:`fit`.
        sample_weight : array, shape (n,), optional
            A pair weighs as much as the product of its two.

        References
        ----------
        Harrell, Califf, Pryor, Lee, Rosati (1982), "Evaluating the yield of medical tests",
        JAMA 247(18).
        """
        return concordance(_outcomes(y, self.months), self.predict(X), sample_weight)

    def explain(self, X: Any, month: int = 1) -> pd.DataFrame:
        """Contributions to the calibrated log-odds of leaving in a month, by column.

        Exact TreeSHAP, scaled by the calibration as `ChurnClassifier.explain` says; what
        the month itself adds is not among them.

        Returns
        -------
        DataFrame, shape (n, k)
            The columns of training in their order, the index of ``X``.
        """
        frame, matrix = self._matrix(X)
        rows = with_month(matrix, month)
        (explainer,) = self._explainers(extra=1)
        start = self.bag_.start[month - 1]
        raw = self.bag_.score(rows, self._threads)
        slope = self.calibrations_[month - 1].secant(raw, explainer.base + start)
        return self._by_column(explainer.contributions(rows)[:, :-1], frame).mul(slope, axis=0)

    def _explained(self) -> list[Bag]:
        return [Bag(shapes=Shapes(0.0, []), texts=self.bag_.texts, boosters=self.bag_.boosters)]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        # No tag says "whole numbers but 0"; this one keeps 0 out of what tools make up as y.
        tags.target_tags.positive_only = True
        return tags

    def _own_state(self) -> State:
        state = {
            "start": self.bag_.start.tolist(),
            "calibrations": [one.to_state() for one in self.calibrations_],
        }
        return state, list(self.bag_.texts)

    def _restore(self, encoder: Encoder, state: Mapping[str, Any], boosters: list[str]) -> None:
        start = np.array(state["start"], np.float64)
        self.bag_ = HazardBag(start=start, texts=list(boosters), boosters=load(boosters))
        self._hold(encoder, self.bag_.boosters)
        self.calibrations_ = [Calibration.from_state(one) for one in state["calibrations"]]


def _outcomes(y: Any, months: int) -> NDArray[np.int64]:
    """Outcomes as whole numbers; what lies beyond the months is staying for all of them.

    Raises
    ------
    DataError
        Missing ones, 0, and numbers that are not whole.
    """
    given = column_or_1d(y, warn=True)
    lost = int(pd.isna(given).sum())
    if lost:
        raise DataError(f"y: {lost} of {len(given)} outcomes are missing.", count=lost)
    numbers = np.asarray(given, np.float64)
    wrong = (numbers == 0) | (numbers != np.round(numbers)) | np.isinf(numbers)
    if wrong.any():
        raise DataError(
            f"y: {int(wrong.sum())} of {len(given)} outcomes are not months, such as "
            f"{numbers[wrong][0]:g}.",
            hint="Give k for who left in month k, -m for who was there after m months.",
            count=int(wrong.sum()),
            expected="whole numbers but 0",
        )
    outcome = numbers.astype(np.int64)
    return np.where(np.abs(outcome) > months, -months, outcome)


def _require_both(months: PersonMonths, customers: int) -> None:
    left = int(months.left.sum())
    if left in (0, len(months)):
        raise DataError(
            f"y: in {left} of {len(months)} person-months of {customers} "
            f"sample{'s' * (customers != 1)} somebody left.",
            hint="A hazard needs months in which customers left and months in which they stayed.",
            count=left,
        )
