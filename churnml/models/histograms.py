"""Histograms of a scoring: the inputs and the scores of all its customers, and of none of them.

What monitoring compares from month to month. Counts by the bins of the models' own profiles
(`churnml.models.drift`), so that a year of them is compared without a customer's row. Bins
with fewer than ten customers are merged with others; a category's value has a bin of its
own only where it had 1 % of the training rows, and no value is ever named here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churnml.base.dates import add_span
from churnml.models.drift import Counts, chance_of, measure_drift
from churnml.models.model import InputColumn, Model

FEWEST = 10
_SCORE_BINS = 50

Bins = tuple[tuple[tuple[int, ...], int], ...]
"""Which bins were merged, and how many customers they have; empty bins are left out."""


@dataclass(frozen=True, kw_only=True)
class InputHistogram:
    """A column of a scoring.

    Attributes
    ----------
    bins : tuple of (tuple of int, int)
        Bins of the model's profile, merged until ten customers have them, and the count.
    shares : tuple of float
        The share of the training rows in each of the profile's bins.
    drift, psi : float
        From training, as `churnml.models.drift` measures it.
    usual : float
        The drift between the dates of training.
    chance : float
        How probable so large a drift is by chance, beyond the usual.
    importance : float
        The column's share of the model's contributions in the test; 0 where it is unknown.
    tables : tuple of str
        The operator's tables that it is made from.
    lost, was_lost : float or None
        The share without a value, now and in training; None where it is about fewer than ten.
    """

    bins: Bins
    shares: tuple[float, ...]
    drift: float
    psi: float
    usual: float
    chance: float
    importance: float
    tables: tuple[str, ...] = ()
    lost: float | None = None
    was_lost: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ScoreHistogram:
    """The scores of a scoring.

    Attributes
    ----------
    edges : tuple of float
        The upper edges of all bins but the last.
    bins : tuple of (tuple of int, int)
        As those of an input.
    means : tuple of float
        The mean score in each of ``bins``.
    mean : float
    psi : float
        Against the model's reference scores, whose bins have equal shares but for ties.
    shares : tuple of float
        The share of the reference scores in each bin.
    """

    edges: tuple[float, ...]
    bins: Bins
    means: tuple[float, ...]
    mean: float
    psi: float
    shares: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Histograms:
    """The histograms of one scoring by one model.

    Attributes
    ----------
    task : str
    version, digest : str
        Of the model.
    learned_until : str or None
        The first date after everything that the model learned from; None where it does
        not say.
    customers : int
        From how many the model's profile was drawn.
    tested_auc : list of float or None
        Value, low and high of the AUC in the model's test.
    tested_mae : list of float or None
        Of the mean absolute error, in points of 100, where satisfaction is predicted.
    inputs : dict of str to InputHistogram
    scores : ScoreHistogram or None
    """

    task: str
    version: str
    digest: str
    learned_until: str | None
    customers: int
    inputs: Mapping[str, InputHistogram]
    scores: ScoreHistogram | None
    tested_auc: list[float | None] | None = None
    tested_mae: list[float | None] | None = None


@dataclass(frozen=True, kw_only=True)
class ScoringRecord:
    """What is kept of a scoring beside its manifest.

    Attributes
    ----------
    source : str
        Absolute, where it is a file or folder.
    as_of : str or None
    rows : int
        Scored customers.
    models : dict of str to Histograms
        By task.
    ended_at : str
        When, UTC; empty in the file, which is the same whenever the same work is done.
    folder : str
        Where the scores were written; empty in the file.
    """

    source: str
    as_of: str | None
    rows: int
    models: Mapping[str, Histograms] = field(default_factory=dict)
    ended_at: str = ""
    folder: str = ""

    def to_bytes(self) -> bytes:
        """The content of ``_histograms.json``."""
        facts = asdict(self) | {"kind": "histograms"}
        return json.dumps(facts, ensure_ascii=False).encode() + b"\n"

    @staticmethod
    def from_bytes(content: bytes) -> ScoringRecord | None:
        """Read the file; None where it is none of churnml's."""
        try:
            facts = json.loads(content)
            if facts.pop("kind") != "histograms":
                return None
            models = {name: _histograms(one) for name, one in facts.pop("models").items()}
            return ScoringRecord(models=models, **facts)
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


def _histograms(facts: dict[str, Any]) -> Histograms:
    inputs = {
        name: InputHistogram(
            **one
            | {name: tuple(one[name]) for name in ("shares", "tables")}
            | {"bins": _bins(one["bins"])}
        )
        for name, one in facts.pop("inputs").items()
    }
    scores = facts.pop("scores")
    if scores is not None:
        tuples = {name: tuple(scores[name]) for name in ("edges", "means", "shares")}
        scores = ScoreHistogram(**scores | tuples | {"bins": _bins(scores["bins"])})
    return Histograms(inputs=inputs, scores=scores, **facts)


def _bins(bins: Iterable[Sequence[Any]]) -> Bins:
    return tuple((tuple(places), int(rows)) for places, rows in bins)


def histograms(
    model: Model,
    version: str,
    counts: Mapping[str, Sequence[int]],
    scores: Mapping[str, Sequence[float]],
) -> Histograms:
    """The histograms of a scoring by one model.

    Parameters
    ----------
    model : Model
    version : str
    counts : mapping of str to sequence of int
        As `churnml.models.drift.counted` gives them.
    scores : mapping
        ``rows`` and ``sums`` by bin of `score_edges`, as `count_scores` gives them.
    """
    trained = model.origin.customers or model.origin.rows
    weights = dict(model.tested.get("importance", {}))
    whole = sum(weights.values()) or 1.0
    inputs = {
        column.name: _input(column, counts[column.name], trained, weights, whole)
        for column in model.inputs
        if column.name in counts and sum(counts[column.name]) >= FEWEST
    }
    return Histograms(
        task=model.task,
        version=version,
        digest=model.digest,
        learned_until=None if (until := learned_until(model)) is None else until.isoformat(),
        customers=trained,
        inputs=inputs,
        scores=_scores(model, scores),
        tested_auc=model.tested.get("metrics", {}).get("auc"),
        tested_mae=model.tested.get("metrics", {}).get("mae"),
    )


def _input(
    column: InputColumn,
    counts: Sequence[int],
    trained: int,
    weights: Mapping[str, float],
    whole: float,
) -> InputHistogram:
    drift = measure_drift(column, counts, trained)
    rows, lost = int(sum(counts)), int(counts[-1])
    few = 0 < lost < FEWEST or 0 < rows - lost < FEWEST
    return InputHistogram(
        bins=merged(counts, in_order=column.kind == "number"),
        shares=tuple(round(share, 6) for share in column.shares),
        drift=round(drift.value, 4),
        psi=round(drift.psi, 4),
        usual=round(column.usual, 4),
        chance=chance_of(column, counts, trained),
        importance=round(weights.get(column.name, 0.0) / whole, 6),
        tables=tuple(
            dict.fromkeys(need.split(".")[0] for need in (column.feature or {}).get("needs", ()))
        ),
        lost=None if few else round(lost / rows, 6),
        was_lost=round(column.missing, 6),
    )


def merged(counts: Sequence[int] | Counts, *, in_order: bool) -> Bins:
    """Merge bins until each has ten customers.

    Parameters
    ----------
    counts : sequence of int
        By bin; the last is that of missing values, and is merged only with the largest.
    in_order : bool
        Whether a bin's neighbours are the nearest to it: numbers; else the smallest bins
        are merged with the one before the last, that of rare values.

    Examples
    --------
    >>> merged([4, 8, 30, 0, 0, 25], in_order=True)
    (((0, 1), 12), ((2,), 30), ((5,), 25))
    >>> merged([40, 3, 30, 2, 12], in_order=False)
    (((0,), 40), ((1, 2, 3), 35), ((4,), 12))
    """
    now = np.asarray(counts, dtype=int)
    own, lost = now[:-1], int(now[-1])
    groups = _neighbours(own) if in_order else _rare(own)
    if 0 < lost < FEWEST and groups:
        largest = max(range(len(groups)), key=lambda at: groups[at][1])
        groups[largest] = (groups[largest][0], groups[largest][1] + lost)
    elif lost and groups and sum(rows for _places, rows in groups) < FEWEST:
        groups = [((len(now) - 1,), int(now.sum()))]
    elif lost:
        groups.append(((len(now) - 1,), lost))
    return tuple(groups) if sum(rows for _places, rows in groups) >= FEWEST else ()


def _neighbours(counts: Counts) -> list[tuple[tuple[int, ...], int]]:
    groups: list[tuple[tuple[int, ...], int]] = []
    waiting: tuple[tuple[int, ...], int] = ((), 0)
    for place, rows in enumerate(counts.tolist()):
        if rows or waiting[1]:
            waiting = ((*waiting[0], place), waiting[1] + rows)
        if waiting[1] >= FEWEST:
            groups.append(waiting)
            waiting = ((), 0)
    if waiting[1] and groups:
        places, rows = groups.pop()
        waiting = ((*places, *waiting[0]), rows + waiting[1])
    return [*groups, waiting] if waiting[1] else groups


def _rare(counts: Counts) -> list[tuple[tuple[int, ...], int]]:
    order = sorted(np.flatnonzero(counts).tolist(), key=lambda place: (counts[place], place))
    small = [place for place in order if counts[place] < FEWEST]
    if small:
        small = sorted({*small, len(counts) - 1})
        for place in order:
            if counts[small].sum() >= FEWEST:
                break
            small = sorted({*small, place})
    groups = [((place,), int(counts[place])) for place in sorted(set(order) - set(small))]
    return groups + ([(tuple(small), int(counts[small].sum()))] if small else [])


def spread(bins: Bins, shares: Sequence[float]) -> NDArray[np.float64]:
    """Counts by bin: merged ones spread as the shares are, which leaves a PSI as it was."""
    counts = np.zeros(len(shares))
    for places, rows in bins:
        at = list(places)
        own = np.asarray(shares)[at]
        counts[at] += rows * (own / own.sum() if own.sum() else np.full(len(at), 1 / len(at)))
    return counts


def score_edges(model: Model) -> NDArray[np.float64]:
    """The upper edges of the bins of a model's scores: distinct quantiles of its reference."""
    every = max(len(model.reference) // _SCORE_BINS, 1)
    return np.unique(np.asarray(model.reference[every:-1:every], dtype=float))


def count_scores(model: Model, scores: NDArray[np.float64]) -> dict[str, list[float]]:
    """Count scores by bin, and add them up: ``rows`` and ``sums``."""
    edges = score_edges(model)
    known = scores[~np.isnan(scores)]
    bins = np.searchsorted(edges, known, side="left")
    return {
        "rows": np.bincount(bins, minlength=len(edges) + 1).astype(float).tolist(),
        "sums": np.bincount(bins, weights=known, minlength=len(edges) + 1).tolist(),
    }


def summed_scores(parts: Iterable[Mapping[str, Sequence[float]]]) -> dict[str, list[float]]:
    """The counts and sums of several batches together."""
    every = [part for part in parts if part]
    return {
        name: np.sum([part[name] for part in every], axis=0).tolist()
        for name in ("rows", "sums")
        if every
    }


def _scores(model: Model, scores: Mapping[str, Sequence[float]]) -> ScoreHistogram | None:
    rows = np.asarray(scores.get("rows", ()), dtype=int)
    if not len(model.reference) or rows.sum() < FEWEST:
        return None
    sums = np.asarray(scores["sums"], dtype=float)
    bins = merged([*rows.tolist(), 0], in_order=True)
    edges = score_edges(model)
    shares = _reference_shares(model, edges)
    return ScoreHistogram(
        edges=tuple(np.round(edges, 8).tolist()),
        bins=bins,
        means=tuple(round(float(sums[list(at)].sum() / many), 8) for at, many in bins),
        mean=round(float(sums.sum() / rows.sum()), 8),
        psi=round(psi_between(rows, shares), 4),
        shares=tuple(np.round(shares, 6).tolist()),
    )


def _reference_shares(model: Model, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    reference = np.asarray(model.reference, dtype=float)
    bins = np.searchsorted(edges, reference, side="left")
    return np.bincount(bins, minlength=len(edges) + 1) / len(reference)


def psi_between(now: Sequence[float] | Counts, shares: Sequence[float] | NDArray[Any]) -> float:
    """The population stability index of counts against shares, half a row added to each bin."""
    counts, before = np.asarray(now, dtype=float), np.asarray(shares, dtype=float)
    rows = counts.sum()
    p = (counts + 0.5) / (rows + 0.5 * len(counts))
    q = (before * rows + 0.5) / (rows + 0.5 * len(counts))
    return float(((p - q) * np.log(p / q)).sum())


def learned_until(model: Model) -> date | None:
    """The first date after everything that a model learned from; None where it does not say."""
    origin = model.origin
    if not origin.as_of or "horizon" not in origin.label:
        return None
    last = max(date.fromisoformat(day[:10]) for day in origin.as_of)
    start = add_span(last, str(origin.label.get("gap", "0d")))
    return add_span(start, str(origin.label["horizon"]))
