"""What a scoring of 1,000,000,000 customers costs on Spark: measured rates, multiplied."""

from __future__ import annotations

from dataclasses import dataclass

_HOUR = 3600.0
_GB = 1e9


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What was measured, on one core with warm workers.

    Attributes
    ----------
    features_cpu : float
        Seconds of processor time for the features of one customer, on Spark.
    scores_cpu : float
        Seconds for the scores of one customer without reasons, of both models.
    reasons_cpu : float
        Seconds for the scores and three reasons of each model.
    table_bytes : dict of str to (float, float)
        By table: rows a customer in the months that are read, and bytes a row in Parquet.
    features_bytes, scores_bytes : float
        Bytes a customer in Parquet.
    """

    features_cpu: float
    scores_cpu: float
    reasons_cpu: float
    table_bytes: dict[str, tuple[float, float]]
    features_bytes: float
    scores_bytes: float


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What is assumed of the machines."""

    cores: int = 400
    busy: float = 0.7
    """The share of the time in which a core works: stragglers, start-up, waiting for disks."""
    network: float = 20e9
    """Bytes a second that the cluster shuffles, writing and reading."""
    shuffled: float = 1.3
    """Bytes that cross for each byte of the tables: rows in Spark's format, compressed."""


def cost_of(
    rates: Rates, *, customers: float = 1e9, cluster: Cluster | None = None
) -> list[tuple[str, str]]:
    """The model's rows, what and how much, with its assumptions last."""
    machine = cluster or Cluster()
    read = {name: rows * size * customers for name, (rows, size) in rates.table_bytes.items()}
    moved = sum(read.values()) * machine.shuffled
    features = rates.features_cpu * customers / _HOUR
    plain = rates.scores_cpu * customers / _HOUR
    explained = rates.reasons_cpu * customers / _HOUR
    shuffle = moved / machine.network / _HOUR

    def wall(core_hours: float) -> float:
        return core_hours / (machine.cores * machine.busy)

    return [
        ("customers", f"{customers:,.0f}"),
        *(("tables in: " + name, f"{size / _GB:,.0f} GB") for name, size in read.items()),
        ("shuffle", f"{moved / _GB:,.0f} GB, {shuffle:.1f} h on the network"),
        ("features", f"{features:,.0f} core-hours, {wall(features):.1f} h"),
        ("features kept", f"{rates.features_bytes * customers / _GB:,.0f} GB"),
        ("scores, without reasons", f"{plain:,.0f} core-hours, {wall(plain):.1f} h"),
        ("scores, with reasons", f"{explained:,.0f} core-hours, {wall(explained):.1f} h"),
        ("scores kept", f"{rates.scores_bytes * customers / _GB:,.0f} GB"),
        ("all, without reasons", f"{wall(features + plain) + shuffle:.1f} h"),
        ("all, with reasons", f"{wall(features + explained) + shuffle:.1f} h"),
        (
            "assumed",
            f"{machine.cores} cores, {machine.busy:.0%} of the time at work; a shuffle of "
            f"{machine.shuffled:g} bytes a byte read at {machine.network / _GB:g} GB a second; "
            "costs grow with the rows; the check of the tables, which reads them too, not counted",
        ),
    ]
