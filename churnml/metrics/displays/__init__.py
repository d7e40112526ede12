"""Figures of predictions in the shape of scikit-learn's Displays.

Each is made by ``from_predictions`` (or ``from_estimator``), draws itself with
``plot(ax=None)``, and then has ``ax_`` and ``figure_``. ROC, precision-recall and DET curves
are scikit-learn's own: ``RocCurveDisplay``, ``PrecisionRecallDisplay``, ``DetCurveDisplay``.
"""

from churnml.metrics.displays.gains import GainsDisplay
from churnml.metrics.displays.profit import ProfitDisplay
from churnml.metrics.displays.reasons import ReasonsDisplay
from churnml.metrics.displays.reliability import ReliabilityDisplay
from churnml.metrics.displays.satisfaction import SatisfactionDisplay

__all__ = [
    "GainsDisplay",
    "ProfitDisplay",
    "ReasonsDisplay",
    "ReliabilityDisplay",
    "SatisfactionDisplay",
]
