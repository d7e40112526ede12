"""One experiment per task: its note, and a view of its runs with the main columns."""

from __future__ import annotations

from churnml.models.cards import mlflow_notes as cards
from churnml.registry.own_tags import own_tag, read_own_tag
from churnml.registry.store import Store
from churnml.registry.tracking.links import VIEW, runs_address
from churnml.registry.tracking.run_list import columns, saved_view

NOTE = "mlflow.note.content"
_VIEW_TAG = f"mlflow.sharedViewState.{VIEW}"
_KIND = "mlflow.experimentKind"
_PRIMARY = "mlflow.experiment.primaryMetric.name"
_WRITTEN = "card"

OWN_RUNS = "own runs"
"""Where runs go that name no experiment; MLflow calls it Default."""

_OWN_NOTE = "Runs that were started without naming an experiment, such as those of a notebook."


def ensure(store: Store, task: str) -> str:
    """Return the id of a task's experiment, creating it with its note and view if needed.

    A card that somebody has rewritten in the UI is left as it is.
    """
    with store.alone():
        existing = store.client.get_experiment_by_name(task)
        if existing is None:
            experiment = str(store.client.create_experiment(task, store.artifacts))
            _name_default(store)
            tags: dict[str, str] = {}
        else:
            experiment, tags = str(existing.experiment_id), dict(existing.tags)
            if existing.lifecycle_stage == "deleted":
                store.client.restore_experiment(experiment)
        for name, value in _tags(task, experiment, tags).items():
            if tags.get(name) != value:
                store.client.set_experiment_tag(experiment, name, value)
    return experiment


def _name_default(store: Store) -> None:
    """Give a name and a note to the experiment that MLflow makes with every store.

    It must not be put away: MLflow starts every run in it that names no experiment, such as
    those of `mlflow.autolog()` in a notebook.
    """
    default = store.client.get_experiment_by_name("Default")
    if default is None or default.experiment_id != "0" or default.tags:
        return
    if default.lifecycle_stage == "deleted":
        store.client.restore_experiment("0")
    store.client.rename_experiment("0", OWN_RUNS)
    store.client.set_experiment_tag("0", NOTE, _OWN_NOTE)


def ensure_named(store: Store, name: str) -> str:
    """Return the id of a user's own experiment, creating it if needed."""
    with store.alone():
        existing = store.client.get_experiment_by_name(name)
        if existing is None:
            return str(store.client.create_experiment(name, store.artifacts))
        if existing.lifecycle_stage == "deleted":
            store.client.restore_experiment(existing.experiment_id)
        return str(existing.experiment_id)


def _tags(task: str, experiment: str, tags: dict[str, str]) -> dict[str, str]:
    wanted = {_KIND: "custom_model_development", _VIEW_TAG: saved_view(task)}
    if columns(task):
        wanted[_PRIMARY] = columns(task)[0]
    card = cards.experiment_card(task, runs_address(experiment))
    if cards.is_own(tags.get(NOTE), read_own_tag(tags, _WRITTEN)):
        wanted |= {NOTE: card, own_tag(_WRITTEN): cards.mark(card)}
    return wanted


def addresses(store: Store) -> dict[str, str]:
    """The addresses of the run lists of churnml's experiments, by name."""
    return {
        experiment.name: runs_address(str(experiment.experiment_id))
        for experiment in store.client.search_experiments(order_by=["name ASC"])
        if _VIEW_TAG in experiment.tags
    }
