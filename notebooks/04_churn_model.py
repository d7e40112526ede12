# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04 · The churn model
#
# Who will leave within two months? Train on past months, test on a later one, compare with
# what simpler means reach, and ask for reasons in service terms.
#
# All data here are simulated.

# %%
import os
import tempfile

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.metrics import RocCurveDisplay

import churnml
from churnml.evaluation import base_rate, evaluate_churn, regression
from churnml.features import declared
from churnml.metrics.displays import GainsDisplay, ReasonsDisplay, ReliabilityDisplay

os.chdir(tempfile.mkdtemp())
churnml.simulate("operator", customers=6_000, months=18, seed=5)
source = churnml.open_source("operator")

# %% [markdown]
# ## The data
#
# One row a customer and date. `groups` holds the customer, so that no fold parts one
# customer's rows; the last training label ends where the test date begins.

# %%
train = churnml.build_dataset(source, "churn", as_of=["2025-11-01", "2025-12-01", "2026-01-01"])
test = churnml.build_dataset(source, "churn", as_of="2026-03-01")
train, test

# %% [markdown]
# ## The estimator
#
# `ChurnClassifier` is a scikit-learn estimator: a bag of LightGBM boosters, each stopped
# early on customers it has not seen, with probabilities calibrated on out-of-fold scores.
# Text columns are categories; nothing needs encoding.

# %%
model = churnml.ChurnClassifier(repeats=1, folds=3, random_state=0)
model.fit(train.X, train.y, groups=train.groups)

# %% [markdown]
# ## How good is it?
#
# On the month ahead, with 95 % intervals over customers, beside two baselines: everybody
# gets the base rate, and a logistic regression.

# %%
p = model.predict_proba(test.X)[:, 1]
line = regression("churn", (train.X, train.y), test.X)
evaluation = evaluate_churn(
    test.y,
    p,
    test.groups,
    model="ChurnClassifier",
    baselines={"base rate": base_rate(train.y, len(test)), "regression": line},
    X=test.X,
)
evaluation

# %%
figure, (roc, gains, reliable) = plt.subplots(1, 3, figsize=(14, 4), layout="constrained")
for name, scores in {"model": p, "regression": line}.items():
    RocCurveDisplay.from_predictions(test.y, scores, name=name, ax=roc)
roc.set_title("ROC on the month ahead")
GainsDisplay.from_predictions(test.y, p, ax=gains)
ReliabilityDisplay.from_predictions(test.y, p, ax=reliable)

# %% [markdown]
# ## How good could it be?
#
# A simulator knows the true probabilities, hidden states included. No model can reach them;
# the share of the possible says how much is left.

# %%
truth = pd.read_parquet("operator/truth/hazard.parquet")
truth = truth[pd.to_datetime(truth["month"]) == "2026-03-01"].set_index("customer_id")
possible = truth["churn_probability"].reindex(test.groups.to_numpy())
reached = evaluate_churn(test.y, p, test.groups, truth=possible).possible
pd.DataFrame({name: vars(one) for name, one in reached.items()}).T.round(3)

# %% [markdown]
# ## Why?
#
# Contributions are exact TreeSHAP values on the log-odds: a row's contributions and the base
# add up to its score. Over all customers:

# %%
why = model.explain(test.X)
drivers = {one.name: one.driver for one in declared(source.tables)}
shown = ReasonsDisplay.from_predictions(why, drivers=drivers)
shown.ax_.set_title("What raises and lowers the scores")
plt.show()

# %% [markdown]
# For one customer, the riskiest, with the Chinese name of each feature:

# %%
chinese = {one.name: one.zh for one in declared(source.tables)}
riskiest = p.argmax()
reasons = why.iloc[riskiest].sort_values(key=abs, ascending=False).head(6)
pd.DataFrame(
    {
        "说明": [chinese[name] for name in reasons.index],
        "value": [test.X[name].iloc[riskiest] for name in reasons.index],
        "log-odds": reasons.round(2),
    }
)

# %% [markdown]
# ## The same from the command line
#
# `churnml train` does all of this on more months, refits on everything, and keeps the model
# with its figures in MLflow:
#
# ```
# churnml train churn tables/
# churnml evaluate models:/churn@champion tables/ --as-of 2026-03-01
# ```
#
# Next: [05 · the satisfaction model](05_satisfaction_model.ipynb).
