"""Log a training to MLflow: a run, a model and a version.

No row of a customer is among it: numbers, figures, tables of sums and means, the columns'
names and types, a digest of the data, and the model, which holds none either. A run that
fails on the way ends as failed and leaves no registered version; one whose process was
killed is ended by the next.
"""

from churnml.registry.tracking.experiments import addresses
from churnml.registry.tracking.log import log_training, save_training
from churnml.registry.tracking.mlflow_model import LOADER, save_mlflow_model
from churnml.registry.tracking.registered_card import refresh_card
from churnml.registry.tracking.run import (
    Child,
    Curve,
    Data,
    Logged,
    TrainingRecord,
    headline,
    origin_params,
)
from churnml.registry.tracking.runs import log_children

__all__ = [
    "LOADER",
    "Child",
    "Curve",
    "Data",
    "Logged",
    "TrainingRecord",
    "addresses",
    "headline",
    "log_children",
    "log_training",
    "origin_params",
    "refresh_card",
    "save_mlflow_model",
    "save_training",
]
