"""Complaint features: topics, handling, repeats, and complaints nearby."""

from __future__ import annotations

import ibis
from ibis import _
from ibis.expr import types as ir

from churnml.base.drivers import Driver
from churnml.features.declaration import Feature
from churnml.features.monthly import ratio
from churnml.features.view import KEYS, JoinedTable, View
from churnml.tables import asof

_CATEGORIES: dict[str, tuple[Driver, str, str]] = {
    # "other" has no driver of its own; taking complaints in is the service window's work.
    "network": ("network", "the network", "网络"),
    "tariff": ("tariff", "the tariff", "资费"),
    "business_support": ("business_support", "business support", "业务支撑"),
    "service_window": ("service_window", "the service window", "窗口服务"),
    "other": ("service_window", "anything else", "其他"),
}
_DAYS = (30, 90, 180)
_RECENT, _USUAL, _LONGEST = 30, 180, 180
_OWN = ("complaints.customer_id", "complaints.opened_at")


def _counts(days: int) -> tuple[Feature, ...]:
    return (
        _count("all", days, "service_window", "", "", _OWN),
        *(
            _count(category, days, driver, f" about {en}", zh, (*_OWN, "complaints.category"))
            for category, (driver, en, zh) in _CATEGORIES.items()
        ),
    )


def _count(
    name: str, days: int, driver: Driver, about: str, zh: str, needs: tuple[str, ...]
) -> Feature:
    return Feature(
        name=f"complaints_{name}_count_{days}d",
        unit="complaints",
        driver=driver,
        direction=1,
        en=f"Complaints{about} in {days} days",
        zh=f"近{days}天{zh}投诉次数",
        needs=needs,
        empty=0,
        zero="none in this time",
    )


def _surge(place: str, column: str, zh: str, network: bool) -> Feature:
    about = "Network complaints" if network else "Complaints"
    return Feature(
        name=f"complaints_{'network_' if network else ''}{place}_surge_30d_ratio",
        unit="ratio",
        driver="network",
        direction=1,
        en=f"{about} in the customer's {place} in 30 days, plus 1, against the usual number, "
        "plus 1: that of 30 days among the 180 before",
        zh=f"客户所在{zh}近30天{'网络' if network else ''}投诉量与平时之比",
        needs=(*_OWN, *(("complaints.category",) if network else ()), f"customers.{column}"),
        relative=True,
        null=f"no {place} on record, or complaints on record for less than 30 days before",
    )


_PLACES = (("hall", "hall_id", "营业厅"), ("region", "region", "地区"))

FEATURES = (
    *(feature for days in _DAYS for feature in _counts(days)),
    Feature(
        name="complaints_last_days",
        unit="days",
        driver="service_window",
        direction=-1,
        en="Days since the last complaint",
        zh="距最近一次投诉天数",
        needs=_OWN,
        null="never complained",
    ),
    Feature(
        name="complaints_open_count",
        unit="complaints",
        driver="service_window",
        direction=1,
        en="Complaints open now: not closed, or reopened since",
        zh="当前未解决投诉数",
        needs=(*_OWN, "complaints.closed_at"),
        empty=0,
        zero="none is open",
    ),
    Feature(
        name="complaints_open_oldest_days",
        unit="days",
        driver="service_window",
        direction=1,
        en="Age of the oldest open complaint",
        zh="长期未解决投诉已持续天数",
        needs=(*_OWN, "complaints.closed_at"),
        null="none is open",
    ),
    Feature(
        name="complaints_close_mean_180d_hours",
        unit="hours",
        driver="service_window",
        direction=1,
        en="Mean hours to close the complaints of 180 days that are closed",
        zh="近180天投诉平均处理时长（小时）",
        needs=(*_OWN, "complaints.closed_at"),
        zero="closed at once",
        null="no complaint of 180 days is closed",
    ),
    Feature(
        name="complaints_reopened_count_180d",
        unit="complaints",
        driver="service_window",
        direction=1,
        en="Complaints of 180 days that were reopened",
        zh="近180天重开投诉数",
        needs=(*_OWN, "complaints.reopened_at"),
        empty=0,
        zero="none was reopened",
    ),
    Feature(
        name="complaints_severity_max_180d_level",
        unit="level",
        driver="service_window",
        direction=1,
        en="Gravest complaint of 180 days, 1 to 3",
        zh="近180天最高投诉严重程度",
        needs=(*_OWN, "complaints.severity"),
        null="no complaint of 180 days has a severity",
    ),
    Feature(
        name="complaints_severity_mean_180d_level",
        unit="level",
        driver="service_window",
        direction=1,
        en="Mean severity of the complaints of 180 days, 1 to 3",
        zh="近180天投诉平均严重程度",
        needs=(*_OWN, "complaints.severity"),
        null="no complaint of 180 days has a severity",
    ),
    Feature(
        name="complaints_repeat_count_180d",
        unit="complaints",
        driver="service_window",
        direction=1,
        en="Complaints of 180 days that repeat one of the same category within 30 days",
        zh="近180天同类重复投诉次数（30天内）",
        needs=(*_OWN, "complaints.category"),
        empty=0,
        zero="none is a repeat",
    ),
    *(_surge(*place, network=network) for network in (False, True) for place in _PLACES),
)


def parts(view: View) -> dict[str, JoinedTable]:
    """The tables joined to the customers: their own complaints, and those nearby."""
    rows = _rows(view)
    wanted = view.wanted(rows)
    own, again = _own(wanted), _repeats(wanted, view.config.complaints.repeat_days)
    by_table = {
        "complaints": JoinedTable(own, _finished(own)),
        "repeats": JoinedTable(again, {"complaints_repeat_count_180d": again.repeats}),
    }
    places = [place for place in _PLACES if view.has(f"customers.{place[1]}")]
    if places:
        record = rows.group_by("as_of").agg(began=_.opened_at.min())
        began = {"record_began": record.began.date()}
        by_table["record"] = JoinedTable(record, began, ("as_of",))
        # Who has left since still belongs to what was usual.
        recent = rows.filter(asof.last_days(rows, "opened_at", _RECENT + _USUAL))
        homes = view.customers.select(*KEYS, *(column for _name, column, _zh in places))
        around = recent.join(homes, list(KEYS))
        for name, column, _zh in places:
            tallies = _tallies(around, column)
            renamed = {f"{name}_{tally}": tallies[tally] for tally in _TALLIES}
            by_table[name] = JoinedTable(tallies, renamed, ("as_of", column))
    return by_table


def columns(row: ir.Table, view: View) -> dict[str, ir.Value]:
    """Features that compare the complaints nearby with their usual level."""
    places = [(name, column) for name, column, _zh in _PLACES if view.has(f"customers.{column}")]
    if not places:
        return {}
    # Where the record begins later than that, what is usual is taken from the days it has.
    days = row.as_of.delta(row.record_began, unit="day") - _RECENT
    days = ibis.cases((days >= _USUAL, _USUAL), (days >= _RECENT, days), else_=None)
    features = {}
    for name, column in places:
        month = row[column].notnull().ifelse(_RECENT / days, None)
        for network in ("", "network_"):
            recent = row[f"{name}_{network}recent"].fill_null(0) + 1
            usual = row[f"{name}_{network}usual"].fill_null(0) * month + 1
            features[f"complaints_{network}{name}_surge_30d_ratio"] = recent / usual
    return features


_COLUMNS = ("opened_at", "closed_at", "category", "severity", "reopened_at")


def _rows(view: View) -> ir.Table:
    """Every visible complaint, with shared flags."""
    rows = view.visible("complaints", *_COLUMNS)
    if "category" not in rows.columns:
        # Codes or texts stand in for it; what needs it is not declared then.
        rows = rows.mutate(category=ibis.null("string"))
    is_open = rows.closed_at.isnull()
    if "reopened_at" in rows.columns:
        is_open |= rows.reopened_at >= rows.closed_at
    flags = {f"in_{days}d": asof.last_days(rows, "opened_at", days) for days in _DAYS}
    there = [name for name in _COLUMNS if name in rows.columns]
    return rows.select(*KEYS, *there, is_open=is_open.fill_null(False), **flags)


def _own(rows: ir.Table) -> ir.Table:
    """Counts and sums over each customer's complaints."""
    seconds = rows.closed_at.epoch_seconds() - rows.opened_at.epoch_seconds()
    columns = {
        "complaints_open_count": rows.count(where=rows.is_open),
        "last_opened_at": rows.opened_at.max(),
        "oldest_open_at": rows.opened_at.min(where=rows.is_open),
        "closing_seconds": seconds.sum(where=rows.in_180d),
        "closed": seconds.count(where=rows.in_180d),
    }
    for days in _DAYS:
        inside = rows[f"in_{days}d"]
        columns[f"complaints_all_count_{days}d"] = rows.count(where=inside)
        for category in _CATEGORIES:
            columns[f"complaints_{category}_count_{days}d"] = rows.count(
                where=inside & (rows.category == category)
            )
    if "reopened_at" in rows.columns:
        reopened = rows.in_180d & rows.reopened_at.notnull()
        columns["complaints_reopened_count_180d"] = rows.count(where=reopened)
    if "severity" in rows.columns:
        columns["complaints_severity_max_180d_level"] = rows.severity.max(where=rows.in_180d)
        columns["severity_sum"] = rows.severity.sum(where=rows.in_180d)
        columns["severities"] = rows.severity.count(where=rows.in_180d)
    return rows.group_by(*KEYS).agg(**columns)


def _finished(own: ir.Table) -> dict[str, ir.Value]:
    """Turn each customer's counts and sums into features."""
    columns = {name: own[name] for name in own.columns if name.startswith("complaints_")}
    columns |= {
        "complaints_last_days": own.as_of.delta(own.last_opened_at.date(), unit="day"),
        "complaints_open_oldest_days": own.as_of.delta(own.oldest_open_at.date(), unit="day"),
        "complaints_close_mean_180d_hours": ratio(own.closing_seconds, own.closed * 3600),
    }
    if "severities" in own.columns:
        severity = ratio(own.severity_sum, own.severities)
        columns["complaints_severity_mean_180d_level"] = severity
    return columns


def _repeats(rows: ir.Table, days: int) -> ir.Table:
    """Count each customer's complaints that repeat one of the same category within some days."""
    recent = asof.last_days(rows, "opened_at", _LONGEST + days)
    # What nobody has put into a category is like nothing else.
    rows = rows.filter(recent, rows.category.notnull())
    same = ibis.window(group_by=[*KEYS, "category"], order_by="opened_at")
    seconds = rows.opened_at.epoch_seconds()
    rows = rows.select(*KEYS, "in_180d", apart=seconds - seconds.lag().over(same))
    again = rows.filter(rows.in_180d, rows.apart <= days * 86_400)
    return again.group_by(*KEYS).agg(repeats=_.count())


_TALLIES = ("recent", "usual", "network_recent", "network_usual")


def _tallies(rows: ir.Table, column: str) -> ir.Table:
    """Count complaints by place in the last 30 days, and in the 180 days before them."""
    recent, network = rows.in_30d, rows.category == "network"
    return rows.group_by("as_of", column).agg(
        recent=rows.count(where=recent),
        usual=rows.count(where=~recent),
        network_recent=rows.count(where=recent & network),
        network_usual=rows.count(where=~recent & network),
    )
