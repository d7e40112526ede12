# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 12 · Columns of your own
#
# An operator has more tables than those of the contract. Here its app counts twenty things a month
# of every customer, and some of the counts arrive weeks late. Declared once, they become features
# like all others: point in time, checked, kept by the model, told as reasons.
#
# The operator is simulated, and so is the app: those who will leave use it less in their last
# months.

# %%
import os
import tempfile

import numpy as np
import pandas as pd

import churnml
from churnml.features import declared
from churnml.metrics import format_estimate
from churnml.metrics.displays import GroupsDisplay
from churnml.testing import assert_point_in_time

os.chdir(tempfile.mkdtemp())
os.environ.pop("MLFLOW_TRACKING_URI", None)
churnml.simulate("operator", customers=1_500, months=14, seed=5)
quick = churnml.Config.model_validate(
    {"churn": {"train_months": 3, "folds": 2, "repeats": 1, "max_rounds": 100}}
)

# %% [markdown]
# ## Twenty columns × customers × months
#
# A tenth of the rows reach the warehouse up to six weeks after their month.

# %%
customers = pd.read_parquet("operator/customers.parquet").drop_duplicates(
    "customer_id", keep="last"
)
bills = pd.read_parquet("operator/bills.parquet")
months = pd.date_range(bills["month"].min(), periods=14, freq="MS")
app = customers[["customer_id", "terminated_on"]].merge(
    pd.Series(months, name="month"), how="cross"
)
random = np.random.default_rng(0)
left = (pd.to_datetime(app.pop("terminated_on")) - app["month"]).dt.days.fillna(999).to_numpy()
app["sessions"] = random.poisson(np.where(left < 100, 6, 14)).astype(float)
for number in range(1, 20):
    app[f"screen_{number:02d}"] = random.poisson(3, len(app)).astype(float)
ended = app["month"] + pd.DateOffset(months=1)
late = np.where(random.random(len(app)) < 0.1, random.integers(10, 42, len(app)), 1)
app["known_at"] = ended + pd.to_timedelta(late, unit="D")
print(f"{len(app):,} months of {app['customer_id'].nunique():,} customers, {app.shape[1]} columns")

# %%
months_left = pd.Series(left // 30).clip(upper=8).where(lambda months: months >= 0)
names = {months: f"{months:.0f} months before leaving" for months in range(8)} | {
    8: "later, or never"
}
shown = GroupsDisplay.from_values(
    app["sessions"], months_left, names=names, title="App sessions", label="a month"
)

# %% [markdown]
# ## Declared once
#
# `aggregate`, `windows`, what the values are, the driver they belong to, how churn is expected to
# move with them, and the words of a reason in both languages.

# %%
columns = {
    "sessions": {
        "aggregate": ["last", "mean", "trend"],
        "windows": ["1mo", "3mo"],
        "unit": "sessions",
        "driver": "usage",
        "direction": -1,
        "en": "App sessions",
        "zh": "应用打开次数",
        "null": {"en": "no month of the app on record", "zh": "无应用使用记录"},
    }
} | {
    f"screen_{number:02d}": {
        "aggregate": "mean",
        "windows": "3mo",
        "en": f"Visits to screen {number}",
    }
    for number in range(1, 20)
}
extra = {"app": churnml.Extra(app, columns=columns)}
source = churnml.open_source("operator", extra=extra)
own = [one.name for one in declared(source.tables) if one.name.startswith("app_")]
print(f"{len(own)} features, the first: {', '.join(own[:4])}")

# %% [markdown]
# ## Only what was known
#
# The rows that happened or became known after the date are taken away, then changed: the features
# must not move. Without `known_at` in mind they would.

# %%
assert_point_in_time(source, own, as_of="2026-03-02")


def careless(source, day):
    """Every month before the date, whenever it arrived."""
    rows = source.tables["app"]
    rows = rows.filter(rows.month < day.replace(day=1))
    return rows.group_by("customer_id").agg(sessions=rows.sessions.sum())


try:
    assert_point_in_time(source, careless, as_of="2026-03-02")
except AssertionError as error:
    print(error)

# %% [markdown]
# ## Trained, tested forward in time, beside a model without them

# %%
until = "2026-03-01"
without = churnml.train("operator", "churn", until=until, config=quick)
with_app = churnml.train(source, "churn", until=until, config=quick)
names = {"AUC": "auc", "average precision": "average_precision", "log loss": "log_loss"}
pd.DataFrame(
    {
        title: [format_estimate(model.metrics[name]) for name in names.values()]
        for title, model in {"without": without, "with the app": with_app}.items()
    },
    index=list(names),
)

# %% [markdown]
# The gate compares both on later months, and drift on the way is told like that of any column.

# %%
churnml.promote("churn", source, config=quick)

# %% [markdown]
# ## Scored; reasons in both languages

# %%
manifest = churnml.score(source, as_of="2026-05-02", out="scores", config=quick)
for lang in ("en", "zh"):
    found = churnml.contact_list(
        "scores", out=f"list_{lang}.parquet", lang=lang, top=200
    ).to_pandas()
    reasons = found[[f"churn_reason_{number}" for number in (1, 2, 3)]].stack()
    print(
        *reasons[reasons.str.contains("App sessions|应用打开次数")].drop_duplicates().head(3),
        sep="\n",
    )

# %% [markdown]
# ## Drift
#
# Should the app one day count every tap as a session, its columns lie far from those of training:
# they stand first, and the gate says so. NaN stands for hardly any drift.

# %%
taps = app["sessions"].where(app["month"] < "2026-02-01", app["sessions"] * 10)
recounted = churnml.Extra(app.assign(sessions=taps), columns=columns)
shifted = churnml.score(
    churnml.open_source("operator", extra={"app": recounted}),
    as_of="2026-05-02",
    out="shifted",
    config=quick,
)
print(*shifted.gates, sep="\n")
drift = pd.DataFrame({"as it was": manifest.drift, "every tap a session": shifted.drift})
drift.sort_values("every tap a session", ascending=False).head(6).round(2)

# %% [markdown]
# ## Without the table, or declared otherwise, nothing is scored

# %%
for other in (
    None,
    {
        "app": churnml.Extra(
            app,
            known_after="5d",
            columns={**columns, "sessions": {**columns["sessions"], "expression": "sessions * 2"}},
        )
    },
):
    try:
        churnml.score(churnml.open_source("operator", extra=other), as_of="2026-05-02", out="none")
    except churnml.errors.ChurnmlError as error:
        print(error, "\n")

# %% [markdown]
# On the command line the same stands in the mapping, `source.yaml`, under `extra:`.
