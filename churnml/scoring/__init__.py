"""Every customer's scores, with reasons: a folder that is complete or is not there.

`churnml.score` scores an operator's customers at a date, or the rows of a table of one's own, and
gives a `Manifest`, whose gates `check_gates` raises.

Importing the package imports none of them, so that a served model does not bring along the
engine that builds features.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from churnml.scoring.gates import check_gates
    from churnml.scoring.manifest import Manifest

_HOME = {
    "Manifest": "churnml.scoring.manifest",
    "check_gates": "churnml.scoring.gates",
}

__all__ = ["Manifest", "check_gates"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'churnml.scoring' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
