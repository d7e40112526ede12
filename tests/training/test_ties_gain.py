"""What ties add to a model: nothing where nobody follows anybody, and said where they do.

Operators of their own are simulated at each strength of contagion; the same model is fitted
with and without the features of ties, on earlier months than those it is measured in.
"""

import numpy as np
import pandas as pd
import pytest

import churnml
from churnml.estimators import ChurnClassifier
from churnml.metrics import bootstrap, paired_difference
from churnml.metrics.ranking import Ranked

SEEDS, CUSTOMERS, MONTHS = (11, 12, 13), 6_000, 16
LEARNED, TESTED = ("2025-08-01", "2025-10-01", "2025-12-01"), ("2026-02-01", "2026-04-01")


def scored(folder, seed, contagion):
    """The test rows of one operator: who left, and the scores with ties and without."""
    place = folder / f"{seed}-{contagion}"
    churnml.simulate(place, customers=CUSTOMERS, months=MONTHS, seed=seed, contagion=contagion)
    source = churnml.open_source(place)
    past, later = (churnml.build_dataset(source, "churn", as_of=days) for days in (LEARNED, TESTED))
    frame = pd.DataFrame({"customer": f"{seed}-" + later.groups, "left": later.y.astype(float)})
    ties = [name for name in past.X if name.startswith("ties_")]
    for name, columns in {"with": list(past.X), "without": past.X.columns.drop(ties)}.items():
        model = ChurnClassifier(num_leaves=(7,), folds=4, repeats=1, random_state=0).fit(
            past.X[columns], past.y, groups=past.groups
        )
        frame[name] = model.predict_proba(later.X[columns])[:, 1]
    return frame


def gain(frames):
    """AUC with ties less AUC without, the mean over operators, bootstrapped by customer."""
    sizes = np.cumsum([0, *map(len, frames)])

    def mean_auc(name):
        ranked = [Ranked(frame["left"], frame[name]) for frame in frames]
        return lambda weight: np.mean(
            [one.auc(weight[sizes[at] : sizes[at + 1]]) for at, one in enumerate(ranked)]
        )

    with_ties, without = mean_auc("with"), mean_auc("without")
    groups = pd.concat(frames)["customer"]
    measures = {
        "gain": paired_difference(with_ties, without),
        "with": with_ties,
        "without": without,
    }
    return bootstrap(measures, groups, draws=400)


@pytest.mark.slow
@pytest.mark.parametrize(("contagion", "helps"), [(0.0, False), (1.0, True)])
def test_ties_help_where_leaving_is_passed_on_and_nowhere_else(tmp_path, contagion, helps):
    found = gain([scored(tmp_path, seed, contagion) for seed in SEEDS])["gain"]
    assert (found.low > 0.005) == helps
    assert (found.low <= 0 <= found.high) == (not helps)
