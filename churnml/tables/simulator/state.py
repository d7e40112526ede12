"""Customers' state, which changes from month to month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from churnml.tables.simulator.encoded_columns import NEVER, Bools, Floats, Ints
from churnml.tables.simulator.months import SETTLE
from churnml.tables.simulator.people import People

CATEGORIES = ("network", "tariff", "business_support", "service_window", "other")

AWAY_KEPT, AWAY_NOISE = 0.88, 0.30
STRESS_KEPT, STRESS_NOISE = 0.80, 0.45
"""Persistence and monthly noise of two hidden traits."""


@dataclass(kw_only=True)
class CustomerState:
    """The customers of one block at the end of a month; arrays of shape (n,) unless said.

    Attributes
    ----------
    brand, hall, group, contract_end : array of int
        As in `People`, but now.
    silent : array of bool
        Prepaid, and not one active day this month.
    silent_months : array of int
        Consecutive ones.
    away : array
        How far the customer has turned away; hidden, shows in falling use.
    stress : array
        Trouble with money; hidden, shows in late payments.
    network, tariff, service, grievance : array
        What remains of the discontent with incidents, bill shocks, waits, and complaints.
    open_since, open_until : array of int, shape (n, categories)
        When the oldest open complaint of a category was made, and when it will be settled;
        seconds since 1970-01-01, `NEVER` and 0 where none is open.
    offered : array of int
        Month of the last retention offer, far in the past where there was none.
    treated : array of bool
        Whether that was the treatment.
    offer : array of int
        What was offered.
    tired : array
        Treatments so far, fading.
    lost : array
        Friends who left, by the strength of the tie, fading.
    """

    brand: Ints
    hall: Ints
    group: Ints
    contract_end: Ints
    silent: Bools
    silent_months: Ints
    away: Floats
    stress: Floats
    network: Floats
    tariff: Floats
    service: Floats
    grievance: Floats
    open_since: Ints
    open_until: Ints
    offered: Ints
    treated: Bools
    offer: Ints
    tired: Floats
    lost: Floats


def first_state(rng: np.random.Generator, people: People) -> CustomerState:
    """Draw the initial state, before the burn-in months."""
    count = len(people)
    zero = np.zeros(count)
    return CustomerState(
        brand=people.brand.copy(),
        hall=people.hall.copy(),
        group=people.group.copy(),
        contract_end=people.contract_end.copy(),
        silent=np.zeros(count, dtype=bool),
        silent_months=np.zeros(count, dtype=np.int64),
        away=rng.normal(0.0, AWAY_NOISE / np.sqrt(1 - AWAY_KEPT**2), count),
        stress=rng.normal(0.0, STRESS_NOISE / np.sqrt(1 - STRESS_KEPT**2), count),
        network=zero.copy(),
        tariff=zero.copy(),
        service=zero.copy(),
        grievance=zero.copy(),
        open_since=np.full((count, len(CATEGORIES)), NEVER),
        open_until=np.zeros((count, len(CATEGORIES)), dtype=np.int64),
        offered=np.full(count, -100 - SETTLE),
        treated=np.zeros(count, dtype=bool),
        offer=np.zeros(count, dtype=np.int64),
        tired=zero.copy(),
        lost=zero.copy(),
    )


def open_months(state: CustomerState, second: int) -> Floats:
    """How long a customer's oldest open complaint has been open, in months; 0 for none."""
    is_open = state.open_until > second
    since = np.where(is_open, state.open_since, NEVER).min(axis=1)
    return np.where(since < second, (second - since) / (30.4 * 86_400), 0.0)
