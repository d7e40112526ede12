"""Small classifiers of whether an offer is accepted, and of who is invited at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from churnml.datasets.offers import OfferRows
from churnml.estimators import OfferEffect
from churnml.estimators.uplift.boosters import with_offers
from churnml.metrics.significance import below_zero, mean_influence, standard_error

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

_ROUNDS, _LEAVES, _TINY = 40, 8, 1e-6
_UNLIKE = 0.01
"""Share of the invited themselves that count as unlike all others."""
_RARELY = 0.1
"""Who is more than so much as likely to be invited as others is not unlike those who were."""


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """How likely customers are to accept each offer, if it is made to them.

    Attributes
    ----------
    models : list of HistGradientBoostingClassifier
        Empty where nothing tells customers apart: then everybody accepts as often.
    share : array, shape (offers,)
        That accepted, by offer.
    scale : array, shape (offers,)
        What brings predictions to that share.
    past : array, shape (n, offers)
        Of the rows learned from, by models that had not seen their customers.
    """

    models: Sequence[HistGradientBoostingClassifier]
    share: Floats
    scale: Floats
    past: Floats

    def predict(self, matrix: NDArray[np.float32]) -> Floats:
        """The probability of accepting each offer, shape (n, offers)."""
        if not self.models:
            return np.broadcast_to(self.share, (len(matrix), len(self.share)))
        raw = np.mean([_each_offer(one, matrix, len(self.share)) for one in self.models], axis=0)
        return np.clip(raw * self.scale, 0.0, 1.0)


def learn_acceptance(
    rows: OfferRows, matrix: NDArray[np.float32], offers: Sequence[str], *, folds: int, seed: int
) -> Acceptance:
    """Learn who accepts, from customers who were made an offer.

    Differences between customers are kept where they tell better than the offer's share who
    accepts, of customers left out; what is kept is brought to that share.

    Parameters
    ----------
    rows : OfferRows
    matrix : array of float32, shape (n, m)
        Their columns as the trees of effects read them.
    offers : sequence of str
    folds, seed : int
    """
    share = np.array([rows.acceptance[name] for name in offers])
    count = len(offers)
    same = Acceptance(
        models=(),
        share=share,
        scale=np.ones(count),
        past=np.broadcast_to(share, (len(rows), count)),
    )
    place = {name: at for at, name in enumerate(offers)}
    offer = np.array([place.get(one, -1) if one is not None else -1 for one in rows.offer])
    if rows.accepted is None:
        return same
    made = offer >= 0
    accepted = rows.accepted == 1
    if min(accepted[made].sum(), (~accepted[made]).sum()) < 10 * folds:
        return same
    whole = with_offers(matrix, offer, count)
    fold = _folds(rows.customer, folds, seed)
    models, past = [], np.zeros((len(rows), count))
    for out in range(folds):
        inside = made & (fold != out)
        model = _classifier(int(inside.sum()), seed + out)
        model.fit(_without_empty(whole[inside]), accepted[inside])
        models.append(model)
        past[fold == out] = _each_offer(model, matrix[fold == out], count)
    told = past[made, offer[made]]
    if not _tells(told, share[offer[made]], accepted[made], rows.customer[made]):
        return same
    scale = np.array(
        [
            share[at] / max(told[offer[made] == at].mean(), _TINY)
            if (offer[made] == at).any()
            else 1.0
            for at in range(count)
        ]
    )
    return Acceptance(models=models, share=share, scale=scale, past=np.clip(past * scale, 0.0, 1.0))


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """How likely customers are to be invited at all, and below what nobody was.

    Attributes
    ----------
    models : list of HistGradientBoostingClassifier
    least : float
        The first hundredth of those who were invited, at most a tenth of the others' chance.
    """

    models: Sequence[HistGradientBoostingClassifier]
    least: float

    def unlike(self, matrix: NDArray[np.float32]) -> Bools:
        """Which customers hardly anybody was like who was ever invited, shape (n,)."""
        if not self.models:
            return np.zeros(len(matrix), bool)
        return np.asarray(_mean_chance(self.models, matrix) < self.least)


def learn_invitation(rows: OfferRows, judge: OfferEffect, *, folds: int, seed: int) -> Invitation:
    """Learn who is invited, from those who were and others of the same months.

    In each month both weigh the same: how many were invited in which month tells nothing of
    whom, and today is another month.

    Parameters
    ----------
    rows : OfferRows
        With ``others``.
    judge : OfferEffect
        Fitted to the rows.
    folds, seed : int
    """
    others = rows.others
    if others is None or len(others) < 10 * folds:
        return Invitation(models=(), least=0.0)
    here = np.isin(rows.month, sorted(set(others["as_of"])))
    invited = judge.encoded(rows.X[here])
    matrix = np.vstack([invited, judge.encoded(others)])
    y = np.r_[np.ones(len(invited), bool), np.zeros(len(others), bool)]
    weight = _balanced(y, np.r_[rows.month[here], others["as_of"].to_numpy(object)])
    customers = np.r_[rows.customer[here], others["customer_id"].to_numpy(object)]
    fold = _folds(customers, folds, seed)
    models, held_out = [], np.zeros(len(y))
    for out in range(folds):
        inside = fold != out
        if y[inside].min() == y[inside].max():
            return Invitation(models=(), least=0.0)
        model = _classifier(int(inside.sum()), seed + out)
        known = _without_empty(matrix[inside])
        models.append(model.fit(known, y[inside], sample_weight=weight[inside]))
        held_out[~inside] = model.predict_proba(matrix[~inside])[:, 1]
    least = min(float(np.quantile(held_out[y], _UNLIKE)), _RARELY / (1 + _RARELY))
    return Invitation(models=models, least=least)


def _balanced(invited: Bools, month: NDArray[np.object_]) -> Floats:
    """Weights by which those invited and the others are as many in each month.

    >>> weight = _balanced(np.array([True, False, False]), np.array(["2026-01"] * 3, object))
    >>> weight.tolist()
    [1.5, 0.75, 0.75]
    """
    numbers = pd.factorize(month)[0]
    of_month = np.bincount(numbers)
    same = np.bincount(2 * numbers + invited, minlength=2 * len(of_month))
    return np.asarray(of_month[numbers] / (2 * same[2 * numbers + invited]))


def _without_empty(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows with 0 in columns that are missing in all of them, which cannot be binned.

    >>> _without_empty(np.array([[np.nan, 1.0], [np.nan, np.nan]], np.float32)).tolist()
    [[0.0, 1.0], [0.0, nan]]
    """
    return np.where(np.isnan(matrix).all(axis=0), np.float32(0), matrix)


def _classifier(rows: int, seed: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=_ROUNDS,
        max_leaf_nodes=_LEAVES,
        min_samples_leaf=int(np.clip(rows // 40, 20, 200)),
        l2_regularization=5.0,
        early_stopping=False,
        random_state=seed,
    )


def _folds(customers: NDArray[np.object_], folds: int, seed: int) -> Ints:
    """A customer's fold, by a hash of the id: whatever the order of rows."""
    words = pd.util.hash_array(np.asarray(customers, object)) ^ np.uint64(seed)
    return np.asarray(words % np.uint64(folds), np.int64)


def _each_offer(
    model: HistGradientBoostingClassifier, matrix: NDArray[np.float32], count: int
) -> Floats:
    columns = [model.predict_proba(with_offers(matrix, at, count))[:, 1] for at in range(count)]
    return np.column_stack(columns)


def _mean_chance(
    models: Sequence[HistGradientBoostingClassifier], matrix: NDArray[np.float32]
) -> Floats:
    return np.mean([one.predict_proba(matrix)[:, 1] for one in models], axis=0)


def _tells(told: Floats, share: Floats, accepted: Bools, customers: NDArray[np.object_]) -> bool:
    """Whether predictions beat the share of the offer beyond chance, by log-likelihood."""
    p, q = (np.clip(one, _TINY, 1 - _TINY) for one in (told, share))
    better = np.where(accepted, np.log(p / q), np.log((1 - p) / (1 - q)))
    mean, moved = mean_influence(better)
    numbers = pd.factorize(np.asarray(customers, object))[0].astype(np.int64)
    return mean > 0 and below_zero(-mean, standard_error(moved, numbers)) < 0.05
