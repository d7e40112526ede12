"""Tie features: whom customers call, who of these has left, and how close their circle is.

A tie is a pair with at least one call in the months looked at. A peer with the id of a
customer is one; all others are another operator's. That a peer has left counts from the
day on which it was known, like everything else: what is read is the peer's own row as it
was at ``as_of``.
"""

from __future__ import annotations

from dataclasses import replace

import ibis
from ibis import _
from ibis.expr import types as ir

from churnml.features import tiers
from churnml.features.declaration import Feature
from churnml.features.monthly import UNIT, ratio, whole
from churnml.features.view import KEYS, JoinedTable, View
from churnml.tables import asof

CIRCLE = 5
"""How many of a customer's strongest ties are looked at for calls among them.

It bounds the work: at most 20 pairs a customer, however many ties there are.
"""

_PAIR = (*KEYS, "peer_id")
_OWN = ("ties.calls", "ties.minutes")
# Whether a peer is a customer, and still one, is in `customers`; a peer's bills tell the tier.
_PEERS = (*_OWN, "customers.activated_on")
_VIPS = (*_PEERS, "bills.amount")
_UNSEEN = "no month is visible for half of the customers"
_SILENT = "no minutes with anybody in 3 months"

_COUNT = Feature(
    name="ties_peers_3m_count",
    unit="peers",
    driver="ties",
    direction=-1,
    en="Peers with calls in 3 months",
    zh="近3个月通话对象数",
    needs=_OWN,
    zero="no call with anybody",
    null=_UNSEEN,
)
_SHARE = Feature(
    name="ties_offnet_3m_share",
    unit="share",
    driver="ties",
    direction=1,
    en="Share of the minutes of 3 months with peers who are not customers",
    zh="近3个月与网外对象通话分钟占比",
    needs=_PEERS,
    relative=True,
    zero="customers only",
    null=_SILENT,
)

FEATURES = (
    _COUNT,
    Feature(
        name="ties_peers_change_3m_ratio",
        unit="ratio",
        driver="ties",
        direction=-1,
        en="Peers a month in 3 months against the 3 months before",
        zh="近3个月月均通话对象数与前3个月之比",
        needs=_OWN,
        zero="nobody was called any more",
        null="no call in the 3 months before, or they are not on record",
    ),
    Feature(
        name="ties_minutes_mean_3m_minutes",
        unit="minutes",
        driver="ties",
        direction=-1,
        en="Minutes per peer and month with calls, mean of 3 months",
        zh="近3个月与每个通话对象的月均分钟数",
        needs=_OWN,
        zero="calls of no length",
        null="no call in 3 months",
    ),
    Feature(
        name="ties_calls_mean_3m_calls",
        unit="calls",
        driver="ties",
        direction=-1,
        en="Calls per peer and month with calls, mean of 3 months",
        zh="近3个月与每个通话对象的月均通话次数",
        needs=_OWN,
        null="no call in 3 months",
    ),
    replace(
        _SHARE,
        name="ties_strongest_3m_share",
        direction=0,
        en="Share of the minutes of 3 months with the peer who has most of them",
        zh="近3个月最密切通话对象的分钟占比",
        needs=_OWN,
        relative=False,
        zero="",
    ),
    replace(
        _SHARE,
        name="ties_outgoing_3m_share",
        direction=0,
        en="Share of the minutes of 3 months that the customer called, where it is recorded",
        zh="近3个月主叫分钟占比",
        needs=(*_OWN, "ties.outgoing_share"),
        relative=False,
        zero="called by others only",
        null="no minutes in 3 months for which it is recorded",
    ),
    _SHARE,
    replace(
        _SHARE,
        name="ties_offnet_peers_3m_share",
        en="Share of the peers of 3 months who are not customers",
        zh="近3个月网外通话对象占比",
        null="no call in 3 months",
    ),
    replace(
        _COUNT,
        name="ties_left_6m_count",
        direction=1,
        en="Peers of 6 months whose service has ended",
        zh="近6个月通话对象中已离网人数",
        needs=_PEERS,
        relative=True,
        zero="nobody who was called has left",
    ),
    replace(
        _SHARE,
        name="ties_left_6m_share",
        en="Share of the minutes of 6 months with peers whose service has ended",
        zh="近6个月与已离网对象通话分钟占比",
        zero="nobody who was called has left",
        null="no minutes with anybody in 6 months",
    ),
    Feature(
        name="ties_left_last_6m_days",
        unit="days",
        driver="ties",
        direction=-1,
        en="Days since the service of a peer of 6 months ended, the last of them",
        zh="距最近一位通话对象离网天数（近6个月通话对象）",
        needs=_PEERS,
        relative=True,
        null="nobody who was called in 6 months has left",
    ),
    replace(
        _COUNT,
        name="ties_vip_3m_count",
        direction=0,
        en="Peers of 3 months who hold a gold or diamond card",
        zh="近3个月通话对象中金卡及钻石卡客户数",
        needs=_VIPS,
        relative=True,
        zero="none of them",
    ),
    replace(
        _SHARE,
        name="ties_vip_3m_share",
        direction=0,
        en="Share of the minutes of 3 months with holders of a gold or diamond card",
        zh="近3个月与金卡及钻石卡客户通话分钟占比",
        needs=_VIPS,
        zero="none of them",
    ),
    replace(
        _COUNT,
        name="ties_vip_left_6m_count",
        direction=1,
        en="Peers of 6 months with a gold or diamond card whose service has ended",
        zh="近6个月通话对象中已离网的金卡及钻石卡客户数",
        needs=_VIPS,
        relative=True,
        zero="none of them",
    ),
    replace(
        _SHARE,
        name="ties_embedded_1m_share",
        direction=0,
        en=f"Of the pairs among the {CIRCLE} strongest ties of the last month with customers, "
        "the share that is among the strongest ties of one another",
        zh=f"最近一月{CIRCLE}个最密切网内通话对象之间互为密切对象的比例",
        zero="none of them",
        null="fewer than 2 ties with customers in the last month",
    ),
)


def parts(view: View) -> dict[str, JoinedTable]:
    """The tables joined to the customers: their ties of 6 months, and their circle."""
    ties, circle = _ties(view), _circle(view)
    share = ratio(circle.closed.fill_null(0), circle.size * (circle.size - 1))
    return {
        "ties": JoinedTable(ties, _told(ties)),
        "circle": JoinedTable(circle, {"ties_embedded_1m_share": share}),
    }


def columns(row: ir.Table, view: View) -> dict[str, ir.Value]:
    """The features that depend on the months on record: the counts, and the change."""
    on_record = row.ties_ends - row.ties_starts + 1
    recent = (on_record < 3).ifelse(on_record, 3)
    before = (on_record - 3).clip(lower=0, upper=3)
    counts = {
        feature.name: row.ties_ends.notnull().ifelse(row[feature.name].fill_null(0), None)
        for feature in FEATURES
        if feature.unit == "peers"
    }
    change = ratio(row.ties_recent.fill_null(0) * before, row.ties_before * recent)
    return counts | {"ties_peers_change_3m_ratio": change}


def _told(row: ir.Table) -> dict[str, ir.Value]:
    """Turn each customer's counts and sums into features."""
    columns = {
        "ties_peers_3m_count": row.peers,
        "ties_recent": row.recent,
        "ties_before": row.before,
        "ties_minutes_mean_3m_minutes": ratio(row.minutes, row.recent) / UNIT,
        "ties_calls_mean_3m_calls": ratio(row.calls, row.recent),
        "ties_strongest_3m_share": ratio(row.strongest, row.minutes),
        "ties_offnet_3m_share": ratio(row.offnet_minutes, row.minutes),
        "ties_offnet_peers_3m_share": ratio(row.offnet_peers, row.peers),
        "ties_left_6m_count": row["left"],
        "ties_left_6m_share": ratio(row.left_minutes, row.minutes_6m),
        "ties_left_last_6m_days": row.as_of.delta(row.left_last, unit="day"),
        "ties_vip_3m_count": row.vips,
        "ties_vip_3m_share": ratio(row.vip_minutes, row.minutes),
        "ties_vip_left_6m_count": row.vips_left,
    }
    if "outgoing" in row.columns:
        columns["ties_outgoing_3m_share"] = ratio(row.outgoing, row.told)
    return columns


def _ties(view: View) -> ir.Table:
    """Sum up each customer's ties, with what is known of the peers."""
    pairs = _pairs(view)
    people = view.customers.select(
        peer_id=_.customer_id, as_of=_.as_of, began=_.activated_on, left_on=_.terminated_on
    )
    vips = tiers.vips(view).select(peer_id=_.customer_id, as_of=_.as_of, vip=True)
    beside = {"people": people, "vips": vips}
    rows = pairs
    for name, table in beside.items():
        rows = rows.left_join(table, ["peer_id", "as_of"], rname=f"{{name}}_of_{name}")
    recent, gone = rows.recent > 0, rows.left_on.notnull()
    offnet, vip = rows.began.isnull(), rows.vip.notnull()
    columns = {
        "peers": rows.count(where=recent),
        "recent": rows.recent.sum(),
        "before": rows.before.sum(),
        "minutes": rows.minutes.sum(),
        "minutes_6m": rows.minutes_6m.sum(),
        "calls": rows.calls.sum(),
        "strongest": rows.minutes.max(),
        "offnet_minutes": rows.minutes.sum(where=offnet),
        "offnet_peers": rows.count(where=offnet & recent),
        "left": rows.count(where=gone),
        "left_minutes": rows.minutes_6m.sum(where=gone).fill_null(0),
        "left_last": rows.left_on.max(),
        "vips": rows.count(where=vip & recent),
        "vip_minutes": rows.minutes.sum(where=vip),
        "vips_left": rows.count(where=vip & gone),
    }
    columns |= {name: columns[name].fill_null(0) for name in ("offnet_minutes", "vip_minutes")}
    if "outgoing" in rows.columns:
        columns |= {"outgoing": rows.outgoing.sum(), "told": rows.told.sum()}
    return rows.group_by(*KEYS).agg(**columns)


def _pairs(view: View) -> ir.Table:
    """Sum up the requested customers' months with each peer: the last 3 and all 6."""
    rows = view.wanted(_calls(view, 6))
    recent = rows.ago < 3
    minutes = whole(rows.minutes)
    columns = {
        "recent": rows.count(where=recent),
        "before": rows.count(where=~recent),
        "calls": rows.calls.sum(where=recent).fill_null(0),
        "minutes": minutes.sum(where=recent).fill_null(0),
        "minutes_6m": minutes.sum(),
    }
    if "outgoing_share" in rows.columns:
        told = recent & rows.outgoing_share.notnull()
        columns |= {
            "outgoing": whole(rows.minutes * rows.outgoing_share).sum(where=told),
            "told": minutes.sum(where=told),
        }
    return rows.group_by(*_PAIR).agg(**columns)


def _calls(view: View, months: int) -> ir.Table:
    """The months with calls between two, of all customers."""
    rows = view.last_months("ties", months)
    return rows.filter((rows.calls > 0) & (rows.peer_id != rows.customer_id))


def _circle(view: View) -> ir.Table:
    """How many of a customer's strongest ties there are, and how many pairs among them."""
    here = asof.eligible(view.customers).select(peer_id=_.customer_id, as_of=_.as_of)
    rows = _calls(view, 1).semi_join(here, ["peer_id", "as_of"])
    mine = _strongest(view.wanted(rows))
    theirs = mine
    if view.only is not None:
        asked = mine.select(customer_id=_.peer_id, as_of=_.as_of).distinct()
        theirs = _strongest(rows.semi_join(asked, list(KEYS)))
    steps = theirs.select(peer_id=_.customer_id, as_of=_.as_of, third=_.peer_id)
    paths = mine.join(steps, ["peer_id", "as_of"]).select(*KEYS, peer_id=_.third)
    closed = paths.semi_join(mine, list(_PAIR)).group_by(*KEYS).agg(closed=_.count())
    sizes = mine.group_by(*KEYS).agg(size=_.count())
    return sizes.left_join(closed, list(KEYS), rname="_{name}")


def _strongest(rows: ir.Table) -> ir.Table:
    """Of each customer the ties with the most minutes, as many as `CIRCLE`."""
    minutes = whole(rows.minutes)
    order = ibis.window(
        group_by=list(KEYS), order_by=[minutes.desc(), rows.calls.desc(), rows.peer_id]
    )
    placed = rows.select(*_PAIR, place=ibis.row_number().over(order))
    return placed.filter(placed.place < CIRCLE).select(*_PAIR)
