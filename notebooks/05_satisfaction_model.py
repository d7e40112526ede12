# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 05 · The satisfaction model
#
# Surveys reach a few per cent of the customers; the model says how satisfied *all* of them
# would be: a score from 0 to 100, an interval that holds 90 % of answers, and the
# probability of being dissatisfied (不满意, a score of 60 or less).
#
# All data here are simulated.

# %%
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import churnml
from churnml.evaluation import evaluate_satisfaction, regression
from churnml.features import declared
from churnml.metrics.displays import GroupsDisplay, ReasonsDisplay, SatisfactionDisplay

os.chdir(tempfile.mkdtemp())
churnml.simulate("operator", customers=10_000, months=18, seed=6)
source = churnml.open_source("operator")

# %% [markdown]
# ## Who is asked, and who answers

# %%
surveys = source.tables["surveys"].to_pandas()
asked = surveys["customer_id"].nunique() / 10_000
answered = surveys["answered_at"].notna().mean()
f"{asked:.0%} of the customers were asked in 18 months; {answered:.0%} of the surveys answered"

# %%
low, high = surveys["scale_min"], surveys["scale_max"]
points = 100 * (surveys["score"] - low) / (high - low)
title, label = "Answers, brought to 0–100; up to the line they are dissatisfied", "satisfaction"
bins = np.arange(-5, 110, 10)
axes = points.plot.hist(bins=bins, rwidth=0.9, title=title, xlabel=label, ylabel="answers")
axes.axvline(60, color="C1", linestyle="--")

# %% [markdown]
# Most answers lie at the top, as in every such survey. Accuracy is therefore no measure of a
# model: who always says 100 is right most often. Rank correlation, R² and the ranking of the
# dissatisfied are.

# %%
months = [f"2025-{month:02d}-01" for month in range(5, 13)]
train = churnml.build_dataset(source, "satisfaction", as_of=months)
test = churnml.build_dataset(source, "satisfaction", as_of=["2026-02-01", "2026-04-01"])
len(train), len(test)

# %%
model = churnml.SatisfactionRegressor(repeats=1, folds=3, random_state=0)
model.fit(train.X, train.y, groups=train.groups)
prediction = model.predict(test.X)
interval = model.predict_interval(test.X)
evaluation = evaluate_satisfaction(
    test.y,
    prediction,
    test.groups,
    model="SatisfactionRegressor",
    dissatisfied=model.predict_dissatisfied(test.X),
    interval=interval,
    baselines={
        "mean of all": np.full(len(test), train.y.mean()),
        "regression": regression("satisfaction", (train.X, train.y), test.X),
    },
)
evaluation

# %%
shown = SatisfactionDisplay.from_predictions(test.y, prediction, interval=interval)
shown.ax_.set_title("Predicted and answered")
plt.show()

# %% [markdown]
# ## Satisfaction of customers nobody asked

# %%
everybody = churnml.build_features(source, as_of="2026-04-01").to_pandas()
scores = pd.DataFrame(
    {
        "brand": everybody["lifecycle_brand"].to_numpy(),
        "satisfaction": model.predict(everybody),
        "dissatisfied": model.predict_dissatisfied(everybody),
    }
)
NAMES = {"gotone": "全球通", "easyown": "神州行", "mzone": "动感地带", "senior": "老年"}
title, label = "Predicted satisfaction by brand (品牌)", "points of 100"
brand = scores["brand"].map(NAMES)
GroupsDisplay.from_values(scores["satisfaction"], brand, title=title, label=label)
plt.show()

# %% [markdown]
# The simulator knows the true satisfaction of everybody. Those who answer surveys are not
# like all: the mean of the answers is not the mean of the customers.

# %%
truth = pd.read_parquet("operator/truth/hazard.parquet")
truth = truth[pd.to_datetime(truth["month"]) == "2026-04-01"].set_index("customer_id")
told = {
    "answers of the year before": train.y.mean(),
    "model, everybody": scores["satisfaction"].mean(),
    "truth, everybody": truth["satisfaction"].reindex(everybody["customer_id"]).mean(),
}
pd.Series(told, name="mean satisfaction, points of 100").to_frame().round(1)

# %% [markdown]
# ## What moves satisfaction?
#
# Contributions are in points of satisfaction, by driver in service terms.

# %%
why = model.explain(test.X)
drivers = {one.name: one.driver for one in declared(source.tables)}
shown = ReasonsDisplay.from_predictions(why, drivers=drivers, unit="points")
shown.ax_.set_title("What raises and lowers satisfaction")
plt.show()

# %% [markdown]
# Next: [06 · evaluation, slices and profit](06_evaluation_slices_profit.ipynb).
