"""Find months on which two models can be compared: labels complete, seen by neither."""

from __future__ import annotations

from datetime import date

from churnml.base.dates import ceil_month, month_starts
from churnml.errors import LabelWindowError
from churnml.labels.window import Window
from churnml.models.model import Model


def learned_until(model: Model, window: Window) -> date:
    """The first date after all labels that a model was trained on.

    Raises
    ------
    LabelWindowError
        If the model does not say on which dates it was trained.
    """
    if not model.origin.as_of:
        raise LabelWindowError(
            f"{model.origin.name or model.task}: the model does not say on which dates it learned.",
            hint="Train it again.",
        )
    return window.end(max(date.fromisoformat(day) for day in model.origin.as_of))


def unseen_months(
    covered: date,
    learned: date,
    window: Window,
    *,
    months: int,
    source: str = "the source",
    earliest: date = date.min,
) -> tuple[date, ...]:
    """The most recent firsts of months whose labels are covered and that nobody learned from.

    Parameters
    ----------
    covered : date
        The first date that the data does not cover for a label.
    learned : date
        The first date after all training labels: no earlier ``as_of`` is fair.
    window : Window
        Where the label looks.
    months : int
        How many at most.
    source : str
        What the message calls the data.
    earliest : date, optional
        The first usable date of the data, where they begin later than the models learned.

    Returns
    -------
    tuple of date
        Oldest first.

    Raises
    ------
    LabelWindowError
        If there is none.

    Examples
    --------
    >>> days = unseen_months(date(2026, 7, 1), date(2026, 2, 10), Window(), months=2)
    >>> [str(day) for day in days]
    ['2026-04-01', '2026-05-01']
    """
    first = ceil_month(max(learned, earliest))
    complete = [day for day in month_starts(first, covered) if window.end(day) <= covered]
    if not complete:
        raise LabelWindowError(
            f"{source}: no matured month that neither model has learned from: they learned "
            f"until {learned}, and labels are covered until {covered}.",
            hint="Name a source with later months, or promote with --force REASON.",
            expected=f"labels covered until {window.end(first)} or later",
        )
    return tuple(complete[-months:])
