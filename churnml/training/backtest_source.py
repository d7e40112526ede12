"""Months of the past, each predicted from what came before it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from churnml.base.dates import parse_date
from churnml.base.page.render import PageTable
from churnml.base.placing import ReadPlaces, input_first, require_apart
from churnml.base.tasks import TASKS, TITLES, TaskName
from churnml.base.text import counted
from churnml.config.settings import Config, ConfigGiven, as_config
from churnml.datasets import dataset
from churnml.datasets.flat import Reading, open_table
from churnml.datasets.flat.dataset import flat_dataset
from churnml.datasets.flat.frame import Frame, is_frame, name_of, table_file
from churnml.datasets.split_dates import plan_dates
from churnml.datasets.table_months import TableMonths, months_of
from churnml.errors import LabelWindowError, UsageError
from churnml.errors.masking import without_secrets
from churnml.features import declared
from churnml.metrics.bootstrap import INTERVALS
from churnml.metrics.check_options import check_whole
from churnml.metrics.displays.page import REPORT, ReportPart, ReportText
from churnml.tables.checked import Location, as_source, check
from churnml.tables.source import Source
from churnml.training.backtest import backtest as measure_months
from churnml.training.backtest_result import OVER_MONTHS, SPREAD_COLUMNS, Backtest
from churnml.training.fit import estimator_for
from churnml.training.split import read_own

_MONTHS = 6
_log = logging.getLogger(__name__)


def backtest(
    data: Source | Location | Frame,
    task: TaskName,
    *,
    months: int | None = None,
    until: date | str | None = None,
    id: str | None = None,
    target: str | None = None,
    scale: str | tuple[float, float] | Mapping[str, float] | None = None,
    positive: str | None = None,
    drop: str | Sequence[str] = (),
    group: str | None = None,
    time: str | None = None,
    sheet: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    mapping: Location | None = None,
    config: ConfigGiven | None = None,
    out: Location | None = None,
    overwrite: bool = False,
) -> Backtest:
    """Train and test month by month, as if in the past.

    Parameters
    ----------
    data : Source, path, or data frame
        Operator tables; or, where ``target`` and ``time`` are given, a table of one's own.
    task : {"churn", "satisfaction"}
    months : int, optional
        Test dates: the last ones whose labels the data covers. By default 6, or fewer where
        the data allow no more.
    until : date, optional
        Nothing at or after it is read.
    id, target, scale, positive, drop, group, time : optional
        Columns of a table of one's own, as `churnml.train` takes them; ``time`` names the
        date that each row stands for.
    sheet, encoding, delimiter : str, optional
        How the file is to be read, where it does not tell.
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
        For any other task, and a table without ``time``.
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
    drop = (drop,) if isinstance(drop, str) else tuple(drop)
    options = {"id": id, "group": group, "time": time, "positive": positive, "scale": scale}
    if is_frame(data) or any(one is not None for one in (id, target, time)):
        if mapping is not None:
            raise UsageError("--mapping is for operator tables, not with --id.")
        if target is None or time is None:
            raise UsageError(
                "A backtest of a table of your own needs --target and --time.",
                hint="--time names the column that says which date each row stands for.",
            )
        reading = Reading(sheet=sheet, encoding=encoding, delimiter=delimiter)
        day = None if until is None else parse_date(until)
        with table_file(data) as path:
            if out is not None:
                with input_first(lambda: open_table(path, reading=reading)):
                    require_apart(out, ReadPlaces(places=(path,), tables=(path,)))
                    REPORT.require_free(out, overwrite=overwrite)
            own = read_own(
                path, task, target, name_of(data), options | {"drop": drop}, reading, settings
            )
        rows = months_of(
            flat_dataset(own), dataset.label_window(task, settings), without_secrets(name_of(data))
        )
        found = _backtest_table(rows if day is None else rows.until(day), task, months, settings)
        if out is not None:
            write_backtest(found, Path(out), overwrite=overwrite)
        return found
    _refuse_own(options, drop, (sheet, encoding, delimiter))
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


def _refuse_own(
    options: Mapping[str, Any], drop: Sequence[str], said: Sequence[str | None]
) -> None:
    if drop or any(one is not None for one in (*options.values(), *said)):
        raise UsageError(
            "--scale, --positive, --drop, --group, --sheet, --encoding and --delimiter are for a "
            "table of your own.",
            hint="Name its columns with --id, --target and --time.",
        )


def _backtest_table(
    rows: TableMonths, task: TaskName, months: int | None, config: Config
) -> Backtest:
    settings = dataset.settings(task, config)
    tests = rows.testable()[-(months or _MONTHS) :]
    if not tests:
        raise rows.too_few()
    if len(tests) < (months or 1):
        raise LabelWindowError(
            f"A backtest of {counted(int(months or 1), 'month')}: "
            f"{counted(len(rows.every), 'month')} of rows leave {len(tests)} to test on.",
            hint=f"Use --months {len(tests)} or fewer.",
            value=months,
            expected=f"<= {len(tests)}",
        )
    return measure_months(
        task,
        rows.data,
        tests,
        lambda month: rows.known[month],
        estimator_for(task, settings),
        train_months=settings.train_months,
    )


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
