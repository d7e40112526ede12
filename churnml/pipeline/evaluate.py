"""A model measured where the outcome is known."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from churnml import dataset, training
from churnml.bundle import Model
from churnml.config import Config
from churnml.dataset import Dataset, Task
from churnml.errors import UsageError
from churnml.pipeline.sources import checked, opened
from churnml.pipeline.train import flat_dataset

_log = logging.getLogger(__name__)


def evaluate_source(
    uri: str, location: str, as_of: str, *, mapping: Path | None, config: Config
) -> dict[str, Any]:
    """Measure an operator model at a date whose outcome is known."""
    from churnml.registry import resolve

    resolved = resolve(uri)
    _require_kind(resolved, "operator")
    clean = checked(opened(location, mapping, config), config).accepted()
    task: Task = resolved.model.task
    settings = config.model_copy(
        update={task: dataset.settings(task, config).model_copy(update=_label(resolved.model))}
    )
    _log.info("building features at %s", as_of)
    data = dataset.build_dataset(clean, task, as_of, config=settings)
    return _evaluated(resolved, data, {"source": location, "as_of": as_of})


def evaluate_table(
    uri: str, table: str, *, id: str | None, target: str | None, group: str | None, config: Config
) -> dict[str, Any]:
    """Measure a model of a table of one's own on rows whose outcome is known."""
    from churnml.flat import Signature, read_evaluation
    from churnml.registry import resolve

    resolved = resolve(uri)
    _require_kind(resolved, "table")
    _log.info("reading %s", table)
    data = read_evaluation(
        table,
        Signature.from_dict(resolved.model.origin.table),
        id=id,
        target=target,
        group=group,
        set_aside_limit=config.validation.set_aside_limit,
    )
    return _evaluated(resolved, flat_dataset(data), {"source": table})


def _label(model: Model) -> dict[str, Any]:
    """What the model's label says, so that it is measured by what it was trained on."""
    return {
        name: model.origin.label[name]
        for name in ("gap", "horizon", "definition")
        if name in model.origin.label
    }


def _require_kind(resolved: Any, kind: str) -> None:
    found = resolved.model.origin.kind
    if found != kind:
        raise UsageError(
            f"{resolved.version} reads "
            + ("operator tables." if found == "operator" else "a table of one's own."),
            hint="Give --as-of." if found == "operator" else "Give --target, and --id.",
        )


def _evaluated(resolved: Any, data: Dataset, facts: Mapping[str, Any]) -> dict[str, Any]:
    model = resolved.model
    metrics, _scores = training.evaluate(model.task, model.estimator, data)
    names = {"model": resolved.version, "task": model.task}
    seen = str(facts.get("as_of", "")) in model.origin.as_of
    notes = ["The model was trained on this date: the figures flatter it."] if seen else []
    return {
        **names,
        **facts,
        "rows": len(data),
        "metrics": training.flat_metrics(metrics),
        "notes": notes,
    }
