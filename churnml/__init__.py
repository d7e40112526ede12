"""Which telecom customers will leave, how satisfied every customer is, why, and what to do.

The modules in the order in which data flows through them:

1. `churnml.contract`, `churnml.source`, `churnml.validation`: an operator's tables, checked
2. `churnml.asof`, `churnml.features`: what was known of each customer at a date
3. `churnml.labels`, `churnml.leaving`, `churnml.dataset`: what happened next;
   ``churnml.flat``: a user's own table
4. `churnml.estimators`, `churnml.evaluation`: models, and how good they are
5. `churnml.bundle`, `churnml.tracking`, `churnml.registry`: models that are kept
6. `churnml.scoring`: every customer's scores, with reasons

Importing the package imports none of them: a name is looked up when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from churnml.config import Config, load_config
    from churnml.dataset import build_dataset
    from churnml.estimators import ChurnClassifier, ChurnHazard, SatisfactionRegressor
    from churnml.features import build_features
    from churnml.nonresponse import response_weights
    from churnml.sensitivity import label_sensitivity
    from churnml.simulator import simulate
    from churnml.source import open_source
    from churnml.validation.validate import validate

__version__ = "0.1.0"

_HOME = {
    "ChurnClassifier": "churnml.estimators",
    "ChurnHazard": "churnml.estimators",
    "Config": "churnml.config",
    "SatisfactionRegressor": "churnml.estimators",
    "build_dataset": "churnml.dataset",
    "build_features": "churnml.features",
    "label_sensitivity": "churnml.sensitivity",
    "load_config": "churnml.config",
    "open_source": "churnml.source",
    "response_weights": "churnml.nonresponse",
    "simulate": "churnml.simulator",
    "validate": "churnml.validation",
}

__all__ = [
    "ChurnClassifier",
    "ChurnHazard",
    "Config",
    "SatisfactionRegressor",
    "build_dataset",
    "build_features",
    "label_sensitivity",
    "load_config",
    "open_source",
    "response_weights",
    "simulate",
    "validate",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'churnml' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
