# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 08 · Bring your own table
#
# No operator warehouse, but one table with a row a customer and a column that says who left
# or how satisfied they are: CSV, Parquet or XLSX. churnml trains, tests and scores it.
#
# The table here is made from simulated customers, with what real ones are like: Chinese and
# awkward column names, blanks, an id, a constant, dates, and a column that gives it away.

# %%
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import churnml
from churnml.metrics.displays import GainsDisplay

# %matplotlib inline
os.chdir(tempfile.mkdtemp())
churnml.simulate("operator", customers=6_000, months=16, seed=9)
source = churnml.open_source("operator")
data = churnml.build_dataset(source, "churn", as_of="2026-02-01")

# %%
random = np.random.default_rng(0)
X = data.X
table = pd.DataFrame(
    {
        "客户编号": data.groups.to_numpy(),
        "品牌": X["lifecycle_brand"].map(
            {"gotone": "全球通", "easyown": "神州行", "mzone": "动感地带", "senior": "老年"}
        ),
        "付费方式": X["lifecycle_payment"],
        "ARPU (yuan/month)": X["arpu_mean_3m_yuan"].round(1),
        "异网通话占比": X["usage_offnet_3m_share"].round(3),
        "活跃天数": X["usage_active_mean_3m_days"].round(1),
        "投诉次数_90天": X["complaints_all_count_90d"],
        "最近投诉[天]": X["complaints_last_days"],
        "入网日期": pd.Timestamp("2026-02-01")
        - pd.to_timedelta(X["lifecycle_tenure_days"].fillna(0), unit="D"),
        "合约剩余天数": X["lifecycle_contract_end_days"],
        "省份": "BJ",
        "是否离网": np.where(data.y == 1, "是", "否"),
    }
)
# What the retention desk writes when a customer has gone.
table["挽留结果"] = np.where((data.y == 1) & (random.random(len(data)) < 0.8), "失败", None)
table.to_csv("customers.csv", index=False, encoding="gb18030")
table.head()


# %%
def run(*words):
    """Run churnml in the folder of the table, and show what it prints."""
    command = [sys.executable, "-m", "churnml", *words]
    plain = {"TERM": "dumb", "COLUMNS": "140", "FORCE_COLOR": "", "CLICOLOR_FORCE": ""}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | plain
    )
    print("$ churnml", *words)
    print(done.stdout + (done.stderr if done.returncode else ""))


# %% [markdown]
# ## First try
#
# The encoding is found out. Id-like and constant columns are left out, dates become ages in
# days. The note about 挽留结果 is the one to read: the column is filled for leavers only.

# %%
run(
    "train",
    "churn",
    "customers.csv",
    "--id",
    "客户编号",
    "--target",
    "是否离网",
    "--positive",
    "是",
    "--name",
    "first-try",
)

# %% [markdown]
# ## Without what gives it away

# %%
run(
    "train",
    "churn",
    "customers.csv",
    "--id",
    "客户编号",
    "--target",
    "是否离网",
    "--positive",
    "是",
    "--drop",
    "挽留结果",
    "--name",
    "honest",
)

# %% [markdown]
# That is the honest figure, with its interval; a linear regression does about as well here, and
# the table says so.
#
# ## Score new customers
#
# The table to be scored needs no target; columns may stand in another order.

# %%
new = table.drop(columns=["是否离网", "挽留结果"]).sample(1_000, random_state=1)
new[new.columns[::-1]].to_parquet("new.parquet", index=False)
run(
    "score",
    "new.parquet",
    "--id",
    "客户编号",
    "--out",
    "scores",
    "--churn-model",
    "models:/honest@champion",
)

# %%
scores = pd.concat(map(pd.read_parquet, sorted(Path("scores").glob("*.parquet"))))
first = scores[["customer_id", "churn_probability", "churn_percentile", "risk_band"]].head()
first["churn_probability"] *= 100
first.columns = ["客户编号", "leaves, %", "riskier than, %", "risk"]
first.round(1)

# %% [markdown]
# ## In Python
#
# The estimator takes the frame as it is.

# %%
columns = ["品牌", "付费方式", "ARPU (yuan/month)", "异网通话占比", "活跃天数", "合约剩余天数"]
half = random.random(len(table)) < 0.7
model = churnml.ChurnClassifier(repeats=1, folds=3).fit(table.loc[half, columns], data.y[half])
p = model.predict_proba(table.loc[~half, columns])[:, 1]
shown = GainsDisplay.from_predictions(data.y[~half], p)

# %% [markdown]
# Next: [09 · the monthly run](09_the_monthly_run.ipynb).
