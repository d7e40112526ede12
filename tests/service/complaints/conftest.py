"""A small operator whose complaints are written by hand."""

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

STAMP = pa.timestamp("us")
KINDS = {
    "opened_at": STAMP,
    "closed_at": STAMP,
    "reopened_at": STAMP,
    "known_at": STAMP,
    "severity": pa.int64(),
}


def at(day, hour=9, minute=0):
    return dt.datetime.fromisoformat(day) + dt.timedelta(hours=hour, minutes=minute)


def complaint(number, customer, opened, **changes):
    row = {
        "complaint_id": f"k{number:05d}",
        "customer_id": customer,
        "opened_at": opened,
        "closed_at": opened + dt.timedelta(days=1),
        "category": None,
        "subcategory": None,
        "channel": "hotline",
        "severity": 1,
        "reopened_at": None,
        "text": None,
        "code": None,
        "known_at": opened + dt.timedelta(hours=2),
    }
    return row | changes


def complaints_table(rows):
    names = list(rows[0])
    arrays = {
        name: pa.array([row[name] for row in rows], KINDS.get(name, pa.string())) for name in names
    }
    return pa.table(arrays)


@pytest.fixture(scope="session")
def write():
    """Write an operator of 400 customers in two regions of two halls, and its complaints."""

    def write(folder, rows, **others):
        folder.mkdir(parents=True, exist_ok=True)
        ids = [f"c{at:03d}" for at in range(400)]
        customers = {
            "customer_id": ids,
            "activated_on": [dt.date(2020, 1, 1)] * 400,
            "terminated_on": pa.array([None] * 400, pa.date32()),
            "payment": ["prepaid"] * 400,
            "region": ["north", "south"] * 200,
            "hall_id": ["n1", "s1", "n2", "s2"] * 100,
        }
        months = [dt.date(2026, month, 1) for month in range(1, 6)]
        pq.write_table(pa.table(customers), folder / "customers.parquet")
        bills = {"customer_id": ["c000"] * 5, "month": months, "amount": [1.0] * 5}
        pq.write_table(pa.table(bills), folder / "bills.parquet")
        pq.write_table(complaints_table(rows), folder / "complaints.parquet")
        for name, table in others.items():
            pq.write_table(table, folder / f"{name}.parquet")
        return folder

    return write


@pytest.fixture(scope="session")
def rows():
    """300 complaints of five months: by the operator, by code, by text, and in vain."""
    made = []
    for number in range(300):
        customer = f"c{(7 * number) % 400:03d}"
        opened = at(f"2026-{1 + number % 5:02d}-{1 + number % 27:02d}")
        if number % 3 == 0:
            more = {"category": "network", "subcategory": "weak_signal"}
        elif number % 3 == 1:
            more = {"code": "TAR-092" if number % 2 else "TAR-01X"}
        else:
            more = {"text": f"我叫张伟，电话1381234{number:04d}，没有办法说清楚"}
        made.append(complaint(number, customer, opened, **more))
    return made
