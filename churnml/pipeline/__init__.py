"""The stages in order, for the command line and the demo; no logic of their own."""

from churnml.pipeline.backtest import backtest_source, write_backtest
from churnml.pipeline.demo import Demo, demo
from churnml.pipeline.evaluate import evaluate_source, evaluate_table, write_evaluation
from churnml.pipeline.promote import promote, require_promoted
from churnml.pipeline.score import export, score_source, score_table
from churnml.pipeline.sources import (
    features,
    label_sensitivity,
    require_report,
    simulate,
    validate,
)
from churnml.pipeline.train import Trained, train_source, train_table
from churnml.pipeline.versions import Outcome, compare_models, rollback, told_history

__all__ = [
    "Demo",
    "Outcome",
    "Trained",
    "backtest_source",
    "compare_models",
    "demo",
    "evaluate_source",
    "evaluate_table",
    "export",
    "features",
    "label_sensitivity",
    "promote",
    "require_promoted",
    "require_report",
    "rollback",
    "score_source",
    "score_table",
    "simulate",
    "told_history",
    "train_source",
    "train_table",
    "validate",
    "write_backtest",
    "write_evaluation",
]
