"""What may be foretold of months whose outcomes are not known yet, and where nothing may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from churnml.config.monitoring import MonitorSettings
from churnml.monitoring.alarms import SURE
from churnml.monitoring.columns import columns_off
from churnml.monitoring.estimate import MOST_OFF, SLOPES, expected_auc
from churnml.monitoring.outcomes import Realised
from churnml.monitoring.prior import Prior, estimate_prior, near
from churnml.monitoring.result import MonitoredMonth

_NEARLY = 0.1


def with_estimates(
    months: Sequence[MonitoredMonth], now: date, settings: MonitorSettings
) -> tuple[list[MonitoredMonth], bool]:
    """Estimate the AUC of months not known yet, where the last known month allows it.

    Returns
    -------
    list of MonitoredMonth, bool
        And whether the last known month allows it.
    """
    known = [month for month in months if month.realised]
    if not known or not _trusted(known[-1]):
        return list(months), False
    return [
        replace(month, estimated=_foretold(month))
        if month.known_from > now and not columns_off(month.histograms, settings)
        else month
        for month in months
    ], True


def _trusted(month: MonitoredMonth) -> bool:
    guess, fared = _foretold(month), month.realised
    if guess is None or fared is None:
        return False
    low, high = SLOPES
    return low <= fared.slope <= high and abs(guess - fared.auc) <= MOST_OFF


def _foretold(month: MonitoredMonth) -> float | None:
    scores = month.histograms.scores if month.histograms else None
    if scores is None or not scores.bins:
        return None
    return expected_auc(scores.means, [rows for _places, rows in scores.bins])


def with_priors(
    months: Sequence[MonitoredMonth], settings: MonitorSettings
) -> tuple[list[MonitoredMonth], bool]:
    """Estimate each month's share of leavers, were it all that has moved.

    Compared is the last month known by then whose scores were right, by the same model. All
    are shown or none: what was foretold of the last known month must have come true.

    Returns
    -------
    list of MonitoredMonth, bool
        And whether estimates may be shown.
    """
    guesses = [_prior(month, months, settings) for month in months]
    known = [
        (month.realised, guess)
        for month, guess in zip(months, guesses, strict=True)
        if month.realised
    ]
    if not known or not _came_true(*known[-1], limit=settings.rate_limit):
        return list(months), False
    return [replace(one, prior=guess) for one, guess in zip(months, guesses, strict=True)], True


def _came_true(fared: Realised, guess: Prior | None, *, limit: float) -> bool:
    return guess is not None and near(fared.rate, guess, limit)


def _prior(
    month: MonitoredMonth, months: Sequence[MonitoredMonth], settings: MonitorSettings
) -> Prior | None:
    found = month.histograms
    if found is None or found.scores is None or columns_off(found, settings):
        return None
    for one in reversed(months):
        then, fared = one.histograms, one.realised
        if (
            one.known_from <= month.as_of
            and fared is not None
            and then is not None
            and then.scores is not None
            and then.digest == found.digest
            and _right(fared)
        ):
            return estimate_prior(found.scores, then.scores, since=one.as_of, left=fared.left)
    return None


def _right(fared: Realised) -> bool:
    """Whether scores were probabilities: neither too bold nor too shy, and right on average."""
    low, high = SLOPES
    level = abs(fared.surprise) <= SURE or abs(fared.predicted / fared.rate - 1) <= _NEARLY
    return low <= fared.slope <= high and level
