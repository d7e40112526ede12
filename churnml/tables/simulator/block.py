"""Simulate one block of customers month by month."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from churnml.tables.simulator import hazard, offers, truth
from churnml.tables.simulator.bills import bill_rows, draw_shocks, month_bills, resentment
from churnml.tables.simulator.campaigns import (
    OFFERS,
    draw_reactions,
    opt_out_rows,
    place_replay,
)
from churnml.tables.simulator.changes import customer_rows, month_changes, version_rows
from churnml.tables.simulator.complaints import month_complaints
from churnml.tables.simulator.contacts import month_contacts
from churnml.tables.simulator.discontent import MonthEffects, pass_month
from churnml.tables.simulator.encoded_columns import (
    DAY,
    NEVER,
    ColumnData,
    Floats,
    Ints,
    Words,
    length,
    stack,
)
from churnml.tables.simulator.groups import draw_groups, group_ids, group_versions
from churnml.tables.simulator.months import SETTLE
from churnml.tables.simulator.people import draw_people
from churnml.tables.simulator.recording import as_recorded, true_categories
from churnml.tables.simulator.scene import Scene
from churnml.tables.simulator.state import first_state, open_months
from churnml.tables.simulator.streams import Streams
from churnml.tables.simulator.surveys import month_surveys
from churnml.tables.simulator.ties import draw_ties, feel_loss, month_ties, peers
from churnml.tables.simulator.usage import month_usage, usage_rows
from churnml.tables.simulator.world import World
from churnml.tables.simulator.writer import (
    COMPLAINT,
    CONTAGION,
    HAZARD,
    OFFER_EFFECT,
    REACTION,
    TIES,
)

_KEYS = {
    "complaints": ("complaint_id", "C"),
    "contacts": ("contact_id", "K"),
    "surveys": ("survey_id", "S"),
    "offers": ("offer_id", "R"),
    OFFER_EFFECT: ("offer_id", "R"),
    COMPLAINT: ("complaint_id", "C"),
}

_MONTHLY = ("customer_id", "month")

_GROUP_NUMBERS = 1_000
"""Numbers set aside for the groups of one block."""

_UNKNOWN_BIRTHS = 0.04

BlockTables = dict[str, dict[str, ColumnData]]


class Block:
    """A block of customers and everything that has happened to them so far.

    Parameters
    ----------
    streams : Streams
        The block's own, so that blocks do not depend on each other.
    world : World
    ids : list of str
        Keys of the customers.
    """

    def __init__(self, streams: Streams, world: World, ids: list[str]) -> None:
        count = len(ids)
        groups = draw_groups(streams.of("groups"), world.months, count)
        people = draw_people(streams.of("people"), world, count, groups.handsets)
        state, ended = first_state(streams.of("state"), people), np.full(count, NEVER)
        treat, kind, listed = place_replay(world.campaigns.replay, ids)
        self.scene = Scene(
            streams=streams,
            world=world,
            people=people,
            groups=groups,
            state=state,
            ended=ended,
            month=-SETTLE,
            reactions=draw_reactions(streams, people, world.campaigns.effect),
            treat=treat,
            treat_kind=kind,
            listed=listed,
        )
        tied = world.contagion is not None
        self._ties = draw_ties(streams.of("ties"), count) if tied else None
        self._now = truth.prospects(self.scene, -SETTLE)
        self._soon = truth.prospects(self.scene, -SETTLE + 1)
        self._rows: dict[str, list[dict[str, ColumnData]]] = {}
        self._offered: tuple[Ints, Ints] = (np.zeros(0, np.int64), np.zeros(0, np.int64))
        self._keep("versions", version_rows(state, np.arange(count), people.activated))

    def live(self) -> None:
        """Simulate one month: who leaves, who goes silent, and what happens to the rest."""
        scene = self.scene
        invited = offers.invitation(scene)
        content = hazard.contentment(scene.people, scene.state, scene.month)
        if scene.month >= 0:
            self.tell(invited, content)
        self._decide()
        effects = self._happen(invited, content)
        pass_month(scene, effects)
        if self._ties is not None:
            feel_loss(scene, self._ties)
        scene.month += 1
        self._now, self._soon = self._soon, truth.prospects(scene, scene.month + 1)

    def tell(self, invited: Floats, content: Floats) -> None:
        """Record the true probabilities at the start of the month.

        Parameters
        ----------
        invited : array, shape (n,)
            Probability of an offer in the month.
        content : array, shape (n,)
            Expected satisfaction, 0 to 100, without the step of `SatisfactionStep`.
        """
        scene = self.scene
        chances = truth.churn_probability(scene, self._now, self._soon, invited)
        who = np.flatnonzero(scene.old & (scene.ended >= scene.start))
        at_start: dict[str, ColumnData] = {
            "customer_id": who,
            "month": np.full(len(who), scene.start),
            "churn_probability": np.round(chances[who], 6),
            "satisfaction": np.round(scene.world.step.on(content, scene.month)[who], 2),
        }
        self._keep(HAZARD, at_start)
        if self._ties is not None:
            passed = np.round(self._now.passed_on[who], 6)
            self._keep(
                CONTAGION, {name: at_start[name] for name in _MONTHLY} | {"log_odds": passed}
            )
        who, numbers = (
            part[scene.ended[self._offered[0]] >= scene.start] for part in self._offered
        )
        effects: dict[str, ColumnData] = {
            "offer_id": numbers,
            "customer_id": who,
            "month": np.full(len(who), scene.start),
        }
        self._keep(OFFER_EFFECT, effects | truth.offer_effects(scene, self._now, self._soon, who))

    def _decide(self) -> None:
        scene, rng = self.scene, self.scene.rng("leaving")
        day = rng.integers(scene.start, scene.stop, scene.count)
        leaves = rng.random(scene.count) < truth.leaves_now(scene, self._now)
        leaves &= scene.old & (scene.ended == NEVER) & (scene.month >= 0)
        scene.ended = np.where(leaves, day, scene.ended)
        silent = rng.random(scene.count) < truth.silent_now(scene, self._now)
        scene.state.silent = silent & scene.old

    def _happen(self, invited: Floats, content: Floats) -> MonthEffects:
        """Draw the rows of every table for the month, and its effects on the customers."""
        scene = self.scene
        here = scene.people.activated < scene.stop
        shocks = draw_shocks(scene)
        usage = month_usage(scene, shocks.travels)
        bills = month_bills(scene, usage, shocks)
        network = scene.trouble * (0.5 + 0.6 * scene.people.coverage) * here
        tariff = resentment(scene, shocks) * here
        waiting = open_months(scene.state, scene.start * DAY) > 0
        contacts = month_contacts(scene, scene.trouble + tariff + 0.8 * waiting)
        effects = MonthEffects(
            network=network,
            tariff=tariff,
            service=contacts.frustration,
            complaints=np.zeros(scene.count),
        )
        complaints = month_complaints(scene, effects)
        offered = offers.month_offers(scene, invited)
        met = (contacts.visited, contacts.called)
        surveys = month_surveys(scene, scene.world.step.on(content, scene.month), met)
        self._keep("versions", month_changes(scene, content))
        if scene.month >= 0:
            rows = np.flatnonzero(here & (scene.ended >= scene.start))
            self._keep("usage", usage_rows(scene, usage, rows))
            self._keep("bills", bill_rows(scene, bills, rows))
            self._keep("contacts", contacts.rows)
            self._keep("complaints", as_recorded(scene, complaints.rows))
            self._keep(COMPLAINT, true_categories(complaints.rows))
            self._keep("surveys", surveys)
            self._keep_offers(offered)
            if self._ties is not None:
                self._keep(TIES, month_ties(scene, usage, self._ties))
        return MonthEffects(
            network=network,
            tariff=tariff,
            service=contacts.frustration,
            complaints=complaints.counts.astype(float),
        )

    def _keep(self, table: str, batch: dict[str, ColumnData]) -> None:
        self._rows.setdefault(table, []).append(batch)

    def _keep_offers(self, batch: dict[str, ColumnData]) -> None:
        earlier = sum(length(before) for before in self._rows.get("offers", []))
        self._keep("offers", batch)
        self._offered = np.asarray(batch["customer_id"]), earlier + np.arange(length(batch))

    def tables(self, number: int, ids: list[str]) -> BlockTables:
        """Return all rows so far, with their keys.

        Parameters
        ----------
        number : int
            Of the block: keeps its keys apart from those of others.
        ids : list of str
            Keys of its customers.
        """
        scene = self.scene
        tables = {name: stack(batches) for name, batches in self._rows.items()}
        versions = tables.pop("versions")
        tables["opt_outs"] = opt_out_rows(
            scene.streams,
            scene.months,
            scene.ended,
            scene.people.activated,
            scene.world.campaigns.opt_outs,
        )
        tables[REACTION] = self._reactions()
        if self._ties is not None:
            tables[TIES]["peer_id"] = peers(tables[TIES]["peer_id"], ids, number)
        for name, batch in tables.items():
            if "customer_id" in batch:
                batch["customer_id"] = Words(np.asarray(batch["customer_id"]), ids)
            if name in _KEYS:
                key, letter = _KEYS[name]
                rows = np.asarray(batch.get(key, np.arange(length(batch))))
                batch[key] = _keys(letter, number, rows)
        groups = group_ids(number * _GROUP_NUMBERS, len(scene.groups.sector))
        tables["customers"] = customer_rows(scene, versions, self._births(), ids, groups)
        tables["groups"] = group_versions(scene.rng("groups"), scene.months, scene.groups, groups)
        return tables

    def _reactions(self) -> dict[str, ColumnData]:
        """What each offer does to each customer, whether it is ever made or not."""
        count, kinds = self.scene.reactions.shape
        return {
            "customer_id": np.repeat(np.arange(count), kinds),
            "offer": Words(np.tile(np.arange(kinds), count), OFFERS),
            "reaction": np.round(self.scene.reactions.ravel(), 6),
        }

    def _births(self) -> Ints:
        rng, people = self.scene.streams.of("births"), self.scene.people
        years = (self.scene.months.date(0).year - people.age).astype(np.int64)
        return np.where(rng.random(len(people)) < _UNKNOWN_BIRTHS, -1, years)


def simulate_block(
    streams: Streams,
    world: World,
    number: int,
    ids: list[str],
    tick: Callable[[], object],
) -> BlockTables:
    """All tables of one block of customers, by file name without its ending.

    Parameters
    ----------
    streams : Streams
        The block's own.
    world : World
    number : int
        Of the block.
    ids : list of str
        Keys of its customers.
    tick : callable
        Called after every month.
    """
    block = Block(streams, world, ids)
    for _month in range(-SETTLE, world.months.count):
        block.live()
        tick()
    scene = block.scene
    content = hazard.contentment(scene.people, scene.state, scene.month)
    block.tell(offers.invitation(scene), content)
    return block.tables(number, ids)


def _keys(letter: str, block: int, rows: Ints) -> Words:
    words = [f"{letter}{block:05d}{row:07d}" for row in range(int(rows.max(initial=-1)) + 1)]
    return Words(rows, words)
