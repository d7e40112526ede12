"""A way to write operator tables as Parquet or CSV, for tests of reading them."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

CUSTOMERS = "customer_id,activated_on,terminated_on,payment\n"
BILLS = "customer_id,month,amount\n"


@pytest.fixture
def folder(tmp_path):
    """An operator's folder, empty."""
    path = tmp_path / "operator"
    path.mkdir()
    return path


@pytest.fixture
def parquet(folder):
    """Write a table's columns to Parquet: ``parquet("bills", month=[...])``."""

    def write(name, *, types=None, **columns):
        arrays = {
            column: pa.array(values, (types or {}).get(column))
            for column, values in columns.items()
        }
        path = folder / (name if "." in name else f"{name}.parquet")
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(arrays), path)
        return path

    return write


@pytest.fixture
def csv(folder):
    """Write a CSV file from its text: ``csv("bills.csv", text)``."""

    def write(name, text, encoding="utf-8"):
        path = folder / name
        path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
        return path

    return write


@pytest.fixture
def customers(csv):
    """A customers.csv of two subscriptions."""
    return csv(
        "customers.csv",
        CUSTOMERS + "00123,2020-01-01,,prepaid\n8613800138000,2020-01-02,,postpaid\n",
    )


@pytest.fixture
def rows():
    """The rows of a lazy table as dicts, in the order of a column."""

    def fetch(table, by="customer_id"):
        return table.order_by(by).to_pyarrow().to_pylist()

    return fetch
