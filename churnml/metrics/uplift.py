"""Uplift and Qini curves: the extra outcomes among the first customers of a ranking.

Under the name Qini at least four numbers are published. Three curves that count outcomes are
here, for comparison with other tools; the package itself reports `churnml.metrics.effects.qini`,
of doubly robust scores, and nothing else by that name. Customers with the same score are taken
together, always: the order of rows changes nothing.

References
----------
Radcliffe (2007), "Using control groups to target on predicted lift", Direct Marketing
Analytics Journal. Gutierrez, Gérardy (2017), "Causal inference and uplift modelling: a review
of the literature", PMLR 67, for the gain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.errors import DataError
from churnml.metrics.check_arrays import check_binary, numbers
from churnml.metrics.check_options import check_kind

Floats = NDArray[np.float64]
Definition = Literal["qini", "fixed_ratio", "gain"]


@dataclass(frozen=True, kw_only=True)
class UpliftCurve:
    """Extra outcomes among the first customers.

    Attributes
    ----------
    share : array, shape (k,)
        Of the customers, from 0 to 1.
    extra : array, shape (k,)
        Outcomes more among the treated than without treatment.
    definition : str
    """

    share: Floats
    extra: Floats
    definition: Definition

    @property
    def area(self) -> float:
        """Area under the curve over the share."""
        return float(np.trapezoid(self.extra, self.share))

    @property
    def area_less_chord(self) -> float:
        """The area less that of a ranking by lot, which ends at the same height."""
        return self.area - float(self.extra[-1]) / 2


def uplift_curve(
    y: ArrayLike, treated: ArrayLike, score: ArrayLike, *, definition: Definition = "qini"
) -> UpliftCurve:
    """Count extra outcomes among the first customers of a ranking, highest score first.

    Parameters
    ----------
    y : array, shape (n,)
        1 where the outcome happened, else 0.
    treated : array, shape (n,)
        1 where the customer was treated, else 0.
    score : array, shape (n,)
        The more, the sooner.
    definition : {"qini", "fixed_ratio", "gain"}
        With n and Y the customers and outcomes so far of treated and control, N all of them:
        ``Y_T - Y_C n_T / n_C`` (Radcliffe; scikit-uplift, causalml), ``Y_T - Y_C N_T / N_C``
        (pylift), or ``(Y_T / n_T - Y_C / n_C) (n_T + n_C)`` (scikit-uplift's uplift curve,
        causalml's gain). A rate of nobody counts as 0.

    Raises
    ------
    DataError
        Lengths that differ, outcomes or treatments other than 0 and 1, an arm without rows.

    Examples
    --------
    >>> y, treated = [0, 0, 0, 0, 1, 0, 0, 1, 1, 1], [0] * 5 + [1] * 5
    >>> curve = uplift_curve(y, treated, [0, 0.1, 0.2, 0.3, 0.4] * 2)
    >>> round(curve.area, 4), round(curve.area_less_chord, 4)
    (1.2, 0.2)
    """
    outcome, scores = check_binary(y, score)
    arm, _ = check_binary(treated, score, name="scores")
    if arm.min() == arm.max():
        raise DataError(
            f"treated: all {arm.size:,} rows are "
            + ("treated; some in control were expected." if arm[0] else "in control."),
            count=arm.size,
        )
    if definition not in ("qini", "fixed_ratio", "gain"):
        check_kind("definition", None, str)
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    ends = np.flatnonzero(np.r_[falling[1:] != falling[:-1], True])
    arm, outcome = arm[order], outcome[order]

    def so_far(values: Floats) -> Floats:
        return np.r_[0.0, np.cumsum(values)[ends]]

    n_t, n_c = so_far(arm), so_far(1 - arm)
    y_t, y_c = so_far(arm * outcome), so_far((1 - arm) * outcome)
    if definition == "qini":
        extra = y_t - _rate(y_c, n_c) * n_t
    elif definition == "fixed_ratio":
        extra = y_t - y_c * n_t[-1] / n_c[-1]
    else:
        extra = (_rate(y_t, n_t) - _rate(y_c, n_c)) * (n_t + n_c)
    return UpliftCurve(share=(n_t + n_c) / arm.size, extra=extra, definition=definition)


def _rate(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def difference_of_means(y: ArrayLike, treated: ArrayLike) -> tuple[float, float]:
    """The treated's mean less that of control, and its standard error (unpooled).

    Examples
    --------
    >>> difference_of_means([0, 1, 1, 1], [0, 0, 1, 1])
    (0.5, 0.5)
    """
    values, arm = numbers("outcomes", y), numbers("treated", treated) == 1
    one, other = values[arm], values[~arm]
    if min(one.size, other.size) < 2:
        raise DataError(
            f"{one.size} treated and {other.size} in control; two or more of each were expected."
        )
    error = np.sqrt(one.var(ddof=1) / one.size + other.var(ddof=1) / other.size)
    return float(one.mean() - other.mean()), float(error)
