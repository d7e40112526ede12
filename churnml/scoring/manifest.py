"""The manifest of a scoring: row counts, files and checksums."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnml.base.dates import with_days
from churnml.base.text import counted, quoted
from churnml.datasets.flat import Ages
from churnml.errors import OutputError
from churnml.errors.masking import masked
from churnml.scoring.postgres import is_target, parse_target, query_scores
from churnml.scoring.staging import HISTOGRAMS, MANIFEST, sha256

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 10
_LEAST_SHARE = 0.001


@dataclass(frozen=True, kw_only=True)
class RowCounts:
    """Input rows by outcome.

    Attributes
    ----------
    total : int
        Customers, or rows of a flat table, that came in.
    scored, quarantined, ineligible : int
        They sum to ``total``.
    """

    total: int
    scored: int
    quarantined: int
    ineligible: int


@dataclass(frozen=True, kw_only=True)
class PartFile:
    """One file of the result."""

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The manifest of a scoring, written last into its folder as ``_manifest.json``.

    Attributes
    ----------
    source : str
    as_of : str or None
        An ISO date; ``None`` for a flat table whose day was not given.
    config : str
        SHA-256 of the settings.
    models : dict
        By task: ``version`` (name/version), ``uri`` as it was asked for, ``digest``.
    rows : RowCounts
    quarantined : list of dict
        Why rows were set aside: ``table``, ``column``, ``code``, ``rows`` of that table,
        ``reason``.
    unseen : dict of str to float
        Share of the scored rows whose value of that category column no model has seen.
    drift : dict of str to float
        How far each column's values lie from those of training (`churnml.models.drift`), beyond
        chance and their usual change from month to month, as the limit counts it; columns
        that drift no more are left out.
    ignored : list of str
        Columns that no model uses; of operator tables ``table.column``.
    warnings : list of str
        What should be known.
    gates : list of str
        What is wrong with the rows as a whole; the command ends with status 6.
    parts : list of PartFile
    churnml : str
        The package's version.
    started_at, ended_at : str
        UTC; the only entries that differ when the same work is done again.
    kind : {"operator", "table"}
        What was scored.
    ages : dict
        Of a flat table with dates: ``counted_from`` which day, ``by`` ``as_of``, ``table``
        or ``training``, the ``column`` that tells a table's day, and when the model was
        ``trained``.
    bands : dict
        Of the risk bands: ``by`` what and where they are cut (``cuts``), what that means in a
        sentence (``meaning``), and by band ``customers`` and mean ``churn_probability``.
    engine : dict
        Of a scoring on Spark: its ``version``, ``master``, ``application``, and the sum of the
        rows' hashes, which is the same where the rows are (``row_hashes``).
    trees : str
        What scored the boosters: ``lightgbm``, or lleaves with its version.
    features : dict of str to dict
        Declarations of the features of one's own that the models read, so that reasons can be
        told; absent where there are none.
    """

    source: str
    as_of: str | None
    config: str
    models: dict[str, dict[str, str]]
    rows: RowCounts
    quarantined: list[dict[str, Any]]
    unseen: dict[str, float]
    ignored: list[str]
    warnings: list[str]
    gates: list[str]
    parts: list[PartFile]
    churnml: str
    started_at: str
    ended_at: str
    drift: dict[str, float] = field(default_factory=dict)
    kind: str = ""
    ages: dict[str, Any] = field(default_factory=dict)
    bands: dict[str, Any] = field(default_factory=dict)
    engine: dict[str, str] = field(default_factory=dict)
    trees: str = "lightgbm"
    features: dict[str, dict[str, Any]] = field(default_factory=dict)
    folder: str = field(default="", compare=False, repr=False)
    address: str = field(default="", compare=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The manifest as plain data, as it is written."""
        facts = asdict(self)
        del facts["folder"], facts["address"]
        if not self.features:
            del facts["features"]
        rows = facts["rows"]
        facts["rows"] = {"in": rows.pop("total"), **rows}
        return facts

    def to_bytes(self) -> bytes:
        """The content of ``_manifest.json``."""
        return json.dumps(masked(self.to_dict()), ensure_ascii=False, indent=1).encode() + b"\n"

    @classmethod
    def read(cls, folder: str | Path) -> Manifest:
        """The manifest of a result.

        Raises
        ------
        OutputError
            If the folder holds no result.
        """
        _require_folder(str(folder))
        path = Path(folder) / MANIFEST
        try:
            return cls.from_dict(json.loads(path.read_bytes()), folder=str(folder))
        except FileNotFoundError:
            raise OutputError(
                f"{folder}: not a result: it has no {MANIFEST}.", file=str(folder)
            ) from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise OutputError(f"{path}: not a manifest of churnml ({error}).") from None

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any], *, folder: str, address: str = "") -> Manifest:
        """A manifest from what `to_dict` gives, and where its rows are."""
        known = dict(facts)
        rows = dict(known.pop("rows"))
        parts = [PartFile(**part) for part in known.pop("parts")]
        counts = RowCounts(total=rows.pop("in"), **rows)
        return cls(rows=counts, parts=parts, folder=folder, address=address, **known)

    def to_pandas(self) -> pd.DataFrame:
        """The scores as a frame, in the order of the parts."""
        import pandas as pd

        if self.address:
            names, rows = self.query(lambda there: "*", "ORDER BY customer_id")
            return with_days(pd.DataFrame(rows, columns=names), "as_of")
        import pyarrow as pa
        import pyarrow.parquet as pq

        files = [str(Path(self.folder).absolute() / part.name) for part in self.parts]
        scores = pa.concat_tables(pq.read_table(file) for file in files)
        return with_days(scores.to_pandas(), "as_of")

    def query(
        self, columns: Callable[[list[str]], str], rest: str
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Select from the scores where they are in a table of PostgreSQL.

        As `churnml.scoring.postgres.query_scores`.
        """
        versions = {f"{task}_model": model["version"] for task, model in self.models.items()}
        day = date.fromisoformat(self.as_of) if self.as_of else None
        target = parse_target(self.address)
        return query_scores(target, day, versions, columns=columns, rest=rest)

    def verify(self) -> None:
        """Compare the folder's files with the manifest.

        Raises
        ------
        OutputError
            If a part is missing, was changed, or is not listed.
        """
        _require_folder(self.folder)
        folder = Path(self.folder)
        listed = {part.name: part for part in self.parts}
        present = {path.name for path in folder.iterdir()} - {MANIFEST, HISTOGRAMS}
        wrong = dict.fromkeys(listed.keys() - present, "is missing")
        wrong |= dict.fromkeys(present - listed.keys(), "is not listed")
        for name in listed.keys() & present:
            if sha256(folder / name) != listed[name].sha256:
                wrong[name] = "was changed"
        if wrong:
            name = min(wrong)
            differ = counted(len(wrong), "file differs", "files differ")
            raise OutputError(
                f"{folder / name}: {wrong[name]}; {differ} from the manifest.",
                hint="Score again.",
                file=str(folder / name),
            )

    def __repr__(self) -> str:
        return "\n".join(f"{name:<12} {value}" for name, value in self._lines())

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
            for name, value in self._lines()
        )
        return f"<table>{cells}</table>"

    @property
    def _of_customers(self) -> bool:
        # Manifests of 0.1.0 do not say; a flat table had no date then.
        return self.kind == "operator" if self.kind else self.as_of is not None

    def _lines(self) -> list[tuple[str, str]]:
        rows = self.rows
        lines = [("scores", _from_here(self.folder)), ("source", self.source)]
        lines += [("as of", self.as_of)] if self.as_of else []
        lines += [("dates", Ages(**self.ages).describe())] if self.ages else []
        if self.engine:
            name, master = self.engine["name"].capitalize(), self.engine["master"]
            lines.append(("engine", f"{name} {self.engine['version']}, {master}"))
        lines += [
            ("models", ", ".join(model["version"] for model in self.models.values())),
            (
                "customers" if self._of_customers else "rows",
                f"{rows.total:,} in = {rows.scored:,} scored + {rows.quarantined:,} quarantined"
                f" + {rows.ineligible:,} ineligible",
            ),
            *self._set_aside(),
            ("parts", f"{len(self.parts):,}, {sum(part.bytes for part in self.parts):,} bytes"),
        ]
        if self.ignored:
            more = f" and {len(self.ignored) - _SHOWN} more" if len(self.ignored) > _SHOWN else ""
            columns = ", ".join(quoted(name) for name in self.ignored[:_SHOWN])
            lines.append(("ignored", f"columns that no model uses: {columns}{more}"))
        shown = {name: share for name, share in self.unseen.items() if share}
        if shown:
            shares = ", ".join(
                f"{name} {self._describe_share(share)}" for name, share in shown.items()
            )
            lines.append(("unseen", shares))
        if self.drift:
            most = sorted(self.drift.items(), key=lambda one: (-one[1], one[0]))[:5]
            lines.append(("drift", ", ".join(f"{name} {value:.2f}" for name, value in most)))
        lines += [("warning", text) for text in self.warnings]
        return lines + [("gate", text) for text in self.gates]

    def _set_aside(self) -> list[tuple[str, str]]:
        """Reasons for which rows were set aside, one line each."""
        if not self.quarantined:
            return []
        lines = []
        if self._of_customers:
            total = sum(int(one["rows"]) for one in self.quarantined)
            total_line = (
                f"{total:,} rows of tables; a customer is quarantined where no row of "
                "customers is left"
            )
            lines.append(("set aside", total_line))
        for one in self.quarantined:
            place = ".".join(str(one[name]) for name in ("table", "column") if one.get(name))
            reason = f", {one['reason']}" if one.get("reason") else ""
            lines.append(
                (
                    "set aside",
                    f"{place}: {counted(int(one['rows']), 'row')}{reason} [{one['code']}]",
                )
            )
        return lines

    def _describe_share(self, share: float) -> str:
        percent = f"{share:.1%}" if share >= _LEAST_SHARE else "<0.1%"
        return f"{percent} ({counted(round(share * self.rows.scored), 'row')})"


def _require_folder(place: str) -> None:
    if is_target(place):
        raise OutputError(
            f"{place}: a table of a database; a folder of scores is expected.",
            hint="Score into a folder too, or read the table with SQL.",
            file=place,
        )


def utc(moment: datetime) -> str:
    """Format a moment for the manifest."""
    return moment.isoformat(timespec="milliseconds")


def _from_here(folder: str) -> str:
    """A folder relative to the working folder, if it lies below it."""
    here = Path.cwd()
    return str(Path(folder).relative_to(here)) if Path(folder).is_relative_to(here) else folder
