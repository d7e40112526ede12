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
import json
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

import churnml
from churnml.metrics.displays.style import BLUE, PALETTE, use_style

use_style()
os.chdir(tempfile.mkdtemp())
os.environ.pop("MLFLOW_TRACKING_URI", None)
PLAIN = {"TERM": "dumb", "COLUMNS": "140", "FORCE_COLOR": "", "CLICOLOR_FORCE": ""}
churnml.simulate("operator", customers=4_000, months=24, seed=8)
Path("quick.yaml").write_text(
    "churn: {train_months: 3, folds: 3, max_rounds: 300}\n"
    "satisfaction: {train_months: 6, folds: 3, repeats: 1, max_rounds: 300}\n"
)


def run(command):
    """Run a churnml command as it is typed, and show what it prints."""
    words = [sys.executable, "-m", *command.split()]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env=os.environ | PLAIN
    )
    shown = f"$ {command}\n{done.stdout}"
    if done.returncode:
        shown += f"{done.stderr.splitlines()[-1]}\nexit status {done.returncode}"
    print(shown.replace(f"{Path.cwd()}/", ""))


# %% [markdown]
# ## Train as of March
#
# `--until` is a wall: nothing at or after that date is read, labels included.

# %%
run("churnml train churn operator --until 2026-03-01 --config quick.yaml")
run("churnml train satisfaction operator --until 2026-03-01 --config quick.yaml")

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
run("churnml score operator --as-of 2026-03-01 --out scores")
manifest = json.loads(Path("scores/_manifest.json").read_text())
manifest["rows"]

# %%
scores = pd.concat(map(pd.read_parquet, sorted(Path("scores").glob("*.parquet"))))
order = ["low", "medium", "high", "critical"]
bands = scores.groupby("risk_band")[["churn_probability", "satisfaction"]].agg(["mean", "size"])
bands = bands.reindex(order)
figure, (risk, both) = plt.subplots(1, 2, figsize=(11, 4))
risk.bar(order, 100 * bands["churn_probability"]["mean"], color=PALETTE[:4])
risk.set(title="Mean probability of leaving by risk band", ylabel="%", xlabel="risk band")
both.scatter(scores["satisfaction"], 100 * scores["churn_probability"], s=4, alpha=0.3, color=BLUE)
both.set(
    title="Two scores for every customer",
    xlabel="satisfaction (满意度), points",
    ylabel="probability of leaving, %",
    yscale="log",
)
plt.show()

# %% [markdown]
# The customers to call first, with the reasons in service terms:

# %%
first = scores.sort_values("churn_probability", ascending=False).head(5)
pd.DataFrame(
    {
        "probability": first["churn_probability"].round(3),
        "satisfaction": first["satisfaction"].round(0),
        "ARPU": first["arpu"].round(0),
        "main reason": [reasons[0]["feature"] for reasons in first["reasons"]],
        "driver": [reasons[0]["driver"] for reasons in first["reasons"]],
    }
)

# %% [markdown]
# A second command into the same folder is refused: a finished result is never overwritten
# unasked. The exit status says so to the scheduler.

# %%
run("churnml score operator --as-of 2026-03-01 --out scores")

# %% [markdown]
# ## Two months later: a challenger
#
# The new model becomes `challenger`. `promote` measures both, as they were before their last
# refit, on months that neither has learned from. Whoever is not better stays challenger;
# that is exit status 6, and nothing has changed.

# %%
run("churnml train churn operator --until 2026-05-01 --config quick.yaml")
run("churnml promote churn operator")

# %%
run("churnml history churn")

# %% [markdown]
# `churnml rollback churn` brings the previous champion back in one command.
#
# Next: [08 · bring your own table](08_bring_your_own_table.ipynb).
