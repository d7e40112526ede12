"""The hotline's menu: what callers use most comes first.

The order that takes the fewest keys is by falling share of use. How many keys a change saves is
judged on calls that did not decide it: the order is learned from the calls of odd days and tried
on those of even days, and the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from ibis import _

from churnml.metrics.intervals import normal_quantile, wilson
from churnml.service.quality.records import WHOLE, Records, read
from churnml.service.small_cells import blank, hidden

COLUMNS = ("brand", "tier", "position", "service_item", "share", "low", "high")
MORE = "more"
"""Where rare items are."""

_SPLIT = ("brand", "individual_tier")


def menu_order(shares: dict[str, float], *, least: float = 0.0) -> list[str]:
    """The order of a menu that takes the fewest keys.

    Parameters
    ----------
    shares : dict of str to float
        Share of the calls, by item.
    least : float, default 0
        Rarer items go under `MORE`, which comes last.

    Examples
    --------
    >>> menu_order({"bill": 0.2, "fault": 0.5, "plan": 0.295, "roaming": 0.005}, least=0.01)
    ['fault', 'plan', 'bill', 'more']
    """
    often = sorted(
        (item for item in shares if shares[item] >= least), key=lambda i: (-shares[i], i)
    )
    return often if len(often) == len(shares) else [*often, MORE]


def keys_pressed(shares: dict[str, float], order: Sequence[str]) -> float:
    """Keys that a call takes on average: the position of its item.

    Parameters
    ----------
    shares : dict of str to float
        Share of the calls, by item.
    order : sequence of str
        The menu; items that are not in it come after it, under `MORE`.

    Examples
    --------
    >>> shares = {"a": 0.4, "b": 0.3, "c": 0.2, "d": 0.1}
    >>> round(keys_pressed(shares, menu_order(shares)), 6), round(keys_pressed(shares, "dcba"), 6)
    (2.0, 3.0)
    """
    total = sum(shares.values())
    return sum(share * _position(item, order) for item, share in shares.items()) / total


def _position(item: str, order: Sequence[str]) -> int:
    places = {one: at for at, one in enumerate(order, start=1)}
    return places.get(item, places.get(MORE, len(places) + 1))


@dataclass(frozen=True, kw_only=True)
class Saving:
    """Keys saved on a call by one order against another, with the 95 % interval.

    Attributes
    ----------
    brand, tier : str
        Of the callers; empty for all.
    against : {"today", "common"}
    value, low, high : float
    calls : int
    """

    brand: str
    tier: str
    against: str
    value: float
    low: float
    high: float
    calls: int

    def to_dict(self) -> dict[str, Any]:
        """The saving as plain data."""
        return asdict(self)


def hotline_menu(records: Records, *, fewest: int = 10) -> tuple[pd.DataFrame, list[Saving]]:
    """The menu for all callers, and menus of their own where they save keys.

    Returns
    -------
    (DataFrame, list of Saving)
        `COLUMNS`: the common menu first, its brand and tier the empty text; then those of
        brands and tiers whose saving against it has an interval above 0. And the savings.
    """
    nothing = pd.DataFrame({name: [] for name in COLUMNS})
    if not records.has("contacts.service_item"):
        records.notes.append("contacts.service_item is absent, and so is the hotline's menu.")
        return nothing, []
    calls = _calls(records)
    if calls["calls"].sum() < fewest:
        records.notes.append("hotline: fewer than 10 calls with an item: no menu.")
        return nothing, []
    settings = records.config.quality
    common = _shares(calls)
    order = menu_order(common, least=settings.menu_least)
    menus = [_menu(calls, order, brand=WHOLE, tier=WHOLE, fewest=fewest)]
    savings = []
    if settings.menu:
        savings.append(_saving(calls, calls, list(settings.menu), settings.menu_least))
    else:
        records.notes.append(
            "hotline: quality.menu does not say today's order, so no keys saved against it."
        )
    for (brand, tier), own in _segments(calls):
        if own["calls"].sum() < fewest:
            continue
        saving = _saving(own, calls, None, settings.menu_least, brand=brand, tier=tier)
        if saving.low > 0:
            savings.append(saving)
            best = menu_order(_shares(own), least=settings.menu_least)
            menus.append(_menu(own, best, brand=brand, tier=tier, fewest=fewest))
    return pd.concat(menus, ignore_index=True)[list(COLUMNS)], savings


def _calls(records: Records) -> pd.DataFrame:
    """Calls of the last months by item, brand, tier and half: odd days and even days."""
    rows = records.recent(records.events("contacts", "started_at"))
    rows = rows.filter(rows.channel == "hotline", rows.service_item.notnull())
    keys = [name for name in _SPLIT if name in rows.columns]
    rows = rows.mutate(half=rows.on.day() % 2, **{name: rows[name].fill_null("") for name in keys})
    counts = read(rows.group_by("service_item", "half", *keys).agg(calls=_.count()))
    for name in _SPLIT:
        if name not in counts:
            counts[name] = ""
    counts = counts.rename(columns={"individual_tier": "tier"})
    return counts.sort_values(["brand", "tier", "service_item", "half"], ignore_index=True)


def _shares(calls: pd.DataFrame) -> dict[str, float]:
    counts = calls.groupby("service_item")["calls"].sum().astype(float)
    return dict(counts / counts.sum())


def _segments(calls: pd.DataFrame) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    """Every brand, every tier, and every pair of them."""
    parts: list[tuple[tuple[str, str], pd.DataFrame]] = []
    parts += [((str(name), WHOLE), own) for name, own in calls.groupby("brand")]
    parts += [((WHOLE, str(name)), own) for name, own in calls.groupby("tier")]
    for pair, own in calls.groupby(["brand", "tier"]):
        brand, tier = map(str, pair)
        # Without one of its names it is the other's own segment again.
        if brand and tier:
            parts.append(((brand, tier), own))
    return [(names, own) for names, own in parts if any(names)]


def _saving(
    own: pd.DataFrame,
    every: pd.DataFrame,
    today: list[str] | None,
    least: float,
    *,
    brand: str = WHOLE,
    tier: str = WHOLE,
) -> Saving:
    """Keys saved by a menu of one's own, each half of the calls judging the other's order."""
    total, square, calls = 0.0, 0.0, 0.0
    for half in (0, 1):
        learned = own[own["half"] != half]
        tried = own[own["half"] == half].groupby("service_item")["calls"].sum().astype(float)
        if learned.empty or tried.empty:
            continue
        ours = menu_order(_shares(learned), least=least)
        theirs = today or menu_order(_shares(every[every["half"] != half]), least=least)
        saved = np.array([_position(i, theirs) - _position(i, ours) for i in tried.index], float)
        total += float(saved @ tried)
        square += float(saved**2 @ tried)
        calls += float(tried.sum())
    if calls < 2:
        nan = float("nan")
        return Saving(
            brand=brand, tier=tier, against="common", value=nan, low=nan, high=nan, calls=int(calls)
        )
    value = total / calls
    half_width = normal_quantile() * float(np.sqrt(max(square / calls - value**2, 0) / calls))
    return Saving(
        brand=brand,
        tier=tier,
        against="today" if today else "common",
        value=value,
        low=value - half_width,
        high=value + half_width,
        calls=int(calls),
    )


def _menu(
    calls: pd.DataFrame, order: Sequence[str], *, brand: str, tier: str, fewest: int
) -> pd.DataFrame:
    counts = calls.groupby("service_item")["calls"].sum()
    more = float(counts[[item for item in counts.index if item not in order]].sum())
    count = np.array([more if item == MORE else float(counts[item]) for item in order])
    share = count / count.sum()
    low, high = wilson(share, count.sum())
    frame = pd.DataFrame(
        {
            "brand": brand,
            "tier": tier,
            "position": np.arange(1, len(order) + 1),
            "service_item": list(order),
            "share": share,
            "low": low,
            "high": high,
        }
    )
    return blank(frame, hidden(count, fewest=fewest), columns=["share", "low", "high"])
