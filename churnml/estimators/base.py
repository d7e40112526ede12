"""What the three estimators share: fitting a frame, explaining by its columns, plain state."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
import pandas as pd
from lightgbm import Booster
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from churnml.estimators.boosting.bag import Bag
from churnml.estimators.boosting.fit import seed_of, threads_of
from churnml.estimators.boosting.hazard_bag import HazardBag
from churnml.estimators.encoding.encoder import Encoder
from churnml.estimators.encoding.sample import Sample, draw_sample, fit_frame, score_values
from churnml.estimators.explanation.explainer import Explainer, column_sums

State = tuple[dict[str, Any], list[str]]
"""Plain data for JSON, and the booster texts."""


class BoostedEstimator(BaseEstimator, ABC):
    """An encoder and boosters behind scikit-learn's interface."""

    random_state: int
    n_jobs: int | None

    columns_in_: list[str]
    encoder_: Encoder
    boosters_: list[Booster]
    categories_: dict[str, list[str]]

    @abstractmethod
    def _settings(self) -> Any:
        """The checked parameters that shape the fit."""

    @abstractmethod
    def _target(self, y: ArrayLike) -> NDArray[np.float64]:
        """The checked target as numbers."""

    @abstractmethod
    def _learn(self, settings: Any, frame: pd.DataFrame, sample: Sample) -> None:
        """Learn from the sample that was drawn of the frame."""

    @abstractmethod
    def _own_state(self) -> State:
        """What :meth:`to_state` holds beside parameters, columns and encoder."""

    @abstractmethod
    def _restore(self, encoder: Encoder, state: Mapping[str, Any], boosters: list[str]) -> None:
        """Take over the state of :meth:`_own_state`."""

    @abstractmethod
    def _explained(self) -> list[Bag]:
        """The bags whose scores are explained; each one's matrix has the encoder's columns."""

    def _fit(
        self, X: Any, y: ArrayLike, groups: ArrayLike | None, sample_weight: ArrayLike | None
    ) -> Self:
        # Sums over several threads differ in the last bits with the number of threads.
        with threadpool_limits(limits=1, user_api="blas"), unchanged_unless_done(self):
            settings = self._settings()
            frame = fit_frame(self, X)
            target = self._target(y)
            self.columns_in_ = list(frame.columns)
            self._learn(settings, frame, draw_sample(frame, target, sample_weight, groups))
        return self

    def _hold(self, encoder: Encoder, boosters: list[Booster]) -> None:
        self.encoder_ = encoder
        self.boosters_ = boosters
        self.categories_ = encoder.categories
        self._explains: list[Explainer] | None = None

    def with_bags(self, change: Callable[[Any], Any]) -> Self:
        """A copy whose bags are changed, such as to score faster."""
        made = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, Bag | HazardBag):
                setattr(made, name, change(value))
        return made

    @property
    def _threads(self) -> int:
        return threads_of(self.n_jobs)

    def _matrix(self, X: Any) -> tuple[pd.DataFrame, NDArray[np.float32]]:
        """A frame to be scored with the columns of training, and its matrix."""
        frame, values = score_values(self, X)
        return frame, self.encoder_.matrix(values)

    def _explainers(self, extra: int = 0) -> Sequence[Explainer]:
        """One for each bag explained, made once.

        Parameters
        ----------
        extra : int
            Columns of the matrix beyond the encoder's.
        """
        if self._explains is None:
            columns = self.encoder_.owners.size + extra
            self._explains = [Explainer(bag, columns) for bag in self._explained()]
        return self._explains

    def _by_column(self, contributions: NDArray[np.float64], frame: pd.DataFrame) -> pd.DataFrame:
        """Contributions by the columns of training, in their order."""
        sums = column_sums(contributions, self.encoder_, self.columns_in_)
        return sums.set_axis(frame.index, axis=0)

    def unseen(self, X: Any) -> dict[str, int]:
        """Rows by column whose category was not seen in training, where there are any."""
        _, values = score_values(self, X)
        return self.encoder_.unseen(values)

    def to_state(self) -> State:
        """Plain data for JSON, and the booster texts: all that predicting needs."""
        own, texts = self._own_state()
        state = {
            "columns": self.columns_in_,
            "named": hasattr(self, "feature_names_in_"),
            "params": self._plain_params(),
            "encoder": self.encoder_.to_state(),
        }
        return state | own, texts

    @classmethod
    def from_state(cls, state: Mapping[str, Any], boosters: list[str]) -> Self:
        """The fitted estimator of :meth:`to_state`, with the same predictions to the bit."""
        made = cls(**state["params"])
        made.columns_in_ = list(state["columns"])
        made.n_features_in_ = len(made.columns_in_)
        if state["named"]:
            made.feature_names_in_ = np.array(made.columns_in_, dtype=object)
        made._restore(Encoder.from_state(state["encoder"]), state, boosters)
        return made

    def _plain_params(self) -> dict[str, Any]:
        """The parameters as JSON holds them; the number of threads stays at home."""
        params = dict(self.get_params(deep=False))
        params["random_state"] = seed_of(params["random_state"])
        params["n_jobs"] = None
        params.pop("verbose", None)
        return {name: _plain(value) for name, value in params.items()}

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        """Each column's share of the trees' gain, shape (n_features_in_,); all 0 without trees.

        What a linear start explains is no gain of a tree: :meth:`importance` has the mean
        contribution too.
        """
        check_is_fitted(self, "encoder_")
        width = self.encoder_.owners.size
        gain = np.zeros(width)
        for booster in self.boosters_:
            gain += booster.feature_importance("gain")[:width]
        by_column = column_sums(gain[None, :], self.encoder_, self.columns_in_)
        shares = by_column.to_numpy(np.float64)[0]
        return np.asarray(shares / (shares.sum() or 1.0))

    def importance(self, X: Any) -> pd.DataFrame:
        """How much each column matters: in the trees, and to the rows of ``X``.

        Parameters
        ----------
        X : DataFrame, shape (n, k)

        Returns
        -------
        DataFrame, shape (k, 2)
            By column, the largest first: ``gain``, as :attr:`feature_importances_`, and
            ``mean_contribution``, the mean of the contributions' sizes in the unit of
            ``explain``.
        """
        gain = self.feature_importances_
        found = pd.DataFrame(
            {"gain": gain, "mean_contribution": self.explain(X).abs().mean().to_numpy()},
            index=pd.Index(self.columns_in_, name="feature"),
        )
        return found.sort_values("mean_contribution", ascending=False, kind="stable")

    @abstractmethod
    def explain(self, X: Any) -> pd.DataFrame:
        """Contributions by column."""

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


@contextmanager
def unchanged_unless_done(estimator: BaseEstimator) -> Iterator[None]:
    """Leave an estimator as it was before a fit that fails or is interrupted."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value.item() if isinstance(value, np.generic) else value
