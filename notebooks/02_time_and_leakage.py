# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 · Time and leakage
#
# A model is trained on the past and used on the present. Whatever it read in training that
# it cannot know when it is used is a *leak*: the figures look splendid, and the model is
# worthless. churnml has one time rule, in `churnml.tables.asof`, and everything goes through it:
#
# **a row may feed a feature at `as_of` only if it had happened before midnight of that day,
# and had reached the warehouse by then.**
#
# Here we follow the rule, break it on purpose, watch the AUC jump, and see the guards.
#
# All data here are simulated.

# %%
import os
import tempfile

import matplotlib.pyplot as plt
import pandas as pd

import churnml
from churnml.datasets.leakage.suspects import find_suspects
from churnml.metrics import auc, bootstrap, churn_measures

os.chdir(tempfile.mkdtemp())
churnml.simulate("operator", customers=4_000, months=18, seed=2)
source = churnml.open_source("operator")

# %% [markdown]
# ## Two clocks
#
# A complaint has the moment at which it happened, and the one at which it was known. Both
# must lie before `as_of`.

# %%
AS_OF = pd.Timestamp("2026-03-01")
complaints = source.tables["complaints"].to_pandas()
happened = complaints["opened_at"] < AS_OF
known = complaints["known_at"] <= AS_OF
pd.crosstab(
    happened.map({True: "happened before", False: "happened later"}),
    known.map({True: "known at as_of", False: "not yet known"}),
    rownames=[""],
    colnames=[""],
)

# %% [markdown]
# The complaints that had happened and were *not yet known* are the treacherous ones: in
# today's warehouse they are there, on the day itself they were not.
#
# ## Nothing from the future changes a feature
#
# `source.until(day)` is the warehouse as it was at the start of a day. The features built
# from it are those built from today's tables, to the last bit.

# %%
today = churnml.build_features(source, as_of="2026-03-01").to_pandas()
that_day = churnml.build_features(source.until("2026-03-01"), as_of="2026-03-01").to_pandas()
pd.testing.assert_frame_equal(today, that_day)
print(f"{len(today):,} customers, {today.shape[1] - 2} features: the same")

# %% [markdown]
# ## Training forward in time
#
# The label looks two months ahead of each `as_of`. So the last training date lies two
# months before the first test date: otherwise the training labels would reach into the
# test months.

# %%
train = churnml.build_dataset(source, "churn", as_of=["2025-11-01", "2025-12-01"])
test = churnml.build_dataset(source, "churn", as_of="2026-02-01")
train

# %%
names = ["training 2025-11-01", "training 2025-12-01", "test 2026-02-01"]
starts = pd.DatetimeIndex([name.split()[1] for name in names])
read, seen = starts - pd.DateOffset(months=6), starts + pd.DateOffset(months=2)

# %%
axes = plt.figure(figsize=(8, 2.4)).subplots()
axes.barh(names, starts - read, left=read, color="lightgrey")
axes.barh(names, seen - starts, left=starts)
axes.set(
    title="What each date reads (pale) and what its label sees (dark)",
    xticks=[read[0], starts[0], starts[2], seen[2]],
)
axes.invert_yaxis()

# %% [markdown]
# ## Honest, and leaking
#
# Two leaks that are made every day:
#
# 1. **The future column.** Usage of the month after `as_of`: whoever leaves stops calling.
# 2. **The late row.** Complaints by the day they happened, not by the day they were known,
#    among them the ones that the retention desk keyed in when the customer had left.
#
# The first is built here by asking for the features one month later.


# %%
def with_next_month(data):
    """The same rows with one column from a month later: a leak."""
    dates = sorted(set(data.times))
    later = [(pd.Timestamp(day) + pd.DateOffset(months=1)).date() for day in dates]
    ahead = churnml.build_features(source, as_of=later).to_pandas()
    back = dict(zip(later, dates, strict=True))
    ahead["as_of"] = [back[pd.Timestamp(day).date()] for day in ahead["as_of"]]
    keys = pd.DataFrame({"customer_id": data.groups, "as_of": list(data.times)})
    found = keys.merge(ahead[["customer_id", "as_of", "usage_active_mean_1m_days"]], how="left")
    return data.X.copy().assign(
        active_days_next_month=found["usage_active_mean_1m_days"].to_numpy()
    )


honest = churnml.ChurnClassifier(repeats=1, folds=3).fit(train.X, train.y, groups=train.groups)
leaking = churnml.ChurnClassifier(repeats=1, folds=3).fit(
    with_next_month(train), train.y, groups=train.groups
)
scores = {
    "honest": honest.predict_proba(test.X)[:, 1],
    "with next month's usage": leaking.predict_proba(with_next_month(test))[:, 1],
}
found = {
    name: bootstrap({"auc": churn_measures(test.y, p)["auc"]}, test.groups, draws=100)["auc"]
    for name, p in scores.items()
}
pd.DataFrame({name: vars(one) for name, one in found.items()}).T.round(3)

# %%
for name, one in found.items():
    plt.errorbar(name, one.value, yerr=[[one.value - one.low], [one.high - one.value]], fmt="o")
plt.title(f"A leak looks like a breakthrough (n = {len(test):,}; 95 % intervals)")
plt.ylabel("AUC on the test month; 0.5 is chance")
plt.margins(x=0.5)

# %% [markdown]
# When it is used, the column is empty for everybody: next month has not happened. The
# model that leaked is then worse than the honest one.

# %%
blind = with_next_month(test).assign(active_days_next_month=float("nan"))
print(f"in use: AUC {auc(test.y, leaking.predict_proba(blind)[:, 1]):.3f}")

# %% [markdown]
# ## The guards
#
# With operator tables such a column cannot come in: features are built by the time rule.
# With a table of your own churnml cannot know when a column was written; it looks for
# columns that are too good to be true, and says which and why.

# %%
for suspect in find_suspects(with_next_month(train), train.y, task="churn", groups=train.groups):
    print(suspect)

# %% [markdown]
# The honest columns raise no alarm:

# %%
find_suspects(train.X, train.y, task="churn", groups=train.groups)

# %% [markdown]
# Next: [03 · ARPU, complaints and tiers](03_arpu_complaints_tiers.ipynb).
