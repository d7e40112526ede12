"""Evaluate a model, or its URI, on rows with known outcomes."""

from __future__ import annotations

import logging
from datetime import date
from pathlib import Path
from typing import Any

from churnml.base.dates import parse_date
from churnml.base.placing import ReadPlaces, input_first, require_apart
from churnml.config.settings import Config, ConfigGiven, as_config
from churnml.datasets.flat import Reading, open_table
from churnml.datasets.flat.frame import Frame, is_frame, name_of, table_file
from churnml.errors import ChurnmlError, UsageError
from churnml.errors.masking import without_secrets
from churnml.evaluation.evaluate_model import Evaluated, evaluate_operator, evaluate_table
from churnml.evaluation.page import write_evaluation
from churnml.metrics.displays.page import PAGE, REPORT
from churnml.models.model import Model
from churnml.registry.resolve import Resolved, as_resolved
from churnml.registry.tracking.evaluations import attach_evaluation
from churnml.registry.versions import is_registered
from churnml.tables.checked import Location, as_source, check
from churnml.tables.source import Source

_log = logging.getLogger(__name__)


def evaluate(
    model: Model | Location,
    data: Source | Location | Frame,
    *,
    as_of: date | str | None = None,
    id: str | None = None,
    target: str | None = None,
    group: str | None = None,
    positive: str | None = None,
    sheet: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    value: str | None = None,
    mapping: Location | None = None,
    config: ConfigGiven | None = None,
    out: Location | None = None,
    overwrite: bool = False,
) -> Evaluated:
    """Evaluate a model where the outcome is known, and diagnose it.

    Parameters
    ----------
    model : Model, str or path
        A model or its URI: ``models:/churn@champion``, a folder.
    data : Source, path, or data frame
        Operator tables; or, where ``target`` is given, a table of one's own.
    as_of : date, optional
        The date to predict from; for a table of one's own the day of the table, from which
        its dates are counted.
    id, target, group : str, optional
        Columns of a table of one's own.
    positive : str, optional
        The target's value that means that the customer left, where the words are others than
        in training.
    sheet, encoding, delimiter : str, optional
        How the file is to be read, where it does not tell.
    value : str, optional
        The table's column of spending, yuan a month, for the profit.
    mapping : path, optional
    config : Config, path or mapping, optional
    out : path, optional
        A folder for a report with figures. Where ``model`` names a registered version, the
        report is attached to it in MLflow too, unless ``scoring.track`` is off.
    overwrite : bool, default False

    Returns
    -------
    Evaluated
        Measures with 95 % intervals, baselines, slices, profit and a diagnosis.

    Raises
    ------
    UsageError
        If the model does not read such data, or options do not belong together.
    DataError
        If the input is refused, or its outcome is not known yet.
    ModelError
        If there is no such model.
    OutputError
        If the report cannot be written.

    Examples
    --------
    >>> import churnml
    >>> churnml.evaluate("models:/churn@champion", "demo/operator")
    Traceback (most recent call last):
    ...
    churnml.errors.UsageError: Operator tables need --as-of, a table of your own needs --target.
    """
    settings = as_config(config)
    day = None if as_of is None else parse_date(as_of)
    if target is None and (day is None or is_frame(data)):
        raise UsageError("Operator tables need --as-of, a table of your own needs --target.")
    if target is None:
        assert day is not None
        source = as_source(data, mapping=mapping, config=settings)
        found = _evaluate_operator(model, source, day, settings, out, overwrite)
    else:
        options: dict[str, Any] = {
            "id": id,
            "target": target,
            "group": group,
            "positive": positive,
            "as_of": day,
        }
        options["reading"] = Reading(sheet=sheet, encoding=encoding, delimiter=delimiter)
        found = _evaluate_table(model, data, value, options, settings, out, overwrite)
    if out is not None:
        write_evaluation(found, Path(out), overwrite=overwrite)
        if isinstance(model, str | Path) and str(model).startswith("models:/"):
            _attach(found, Path(out) / PAGE, settings)
    return found


def _attach(found: Evaluated, page: Path, config: Config) -> None:
    """Put the report beside the registered version; a store that fails is a warning."""
    one = found.evaluation
    if not config.scoring.track or not is_registered(one.model):
        return
    source = without_secrets(one.facts["source"])
    try:
        attach_evaluation(
            one.model,
            title=f"{Path(source).name or source} {one.facts.get('as_of', '')}".strip(),
            metrics=one.metrics,
            seen=bool(one.seen),
            page=page.read_text(encoding="utf-8"),
            task=one.task,
        )
    except ChurnmlError as error:
        _log.warning("the report is not attached to %s: %s", one.model, error.message)


def _with_scores(model: Model | Location) -> Resolved:
    """The model, if it gives scores that outcomes can be held against."""
    found = as_resolved(model)
    if not hasattr(found.model.estimator, "predict"):
        raise UsageError(
            f"{found.version}: effects of offers are not evaluated like scores.",
            hint="Its card says how it was tested; churnml measure tells what a campaign did.",
        )
    return found


def _evaluate_operator(
    model: Model | Location,
    source: Source,
    day: date,
    config: Config,
    out: Location | None,
    overwrite: bool,
) -> Evaluated:
    if out is not None:
        with input_first(lambda: check(source, config).accepted()):
            require_apart(out, source.read)
            REPORT.require_free(out, overwrite=overwrite)
    one = _with_scores(model)
    clean = check(source, config).accepted()
    return evaluate_operator(one.model, one.version, clean, day, config=config)


def _evaluate_table(
    model: Model | Location,
    data: Location | Frame,
    value: str | None,
    options: dict[str, Any],
    config: Config,
    out: Location | None,
    overwrite: bool,
) -> Evaluated:
    with table_file(data) as path:
        if out is not None:
            with input_first(lambda: open_table(path, reading=options["reading"])):
                require_apart(out, ReadPlaces(places=(path,), tables=(path,)))
                REPORT.require_free(out, overwrite=overwrite)
        one: Resolved = _with_scores(model)
        return evaluate_table(
            one.model,
            one.version,
            path,
            source=name_of(data),
            value=value,
            config=config,
            **options,
        )
