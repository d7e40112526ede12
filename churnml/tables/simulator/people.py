"""Customers' fixed traits, observed by the operator or hidden from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from churnml.tables.simulator.encoded_columns import Bools, Floats, Ints
from churnml.tables.simulator.months import SETTLE, Months
from churnml.tables.simulator.world import World

BRANDS = ("gotone", "easyown", "mzone", "senior")
GOTONE, EASYOWN, MZONE, SENIOR = range(4)

_NEW_A_MONTH = 0.014
_LONGEST_TENURE = 20 * 365
_MEAN_TENURE = 1_500


@dataclass(frozen=True, kw_only=True)
class People:
    """Fixed traits of the customers of one block; every array has shape (n,).

    Attributes
    ----------
    activated : array of int
        Days since 1970-01-01.
    age : array
        Years, on the first written day.
    value : array
        Standard normal: how much a customer spends, in comparison.
    prepaid : array of bool
    brand, hall, group : array of int
        Where they start: places in their lists, group -1 for none.
    contract_end : array of int
        Last day of the contract they start with; 0 for none.
    payer : array of int
        The customer who pays for this one; -1 for none.
    mood, engagement, thrift : array
        About standard normal and hidden: satisfaction beyond what happens to the customer,
        ties to the operator, and how much a price hurts.
    talk, surf : array
        Standard normal: how much of the spending goes into calls, and into data.
    offnet : array
        Share of the minutes with other operators' customers, 0 to 1.
    coverage : array
        Weakness of the network where the customer spends the day, above 0.
    arrears : array
        Standard normal: how late the customer pays.
    keeps_fee : array of bool
        Prepaid with a monthly fee that is charged without use, too.
    reaction : array
        Change in the log-odds of leaving right after a retention offer; hidden.
    """

    activated: Ints
    age: Floats
    value: Floats
    prepaid: Bools
    brand: Ints
    hall: Ints
    group: Ints
    contract_end: Ints
    payer: Ints
    mood: Floats
    engagement: Floats
    thrift: Floats
    talk: Floats
    surf: Floats
    offnet: Floats
    coverage: Floats
    arrears: Floats
    keeps_fee: Bools
    reaction: Floats

    def __len__(self) -> int:
        return len(self.activated)


def draw_people(rng: np.random.Generator, world: World, count: int, group_sizes: Ints) -> People:
    """Draw the customers of one block.

    Parameters
    ----------
    rng : Generator
    world : World
    count : int
    group_sizes : array of int
        Handsets of the block's groups: larger ones have more members.
    """
    months = world.months
    value = rng.standard_normal(count)
    age = _ages(rng, count)
    brand = _brands(rng, value, age)
    prepaid = rng.random(count) < np.array([0.10, 0.78, 0.82, 0.72])[brand]
    tenure_mean = _MEAN_TENURE * np.array([1.3, 0.9, 0.5, 1.4])[brand]
    activated = _activations(rng, months, tenure_mean)
    engagement = rng.standard_normal(count)
    offnet = rng.beta(3.0, 4.5, count)
    tenure_years = np.maximum(months.start(0) - activated, 0) / 365.0
    return People(
        activated=activated,
        age=age,
        value=value,
        prepaid=prepaid,
        brand=brand,
        hall=_homes(rng, world, count),
        group=_memberships(rng, brand, age, group_sizes),
        contract_end=_contracts(rng, months, activated, prepaid),
        payer=_payers(rng, age),
        mood=rng.standard_normal(count),
        engagement=engagement,
        thrift=0.8 * rng.standard_normal(count) - 0.6 * value,
        talk=rng.standard_normal(count),
        surf=rng.standard_normal(count),
        offnet=offnet,
        coverage=rng.gamma(1.5, 0.4, count),
        arrears=rng.standard_normal(count),
        keeps_fee=rng.random(count) < 0.4,
        reaction=_reactions(rng, age, value, offnet, tenure_years),
    )


def _ages(rng: np.random.Generator, count: int) -> Floats:
    kind = rng.choice(3, count, p=[0.24, 0.58, 0.18])
    young = rng.uniform(15, 27, count)
    middle = np.clip(rng.normal(41, 10, count), 23, 64)
    old = np.minimum(60 + rng.exponential(8, count), 95)
    return np.choose(kind, [young, middle, old])


def _brands(rng: np.random.Generator, value: Floats, age: Floats) -> Ints:
    luck, premium = rng.random((2, len(value)))
    high_end = premium < 1 / (1 + np.exp(0.7 - 1.4 * value))
    brand = np.where(high_end, GOTONE, EASYOWN)
    brand = np.where((age < 27) & (luck < 0.7), MZONE, brand)
    return np.where((age >= 60) & (luck < 0.6), SENIOR, brand)


def _activations(rng: np.random.Generator, months: Months, tenure_mean: Floats) -> Ints:
    """Days of activation: some within the simulated months, the rest at some time before."""
    count = len(tenure_mean)
    new_share = _NEW_A_MONTH * months.count / (1 + _NEW_A_MONTH * months.count)
    new = rng.random(count) < new_share
    during = rng.integers(months.start(0), months.end, count)
    tenure = np.minimum(20 + rng.exponential(tenure_mean), _LONGEST_TENURE - 30)
    before = months.start(0) - tenure.astype(np.int64)
    return np.where(new, during, before)


def _homes(rng: np.random.Generator, world: World, count: int) -> Ints:
    halls = len(world.speed)
    share = np.repeat(world.share, halls // len(world.share))
    return rng.choice(halls, count, p=share / share.sum())


def _memberships(rng: np.random.Generator, brand: Ints, age: Floats, group_sizes: Ints) -> Ints:
    working = (age > 21) & (age < 62)
    joins = rng.random(len(brand)) < np.array([0.36, 0.13, 0.02, 0.0])[brand] * working
    weight = np.sqrt(group_sizes)
    chosen = rng.choice(len(group_sizes), len(brand), p=weight / weight.sum())
    return np.where(joins, chosen, -1)


def _contracts(rng: np.random.Generator, months: Months, activated: Ints, prepaid: Bools) -> Ints:
    count = len(activated)
    bound = rng.random(count) < np.where(prepaid, 0.12, 0.75)
    term = np.where(rng.random(count) < 0.6, 365, 730)
    settled = months.start(-SETTLE)
    ends = settled + rng.integers(-150, term)
    return np.where(bound, np.where(activated < settled, ends, activated + term), 0)


def _payers(rng: np.random.Generator, age: Floats) -> Ints:
    """Who pays the bill: a parent for some of the young, a child for some of the old."""
    count = len(age)
    paid_for = rng.random(count) < np.where(age < 24, 0.25, np.where(age > 66, 0.15, 0.01))
    earners = np.flatnonzero((age > 28) & (age < 62) & ~paid_for)
    if not len(earners):
        return np.full(count, -1)
    return np.where(paid_for, rng.choice(earners, count), -1)


def _reactions(
    rng: np.random.Generator, age: Floats, value: Floats, offnet: Floats, tenure_years: Floats
) -> Floats:
    """Draw how customers respond to offers: many are retained, a few are prompted to leave."""
    shopper = 1.6 * (offnet - 0.4) + 0.25 * (age < 35) - 0.15 * value
    sleeper = 0.9 * (tenure_years > 5) + 0.5 * (age > 58)
    return -0.9 - shopper + sleeper + rng.normal(0.0, 0.45, len(age))
