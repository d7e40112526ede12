# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 07 · Registry and batch scoring
#
# Models are trained by the month, and customers scored by a scheduler. MLflow keeps every
# training as a run and every model as a version; the *champion* is the one that scores. This
# notebook goes the way of a month: train, look, score, train again, let the challenger try.
#
# All data here are simulated. The store is a SQLite file in a temporary folder.

# %%
import os
import tempfile
import warnings
from pathlib import Path

import pandas as pd

import churnml
from churnml.metrics.displays import GroupsDisplay

os.chdir(tempfile.mkdtemp())
os.environ.pop("MLFLOW_TRACKING_URI", None)
churnml.simulate("operator", customers=4_000, months=24, seed=8)
source = churnml.open_source("operator")
quick = churnml.Config.model_validate(
    {
        "churn": {"train_months": 3, "folds": 3, "max_rounds": 300},
        "satisfaction": {"train_months": 6, "folds": 3, "repeats": 1, "max_rounds": 300},
    }
)

# %% [markdown]
# ## Train as of March
#
# `until` is a wall: nothing at or after that date is read, labels included. The same call from
# a shell: `churnml train churn operator --until 2026-03-01`.

# %%
churnml.train(source, "churn", until="2026-03-01", config=quick)

# %%
churnml.train(source, "satisfaction", until="2026-03-01", config=quick)

# %% [markdown]
# ## What MLflow keeps
#
# `churnml ui` opens all of this in a browser: runs with their figures, data sets by digest,
# models with a card. Here are the same runs as a table.

# %%
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # progress bars of MLflow's that are not needed here
    import mlflow

mlflow.set_tracking_uri("sqlite:///mlflow.db")
runs = mlflow.search_runs(search_all_experiments=True)
runs = runs[runs["tags.mlflow.parentRunId"].isna()].set_index("tags.mlflow.runName")
runs[["metrics.auc", "metrics.average_precision", "metrics.r2", "metrics.spearman"]].round(3)

# %% [markdown]
# ## Score everybody
#
# Streamed in parts, resumed when interrupted, complete or invisible. The manifest is the
# account: rows in, scored, set aside, not eligible; models, digests, gates.

# %%
manifest = churnml.score(source, "2026-03-01", out="scores", config=quick)
manifest

# %%
scores = manifest.to_pandas()
title = "Mean probability of leaving by risk band"
shown = GroupsDisplay.from_values(scores["churn_probability"], scores["risk_band"], title=title)

# %%
both = scores.assign(leaves=100 * scores["churn_probability"])
title = f"Two scores for every customer (n = {len(both):,})"
axes = both.plot.scatter("satisfaction", "leaves", s=4, alpha=0.3, logy=True, title=title)
axes.set(xlabel="satisfaction, 0 to 100", ylabel="probability of leaving, %")
axes.yaxis.set_major_formatter("{x:g}")

# %% [markdown]
# The customers to call first, with the reasons in service terms:

# %%
first = scores.sort_values("churn_probability", ascending=False).head(5)
pd.DataFrame(
    {
        "leaves, %": (100 * first["churn_probability"]).round(1),
        "satisfaction, 0 to 100": first["satisfaction"].round(0),
        "ARPU, yuan": first["arpu"].round(0),
        "main reason": [reasons[0]["feature"] for reasons in first["reasons"]],
        "driver": [reasons[0]["driver"] for reasons in first["reasons"]],
    }
)

# %% [markdown]
# A second scoring into the same folder is refused: a finished result is never overwritten
# unasked. The command ends with the error's status, which says so to the scheduler.

# %%
try:
    churnml.score(source, "2026-03-01", out="scores", reasons=1, config=quick)
except churnml.errors.OutputError as error:
    print(f"{error}\nexit status {error.status}".replace(f"{Path.cwd()}/", ""))

# %% [markdown]
# ## Two months later: a challenger
#
# The new model becomes `challenger`. `promote` measures both, as they were before their last
# refit, on months that neither has learned from. Whoever is not better stays challenger;
# the command ends with exit status 6, and nothing has changed.

# %%
churnml.train(source, "churn", until="2026-05-01", config=quick)

# %%
churnml.promote("churn", source, config=quick)

# %%
churnml.history("churn")

# %% [markdown]
# `churnml.rollback("churn")` brings the previous champion back in one call.
#
# Next: [08 · bring your own table](08_bring_your_own_table.ipynb).
