"""Months of an operator's past, each foretold by what came before it."""

from __future__ import annotations

import logging
from pathlib import Path

from churnml.base.tasks import TaskName
from churnml.base.text import counted
from churnml.config.settings import Config
from churnml.datasets import dataset
from churnml.errors import LabelWindowError, UsageError
from churnml.features import declared
from churnml.tables.checked import checked, opened
from churnml.tables.source import Source
from churnml.training import fit as training
from churnml.training.backtest import NAME, Backtest, backtest

_MONTHS = 6
_log = logging.getLogger(__name__)


def backtest_source(
    task: str,
    location: str,
    *,
    months: int | None = None,
    until: str | None = None,
    mapping: Path | None = None,
    config: Config,
) -> Backtest:
    """Train and test month by month on operator tables.

    Parameters
    ----------
    task : {"churn", "satisfaction"}
    location : str
    months : int, optional
        Test dates: the last ones whose labels the data covers. By default 6, or fewer where
        the data allow no more.
    until : str, optional
        Nothing at or after this date is read.
    mapping : path, optional
    config : Config

    Raises
    ------
    UsageError
        For any other task.
    LabelWindowError
        If no month is left to train on, or fewer months to test on than asked for.
    """
    named = _task(task)
    source = opened(location, mapping, config)
    source = source.until(until) if until else source
    clean = checked(source, config).accepted()
    settings = dataset.settings(named, config)
    wanted = settings.model_copy(update={"test_months": months or _MONTHS})
    dates = dataset.plan_dates(clean, named, config.model_copy(update={named: wanted}))
    _require_months(clean, len(dates.test), months)
    _log.info("building features at %d dates", len(dates.all))
    data = dataset.build_dataset(clean, named, dates.all, config=config, max_rows=settings.max_rows)
    directions = {
        one.name: one.direction
        for one in declared(clean.tables)
        if one.direction and one.name in data.X
    }
    return backtest(
        named,
        data,
        dates.test,
        dataset.label_window(named, config).end,
        training.estimator_for(named, settings, directions),
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


def _task(task: str) -> TaskName:
    if task == "churn":
        return "churn"
    if task == "satisfaction":
        return "satisfaction"
    raise UsageError(f"No backtest of {task!r}.", hint="Use churn or satisfaction.")


def write_backtest(found: Backtest, folder: Path, *, overwrite: bool = False) -> None:
    """Keep a backtest as a folder: a page that stands on its own, the figure, the numbers.

    Raises
    ------
    OutputError
        If something stands there that may not be replaced, or it cannot be written.
    """
    from churnml.metrics.displays import ageing
    from churnml.metrics.displays.page import write_report

    name = NAME[found.measure]
    write_report(
        folder,
        f"{found.task}: backtest",
        found._repr_html_(),
        found.to_dict(),
        {"backtest": lambda: ageing.backtest(found.to_dict(), name)},
        overwrite=overwrite,
    )
