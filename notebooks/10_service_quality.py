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

import matplotlib.pyplot as plt

import churnml

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
JUNE = "2026-06-01"

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
        f"since the {span} before: mix {part['mix']:+.1f} ({part['mix_low']:+.1f} to "
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
# Promoters less detractors by month. An orange line says from when on the level differs, not what
# happened then; the smooth line is for the eye alone.

# %%
quality.display().plot()
plt.show()
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
quality.hall_windows.head(8).round(2)

# %%
quality.hall_relief.round(2)

# %% [markdown]
# ## Which regions' halls keep customers waiting?
#
# Of the visits of May with a known wait, the share over ten minutes; regions with fewer than ten
# such visits are hidden.

# %%
rows = quality.indicators
rows = rows[(rows["indicator"] == "hall_wait_over_10min") & (rows["month"] == date(2026, 5, 1))]
regions = rows[(rows["by"] == "region") & rows["value"].notna()].sort_values("value")
whole = rows[rows["by"] == ""].iloc[0]
ax = plt.figure(figsize=(7, 3.5)).subplots()
ax.hlines(regions["cell"], 100 * regions["low"], 100 * regions["high"], color="#0072B2")
ax.plot(100 * regions["value"], regions["cell"], "o", color="#0072B2")
ax.axvline(100 * whole["value"], color="#666666", lw=1)
ax.axvline(10, color="#D55E00", lw=1, ls="--")
ax.set(xlabel="% of visits; grey: all halls, dashed: the target", title="Waits over ten minutes")
plt.show()

# %% [markdown]
# ## The hotline's menu
#
# What callers use most comes first. A brand or tier has a menu of its own only where that surely
# saves keys.

# %%
quality.hotline_menu.round(3)

# %% [markdown]
# ## Corporate accounts
#
# A, B and C against their quotas, by the rule that made them so, and who moved since last month.

# %%
quality.groups.drop(columns=["value_at_risk", "low", "high"]).round(3)
