"""Scores of six customers, written out by hand."""

import hashlib
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churnml.scoring.manifest import Manifest, PartFile, RowCounts
from churnml.scoring.reasons import REASON
from churnml.scoring.shards import part_bytes


def reason(feature, value, contribution, driver):
    return {"feature": feature, "driver": driver, "value": value, "contribution": contribution}


WAITED = reason("service_wait_mean_90d_seconds", "1500", 0.4, "service_window")
SPEND = reason("arpu_mean_3m_yuan", "128.4", -0.3, "value")
SCORE = reason("service_survey_last_score_points", "40", 0.2, "service_window")
ASKED = reason("service_survey_last_days", "63", 0.1, "service_window")
SLOW = reason("usage_speed_mean_3m_mbps", "3.5", 0.6, "network")
NEVER = reason("complaints_last_days", None, -0.1, "service_window")
BRAND = reason("lifecycle_brand", "red", -0.2, "lifecycle")
UNHAPPY = reason("service_unresolved_90d_share", "0.5", -6.0, "service_window")

# id, probability, percentile, band, satisfaction, tier, group tier, ARPU, reasons.
ROWS = [
    ("0007", 0.10, 60.0, "medium", 80.0, "standard", None, 50.0, [SPEND, NEVER]),
    ("0008", 0.60, 99.0, "critical", 55.0, "silver", "A", 700.0, [SLOW, WAITED, SPEND]),
    ("0009", 0.02, 10.0, "low", 90.0, "standard", None, None, [SPEND, BRAND]),
    ("=1+1", 0.30, 90.0, "high", 60.0, "gold", "A", 1600.0, [SCORE, ASKED, SPEND]),
    ("0011", 0.60, 99.0, "critical", 50.0, "standard", "B", 20.0, [WAITED]),
    ("0012", 0.01, 5.0, "low", 95.0, "diamond", None, 3100.5, []),
]
_TYPES = {
    "customer_id": pa.string(),
    "as_of": pa.date32(),
    "churn_probability": pa.float64(),
    "churn_percentile": pa.float64(),
    "risk_band": pa.string(),
    "satisfaction": pa.float64(),
    "satisfaction_low": pa.float64(),
    "satisfaction_high": pa.float64(),
    "dissatisfied_probability": pa.float64(),
    "individual_tier": pa.string(),
    "group_tier": pa.string(),
    "arpu": pa.float64(),
    "reasons": pa.list_(REASON),
    "satisfaction_reasons": pa.list_(REASON),
    "churn_model": pa.string(),
    "satisfaction_model": pa.string(),
}


def write_scores(folder: Path, source: str = "op", *, names=tuple(_TYPES)) -> Path:
    """A result with its manifest, in two parts."""
    folder.mkdir()
    day = date(2026, 6, 1)
    rows = [
        dict(
            zip(
                _TYPES,
                (id, day, p, rank, band, s, s - 20, min(s + 20, 100), 0.1, tier, group, arpu,
                 reasons, [UNHAPPY], "churn/1", "satisfaction/1"),
                strict=True,
            )
        )
        for id, p, rank, band, s, tier, group, arpu, reasons in ROWS
    ]  # fmt: skip
    schema = pa.schema([(name, kind) for name, kind in _TYPES.items() if name in names])
    parts = []
    for at, some in enumerate((rows[:4], rows[4:])):
        kept = [{name: row[name] for name in schema.names} for row in some]
        data = part_bytes(pa.Table.from_pylist(kept, schema=schema))
        name = f"part-{at:05d}.parquet"
        (folder / name).write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        parts.append(PartFile(name=name, rows=len(some), bytes=len(data), sha256=digest))
    tasks = [task for task in ("churn", "satisfaction") if f"{task}_model" in names]
    manifest = Manifest(
        source=source,
        as_of="2026-06-01",
        config="c",
        models={task: {"version": f"{task}/1", "uri": "", "digest": ""} for task in tasks},
        rows=RowCounts(total=6, scored=6, quarantined=0, ineligible=0),
        quarantined=[],
        unseen={},
        ignored=[],
        warnings=[],
        gates=[],
        parts=parts,
        churnml="0.1.0",
        started_at="",
        ended_at="",
        kind="operator",
    )
    (folder / "_manifest.json").write_bytes(manifest.to_bytes())
    return folder


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """A folder of scores of six customers."""
    return write_scores(tmp_path / "scores")


@pytest.fixture
def operator(tmp_path: Path) -> Path:
    """The tables that those scores are of: three of the customers are in two accounts."""
    place = tmp_path / "op"
    place.mkdir()
    ids = [row[0] for row in ROWS]
    customers = pd.DataFrame(
        {
            "customer_id": ids,
            "activated_on": date(2020, 1, 1),
            "terminated_on": pd.Series([None] * len(ids), dtype="object"),
            "payment": "postpaid",
            "group_id": [None, "g1", None, "g1", "g2", None],
        }
    )
    fields = pa.schema(
        [
            ("customer_id", pa.string()),
            ("activated_on", pa.date32()),
            ("terminated_on", pa.date32()),
            ("payment", pa.string()),
            ("group_id", pa.string()),
        ]
    )
    pq.write_table(pa.Table.from_pandas(customers, fields), place / "customers.parquet")
    pd.DataFrame(
        {"group_id": ["g1", "g2"], "sector": ["bank", "school"], "handsets": [600, 40]}
    ).to_parquet(place / "groups.parquet")
    bills = pd.DataFrame(
        {
            "customer_id": ids,
            "month": date(2026, 4, 1),
            "amount": 50.0,
            "issued_on": date(2026, 5, 3),
        }
    )
    bills.to_parquet(place / "bills.parquet")
    return place
