# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 03 · ARPU, complaint and tier features
#
# What churnml knows of a customer at a date: 114 features, each declared once with its unit,
# its driver in service terms and the direction in which it is expected to work. This
# notebook looks at three groups of them, and at what *leaving* means before any model.
#
# All data here are simulated.

# %%
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import churnml
from churnml.features import declared
from churnml.metrics.displays import GroupsDisplay

os.chdir(tempfile.mkdtemp())
churnml.simulate("operator", customers=6_000, months=18, seed=4)
source = churnml.open_source("operator")
data = churnml.build_dataset(source, "churn", as_of="2026-03-01")
X, left = data.X, data.y
data

# %% [markdown]
# ## The declarations

# %%
declarations = pd.DataFrame(
    {
        "feature": one.name,
        "unit": one.unit,
        "driver": one.driver,
        "expected": {1: "raises", -1: "lowers", 0: ""}[one.direction],
        "English": one.en,
        "中文": one.zh,
    }
    for one in declared(source.tables)
).set_index("feature")
declarations.groupby("driver").size().rename("features").to_frame()

# %%
declarations.filter(like="complaints_", axis=0).head(12)

# %% [markdown]
# ## ARPU: a long tail, and tiers cut from it
#
# Individuals are tiered by their average monthly bill: silver card (银卡) from 666 yuan,
# gold (金卡) from 1,500, diamond (钻石卡) from 3,000. The thresholds are settings. A few
# customers hold much of the revenue, so a model that treats all alike misses the point.

# %%
arpu = X["arpu_mean_3m_yuan"].dropna().clip(lower=1)
bins = np.geomspace(1, arpu.max(), 50)
axes = arpu.plot.hist(bins=bins, logx=True, title="ARPU over three months", xlabel="yuan a month")
for at, (tier, threshold) in enumerate({"silver": 666, "gold": 1500, "diamond": 3000}.items()):
    share = f"{tier} and up: {(arpu >= threshold).mean():.1%} of the customers"
    axes.axvline(threshold, color=f"C{at + 1}", label=share)
axes.set_ylabel("customers")
axes.legend(frameon=False, bbox_to_anchor=(1, 1), loc="upper left")

# %%
ordered = (100 * arpu.sort_values(ascending=False).cumsum() / arpu.sum()).to_numpy()
title = f"The top 20 % pay {ordered[len(ordered) // 5]:.0f} % of the revenue"
revenue = pd.Series(ordered, index=np.linspace(0, 100, len(ordered)))
revenue.plot(title=title, xlabel="% of customers, highest ARPU first", ylabel="% of revenue")

# %% [markdown]
# ## Who leaves, by ARPU and by its change
#
# The level says little; the change says more. Shown with 95 % intervals.


# %%
FIFTHS = ["lowest fifth", "second", "third", "fourth", "highest fifth"]
figure, panels = plt.subplots(1, 2, figsize=(12, 3.2), layout="constrained")
for axes, name in zip(panels, ["arpu_mean_3m_yuan", "usage_offnet_3m_share"], strict=True):
    fifth = pd.qcut(X[name].rank(method="first"), 5, labels=FIFTHS)
    GroupsDisplay.from_values(left, fifth, order=FIFTHS, title=name, label="% who left", ax=axes)

# %% [markdown]
# ## Complaints
#
# How many in 90 days, what kind, how long the oldest has been open (长期未解决). The last
# column is the trouble *around* a customer: complaints in the region against its usual.

# %%
KINDS = {
    "complaints_network_count_90d": "网络",
    "complaints_tariff_count_90d": "资费",
    "complaints_business_support_count_90d": "业务支撑",
    "complaints_service_window_count_90d": "窗口服务",
}
figure, panels = plt.subplots(2, 2, figsize=(12, 4.6), layout="constrained")
for axes, (name, kind) in zip(panels.flat, KINDS.items(), strict=True):
    some = X[name].gt(0).map({False: "none", True: "one or more"})
    GroupsDisplay.from_values(left, some, title=f"{kind}投诉, 90 days", label="% who left", ax=axes)
plt.show()

# %%
X[[name for name in X if name.startswith("complaints_open")]].describe().T.round(2)

# %% [markdown]
# ## Tiers and how customers move between them

# %%
TIERS = {0: "standard 普通", 1: "silver 银卡", 2: "gold 金卡", 3: "diamond 钻石卡"}
moves = pd.crosstab(X["tier_individual_3m_level"], X["tier_individual_now_level"])
moves.rename(index=TIERS, columns=TIERS).rename_axis(index="three months ago", columns="now")

# %%
title = "Churn by tier (客户等级)"
GroupsDisplay.from_values(left, X["tier_individual_now"], title=title, label="% who left")
plt.show()

# %% [markdown]
# ## Zero, missing and no history
#
# Three different things. A customer without complaints has a count of zero; one who never
# complained has no "days since the last complaint"; one who joined last month has no trend.
# The share of missing values, for the features that have any:

# %%
missing = X.isna().mean().loc[lambda share: share > 0].sort_values(ascending=False)
(100 * missing).round(1).rename("% missing").to_frame().head(12)

# %% [markdown]
# ## What counts as leaving?
#
# Before any model: how the churn rate depends on the definition. Terminated, silent for one,
# two or three months, within one to three months, with the label starting at once or later.

# %%
churnml.label_sensitivity(source, as_of="2026-01-01")

# %% [markdown]
# Next: [04 · the churn model](04_churn_model.ipynb).
