"""What a scoring did: every row accounted for, every file with its checksum."""

from __future__ import annotations

import html
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from churnml.errors import OutputError
from churnml.scoring.staging import MANIFEST, sha256


@dataclass(frozen=True)
class Rows:
    """Where every row of the input went.

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


@dataclass(frozen=True)
class Part:
    """One file of the result."""

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The account of a scoring, written last into its folder as ``_manifest.json``.

    Attributes
    ----------
    source : str
    as_of : str or None
        An ISO date; ``None`` for a flat table.
    config : str
        SHA-256 of the settings.
    models : dict
        By task: ``version`` (name/version), ``uri`` as it was asked for, ``digest``.
    rows : Rows
    quarantined : list of dict
        Why rows were set aside: ``table``, ``code``, ``rows``, ``reason``.
    unseen : dict of str to float
        Share of the scored rows whose value of that category column no model has seen.
    drift : dict of str to float
        How far each column's values lie from those of training (`churnml.drift`), beyond
        chance; columns without drift are left out.
    ignored : list of str
        Columns of a flat table that no model uses.
    warnings : list of str
        What should be known.
    gates : list of str
        What is wrong with the rows as a whole; the command ends with status 6.
    parts : list of Part
    churnml : str
        The package's version.
    started_at, ended_at : str
        UTC; the only entries that differ when the same work is done again.
    """

    source: str
    as_of: str | None
    config: str
    models: dict[str, dict[str, str]]
    rows: Rows
    quarantined: list[dict[str, Any]]
    unseen: dict[str, float]
    ignored: list[str]
    warnings: list[str]
    gates: list[str]
    parts: list[Part]
    churnml: str
    started_at: str
    ended_at: str
    drift: dict[str, float] = field(default_factory=dict)
    folder: str = field(default="", compare=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The manifest as plain data, as it is written."""
        facts = asdict(self)
        del facts["folder"]
        rows = facts["rows"]
        facts["rows"] = {"in": rows.pop("total"), **rows}
        return facts

    def to_bytes(self) -> bytes:
        """The content of ``_manifest.json``."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1).encode() + b"\n"

    @classmethod
    def read(cls, folder: str | Path) -> Manifest:
        """The manifest of a result.

        Raises
        ------
        OutputError
            If the folder holds no result.
        """
        path = Path(folder) / MANIFEST
        try:
            facts = json.loads(path.read_bytes())
            rows = dict(facts.pop("rows"))
            parts = [Part(**part) for part in facts.pop("parts")]
            counts = Rows(total=rows.pop("in"), **rows)
            return cls(rows=counts, parts=parts, folder=str(folder), **facts)
        except FileNotFoundError:
            raise OutputError(
                f"{folder}: not a result: it has no {MANIFEST}.", file=str(folder)
            ) from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise OutputError(f"{path}: not a manifest of churnml ({error}).") from None

    def verify(self) -> None:
        """Compare the folder's files with the manifest.

        Raises
        ------
        OutputError
            If a part is missing, was changed, or is not listed.
        """
        folder = Path(self.folder)
        listed = {part.name: part for part in self.parts}
        present = {path.name for path in folder.iterdir()} - {MANIFEST}
        wrong = dict.fromkeys(listed.keys() - present, "is missing")
        wrong |= dict.fromkeys(present - listed.keys(), "is not listed")
        for name in listed.keys() & present:
            if sha256(folder / name) != listed[name].sha256:
                wrong[name] = "was changed"
        if wrong:
            name = min(wrong)
            raise OutputError(
                f"{folder / name}: {wrong[name]}; {len(wrong)} files differ from the manifest.",
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

    def _lines(self) -> list[tuple[str, str]]:
        rows = self.rows
        lines = [
            ("scores", self.folder),
            ("source", self.source),
            ("as of", self.as_of or "-"),
            ("models", ", ".join(model["version"] for model in self.models.values())),
            (
                "rows",
                f"{rows.total} in = {rows.scored} scored + {rows.quarantined} quarantined"
                f" + {rows.ineligible} ineligible",
            ),
            ("parts", f"{len(self.parts)}, {sum(part.bytes for part in self.parts):,} bytes"),
        ]
        shown = {name: share for name, share in self.unseen.items() if share}
        if shown:
            lines.append(("unseen", ", ".join(f"{n} {s:.1%}" for n, s in shown.items())))
        if self.drift:
            most = sorted(self.drift.items(), key=lambda one: (-one[1], one[0]))[:5]
            lines.append(("drift", ", ".join(f"{name} {value:.2f}" for name, value in most)))
        lines += [("warning", text) for text in self.warnings]
        return lines + [("gate", text) for text in self.gates]


def utc(moment: datetime) -> str:
    """A moment as the manifest writes it."""
    return moment.isoformat(timespec="milliseconds")
