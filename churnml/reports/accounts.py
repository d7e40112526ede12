"""Corporate accounts (集团客户), one row each, for their account managers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import duckdb

from churnml.base.dates import parse_date
from churnml.config.settings import Config
from churnml.errors import DataError, UsageError
from churnml.scoring.manifest import Manifest
from churnml.tables.asof import in_force, moments
from churnml.tables.checked import Location, as_source, check
from churnml.tables.contract import TABLES
from churnml.tables.source import Source

if TYPE_CHECKING:
    import pandas as pd

ACCOUNT_COLUMNS = (
    "group_id",
    "group_tier",
    "sector",
    "handsets",
    "members",
    "members_at_risk",
    "leavers_expected",
    "arpu",
    "value_at_risk",
    "satisfaction",
    "driver",
)
"""Of a list of accounts; ``members`` are those scored, ``arpu`` is that of all of them."""


def account_rows(
    con: duckdb.DuckDBPyConnection,
    query: str,
    source: Source,
    day: date,
    *,
    config: Config,
    top: int | None = None,
) -> Iterator[pd.DataFrame]:
    """The accounts of the customers of a query, that with most value at risk first.

    Parameters
    ----------
    con : DuckDB connection
        With the view ``scored``.
    query : str
        Of rows of that view.
    source : Source
        Says whose member each customer was.
    day : date
        The date of the scores.
    config : Config
    top : int, optional

    Raises
    ------
    DataError
        If the source has no corporate groups.
    """
    tables = check(source, config, until=day).accepted().tables
    if "groups" not in tables or "group_id" not in tables["customers"].columns:
        raise DataError(
            f"{source.location}: no account is known without the table groups and the column "
            "group_id of customers.",
            hint="Add them, or leave out --accounts.",
            table="groups",
        )
    rows = in_force(tables["customers"], TABLES["customers"], moments(day))
    groups = in_force(tables["groups"], TABLES["groups"], moments(day))
    members = rows.filter(rows.group_id.notnull()).select("customer_id", "group_id")
    con.register("members", members.to_pyarrow())
    con.register("accounts", groups.select("group_id", "sector", "handsets").to_pyarrow())
    there = {row[0] for row in con.execute(f"DESCRIBE ({query})").fetchall()}
    satisfaction = "avg(satisfaction)" if "satisfaction" in there else "NULL::DOUBLE"
    driver = "mode(driver)" if "driver" in there else "NULL::VARCHAR"
    limit = "" if top is None else f" LIMIT {top}"
    found = con.execute(
        f"""
        SELECT group_id, any_value(group_tier) AS group_tier, any_value(sector) AS sector,
            any_value(handsets) AS handsets, count(*) AS members,
            count(*) FILTER (risk_band IN ('high', 'critical')) AS members_at_risk,
            sum(churn_probability) AS leavers_expected, sum(arpu) AS arpu,
            sum(value_at_risk) AS value_at_risk, {satisfaction} AS satisfaction,
            {driver} AS driver
        FROM ({query}) JOIN members USING (customer_id) LEFT JOIN accounts USING (group_id)
        GROUP BY group_id ORDER BY value_at_risk DESC NULLS LAST, group_id{limit}
        """
    )
    yield found.df()


def source_of(manifest: Manifest, mapping: Location | None, config: Config) -> tuple[Source, date]:
    """The operator tables that were scored, and the date.

    Raises
    ------
    UsageError
        If the scores are not of operator tables.
    """
    if manifest.kind != "operator" or manifest.as_of is None or "churn" not in manifest.models:
        raise UsageError(
            "--accounts: these scores are not of operator tables with a churn model.",
            hint="Score a source with a churn model.",
        )
    return as_source(manifest.source, mapping=mapping, config=config), parse_date(manifest.as_of)
