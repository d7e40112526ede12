"""The stages in order, for the command line and the demo; no logic of their own."""

from churnml.pipeline.demo import Demo, demo
from churnml.pipeline.evaluate import evaluate_source, evaluate_table
from churnml.pipeline.score import export, score_source, score_table
from churnml.pipeline.sources import features, simulate, validate
from churnml.pipeline.train import Trained, train_source, train_table

__all__ = [
    "Demo",
    "Trained",
    "demo",
    "evaluate_source",
    "evaluate_table",
    "export",
    "features",
    "score_source",
    "score_table",
    "simulate",
    "train_source",
    "train_table",
    "validate",
]
