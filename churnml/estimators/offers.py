"""What an offer changes in a customer's probability of leaving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from churnml.estimators.parameters import MOST_LEAVES, check_count, check_real, check_threads
from churnml.estimators.uplift.boosters import with_acceptance, with_offers
from churnml.estimators.uplift.crossfit import (
    CrossFitted,
    acceptance_chances,
    cross_fit,
    relative_effects,
    risk_of,
)
from churnml.estimators.uplift.experiment import (
    CONTROL,
    Experiment,
    read_offers,
    read_outcome,
    read_propensity,
)
from churnml.estimators.uplift.shrinkage import (
    Shrinkage,
    fit_shrinkage,
    held_out_effects,
    possible,
)

_CHUNK = 100_000


class EffectInterval(NamedTuple):
    """The ends of an interval, each a frame of one column an offer."""

    low: pd.DataFrame
    high: pd.DataFrame


class OfferEffect(BoostedEstimator):
    """The change that each offer makes to the probability of leaving: a cross-fitted R-learner.

    What is learned is the share of those about to leave whom an offer keeps, for a change of
    the log-odds is nearly that: the same offer moves a customer at risk by more points than one
    who is safe. Several offers share their control rows, and the trees of outcomes, in which
    the offer is a column; each has trees of its own for its effect, since one may keep those
    whom another drives away. Effects are small against their noise, so these are few stumps
    with large leaves, and predicted differences between customers are kept, offer by offer,
    only as far as doubly robust scores of customers who were left out bear them out; without
    evidence every customer has the offer's mean effect for her risk.

    Parameters
    ----------
    folds : int, default 5
        Customers are dealt into so many, at least 3. With 1 nothing is left out, and neither
        effects nor scores may be believed: it only shows what cross-fitting is for.
    max_rounds : int, default 100
        Trees of a booster; of one of effects 20 at most.
    num_leaves : int, default 4
        Of the trees of outcomes; those of effects have two.
    learning_rate : float, default 0.05
    min_leaf : int, optional
        Rows that a leaf holds at least; by default a fortieth of the rows, 20 to 1,000.
    l2 : float, default 5
        Penalty on the values of the leaves.
    drivers : list of str, optional
        Columns by which effects may differ; all by default. The fewer, the more is found:
        effects are small, and each column more is one more by which chance may tell them.
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
    kept_ : Series
        By offer, the part of the predicted differences that evidence bears out; 0 for none.
    differs_ : Series
        By offer, the chance of evidence as strong as this where it moves everybody alike.
    keeps_some_ : Series
        By offer, the same where it does not even keep the fifth that it is said to keep most.
    scores_ : DataFrame, shape (n, offers)
        Doubly robust scores of the training rows; not saved.
    oof_effect_ : DataFrame, shape (n, offers)
        Their effects by models and evidence that saw nothing of their customers; not saved.
    fold_ : array of int, shape (n,)
        By which fold's models: only effects of the same fold may be ranked; not saved.
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
        drivers: Sequence[str] | None = None,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.folds = folds
        self.max_rounds = max_rounds
        self.num_leaves = num_leaves
        self.learning_rate = learning_rate
        self.min_leaf = min_leaf
        self.l2 = l2
        self.drivers = drivers
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
        accepted: ArrayLike | None = None,
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
        accepted : array, shape (n,), optional
            1 where the offer was accepted, 0 where not or nothing was offered: who accepts
            helps to tell who is kept.

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
            agreed = np.zeros(len(frame)) if accepted is None else read_outcome(accepted)
            size = 2 * (len(self.offers_) + 1)
            sample = draw_sample(frame, outcome + 2 * (codes + 1) + size * agreed, None, customers)
            self._learn((seed, known, accepted is not None), frame, sample)
        return self

    def _settings(self) -> int:
        """The seed, of parameters in their ranges."""
        check_count("folds", self.folds)
        if self.folds == 2:
            raise UsageError("folds is 2; 3 or more were expected.")
        check_count("max_rounds", self.max_rounds)
        check_count("num_leaves", self.num_leaves, least=2, most=MOST_LEAVES)
        check_count("min_leaf", self.min_leaf, none=True)
        check_real("learning_rate", self.learning_rate, above=0)
        check_real("l2", self.l2, least=0)
        check_threads("n_jobs", self.n_jobs)
        if not (self.drivers is None or isinstance(self.drivers, list | tuple | set | frozenset)):
            raise UsageError(f"drivers is {self.drivers!r}; names of columns, or None, expected.")
        return seed_of(self.random_state)

    def _target(self, y: ArrayLike) -> NDArray[np.float64]:
        return read_outcome(y)

    def _learn(
        self,
        settings: tuple[int, NDArray[np.float64] | None, bool],
        frame: pd.DataFrame,
        sample: Sample,
    ) -> None:
        seed, known, told = settings
        experiment = self._experiment(sample, known, seed)
        if not told:
            experiment = replace(experiment, accepted=None)
        found = self._cross_fit(experiment, seed)
        self._adopt(found, experiment, sample, frame.index)

    def _experiment(
        self, sample: Sample, known: NDArray[np.float64] | None, seed: int
    ) -> Experiment:
        codes = np.round(sample.y).astype(np.int64)
        size = 2 * (len(self.offers_) + 1)
        accepted, codes = (codes // size).astype(np.float64), codes % size
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
            drivers=self._driving(encoder),
            accepted=accepted,
        )

    def _driving(self, encoder: Encoder) -> NDArray[np.bool_] | None:
        """Which columns of the matrix effects may differ by."""
        if self.drivers is None:
            return None
        named = np.array([one.name in self.drivers for one in encoder.columns])
        if not named.any():
            raise UsageError(f"drivers is {self.drivers!r}; no column is called so.")
        return np.asarray(named[encoder.owners])

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
        self._take(self.encoder_, found.effects, found.outcomes, found.acceptance)
        self.level_ = np.asarray(found.level)
        self.shrinkage_ = fit_shrinkage(found, experiment.weight, experiment.group)

        def back(values: NDArray[np.float64], *more: str) -> pd.DataFrame:
            names = [*self.offers_, *more]
            return pd.DataFrame(values[sample.place], index=index, columns=names)

        self.scores_ = back(found.scores)
        self.oof_effect_ = back(held_out_effects(found, experiment.weight, experiment.group))
        self.propensity_ = back(found.propensity, "")
        self.control_ = found.control[sample.place]
        self.fold_ = found.fold[sample.place]

    def _take(
        self, encoder: Encoder, effects: list[str], outcomes: list[str], acceptance: list[str]
    ) -> None:
        """Hold the boosters of effects first, then those of outcomes and of acceptance."""
        self._texts = [*effects, *outcomes, *acceptance]
        self._effects, self._outcomes = len(effects), len(outcomes)
        self._hold(encoder, load(self._texts))

    @property
    def mean_effect_(self) -> pd.Series:
        """By offer, the mean effect over the rows of training."""
        return pd.Series(self.shrinkage_.mean, index=self.offers_)

    @property
    def mean_error_(self) -> pd.Series:
        """By offer, the standard error of its mean effect."""
        return pd.Series(self.shrinkage_.mean_error, index=self.offers_)

    @property
    def kept_(self) -> pd.Series:
        """By offer, the part of the predicted differences that evidence bears out."""
        return pd.Series(self.shrinkage_.kept, index=self.offers_)

    @property
    def differs_(self) -> pd.Series:
        """By offer, the chance of such evidence of differences where there are none."""
        return pd.Series(self.shrinkage_.chances()[0], index=self.offers_)

    @property
    def keeps_some_(self) -> pd.Series:
        """By offer, the chance of such evidence where it keeps nobody."""
        return pd.Series(self.shrinkage_.chances()[1], index=self.offers_)

    def effect(self, X: Any, *, chance: ArrayLike | None = None) -> pd.DataFrame:
        """The change of the probability of leaving by each offer.

        Parameters
        ----------
        X : DataFrame, shape (n, k)
            The columns of training by name, in any order; others are ignored.
        chance : array, shape (n,), optional
            Probability of leaving without an offer, where a better one is known than the rows
            of training teach.

        Returns
        -------
        DataFrame, shape (n, offers)
            The index of ``X``, one column an offer; negative where it keeps the customer.

        Raises
        ------
        SchemaError
            Columns missing, or text where training had numbers.
        """
        frame, relative, base = self._relative(X, chance)
        return pd.DataFrame(
            self.shrinkage_.effect(relative, base), index=frame.index, columns=self.offers_
        )

    def effect_interval(
        self, X: Any, level: float = 0.95, *, chance: ArrayLike | None = None
    ) -> EffectInterval:
        """Intervals of the effects: a frame of their low ends, and one of their high ends.

        They are about the mean effect of customers of whom the same is predicted; what one
        customer does nobody can tell.

        Parameters
        ----------
        X : DataFrame, shape (n, k)
        level : float, default 0.95
        chance : array, shape (n,), optional
            As for `effect`.

        Returns
        -------
        (DataFrame, DataFrame)
            As `effect`.
        """
        if not 0 < level < 1:
            raise UsageError(f"level is {level!r}; a number between 0 and 1 was expected.")
        frame, relative, base = self._relative(X, chance)
        middle = self.shrinkage_.effect(relative, base)
        half = float(norm.ppf((1 + level) / 2)) * self.shrinkage_.error(relative, base)
        low, high = (
            pd.DataFrame(possible(ends, base), index=frame.index, columns=self.offers_)
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

    def _relative(
        self, X: Any, chance: ArrayLike | None
    ) -> tuple[pd.DataFrame, NDArray[np.float64], NDArray[np.float64]]:
        """The frame, its effects in units of risk, and the chances of leaving without one."""
        frame, matrix = self._matrix(X)
        relative = np.zeros((len(matrix), len(self.offers_)))
        for start in range(0, len(matrix), _CHUNK):
            rows = self._with_acceptance(matrix[start : start + _CHUNK])
            each = [relative_effects(one, rows, self._threads) for one in self._folds()]
            relative[start : start + _CHUNK] = np.mean(each, axis=0) - self.level_
        if chance is None:
            return frame, relative, self._control(matrix)
        base = np.asarray(chance, np.float64)
        if base.shape != (len(frame),):
            raise UsageError(f"chance has shape {base.shape}; one of {len(frame)} was expected.")
        return frame, relative, base

    def _with_acceptance(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """The matrix as the trees of effects read it."""
        boosters = self.boosters_[self._effects + self._outcomes :]
        if not boosters:
            return matrix
        chances = acceptance_chances(boosters, matrix, len(self.offers_), self._threads)
        return with_acceptance(matrix, chances)

    def _folds(self) -> list[list[Any]]:
        size = len(self.offers_)
        return [self.boosters_[at : at + size] for at in range(0, self._effects, size)]

    def _control(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """The chance of leaving without an offer, as control rows teach it."""
        found = np.zeros(len(matrix))
        outcomes = self.boosters_[self._effects : self._effects + self._outcomes]
        for start in range(0, len(matrix), _CHUNK):
            rows = with_offers(matrix[start : start + _CHUNK], CONTROL, len(self.offers_))
            each = [one.predict(rows, num_threads=self._threads) for one in outcomes]
            found[start : start + _CHUNK] = np.mean(each, axis=0)
        return found

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
        rows, width = self._with_acceptance(matrix), matrix.shape[1]
        explainers = self._explainers(extra=len(self.offers_))
        told = explainers[at].contributions(rows)
        own = told[:, :width]
        if rows.shape[1] > width:
            # What acceptance tells is shared among the columns by which that is told.
            by = np.abs(explainers[-1].contributions(with_offers(matrix, at, len(self.offers_))))
            by = by[:, :width] / np.maximum(by[:, :width].sum(axis=1, keepdims=True), 1e-12)
            own = own + told[:, [width + at]] * by
        part = float(self.kept_[offer]) * risk_of(self._control(matrix))
        return self._by_column(part[:, None] * own, frame)

    def _explained(self) -> list[Bag]:
        size = len(self.offers_)
        return [
            Bag(
                shapes=Shapes(0.0, []),
                texts=self._texts[at : self._effects : size],
                boosters=self.boosters_[at : self._effects : size],
            )
            for at in range(size)
        ] + [
            Bag(
                shapes=Shapes(0.0, []),
                texts=self._texts[self._effects + self._outcomes :],
                boosters=self.boosters_[self._effects + self._outcomes :],
            )
        ] * (len(self._texts) > self._effects + self._outcomes)

    def _own_state(self) -> State:
        state = {
            "offers": self.offers_,
            "level": self.level_.tolist(),
            "effects": self._effects,
            "outcomes": self._outcomes,
            "shrinkage": self.shrinkage_.to_state(),
        }
        return state, list(self._texts)

    def _restore(self, encoder: Encoder, state: Mapping[str, Any], boosters: list[str]) -> None:
        self.offers_ = list(state["offers"])
        self.level_ = np.array(state["level"], np.float64)
        self.shrinkage_ = Shrinkage(**state["shrinkage"])
        first, more = int(state["effects"]), int(state["outcomes"])
        texts = list(boosters)
        outcomes, acceptance = texts[first : first + more], texts[first + more :]
        self._take(encoder, texts[:first], outcomes, acceptance)
