"""Cards say what people need first, and are known as churnml's own."""

import json
import re
from dataclasses import replace

from churnml.base.tasks import TASKS
from churnml.metrics import Estimate
from churnml.models.cards.mlflow_notes import (
    experiment_card,
    is_own,
    mark,
    padded,
    registered_card,
    training_card,
)

ROWS = {"train": 300, "test": 100, "all": 400}
DATES = {"train": ["2026-01-01"], "test": ["2026-03-01"], "all": ["2026-01-01", "2026-03-01"]}


def card(model, notes=()):
    origin = replace(
        model.origin,
        kind="operator",
        label={"gap": "0d", "horizon": "60d", "definition": "termination"},
        window=("2025-06-01", "2026-05-01"),
    )
    metrics = {"auc": Estimate(0.8123, 0.79, 0.83), "lift_top_10pct": Estimate(3.2, 3.0, 3.4)}
    baselines = {"regression": {"auc": Estimate(0.75, 0.7, 0.8)}}
    return training_card(replace(model, origin=origin), metrics, baselines, ROWS, DATES, notes)


def test_a_card_begins_with_the_figures_that_decide(churn):
    told = card(churn)
    assert told.startswith("auc 0.812 (0.790 to 0.830) · lift_top_10pct 3.200 (3.000 to 3.400)\n\n")
    assert "leaves within 60 d of a date (definition: termination)." in told
    assert "Data window: 2025-06-01 to 2026-05-01, labels included." in told
    assert "| auc | 0.812 (0.790 to 0.830) | 0.750 (0.700 to 0.800) |" in told
    assert "300 rows to train, 100 to test" in told


def test_a_card_names_the_tables_of_ones_own_that_the_model_reads(churn):
    first, *rest = churn.inputs
    definition = json.dumps({"table": "app", "aggregate": "mean"})
    own = replace(
        first, name="app_x_mean_3m", feature={"driver": "usage", "definition": definition}
    )
    told = card(replace(churn, inputs=(own, *rest)))
    assert "scores nobody without them: app (app\\_x\\_mean\\_3m)." in told
    assert "of the operator's own" not in card(churn)


def test_what_comes_from_data_cannot_draw_in_a_card(churn):
    told = card(churn, ["column <img src=x> | [a](b) is *absent*"])
    assert "<img" not in told
    assert "\\[a\\]" in told
    assert "\\|" in told


def test_an_experiment_explains_every_column_of_its_run_list():
    for task, names in ((name, task.headline) for name, task in TASKS.items()):
        explained = set(re.findall(r"^\| (\w+)&emsp;", experiment_card(task, "#/x"), re.M))
        assert explained - {"measure"} == set(names)


def test_a_registered_model_names_its_versions_and_tells_the_champion():
    told = registered_card("churn", "churn", {"champion": "3", "previous": "2"}, "auc 0.8")
    assert "Champion is version 3, previous is version 2." in told
    assert told.endswith("## Champion: version 3\n\nauc 0.8\n")
    assert "Champion" not in registered_card("churn", "churn", {}, "")


def test_only_tables_are_padded():
    assert padded("a | b\n\ntext |") == "a | b\n\ntext |"


def test_a_card_that_was_rewritten_is_not_our_own():
    assert is_own("", None)
    assert is_own("ours", mark("ours"))
    assert not is_own("theirs", mark("ours"))
    assert not is_own("theirs", None)
