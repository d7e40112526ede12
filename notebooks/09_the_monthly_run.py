# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 09 · The monthly run
#
# What a scheduler does on the first of a month, from Python: check the tables, train a
# challenger, measure it on a month that it has not seen, let it try against the champion,
# score every customer. Each step is one call, named and set like the command of the same name;
# the tables are opened and checked once.
#
# All data here are simulated. The store is a SQLite file in a temporary folder.

# %%
import os
import tempfile

import churnml

os.chdir(tempfile.mkdtemp())
os.environ.pop("MLFLOW_TRACKING_URI", None)
churnml.simulate("operator", customers=4_000, months=24, seed=8)
quick = churnml.Config.model_validate({"churn": {"train_months": 3, "folds": 3, "max_rounds": 300}})
MONTH = "2026-07-01"

# %% [markdown]
# ## Check
#
# Rows that break the contract are set aside with a reason; a source with too many of them is
# refused here, before anything else.

# %%
source = churnml.open_source("operator")
validation = churnml.validate(source)
validation.raise_if_refused()
validation

# %% [markdown]
# ## Train
#
# Last winter's model stands in for the champion of a running system. `until` is a wall: nothing
# at or after it is read, labels included. This month's model learns from all that has matured.

# %%
churnml.train(source, "churn", until="2026-01-01", config=quick)
trained = churnml.train(source, "churn", until="2026-04-01", config=quick)
trained

# %% [markdown]
# ## Evaluate
#
# On April's customers, whose outcome neither model has seen, beside baselines and what the
# simulation's own truth reaches, with 95 % intervals and a verdict in a sentence.

# %%
evaluated = churnml.evaluate(trained.model_uri, source, as_of="2026-04-01", config=quick)
evaluated

# %% [markdown]
# ## Promote
#
# The challenger takes the champion's place if it is nowhere clearly worse.

# %%
outcome = churnml.promote("churn", source, config=quick)
outcome

# %% [markdown]
# ## Score
#
# With the champion, whoever that is now. The manifest accounts for every customer; its gates
# tell a scheduler what to look at.

# %%
manifest = churnml.score(source, MONTH, out="scores", config=quick)
manifest

# %%
chance = 100 * manifest.to_pandas().set_index("risk_band")["churn_probability"]
bands = chance.groupby(level=0).agg(["size", "mean", "sem"])
bands = bands.loc[["low", "medium", "high", "critical"]]
bands.index = [f"{band}\nn = {size:,}" for band, size in bands["size"].items()]
about = {"title": f"Mean chance of leaving by risk band, {MONTH}", "ylabel": "% (95 % interval)"}
bands["mean"].plot.bar(yerr=1.96 * bands["sem"], xlabel="", rot=0, **about)
bands[["mean"]].round(1).rename(columns={"mean": "leaves, %"})

# %% [markdown]
# What happened to the model, for whoever looks later:

# %%
churnml.history("churn")
