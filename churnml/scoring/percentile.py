"""Percentiles and risk bands of scores among a model's reference scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

BANDS = ("low", "medium", "high", "critical")

BandsBy = Literal["percentile", "probability", "money"]


def percentile(scores: ArrayLike, reference: Sequence[float]) -> NDArray[np.float64]:
    """The percentage of reference scores below each score.

    Scores equal to a score take the middle of their ranks; between two reference
    quantiles the share is interpolated. One row alone has the same percentile as among
    millions.

    Parameters
    ----------
    scores : array, shape (n,)
    reference : sequence of float
        Quantiles of the reference scores at equal steps from 0 % to 100 %, ascending.

    Returns
    -------
    array, shape (n,)
        From 0 to 100; NaN without any reference.

    Examples
    --------
    >>> percentile([0.0, 0.25, 0.5, 0.9], [0.1, 0.2, 0.3, 0.4, 0.5])
    array([  0. ,  37.5, 100. , 100. ])
    >>> percentile([0.2], [0.1, 0.2, 0.2, 0.3, 0.4])
    array([37.5])
    """
    scores = np.asarray(scores, dtype=float)
    if not len(reference):
        return np.full(scores.shape, np.nan)
    shares = np.linspace(0, 100, len(reference))
    values, place, count = np.unique(
        np.asarray(reference, dtype=float), return_inverse=True, return_counts=True
    )
    middle = np.bincount(place, weights=shares) / count
    return np.interp(scores, values, middle, left=0.0, right=100.0)


def risk_band(percentiles: ArrayLike, cuts: Sequence[float]) -> NDArray[np.object_]:
    """The risk band of each percentile.

    Parameters
    ----------
    percentiles : array, shape (n,)
        Or whatever else the cuts are of.
    cuts : sequence of 3 float
        Where medium, high and critical begin; a value on a cut is in the upper band.

    Returns
    -------
    array of text, shape (n,)
        None where the value is not known.

    Examples
    --------
    >>> risk_band([0, 49.9, 50, 80, 95, 100], (50, 80, 95)).tolist()
    ['low', 'low', 'medium', 'high', 'critical', 'critical']
    """
    values = np.asarray(percentiles, dtype=float)
    bands = np.array([*BANDS, None], dtype=object)
    places = np.searchsorted(np.asarray(cuts), values, side="right")
    return bands[np.where(np.isnan(values), len(BANDS), places)]


@dataclass(frozen=True, kw_only=True)
class BandCuts:
    """What cuts the risk bands.

    Attributes
    ----------
    by : {"percentile", "probability", "money"}
        The percentile of risk among the customers of training, the probability of leaving,
        or the value at risk: that probability × ARPU × ``months``, in yuan.
    cuts : tuple of 3 float
        Where medium, high and critical begin.
    months : float
        How long a customer who stays does so.

    Examples
    --------
    >>> cuts = BandCuts(by="money", cuts=(50, 100, 300))
    >>> cuts.bands({"churn_probability": [0.1, 0.5, 0.5], "arpu": [50, 60, None]}).tolist()
    ['medium', 'critical', None]
    >>> print(BandCuts().meaning())
    Risk bands by percentile in training: medium from 50, high from 80, critical from 95.
    >>> print(cuts.meaning("zh"))
    风险等级按风险价值（离网概率×ARPU×12个月）划分：50元起为中，100元起为高，300元起为极高。
    """

    by: BandsBy = "percentile"
    cuts: tuple[float, float, float] = (50.0, 80.0, 95.0)
    months: float = 12.0

    def bands(self, columns: Mapping[str, Any]) -> NDArray[np.object_]:
        """The band of each row, from its columns of scores; None where it cannot be told."""
        if self.by == "percentile":
            values = columns["churn_percentile"]
        elif self.by == "probability":
            values = columns["churn_probability"]
        else:
            arpu = np.asarray(columns["arpu"], dtype=float)
            values = np.asarray(columns["churn_probability"], dtype=float) * arpu * self.months
        return risk_band(values, self.cuts)

    def meaning(self, lang: Literal["en", "zh"] = "en") -> str:
        """What a band means, in a sentence."""
        shown = [_SHOWN[self.by].format(cut) for cut in self.cuts]
        if lang == "zh":
            begin = "，".join(
                f"{cut}起为{name}" for name, cut in zip(("中", "高", "极高"), shown, strict=True)
            ).replace(" yuan", "元")
            return f"风险等级按{self._what_zh()}划分：{begin}。"
        begin = ", ".join(f"{name} from {cut}" for name, cut in zip(BANDS[1:], shown, strict=True))
        return f"Risk bands by {self._what()}: {begin}."

    def _what(self) -> str:
        return {
            "percentile": "percentile in training",
            "probability": "probability of leaving",
            "money": f"value at risk (probability of leaving × ARPU × {self.months:g} months)",
        }[self.by]

    def _what_zh(self) -> str:
        return {
            "percentile": "训练客户中的百分位",
            "probability": "离网概率",
            "money": f"风险价值（离网概率×ARPU×{self.months:g}个月）",
        }[self.by]

    def to_dict(self) -> dict[str, Any]:
        """What the manifest says of the bands."""
        return {"by": self.by, "cuts": [float(one) for one in self.cuts], "meaning": self.meaning()}


_SHOWN = {"percentile": "{:g}", "probability": "{:.4g}", "money": "{:g} yuan"}
