"""Tags for churnml's own use, which MLflow's pages leave out: their names begin with ``mlflow.``.

Stores of earlier versions hold them as ``churnml.…``; those are read as well.
"""

from __future__ import annotations

from collections.abc import Mapping

PREFIX = "mlflow.churnml."
_EARLIER = "churnml."


def own_tag(name: str) -> str:
    """The tag that the pages do not show.

    >>> own_tag("digest")
    'mlflow.churnml.digest'
    """
    return PREFIX + name


def read_own_tag(tags: Mapping[str, str], name: str) -> str:
    """The value of a tag of one's own; empty where there is none.

    >>> read_own_tag({"mlflow.churnml.digest": "ab"}, "digest")
    'ab'
    >>> read_own_tag({"churnml.digest": "cd"}, "digest"), read_own_tag({}, "digest")
    ('cd', '')
    """
    return str(tags.get(PREFIX + name) or tags.get(_EARLIER + name) or "")
