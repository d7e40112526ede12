"""The satisfaction index of an operator's customers."""

from __future__ import annotations

import html
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from churnml.base.dates import add_months, parse_date
from churnml.base.placing import input_first, require_apart
from churnml.base.tasks import TASKS
from churnml.config.settings import Config, ConfigGiven, IndexSettings, as_config
from churnml.errors import DataError, ModelError, UsageError
from churnml.features.requirements import require_bills
from churnml.models.model import Model
from churnml.registry.resolve import Resolved, as_resolved, resolve_champions
from churnml.scoring.requirements import require_features
from churnml.scoring.same_operator import require_same_operator
from churnml.service.index import notes, words
from churnml.service.index.answers import history
from churnml.service.index.cells import Cell, measure
from churnml.service.index.display import draw
from churnml.service.index.mix import WhatChanged, what_changed
from churnml.service.index.notes import Note
from churnml.service.index.payers import Group, by_payer
from churnml.service.index.table import INDEX_FILE, Measured, hide, new_names, tabulate, worth
from churnml.service.index.wave import Wave, require_columns, take
from churnml.service.index.words import Lang
from churnml.tables.checked import Location, as_source, check
from churnml.tables.source import Source

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_log = logging.getLogger(__name__)
_SPANS = {"month": (1, notes.MONTH_BEFORE), "year": (12, notes.YEAR_BEFORE)}


@dataclass(frozen=True, kw_only=True)
class SatisfactionIndex:
    """How satisfied all customers are, and each kind of them.

    Attributes
    ----------
    source : str
    as_of, since : date
        The answers were given from ``since`` on, before ``as_of``.
    table : DataFrame
        One row a cell, all customers first.
    predictions : dict
        ``how`` (model, cross-fitted, none), ``model``; ``tuning`` (how far they were trusted, 0
        to 1), ``explained`` (share of the differences between answers), ``gain`` (share of the
        interviews saved).
    weights : dict of str to float
    worth : DataFrame
        What the predictions did for each cell, as `churnml.service.index.table.worth`.
    changes : dict of str to WhatChanged
        What is in the change to the ``month`` and the ``year`` before, where it can be told.
    groups : list of Group
        By who pays and by household, where that is recorded.
    notes : list of Note
        In English and Chinese.
    """

    source: str
    as_of: date
    since: date
    table: pd.DataFrame
    predictions: dict[str, Any]
    weights: dict[str, float]
    worth: pd.DataFrame
    changes: dict[str, WhatChanged]
    groups: list[Group]
    notes: list[Note]

    def to_pandas(self) -> pd.DataFrame:
        """The table: one row a cell."""
        return self.table.copy()

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data, for ``--json``."""
        return {
            "source": self.source,
            "as_of": self.as_of.isoformat(),
            "since": self.since.isoformat(),
            "cells": [
                {str(name): _plain(value) for name, value in row.items()}
                for row in self.table.to_dict("records")
            ],
            "predictions": {name: _plain(value) for name, value in self.predictions.items()},
            "worth": [
                {str(name): _plain(value) for name, value in row.items()}
                for row in self.worth.to_dict("records")
            ],
            "weights": {name: _plain(value) for name, value in self.weights.items()},
            "what_changed": {
                name: {part: _plain(value) for part, value in one.to_dict().items()}
                for name, one in self.changes.items()
            },
            "payers": [
                {name: _plain(value) for name, value in group.to_dict().items()}
                for group in self.groups
            ],
            "notes": [note.en for note in self.notes],
            "notes_zh": [note.zh for note in self.notes],
        }

    def headline(self, lang: Lang = "en") -> str:
        """The index of all customers in a line."""
        whole = self.table.iloc[0]
        if whole["how"] == "hidden":
            return words.value("hidden", lang)
        return words.headline(
            whole["index"], whole["index_low"], whole["index_high"], int(whole["answers"]), lang
        )

    def plot(self, by: str | None = None, *, lang: Lang = "en") -> Figure:
        """Draw every cell's index with its interval; of one level alone where ``by`` is given."""
        return draw(self.table, by=by, lang=lang)

    def rows(self, lang: Lang = "en") -> Iterator[tuple[str, ...]]:
        """The table as texts: cell, customers, answers, survey, index, changes, standing."""
        for row in self.table.to_dict("records"):
            name = row["cell"] if row["by"] == "" else f"{row['by']} = {row['cell']}"
            yield (
                words.value(name, lang),
                _count(row["customers"]),
                _count(row["answers"]),
                *(
                    words.with_interval(row[one], row[f"{one}_low"], row[f"{one}_high"], lang)
                    for one in ("survey", "index", "change_month", "change_year")
                ),
                words.value(row["how"], lang),
                _count(row["answers_needed"]),
                words.value(row["standing"], lang) if isinstance(row["standing"], str) else "",
            )

    def head(self, lang: Lang = "en") -> list[str]:
        """The titles of the columns of `rows`."""
        names = (
            "cell",
            "customers",
            "answers",
            "survey",
            "index",
            "change_month",
            "change_year",
            "how",
            "answers_needed",
            "standing",
        )
        return [words.COLUMNS[name][lang] for name in names]

    def __repr__(self) -> str:
        return f"SatisfactionIndex({self.as_of}: {self.headline()})"

    def _repr_html_(self) -> str:
        head = "".join(f"<th scope='col'>{html.escape(name)}</th>" for name in self.head())
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self.rows()
        )
        told = "".join(f"<li>{html.escape(note.en)}</li>" for note in self.notes)
        return (
            f"<p>Satisfaction index at {self.as_of}: {html.escape(self.headline())}</p>"
            f"<table><tr>{head}</tr>{body}</table><ul>{told}</ul>"
        )


def _plain(value: Any) -> Any:
    import pandas as pd

    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return value.item() if hasattr(value, "item") else value


def _count(value: Any) -> str:
    plain = _plain(value)
    return "–" if plain is None else f"{plain:,}"


def satisfaction_index(
    data: Source | Location,
    *,
    as_of: date | str,
    by: str | Sequence[str] = (),
    satisfaction_model: Model | Location | None = None,
    any_source: bool = False,
    out: Location | None = None,
    mapping: Location | None = None,
    config: ConfigGiven | None = None,
    overwrite: bool = False,
) -> SatisfactionIndex:
    """How satisfied all customers are, with an interval, and each kind of them.

    From the answers of the months before ``as_of``, weighted to stand for all customers and made
    sharper by predictions for everybody; cells with few answers lean on what all cells have in
    common, and nothing is told of fewer than ten people.

    Parameters
    ----------
    data : Source, str or path
        Operator tables, with ``surveys``; bad rows are set aside.
    as_of : date
    by : str or sequence of str
        What cells are made of: columns of ``customers``, ``individual_tier``, ``group_tier``,
        ``tenure_band``; several in one are joined by ``+``.
    satisfaction_model : Model, str or path, optional
        By default the champion, where there is one. It is used as it is where it has learned
        from nothing in the window (``--until``); else predictions are cross-fitted.
    any_source : bool, default False
        Whether a champion taken by default may be one of another operator.
    out : path, optional
        A file for the table: ``.parquet``, ``.csv`` or ``.xlsx``.
    mapping : path, optional
        The operator's own names, codes and units.
    config : Config, path or mapping, optional
        Its section ``index``.
    overwrite : bool, default False
        Whether an index that stands at ``out`` may be replaced.

    Returns
    -------
    SatisfactionIndex
        ``to_pandas()`` has one row a cell; ``plot()`` draws them.

    Raises
    ------
    UsageError
        If ``by`` names what customers do not have, or ``out`` has another suffix.
    DataError
        If the source is refused, has no surveys, or no answer in the window.
    ModelError
        If the model named does not exist or predicts something else.
    OutputError
        If ``out`` cannot be written, or something stands there.

    Examples
    --------
    >>> import churnml, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> _ = churnml.simulate(folder, customers=300, months=14, overwrite=True)
    >>> found = churnml.satisfaction_index(folder, as_of="2026-06-01", by="colour")
    Traceback (most recent call last):
    ...
    churnml.errors.UsageError: --by 'colour': customers have no such column. There are ...
    """
    settings, day = as_config(config), parse_date(as_of)
    levels = list(dict.fromkeys([by] if isinstance(by, str) else by))
    whole = as_source(data, mapping=mapping, config=settings)
    require_bills(whole, day)
    source = whole.until(day)
    require_columns(source, levels)
    if out is not None:
        with input_first(lambda: check(source, settings).accepted()):
            require_apart(out, source.read.with_models([satisfaction_model]))
            INDEX_FILE.require_free(out, overwrite=overwrite)
    model = _model(satisfaction_model, source, any_source=any_source)
    clean = check(source, settings).accepted()
    index = _compute(clean, whole, day, levels, model, settings)
    if out is not None:
        INDEX_FILE.write(index.table, out, overwrite=overwrite)
    return index


def _model(asked: Model | Location | None, source: Source, *, any_source: bool) -> Resolved | None:
    """The model named, which must fit; else the champion, where there is one."""
    if asked is None:
        try:
            champion = resolve_champions().get("satisfaction")
        except ModelError as error:
            _log.info("%s", error.message)
            return None
        if champion is not None and not any_source:
            require_same_operator(champion, source)
        return champion
    found = as_resolved(asked)
    if not TASKS[found.model.task].surveyed:
        raise ModelError(
            f"{found.version} predicts {found.model.task}, not satisfaction.",
            hint="Name a satisfaction model.",
        )
    if found.model.origin.kind != "operator":
        raise ModelError(
            f"{found.version} reads a flat table, not operator tables.",
            hint="Name a model of operator tables, or none.",
        )
    require_features(found, source)
    return found


def _compute(
    clean: Source,
    whole: Source,
    day: date,
    levels: list[str],
    model: Resolved | None,
    config: Config,
) -> SatisfactionIndex:
    settings = config.index
    wave = take(clean, day, levels, model, config)
    now = _measured(wave, settings)
    told = [*wave.notes, *history(clean.tables, day, wave.start)]
    before: dict[str, Measured | None] = {}
    parts = {}
    for span, (months, name) in _SPANS.items():
        then = add_months(day, -months)
        earlier, missing = _past(clean, whole, then, levels, model, config)
        before[span] = None
        if earlier is None:
            told.append(notes.no_change(name, missing, then.isoformat()))
            continue
        past = before[span] = _measured(earlier, settings)
        told += [
            notes.new_cells(level, names, earlier.day.isoformat())
            for level, names in new_names(now, past).items()
        ]
        if now.tellable(0) and past.tellable(0):
            parts[span] = what_changed(
                (wave.survey, wave.kinds), (earlier.survey, earlier.kinds), settings
            )
            told.append(parts[span].note(name))
    groups = by_payer(
        wave.survey,
        customer_ids=wave.customer_ids,
        payers=wave.payers,
        households=wave.households,
        fewest=settings.min_answers,
    )
    shown = now.cells[0]
    account, weights = wave.predictions, wave.weights
    if not now.tellable(0):
        told, weights, groups = [notes.TOO_FEW, notes.UNSEEN], {}, []
    elif account["how"] != "none":
        told.insert(0, notes.worth(shown.explained))
        account = _account(wave, shown)
    return SatisfactionIndex(
        source=whole.location,
        as_of=day,
        since=wave.start,
        table=tabulate(now, before["month"], before["year"]),
        worth=worth(now),
        changes=parts,
        predictions=account,
        weights=weights,
        groups=groups,
        notes=[*told, *(group.note() for group in groups)],
    )


def _measured(wave: Wave, settings: IndexSettings) -> Measured:
    cells = measure(wave.survey, settings)
    return Measured(cells=cells, hidden=hide(cells, wave.survey, settings.min_answers))


def _account(wave: Wave, whole: Cell) -> dict[str, Any]:
    return wave.predictions | {
        "tuning": whole.tuned,
        "explained": whole.explained,
        "gain": whole.gain,
    }


def _past(
    clean: Source,
    whole: Source,
    day: date,
    levels: list[str],
    model: Resolved | None,
    config: Config,
) -> tuple[Wave | None, str]:
    """The survey of an earlier date as it could be seen then; or the table that lacks it."""
    try:
        require_bills(whole, day)
        return take(clean, day, levels, model, config), ""
    except (DataError, UsageError) as error:
        _log.info("no index at %s: %s", day, error.message)
        return None, str(error.details.get("table", ""))
