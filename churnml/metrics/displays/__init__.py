"""Figures, one module each.

Those of predictions have the shape of scikit-learn's Displays: made by ``from_predictions``
(or ``from_estimator``), they draw themselves with ``plot(ax=None)``, and then have ``ax_`` and
``figure_``. ROC, precision-recall and DET curves are scikit-learn's own: ``RocCurveDisplay``,
``PrecisionRecallDisplay``, ``DetCurveDisplay``. Those of results that are already counted
(`ageing`, `balance`, `importance`, `slices`) are functions that give a whole figure.
"""

from churnml.metrics.displays.gains import GainsDisplay
from churnml.metrics.displays.groups import GroupsDisplay
from churnml.metrics.displays.profit import ProfitDisplay
from churnml.metrics.displays.reasons import ReasonsDisplay
from churnml.metrics.displays.reliability import ReliabilityDisplay
from churnml.metrics.displays.satisfaction import SatisfactionDisplay
from churnml.metrics.displays.survival import SurvivalDisplay
from churnml.metrics.displays.uplift import FifthsDisplay, UpliftDisplay
from churnml.metrics.displays.word_of_mouth import WordOfMouthDisplay

__all__ = [
    "FifthsDisplay",
    "GainsDisplay",
    "GroupsDisplay",
    "ProfitDisplay",
    "ReasonsDisplay",
    "ReliabilityDisplay",
    "SatisfactionDisplay",
    "SurvivalDisplay",
    "UpliftDisplay",
    "WordOfMouthDisplay",
]
