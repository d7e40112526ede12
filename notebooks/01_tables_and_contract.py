# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01 · Tables and contract
#
# churnml reads an operator's own tables: customers, corporate groups, monthly bills and
# usage, complaints (投诉), service contacts, satisfaction surveys (满意度调查) and retention
# offers. The *contract* says what each holds, when a row happened and when it was known.
# This notebook shows the tables, checks them, and breaks some on purpose.
#
# All data here are simulated.

# %%
import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

import churnml
from churnml.tables.contract import TABLES
from churnml.tables.validation import quarantine

os.chdir(tempfile.mkdtemp())
rows = churnml.simulate("operator", customers=3_000, months=18, seed=1)
pd.Series(rows, name="rows").to_frame()

# %% [markdown]
# ## What a source is
#
# A folder of Parquet or CSV files, a folder of Parquet parts, or a DuckDB file. Nothing is
# read yet: tables are lazy, and stay on disk until something is computed.

# %%
source = churnml.open_source("operator")
source

# %% [markdown]
# ## What the contract says of a table
#
# Every column has a type, a unit, a range or its codes. `event` is the clock on which a row
# happened; `known_at` the one on which it reached the warehouse. Both count: a complaint of
# 30 May that was keyed in on 3 June is not known at 1 June.

# %%
complaints = TABLES["complaints"]
pd.DataFrame(
    {
        "column": column.name,
        "kind": column.kind,
        "required": "yes" if column.required else "",
        "codes": ", ".join(column.codes or ()),
        "meaning": column.meaning,
    }
    for column in complaints.columns
).set_index("column")

# %%
source.tables["complaints"].limit(5).to_pandas()

# %% [markdown]
# ## Complaints by category
#
# Every grievance is recorded in one standard way: network (网络), tariff (资费), business
# support (业务支撑), service window (窗口服务).

# %%
KINDS = ["network", "tariff", "business_support", "service_window"]
found = source.tables["complaints"].select("opened_at", "category").to_pandas()
monthly = (
    found.assign(month=found["opened_at"].dt.to_period("M").dt.to_timestamp())
    .groupby(["month", "category"])
    .size()
    .unstack(fill_value=0)
)
title, label = "Complaints by category", "complaints per 1,000 customers"
per_1000 = (
    1000 * monthly[KINDS].rename(columns=lambda kind: kind.replace("_", " ")) / rows["customers"]
)
per_1000.plot(title=title, ylabel=label, ylim=(0, None), figsize=(8, 4)).legend(frameon=False)
plt.show()

# %% [markdown]
# ## How late rows arrive
#
# The simulated operator is as slow as real ones: some rows reach the warehouse days after
# they happened. That is the difference between a back-test that holds and one that does not.

# %%
late = source.tables["complaints"].select("opened_at", "known_at").to_pandas()
delay = (late["known_at"] - late["opened_at"]).dt.total_seconds() / 86_400
title = f"{(delay > 1).mean():.1%} of complaints were known more than a day later"
label = "days from the complaint to the warehouse"
delay.plot.hist(bins=40, logy=True, title=title, xlabel=label, ylabel="complaints", figsize=(8, 3))
plt.show()

# %% [markdown]
# ## Checking
#
# `validate` looks for every breach of the contract: types, ranges, codes, duplicate keys,
# customers that do not exist, ends before beginnings, the future. Nothing is repaired in
# silence: a bad row is set aside with its reason, a bad optional value becomes missing.

# %%
churnml.validate(source).report

# %% [markdown]
# Now the same operator with a bad day: an unknown complaint category, two complaints closed
# before they were opened, and a bill that stands there twice.

# %%
broken = Path("broken")
broken.mkdir()
for path in Path("operator").glob("*.parquet"):
    frame = pd.read_parquet(path, dtype_backend="pyarrow")
    if path.stem == "complaints":
        frame.loc[3, "category"] = "weather"
        frame.loc[[5, 8], "closed_at"] = frame.loc[[5, 8], "opened_at"] - pd.Timedelta(days=2)
    if path.stem == "bills":
        frame = pd.concat([frame, frame.iloc[[10]]])
    frame.to_parquet(broken / path.name, index=False)

checked = churnml.validate(churnml.open_source(broken))
checked.report

# %% [markdown]
# The rows set aside can be written out, each with its reason, and given to those who keep
# the table. `rows in = good rows + rows set aside` holds for every table.

# %%
quarantine(checked, "aside")
aside = sorted(Path("aside").rglob("*.parquet"))
pd.concat(map(pd.read_parquet, aside))[["code", "column", "message", "row", "customer_id"]]

# %%
pd.DataFrame(
    {"table": one.table, "rows": one.rows, "good": one.good, "set aside": one.aside}
    for one in checked.report.counts
).set_index("table")

# %% [markdown]
# ## An operator's own names
#
# Your tables have other headers, codes and units. A source file says how they map; one for
# an operator with Chinese headers is in `configs/sources/chinese.yaml`. On the command line:
#
# ```
# churnml validate tables/ --mapping configs/sources/chinese.yaml
# ```
#
# Next: [02 · time and leakage](02_time_and_leakage.ipynb).
