"""The whole way on a simulated operator."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from churnml.base.dates import add_span
from churnml.config.settings import Config
from churnml.scoring.score import score_source
from churnml.tables.checked import simulate, validate
from churnml.training.train import Trained, train_source


@dataclass(frozen=True)
class Demo:
    """What a demo made.

    Attributes
    ----------
    folder : Path
    tables : dict of str to int
        Rows of each simulated table.
    report : Report
        Of validation.
    trained : tuple of Trained
    manifest : Manifest
        Of the scoring.
    seconds : float
    """

    folder: Path
    tables: dict[str, int]
    report: Any
    trained: tuple[Trained, ...]
    manifest: Any
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """The demo as plain data, for ``--json``."""
        return {
            "folder": str(self.folder),
            "tables": self.tables,
            "validation": self.report.to_dict(),
            "trained": [one.to_dict() for one in self.trained],
            "scores": self.manifest.to_dict(),
            "seconds": round(self.seconds, 1),
        }


def demo(
    folder: Path, *, customers: int, months: int, seed: int, config: Config, overwrite: bool
) -> Demo:
    """Simulate an operator, check it, train both models and score everybody."""
    began = time.monotonic()
    if config.engine.memory_limit is None:
        # The whole demo is to stay within 2 GB.
        engine = config.engine.model_copy(update={"memory_limit": "1GB"})
        config = config.model_copy(update={"engine": engine})
    tables = simulate(
        folder / "operator", customers=customers, months=months, seed=seed, overwrite=overwrite
    )
    operator = str(folder / "operator")
    found = validate(operator, mapping=None, config=config)
    trained = tuple(
        train_source(task, operator, config=config) for task in ("churn", "satisfaction")
    )
    last = max(date.fromisoformat(day) for day in trained[0].dates["all"])
    # Two months after the last labelled date the tables end: the first date to be scored.
    as_of = add_span(last, config.churn.horizon).isoformat()
    manifest = score_source(
        operator,
        as_of,
        folder / "scores",
        churn_model=trained[0].model_uri,
        satisfaction_model=trained[1].model_uri,
        config=config,
        overwrite=overwrite,
    )
    return Demo(folder, tables, found.report, trained, manifest, time.monotonic() - began)
