"""Evaluation reports beside the registered version that was evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping

from churnml.metrics import Estimate
from churnml.models.cards import mlflow_notes as cards
from churnml.registry import versions as registry
from churnml.registry.store import existing_store
from churnml.registry.tracking.registered_card import refresh_card

_FOLDER = "evaluations"
_ODD = re.compile(r"[^\w.-]+")


def attach_evaluation(
    version: str,
    *,
    title: str,
    metrics: Mapping[str, Estimate],
    page: str,
    task: str,
    seen: bool,
) -> None:
    """Put a report into the run of a version, and a link to it into the version's description.

    Parameters
    ----------
    version : str
        ``name/number``.
    title : str
        What was evaluated: a later report of the same title takes the place of an earlier one.
    metrics : mapping of str to Estimate
    page : str
        HTML, in which no customer is.
    task : str
    seen : bool
        Whether the training has seen any of these rows.

    Raises
    ------
    ModelError
        If the store cannot be reached or written, or the version has no run.
    """
    name, _, number = version.rpartition("/")
    with existing_store() as store:
        known = registry.require_version(store, name, number)
        run = store.client.get_run(known.run_id)
        path = f"{_FOLDER}/{_ODD.sub('_', title)}.html"
        store.client.log_text(run.info.run_id, page, path)
        address = f"#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}/artifacts/{path}"
        figures = cards.headline(task, metrics)
        if seen:
            figures += ", flattered by rows that the training has seen"
        card = cards.with_evaluation(known.description or "", title, figures, address)
        store.client.update_model_version(name, number, description=card)
        refresh_card(store, name)
