"""One survey at one date: from an operator's tables to answers, predictions and weights."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from ibis.expr import types as ir

from churnml.base.dates import subtract_span
from churnml.base.scratch import temporary_folder
from churnml.base.text import nearest
from churnml.config.settings import Config
from churnml.datasets.leakage import withheld
from churnml.errors import ModelError, SchemaError, UsageError
from churnml.evaluation import tenure_band
from churnml.features import declared, write_features
from churnml.registry.resolve import Resolved
from churnml.scoring.requirements import require_features
from churnml.service.index import notes
from churnml.service.index.answers import Answers, collect
from churnml.service.index.notes import Note
from churnml.service.index.predictions import Features, HeldOutPredictions, by_model, cross_fit
from churnml.service.index.survey import Level, Survey
from churnml.service.index.weighting import weigh
from churnml.tables import asof
from churnml.tables.contract import TABLES
from churnml.tables.source import Source
from churnml.tables.source.source import ChangedTables

_log = logging.getLogger(__name__)

DERIVED = {
    "individual_tier": "tier_individual_now",
    "group_tier": "tier_group_now",
    "tenure_band": "lifecycle_tenure_days",
}
"""What cells can be made of beside the columns of ``customers``, by the feature that tells it."""

_KEYS = ("customer_id", "terminated_on", "known_at", "as_of")
_UNKNOWN, _NO_GROUP = "not recorded", "no group"


@dataclass(frozen=True, kw_only=True)
class Wave:
    """A survey with what is to be told of how it was made.

    Attributes
    ----------
    day, start : date
        The answers were given from ``start`` on, before ``day``.
    survey : Survey
    predictions : dict
        ``how`` (model, cross-fitted, none), ``model`` where there is one.
    weights : dict of str to float
    notes : list of Note
    kinds : Level
        Customers by brand, tier and tenure, as far as these are recorded.
    payers, households : array of str, shape (N,), or None
        Who pays for each customer, and in which household each is, where that is recorded.
    customer_ids : array of str, shape (N,), or None
        Only where payers are recorded.
    """

    day: date
    start: date
    survey: Survey
    predictions: dict[str, Any]
    weights: dict[str, float]
    notes: list[Note]
    kinds: Level
    payers: pa.Array | None = None
    households: pa.Array | None = None
    customer_ids: pa.Array | None = None


def split_columns(by: str) -> list[str]:
    """The columns of ``A+B``.

    >>> split_columns("brand+region")
    ['brand', 'region']
    """
    return [name.strip() for name in by.split("+")]


def require_columns(source: Source, levels: Sequence[str]) -> None:
    """Refuse cells by what the customers do not have.

    Raises
    ------
    UsageError
        Naming what they can be made of.
    """
    there = [*source.tables["customers"].columns, *DERIVED]
    known = [name for name in there if name not in _KEYS]
    for name in (one for by in levels for one in split_columns(by)):
        if name in known:
            continue
        meant = nearest(name, known)
        raise UsageError(
            f"--by {name!r}: customers have no such column"
            + (f"; did you mean {meant}?" if meant else "."),
            hint=f"There are {', '.join(known)}.",
            column=name,
        )


def take(
    source: Source, day: date, levels: Sequence[str], model: Resolved | None, config: Config
) -> Wave:
    """Take the survey of a date, as it could be seen then.

    Parameters
    ----------
    source : Source
        Checked.
    day : date
    levels : sequence of str
        Ways to part the customers: columns joined by ``+``.
    model : Resolved or None
        A satisfaction model; it is used as it is where it had learned from nothing in the window.
    config : Config

    Raises
    ------
    DataError
        If there are no answers, or a feature reads what few customers have.
    """
    settings = config.index
    start = subtract_span(day, settings.window)
    _log.info("index at %s: answers since %s", day, start)
    answers = collect(source.tables, day, start, fewest_overall=settings.overall_answers)
    # What the window's surveys brought must not be told by those who answered alone.
    tables = _blind(source.tables, start)
    out = withheld(declared(tables), config.availability, source.availability)
    with temporary_folder() as folder:
        path = Path(folder) / "features.parquet"
        write_features(tables, day, path, config=config)
        features = Features(path=path, names=[], batch=config.scoring.batch_rows)
        names = [name for name in features.columns if name not in out]
        features = Features(path=path, names=names, batch=features.batch)
        return _assemble(source, features, answers, (day, start), levels, model, config)


def _blind(tables: Mapping[str, ir.Table], start: date) -> ChangedTables:
    surveys = asof.until(tables["surveys"], TABLES["surveys"], start)
    return ChangedTables(tables, surveys=surveys)


def _assemble(
    source: Source,
    features: Features,
    answers: Answers,
    span: tuple[date, date],
    levels: Sequence[str],
    model: Resolved | None,
    config: Config,
) -> Wave:
    day, start = span
    settings = config.index
    ids = features.column("customer_id").combine_chunks()
    columns = _Columns(source, features, ids, day)
    place = _places(ids, answers.rows["customer_id"])
    rows = answers.rows.assign(place=place).sort_values("place", kind="stable")
    place, score = rows["place"].to_numpy(np.int64), rows["score"].to_numpy(np.float64)
    parted = {by: columns.level(by, settings.most_cells) for by in levels}
    made, how, told = _predict(source, features, place, score, start, model, config)
    weighting = weigh(
        features,
        place=place,
        score=score,
        levels=parted
        | {notes.BRAND_AND_TENURE.en: columns.level(_kinds(source), settings.most_cells)},
        settings=settings,
    )
    invited = np.zeros(len(ids), np.int64)
    invited[_places(ids, pd.Series(answers.invited.index))] = answers.invited.to_numpy()
    who = np.unique(place)
    survey = Survey(
        predictions=made.of_everybody,
        invited=invited,
        levels=parted,
        place=place,
        score=score,
        held_out=made.held_out[np.searchsorted(who, place)],
        weight=weighting.weight,
        ids=rows["customer_id"].to_numpy(object),
    )
    payers = columns.optional("payer_id")
    return Wave(
        day=day,
        start=start,
        survey=survey,
        predictions=how,
        weights=weighting.facts,
        notes=[*answers.notes, *told, *weighting.notes],
        kinds=columns.level(_mixed(source, features), settings.most_cells),
        payers=payers,
        households=columns.optional("household_id"),
        customer_ids=ids if payers is not None else None,
    )


def _kinds(source: Source) -> str:
    """What answers are raked to beside the cells asked for: brand by tenure."""
    return "brand+tenure_band" if "brand" in source.tables["customers"].columns else "tenure_band"


def _mixed(source: Source, features: Features) -> str:
    """By what the mix of customers is told: brand, tier and tenure."""
    tier = ["individual_tier"] if DERIVED["individual_tier"] in features.columns else []
    return "+".join([*_kinds(source).split("+"), *tier])


def _places(ids: pa.Array, wanted: pd.Series) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Where customers stand among all."""
    found = pc.index_in(pa.array(wanted.to_numpy(object), pa.string()), ids.cast(pa.string()))
    return np.asarray(found.to_numpy(zero_copy_only=False), np.int64)


def _predict(
    source: Source,
    features: Features,
    place: np.ndarray[Any, np.dtype[np.int64]],
    score: np.ndarray[Any, np.dtype[np.float64]],
    start: date,
    model: Resolved | None,
    config: Config,
) -> tuple[HeldOutPredictions, dict[str, Any], list[Note]]:
    """Everybody's predictions, how they were made, and what to say of it."""
    settings = config.index
    who = np.unique(place)
    why = notes.NO_MODEL
    if model is not None:
        until = model.model.origin.window[1] if model.model.origin.window else ""
        fits = _fits(model, source)
        if fits and until and until <= start.isoformat():
            made = by_model(model.model.estimator, features, model.model.names, who)
            used = {"how": "model", "model": model.version, "learned_until": until}
            return made, used, [notes.by_model(model.version, until, start.isoformat())]
        why = notes.has_seen(model.version, until) if fits else notes.lacks(model.version)
    if who.size < settings.fewest_learned:
        customers = sum(len(rows) for rows in features.batches(["customer_id"]))
        none = HeldOutPredictions(of_everybody=np.zeros(customers), held_out=np.zeros(who.size))
        return none, {"how": "none"}, [notes.no_predictions(who.size, settings.fewest_learned)]
    means = pd.Series(score).groupby(place).mean().to_numpy()
    made = cross_fit(features, who, means, folds=settings.folds, seed=settings.seed)
    how: dict[str, Any] = {"how": "cross-fitted", "folds": settings.folds}
    if model is not None:
        how["model"] = model.version
    return made, how, [notes.cross_fitted(settings.folds, why)]


def _fits(model: Resolved, source: Source) -> bool:
    try:
        require_features(model, source)
    except (ModelError, SchemaError):
        return False
    return True


class _Columns:
    """The customers' columns at a date, in the order of the features."""

    def __init__(self, source: Source, features: Features, ids: pa.Array, day: date) -> None:
        self._features = features
        self._ids = ids
        customers = asof.in_force(
            source.tables["customers"], TABLES["customers"], asof.moments(day)
        )
        self._rows = asof.eligible(customers)

    def level(self, by: str, most: int) -> Level:
        """Customers parted by a column, or by several joined by ``+``."""
        parts = [self._one(name) for name in split_columns(by)]
        whole = parts[0]
        for part in parts[1:]:
            whole = _crossed(whole, part)
        if len(whole.names) > most:
            raise UsageError(
                f"--by {by}: {len(whole.names):,} cells; at most {most:,} expected.",
                hint="Choose a column that customers have in common, or raise index.most_cells.",
                column=by,
                count=len(whole.names),
            )
        return whole

    def optional(self, name: str) -> pa.Array | None:
        """A column of ``customers`` as text, where it is there."""
        return self._text(name) if name in self._rows.columns else None

    def _one(self, name: str) -> Level:
        if name not in DERIVED:
            return _level(self._text(name), _NO_GROUP if name == "group_id" else _UNKNOWN)
        feature = DERIVED[name]
        if feature not in self._features.columns:
            raise UsageError(
                f"--by {name}: the source does not have what tells it.",
                hint="Add the table groups, or leave it out.",
                column=name,
            )
        values = self._features.column(feature).combine_chunks()
        if name != "tenure_band":
            return _level(values, _NO_GROUP if name == "group_tier" else _UNKNOWN)
        bands = tenure_band(values.to_numpy(zero_copy_only=False).astype(np.float64))
        level = _level(pa.array(bands.to_numpy(object), pa.string()), _UNKNOWN)
        order = list(dict.fromkeys(tenure_band([0, 200, 500, 1000, 9999, np.nan])))
        return _ordered(level, [name for name in order if name in level.names])

    def _text(self, name: str) -> pa.Array:
        """A column of ``customers`` in the order of the features."""
        rows = self._rows.select("customer_id", value=self._rows[name].cast("string"))
        table = rows.to_pyarrow()
        at = pc.index_in(self._ids.cast(pa.string()), table["customer_id"].combine_chunks())
        return table["value"].combine_chunks().take(at)


def _level(values: pa.Array, missing: str) -> Level:
    encoded = pc.fill_null(values.cast(pa.string()), missing).dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    names = [str(name) for name in encoded.dictionary.to_pylist()]
    level = Level(codes=encoded.indices.to_numpy().astype(np.int32), names=tuple(names))
    return _ordered(level, sorted(names))


def _ordered(level: Level, names: Sequence[str]) -> Level:
    to = np.array([names.index(name) for name in level.names], np.int32)
    return Level(codes=to[level.codes], names=tuple(names))


def _crossed(one: Level, other: Level) -> Level:
    both = one.codes.astype(np.int64) * len(other.names) + other.codes
    there, codes = np.unique(both, return_inverse=True)
    names = [
        f"{one.names[at // len(other.names)]}+{other.names[at % len(other.names)]}" for at in there
    ]
    return Level(codes=codes.astype(np.int32), names=tuple(names))
