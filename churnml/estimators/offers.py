"""What an offer changes in a customer's probability of leaving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm
from threadpoolctl import threadpool_limits

from churnml.errors import UsageError
from churnml.estimators.base import BoostedEstimator, State, unchanged_unless_done
from churnml.estimators.boosting.additive import Shapes
from churnml.estimators.boosting.bag import Bag
from churnml.estimators.boosting.booster import Recipe, load
from churnml.estimators.boosting.fit import seed_of
from churnml.estimators.encoding.encoder import Encoder, fit_encoder
from churnml.estimators.encoding.sample import Sample, draw_sample, fit_frame
from churnml.estimators.parameters import check_count, check_real, check_threads
from churnml.estimators.uplift.boosters import with_offers
from churnml.estimators.uplift.crossfit import (
    CrossFitted,
    cross_fit,
    raw_effects,
    treated_weights,
)
from churnml.estimators.uplift.experiment import (
    Experiment,
    read_offers,
    read_outcome,
    read_propensity,
)
from churnml.estimators.uplift.shrinkage import Shrinkage, fit_shrinkage

_CHUNK = 100_000


class EffectInterval(NamedTuple):
    """The ends of an interval, each a frame of one column an offer."""

    low: pd.DataFrame
    high: pd.DataFrame


class OfferEffect(BoostedEstimator):
    """The change that each offer makes to the probability of leaving: a cross-fitted X-learner.

    Several offers share their control rows, and the trees of outcomes, in which the offer is a
    column; each has trees of its own for its effect, since one may keep those whom another drives
    away. Effects are small against their noise, so trees are few and shallow with large leaves,
    and predicted differences between customers are kept only as far as doubly robust scores of
    customers who were left out bear them out; without evidence every customer has the offer's
    mean effect.

    Parameters
    ----------
    folds : int, default 5
        Customers are dealt into so many, at least 3. With 1 nothing is left out, and neither
        effects nor scores may be believed: it only shows what cross-fitting is for.
    max_rounds : int, default 100
        Trees of a booster.
    num_leaves : int, default 4
    learning_rate : float, default 0.05
    min_leaf : int, optional
        Rows that a leaf holds at least; by default a fortieth of the rows, 20 to 1,000.
    l2 : float, default 5
        Penalty on the values of the leaves.
    random_state : int, default 0
    n_jobs : int, optional
        Threads of a prediction; the result does not depend on it.

    Attributes
    ----------
    offers_ : list of str
        The offers, sorted.
    mean_effect_ : Series
        By offer, the mean over the rows of training, from doubly robust scores; negative
        where it keeps customers.
    mean_error_ : Series
        Its standard error, over customers.
    kept_ : float
        The part of the predicted differences that evidence bears out; 0 for none.
    scores_ : DataFrame, shape (n, offers)
        Doubly robust scores of the training rows; not saved.
    oof_effect_ : DataFrame, shape (n, offers)
        Their effects by models that saw nothing of their customers; not saved.
    propensity_ : DataFrame, shape (n, offers + 1)
        Probability of each offer and, last, of control (``""``); not saved.
    control_ : array, shape (n,)
        Their probability of leaving without an offer, cross-fitted; not saved.
    n_features_in_ : int
    feature_names_in_ : array of str

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"age": rng.integers(18, 80, 3000)})
    >>> offer = rng.choice(["data", None], 3000)
    >>> likes = (offer == "data") & (X["age"] < 40)
    >>> y = rng.random(3000) < np.where(likes, 0.1, 0.5)
    >>> effect = OfferEffect().fit(X, y, offer=offer, propensity=0.5).effect(X)
    >>> young = X["age"] < 40
    >>> bool(effect["data"][young].mean() < -0.2 < effect["data"][~young].mean())
    True
    """

    def __init__(
        self,
        *,
        folds: int = 5,
        max_rounds: int = 100,
        num_leaves: int = 4,
        learning_rate: float = 0.05,
        min_leaf: int | None = None,
        l2: float = 5.0,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.folds = folds
        self.max_rounds = max_rounds
        self.num_leaves = num_leaves
        self.learning_rate = learning_rate
        self.min_leaf = min_leaf
        self.l2 = l2
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        offer: Any = None,
        groups: ArrayLike | None = None,
        propensity: Any = None,
    ) -> Self:
        """Learn from customers of whom some were offered something, and some nothing.

        Parameters
        ----------
        X : DataFrame, shape (n, k)
            What was known before the offer: numbers, booleans, and text as categories.
        y : array, shape (n,)
            1 where the customer left, 0 where not.
        offer : array, shape (n,)
            The name of the row's offer; null (None, NaN) for control.
        groups : array, shape (n,), optional
            Rows of one customer share a value and are never parted by a fold.
        propensity : float, array, mapping or DataFrame, optional
            The probability with which offers were drawn: of any offer, one number or one a
            row; or of each, by name. Control has the rest. Learned from ``X`` where it is
            not given.

        Raises
        ------
        DataError
            Outcomes other than 0 and 1, rows without control or without an offer, fewer
            customers than folds, propensities at 0 or 1.
        UsageError
            A parameter out of its range.
        """
        with threadpool_limits(limits=1, user_api="blas"), unchanged_unless_done(self):
            seed = self._settings()
            frame = fit_frame(self, X)
            outcome = self._target(y)
            self.offers_, codes = read_offers(offer, len(frame))
            known = read_propensity(propensity, self.offers_, codes)
            self.columns_in_ = list(frame.columns)
            # Each row is a customer where nothing else is said: many that are alike must not
            # become one, which one fold would have alone.
            customers = np.arange(len(frame)) if groups is None else groups
            sample = draw_sample(frame, outcome + 2 * (codes + 1), None, customers)
            self._learn((seed, known), frame, sample)
        return self

    def _settings(self) -> int:
        """The seed, of parameters in their ranges."""
        check_count("folds", self.folds)
        if self.folds == 2:
            raise UsageError("folds is 2; 3 or more were expected.")
        check_count("max_rounds", self.max_rounds)
        check_count("num_leaves", self.num_leaves, least=2)
        check_count("min_leaf", self.min_leaf, none=True)
        check_real("learning_rate", self.learning_rate, above=0)
        check_real("l2", self.l2, least=0)
        check_threads("n_jobs", self.n_jobs)
        return seed_of(self.random_state)

    def _target(self, y: ArrayLike) -> NDArray[np.float64]:
        return read_outcome(y)

    def _learn(
        self,
        settings: tuple[int, NDArray[np.float64] | None],
        frame: pd.DataFrame,
        sample: Sample,
    ) -> None:
        seed, known = settings
        experiment = self._experiment(sample, known, seed)
        found = self._cross_fit(experiment, seed)
        self._adopt(found, experiment, sample, frame.index)

    def _experiment(
        self, sample: Sample, known: NDArray[np.float64] | None, seed: int
    ) -> Experiment:
        codes = np.round(sample.y).astype(np.int64)
        outcome, offer = (codes % 2).astype(np.float64), codes // 2 - 1
        customers = int(sample.group.max()) + 1
        if customers < max(self.folds, 2):
            raise UsageError(
                f"folds is {self.folds}, but there are {customers} customers.",
                hint="Give more customers, or fewer folds.",
            )
        rank = np.random.default_rng(seed).permutation(customers)[sample.group]
        encoder, matrix = fit_encoder(sample.values, outcome, sample.weight, rank)
        self.encoder_ = encoder
        if known is not None:
            # The mean over rows that are alike.
            sums = np.zeros((len(codes), known.shape[1]))
            np.add.at(sums, sample.place, known)
            known = sums / sums.sum(axis=1, keepdims=True)
        return Experiment(
            matrix=matrix,
            y=outcome,
            offer=offer,
            offers=len(self.offers_),
            weight=sample.weight,
            group=sample.group,
            propensity=known,
        )

    def _cross_fit(self, experiment: Experiment, seed: int) -> CrossFitted:
        rows = len(experiment.y)
        recipe = Recipe(
            loss="squared",
            num_leaves=(self.num_leaves,),
            learning_rate=self.learning_rate,
            max_rounds=self.max_rounds,
            patience=1,
            min_leaf=self.min_leaf or int(np.clip(rows // 40, 20, 1_000)),
            l2=self.l2,
            row_share=0.8 if rows >= 100 else 1.0,
        )
        return cross_fit(experiment, recipe, folds=self.folds, seed=seed)

    def _adopt(
        self, found: CrossFitted, experiment: Experiment, sample: Sample, index: pd.Index
    ) -> None:
        self._hold(self.encoder_, load(found.texts))
        self._texts = found.texts
        self.shares_ = treated_weights(experiment)
        self.shrinkage_ = fit_shrinkage(found, experiment.weight, experiment.group)

        def back(values: NDArray[np.float64], *more: str) -> pd.DataFrame:
            names = [*self.offers_, *more]
            return pd.DataFrame(values[sample.place], index=index, columns=names)

        self.scores_ = back(found.scores)
        self.oof_effect_ = back(self.shrinkage_.effect(found.effect))
        self.oof_raw_ = back(found.effect)
        self.propensity_ = back(found.propensity, "")
        self.control_ = found.control[sample.place]

    @property
    def mean_effect_(self) -> pd.Series:
        """By offer, the mean effect over the rows of training."""
        return pd.Series(self.shrinkage_.mean, index=self.offers_)

    @property
    def mean_error_(self) -> pd.Series:
        """By offer, the standard error of its mean effect."""
        return pd.Series(self.shrinkage_.mean_error, index=self.offers_)

    @property
    def kept_(self) -> float:
        """The part of the predicted differences that evidence bears out."""
        return self.shrinkage_.kept

    def effect(self, X: Any) -> pd.DataFrame:
        """The change of the probability of leaving by each offer.

        Parameters
        ----------
        X : DataFrame, shape (n, k)
            The columns of training by name, in any order; others are ignored.

        Returns
        -------
        DataFrame, shape (n, offers)
            The index of ``X``, one column an offer; negative where it keeps the customer.

        Raises
        ------
        SchemaError
            Columns missing, or text where training had numbers.
        """
        frame, raw = self._raw(X)
        return pd.DataFrame(self.shrinkage_.effect(raw), index=frame.index, columns=self.offers_)

    def effect_interval(self, X: Any, level: float = 0.95) -> EffectInterval:
        """Intervals of the effects: a frame of their low ends, and one of their high ends.

        They are about the mean effect of customers of whom the same is predicted; what one
        customer does nobody can tell.

        Parameters
        ----------
        X : DataFrame, shape (n, k)
        level : float, default 0.95

        Returns
        -------
        (DataFrame, DataFrame)
            As `effect`.
        """
        if not 0 < level < 1:
            raise UsageError(f"level is {level!r}; a number between 0 and 1 was expected.")
        frame, raw = self._raw(X)
        middle, error = self.shrinkage_.effect(raw), self.shrinkage_.error(raw)
        half = float(norm.ppf((1 + level) / 2)) * error
        low, high = (
            pd.DataFrame(np.clip(ends, -1, 1), index=frame.index, columns=self.offers_)
            for ends in (middle - half, middle + half)
        )
        return EffectInterval(low, high)

    def encoded(self, X: Any) -> NDArray[np.float32]:
        """The columns as the trees read them: numbers alone, shape (n, m).

        Parameters
        ----------
        X : DataFrame, shape (n, k)
        """
        return self._matrix(X)[1]

    def _raw(self, X: Any) -> tuple[pd.DataFrame, NDArray[np.float64]]:
        frame, matrix = self._matrix(X)
        raw = np.zeros((len(matrix), len(self.offers_)))
        size = 2 * len(self.offers_)
        folds = [self.boosters_[at : at + size] for at in range(0, len(self.boosters_), size)]
        for start in range(0, len(matrix), _CHUNK):
            rows = matrix[start : start + _CHUNK]
            each = [raw_effects(one, rows, self.shares_, self._threads) for one in folds]
            raw[start : start + _CHUNK] = np.mean(each, axis=0)
        return frame, raw

    def explain(self, X: Any, offer: str | None = None) -> pd.DataFrame:
        """Contributions to an offer's effect, by column (exact TreeSHAP).

        Parameters
        ----------
        X : DataFrame, shape (n, k)
        offer : str, optional
            One of ``offers_``; by default the one that keeps most on average.

        Returns
        -------
        DataFrame, shape (n, k)
            The columns of training in their order, the index of ``X``; all 0 where nothing
            tells customers apart. What the offer itself adds is not among them.
        """
        if offer is None:
            offer = self.offers_[int(np.argmin(self.shrinkage_.mean))]
        if offer not in self.offers_:
            raise UsageError(f"offer {offer!r}: {', '.join(self.offers_)} were learned.")
        frame, matrix = self._matrix(X)
        at = self.offers_.index(offer)
        rows = with_offers(matrix, at, len(self.offers_))
        explainers = self._explainers(extra=len(self.offers_))
        treated, control = explainers[2 * at : 2 * at + 2]
        share, width = self.shares_[at], matrix.shape[1]
        told = (1 - share) * treated.contributions(rows) + share * control.contributions(rows)
        return self._by_column(self.kept_ * told[:, :width], frame)

    def _explained(self) -> list[Bag]:
        size = 2 * len(self.offers_)
        return [
            Bag(
                shapes=Shapes(0.0, []),
                texts=self._texts[at::size],
                boosters=self.boosters_[at::size],
            )
            for at in range(size)
        ]

    def _own_state(self) -> State:
        state = {
            "offers": self.offers_,
            "shares": self.shares_.tolist(),
            "shrinkage": self.shrinkage_.to_state(),
        }
        return state, list(self._texts)

    def _restore(self, encoder: Encoder, state: Mapping[str, Any], boosters: list[str]) -> None:
        self.offers_ = list(state["offers"])
        self.shares_ = np.array(state["shares"], np.float64)
        self.shrinkage_ = Shrinkage(**state["shrinkage"])
        self._texts = list(boosters)
        self._hold(encoder, load(boosters))
