"""Monthly bills, unexpected charges, and how long customers take to pay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from churnml.tables.simulator.encoded_columns import DAY, NEVER, Bools, ColumnData, Floats, Ints
from churnml.tables.simulator.moments import arrival
from churnml.tables.simulator.scene import Scene
from churnml.tables.simulator.usage import Usage

# The tail of a lognormal with this spread holds 1 % above 3000 yuan, 5 % above 1500 and
# 20 % above 666: the shares of the diamond, gold and silver cards.
_MIDDLE, _SPREAD = float(np.log(247.0)), 0.955

_SHOCK_A_MONTH = 0.024
_ISSUED_AFTER = 2
"""Days from the end of a month to its bills: they are issued on the 3rd."""
ROAMING, DATA, VALUE_ADDED = range(3)


@dataclass(frozen=True)
class Shocks:
    """Who gets an unexpected charge this month; arrays of shape (n,).

    Attributes
    ----------
    kind : array of int
        `ROAMING`, `DATA`, `VALUE_ADDED`, or -1 for none.
    size : array
        The charge, in usual bills.
    travels : array of bool
        Who was abroad, most of them without a shock.
    """

    kind: Ints
    size: Floats
    travels: Bools


@dataclass(frozen=True, kw_only=True)
class Bills:
    """One month's charges to the customers of one block, in fen; arrays of shape (n,)."""

    voice: Ints
    data: Ints
    sms: Ints
    value_added: Ints

    @property
    def amount(self) -> Ints:
        """The sum of the parts."""
        return self.voice + self.data + self.sms + self.value_added


def draw_shocks(scene: Scene) -> Shocks:
    """Draw the month's unexpected charges."""
    rng, count = scene.rng("shocks"), scene.count
    struck = rng.random(count) < _SHOCK_A_MONTH
    kind = np.where(struck, rng.choice(3, count, p=[0.35, 0.35, 0.30]), -1)
    size = np.where(struck, np.exp(rng.normal(-0.1, 0.6, count)), 0.0)
    abroad = rng.random(count) < np.minimum(0.02 * np.exp(0.6 * scene.people.value), 0.3)
    return Shocks(kind, size, abroad | (kind == ROAMING))


def resentment(scene: Scene, shocks: Shocks) -> Floats:
    """How much a bill annoys each customer: the unexpected charge times the price sensitivity."""
    minds = 1.8 * np.exp(0.45 * scene.people.thrift)
    return np.log1p(shocks.size) * minds * ~scene.state.silent


def month_bills(scene: Scene, usage: Usage, shocks: Shocks) -> Bills:
    """Draw a month's charges: a fee, what was used, and what came unexpectedly."""
    rng, people, month = scene.rng("bills"), scene.people, scene.month
    there = scene.days / (scene.stop - scene.start)
    usual = np.exp(_MIDDLE + _SPREAD * people.value) * 0.998**month
    fee = np.where(people.prepaid, np.where(people.keeps_fee, 0.25, 0.0), 0.45)
    drawn = usage.level * np.exp(rng.normal(0.0, 0.08, scene.count))
    total = usual * (fee * there + (1.0 - fee) * drawn)
    extra = usual * shocks.size * there * ~scene.state.silent
    data = 0.42 + 0.10 * people.surf - 0.004 * (people.age - 40) + 0.003 * month
    data = np.clip(data, 0.05, 0.80)
    added = np.clip(0.06 + 0.04 * people.engagement, 0.0, 0.2) * (1 - data)
    return Bills(
        voice=_fen(total * (0.95 - data - added) + extra * (shocks.kind == ROAMING)),
        data=_fen(total * data + extra * (shocks.kind == DATA)),
        sms=_fen(total * 0.05),
        value_added=_fen(total * added + extra * (shocks.kind == VALUE_ADDED)),
    )


def _fen(yuan: Floats) -> Ints:
    return np.rint(np.clip(yuan, 0.0, 1e5) * 100).astype(np.int64)


def bill_rows(scene: Scene, bills: Bills, rows: Ints) -> dict[str, ColumnData]:
    """The month's rows of the table ``bills``, for the customers given."""
    rng, count = scene.rng("bills"), len(rows)
    held_up = np.where(rng.random(count) < 0.03, rng.integers(1, 7, count), 0)
    issued = scene.stop + _ISSUED_AFTER + held_up
    amount = bills.amount[rows]
    return {
        "customer_id": rows,
        "month": np.full(count, scene.start),
        "amount": amount / 100,
        "voice": bills.voice[rows] / 100,
        "data": bills.data[rows] / 100,
        "sms": bills.sms[rows] / 100,
        "value_added": bills.value_added[rows] / 100,
        "issued_on": issued,
        "paid_on": np.where(amount > 0, issued + _days_to_pay(scene, rows), issued),
        "known_at": arrival(rng, (issued + 1) * DAY, (0.5, 6), 0.02, (2, 15)),
    }


def _days_to_pay(scene: Scene, rows: Ints) -> Ints:
    """Days until each bill is paid: none for prepaid customers, a random number for the others."""
    rng, people, count = scene.rng("bills"), scene.people, len(rows)
    strain = 0.55 * people.arrears[rows] + 0.55 * scene.state.stress[rows]
    days = np.exp(1.75 + 0.6 * strain + rng.normal(0.0, 0.35, count))
    forgotten = rng.random(count) < 0.012 * np.exp(0.8 * strain)
    days = np.where(forgotten, days + rng.uniform(30, 150, count), days)
    days = np.where(rng.random(count) < 0.004, float(NEVER), np.minimum(days, 400.0))
    return np.where(people.prepaid[rows], 0, days.astype(np.int64))
