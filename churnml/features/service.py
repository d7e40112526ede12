"""Service features: contacts, waits, outcomes, surveys."""

from __future__ import annotations

import ibis
from ibis.expr import types as ir

from churnml.features.declaration import Direction, Feature
from churnml.features.monthly import UNIT, ratio, whole
from churnml.features.view import KEYS, JoinedTable, View
from churnml.tables import asof

_CHANNELS = {
    "hall": ("business hall", "营业厅"),
    "hotline": ("hotline", "10086热线"),
    "app": ("app", "掌厅"),
    "terminal": ("self-service terminal", "自助终端"),
}
_DAYS = (30, 90)
_UNANSWERED_DAYS = 180
_LONG_WAIT_SECONDS = 600
_OWN = ("contacts.customer_id", "contacts.started_at")
_CONTACT = ("started_at", "channel", "wait_seconds", "answered", "resolved", "self_service")
_SURVEY = ("survey_id", "sent_at", "answered_at", "score", "scale_min", "scale_max")
_WAITS = (*_OWN, "contacts.wait_seconds")


def _counts(days: int) -> tuple[Feature, ...]:
    return (
        _count("all", days, "", "", _OWN),
        *(
            _count(channel, days, f" by {en}", zh, (*_OWN, "contacts.channel"))
            for channel, (en, zh) in _CHANNELS.items()
        ),
    )


def _count(name: str, days: int, by: str, zh: str, needs: tuple[str, ...]) -> Feature:
    return Feature(
        name=f"service_{name}_count_{days}d",
        unit="contacts",
        driver="service_window",
        en=f"Service contacts{by} in {days} days",
        zh=f"近{days}天{zh}服务接触次数",
        needs=needs,
        empty=0,
        zero="none in this time",
    )


def _share(name: str, column: str, direction: Direction, en: str, zh: str) -> Feature:
    return Feature(
        name=f"service_{name}_90d_share",
        unit="share",
        driver="service_window",
        direction=direction,
        en=f"Share of the contacts of 90 days that {en}, where it is recorded",
        zh=f"近90天服务接触{zh}占比",
        needs=(*_OWN, f"contacts.{column}"),
        zero="none of them",
        null="no contact in 90 days for which it is recorded",
    )


_SHARES = {
    # part of the name: column, the value that counts
    "unanswered": ("answered", False),
    "unresolved": ("resolved", False),
    "self_served": ("self_service", True),
}

FEATURES = (
    *(feature for days in _DAYS for feature in _counts(days)),
    Feature(
        name="service_wait_mean_90d_seconds",
        unit="seconds",
        driver="service_window",
        direction=1,
        en="Mean wait of the contacts of 90 days",
        zh="近90天平均等待时长（秒）",
        needs=_WAITS,
        zero="no waiting",
        null="no contact of 90 days has a wait on record",
    ),
    Feature(
        name="service_wait_max_90d_seconds",
        unit="seconds",
        driver="service_window",
        direction=1,
        en="Longest wait of the contacts of 90 days",
        zh="近90天最长等待时长（秒）",
        needs=_WAITS,
        zero="no waiting",
        null="no contact of 90 days has a wait on record",
    ),
    Feature(
        name="service_hall_wait_over_10min_90d_share",
        unit="share",
        driver="service_window",
        direction=1,
        en="Share of the hall waits of 90 days that exceed 10 minutes",
        zh="近90天营业厅等待超10分钟占比",
        needs=(*_WAITS, "contacts.channel"),
        zero="none of them",
        null="no hall visit of 90 days has a wait on record",
    ),
    _share("unanswered", "answered", 1, "went unanswered", "未接通"),
    _share("unresolved", "resolved", 1, "left the matter unresolved", "未解决"),
    _share("self_served", "self_service", 0, "a machine dealt with", "自助办理"),
    Feature(
        name="service_survey_last_score_points",
        unit="points",
        driver="service_window",
        direction=-1,
        en="Score of the last survey answered, 0 to 100",
        zh="最近一次调查满意度得分",
        needs=("surveys.score", "surveys.answered_at"),
        zero="the worst answer possible",
        null="never answered a survey",
    ),
    Feature(
        name="service_survey_last_days",
        unit="days",
        driver="service_window",
        en="Days since the last survey was answered",
        zh="距最近一次回答调查天数",
        needs=("surveys.score", "surveys.answered_at"),
        null="never answered a survey",
    ),
    Feature(
        name="service_survey_unanswered_count_180d",
        unit="surveys",
        driver="service_window",
        direction=1,
        en="Surveys sent in 180 days that are not answered",
        zh="近180天未回答调查数",
        needs=("surveys.sent_at", "surveys.answered_at"),
        empty=0,
        zero="none was sent, or each was answered",
    ),
)


def parts(view: View) -> dict[str, JoinedTable]:
    """The tables joined to the customers: contacts and surveys."""
    by_table = {}
    if "contacts" in view.tables:
        contacts = _contacts(view)
        by_table["contacts"] = JoinedTable(contacts, _finished(contacts))
    if "surveys" in view.tables:
        surveys = _surveys(view)
        done = {name: surveys[name] for name in surveys.columns if name.startswith("service_")}
        age = surveys.as_of.delta(surveys.last_answered_at.date(), unit="day")
        by_table["surveys"] = JoinedTable(surveys, done | {"service_survey_last_days": age})
    return by_table


def columns(row: ir.Table, view: View) -> dict[str, ir.Value]:
    """No further features."""
    return {}


def _finished(row: ir.Table) -> dict[str, ir.Value]:
    """Turn each customer's counts and sums into features."""
    columns = {name: row[name] for name in row.columns if name.startswith("service_")}
    if "waits" in row.columns:
        columns["service_wait_mean_90d_seconds"] = ratio(row.wait_sum, row.waits) / UNIT
        columns["service_hall_wait_over_10min_90d_share"] = ratio(row.long_waits, row.hall_waits)
    for name, (column, _counted) in _SHARES.items():
        if f"{column}_known" in row.columns:
            share = ratio(row[f"{column}_counted"], row[f"{column}_known"])
            columns[f"service_{name}_90d_share"] = share
    return columns


def _contacts(view: View) -> ir.Table:
    rows = view.visible("contacts", *_CONTACT)
    rows = view.wanted(rows.filter(asof.last_days(rows, "started_at", max(_DAYS))))
    columns = {}
    for days in _DAYS:
        inside = asof.last_days(rows, "started_at", days)
        columns[f"service_all_count_{days}d"] = rows.count(where=inside)
        for channel in _CHANNELS:
            columns[f"service_{channel}_count_{days}d"] = rows.count(
                where=inside & (rows.channel == channel)
            )
    for column, counted in _SHARES.values():
        if column in rows.columns:
            columns[f"{column}_known"] = rows[column].count()
            columns[f"{column}_counted"] = rows.count(where=rows[column] == counted)
    if "wait_seconds" in rows.columns:
        columns |= _waits(rows)
    return rows.group_by(*KEYS).agg(**columns)


def _waits(rows: ir.Table) -> dict[str, ir.Scalar]:
    hall = rows.channel == "hall"
    return {
        "wait_sum": whole(rows.wait_seconds).sum(),
        "waits": rows.wait_seconds.count(),
        "service_wait_max_90d_seconds": rows.wait_seconds.max(),
        "hall_waits": rows.wait_seconds.count(where=hall),
        "long_waits": rows.count(where=hall & (rows.wait_seconds > _LONG_WAIT_SECONDS)),
    }


def _surveys(view: View) -> ir.Table:
    rows = view.wanted(view.visible("surveys", *_SURVEY))
    span = (rows.scale_max - rows.scale_min).nullif(0)
    points = (rows.score - rows.scale_min) * 100.0 / span
    scored = rows.answered_at.notnull() & points.notnull()
    # The id decides between answers of one moment, whatever the order of the rows.
    newest = ibis.window(
        group_by=[rows.customer_id, rows.as_of, scored],
        order_by=[rows.answered_at.desc(), rows.survey_id.desc()],
    )
    rows = rows.select(
        *KEYS,
        "answered_at",
        points=points,
        is_last=scored & (ibis.row_number().over(newest) == 0),
        pending=rows.answered_at.isnull() & asof.last_days(rows, "sent_at", _UNANSWERED_DAYS),
    )
    return rows.group_by(*KEYS).agg(
        service_survey_last_score_points=rows.points.max(where=rows.is_last),
        last_answered_at=rows.answered_at.max(where=rows.is_last),
        service_survey_unanswered_count_180d=rows.count(where=rows.pending),
    )
