"""Decide whether a challenger may replace the champion, on rows that neither has seen.

The champion stays unless the challenger is shown to be good enough, in three ways:

- *not worse by more than a margin* (AUC; mean error of satisfaction): the interval of the
  gain must lie above minus the margin, so that too few rows to tell are no pass;
- *not shown worse* (profit, log loss, ranking of satisfaction, and every slice): the
  interval of the gain must not lie below zero, of log loss below a small tolerance, which
  equal models differ by; over the slices by Holm's procedure;
- *within bounds* (level, calibration, coverage of the intervals): or shown to be nearer to
  them than the champion, since a market that changes puts both out; or, where the interval
  reaches into the bounds, not shown to be further out than the champion.

A gain is the challenger's improvement, above zero where it is better, whichever way the
measure runs. All gains are drawn together over customers.

References
----------
Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian
Journal of Statistics 6(2). Piaggio et al. (2012), "Reporting of noninferiority and
equivalence randomized trials", JAMA 308(24), for the margin.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr

from churnml.config.settings import Promotion
from churnml.errors import DataError
from churnml.metrics import Estimate, bootstrap, paired_difference
from churnml.metrics.bootstrap import Measure
from churnml.metrics.intervals import normal_quantile
from churnml.metrics.significance import below_zero, holm

Measures = Mapping[str, Measure]
EVERYBODY = "all customers"
_OWN = "own "


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How one measure is judged.

    Attributes
    ----------
    measure : str
    better : {"more", "less", "near"}
        Near ``bounds``' own middle, ``aim``.
    margin : float, optional
        By how much the challenger may be worse; the interval must lie above minus it.
        Without it the challenger must not be shown worse.
    tolerance : float
        Without a margin: a loss up to it counts as none.
    bounds : (float, float), optional
        Within them nothing else is asked.
    aim : float
    """

    measure: str
    better: Literal["more", "less", "near"]
    margin: float | None = None
    tolerance: float = 0.0
    bounds: tuple[float, float] | None = None
    aim: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Check:
    """The result of one check.

    Attributes
    ----------
    where : str
        ``all customers``, or a slice.
    measure : str
    challenger, champion : float
    gain : Estimate
        The challenger's improvement; above 0 it is better.
    passed : bool
    reason : str
        Why, in a few words.
    """

    where: str
    measure: str
    challenger: float
    champion: float
    gain: Estimate
    passed: bool
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """The check as plain data; what is not defined is ``None``."""
        numbers = {
            "challenger": self.challenger,
            "champion": self.champion,
            "gain": self.gain.value,
            "gain_low": self.gain.low,
            "gain_high": self.gain.high,
        }
        finite = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
        return {
            "where": self.where,
            "measure": self.measure,
            **finite,
            "passed": self.passed,
            "reason": self.reason,
        }


@dataclass(frozen=True, kw_only=True)
class SliceGain:
    """A measure in a slice, with the p-value of its gain.

    Attributes
    ----------
    where, measure : str
    challenger, champion : float
    error : float
        Standard error of the gain, customers taken together.
    better : {"more", "less"}
    tolerance : float
        A loss up to it counts as none.
    """

    where: str
    measure: str
    challenger: float
    champion: float
    error: float
    better: Literal["more", "less"] = "more"
    tolerance: float = 0.0

    @property
    def gain(self) -> float:
        """The challenger's improvement."""
        more = self.challenger - self.champion
        return more if self.better == "more" else -more


def churn_rules(settings: Promotion, rate: float) -> tuple[Rule, ...]:
    """The rules for churn models over all customers, of whom ``rate`` left."""
    slope = settings.calibration_slope
    limit = (0.0, settings.calibration_error)
    return (
        Rule(measure="auc", better="more", margin=settings.auc_margin),
        Rule(measure="profit_maximum", better="more"),
        Rule(measure="log_loss", better="less", tolerance=log_loss_tolerance(settings, rate)),
        Rule(
            measure="predicted_to_observed",
            better="near",
            bounds=settings.predicted_to_observed,
            aim=1.0,
        ),
        Rule(measure="calibration_slope", better="near", bounds=slope, aim=1.0),
        Rule(measure="calibration_error", better="less", bounds=limit),
    )


def log_loss_tolerance(settings: Promotion, rate: float) -> float:
    """The tolerated increase in log loss: a share of the base rate's log loss.

    >>> round(log_loss_tolerance(Promotion(log_loss_margin=0.01), rate=0.03), 5)
    0.00135
    """
    return settings.log_loss_margin * float(entr(rate) + entr(1 - rate))


def satisfaction_rules(settings: Promotion) -> tuple[Rule, ...]:
    """The rules for satisfaction models over all respondents."""
    return (
        Rule(measure="mae", better="less", margin=settings.mae_margin),
        Rule(measure="r2", better="more"),
        Rule(measure="spearman", better="more"),
        Rule(measure="auc_dissatisfied", better="more"),
        Rule(measure="interval_coverage", better="near", bounds=settings.coverage, aim=0.9),
    )


def judge(
    rules: Sequence[Rule],
    challenger: Measures,
    champion: Measures,
    groups: ArrayLike,
    settings: Promotion,
) -> list[Check]:
    """Run the checks over all customers.

    Parameters
    ----------
    rules : sequence of Rule
        Those whose measure is not there are passed over.
    challenger, champion : mapping of str to Measure
        Functions of row weights, of the same rows.
    groups : array, shape (n,)
        The customer of each row.
    settings : Promotion

    Examples
    --------
    >>> from churnml.metrics import churn_measures
    >>> y = np.tile([0, 0, 0, 1], 100)
    >>> good, bad = churn_measures(y, 0.1 + 0.5 * y), churn_measures(y, np.full(400, 0.25))
    >>> rules = [Rule(measure="auc", better="more", margin=0.01)]
    >>> [check.passed for check in judge(rules, good, bad, np.arange(400), Promotion())]
    [True]
    >>> [check.reason for check in judge(rules, bad, good, np.arange(400), Promotion())]
    ['worse, perhaps by more than the margin of 0.01']
    """
    used = [rule for rule in rules if rule.measure in challenger]
    gains = {
        rule.measure: _gain(rule, challenger[rule.measure], champion[rule.measure]) for rule in used
    }
    bounded = {_OWN + r.measure: challenger[r.measure] for r in used if r.bounds is not None}
    drawn = bootstrap(gains | bounded, groups, draws=settings.draws, seed=settings.seed)
    ones = np.ones(np.asarray(groups).size)
    checks = []
    for rule in used:
        own, other = challenger[rule.measure](ones), champion[rule.measure](ones)
        gain = drawn[rule.measure]
        passed, reason = _decide(rule, own, gain, drawn.get(_OWN + rule.measure))
        checks.append(
            Check(
                where=EVERYBODY,
                measure=rule.measure,
                challenger=own,
                champion=other,
                gain=gain,
                passed=passed,
                reason=reason,
            )
        )
    return checks


def _gain(rule: Rule, challenger: Measure, champion: Measure) -> Measure:
    if rule.better == "more":
        return paired_difference(challenger, champion)
    if rule.better == "less":
        return paired_difference(champion, challenger)
    return lambda weight: abs(champion(weight) - rule.aim) - abs(challenger(weight) - rule.aim)


def _decide(rule: Rule, own: float, gain: Estimate, drawn: Estimate | None) -> tuple[bool, str]:
    if math.isnan(own) or math.isnan(gain.value):
        # Where the challenger's own is known, the champion's is what is not defined.
        return not math.isnan(own), "not defined"
    if rule.bounds is not None and drawn is not None:
        return _bounded(rule.bounds, drawn, gain)
    if rule.margin is not None:
        return _within_margin(rule.margin, gain)
    if gain.high < -rule.tolerance:
        return False, "worse" + (f" by more than {rule.tolerance:.2g}" if rule.tolerance else "")
    if gain.high < 0:
        return True, f"not shown worse by more than {rule.tolerance:.2g}"
    return True, "better" if gain.low > 0 else "not shown worse"


def _bounded(bounds: tuple[float, float], own: Estimate, gain: Estimate) -> tuple[bool, str]:
    low, high = bounds
    outside = f"outside {low:g} to {high:g}"
    if low <= own.value <= high:
        return True, f"within {low:g} to {high:g}"
    if gain.low >= 0:
        return True, f"{outside}, {'nearer than' if gain.low > 0 else 'as is'} the champion"
    if gain.high < 0:
        return False, f"{outside}, further than the champion"
    if own.low <= high and own.high >= low:
        return True, f"not shown {outside}"
    return False, f"{outside}, not shown nearer than the champion"


def _within_margin(margin: float, gain: Estimate) -> tuple[bool, str]:
    if gain.low >= 0:
        return True, "better" if gain.low > 0 else "as good"
    if gain.low > -margin:
        return True, f"no loss above {margin:g}"
    if gain.high < 0:
        return False, f"worse, perhaps by more than the margin of {margin:g}"
    return False, f"too few rows to rule out a loss of {margin:g}"


def judge_slices(gains: Sequence[SliceGain], settings: Promotion) -> list[Check]:
    """Run the checks of every slice: none may be significantly worse, by Holm's procedure.

    Examples
    --------
    >>> worse = SliceGain(
    ...     where="brand senior", measure="auc", challenger=0.6, champion=0.7, error=0.03
    ... )
    >>> other = SliceGain(
    ...     where="brand mzone", measure="auc", challenger=0.69, champion=0.7, error=0.03
    ... )
    >>> [check.passed for check in judge_slices([worse, other], Promotion())]
    [False, True]
    """
    chances = holm([below_zero(one.gain + one.tolerance, one.error) for one in gains]).tolist()
    checks = []
    for one, chance in zip(gains, chances, strict=True):
        worse = bool(chance < settings.significance)
        span = normal_quantile() * one.error
        gain = Estimate(one.gain, one.gain - span, one.gain + span)
        reason = f"{'' if worse else 'not '}significantly worse, over all slices together"
        checks.append(
            Check(
                where=one.where,
                measure=one.measure,
                challenger=one.challenger,
                champion=one.champion,
                gain=gain,
                passed=not worse,
                reason=reason,
            )
        )
    return checks


def require_enough(count: int, settings: Promotion, what: str) -> None:
    """Refuse to judge on too few outcomes.

    Raises
    ------
    DataError
        Says how many there are.
    """
    if count < settings.min_positives:
        raise DataError(
            f"{what}: {count}; at least {settings.min_positives} expected to compare models on.",
            hint="Take more months (promotion.months) or a larger source.",
            count=count,
        )
