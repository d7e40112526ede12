"""Who may leave and what goes with them, of a scoring: numbers about many, none about few."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from churnml.config.settings import Config
from churnml.metrics.intervals import normal_quantile
from churnml.scoring.bands import BANDS, first_driver
from churnml.scoring.manifest import Manifest
from churnml.service.small_cells import Sum, hidden_related
from churnml.tables.source.engines.duckdb import file_literals

AT_RISK = ("critical", "high")
"""The bands of customers who are told of as at risk."""

_TIERS = ("diamond", "gold", "silver", "standard")
_GROUPS = ("A", "B", "C")
_CHANCE, _MONEY = 1e9, 100.0
_NO_DRIVER = "none"


@dataclass(frozen=True, kw_only=True)
class CustomersAtRisk:
    """Some customers; None and NaN where they are too few, or would give others away.

    Attributes
    ----------
    name : str
    customers : int or None
    at_risk : int or None
        Of them, in the bands critical and high.
    leavers, value, value_low, value_high : float
        How many are expected to leave, and the value at risk in yuan with its 95 % interval.
    satisfaction : float
        The mean of the predictions.
    driver : str or None
        The usual one of those that raise the risk most.
    """

    name: str
    customers: int | None
    at_risk: int | None = None
    leavers: float = math.nan
    value: float = math.nan
    value_low: float = math.nan
    value_high: float = math.nan
    satisfaction: float = math.nan
    driver: str | None = None


@dataclass(frozen=True, kw_only=True)
class AtRisk:
    """What a scoring says of all customers.

    Attributes
    ----------
    whole : CustomersAtRisk
    low, high : float
        Of the number of leavers: 95 % of what chance makes of such probabilities.
    months : float
        Over which the probabilities hold, and value is at risk.
    bands, tiers, accounts : list of CustomersAtRisk
        By risk band, individual tier, and tier of the corporate account.
    drivers : list of CustomersAtRisk
        Of the customers at risk, by what raises their risk most; the most frequent first.
    """

    whole: CustomersAtRisk
    low: float
    high: float
    months: float
    bands: list[CustomersAtRisk]
    drivers: list[CustomersAtRisk]
    tiers: list[CustomersAtRisk]
    accounts: list[CustomersAtRisk]


def at_risk(manifest: Manifest, config: Config) -> AtRisk | None:
    """Sum a scoring up; None where churn was not scored or nobody was.

    Parameters
    ----------
    manifest : Manifest
        Of a result that stands in its folder.
    config : Config
    """
    if "churn" not in manifest.models or not manifest.rows.scored:
        return None
    months = horizon_months(config.churn.horizon)
    sums = _sums(manifest, months, config.engine.memory_limit)
    risky = sums["risk_band"].isin(AT_RISK)
    cells = {
        ("", "all"): np.ones(len(sums), bool),
        ("", "at_risk"): risky.to_numpy(),
    }
    for by, column, names in (
        ("band", "risk_band", BANDS),
        ("tier", "individual_tier", _TIERS),
        ("account", "group_tier", _GROUPS),
    ):
        cells |= {(by, name): (sums[column] == name).to_numpy() for name in names}
        if by != "band":
            cells |= {
                (f"{by}_at_risk", name): (risky & (sums[column] == name)).to_numpy()
                for name in names
            }
    for driver in sorted(sums.loc[risky, "driver"].unique()):
        cells["driver", driver] = (risky & (sums["driver"] == driver)).to_numpy()
    shown = _shown(cells, sums["customers"].to_numpy(float))

    def group(by: str, name: str) -> CustomersAtRisk:
        return _group(name, sums[cells[by, name]], shown, by)

    drivers = [group(by, name) for by, name in cells if by == "driver" and name != _NO_DRIVER]
    whole = _group("all", sums, shown, "")
    spread = math.sqrt(max(float(sums["variance"].sum()) / _CHANCE, 0.0)) * normal_quantile()
    return AtRisk(
        whole=whole,
        low=max(whole.leavers - spread, 0.0),
        high=whole.leavers + spread,
        months=months,
        bands=[group("band", name) for name in BANDS if cells["band", name].any()],
        drivers=sorted(drivers, key=lambda one: (-(one.customers or 0), one.name)),
        tiers=[group("tier", name) for name in _TIERS if cells["tier", name].any()],
        accounts=[group("account", name) for name in _GROUPS if cells["account", name].any()],
    )


def horizon_months(span: str) -> float:
    """Months of a span such as ``2mo`` or ``60d``.

    >>> horizon_months("2mo"), round(horizon_months("60d"), 2)
    (2.0, 1.97)
    """
    number = float(span.rstrip("dmo"))
    return number if span.endswith("mo") else number * 12 / 365.25


def _sums(manifest: Manifest, months: float, memory: str | None) -> pd.DataFrame:
    """Sums by band, driver and tiers; of whole numbers, so that no order of rows matters."""
    folder = Path(manifest.folder).absolute()
    parts = f"read_parquet({file_literals(folder / part.name for part in manifest.parts)})"
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as con:
        if memory:
            con.execute(f"SET memory_limit = '{memory}'")
        there = {row[0] for row in con.execute(f"DESCRIBE FROM {parts}").fetchall()}

        def column(name: str, otherwise: str = "NULL") -> str:
            return name if name in there else otherwise

        value = f"round(100 * churn_probability * coalesce({column('arpu')}, 0) * {months})"
        driver = first_driver("reasons") if "reasons" in there else "NULL"
        found = con.execute(
            f"""
            SELECT risk_band, coalesce({driver}, '{_NO_DRIVER}') AS driver,
                {column("individual_tier")}::VARCHAR AS individual_tier,
                {column("group_tier")}::VARCHAR AS group_tier,
                count(*) AS customers,
                sum(round(churn_probability * 1e9)::BIGINT)::DOUBLE AS leavers,
                sum(round(churn_probability * (1 - churn_probability) * 1e9)::BIGINT)::DOUBLE
                    AS variance,
                sum({value}::HUGEINT)::DOUBLE AS value,
                sum({value}::HUGEINT * {value}::HUGEINT)::DOUBLE AS square,
                sum(round({column("satisfaction")} * 1e6)::BIGINT)::DOUBLE AS satisfaction
            FROM {parts} GROUP BY ALL ORDER BY ALL
            """
        ).df()
    return found.astype({"individual_tier": object, "group_tier": object})


def _shown(
    cells: Mapping[tuple[str, str], np.ndarray], customers: np.ndarray
) -> dict[tuple[str, str], bool]:
    """Which cells may be told of."""
    counts = {key: float(customers[rows].sum()) for key, rows in cells.items()}
    # That there is nobody tells of nobody.
    place = {key: at for at, key in enumerate(key for key, count in counts.items() if count)}

    def total(key: tuple[str, str], by: str, names: tuple[str, ...] | None = None) -> list[Sum]:
        parts = tuple(
            at
            for (kind, name), at in place.items()
            if kind == by and (names is None or name in names)
        )
        return [Sum(total=place[key], parts=parts)] if key in place and parts else []

    sums = [
        *total(("", "all"), "band"),
        *total(("", "at_risk"), "band", AT_RISK),
        *total(("", "at_risk"), "driver"),
    ]
    for by in ("tier", "account"):
        sums += [*total(("", "all"), by), *total(("", "at_risk"), f"{by}_at_risk")]
        for kind, name in list(place):
            if kind == by:
                sums += total((by, name), f"{by}_at_risk", (name,))
    hidden = hidden_related([counts[key] for key in place], sums)
    return {key: key not in place or not hidden[place[key]] for key in cells}


def _group(
    name: str, rows: pd.DataFrame, shown: Mapping[tuple[str, str], bool], by: str
) -> CustomersAtRisk:
    if not shown[by, name]:
        return CustomersAtRisk(name=name, customers=None)
    customers = int(rows["customers"].sum())
    value = float(rows["value"].sum()) / _MONEY
    square = float(rows["square"].sum()) / _MONEY**2
    # What the bootstrap over so many customers comes to.
    half = normal_quantile() * math.sqrt(max(square - value**2 / max(customers, 1), 0.0))
    risky = rows[rows["risk_band"].isin(AT_RISK)]
    told = shown.get((f"{by}_at_risk" if by else "", name if by else "at_risk"), True)
    usual = rows[rows["driver"] != _NO_DRIVER].groupby("driver")["customers"].sum()
    return CustomersAtRisk(
        name=name,
        customers=customers,
        at_risk=int(risky["customers"].sum()) if told else None,
        leavers=float(rows["leavers"].sum()) / _CHANCE,
        value=value,
        value_low=max(value - half, 0.0),
        value_high=value + half,
        satisfaction=float(rows["satisfaction"].sum()) / 1e6 / max(customers, 1),
        driver=None if usual.empty else str(usual.sort_index().idxmax()),
    )
