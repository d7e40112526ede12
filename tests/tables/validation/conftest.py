"""A small operator without a breach, and a way to write one as Parquet."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churnml.tables.contract import KNOWN_AT, TABLES

ARROW = {
    "text": pa.string(),
    "date": pa.date32(),
    "month": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
}


def _write(folder, tables):
    """Each table with the columns that any of its rows has."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        used = {column for row in rows for column in row}
        fields = [
            pa.field(column.name, ARROW[column.kind])
            for column in (*TABLES[name].columns, KNOWN_AT)
            if column.name in used
        ]
        pq.write_table(
            pa.Table.from_pylist(rows, schema=pa.schema(fields)), folder / f"{name}.parquet"
        )
    return folder


def _good():
    """Two customers with six months of bills, and a row in each other table."""
    return {
        "customers": [customer("c1"), customer("c2", group_id="g1", brand="gotone")],
        "groups": [
            {
                "group_id": "g1",
                "sector": "bank",
                "handsets": 40,
                "registered_on": dt.date(2019, 1, 1),
            }
        ],
        "bills": [bill(who, month) for who in ("c1", "c2") for month in range(1, 7)],
        "usage": [usage("c1", 6)],
        "complaints": [complaint("k1")],
        "contacts": [contact("t1")],
        "surveys": [survey("s1")],
        "offers": [offer("o1")],
    }


def customer(who, **changes):
    row = {
        "customer_id": who,
        "activated_on": dt.date(2020, 1, 1),
        "terminated_on": None,
        "payment": "prepaid",
    }
    return row | changes


def bill(who="c1", month=6, **changes):
    return {"customer_id": who, "month": dt.date(2026, month, 1), "amount": 30.0} | changes


def usage(who="c1", month=6, **changes):
    row = {"customer_id": who, "month": dt.date(2026, month, 1), "voice_minutes": 10.0}
    return row | {"data_mb": 100.0, "active_days": 12} | changes


def complaint(key, **changes):
    row = {
        "complaint_id": key,
        "customer_id": "c1",
        "opened_at": dt.datetime(2026, 5, 3, 10),
        "closed_at": dt.datetime(2026, 5, 4, 10),
        "category": "network",
    }
    return row | changes


def contact(key, **changes):
    row = {"contact_id": key, "customer_id": "c1", "started_at": dt.datetime(2026, 5, 3, 10)}
    return row | {"channel": "hotline"} | changes


def survey(key, **changes):
    row = {
        "survey_id": key,
        "customer_id": "c1",
        "sent_at": dt.datetime(2026, 5, 3, 10),
        "answered_at": dt.datetime(2026, 5, 3, 11),
        "score": 7.0,
        "scale_min": 1.0,
        "scale_max": 10.0,
    }
    return row | changes


def offer(key, **changes):
    row = {"offer_id": key, "customer_id": "c1", "offered_at": dt.datetime(2026, 5, 3, 10)}
    return row | {"offer": "rebate", "arm": "treatment"} | changes


ROWS = {
    "customers": customer,
    "complaints": complaint,
    "contacts": contact,
    "surveys": survey,
    "offers": offer,
}


@pytest.fixture(scope="session")
def write():
    """Write tables given as lists of rows; returns the folder."""
    return _write


@pytest.fixture
def good():
    """The rows of an operator without a breach, fresh for each test to change."""
    return _good()


@pytest.fixture(scope="session")
def rows():
    """One good row of a table, with changes: ``rows.bill("c1", 6, amount=3.0)``."""
    return Rows


class Rows:
    good = staticmethod(_good)
    customer = staticmethod(customer)
    bill = staticmethod(bill)
    usage = staticmethod(usage)
    complaint = staticmethod(complaint)
    contact = staticmethod(contact)
    survey = staticmethod(survey)
    offer = staticmethod(offer)


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "operator"
