"""Months of an operator's past, each predicted from what came before it."""

from __future__ import annotations

import logging
from pathlib import Path

from churnml.base.page.render import PageTable
from churnml.base.placing import input_first, require_apart
from churnml.base.tasks import TASKS, TITLES, TaskName
from churnml.base.text import counted
from churnml.config.settings import Config, ConfigGiven, as_config
from churnml.datasets import dataset
from churnml.datasets.split_dates import plan_dates
from churnml.errors import LabelWindowError, UsageError
from churnml.features import declared
from churnml.metrics.bootstrap import INTERVALS
from churnml.metrics.check_options import check_whole
from churnml.metrics.displays.page import REPORT, ReportPart, ReportText
from churnml.tables.checked import Location, as_source, check
from churnml.tables.source import Source
from churnml.training.backtest import backtest as measure_months
from churnml.training.backtest_result import OVER_MONTHS, SPREAD_COLUMNS, Backtest
from churnml.training.fit import estimator_for

_MONTHS = 6
_log = logging.getLogger(__name__)


def backtest(
    data: Source | Location,
    task: TaskName,
    *,
    months: int | None = None,
    until: str | None = None,
    mapping: Location | None = None,
    config: ConfigGiven | None = None,
    out: Location | None = None,
    overwrite: bool = False,
) -> Backtest:
    """Train and test month by month on operator tables, as if in the past.

    Parameters
    ----------
    data : Source, str or path
    task : {"churn", "satisfaction"}
    months : int, optional
        Test dates: the last ones whose labels the data covers. By default 6, or fewer where
        the data allow no more.
    until : date, optional
        Nothing at or after it is read.
    mapping : path, optional
    config : Config, path or mapping, optional
    out : path, optional
        A folder for a report with the figure.
    overwrite : bool, default False

    Returns
    -------
    Backtest
        Each month's measures, their spread over the months, and how fast models age.

    Raises
    ------
    UsageError
        For any other task.
    LabelWindowError
        If no month is left to train on, or fewer months to test on than asked for.
    OutputError
        If the report cannot be written.

    Examples
    --------
    >>> import churnml
    >>> churnml.backtest("demo/operator", "hazard")
    Traceback (most recent call last):
    ...
    churnml.errors.UsageError: No backtest of 'hazard'. Use churn or satisfaction.
    """
    if not (task in TASKS and TASKS[task].monthly):
        some = " or ".join(one.name for one in TASKS.values() if one.monthly)
        raise UsageError(f"No backtest of {task!r}.", hint=f"Use {some}.")
    if months is not None:
        check_whole("months", months, least=1)
    settings = as_config(config)
    source = as_source(data, mapping=mapping, config=settings)
    source = source.until(until) if until else source
    if out is not None:
        with input_first(lambda: check(source, settings).accepted()):
            require_apart(out, source.read)
            REPORT.require_free(out, overwrite=overwrite)
    found = _backtest(check(source, settings).accepted(), task, months, settings)
    if out is not None:
        write_backtest(found, Path(out), overwrite=overwrite)
    return found


def _backtest(source: Source, task: TaskName, months: int | None, config: Config) -> Backtest:
    settings = dataset.settings(task, config)
    wanted = settings.model_copy(update={"test_months": months or _MONTHS})
    dates = plan_dates(source, task, config.model_copy(update={task: wanted}))
    _require_months(source, len(dates.test), months)
    _log.info("building features at %d dates", len(dates.all))
    data = dataset.build_dataset(
        source,
        task,
        dates.all,
        config=config,
        max_rows=settings.max_rows,
        coverage=dates.coverage,
    )
    directions = {
        one.name: one.direction
        for one in declared(source.tables)
        if one.direction and one.name in data.X
    }
    return measure_months(
        task,
        data,
        dates.test,
        dataset.label_window(task, config).end,
        estimator_for(task, settings, directions),
        train_months=settings.train_months,
    )


def _require_months(source: Source, found: int, asked: int | None) -> None:
    if found >= (asked or _MONTHS):
        return
    bills = source.tables["bills"].month.nunique().to_pyarrow().as_py()
    told = f"{counted(bills, 'month')} of bills leave {counted(found, 'month')} to test on"
    if asked is None:
        _log.info("%s, not %d", told, _MONTHS)
        return
    raise LabelWindowError(
        f"A backtest of {counted(asked, 'month')}: {told}, after the months that features, "
        "labels and the first training need.",
        hint=f"Use --months {found} or fewer.",
        value=asked,
        expected=f"<= {found}",
    )


def write_backtest(backtest: Backtest, folder: Path, *, overwrite: bool = False) -> None:
    """Write a backtest to a folder: a page, the figure, the numbers.

    Raises
    ------
    OutputError
        If something stands there that may not be replaced, or it cannot be written.
    """
    from churnml.metrics.displays import ageing
    from churnml.metrics.displays.page import write_report

    name = TITLES[backtest.measure]
    write_report(
        folder,
        _text(backtest),
        backtest.to_dict(),
        {"backtest": lambda: ageing.backtest(backtest.to_dict(), name)},
        overwrite=overwrite,
    )


def _text(backtest: Backtest) -> ReportText:
    spread = backtest.over_months[backtest.measure]
    measure = TITLES[backtest.measure]
    months, ages, spreads = backtest.columns(), backtest.age_columns(), SPREAD_COLUMNS
    first, last = backtest.months[0].as_of, backtest.months[-1].as_of
    held = f"{measure}: {spread.mean:.3f} on average over {counted(len(backtest.months), 'month')}"
    return ReportText(
        title=f"{backtest.task}: backtest",
        headline=f"{held}, from {spread.low:.3f} to {spread.high:.3f}. {backtest.conclusion}",
        facts=[f"tested on {first} to {last}", "trained anew month by month"],
        parts=[
            ReportPart(
                id="months",
                topic="Months",
                heading="How good the models were, month by month",
                figures={"backtest": "Month by month, and by age"},
                tables=[
                    PageTable(
                        caption=f"Month by month; {INTERVALS}",
                        head=months,
                        rows=backtest.rows(),
                        numbers=range(2, len(months)),
                    ),
                    PageTable(
                        caption=OVER_MONTHS,
                        head=spreads,
                        rows=backtest.spread_rows(),
                        numbers=range(1, len(spreads)),
                    ),
                ],
            ),
            ReportPart(
                id="ages",
                topic="Age",
                heading=backtest.conclusion,
                tables=[
                    PageTable(
                        caption="How models age",
                        head=ages,
                        rows=backtest.age_rows(),
                        numbers=range(1, len(ages)),
                    )
                ],
            ),
        ],
    )
