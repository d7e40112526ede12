"""The MLflow signature of a model, built by hand: MLflow infers a wrong one, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churnml.model import Model

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

SCORES = {
    "churn": ("churn_probability", "churn_percentile", "risk_band"),
    "satisfaction": (
        "satisfaction",
        "satisfaction_low",
        "satisfaction_high",
        "dissatisfied_probability",
    ),
}
"""The columns of the contract that a model of each task gives."""

_TEXT = ("risk_band",)


def signature(model: Model) -> ModelSignature:
    """What the model reads and gives, column for column.

    Every number is a ``double``: give it as one. ``customer_id`` may be given and comes
    back; ``reasons``, a parameter, says how many reasons each row gets.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema
    from mlflow.types.schema import Array, Object, Property

    kinds = {"number": "double", "category": "string"}
    reads = [ColSpec("string", "customer_id", required=False)]
    reads += [ColSpec(kinds[column.kind], column.name) for column in model.inputs]
    gives = [ColSpec("string", "customer_id", required=False)]
    gives += [ColSpec("string" if name in _TEXT else "double", name) for name in SCORES[model.task]]
    texts = [Property(name, "string") for name in ("feature", "driver", "value")]
    reason = Object([*texts, Property("contribution", "double")])
    gives.append(ColSpec(Array(reason), "reasons", required=False))
    return ModelSignature(
        inputs=Schema(reads),
        outputs=Schema(gives),
        params=ParamSchema([ParamSpec("reasons", "long", 0)]),
    )
