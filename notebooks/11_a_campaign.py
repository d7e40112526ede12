# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 11 · A campaign, from learning to measurement
#
# Which customers get which retention offer within a budget, what that may be expected to
# bring, and whether it did. What offers do is learned from past ones whose arm was drawn by lot.
#
# The operator is simulated. Its campaigns are large, so that there is something to learn from,
# and its offers keep customers, so that there is something to find.

# %%
import os
import tempfile

import churnml

# %matplotlib inline
os.chdir(tempfile.mkdtemp())
os.environ.pop("MLFLOW_TRACKING_URI", None)
operator = {"customers": 6_000, "months": 14, "seed": 3, "effect": "same", "campaign_size": 30.0}
churnml.simulate("operator", **operator)
quick = churnml.Config.model_validate(
    {
        "churn": {"train_months": 2, "folds": 2, "repeats": 1, "max_rounds": 100},
        "retention": {"folds": 3, "max_rounds": 40, "rest_days": 31, "hold_out": 0.3},
    }
)
MONTH = "2026-03-01"

# %% [markdown]
# ## Learn
#
# Who leaves, and what offers change. Every offer is compared with those who were drawn to get
# nothing: as counted, and doubly robust. That there is no evidence would be an ordinary answer.

# %%
churnml.train("operator", "churn", until=MONTH, config=quick)
offers = churnml.train("operator", "offers", until=MONTH, config=quick)
print("\n".join(offers.notes))

# %% [markdown]
# ## Plan
#
# A hold-out is drawn first; the others get what is worth most within the budget. The bound says
# how much better any list could be, the price what one more yuan would bring.

# %%
plan = churnml.plan_retention("operator", as_of=MONTH, budget=30_000, out="plan", config=quick)
plan

# %%
names = {
    "group": "group",
    "offer": "offer",
    "churn_probability": "leaves without it, %",
    "effect": "change by the offer, points",
    "value": "worth if kept, yuan",
    "cost": "cost, yuan",
    "gain": "gain, yuan",
    "segment": "segment",
}
listed = plan.to_pandas()[list(names)].sort_values("gain", ascending=False).head(8)
listed[["effect", "churn_probability"]] *= 100
listed.rename(columns=names).round(1).style.hide().format(precision=1)

# %% [markdown]
# ## Play it
#
# The simulator lives through the same months again, and this time the list is played as it was
# written. At a real operator this is where the campaign runs.

# %%
churnml.simulate("afterwards", **operator, replay=plan.as_replay())

# %% [markdown]
# ## Measure
#
# One look, when the outcome of everybody on the list is known: all who were listed count, reached
# or not.

# %%
measured = churnml.measure_campaign(plan, "afterwards", config=quick)
measured

# %%
shown = measured.display().plot()
