"""Small operators for the builders: written by hand, or generated with every nasty case."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from churnml.base.dates import months_before
from churnml.config.settings import Config
from churnml.features import build_features
from churnml.features.view import look
from churnml.tables import asof
from churnml.tables.contract import KNOWN_AT, TABLES

Rows = Mapping[str, list[dict[str, Any]]]

_TYPES = {
    "text": pa.string(),
    "date": pa.date32(),
    "month": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
}
_REQUIRED: dict[str, dict[str, Any]] = {
    "customers": {
        "customer_id": "c",
        "activated_on": date(2020, 1, 1),
        "terminated_on": None,
        "payment": "postpaid",
    },
    "groups": {"sector": "retail", "handsets": 20},
    "bills": {"customer_id": "c", "amount": 50.0},
    "usage": {"customer_id": "c", "voice_minutes": 0.0, "data_mb": 0.0, "active_days": 1},
    "complaints": {"customer_id": "c", "closed_at": None, "category": "network"},
    "contacts": {"customer_id": "c", "channel": "hotline"},
    "ties": {"customer_id": "c", "calls": 1, "minutes": 1.0},
    "surveys": {"customer_id": "c", "answered_at": None, "score": None}
    | {"scale_min": 1.0, "scale_max": 10.0},
}
_ID = {"complaints": "complaint_id", "contacts": "contact_id", "surveys": "survey_id"}


def typed(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows of one table with the contract's types; the columns are those that rows name."""
    spec = TABLES[name]
    columns = {column.name: _TYPES[column.kind] for column in (*spec.columns, KNOWN_AT)}
    named = {key for row in rows for key in row} | set(_REQUIRED[name]) | set(spec.required)
    assert named <= set(columns), named - set(columns)
    filled = [
        _REQUIRED[name] | ({_ID[name]: f"{name}-{place:03d}"} if name in _ID else {}) | row
        for place, row in enumerate(rows)
    ]
    schema = pa.schema([(key, kind) for key, kind in columns.items() if key in named])
    return pa.Table.from_pylist(filled, schema=schema)


def opened(frames: Mapping[str, pa.Table]) -> dict[str, ibis.Table]:
    """Lazy tables with a filled ``known_at``, as a source has them."""
    lazy = {name: ibis.memtable(frame) for name, frame in frames.items()}
    return {
        name: table.mutate(known_at=asof.known_at(table, TABLES[name]))
        for name, table in lazy.items()
    }


CROWD = [f"crowd-{place}" for place in range(9)]


@pytest.fixture
def describe() -> Callable[..., dict[str, dict[str, Any]]]:
    """The features of hand-written rows, by customer.

    ``describe(bills=[{...}], as_of="2026-06-01")``: what a row leaves out has a harmless
    value; a column that no row of a table names is absent, as is a table that is not
    given. There is always a customer ``c``, and a crowd billed and active in May 2026,
    so that this is the latest month.
    """

    def answer(as_of="2026-06-01", config=None, customers=({},), bills=(), **rows):
        crowd = [{"customer_id": name} for name in CROWD]
        may = [one | {"month": date(2026, 5, 1)} for one in crowd]
        rows |= {"customers": [*customers, *crowd], "bills": [*bills, *may]}
        for table in ("usage", "ties"):
            calls = {"peer_id": "rival"} if table == "ties" else {}
            if table in rows:
                rows[table] = [*rows[table], *(one | calls for one in may)]
        frames = {name: typed(name, given) for name, given in rows.items()}
        found = build_features(opened(frames), as_of, config=config).to_pyarrow()
        return {row["customer_id"]: row for row in found.to_pylist()}

    return answer


def months_back(count: int, *, last: str = "2026-05-01") -> list[date]:
    """The first days of so many months, the latest first."""
    return [months_before(date.fromisoformat(last), ago) for ago in range(count)]


AS_OF = (date(2026, 5, 15), date(2026, 6, 1))


def _moments(rng: np.random.Generator, size: int) -> list[datetime]:
    """Moments of two years, every third of them on the edge of some window."""
    edges = [
        datetime.combine(day, datetime.min.time()) - timedelta(days=days) + timedelta(seconds=nudge)
        for day in AS_OF
        for days in (0, 30, 90, 180, 210)
        for nudge in (-1, 0, 1)
    ]
    start = datetime(2024, 9, 1)
    return [
        edges[rng.integers(len(edges))]
        if rng.random() < 0.33
        else start + timedelta(seconds=int(rng.integers(690 * 86_400)))
        for _ in range(size)
    ]


def _maybe(rng: np.random.Generator, share: float, value: Any) -> Any:
    return value if rng.random() < share else None


def _known(rng: np.random.Generator, moment: datetime) -> datetime | None:
    """Mostly at once, sometimes much later, sometimes not said."""
    lag = rng.choice([0, 0, 0, 3_600, 86_400, 40 * 86_400])
    return _maybe(rng, 0.6, moment + timedelta(seconds=int(lag)))


def _customers(rng: np.random.Generator, number: int) -> list[dict[str, Any]]:
    edges = [
        *AS_OF,
        *(day - timedelta(days=1) for day in AS_OF),
        *(day + timedelta(days=1) for day in AS_OF),
    ]
    rows = []
    for place in range(number):
        start = date(2023, 1, 1) + timedelta(days=int(rng.integers(1100)))
        began = edges[rng.integers(6)] if rng.random() < 0.1 else start
        end = edges[rng.integers(6)] if rng.random() < 0.2 else None
        for version in range(rng.integers(1, 4)):
            since = began if version == 0 else began + timedelta(days=int(rng.integers(1, 400)))
            since = edges[rng.integers(6)] if version and rng.random() < 0.3 else since
            rows.append(
                {
                    "customer_id": f"C{place:03d}",
                    "activated_on": began,
                    "terminated_on": end if end is not None and end > began else None,
                    "payment": str(rng.choice(["prepaid", "postpaid"])),
                    "valid_from": since,
                    "brand": _maybe(rng, 0.9, str(rng.choice(["gotone", "mzone"]))),
                    "group_id": _maybe(rng, 0.5, f"G{rng.integers(12)}"),
                    "birth_year": _maybe(rng, 0.8, int(rng.integers(1940, 2008))),
                    "region": _maybe(rng, 0.9, str(rng.choice(["北", "南"]))),
                    "hall_id": _maybe(rng, 0.9, f"H{rng.integers(3)}"),
                    "contract_ends_on": _maybe(
                        rng, 0.5, date(2026, 1, 1) + timedelta(days=int(rng.integers(400)))
                    ),
                    # Two versions of one day and one moment would be one row twice.
                    "known_at": datetime.combine(since, datetime.min.time())
                    + timedelta(days=int(rng.choice([0, 0, 0, 1, 45])), seconds=version),
                }
            )
    return rows


def _groups(rng: np.random.Generator) -> list[dict[str, Any]]:
    sectors = ["government", "bank", "insurance", "retail", "it", None]
    sizes = [0, 10, 11, 99, 100, 499, 500, 2000]
    rows = []
    for place in range(14):
        for version in range(rng.integers(1, 4)):
            since = date(2024, 1, 1) + timedelta(days=300 * version + int(rng.integers(250)))
            rows.append(
                {
                    "group_id": f"G{place}",
                    "sector": sectors[rng.integers(6)] if place % 2 else "retail",
                    "handsets": sizes[rng.integers(8)] if place % 3 else 20,
                    "top_taxpayer": _maybe(rng, 0.5, bool(rng.random() < 0.2)),
                    "registered_on": _maybe(
                        rng, 0.7, date(2023, 1, 1) + timedelta(days=90 * place)
                    ),
                    "valid_from": since,
                    "known_at": _maybe(
                        rng, 0.6, datetime.combine(since, datetime.min.time()) + timedelta(days=9)
                    ),
                }
            )
    return rows


def _bills(rng: np.random.Generator, ids: list[str]) -> list[dict[str, Any]]:
    rows = []
    amounts = [0.0, 665.99, 666.0, 1500.0, 2999.99, 3000.0]
    for customer in ids:
        level = float(rng.choice([20, 90, 700, 1600, 3200]))
        for month in months_back(rng.integers(0, 26), last="2026-06-01"):
            if rng.random() < 0.1:
                continue
            amount = (
                amounts[rng.integers(6)]
                if rng.random() < 0.2
                else round(level * rng.uniform(0.5, 1.5), 2)
            )
            issued = months_before(month, -1) + timedelta(days=int(rng.choice([0, 2, 2, 2, 20])))
            rows.append(
                {
                    "customer_id": customer,
                    "month": month,
                    "amount": amount,
                    "voice": _maybe(rng, 0.9, round(amount * 0.4, 2)),
                    "data": _maybe(rng, 0.7, round(amount * 0.3, 2)),
                    "value_added": _maybe(
                        rng, 0.8, 0.0 if rng.random() < 0.3 else round(amount / 9, 2)
                    ),
                    "issued_on": _maybe(rng, 0.9, issued),
                    "paid_on": _maybe(rng, 0.85, issued + timedelta(days=int(rng.integers(60)))),
                    "known_at": _maybe(
                        rng, 0.3, datetime.combine(issued, datetime.min.time()) + timedelta(hours=7)
                    ),
                }
            )
    return rows


def _usage(rng: np.random.Generator, ids: list[str]) -> list[dict[str, Any]]:
    rows = []
    for customer in ids:
        silent = rng.random() < 0.2
        for month in months_back(rng.integers(0, 20), last="2026-06-01"):
            if rng.random() < 0.1:
                continue
            minutes = 0.0 if silent or rng.random() < 0.1 else round(rng.uniform(0, 900), 1)
            rows.append(
                {
                    "customer_id": customer,
                    "month": month,
                    "voice_minutes": minutes,
                    "data_mb": 0.0 if silent else round(rng.uniform(0, 9000), 3),
                    "active_days": 0 if silent or rng.random() < 0.1 else int(rng.integers(1, 29)),
                    "offnet_minutes": _maybe(rng, 0.8, round(minutes * rng.random(), 1)),
                    "dropped_calls": _maybe(rng, 0.8, int(rng.integers(0, 5))),
                    "data_speed_mbps": _maybe(rng, 0.8, round(rng.uniform(0, 60), 2)),
                    "known_at": _known(
                        rng, datetime.combine(months_before(month, -1), datetime.min.time())
                    ),
                }
            )
    return rows


def _complaints(rng: np.random.Generator, ids: list[str]) -> list[dict[str, Any]]:
    rows = []
    for place, opened_at in enumerate(_moments(rng, 400)):
        # Some in the same second, some of them repeats.
        opened_at = rows[-1]["opened_at"] if rows and rng.random() < 0.1 else opened_at
        closed = opened_at + timedelta(seconds=int(rng.integers(0, 90 * 86_400)))
        rows.append(
            {
                "complaint_id": f"K{place:04d}",
                "customer_id": str(rng.choice(ids[: len(ids) // 2])),
                "opened_at": opened_at,
                "closed_at": _maybe(rng, 0.7, closed),
                "category": str(rng.choice([*TABLES["complaints"].column("category").codes])),
                "severity": _maybe(rng, 0.7, int(rng.integers(1, 4))),
                "reopened_at": _maybe(rng, 0.3, closed + timedelta(days=int(rng.integers(-9, 40)))),
                "known_at": _known(rng, opened_at),
            }
        )
    return rows


def _contacts(rng: np.random.Generator, ids: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "contact_id": f"X{place:04d}",
            "customer_id": str(rng.choice(ids)),
            "started_at": started_at,
            "channel": str(rng.choice(["hall", "hotline", "app", "terminal"])),
            "wait_seconds": _maybe(rng, 0.7, float(rng.choice([0, 1.5, 599.5, 600, 600.5, 3000]))),
            "answered": _maybe(rng, 0.8, bool(rng.random() < 0.8)),
            "self_service": _maybe(rng, 0.8, bool(rng.random() < 0.4)),
            "resolved": _maybe(rng, 0.8, bool(rng.random() < 0.7)),
            "known_at": _known(rng, started_at),
        }
        for place, started_at in enumerate(_moments(rng, 600))
    ]


def _surveys(rng: np.random.Generator, ids: list[str]) -> list[dict[str, Any]]:
    rows = []
    for place, sent_at in enumerate(_moments(rng, 200)):
        high = float(rng.choice([5, 10, 1]))
        answered = sent_at + timedelta(seconds=int(rng.choice([60, 86_400, 30 * 86_400])))
        answered = (
            rows[-1]["answered_at"] if rows and rng.random() < 0.1 else _maybe(rng, 0.6, answered)
        )
        rows.append(
            {
                "survey_id": f"S{place:04d}",
                "customer_id": rows[-1]["customer_id"]
                if rng.random() < 0.1 and rows
                else str(rng.choice(ids)),
                "sent_at": sent_at,
                "answered_at": answered,
                "score": _maybe(rng, 0.9, float(rng.integers(1, int(high) + 1)))
                if answered
                else None,
                "scale_min": 1.0,
                "scale_max": high,
                "known_at": _known(rng, sent_at),
            }
        )
    return rows


def _ties(rng: np.random.Generator, ids: list[str]) -> list[dict[str, Any]]:
    """Circles that overlap, peers of rivals, and months without calls."""
    rows = []
    for place, customer in enumerate(ids):
        near = [ids[(place + step) % len(ids)] for step in (1, 2, 3, 5, 8, -1, -2, -3)]
        peers = [peer for peer in near if rng.random() < 0.7]
        peers += [f"R{number}" for number in rng.choice(40, rng.integers(0, 4), replace=False)]
        for peer in peers if rng.random() < 0.9 else []:
            for month in months_back(rng.integers(1, 14), last="2026-06-01"):
                if rng.random() < 0.25:
                    continue
                minutes = float(rng.choice([0.0, 1.0, 2.5, round(rng.uniform(0, 90), 1)]))
                rows.append(
                    {
                        "customer_id": customer,
                        "peer_id": peer,
                        "month": month,
                        "calls": int(rng.choice([0, 1, 1, 2, 9])),
                        "minutes": minutes,
                        "outgoing_share": _maybe(rng, 0.8, round(rng.random(), 2)),
                        "known_at": _known(
                            rng, datetime.combine(months_before(month, -1), datetime.min.time())
                        ),
                    }
                )
    return rows


def nasty(seed: int, customers: int = 60) -> dict[str, pa.Table]:
    """An operator with every case that the features tell apart, on the edges of their windows."""
    rng = np.random.default_rng(seed)
    ids = [f"C{place:03d}" for place in range(customers)]
    rows = {
        "customers": _customers(rng, customers),
        "groups": _groups(rng),
        "bills": _bills(rng, ids),
        "usage": _usage(rng, ids),
        "complaints": _complaints(rng, ids),
        "contacts": _contacts(rng, ids),
        "surveys": _surveys(rng, ids),
        "ties": _ties(rng, ids),
    }
    return {name: typed(name, given) for name, given in rows.items()}


@pytest.fixture(scope="session")
def operator() -> dict[str, pa.Table]:
    """One nasty operator of 60 customers."""
    return nasty(0)


@pytest.fixture(scope="session")
def lazily() -> Callable[[Mapping[str, pa.Table]], dict[str, ibis.Table]]:
    """Frames as a source has them; see `opened`."""
    return opened


@pytest.fixture(scope="session")
def oracle() -> Callable[[Mapping[str, pa.Table], tuple[date, ...]], pd.DataFrame]:
    """The same features of a nasty operator, answered by plain SQL."""
    query = (Path(__file__).parents[1] / "oracle" / "features.sql").read_text()

    def answer(frames, as_of):
        with duckdb.connect() as con:
            for name, frame in frames.items():
                con.register(name, frame)
            con.execute("CREATE TABLE moments AS SELECT unnest(?)::DATE AS as_of", [list(as_of)])
            return con.execute(query).df()

    return answer


@pytest.fixture(scope="session")
def generate() -> Callable[..., dict[str, pa.Table]]:
    """Nasty operators by seed."""
    return nasty


@pytest.fixture(scope="session")
def answers() -> Callable[..., dict[str, list[str]]]:
    """The features as plain columns, in which equal means equal to the byte.

    The query depends on the data by the latest months alone, so that it is compiled once
    for each of them.
    """
    con = ibis.duckdb.connect(threads=1)
    compiled = {}

    def answer(frames, as_of):
        for name, frame in frames.items():
            con.con.register("incoming", frame)
            con.raw_sql(f"CREATE OR REPLACE TABLE {name} AS FROM incoming")
        tables = {
            name: con.table(name).mutate(known_at=asof.known_at(con.table(name), TABLES[name]))
            for name in frames
        }
        latest = look(tables, as_of, Config()).latest
        key = repr((as_of, latest))
        if key not in compiled:
            table = build_features(tables, as_of)
            # The table keeps alive the small ones that its query reads.
            compiled[key] = (con.compile(table), table.to_pyarrow() and table)
        columns = con.con.sql(compiled[key][0]).to_arrow_table().to_pydict()
        return {name: list(map(repr, values)) for name, values in columns.items()}

    return answer
