"""How a flat table's columns were read in training, kept with the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Literal

from churnml.datasets.flat.notation import Notation
from churnml.errors import BundleError

_TEXTS = ("missing", "sentinels")

ColumnKind = Literal["number", "category", "boolean", "date"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column that the model reads.

    Attributes
    ----------
    name : str
    kind : {"number", "category", "boolean", "date"}
        Booleans become the categories ``True`` and ``False``, dates ages in days.
    format : str
        Of dates written otherwise than ``2026-06-01``: the codes of ``strptime``.
    reference : str
        The day on which a date has age 0; see `churnml.datasets.flat.snapshot`.
    missing : tuple of str
        Texts that stood for a missing value in this column, in lower case.
    sentinels : tuple of str
        Days that did, as ``9999-12-31``.
    infinite : bool
        Whether infinite numbers did.
    ahead : bool
        Whether dates lay after the day of training, as ends of contracts do.
    century : int
        Of dates whose years have two digits: the first of the hundred years that they mean.
    notation : Notation or None
        How numbers are written that are not plain.
    """

    name: str
    kind: ColumnKind
    format: str = ""
    reference: str = ""
    missing: tuple[str, ...] = ()
    sentinels: tuple[str, ...] = ()
    infinite: bool = False
    ahead: bool = False
    century: int = 0
    notation: Notation | None = None

    @property
    def day(self) -> date:
        """The reference."""
        return date.fromisoformat(self.reference)

    @property
    def expected(self) -> str:
        """What a value should be, for messages."""
        if self.kind == "date":
            written = f" written as {self.format}" if self.format else ""
            return f"a date{written or ' such as 2026-06-01'}"
        if self.notation is not None:
            return f"a number written as {self.notation.shown!r}"
        return "a finite number" if self.kind == "number" else "text without control characters"


@dataclass(frozen=True, kw_only=True)
class Signature:
    """How a table's columns are read, in training and in scoring alike.

    Attributes
    ----------
    columns : tuple of Column
        In the order of the training table.
    target : str
    positive : str
        Of churn: the target's value that means that the customer left.
    negative : tuple of str
        Its other values.
    scale : tuple of two float, or empty
        Of satisfaction: the worst and the best score of the target's scale.
    words : dict of str to float
        Of satisfaction whose target is in words: the score of each, from 0 to 100.
    id, group : str or None
    reading : dict of str to str
        What the user said of the file: ``sheet``, ``encoding``, ``delimiter``.
    table : tuple of str
        All columns of the training table, in their order.
    availability : dict of str to str
        What was declared of its columns: ``operator``, ``survey``, ``outcome``, ``snapshot``.
    snapshot : Column or None
        The column whose latest date gives the day of training, its reference.
    time : str or None
        The column of the date that each row stands for, from which the row's other dates are
        counted; the snapshot, where there is one.
    """

    columns: tuple[Column, ...]
    target: str
    positive: str = ""
    negative: tuple[str, ...] = ()
    scale: tuple[float, ...] = ()
    words: Mapping[str, float] = field(default_factory=dict)
    id: str | None = None
    group: str | None = None
    table: tuple[str, ...] = ()
    availability: Mapping[str, str] = field(default_factory=dict)
    snapshot: Column | None = None
    reading: Mapping[str, str] = field(default_factory=dict)
    time: str | None = None

    @property
    def names(self) -> list[str]:
        """The names of the columns that the model reads."""
        return [column.name for column in self.columns]

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for `churnml.models.bundle.Origin`."""
        fields = asdict(self)
        fields["columns"] = [_short(column) for column in fields["columns"]]
        if self.snapshot is not None:
            fields["snapshot"] = _short(fields["snapshot"])
        return fields

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Signature:
        """Restore from `to_dict`, also after JSON.

        Raises
        ------
        BundleError
            If it is something else.
        """
        try:
            columns = tuple(_column(column) for column in fields["columns"])
            lists = {name: tuple(fields[name]) for name in ("negative", "scale", "table")}
            snapshot = fields.get("snapshot")
            own = {"columns": columns, "snapshot": None if snapshot is None else _column(snapshot)}
            signature = cls(**{**fields, **lists, **own})
        except (KeyError, TypeError) as error:
            raise BundleError(
                f"the model does not say how a table is read ({error}).",
                hint="Train it on a table, with --id or --target.",
            ) from None
        if "snapshot" in fields:
            return signature
        from churnml.datasets.flat.snapshot import with_snapshot

        return with_snapshot(signature)


def _short(column: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in column.items() if value}


def _column(fields: Mapping[str, Any]) -> Column:
    notation = fields.get("notation")
    own = {name: tuple(fields.get(name, ())) for name in _TEXTS}
    written = None if notation is None else Notation(**notation)
    return Column(**{**fields, **own, "notation": written})
