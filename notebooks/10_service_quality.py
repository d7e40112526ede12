# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 10 · Service quality in a month
#
# May 2026, read on the first of June by whoever answers for service: how satisfied the customers
# are and whether that changed, where it hurts, what they complain of, which indicators miss their
# targets, and what windows and the hotline's menu would mend.
#
# Every number stands with its 95 % interval; what is about fewer than ten people is hidden. All
# data here are simulated, with a step in satisfaction of ten points planted in October 2025.

# %%
import os
import tempfile
from datetime import date

import churnml
from churnml.metrics.displays import GroupsDisplay

# %matplotlib inline
os.chdir(tempfile.mkdtemp())
os.environ.pop("MLFLOW_TRACKING_URI", None)
churnml.simulate(
    "operator",
    customers=3_000,
    months=15,
    seed=10,
    uncoded=0.3,
    satisfaction_step=10,
    step_from=date(2025, 10, 1),
)
settings = churnml.Config.model_validate(
    {"index": {"folds": 2, "silent_rows": 1_000}, "quality": {"months": 15}}
)
source = churnml.open_source("operator")
MAY, JUNE = date(2026, 5, 1), "2026-06-01"

# %% [markdown]
# ## How satisfied are they?
#
# The index stands for all customers, not for those who answered: answers are weighted, and
# predictions for everybody make it sharper. The notes below the table say what was done, and what
# nobody can correct.

# %%
index = churnml.satisfaction_index(source, as_of=JUNE, by=["brand", "region"], config=settings)
index

# %% [markdown]
# ## Where does it hurt?
#
# A triangle marks what lies clearly above or below the whole; dots cannot be told apart from it,
# whatever their order.

# %%
index.plot("region")

# %% [markdown]
# ## Has it changed?
#
# The change has an interval of its own. It is told apart into another mix of customers, which the
# customer table knows, and other opinions, which only answers tell.

# %%
for span, part in index.to_dict()["what_changed"].items():
    print(
        f"since the {span} before, points: mix {part['mix']:+.1f} ({part['mix_low']:+.1f} to "
        f"{part['mix_high']:+.1f}), opinion {part['true']:+.1f} ({part['true_low']:+.1f} to "
        f"{part['true_high']:+.1f}), who answered {part['who_answered']:+.1f}"
    )

# %% [markdown]
# ## What do they complain of?
#
# By the operator's own category or code, then by the text where that is sure enough; the others are
# for a person.

# %%
complaints = churnml.complaint_record(source, as_of=JUNE, months=6, config=settings)
complaints

# %% [markdown]
# ## Which indicators miss their targets?
#
# A light is of the whole interval, not of the point: good (●) and bad (■) are clear, ▲ is not.

# %%
quality = churnml.service_quality(source, JUNE, config=settings)
quality

# %%
for sentence in quality.alarm_sentences()[:5]:
    print(sentence)

# %% [markdown]
# ## What would people say of us?
#
# Promoters less detractors by month, in points. An orange line says from when on the level
# differs, not what happened then; the smooth line is for the eye alone.

# %%
shown = quality.display().plot()
for point in quality.to_dict()["change_points"]:
    print(
        f"{point['segment'] or 'all customers'}: the level differs from {point['month'][:7]} on "
        f"by {point['difference']:+.0f} points ({point['low']:+.0f} to {point['high']:+.0f})"
    )

# %% [markdown]
# ## Halls: how many windows, and what takes work off them
#
# From days simulated with each hall's own arrivals and service times: the windows with which 90 %
# wait no longer than ten minutes, and how many it would take without pre-service or terminals.

# %%
names = {
    "hall_id": "hall",
    "visits_a_day": "visits a day",
    "windows": "windows needed",
    "windows_if_no_pre_service": "without pre-service",
    "windows_if_no_terminals": "without terminals",
}
quality.hall_windows[list(names)].rename(columns=names).head(8).round(1)

# %%
names = {
    "relief": "what takes work off the windows",
    "visits": "visits",
    "share": "of all visits, %",
    "low": "from",
    "high": "to",
    "window_seconds": "seconds at the window saved by each",
}
relief = quality.hall_relief[list(names)]
relief[["share", "low", "high"]] *= 100
relief.rename(columns=names).round(0)

# %% [markdown]
# ## Which regions' halls keep customers waiting?
#
# Of the visits of May with a known wait, the share over ten minutes; regions with fewer than ten
# such visits are hidden.

# %%
rows = quality.indicators.query("indicator == 'hall_wait_over_10min' and month == @MAY")
of_all, regions = rows[rows["by"] == ""], rows[(rows["by"] == "region") & rows["value"].notna()]

# %%
waits = regions.sort_values("value").set_index("cell").rename(columns={"value": "mean"})
about = {"title": "Hall waits over ten minutes", "label": "% of visits", "target": 0.10}
shown = GroupsDisplay(
    means=waits, whole=float(of_all["value"].iloc[0]), percent=True, **about
).plot()

# %% [markdown]
# ## The hotline's menu
#
# What callers use most comes first. A brand or tier has a menu of its own only where that surely
# saves keys.

# %%
menu = quality.hotline_menu.rename(columns={"share": "of calls, %", "low": "from", "high": "to"})
menu[["of calls, %", "from", "to"]] *= 100
menu.replace("", "all").rename(columns={"service_item": "item"}).round(1)

# %% [markdown]
# ## Corporate accounts
#
# A, B and C against their quotas, by the rule that made them so, and who moved since last month.

# %%
accounts = quality.groups.drop(columns=["value_at_risk", "low", "high"])
accounts[["share", "quota"]] *= 100
accounts.columns = [name.replace("_", " ") for name in accounts.columns]
accounts.rename(columns={"share": "share, %", "quota": "quota, %"}).round(1)
