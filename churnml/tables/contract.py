"""The operator's tables as data: keys, times, columns, units, ranges and code values.

Everything that reads, checks, simulates or documents a table reads these specs.

>>> TABLES["bills"].key
('customer_id', 'month')
>>> TABLES["complaints"].column("category").codes[:2]
('network', 'tariff')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["text", "date", "month", "timestamp", "integer", "number", "boolean"]
Rows = Literal["state", "month", "event"]


@dataclass(frozen=True)
class Column:
    """One column of an operator table.

    Attributes
    ----------
    name : str
    kind : {"text", "date", "month", "timestamp", "integer", "number", "boolean"}
        ``month`` is a date that is the first day of its month.
    meaning : str
        What it says, with the Chinese term where the field uses one.
    required : bool
        Whether the table is refused without it.
    nullable : bool
        Whether a missing value is a legal one. In a required column that is not
        nullable, a missing or bad value sets the row aside.
    unit : str
    low, high : float or None
        The closed range of legal values.
    codes : tuple of str
        The legal values, where they are a closed list.
    happens : str or None
        The column that dates this value, where it is a later event than the row: the
        value is unknown until that moment. A dating column names itself.
    """

    name: str
    kind: Kind
    meaning: str
    _: KW_ONLY
    required: bool = False
    nullable: bool = False
    unit: str = ""
    low: float | None = None
    high: float | None = None
    codes: tuple[str, ...] = ()
    happens: str | None = None


@dataclass(frozen=True, kw_only=True)
class TableSpec:
    """One operator table.

    Attributes
    ----------
    name : str
    rows : {"state", "month", "event"}
        What a row is: a state in force from ``valid_from``, a customer's month, or an
        event at a moment.
    key : tuple of str
        The columns that name a row; with ``valid_from`` beside them for states.
    event : str
        The column that says when the row happened.
    columns : tuple of Column
        Without ``known_at``, which every table may carry.
    """

    name: str
    rows: Rows
    key: tuple[str, ...]
    event: str
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises
        ------
        KeyError
            If the table has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns without which the table is refused."""
        return tuple(column.name for column in self.columns if column.required)


KNOWN_AT = Column("known_at", "timestamp", "when the row reached the warehouse", nullable=True)

_CUSTOMER = Column("customer_id", "text", "the subscription", required=True)
_MONTH = Column("month", "month", "the month, by its first day", required=True)


def _yuan(name: str, meaning: str, *, required: bool = False, nullable: bool = False) -> Column:
    return Column(
        name,
        "number",
        meaning,
        required=required,
        nullable=nullable,
        unit="yuan",
        low=0,
        high=1e7,
    )


_CUSTOMERS = TableSpec(
    name="customers",
    rows="state",
    key=("customer_id",),
    event="activated_on",
    columns=(
        _CUSTOMER,
        Column("activated_on", "date", "when service began", required=True),
        Column(
            "terminated_on",
            "date",
            "when service ended; makes labels, never a feature",
            required=True,
            nullable=True,
            happens="terminated_on",
        ),
        Column(
            "payment",
            "text",
            "prepaid (预付费) or postpaid (后付费)",
            required=True,
            codes=("prepaid", "postpaid"),
        ),
        Column("valid_from", "date", "the first day of this version of the row"),
        Column(
            "brand",
            "text",
            "gotone (全球通), easyown (神州行), mzone (动感地带), senior (老年), other",
            nullable=True,
            codes=("gotone", "easyown", "mzone", "senior", "other"),
        ),
        Column("group_id", "text", "the corporate account (集团客户)", nullable=True),
        Column(
            "birth_year",
            "integer",
            "year of birth",
            nullable=True,
            unit="year",
            low=1900,
            high=2100,
        ),
        Column("region", "text", "region of the home network", nullable=True),
        Column("hall_id", "text", "home business hall (营业厅)", nullable=True),
        Column("contract_ends_on", "date", "last day of the contract", nullable=True),
        Column("payer_id", "text", "who pays, where that is someone else", nullable=True),
    ),
)

_GROUPS = TableSpec(
    name="groups",
    rows="state",
    key=("group_id",),
    event="registered_on",
    columns=(
        Column("group_id", "text", "the corporate account (集团客户)", required=True),
        Column("sector", "text", "line of business", required=True, nullable=True),
        Column(
            "handsets",
            "integer",
            "handsets in service",
            required=True,
            unit="handsets",
            low=0,
            high=1e7,
        ),
        Column("top_taxpayer", "boolean", "among the province's top taxpayers", nullable=True),
        Column("registered_on", "date", "when the account was opened", nullable=True),
        Column("valid_from", "date", "the first day of this version of the row"),
    ),
)

_BILLS = TableSpec(
    name="bills",
    rows="month",
    key=("customer_id", "month"),
    event="month",
    columns=(
        _CUSTOMER,
        _MONTH,
        _yuan("amount", "what the customer was charged for that month", required=True),
        _yuan("voice", "of it for voice", nullable=True),
        _yuan("data", "of it for data", nullable=True),
        _yuan("sms", "of it for messages", nullable=True),
        _yuan("value_added", "of it for value-added services (增值业务)", nullable=True),
        Column("issued_on", "date", "when the bill was issued", nullable=True),
        Column("paid_on", "date", "when it was paid", nullable=True, happens="paid_on"),
    ),
)

_USAGE = TableSpec(
    name="usage",
    rows="month",
    key=("customer_id", "month"),
    event="month",
    columns=(
        _CUSTOMER,
        _MONTH,
        Column(
            "voice_minutes",
            "number",
            "minutes called",
            required=True,
            unit="min",
            low=0,
            high=44640,
        ),
        Column("data_mb", "number", "data volume", required=True, unit="MB", low=0, high=1e8),
        Column(
            "active_days",
            "integer",
            "days with any use",
            required=True,
            unit="days",
            low=0,
            high=31,
        ),
        Column("sms_count", "integer", "messages sent", nullable=True, low=0, high=1e6),
        Column(
            "roaming_minutes",
            "number",
            "minutes abroad",
            nullable=True,
            unit="min",
            low=0,
            high=44640,
        ),
        Column(
            "offnet_minutes",
            "number",
            "minutes with other operators' customers",
            nullable=True,
            unit="min",
            low=0,
            high=44640,
        ),
        Column("dropped_calls", "integer", "calls cut off", nullable=True, low=0, high=1e5),
        Column(
            "data_speed_mbps",
            "number",
            "mean download speed",
            nullable=True,
            unit="Mbit/s",
            low=0,
            high=1e5,
        ),
    ),
)

_COMPLAINTS = TableSpec(
    name="complaints",
    rows="event",
    key=("complaint_id",),
    event="opened_at",
    columns=(
        Column("complaint_id", "text", "the complaint", required=True),
        _CUSTOMER,
        Column("opened_at", "timestamp", "when it was made", required=True),
        Column(
            "closed_at",
            "timestamp",
            "when it was settled",
            required=True,
            nullable=True,
            happens="closed_at",
        ),
        Column(
            "category",
            "text",
            "network (网络), tariff (资费), business_support (业务支撑), "
            "service_window (窗口服务), other",
            required=True,
            codes=("network", "tariff", "business_support", "service_window", "other"),
        ),
        Column("subcategory", "text", "finer category", nullable=True),
        Column("channel", "text", "where it was made", nullable=True),
        Column("severity", "integer", "1 to 3, 3 the gravest", nullable=True, low=1, high=3),
        Column(
            "reopened_at", "timestamp", "when it was reopened", nullable=True, happens="reopened_at"
        ),
        Column("text", "text", "what the customer said", nullable=True),
    ),
)

_CONTACTS = TableSpec(
    name="contacts",
    rows="event",
    key=("contact_id",),
    event="started_at",
    columns=(
        Column("contact_id", "text", "the contact", required=True),
        _CUSTOMER,
        Column("started_at", "timestamp", "when it began", required=True),
        Column(
            "channel",
            "text",
            "hall (营业厅), hotline (10086), app, terminal (自助终端)",
            required=True,
            codes=("hall", "hotline", "app", "terminal"),
        ),
        Column("service_item", "text", "what it was about", nullable=True),
        Column("wait_seconds", "number", "time waited", nullable=True, unit="s", low=0, high=86400),
        Column("answered", "boolean", "whether it was answered", nullable=True),
        Column("self_service", "boolean", "whether a machine dealt with it", nullable=True),
        Column("pre_served", "boolean", "dealt with while waiting (业务预处理)", nullable=True),
        Column("resolved", "boolean", "settled, as known when it ended", nullable=True),
        Column("hall_id", "text", "the business hall (营业厅)", nullable=True),
    ),
)

_SURVEYS = TableSpec(
    name="surveys",
    rows="event",
    key=("survey_id",),
    event="sent_at",
    columns=(
        Column("survey_id", "text", "the invitation", required=True),
        _CUSTOMER,
        Column("sent_at", "timestamp", "when it was sent", required=True),
        Column(
            "answered_at",
            "timestamp",
            "when it was answered",
            required=True,
            nullable=True,
            happens="answered_at",
        ),
        Column(
            "score",
            "number",
            "the answer, on the scale beside it",
            required=True,
            nullable=True,
            happens="answered_at",
        ),
        Column("scale_min", "number", "the worst answer possible", required=True),
        Column("scale_max", "number", "the best answer possible", required=True),
        Column(
            "touchpoint",
            "text",
            "what it asked about",
            nullable=True,
            codes=("overall", "network", "tariff", "business_support", "hall", "hotline"),
        ),
        Column("source", "text", "who asked", nullable=True, codes=("own", "third_party")),
    ),
)

_OFFERS = TableSpec(
    name="offers",
    rows="event",
    key=("offer_id",),
    event="offered_at",
    columns=(
        Column("offer_id", "text", "the offer", required=True),
        _CUSTOMER,
        Column("offered_at", "timestamp", "when it was made", required=True),
        Column("offer", "text", "what was offered", required=True),
        Column(
            "arm",
            "text",
            "treatment, or control that got nothing",
            required=True,
            codes=("treatment", "control"),
        ),
        _yuan("cost", "what it costs the operator", nullable=True),
        Column(
            "accepted_at", "timestamp", "when it was accepted", nullable=True, happens="accepted_at"
        ),
    ),
)

TABLES: Mapping[str, TableSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            _CUSTOMERS,
            _GROUPS,
            _BILLS,
            _USAGE,
            _COMPLAINTS,
            _CONTACTS,
            _SURVEYS,
            _OFFERS,
        )
    }
)
"""The eight tables, by name."""

REQUIRED_TABLES = ("customers", "bills")
"""The tables without which nothing can be done."""
