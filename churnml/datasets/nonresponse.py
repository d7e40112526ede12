"""Survey non-response: who answered, how they differ from everybody, and weights to correct it.

Whoever answers surveys is not like whoever does not. The chance of answering is learned from
the operator's columns, which exist for both, and those who answered count by its inverse
(Rosenbaum and Rubin 1983). That corrects what the columns show. It cannot help where answers
are missing for reasons that no column shows: `churnml.metrics.hidden_mean` tells how far
off the mean would be.

On the simulated operator, whose truth is known, weights bring the mean of the answers back
to everybody's, but a model that reads the same columns gains nothing and grows noisier: for
training they are therefore left out unless asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import fsum
from typing import Any, Literal

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr import types as ir
from numpy.typing import ArrayLike, NDArray

from churnml.config.settings import Config, ConfigGiven, as_config
from churnml.datasets.dataset import Dataset, label_window
from churnml.errors import DataError
from churnml.estimators import ChurnClassifier
from churnml.features import build_features
from churnml.labels import window as labels
from churnml.metrics import auc, balance, hidden_mean
from churnml.metrics.balance import CLEAR, COMMON
from churnml.tables import asof
from churnml.tables.checked import Location, as_tables
from churnml.tables.source import Source

Among = Literal["surveyed", "all"]
_FEWEST = 50
_MAX_SILENT = 60_000
_TRIM = 0.99
_HIDDEN = 1.1


@dataclass(frozen=True)
class Response:
    """Response weights, and how well they balance respondents against everybody.

    Attributes
    ----------
    weight : array of float64, shape (n,)
        Of the rows of the dataset, with mean 1.
    balance : DataFrame
        Standardised mean differences before and after, as `churnml.metrics.balance`.
    facts : dict of str to float
        ``answered``, ``silent`` (rows that the chance was learned from), ``rate``, ``auc``
        (of answering, by folds that had not seen the row), ``largest`` (weight),
        ``trimmed`` (rows), ``effective`` (share of the answers that the weights leave, after
        Kish), ``worst_before``, ``worst_after``, ``clear_before``, ``clear_after``
        (differences beyond 0.1; of what at least 5 % have), ``mean``, ``mean_weighted``,
        ``mean_hidden`` (scores).
    """

    weight: NDArray[np.float64]
    balance: pd.DataFrame
    facts: dict[str, float]

    def notes(self) -> list[str]:
        """Notes for the reader, in sentences."""
        facts = self.facts
        return [
            f"{facts['rate']:.0%} of those asked answered; the operator's columns tell who with "
            f"an AUC of {facts['auc']:.2f}. Weights by the inverse chance (trimmed at "
            f"{facts['largest']:.1f}; they leave {facts['effective']:.0%} of the answers' worth) "
            f"bring the largest standardised mean difference (of what at least {COMMON:.0%} "
            f"have) from {facts['worst_before']:.2f} to {facts['worst_after']:.2f}, and the "
            f"mean score from {facts['mean']:.1f} to {facts['mean_weighted']:.1f}.",
            "Weights correct only what columns show. If, for reasons that no column shows, the "
            f"odds of answering rose by a tenth with every 10 points, the mean would be "
            f"{facts['mean_hidden']:.1f}.",
        ]


def response_weights(
    source: Source | Location,
    data: Dataset,
    *,
    config: ConfigGiven | None = None,
    among: Among = "surveyed",
    max_silent: int = _MAX_SILENT,
) -> Response:
    """Model who answered, and weight the answers.

    Parameters
    ----------
    source : Source or path
        Of a path, the good rows.
    data : Dataset
        Of the task satisfaction: a row for every answer.
    config : Config, path or mapping, optional
    among : {"surveyed", "all"}
        Whom the answers are to stand for: those surveyed within the label's window, or all
        customers, surveyed or not.
    max_silent : int, default 60000
        At most about so many rows without an answer are looked at: a sample.

    Returns
    -------
    Response

    Raises
    ------
    DataError
        Where fewer than 50 answered or fewer than 50 did not.
    """
    config = as_config(config)
    source = as_tables(source, config=config)
    spine, share = _silent(source.tables, data, config, among, max_silent)
    silent = build_features(source, sorted(set(data.times)), config=config, spine=spine)
    silent = silent.select("customer_id", "as_of", *data.X.columns)
    rows = silent.order_by("as_of", "customer_id").to_pandas()
    features = pd.concat([data.X, rows[list(data.X.columns)].astype(data.X.dtypes)])
    groups = pd.concat([data.groups, rows["customer_id"]])
    return weigh_answers(features, data.y, groups.to_numpy(), share=share)


def weigh_answers(
    features: pd.DataFrame,
    scores: ArrayLike,
    groups: NDArray[Any],
    *,
    share: float = 1.0,
    model: ChurnClassifier | None = None,
) -> Response:
    """Weight answers by the inverse chance of answering, learned from features.

    Parameters
    ----------
    features : DataFrame, shape (m, k)
        Of those who answered, then of those who did not.
    scores : array of float, shape (n,)
        The answers, of the first rows.
    groups : array, shape (m,)
        The customer of each row.
    share : float, default 1
        The share of those who did not answer that the rows are a sample of.
    model : ChurnClassifier, optional
        Learns who answered; by default a thorough one.

    Returns
    -------
    Response

    Raises
    ------
    DataError
        Where fewer than 50 answered or fewer than 50 did not.
    """
    y = np.asarray(scores, np.float64)
    answered = np.arange(len(features)) < y.size
    silent = len(features) - y.size
    _require(y.size, silent)
    model = model or ChurnClassifier(repeats=1, learning_rate=0.1, max_rounds=300)
    model.fit(features.reset_index(drop=True), answered.astype(int), groups=groups)
    weight, chance, trimmed = _weigh(model.oof_, answered, share)
    standing = np.where(answered, 1.0, 1 / share)
    features = features.reset_index(drop=True)
    every = np.where(answered, np.r_[weight, np.ones(silent)], 0.0)
    table = balance(features, answered, every, standing)
    facts = _facts(table, y, weight)
    facts |= {
        "silent": float(silent),
        "rate": float(answered.sum() / standing.sum()),
        "auc": auc(answered.astype(float), chance),
        "trimmed": float(trimmed),
    }
    return Response(weight, table, facts)


def asked(tables: Mapping[str, ir.Table], days: Sequence[date], window: labels.Window) -> ir.Table:
    """Customers who were sent a survey within the label's window.

    Returns
    -------
    Table
        ``customer_id``, ``as_of``; one row for every eligible customer asked.
    """
    spans = ibis.memtable(
        {
            "as_of": list(days),
            "starts": [window.of(day)[0] for day in days],
            "ends": [window.of(day)[1] for day in days],
        },
        schema={"as_of": "date", "starts": "date", "ends": "date"},
    )
    sent = tables["surveys"].select("customer_id", "sent_at")
    rows = asof.spine(tables, days).join(spans, "as_of").join(sent, "customer_id")
    rows = rows.filter(
        rows.sent_at >= rows.starts.cast("timestamp"), rows.sent_at < rows.ends.cast("timestamp")
    )
    return rows.select("customer_id", "as_of").distinct()


def weight_answers(
    source: Source, parts: Sequence[Dataset], config: Config
) -> tuple[list[Dataset], Response | None, list[str]]:
    """Weight datasets of answers if the settings ask for it; return them with notes.

    Parameters
    ----------
    source : Source
    parts : sequence of Dataset
        Each is weighed by itself, so that none hears of another's rows; the response and
        the notes are about the last.
    config : Config
        ``satisfaction.weighting`` decides.
    """
    if config.satisfaction.weighting == "none":
        return list(parts), None, _unweighted_notes(source, parts[-1], config)
    responses = [response_weights(source, part, config=config) for part in parts]
    weighted = [
        replace(part, weights=pd.Series(one.weight, name="weight"))
        for part, one in zip(parts, responses, strict=True)
    ]
    return weighted, responses[-1], responses[-1].notes()


def _unweighted_notes(source: Source, data: Dataset, config: Config) -> list[str]:
    days = sorted(set(data.times))
    invited = int(
        asked(source.tables, days, label_window("satisfaction", config)).count().execute()
    )
    rate = f"{min(len(data) / invited, 1):.0%}" if invited else "an unknown share"
    return [
        f"Learned from the {rate} of those asked who answered, unweighted; "
        "satisfaction.weighting: response weighs them to stand for all who were asked."
    ]


def _silent(
    tables: Mapping[str, ir.Table], data: Dataset, config: Config, among: Among, most: int
) -> tuple[ir.Table, float]:
    """A spine of those who did not answer, and the share of them that was sampled."""
    days = sorted(set(data.times))
    rows = (
        asked(tables, days, label_window("satisfaction", config))
        if among == "surveyed"
        else asof.spine(tables, days).select("customer_id", "as_of")
    )
    keys = ibis.memtable(
        pd.DataFrame({"customer_id": data.groups.to_numpy(), "as_of": data.times.to_numpy()}),
        schema={"customer_id": "string", "as_of": "date"},
    )
    rows = rows.anti_join(keys, ["customer_id", "as_of"]).cache()
    count = int(rows.count().execute())
    if count <= most:
        return rows, 1.0
    every = -(-count // most)
    number = ibis.row_number().over(ibis.window(order_by=["customer_id", "as_of"]))
    some = rows.mutate(number=number).filter(_.number % every == 0).drop("number")
    return some, float(some.count().execute()) / count


def _require(answered: int, silent: int) -> None:
    if min(answered, silent) < _FEWEST:
        raise DataError(
            f"surveys: {answered} answered and {silent} did not; at least {_FEWEST} of each "
            "expected to learn who answers.",
            hint="Set satisfaction.weighting to none.",
            table="surveys",
            count=min(answered, silent),
        )


def _weigh(
    oof: NDArray[np.float64], answered: NDArray[np.bool_], share: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Weights of respondents, every row's response probability, and how many were trimmed."""
    chance = np.clip(oof, 1e-4, 1 - 1e-4)
    # Those who did not answer may be a sample, which makes answering look more frequent.
    odds = chance / (1 - chance) * share
    chance = odds / (1 + odds)
    weight, trimmed = trimmed_weights(chance[answered])
    return weight, chance, trimmed


def trimmed_weights(chance: ArrayLike, *, quantile: float = _TRIM) -> tuple[Any, int]:
    """Inverse probabilities trimmed at a quantile and scaled to mean 1; how many were trimmed.

    Parameters
    ----------
    chance : array of float, shape (n,)
        Above 0.
    quantile : float, default 0.99

    Examples
    --------
    >>> weight, cut = trimmed_weights([0.5, 0.25, 0.5, 0.001], quantile=0.7)
    >>> weight.round(2).tolist(), cut
    ([0.67, 1.33, 0.67, 1.33], 1)
    """
    weight = 1 / np.asarray(chance, np.float64)
    most = np.quantile(weight, quantile, method="lower")
    trimmed = int((weight > most).sum())
    weight = np.minimum(weight, most)
    # An exact sum, so that the order of rows changes no bit.
    return weight * (weight.size / fsum(weight)), trimmed


def _facts(
    table: pd.DataFrame, y: NDArray[np.float64], weight: NDArray[np.float64]
) -> dict[str, float]:
    common = table[table["known"] >= COMMON]
    before, after = common["before"].abs(), common["after"].abs()
    return {
        "answered": float(y.size),
        "largest": float(weight.max()),
        "effective": float(weight.sum() ** 2 / (weight**2).sum() / weight.size),
        "worst_before": float(before.max()),
        "worst_after": float(after.max()),
        "clear_before": float((before > CLEAR).sum()),
        "clear_after": float((after > CLEAR).sum()),
        "mean": float(y.mean()),
        "mean_weighted": float(np.average(y, weights=weight)),
        "mean_hidden": hidden_mean(y, weight, _HIDDEN),
    }
