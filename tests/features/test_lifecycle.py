"""Lifecycle: what is told from the customer's own record."""

from datetime import date

VERSIONED = {"valid_from": date(2020, 1, 1)}


def test_age_tenure_contract_and_month(describe):
    rows = describe(
        customers=[
            VERSIONED
            | {
                "activated_on": date(2026, 5, 31),
                "brand": "gotone",
                "birth_year": 1976,
                "contract_ends_on": date(2026, 6, 30),
            },
            VERSIONED
            | {"customer_id": "d", "payment": "prepaid", "contract_ends_on": date(2026, 5, 1)},
        ]
    )
    found = {name: value for name, value in rows["c"].items() if name.startswith("lifecycle")}
    assert found == {
        "lifecycle_tenure_days": 1,
        "lifecycle_brand": "gotone",
        "lifecycle_payment": "postpaid",
        "lifecycle_age_years": 50,
        "lifecycle_contract_end_days": 29,
        "lifecycle_as_of_month": 6,
    }
    assert rows["d"]["lifecycle_brand"] is None
    assert rows["d"]["lifecycle_age_years"] is None
    assert rows["d"]["lifecycle_contract_end_days"] == -31
    assert rows["d"]["lifecycle_tenure_days"] == 2343


def test_the_version_in_force_counts_not_today_s(describe):
    versions = [
        {"valid_from": date(2020, 1, 1), "brand": "mzone"},
        {"valid_from": date(2026, 5, 31), "brand": "gotone"},
        {"valid_from": date(2026, 6, 1), "brand": "senior"},
    ]
    assert describe(customers=versions)["c"]["lifecycle_brand"] == "gotone"
    assert describe(customers=versions, as_of="2026-05-31")["c"]["lifecycle_brand"] == "mzone"


def test_without_versions_the_contract_end_is_left_out(describe):
    rows = describe(customers=[{"contract_ends_on": date(2026, 7, 1), "brand": "gotone"}])
    assert "lifecycle_contract_end_days" not in rows["c"]
    assert rows["c"]["lifecycle_brand"] == "gotone"
