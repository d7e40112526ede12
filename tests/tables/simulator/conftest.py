"""Simulated operators that several tests look at."""

from pathlib import Path

import duckdb
import pytest

from churnml.tables.contract import TABLES
from churnml.tables.simulator import simulate


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """A connection with a view of every table of a simulated operator."""
    connection = duckdb.connect()
    for name in (name for name in TABLES if name != "ties"):
        connection.execute(f"create view {name} as from '{folder}/{name}.parquet'")
    for name in ("hazard", "offer_effect"):
        connection.execute(f"create view {name} as from '{folder}/truth/{name}.parquet'")
    connection.execute(
        "create view people as select customer_id, any_value(activated_on) activated_on, "
        "any_value(terminated_on) terminated_on, any_value(payment) payment, "
        "any_value(birth_year) birth_year from customers group by customer_id"
    )
    connection.execute(
        "create view answers as select *, "
        "100 * (score - scale_min) / (scale_max - scale_min) as points from surveys"
    )
    connection.execute(
        """
        create view labels as
        select hazard.*, payment, coalesce(
            terminated_on >= hazard.month
            and terminated_on < hazard.month + interval 2 month, false
        ) or (
            payment = 'prepaid'
            and coalesce(one.active_days, 0) + coalesce(two.active_days, 0) = 0
        ) as left_us
        from hazard join people using (customer_id)
        left join usage one on one.customer_id = hazard.customer_id and one.month = hazard.month
        left join usage two on two.customer_id = hazard.customer_id
            and two.month = hazard.month + interval 1 month
        where hazard.month < (select max(month) from bills)
        """
    )
    return connection


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """3,000 customers over 12 months."""
    folder = tmp_path_factory.mktemp("operator")
    simulate(folder, customers=3_000, months=12, seed=5)
    return folder


@pytest.fixture(scope="session")
def operator(folder):
    """The same, ready to be asked."""
    return connect(folder)


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """60,000 customers over 24 months."""
    folder = tmp_path_factory.mktemp("large")
    simulate(folder, customers=60_000, months=24, seed=1)
    return connect(folder)
