"""Read a flat table with known labels, to evaluate a model on."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from churnml.base.text import counted
from churnml.datasets.flat.data import FlatData
from churnml.datasets.flat.open import fingerprint
from churnml.datasets.flat.read_scoring import open_scoring
from churnml.datasets.flat.reading import Reading
from churnml.datasets.flat.signature import Signature
from churnml.datasets.flat.target import Target, known_target, note_positive, satisfaction_target
from churnml.errors import DataError, ModelError, UsageError

_ALL = 1 << 62


def read_evaluation(
    path: str | Path,
    signature: Signature,
    *,
    target: str | None = None,
    id: str | None = None,
    group: str | None = None,
    positive: str | None = None,
    as_of: date | None = None,
    reading: Reading | None = None,
    set_aside_limit: float = 0.05,
    memory_limit: str | None = None,
    threads: int | None = None,
) -> FlatData:
    """Read a table as in scoring, with its labels.

    Parameters
    ----------
    path : path
    signature : Signature
        Of the model.
    target : str, optional
        The target column; by default called as in training. Its values mean what they
        meant there.
    id : str, optional
    group : str, optional
        The column whose rows belong together; then ids may repeat.
    positive : str, optional
        Churn: the target's value that means that the customer left, where the words are
        others than in training.
    as_of, reading, set_aside_limit, memory_limit, threads : optional
        As in `open_scoring`.

    Returns
    -------
    FlatData
        The rows with a target that could be scored.

    Raises
    ------
    UsageError, SchemaError, DataError
        As `open_scoring`; and if the target does not hold the values that it should.
    """
    named = target or signature.target
    extra = {named: "--target"} | ({group: "--group"} if group else {})
    scorable = open_scoring(
        path,
        signature,
        id=id,
        extra=extra,
        repeated=group is not None,
        as_of=as_of,
        reading=reading,
        set_aside_limit=set_aside_limit,
        memory_limit=memory_limit,
        threads=threads,
    )
    (batch,) = scorable.batches(_ALL)
    scorable.table.ensure_unchanged()
    if not len(batch.X):
        raise DataError(f"{path}: no row to evaluate on.", file=str(path))
    labels = _target(batch.extra[named], signature, named, positive)
    keep = ~np.isnan(labels.y)
    ids = pd.Series(batch.ids.to_pandas(), name=id or "row")
    groups = batch.extra[group] if group else ids.rename(group or id or "row")
    # A row without a group stands alone.
    groups = groups.where(groups.notna(), ids)
    # As training has them, so that the same rows have the same digest.
    y = pd.Series(labels.y[keep], name=named, dtype="int64" if signature.positive else "float64")
    return FlatData(
        X=batch.X[keep].reset_index(drop=True),
        y=y,
        ids=ids[keep].reset_index(drop=True),
        groups=groups[keep].reset_index(drop=True),
        signature=signature.to_dict(),
        notes=[
            *note_positive(labels),
            *scorable.table.notes,
            *scorable.taken,
            *([scorable.ages.describe()] if scorable.ages else []),
            *scorable.beyond(len(batch.X)).sentences,
            *scorable.describe_aside(),
            *_left_out(labels),
        ],
        rows=scorable.total,
        fingerprint=fingerprint(path),
        times=None if batch.times is None else batch.times[keep].reset_index(drop=True),
    )


def _target(values: pd.Series, signature: Signature, name: str, positive: str | None) -> Target:
    if signature.positive:
        return known_target(values, name=name, signature=signature, positive=positive)
    if positive is not None:
        raise UsageError("--positive is for churn, not for satisfaction.")
    if len(signature.scale) != 2:
        raise ModelError("The model does not say on which scale its target was.")
    worst, best = signature.scale
    return satisfaction_target(values, name=name, scale=signature.words or (worst, best))


def _left_out(labels: Target) -> list[str]:
    lost = {"without a target": labels.missing, "with a target outside the scale": labels.outside}
    return [f"Left out: {counted(n, 'row')} {what}." for what, n in lost.items() if n]
