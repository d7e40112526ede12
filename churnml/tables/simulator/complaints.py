"""Complaints: what causes them, how they repeat, stay open and are reopened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from churnml.tables.simulator.discontent import MonthEffects
from churnml.tables.simulator.encoded_columns import (
    DAY,
    NEVER,
    ColumnData,
    Floats,
    Ints,
    Words,
    select,
)
from churnml.tables.simulator.moments import arrival, moments
from churnml.tables.simulator.scene import Scene
from churnml.tables.simulator.state import CATEGORIES, CustomerState

CHANNELS = ("hotline", "hall", "app", "regulator")

SUBCATEGORIES = (
    "weak_signal",
    "call_cut_off",
    "slow_data",
    "unclear_charge",
    "unwanted_service",
    "roaming_charge",
    "order_failed",
    "wrong_record",
    "number_portability",
    "long_wait",
    "unfriendly",
    "wrong_advice",
    "spam",
    "store_partner",
    "not_stated",
)
"""Three for each category, in its order."""

TEXTS = (
    "家里信号很差，经常打不通电话",
    "通话中断，一天好几次",
    "手机上网速度太慢，视频打不开",
    "这个月话费多扣了，账单看不明白",
    "没有订购过的增值业务，为什么扣费",
    "漫游费太贵，事先没有提醒",
    "套餐变更没有办成功，已经第二次了",
    "我的资料登记错误，一直没有改正",
    "办理携号转网遇到阻碍",
    "营业厅排队太久，等了半个多小时",
    "营业员态度不好",
    "客服说法前后不一致，耽误了我的事",
    "经常收到垃圾短信",
    "代理点承诺的优惠没有兑现",
    "其他问题，请尽快处理",
)

_DAYS_TO_CLOSE = np.array([5.0, 3.0, 2.5, 2.0, 3.5])
_HOURS = np.array(
    [1, 0.5, 0.5, 0.5, 0.5, 0.5, 2, 4, 8, 10, 10, 9, 6, 6, 8, 9, 8, 7, 6, 7, 8, 7, 4, 2]
)


@dataclass(frozen=True)
class MonthComplaints:
    """One month's complaints: the rows, and how many each customer of the block made."""

    rows: dict[str, ColumnData]
    counts: Ints


def month_complaints(scene: Scene, effects: MonthEffects) -> MonthComplaints:
    """Draw a month's complaints and update the customers' open ones.

    Parameters
    ----------
    scene : Scene
        ``state.open_since`` and ``state.open_until`` change in place.
    effects : MonthEffects
        What the month did, complaints apart.
    """
    counts = scene.rng("complaints").poisson(_rates(scene, effects))
    complained = np.nonzero(counts)
    who, category = (np.repeat(part, counts[complained]) for part in complained)
    rows = _complaints(scene, who, category)
    kept = np.flatnonzero(scene.lived(who, np.asarray(rows["opened_at"])))
    rows, who, category = select(rows, kept), who[kept], category[kept]
    opened, closed = np.asarray(rows["opened_at"]), np.asarray(rows["closed_at"])
    _remember(scene.state, who, category, opened, closed)
    for name in ("closed_at", "reopened_at"):
        moment = np.asarray(rows[name])
        rows[name] = np.where(moment < scene.ended[who] * DAY, moment, NEVER)
    return MonthComplaints(rows, np.bincount(who, minlength=scene.count))


def _rates(scene: Scene, effects: MonthEffects) -> Floats:
    """Expected complaints this month, by category; open complaints are often repeated."""
    people, state = scene.people, scene.state
    none = np.zeros(scene.count)
    by_cause = np.stack(
        [
            0.0022 + 0.030 * effects.network + 0.002 * people.coverage,
            0.0020 + 0.060 * effects.tariff,
            0.0022 + none,
            0.0008 + 0.020 * effects.service,
            0.0012 + none,
        ],
        axis=1,
    )
    touchy = np.exp(-0.45 * people.mood + 0.15 * people.value + 0.25 * state.away)
    again = 0.28 * (state.open_until > scene.start * DAY)
    return (by_cause * touchy[:, None] + again) * ~state.silent[:, None]


def _complaints(scene: Scene, who: Ints, category: Ints) -> dict[str, ColumnData]:
    rng, count = scene.rng("complaints"), len(who)
    opened = moments(scene, rng, count, _HOURS)
    severity = 1 + rng.binomial(2, 0.30, count)
    fine = category * 3 + rng.integers(0, 3, count)
    pace = 0.25 * (severity - 1) - 0.12 * scene.people.value[who]
    closed, reopened = _course(rng, opened, _DAYS_TO_CLOSE[category] * np.exp(pace))
    return {
        "customer_id": who,
        "opened_at": opened,
        "closed_at": closed,
        "category": Words(category, CATEGORIES),
        "subcategory": Words(fine, SUBCATEGORIES),
        "channel": Words(rng.choice(4, count, p=[0.62, 0.20, 0.16, 0.02]), CHANNELS),
        "severity": severity,
        "reopened_at": reopened,
        "text": Words(np.where(rng.random(count) < 0.9, fine, -1), TEXTS),
        "known_at": arrival(rng, opened, (0.1, 8), 0.04, (1, 20)),
    }


def _course(rng: np.random.Generator, opened: Ints, pace: Floats) -> tuple[Ints, Ints]:
    """Draw when complaints are finally resolved, and when some of them are reopened first."""
    count = len(opened)
    first = pace * np.exp(rng.normal(0.0, 0.9, count))
    dragging = rng.random(count) < 0.09
    first = np.where(dragging, first + rng.uniform(30, 240, count), first)
    first = np.where(rng.random(count) < 0.03, np.inf, first)
    again = first + rng.exponential(6.0, count)
    reopens = (rng.random(count) < 0.08) & np.isfinite(again)
    last = np.where(reopens, again + 2.0 * pace * np.exp(rng.normal(0.0, 0.9, count)), first)
    return _after(opened, last), np.where(reopens, _after(opened, again), NEVER)


def _after(opened: Ints, days: Floats) -> Ints:
    seconds = np.where(np.isfinite(days), days, 0.0) * DAY
    return np.where(np.isfinite(days), opened + 600 + seconds.astype(np.int64), NEVER)


def _remember(state: CustomerState, who: Ints, category: Ints, opened: Ints, until: Ints) -> None:
    place = (who, category)
    stale = state.open_until[place] < opened
    state.open_since[who[stale], category[stale]] = NEVER
    np.minimum.at(state.open_since, place, opened)
    np.maximum.at(state.open_until, place, until)
