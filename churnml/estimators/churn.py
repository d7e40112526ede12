"""The churn classifier: calibrated probabilities of leaving."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from churnml.errors import DataError, UsageError
from churnml.estimators.base import BoostedEstimator, State
from churnml.estimators.boosting.bag import Bag
from churnml.estimators.boosting.fit import Settings, fit_sample
from churnml.estimators.calibration import Calibration, fit_calibration, level_bag
from churnml.estimators.encoding.encoder import Encoder
from churnml.estimators.encoding.sample import Sample

_LEFT = {"churn", "churned", "churner", "left", "leaver", "leaving", "gone", "lost", "closed"}
_LEFT |= {"cancelled", "canceled", "inactive", "terminated", "attrited", "流失", "离网", "已流失"}
_STAYED = {"stay", "stayed", "stayer", "staying", "retained", "kept", "active", "no", "loyal"}
_STAYED |= {"existing", "未流失", "在网", "否", "正常"}
"""Labels as people write them, in lower case."""


class ChurnClassifier(ClassifierMixin, BoostedEstimator):
    """Calibrated churn probabilities from a cross-fitted bag of LightGBM boosters.

    Parameters
    ----------
    num_leaves : tuple of int, optional
        Leaves of a tree, taken in turn by the repeats of the folds. By default 8, 4 and
        16; on small tables more of them are tried and kept where their out-of-fold
        loss is smaller.
    learning_rate : float, optional
        By default a rule on the number of rows (see ``schedule``).
    max_rounds : int, default 2000
        Trees of a booster at most; early stopping ends it sooner.
    folds, repeats : int, optional
        By default a rule on the number of rows.
    linear_start : bool, optional
        Whether boosting starts from a ridge logistic regression. By default both ways
        are tried where the table is small enough, and the better one or their mean kept
        by its out-of-fold loss.
    min_leaf : int, optional
        Rows that a leaf holds at least; by default a rule on the number of rows.
    l2 : float, optional
        Penalty on the values of the leaves, by default 5.
    column_share : float, optional
        Share of the columns drawn for each tree, above 0 and at most 1; by default 0.5.
        Where any of these three is given, no other recipe is tried.
    monotone : dict of str to int, optional
        +1 where the probability must not fall as the column rises, -1 where it must
        not rise.
    pos_label : optional
        The label of who left, as ``"churned"``; by default the greater of the two.
    random_state : int, default 0
    n_jobs : int, optional
        Threads; all by default. The result does not depend on it.
    verbose : int, default 0
        Above 0 a line is printed for each booster.

    Attributes
    ----------
    classes_ : array, shape (2,)
        Sorted, as scikit-learn's scorers take them to be, and in this order the columns of
        ``predict_proba``.
    pos_label_
        The one of them that churned, of which ``predict_log_odds`` and ``explain`` tell.
    leaving_column_ : int
        Its place in ``classes_``: 1 unless ``pos_label`` is the lesser.
    categories_ : dict of str to list of str
        The levels seen in training, by column.
    boosters_ : list of Booster
    calibration_ : Calibration
        From the bag's raw score to calibrated log-odds.
    oof_ : array of float64, shape (n,)
        Out-of-fold probabilities of the training rows, NaN where the weight is 0; not
        saved.
    n_features_in_ : int
    feature_names_in_ : array of str

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"tenure": rng.integers(1, 72, 400), "plan": rng.choice(["a", "b"], 400)})
    >>> y = np.where(rng.random(400) < 1 / (1 + X["tenure"] / 12), "left", "stayed")
    >>> churn = ChurnClassifier(repeats=1).fit(X, y == "left")
    >>> bool(churn.predict_proba(X.iloc[:1])[0, 1] == churn.predict_proba(X)[0, 1])
    True
    """

    def __init__(
        self,
        *,
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
        pos_label: Any = None,
        random_state: int = 0,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
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
        self.pos_label = pos_label
        self.verbose = verbose

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Learn from customers whose outcome is known.

        Parameters
        ----------
        X : DataFrame, shape (n, k)
            Numbers, booleans, and text as categories.
        y : array, shape (n,)
            Two classes; the greater one churned, unless ``pos_label`` says otherwise.
        groups : array, shape (n,), optional
            Rows of one customer share a value and are never parted by a fold.
        sample_weight : array, shape (n,), optional
            At least 0. Whole numbers count rows: 2 is the same as the row twice, so that
            twice as large weights teach as twice as many rows. Of other weights only the
            proportions matter: they are brought to a mean of 1.

        Raises
        ------
        DataError
            One class or more than two, missing labels, infinite numbers, dates.
        """
        return self._fit(X, y, groups, sample_weight)

    def _settings(self) -> Settings:
        return Settings.of(self.get_params(deep=False))

    def _target(self, y: ArrayLike) -> NDArray[np.float64]:
        self.classes_, place = _binary(y)
        self.leaving_column_ = _leaving(self.classes_, self.pos_label)
        return (place == self.leaving_column_).astype(np.float64)

    @property
    def pos_label_(self) -> Any:
        """The class that churned."""
        return self.classes_[self.leaving_column_]

    def _learn(self, settings: Settings, frame: pd.DataFrame, sample: Sample) -> None:
        fitted = fit_sample(sample, "logistic", settings)
        self._hold(fitted.encoder, fitted.bag.boosters)
        self.bag_ = fitted.bag
        self.calibration_ = fit_calibration(
            fitted.held_out, sample.y, sample.weight, fitted.members
        )
        out_of_fold = self.calibration_.log_odds(fitted.held_out.mean(axis=0))
        self.oof_ = sample.back(np.asarray(expit(out_of_fold)))
        if len(fitted.apart) > 1:
            self.calibration_ = level_bag(self.calibration_, fitted.apart, fitted.apart_weight)

    def predict_log_odds(self, X: Any) -> NDArray[np.float64]:
        """Calibrated log-odds of churn, shape (n,)."""
        _, matrix = self._matrix(X)
        return self.calibration_.log_odds(self.bag_.score(matrix, self._threads))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Calibrated probabilities, shape (n, 2), in the order of ``classes_``.

        Where labels are 0 and 1 these are of staying and of leaving.

        Parameters
        ----------
        X : DataFrame, shape (n, k)
            The columns of training by name, in any order; others are ignored. Arrays
            go by position. No row at all is fine.

        Raises
        ------
        SchemaError
            Columns missing, or text where training had numbers.
        DataError
            Infinite numbers.
        """
        chance = np.asarray(expit(self.predict_log_odds(X)))
        both = [1 - chance, chance] if self.leaving_column_ else [chance, 1 - chance]
        return np.column_stack(both)

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Calibrated log-odds of ``classes_[1]``, shape (n,)."""
        log_odds = self.predict_log_odds(X)
        return log_odds if self.leaving_column_ else -log_odds

    def predict(self, X: Any) -> NDArray[Any]:
        """The likelier class, shape (n,)."""
        second = self.decision_function(X) > 0
        return np.asarray(self.classes_[second.astype(int)])

    def explain(self, X: Any) -> pd.DataFrame:
        """Contributions to the calibrated log-odds, by column (exact TreeSHAP).

        A row's contributions and :attr:`base_log_odds_` add up to
        :meth:`predict_log_odds` within 1e-9. Where the calibration is curved, all of a
        row's contributions to the raw score are scaled by the curve's mean slope between
        the base and the row.

        Returns
        -------
        DataFrame, shape (n, k)
            The columns of training in their order, the index of ``X``.
        """
        frame, matrix = self._matrix(X)
        (explainer,) = self._explainers()
        slope = self.calibration_.secant(self.bag_.score(matrix, self._threads), explainer.base)
        return self._by_column(explainer.contributions(matrix), frame).mul(slope, axis=0)

    @property
    def base_log_odds_(self) -> float:
        """The calibrated log-odds that contributions are told from."""
        (explainer,) = self._explainers()
        return float(self.calibration_.log_odds(np.array([explainer.base]))[0])

    def _explained(self) -> list[Bag]:
        return [self.bag_]

    def _own_state(self) -> State:
        state = {
            "classes": [_plain(label) for label in self.classes_],
            "bag": self.bag_.to_state(),
            "calibration": self.calibration_.to_state(),
        }
        return state, list(self.bag_.texts)

    def _restore(self, encoder: Encoder, state: Mapping[str, Any], boosters: list[str]) -> None:
        self.classes_ = np.array(state["classes"])
        self.leaving_column_ = _leaving(self.classes_, self.pos_label, warn=False)
        self.bag_ = Bag.from_state(state["bag"], boosters)
        self._hold(encoder, self.bag_.boosters)
        self.calibration_ = Calibration.from_state(state["calibration"])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def _plain(label: Any) -> Any:
    return label.item() if isinstance(label, np.generic) else label


def _leaving(classes: NDArray[Any], pos_label: Any, *, warn: bool = True) -> int:
    """The place of the class that churned.

    Raises
    ------
    UsageError
        If ``pos_label`` is none of them.
    """
    if pos_label is None:
        if warn:
            _warn_of_words(classes)
        return 1
    places = np.flatnonzero([bool(np.isscalar(pos_label) and one == pos_label) for one in classes])
    if places.size != 1:
        shown = " and ".join(repr(_plain(label)) for label in classes)
        raise UsageError(
            f"pos_label is {pos_label!r}, but y holds {shown}.",
            hint="Give the label of who left. Tools that code labels as 0 and 1 themselves, such "
            "as stacking, need y coded beforehand: y == pos_label.",
            value=repr(pos_label),
        )
    return int(places[0])


def _warn_of_words(classes: NDArray[Any]) -> None:
    """Warn where the greater label does not sound like leaving."""
    lesser, greater = (str(label).strip().casefold() for label in classes)
    if lesser in _LEFT or greater in _STAYED:
        warnings.warn(
            f"y: {_plain(classes[1])!r}, the greater label, is taken for leaving: column 1 of "
            f"predict_proba, and what explain tells of. pos_label={_plain(classes[0])!r} takes "
            "the other.",
            UserWarning,
            stacklevel=6,
        )


def _binary(y: Any) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The two classes, sorted, and the place of each row's.

    Raises
    ------
    DataError
        Missing labels, one class, more than two.
    """
    labels = column_or_1d(y, warn=True)
    lost = int(pd.isna(labels).sum())
    if lost:
        raise DataError(
            f"y: Input contains NaN: {lost} of {len(labels)} labels are missing.", count=lost
        )
    if np.issubdtype(labels.dtype, np.floating) and np.isinf(labels).any():
        raise DataError("y: Input contains infinity; two classes were expected.")
    check_classification_targets(labels)
    classes, coded = np.unique(labels, return_inverse=True)
    if len(classes) != 2:
        shown = ", ".join(repr(_plain(label)) for label in classes[:5])
        count = "1 class" if len(classes) == 1 else f"{len(classes)} classes"
        raise DataError(
            f"Only binary classification is supported. y holds {count} ({shown}).",
            hint="A churn model needs customers who left and customers who stayed.",
            count=len(classes),
            expected="2 classes",
        )
    return classes, coded
