"""Known answers of the tie features, on ties written by hand."""

from datetime import date, datetime

import pytest

MAY, APRIL, FEBRUARY, JANUARY = (date(2026, month, 1) for month in (5, 4, 2, 1))


def tie(peer, month=MAY, **changes):
    return {"peer_id": peer, "month": month, "calls": 2, "minutes": 10.0} | changes


def one(describe, *ties, **beside):
    return describe(ties=ties, **beside)["c"]


def person(name, **changes):
    return {"customer_id": name} | changes


def test_peers_and_strength(describe):
    ties = (tie("a"), tie("a", APRIL, minutes=30.0), tie("b", calls=6), tie("z", FEBRUARY))
    found = one(describe, *ties, tie("idle", calls=0), tie("old", date(2025, 10, 1)))
    assert found["ties_peers_3m_count"] == 2
    assert found["ties_minutes_mean_3m_minutes"] == pytest.approx(50 / 3)
    assert found["ties_calls_mean_3m_calls"] == pytest.approx(10 / 3)
    assert found["ties_strongest_3m_share"] == 0.8
    # Three months with a peer among the last 3, one among the 3 before.
    assert found["ties_peers_change_3m_ratio"] == 3.0


def test_without_calls_there_are_no_peers_but_no_share_either(describe):
    found = one(describe)
    assert (found["ties_peers_3m_count"], found["ties_left_6m_count"]) == (0, 0)
    assert found["ties_offnet_3m_share"] is None
    assert found["ties_left_last_6m_days"] is None


def test_whom_the_operator_does_not_know_is_off_net(describe):
    ties = (tie("a", minutes=30.0), tie("rival"), tie("later"))
    joins = person("later", activated_on=date(2026, 6, 1))
    found = one(describe, *ties, customers=({}, person("a"), joins))
    assert found["ties_offnet_3m_share"] == 0.4
    assert found["ties_offnet_peers_3m_share"] == pytest.approx(2 / 3)


def test_peers_who_left_and_when(describe):
    left = person("a", terminated_on=date(2026, 5, 20)), person("b", terminated_on=date(2026, 3, 2))
    ties = (tie("a", minutes=5.0), tie("b", JANUARY, minutes=15.0), tie("d"), tie("rival"))
    found = one(describe, *ties, customers=({}, *left, person("d")))
    assert found["ties_left_6m_count"] == 2
    assert found["ties_left_6m_share"] == 0.5
    assert found["ties_left_last_6m_days"] == 12
    # Those who left are no rivals' customers.
    assert found["ties_offnet_peers_3m_share"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("ended", "known", "count"),
    [
        (date(2026, 5, 31), datetime(2026, 6, 1), 1),
        (date(2026, 5, 31), datetime(2026, 6, 1, 0, 0, 1), 0),
        (date(2026, 6, 1), datetime(2026, 5, 1), 0),
    ],
)
def test_that_a_peer_left_counts_once_it_has_happened_and_is_known(describe, ended, known, count):
    since = {"valid_from": date(2020, 1, 1), "known_at": datetime(2020, 1, 1)}
    news = {"valid_from": date(2026, 5, 1), "known_at": known, "terminated_on": ended}
    found = one(describe, tie("a"), customers=(since, person("a", **since), person("a", **news)))
    assert found["ties_left_6m_count"] == count


def test_a_tie_that_is_not_known_yet_does_not_count(describe):
    late = tie("a", known_at=datetime(2026, 6, 1, 0, 0, 1))
    assert one(describe, late, tie("b"))["ties_peers_3m_count"] == 1


def test_ties_with_holders_of_gold_and_diamond_cards(describe):
    people = person("gold"), person("plain"), person("gone", terminated_on=date(2026, 5, 20))
    bills = [
        {"customer_id": name, "month": MAY, "amount": amount}
        for name, amount in {"gold": 1500.0, "plain": 1499.99, "gone": 4000.0}.items()
    ]
    ties = (tie("gold", minutes=30.0), tie("plain"), tie("gone"), tie("rival", minutes=0.0))
    found = one(describe, *ties, customers=({}, *people), bills=bills)
    assert found["ties_vip_3m_count"] == 2
    assert found["ties_vip_3m_share"] == 0.8
    assert found["ties_vip_left_6m_count"] == 1


def test_a_circle_is_embedded_as_far_as_its_members_call_one_another(describe):
    friends = [person(name) for name in "abd"]
    ties = [tie(peer) for peer in ("a", "b", "d", "rival")]
    ties += [tie("b", customer_id="a"), tie("a", customer_id="b"), tie("c", customer_id="d")]
    found = one(describe, *ties, customers=({}, *friends))
    assert found["ties_embedded_1m_share"] == pytest.approx(2 / 6)


def test_only_the_strongest_ties_make_the_circle(describe):
    friends = [person(f"f{place}") for place in range(6)]
    ties = [tie(f"f{place}", minutes=100.0 - place) for place in range(6)]
    between = [tie("f5", customer_id="f0"), tie("f1", customer_id="f0")]
    found = one(describe, *ties, *between, customers=({}, *friends))
    assert found["ties_embedded_1m_share"] == pytest.approx(1 / 20)


def test_what_the_customer_called(describe):
    ties = (tie("a", outgoing_share=1.0, minutes=30.0), tie("b", outgoing_share=0.5), tie("d"))
    assert one(describe, *ties)["ties_outgoing_3m_share"] == 0.875
