"""Build a model's MLflow signature, which MLflow would infer wrongly or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churnml.base.tasks import TASKS
from churnml.models.model import Model

if TYPE_CHECKING:
    from mlflow.models import ModelSignature
    from mlflow.types import Schema

KEYS = ("customer_id", "as_of")
"""May be given beside the model's columns, and then come back beside the scores."""

_TEXT = ("risk_band",)


def signature(model: Model) -> ModelSignature:
    """Build a model's signature: inputs, outputs, parameters.

    Categories are text, features of operator tables numbers; a column of a flat table that
    holds numbers is of any type, for people write them in many ways ("12 %", "1,234"). None is
    required. MLflow's own check against it would refuse whole numbers where fractions are due
    (unless all are 0 or 1), and quote customers' rows: it is left to the model
    (`churnml.scoring.pyfunc_frames`), which reads the same values alike however they are kept
    and names the column of what it refuses.

    ``reasons``, a parameter, says how many reasons each row gets; ``as_of``, of a flat table,
    from which day its dates are counted (by default as in training). They and the keys come
    back where they were asked for, so they are not among the columns of every answer.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema
    from mlflow.types.schema import AnyType

    number = AnyType() if model.origin.kind == "table" else "double"
    kinds = {
        column.name: number if column.kind == "number" else "string" for column in model.inputs
    }
    reads = dict.fromkeys(KEYS, AnyType()) | kinds
    scores = TASKS[model.task].scores
    gives = [ColSpec("string" if name in _TEXT else "double", name) for name in scores]
    params = [ParamSpec("reasons", "long", 0)]
    if model.origin.kind == "table":
        params.append(ParamSpec("as_of", "string", ""))
    return ModelSignature(
        inputs=Schema([ColSpec(kind, name, required=False) for name, kind in reads.items()]),
        outputs=Schema(gives),
        params=ParamSchema(params),
    )


def typed_columns(model: Model) -> Schema:
    """The model's columns with their types, numbers or text, for people."""
    from mlflow.types import ColSpec, Schema

    kinds = {"number": "double", "category": "string"}
    return Schema([ColSpec(kinds[column.kind], column.name) for column in model.inputs])
