"""Service quality at a date: the verb."""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import date
from pathlib import Path

from churnml.base.dates import parse_date
from churnml.base.placing import input_first, require_apart
from churnml.base.scratch import temporary_folder
from churnml.config.settings import ConfigGiven, as_config, with_setting
from churnml.features.requirements import require_bills
from churnml.scoring.manifest import Manifest
from churnml.service.quality.champions import (
    Asked,
    Champions,
    churn_scores,
    find_champions,
    read_risks,
)
from churnml.service.quality.drivers import drivers
from churnml.service.quality.groups import group_report
from churnml.service.quality.halls import hall_profile, hall_windows
from churnml.service.quality.hotline import hotline_menu
from churnml.service.quality.indicators import indicators, trends
from churnml.service.quality.measures import measure
from churnml.service.quality.oddities import tell_oddities
from churnml.service.quality.records import Records, nested, records
from churnml.service.quality.relief import hall_relief
from churnml.service.quality.result import QUALITY, ServiceQuality
from churnml.service.quality.word_of_mouth import word_of_mouth
from churnml.tables.checked import Location, as_source, check
from churnml.tables.source import Source

_log = logging.getLogger(__name__)

_DEFINITIONS = (
    "All intervals are at 95 %. Values about fewer than 10 people, and what would tell them, are "
    "hidden.",
    "Perception is the plain mean of those who answered; churnml index weighs it to stand for all.",
    "Cells are the customers' brand, region and hall as they stand at the date.",
    "Mix and true change are told apart in the symmetrical form (Kitagawa), groups weighted by "
    "all customers; what is left of the change of the score is who answered.",
    "A change point says that the level differs from that month on, not what happened then.",
    "Drivers of kind association are what the models' scores are made of, not causes.",
)


def service_quality(
    data: Source | Location,
    as_of: date | str,
    *,
    months: int | None = None,
    out: Location | None = None,
    churn_model: Asked = None,
    satisfaction_model: Asked = None,
    scores: Manifest | Location | None = None,
    any_source: bool = False,
    mapping: Location | None = None,
    config: ConfigGiven | None = None,
    overwrite: bool = False,
) -> ServiceQuality:
    """Tell service quality: indicators, drivers, halls, hotline, word of mouth, corporate groups.

    Parameters
    ----------
    data : Source or path
        Operator tables, whose bad rows are set aside.
    as_of : date
        Midnight at its start; the whole months before it are told.
    months : int, optional
        How many; by default what the settings say.
    out : path, optional
        A folder for ``indicators.parquet``, ``drivers.parquet``, ``hotline_menu.parquet``,
        ``word_of_mouth.parquet``, ``groups.parquet``, details of halls and accounts, and
        ``quality.json``.
    churn_model, satisfaction_model : Model, str or path, optional
        By default the champions, as far as they exist; without them value at risk and the
        drivers of kind association are absent.
    scores : Manifest or path, optional
        Scores of the same source and date, which then are not computed anew.
    any_source : bool, default False
        Whether champions, taken because no model is named, may be of another operator.
    mapping : path, optional
    config : Config, path or mapping, optional
        Its section ``quality``.
    overwrite : bool, default False

    Returns
    -------
    ServiceQuality

    Raises
    ------
    DataError
        If the data is refused, or ends more than a month before ``as_of``.
    UsageError
        If the date or the number of months is none.
    ModelError
        If a model that was named does not exist, or a champion is of another operator.
    OutputError
        If something stands in the way.

    Examples
    --------
    >>> import churnml, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> _ = churnml.simulate(folder, customers=200, months=6, overwrite=True)
    >>> found = churnml.service_quality(folder, "2026-06-01", months=2)
    >>> [f"{month:%Y-%m}" for month in found.months]
    ['2026-04', '2026-05']
    """
    settings = as_config(config)
    if months is not None:
        settings = with_setting(settings, "quality.months", months)
    day = parse_date(as_of)
    source = as_source(data, mapping=mapping, config=settings)
    if out is not None:
        with input_first(lambda: check(source, settings, until=day).raise_if_refused()):
            require_apart(out, source.read)
            QUALITY.require_free(out, overwrite=overwrite)
    require_bills(source, day)
    checked = check(source, settings, until=day)
    told = records(checked.accepted().tables, day, settings)
    tell_oddities(told, checked.report)
    models = find_champions(
        source,
        told.notes,
        churn=churn_model,
        satisfaction=satisfaction_model,
        any_source=any_source,
    )
    result = _result(source, told, models, scores)
    source.ensure_unchanged()
    if out is not None:
        result.save(out, overwrite=overwrite)
    return result


def _result(
    source: Source, told: Records, models: Champions, scores: Manifest | Location | None
) -> ServiceQuality:
    settings = told.config.quality
    _log.info("measuring %d months before %s", len(told.months), told.day)
    values = measure(told)
    shown = indicators(values, settings.indicators, nested=nested(told))
    driving, slope = drivers(told, values, models)
    _log.info("word of mouth")
    curve, points = word_of_mouth(told)
    menu, savings = hotline_menu(told)
    _log.info("halls")
    profile, windows = hall_profile(told), hall_windows(told)
    with temporary_folder() as folder:
        if scores is not None:
            risks = read_risks(scores if isinstance(scores, Manifest) else Manifest.read(scores))
        else:
            risks = churn_scores(source, told, models.churn, Path(folder)) if models.churn else None
        groups = group_report(told, risks)
    return ServiceQuality(
        source=source.location,
        as_of=told.day,
        months=told.months,
        declared=settings.indicators,
        indicators=shown,
        drivers=driving,
        hotline_menu=menu,
        word_of_mouth=curve,
        groups=groups.groups,
        accounts=groups.accounts,
        hall_profile=profile,
        hall_relief=hall_relief(told),
        hall_windows=windows,
        moves=groups.moves,
        value_at_risk=groups.value_at_risk,
        facts={
            "trends": [asdict(one) for one in trends(shown)],
            "menu_savings": [one.to_dict() for one in savings],
            "change_points": points,
            "within_halls": None if slope is None else asdict(slope),
        },
        notes=(*told.notes, *_DEFINITIONS),
    )
