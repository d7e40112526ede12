"""The contract as data holds together."""

import pytest

from churnml.tables.contract import REQUIRED_TABLES, TABLES


def test_the_tables():
    assert list(TABLES) == [
        "customers",
        "groups",
        "bills",
        "usage",
        "complaints",
        "contacts",
        "surveys",
        "offers",
        "opt_outs",
        "ties",
    ]
    assert REQUIRED_TABLES == ("customers", "bills")


@pytest.mark.parametrize("spec", TABLES.values(), ids=lambda spec: spec.name)
def test_a_spec_names_only_its_own_columns(spec):
    names = [column.name for column in spec.columns]
    assert len(set(names)) == len(names)
    assert {*spec.key, spec.event} <= set(names)
    assert all(spec.column(name).required for name in spec.key)
    for column in spec.columns:
        assert column.meaning
        assert column.happens is None or column.happens in names
        assert column.codes == () or column.kind == "text"
        assert column.low is None or column.high is None or column.low < column.high


@pytest.mark.parametrize(
    ("table", "required"),
    [
        ("customers", ("customer_id", "activated_on", "terminated_on", "payment")),
        ("groups", ("group_id", "sector", "handsets")),
        ("bills", ("customer_id", "month", "amount")),
        ("usage", ("customer_id", "month", "voice_minutes", "data_mb", "active_days")),
        ("complaints", ("complaint_id", "customer_id", "opened_at", "closed_at", "category")),
        ("contacts", ("contact_id", "customer_id", "started_at", "channel")),
        (
            "surveys",
            (
                "survey_id",
                "customer_id",
                "sent_at",
                "answered_at",
                "score",
                "scale_min",
                "scale_max",
            ),
        ),
        ("offers", ("offer_id", "customer_id", "offered_at", "offer", "arm")),
        ("ties", ("customer_id", "peer_id", "month", "calls", "minutes")),
    ],
)
def test_required_columns(table, required):
    assert TABLES[table].required == required


def test_an_unknown_column_is_a_key_error():
    with pytest.raises(KeyError, match="nothing"):
        TABLES["bills"].column("nothing")
