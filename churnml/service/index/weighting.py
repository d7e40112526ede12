"""Weights of answers: the inverse chance of answering, then raked to what is known of everybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.config.settings import IndexSettings
from churnml.datasets.nonresponse import Response, weigh_answers
from churnml.errors import DataError
from churnml.estimators import ChurnClassifier
from churnml.metrics.balance import hidden_mean
from churnml.service.index import notes
from churnml.service.index.notes import Note
from churnml.service.index.predictions import Features
from churnml.service.index.survey import Level, shares_of_customers
from churnml.service.index.weights import Margin, kish, merge_empty, rake

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FEWEST_OF_A_KIND = 5
"""A kind of customers with fewer answers is raked together with its neighbour."""


@dataclass(frozen=True, kw_only=True)
class Weighting:
    """The weights of a survey.

    Attributes
    ----------
    weight : array of float, shape (n,)
        Of each answer; they add up to the number of customers.
    facts : dict
        ``effective_answers``, ``largest`` (weight over the mean one), ``capped``,
        ``worst_before`` and ``worst_after`` (largest standardised difference of those who
        answered from everybody), ``mean`` and ``hidden_mean`` of the weighted answers.
    notes : list of Note
    """

    weight: Floats
    facts: dict[str, float]
    notes: list[Note]


def weigh(
    features: Features,
    *,
    place: Ints,
    score: Floats,
    levels: Mapping[str, Level],
    settings: IndexSettings,
) -> Weighting:
    """Weigh answers so that they stand for all customers.

    Parameters
    ----------
    features : Features
    place : array of int, shape (n,)
        Of each answer, where its customer stands in the file; rising.
    score : array of float, shape (n,)
    levels : mapping of str to Level
        Whose totals the weights are to meet.
    settings : IndexSettings
    """
    customers = next(iter(levels.values())).codes.size
    start, response, told = _inverse_chance(features, place, score, customers, settings)
    start = start * customers / start.sum()
    margins = {}
    for by, level in levels.items():
        margin, gone = _margin(level, place)
        if len(margin.names) > 1:
            margins[by] = margin
            told += [notes.merged(_named(by), len(gone))] if gone else []
    raked = rake(start, margins, cap=settings.cap)
    weight = raked.weight * customers / raked.weight.sum()
    if raked.capped:
        told.append(notes.capped(raked.capped, settings.cap))
    mean = float(np.average(score, weights=weight))
    hidden = hidden_mean(score, weight, settings.hidden_odds)
    told += [notes.UNSEEN, notes.sensitivity(mean, hidden, settings.hidden_odds)]
    facts = {
        "effective_answers": kish(weight),
        "largest": float(weight.max() / weight.mean()),
        "capped": float(raked.capped),
        "mean": mean,
        "hidden_mean": hidden,
    }
    if response is not None:
        known = ("rate", "auc", "worst_before", "worst_after")
        facts |= {name: response.facts[name] for name in known}
    return Weighting(weight=weight, facts=facts, notes=told)


def _named(by: str) -> Note:
    return notes.BRAND_AND_TENURE if by == notes.BRAND_AND_TENURE.en else Note(en=by, zh=by)


def _inverse_chance(
    features: Features, place: Ints, score: Floats, customers: int, settings: IndexSettings
) -> tuple[Floats, Response | None, list[Note]]:
    """Weights by the chance of answering, shared by the answers of a customer."""
    each = shares_of_customers(place)
    who = np.unique(place)
    fewest = settings.fewest_learned
    if min(who.size, customers - who.size) < fewest:
        return each, None, [notes.unweighted(who.size, fewest)]
    silent, share = _sample(who, customers, settings.silent_rows)
    both = np.union1d(who, silent)
    rows = features.rows(both)
    inside = np.isin(both, who)
    X = pd.concat([rows[inside], rows[~inside]], ignore_index=True)
    means = pd.Series(score).groupby(place).mean().to_numpy()
    try:
        response = weigh_answers(X, means, np.arange(len(X)), share=share, model=_quick())
    except DataError:
        return each, None, [notes.unweighted(who.size, fewest)]
    return response.weight[np.searchsorted(who, place)] * each, response, []


def _quick() -> ChurnClassifier:
    """Learns who answers at a fraction of the cost: there are several surveys to weigh."""
    return ChurnClassifier(
        repeats=1, folds=4, num_leaves=(8,), learning_rate=0.1, max_rounds=100, l2=5.0,
        linear_start=False,
    )  # fmt: skip


def _sample(who: Ints, customers: int, most: int) -> tuple[Ints, float]:
    """Every k-th of the customers who did not answer, and which share of them these are."""
    silent = np.setdiff1d(np.arange(customers), who, assume_unique=True)
    every = -(-silent.size // most)
    some = silent[:: max(every, 1)]
    return some, some.size / silent.size


def _margin(level: Level, place: Ints) -> tuple[Margin, list[str]]:
    margin = Margin(
        codes=level.codes[place].astype(np.int64),
        totals=level.counts().astype(np.float64),
        names=level.names,
    )
    return merge_empty(margin, fewest=_FEWEST_OF_A_KIND)
