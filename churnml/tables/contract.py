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

ColumnType = Literal["text", "date", "month", "timestamp", "integer", "number", "boolean"]
Grain = Literal["state", "month", "event"]


@dataclass(frozen=True)
class ColumnSpec:
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
    listed : str
        The setting that lists the legal values of this operator instead.
    happens : str or None
        The column that dates this value, where it is a later event than the row: the
        value is unknown until that moment. A dating column names itself.
    unless : tuple of str
        Columns any of which may stand for a missing value, or for the whole column.
    known : str or None
        The column that says when this value became known, where that may be later than
        the row; absent where nobody tells.
    """

    name: str
    kind: ColumnType
    meaning: str
    _: KW_ONLY
    required: bool = False
    nullable: bool = False
    unit: str = ""
    low: float | None = None
    high: float | None = None
    codes: tuple[str, ...] = ()
    listed: str = ""
    happens: str | None = None
    unless: tuple[str, ...] = ()
    known: str | None = None


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
    columns : tuple of ColumnSpec
        Without ``known_at``, which every table may carry.
    """

    name: str
    rows: Grain
    key: tuple[str, ...]
    event: str
    columns: tuple[ColumnSpec, ...]

    def column(self, name: str) -> ColumnSpec:
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


CODED_AT = "coded_at"
"""When a complaint's category became known, where a file of codes gave it one."""

KNOWN_AT = ColumnSpec("known_at", "timestamp", "when the row reached the warehouse", nullable=True)

_CUSTOMER = ColumnSpec("customer_id", "text", "the subscription", required=True)
_MONTH = ColumnSpec("month", "month", "the month, by its first day", required=True)


def _yuan(name: str, meaning: str, *, required: bool = False, nullable: bool = False) -> ColumnSpec:
    return ColumnSpec(
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
        ColumnSpec("activated_on", "date", "when service began", required=True),
        ColumnSpec(
            "terminated_on",
            "date",
            "when service ended; makes labels, never a feature",
            required=True,
            nullable=True,
            happens="terminated_on",
        ),
        ColumnSpec(
            "payment",
            "text",
            "prepaid (预付费) or postpaid (后付费)",
            required=True,
            codes=("prepaid", "postpaid"),
        ),
        ColumnSpec("valid_from", "date", "the first day of this version of the row"),
        ColumnSpec(
            "brand",
            "text",
            "gotone (全球通), easyown (神州行), mzone (动感地带), senior (老年), other",
            nullable=True,
            codes=("gotone", "easyown", "mzone", "senior", "other"),
            listed="brands.names",
        ),
        ColumnSpec("group_id", "text", "the corporate account (集团客户)", nullable=True),
        ColumnSpec(
            "birth_year",
            "integer",
            "year of birth",
            nullable=True,
            unit="year",
            low=1900,
            high=2100,
        ),
        ColumnSpec("region", "text", "region of the home network", nullable=True),
        ColumnSpec("hall_id", "text", "home business hall (营业厅)", nullable=True),
        ColumnSpec("contract_ends_on", "date", "last day of the contract", nullable=True),
        ColumnSpec("payer_id", "text", "who pays, where that is someone else", nullable=True),
        ColumnSpec("household_id", "text", "the household, where it is known", nullable=True),
    ),
)

_GROUPS = TableSpec(
    name="groups",
    rows="state",
    key=("group_id",),
    event="registered_on",
    columns=(
        ColumnSpec("group_id", "text", "the corporate account (集团客户)", required=True),
        ColumnSpec("sector", "text", "line of business", required=True, nullable=True),
        ColumnSpec(
            "handsets",
            "integer",
            "handsets in service",
            required=True,
            unit="handsets",
            low=0,
            high=1e7,
        ),
        ColumnSpec("top_taxpayer", "boolean", "among the province's top taxpayers", nullable=True),
        ColumnSpec("registered_on", "date", "when the account was opened", nullable=True),
        ColumnSpec("valid_from", "date", "the first day of this version of the row"),
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
        ColumnSpec("issued_on", "date", "when the bill was issued", nullable=True),
        ColumnSpec("paid_on", "date", "when it was paid", nullable=True, happens="paid_on"),
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
        ColumnSpec(
            "voice_minutes",
            "number",
            "minutes called",
            required=True,
            unit="min",
            low=0,
            high=44640,
        ),
        ColumnSpec("data_mb", "number", "data volume", required=True, unit="MB", low=0, high=1e8),
        ColumnSpec(
            "active_days",
            "integer",
            "days with any use",
            required=True,
            unit="days",
            low=0,
            high=31,
        ),
        ColumnSpec("sms_count", "integer", "messages sent", nullable=True, low=0, high=1e6),
        ColumnSpec(
            "roaming_minutes",
            "number",
            "minutes abroad",
            nullable=True,
            unit="min",
            low=0,
            high=44640,
        ),
        ColumnSpec(
            "offnet_minutes",
            "number",
            "minutes with other operators' customers",
            nullable=True,
            unit="min",
            low=0,
            high=44640,
        ),
        ColumnSpec("dropped_calls", "integer", "calls cut off", nullable=True, low=0, high=1e5),
        ColumnSpec(
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
        ColumnSpec("complaint_id", "text", "the complaint", required=True),
        _CUSTOMER,
        ColumnSpec("opened_at", "timestamp", "when it was made", required=True),
        ColumnSpec(
            "closed_at",
            "timestamp",
            "when it was settled",
            required=True,
            nullable=True,
            happens="closed_at",
        ),
        ColumnSpec(
            "category",
            "text",
            "network (网络), tariff (资费), business_support (业务支撑), "
            "service_window (窗口服务), other",
            required=True,
            codes=("network", "tariff", "business_support", "service_window", "other"),
            unless=("code", "text"),
            known=CODED_AT,
        ),
        ColumnSpec("subcategory", "text", "finer category", nullable=True, known=CODED_AT),
        ColumnSpec("channel", "text", "where it was made", nullable=True),
        ColumnSpec("severity", "integer", "1 to 3, 3 the gravest", nullable=True, low=1, high=3),
        ColumnSpec(
            "reopened_at", "timestamp", "when it was reopened", nullable=True, happens="reopened_at"
        ),
        ColumnSpec("text", "text", "what the customer said", nullable=True),
        ColumnSpec("code", "text", "the operator's own code", nullable=True),
    ),
)

_CONTACTS = TableSpec(
    name="contacts",
    rows="event",
    key=("contact_id",),
    event="started_at",
    columns=(
        ColumnSpec("contact_id", "text", "the contact", required=True),
        _CUSTOMER,
        ColumnSpec("started_at", "timestamp", "when it began", required=True),
        ColumnSpec(
            "channel",
            "text",
            "hall (营业厅), hotline (10086), app, terminal (自助终端)",
            required=True,
            codes=("hall", "hotline", "app", "terminal"),
        ),
        ColumnSpec("service_item", "text", "what it was about", nullable=True),
        ColumnSpec(
            "wait_seconds", "number", "time waited", nullable=True, unit="s", low=0, high=86400
        ),
        ColumnSpec("answered", "boolean", "whether it was answered", nullable=True),
        ColumnSpec("self_service", "boolean", "whether a machine dealt with it", nullable=True),
        ColumnSpec("pre_served", "boolean", "dealt with while waiting (业务预处理)", nullable=True),
        ColumnSpec("resolved", "boolean", "settled, as known when it ended", nullable=True),
        ColumnSpec("hall_id", "text", "the business hall (营业厅)", nullable=True),
        ColumnSpec(
            "service_seconds",
            "number",
            "time that serving took, after the wait",
            nullable=True,
            unit="s",
            low=0,
            high=86400,
        ),
    ),
)

_SURVEYS = TableSpec(
    name="surveys",
    rows="event",
    key=("survey_id",),
    event="sent_at",
    columns=(
        ColumnSpec("survey_id", "text", "the invitation", required=True),
        _CUSTOMER,
        ColumnSpec("sent_at", "timestamp", "when it was sent", required=True),
        ColumnSpec(
            "answered_at",
            "timestamp",
            "when it was answered",
            required=True,
            nullable=True,
            happens="answered_at",
        ),
        ColumnSpec(
            "score",
            "number",
            "the answer, on the scale beside it",
            required=True,
            nullable=True,
            happens="answered_at",
        ),
        ColumnSpec("scale_min", "number", "the worst answer possible", required=True),
        ColumnSpec("scale_max", "number", "the best answer possible", required=True),
        ColumnSpec(
            "touchpoint",
            "text",
            "what it asked about",
            nullable=True,
            codes=("overall", "network", "tariff", "business_support", "hall", "hotline"),
        ),
        ColumnSpec("source", "text", "who asked", nullable=True, codes=("own", "third_party")),
    ),
)

_OFFERS = TableSpec(
    name="offers",
    rows="event",
    key=("offer_id",),
    event="offered_at",
    columns=(
        ColumnSpec("offer_id", "text", "the offer", required=True),
        _CUSTOMER,
        ColumnSpec("offered_at", "timestamp", "when it was made", required=True),
        ColumnSpec("offer", "text", "what was offered", required=True),
        ColumnSpec(
            "arm",
            "text",
            "treatment, or control that got nothing",
            required=True,
            codes=("treatment", "control"),
        ),
        _yuan("cost", "what it costs the operator", nullable=True),
        ColumnSpec(
            "accepted_at", "timestamp", "when it was accepted", nullable=True, happens="accepted_at"
        ),
    ),
)

_OPT_OUTS = TableSpec(
    name="opt_outs",
    rows="event",
    key=("customer_id", "since"),
    event="since",
    columns=(
        _CUSTOMER,
        ColumnSpec("since", "date", "since when no offers and contacts are wanted", required=True),
        ColumnSpec("channel", "text", "how that was said", nullable=True),
    ),
)

_TIES = TableSpec(
    name="ties",
    rows="month",
    key=("customer_id", "peer_id", "month"),
    event="month",
    columns=(
        _CUSTOMER,
        ColumnSpec("peer_id", "text", "whom they spoke with, any operator's", required=True),
        _MONTH,
        ColumnSpec("calls", "integer", "calls between the two", required=True, low=0, high=1e6),
        ColumnSpec(
            "minutes",
            "number",
            "minutes of these calls",
            required=True,
            unit="min",
            low=0,
            high=44640,
        ),
        ColumnSpec(
            "outgoing_share",
            "number",
            "of the minutes, what the customer called (主叫)",
            nullable=True,
            unit="share",
            low=0,
            high=1,
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
            _OPT_OUTS,
            _TIES,
        )
    }
)
"""The tables, by name."""

REQUIRED_TABLES = ("customers", "bills")
"""The tables without which nothing can be done."""
