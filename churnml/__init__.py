"""Which telecom customers will leave, how satisfied every customer is, why, and what to do.

The rooms in the order in which data flows through them:

1. `churnml.tables`: an operator's tables, read, checked and cut off at a date
2. `churnml.features`: what was known of each customer at a date
3. `churnml.labels`, `churnml.datasets`: what happened next, and a user's own table
4. `churnml.estimators`, `churnml.metrics`, `churnml.evaluation`: models, and how good they are
5. `churnml.models`, `churnml.training`, `churnml.registry`: models that are kept
6. `churnml.scoring`: every customer's scores, with reasons
7. `churnml.service`: complaints, a satisfaction index, indicators of service quality
8. `churnml.retention`: who gets which offer within a budget, and whether it worked
9. `churnml.monitoring`: whether a model still holds, month by month
10. `churnml.reports`: lists and sentences for those who act

Importing the package imports none of them: a name is looked up when it is first used.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from churnml.config import Config, load_config
    from churnml.datasets.dataset import build_dataset
    from churnml.datasets.drafting import draft_mapping
    from churnml.datasets.forward_split import ForwardSplit
    from churnml.datasets.nonresponse import response_weights
    from churnml.estimators import (
        ChurnClassifier,
        ChurnHazard,
        OfferEffect,
        SatisfactionRegressor,
    )
    from churnml.features import build_features, list_features
    from churnml.labels.sensitivity import label_sensitivity
    from churnml.monitoring.monitor import monitor
    from churnml.registry.compare import compare
    from churnml.registry.evaluate import evaluate
    from churnml.registry.export import export
    from churnml.registry.log_model import log_model
    from churnml.registry.promotion.history import history
    from churnml.registry.promotion.promote import promote
    from churnml.registry.promotion.rollback import rollback
    from churnml.registry.resolve import load_model
    from churnml.reports.contact_list import contact_list
    from churnml.reports.monthly_run import run
    from churnml.reports.report import report
    from churnml.retention.measure import measure_campaign
    from churnml.retention.plan import plan_retention
    from churnml.scoring.score import score
    from churnml.service.complaints.record import complaint_record
    from churnml.service.index.index import satisfaction_index
    from churnml.service.quality.quality import service_quality
    from churnml.tables.checked import validate
    from churnml.tables.simulator import simulate
    from churnml.tables.source import open_source
    from churnml.tables.source.extra.extra import Extra
    from churnml.training.backtest_source import backtest
    from churnml.training.train import train

__version__ = "0.1.0"

_HOME = {
    "ChurnClassifier": "churnml.estimators",
    "ChurnHazard": "churnml.estimators",
    "Config": "churnml.config",
    "Extra": "churnml.tables.source.extra.extra",
    "ForwardSplit": "churnml.datasets.forward_split",
    "OfferEffect": "churnml.estimators",
    "SatisfactionRegressor": "churnml.estimators",
    "backtest": "churnml.training.backtest_source",
    "build_dataset": "churnml.datasets.dataset",
    "build_features": "churnml.features",
    "compare": "churnml.registry.compare",
    "complaint_record": "churnml.service.complaints.record",
    "contact_list": "churnml.reports.contact_list",
    "draft_mapping": "churnml.datasets.drafting",
    "evaluate": "churnml.registry.evaluate",
    "export": "churnml.registry.export",
    "history": "churnml.registry.promotion.history",
    "label_sensitivity": "churnml.labels.sensitivity",
    "list_features": "churnml.features",
    "load_config": "churnml.config",
    "load_model": "churnml.registry.resolve",
    "log_model": "churnml.registry.log_model",
    "measure_campaign": "churnml.retention.measure",
    "monitor": "churnml.monitoring.monitor",
    "open_source": "churnml.tables.source",
    "plan_retention": "churnml.retention.plan",
    "promote": "churnml.registry.promotion.promote",
    "report": "churnml.reports.report",
    "response_weights": "churnml.datasets.nonresponse",
    "rollback": "churnml.registry.promotion.rollback",
    "run": "churnml.reports.monthly_run",
    "satisfaction_index": "churnml.service.index.index",
    "score": "churnml.scoring.score",
    "service_quality": "churnml.service.quality.quality",
    "simulate": "churnml.tables.simulator",
    "train": "churnml.training.train",
    "validate": "churnml.tables.checked",
}

__all__ = [
    "ChurnClassifier",
    "ChurnHazard",
    "Config",
    "Extra",
    "ForwardSplit",
    "OfferEffect",
    "SatisfactionRegressor",
    "backtest",
    "build_dataset",
    "build_features",
    "compare",
    "complaint_record",
    "contact_list",
    "draft_mapping",
    "evaluate",
    "export",
    "history",
    "label_sensitivity",
    "list_features",
    "load_config",
    "load_model",
    "log_model",
    "measure_campaign",
    "monitor",
    "open_source",
    "plan_retention",
    "promote",
    "report",
    "response_weights",
    "rollback",
    "run",
    "satisfaction_index",
    "score",
    "service_quality",
    "simulate",
    "train",
    "validate",
]


def __getattr__(name: str) -> Any:
    if name == "testing":
        # A module that people reach by its name, as numpy.testing.
        return import_module("churnml.testing")
    if name not in _HOME:
        raise AttributeError(f"module 'churnml' has no attribute {name!r}")
    import_module("churnml.base.library_warnings").pass_over_library_warnings()
    found = getattr(import_module(_HOME[name]), name)
    return _verb(found, name) if isinstance(found, FunctionType) else found


@cache
def _verb(function: FunctionType, name: str) -> Any:
    """A public verb: a slip in its arguments is answered in a sentence."""
    from churnml.base.arguments import answering

    verb = answering(function)
    # Where it is found again, as pickling needs.
    verb.__module__, verb.__qualname__ = __name__, name
    return verb


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
