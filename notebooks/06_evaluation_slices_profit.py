# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 06 · Evaluation, slices and profit
#
# A figure that goes to a board needs an interval, a comparison, a look at who is served
# badly, and a sum of money. All of them are functions over arrays: labels, predictions and
# customers. Any model's predictions will do, not only churnml's.
#
# All data here are simulated.

# %%
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import churnml
from churnml.config.settings import Costs
from churnml.evaluation import (
    age_band,
    churn_slices,
    evaluate_churn,
    regression,
    tenure_band,
)
from churnml.metrics import (
    bootstrap,
    churn_measures,
    customer_value,
    paired_difference,
    profit_curve,
)
from churnml.metrics.displays import ProfitDisplay

os.chdir(tempfile.mkdtemp())
churnml.simulate("operator", customers=6_000, months=18, seed=7)
source = churnml.open_source("operator")
train = churnml.build_dataset(source, "churn", as_of=["2025-11-01", "2025-12-01"])
test = churnml.build_dataset(source, "churn", as_of=["2026-02-01", "2026-03-01"])
model = churnml.ChurnClassifier(repeats=1, folds=3).fit(train.X, train.y, groups=train.groups)
p = model.predict_proba(test.X)[:, 1]
line = regression("churn", (train.X, train.y), test.X)

# %% [markdown]
# ## Intervals over customers
#
# One customer's rows are drawn together: two months of the same customer are not two
# independent observations. A difference between two models is drawn in pairs, on the same
# customers; its interval is far narrower than those of the two.

# %%
measures = {
    "model": churn_measures(test.y, p)["auc"],
    "regression": churn_measures(test.y, line)["auc"],
}
measures["difference"] = paired_difference(*measures.values())
found = bootstrap(measures, test.groups, draws=300)
pd.DataFrame({name: vars(one) for name, one in found.items()}).T.round(3)

# %% [markdown]
# ## Slices
#
# Is every kind of customer served as well as the others? The elderly brand comes first to
# mind. A slice is called worse only where the difference stands after a correction for
# looking at many (Holm), and not at all where fewer than 50 left.

# %%
cuts = pd.DataFrame(
    {
        "brand": test.X["lifecycle_brand"],
        "payment": test.X["lifecycle_payment"],
        "tier": test.X["tier_individual_now"],
        "age": age_band(test.X["lifecycle_age_years"]),
        "tenure": tenure_band(test.X["lifecycle_tenure_days"]),
    }
)
found = churn_slices(cuts, test.y, p, test.groups, draws=100)
table = pd.DataFrame(
    {
        "slice": f"{one.column}: {one.value}",
        "rows": one.rows,
        "left": one.positives,
        "AUC": one.metrics["auc"].value if "auc" in one.metrics else np.nan,
        "low": one.metrics["auc"].low if "auc" in one.metrics else np.nan,
        "high": one.metrics["auc"].high if "auc" in one.metrics else np.nan,
        "worse": "yes" if one.worse else one.note,
    }
    for one in found
).set_index("slice")
table.round(3)

# %%
shown = table.dropna(subset="AUC").iloc[::-1]
axes = plt.figure(figsize=(8, 1 + 0.32 * len(shown))).subplots()
axes.hlines(shown.index, shown["low"], shown["high"])
axes.plot(shown["AUC"], shown.index, "o")
axes.set(title="AUC by slice, the worst first", xlabel="AUC, 95 % interval")

# %% [markdown]
# ## Profit
#
# A campaign contacts the customers who are likeliest to leave. Each contact costs, each
# offer costs, and some who would have left stay and go on paying: *their own* ARPU, not the
# average one. The costs are settings (`configs/costs.yaml`).

# %%
costs = Costs()
pd.Series(costs.model_dump(), name="yuan, or a share").to_frame()

# %%
value = customer_value(test.X["arpu_mean_3m_yuan"], costs)
curve = profit_curve(test.y, p, value, test.groups, costs=costs, draws=100)
curve

# %%
ProfitDisplay(curve=curve).plot()
plt.show()

# %% [markdown]
# ## Everything at once, and what is wrong
#
# `evaluate_churn` puts it together and looks for faults. Here is the model, and then three
# broken ones: shuffled, over-confident, and one that has seen the answer.

# %%
evaluate_churn(test.y, p, test.groups, slices=cuts, value=value, baselines={"regression": line})

# %%
random = np.random.default_rng(0)
logit = np.log(p / (1 - p))
broken = {
    "shuffled": random.permutation(p),
    "over-confident": 1 / (1 + np.exp(-(3 * (logit - logit.mean()) + logit.mean()))),
    "leaking": np.clip(0.9 * test.y + 0.1 * p, 0.001, 0.999),
}
for name, scores in broken.items():
    result = evaluate_churn(test.y, scores, test.groups, baselines={"regression": line}, draws=50)
    print(name)
    for finding in result.diagnosis:
        print(f"    {finding.code}: {finding.message}")

# %% [markdown]
# Next: [07 · registry and batch scoring](07_registry_and_scoring.ipynb).
