"""Scores by risk band: how many customers, how likely to leave, and why as a rule."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from churnml.scoring.manifest import Manifest
from churnml.tables.source.engines.duckdb import file_literals

BANDS = ("critical", "high", "medium", "low")
"""The riskiest first."""


@dataclass(frozen=True, kw_only=True)
class Band:
    """The customers of one risk band.

    Attributes
    ----------
    name : str
    customers : int
    churn_probability : float
        The mean.
    percentile : float
        The lowest percentile of risk among them, against the customers of training.
    satisfaction : float or None
        The mean; ``None`` where it was not scored.
    driver : str or None
        The usual one of those that raise the risk most.
    """

    name: str
    customers: int
    churn_probability: float
    percentile: float
    satisfaction: float | None
    driver: str | None


def risk_bands(manifest: Manifest) -> list[Band]:
    """The risk bands of a scoring, the riskiest first; none where churn was not scored.

    Parameters
    ----------
    manifest : Manifest
        Of a result that still stands in its folder.
    """
    if "churn" not in manifest.models or not manifest.rows.scored:
        return []
    if manifest.address:
        return _bands(_rows_of_table(manifest))
    folder = Path(manifest.folder).absolute()
    parts = f"read_parquet({file_literals(folder / part.name for part in manifest.parts)})"
    with duckdb.connect() as con:
        there = {row[0] for row in con.execute(f"DESCRIBE FROM {parts}").fetchall()}
        satisfaction = "avg(satisfaction)" if "satisfaction" in there else "NULL"
        driver = f"mode({first_driver('reasons')})" if "reasons" in there else "NULL"
        rows = con.execute(
            "SELECT risk_band, count(*), avg(churn_probability), min(churn_percentile), "
            f"{satisfaction}, {driver} FROM {parts} GROUP BY risk_band"
        ).fetchall()
    return _bands(rows)


def _rows_of_table(manifest: Manifest) -> list[tuple[Any, ...]]:
    """As the query of files gives them, from a table of PostgreSQL."""
    first = "jsonb_path_query_first(reasons, '$[*] ? (@.contribution > 0)')->>'driver'"

    def columns(there: Container[str]) -> str:
        satisfaction = "avg(satisfaction)" if "satisfaction" in there else "NULL"
        driver = f"mode() WITHIN GROUP (ORDER BY {first})" if "reasons" in there else "NULL"
        return (
            "risk_band, count(*), avg(churn_probability), min(churn_percentile), "
            f"{satisfaction}, {driver}"
        )

    return manifest.query(columns, "GROUP BY risk_band")[1]


def _bands(rows: Iterable[tuple[Any, ...]]) -> list[Band]:
    found = {
        name: Band(
            name=name,
            customers=customers,
            churn_probability=chance,
            percentile=percentile,
            satisfaction=satisfied,
            driver=usual,
        )
        for name, customers, chance, percentile, satisfied, usual in rows
    }
    return [found[name] for name in BANDS if name in found]


def first_driver(column: str, *, raising: bool = True) -> str:
    """SQL for the driver of the first reason that raises the score, or lowers it."""
    sign = ">" if raising else "<"
    return f"list_filter({column}, lambda r: r.contribution {sign} 0)[1].driver"
