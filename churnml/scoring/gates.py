"""Gates: problems that do not stop a scoring but are reported with status 6.

Categories that no model has seen become harmless averages, and missing values do too; the
scores look as usual and are worth little. A gate trips where that happens to more rows
than the settings allow, or to a whole column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from churnml.errors import GateError
from churnml.models.drift import Drift, describe_drift, exceeds, measure_drift, summed
from churnml.models.model import InputColumn
from churnml.registry.resolve import Resolved
from churnml.scoring.manifest import Manifest

_FEW_ROWS = 20
_USUALLY_PRESENT = 0.5
_TOLD = 0.0005

Tally = Mapping[str, Mapping[str, Mapping[str, int]]]


def unseen_shares(total: Tally, rows: int) -> dict[str, float]:
    """The share of unseen values by category column, the largest of all models.

    Columns without any unseen value are left out.
    """
    shares: dict[str, float] = {}
    for kinds in total.values():
        for name, count in kinds.get("unseen", {}).items():
            if count and rows:
                shares[name] = max(shares.get(name, 0.0), round(count / rows, 6))
    return dict(sorted(shares.items()))


def drifts(
    parts: Iterable[Mapping[str, Mapping[str, list[int]]]], models: Mapping[str, Resolved]
) -> dict[str, dict[str, tuple[Drift, list[int]]]]:
    """Measure the drift of the scored rows by task and column; return it with the counts."""
    every = list(parts)
    drifts = {}
    for task, one in models.items():
        counts = summed(part.get(task, {}) for part in every)
        trained = one.model.origin.customers or one.model.origin.rows
        drifts[task] = {
            column.name: (measure_drift(column, counts[column.name], trained), counts[column.name])
            for column in one.model.inputs
            if column.name in counts
        }
    return drifts


def drift_values(
    drifts: Mapping[str, Mapping[str, tuple[Drift, list[int]]]], models: Mapping[str, Resolved]
) -> dict[str, float]:
    """The drift by column beyond its usual drift, the largest of all models.

    Columns that drift no more than usual are left out.
    """
    values: dict[str, float] = {}
    for task, columns in drifts.items():
        usual = {column.name: column.usual for column in models[task].model.inputs}
        for name, (drift, _counts) in columns.items():
            value = round(drift.value - usual[name], 4)
            if value > 0:
                values[name] = max(values.get(name, 0.0), value)
    return dict(sorted(values.items()))


def drifted(
    drifts: Mapping[str, Mapping[str, tuple[Drift, list[int]]]],
    models: Mapping[str, Resolved],
    limit: float,
    already: Iterable[str] = (),
) -> list[str]:
    """Describe each column that has drifted beyond a limit, the farthest first.

    Columns with a worse problem in ``already`` are left out.
    """
    sentences: dict[str, tuple[float, str]] = {}
    for task, columns in drifts.items():
        for column in models[task].model.inputs:
            drift, counts = columns.get(column.name, (None, []))
            if drift is not None and exceeds(column, drift, limit):
                sentences.setdefault(
                    column.name, (drift.value, describe_drift(column, drift, counts, limit))
                )
    ranked = sorted(sentences.items(), key=lambda one: (-one[1][0], one[0]))
    before = tuple(already)
    return [
        sentence
        for name, (_value, sentence) in ranked
        if not any(gate.startswith(f"{name}: ") for gate in before)
    ]


def tripped(total: Tally, rows: int, models: Mapping[str, Resolved], limit: float) -> list[str]:
    """Describe each problem of the scored rows as a whole.

    Parameters
    ----------
    total : mapping
        By task: ``present`` and ``unseen`` rows by column.
    rows : int
        Scored rows.
    models : mapping of str to Resolved
    limit : float
        The share of rows with unseen values of a column that is still let through, beyond
        what customers held out of the training had.
    """
    reasons: dict[str, str] = {}
    for task, kinds in total.items():
        model = models[task].model
        for column in model.inputs:
            known = len(model.estimator.categories_.get(column.name, ()))
            present = kinds.get("present", {}).get(column.name, 0)
            unseen = kinds.get("unseen", {}).get(column.name, 0)
            problem = _problem(column, known, rows, present, unseen, limit)
            if problem:
                reasons.setdefault(column.name, problem)
    return list(reasons.values())


def _problem(
    column: InputColumn, known: int, rows: int, present: int, unseen: int, limit: float
) -> str | None:
    if column.kind == "category" and present and unseen == present:
        return (
            f"{column.name}: none of the {known:,} known values was seen in {present:,} rows; "
            "did upper and lower case, spaces or the type change?"
        )
    most = min(limit + column.unseen, 1.0)
    if unseen > most * rows:
        usual = f", {column.unseen:.1%} being usual" if column.unseen >= _TOLD else ""
        return (
            f"{column.name}: {unseen:,} of {rows:,} rows ({unseen / rows:.1%}) hold values that "
            f"training had not; at most {most:.1%} expected{usual}."
        )
    if present == 0 and rows >= _FEW_ROWS and column.missing < _USUALLY_PRESENT:
        return (
            f"{column.name}: empty in all {rows:,} rows; in training in {column.missing:.1%} "
            "of them."
        )
    return None


def check_gates(manifest: Manifest) -> None:
    """Raise a `GateError` if the published manifest lists tripped gates.

    Raises
    ------
    GateError
        If anything did. The result stands nevertheless.
    """
    if manifest.gates:
        more = f" ({len(manifest.gates)} in all)" if len(manifest.gates) > 1 else ""
        raise GateError(
            f"{manifest.folder}: scored and published, but {manifest.gates[0]}{more}",
            hint="Check the columns before the scores are used.",
            **_details(manifest),
        )


def _details(manifest: Manifest) -> dict[str, Any]:
    return {"file": manifest.folder, "count": len(manifest.gates), "gates": manifest.gates}
