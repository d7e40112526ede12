"""The optional table of who calls whom: what is legal, and what is not."""

import datetime as dt

import pytest

from churnml.config.settings import Config
from churnml.tables.source import open_source
from churnml.tables.validation import validate

ALL = Config.model_validate({"validation": {"set_aside_limit": 1}})
JUNE = dt.date(2026, 6, 1)


def tie(peer="c2", who="c1", **changes):
    row = {"customer_id": who, "peer_id": peer, "month": JUNE, "calls": 3, "minutes": 9.5}
    return row | {"outgoing_share": 0.5} | changes


@pytest.fixture
def check(write, good, folder):
    return lambda *ties: validate(open_source(write(folder, good | {"ties": list(ties)})), ALL)


def left(validation):
    ties = validation.source.tables["ties"].order_by("customer_id", "peer_id", "month")
    return [row["peer_id"] for row in ties.to_pyarrow().to_pylist()]


def test_many_peers_a_month_and_months_without_calls_are_legal(check):
    march = dt.date(2026, 3, 1)
    found = check(
        tie(), tie("rival 7"), tie("c1", "c2"), tie(month=march), tie("c9", calls=0, minutes=0.0)
    )
    assert found.report.breaches == ()
    assert found.source.cleaned == {}


@pytest.mark.parametrize(
    ("changes", "code", "column"),
    [
        ({"calls": -1}, "C04", "calls"),
        ({"calls": None}, "C16", "calls"),
        ({"minutes": -0.5}, "C04", "minutes"),
        ({"minutes": 44_641.0}, "C04", "minutes"),
        ({"peer_id": " "}, "C16", "peer_id"),
        ({"peer_id": "c1"}, "C23", "peer_id"),
        ({"customer_id": "nobody"}, "C07", "customer_id"),
        ({"month": dt.date(2026, 6, 2)}, "C17", "month"),
        ({"month": dt.date(2028, 6, 1)}, "C12", "month"),
    ],
)
def test_what_breaks_the_contract_is_set_aside(check, changes, code, column):
    found = check(tie(), tie("c3") | changes)
    (breach,) = found.report.breaches
    assert (breach.table, breach.code, breach.column) == ("ties", code, column)
    assert (breach.effect, breach.count) == ("aside", 1)
    assert left(found) == ["c2"]


@pytest.mark.parametrize("share", [-0.01, 1.01])
def test_a_share_beyond_its_range_is_made_null(check, share):
    found = check(tie(outgoing_share=0.0), tie("c3", outgoing_share=share))
    (breach,) = found.report.breaches
    assert (breach.code, breach.column, breach.effect) == ("C04", "outgoing_share", "null")
    shares = found.source.tables["ties"].order_by("peer_id").to_pyarrow()["outgoing_share"]
    assert shares.to_pylist() == [0.0, None]


def test_of_two_rows_for_one_peer_and_month_the_first_known_stays(check):
    early, late = dt.datetime(2026, 7, 2), dt.datetime(2026, 7, 5)
    found = check(tie(known_at=late), tie("c3", known_at=late), tie(calls=5, known_at=early))
    (breach,) = found.report.breaches
    assert (breach.code, breach.column) == ("C06", "customer_id, peer_id, month")
    assert left(found) == ["c2", "c3"]
    calls = found.source.tables["ties"].order_by("peer_id").to_pyarrow()["calls"]
    assert calls.to_pylist() == [5, 3]


def test_a_missing_column_refuses_and_an_absent_table_is_said(write, good, folder):
    assert "ties" in validate(open_source(write(folder, good))).report.missing
    bare = {key: value for key, value in tie().items() if key != "minutes"}
    found = validate(open_source(write(folder, good | {"ties": [bare]})), ALL)
    assert [(one.code, one.column) for one in found.report.breaches] == [("C02", "minutes")]
