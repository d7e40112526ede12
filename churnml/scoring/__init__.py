"""Every customer's scores, with reasons: a folder that is complete or is not there.

`score_source` scores an operator's customers at a date, `score_table` the rows of a flat
table; both give a `Manifest`, whose gates `check_gates` raises.

Importing the package imports none of them, so that a served model does not bring along the
engine that builds features.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from churnml.scoring.flat import score_table
    from churnml.scoring.gates import check_gates
    from churnml.scoring.manifest import Manifest
    from churnml.scoring.operator import score_source

_HOME = {
    "Manifest": "churnml.scoring.manifest",
    "check_gates": "churnml.scoring.gates",
    "score_source": "churnml.scoring.operator",
    "score_table": "churnml.scoring.flat",
}

__all__ = ["Manifest", "check_gates", "score_source", "score_table"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'churnml.scoring' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
