"""The stages in order, for the command line and the demo; no logic of their own."""

from churnml.cli.whole_way import Demo, demo
from churnml.evaluation.evaluate_model import evaluate_source, evaluate_table, write_evaluation
from churnml.registry.promotion.promote import promote, require_promoted
from churnml.registry.promotion.rollback import Outcome, compare_models, rollback, told_history
from churnml.scoring.score import export, score_source, score_table
from churnml.tables.checked import (
    features,
    label_sensitivity,
    require_report,
    simulate,
    validate,
)
from churnml.training.backtest_source import backtest_source, write_backtest
from churnml.training.train import Trained, train_source, train_table

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
