"""The dates of a training: monthly, labelled, and split forward in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from churnml.base.dates import add_span, month_starts, months_before
from churnml.base.tasks import TaskName
from churnml.config.settings import Config
from churnml.datasets.dataset import covered, label_window, settings, taught_window
from churnml.errors import LabelWindowError
from churnml.labels.coverage import Coverage
from churnml.tables.source import Source


@dataclass(frozen=True, kw_only=True)
class Dates:
    """The ``as_of`` dates of a training, oldest first, by what they are used for.

    Attributes
    ----------
    train, test : tuple of date
        ``train`` + gap + horizon lies at or before the first of ``test``; for the hazard
        the first month does, and what comes after the first of ``test`` is left out.
    all : tuple of date
        What the final model is fitted on: these and the dates between them.
    coverage : Coverage, optional
        Of the source that the dates were chosen for.
    """

    train: tuple[date, ...]
    test: tuple[date, ...]
    all: tuple[date, ...]
    coverage: Coverage | None = None


def plan_dates(source: Source, task: TaskName, config: Config) -> Dates:
    """Choose the latest monthly dates with covered labels, and split them forward in time.

    Raises
    ------
    LabelWindowError
        If there is not one date to train on and one to test on.
    """
    section = settings(task, config)
    window, taught = label_window(task, config), taught_window(task, config)
    coverage = covered(source, task, config)
    since, until, earliest = coverage
    # Three months' bills must lie before a date for its features to say something.
    usable = month_starts(add_span(earliest, "2mo"), until)
    usable = [d for d in usable if window.of(d)[0] >= since and taught.end(d) <= until]
    testable = [day for day in usable if window.end(day) <= until]
    for tests in range(section.test_months, 0, -1):
        test = testable[-tests:]
        train = [day for day in usable if test and taught.end(day) <= test[0]]
        train = train[-section.train_months :]
        if train:
            every = tuple(day for day in usable if day >= train[0])
            return Dates(train=tuple(train), test=tuple(test), all=every, coverage=coverage)
    raise LabelWindowError(
        f"{task}: no month to train on: bills run from {months_before(earliest, 1)}, "
        f"labels are covered from {since} until {until}.",
        hint="At least three months before the first date, then gap and horizon twice, are "
        "needed; shorten the horizon or add months.",
    )
