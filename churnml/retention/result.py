"""The manifest of a plan: what was decided, why, and what may be expected of it."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from churnml.base.dates import parse_date
from churnml.errors import DataError
from churnml.errors.masking import masked
from churnml.retention.eligibility import REASONS
from churnml.scoring.reasons import REASON
from churnml.scoring.staging import MANIFEST, sha256
from churnml.tables.simulator import Replay

if TYPE_CHECKING:
    import pandas as pd

KIND = "retention plan"

SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("household", pa.string()),
        ("group", pa.string()),
        ("offer", pa.string()),
        ("effect", pa.float64()),
        ("effect_low", pa.float64()),
        ("effect_high", pa.float64()),
        ("churn_probability", pa.float64()),
        ("value", pa.float64()),
        ("gain", pa.float64()),
        ("cost", pa.float64()),
        ("segment", pa.string()),
        ("general_offer", pa.bool_()),
        ("reasons", pa.list_(REASON)),
        ("campaign", pa.string()),
        ("model", pa.string()),
    ]
)
"""The columns of the list."""

TREAT, HOLD_OUT = "treat", "hold_out"


@dataclass(frozen=True)
class RetentionPlan:
    """A plan that was written: its folder, and its manifest as plain data.

    Attributes
    ----------
    folder : str
    facts : mapping
        ``verdict``, ``says``, ``budget``, ``spent``, ``contacts``, ``price_of_a_yuan``,
        ``binding``, ``bound``, ``expected_gain``, ``hold_out``, ``left_out``, ``offers``,
        ``questions``, ``fairness``, ``segments``, ``notes`` and the parts.
    """

    folder: str
    facts: Mapping[str, Any]

    @classmethod
    def read(cls, folder: str | Path) -> RetentionPlan:
        """The plan of a folder.

        Raises
        ------
        DataError
            If it holds none.
        """
        path = Path(folder) / MANIFEST
        try:
            facts = json.loads(path.read_bytes())
        except (OSError, ValueError):
            facts = {}
        if not isinstance(facts, dict) or facts.get("kind") != KIND:
            raise DataError(
                f"{folder}: holds no plan of `churnml retain`.",
                hint="Give the folder that was named with --out.",
                file=str(folder),
            )
        return cls(str(folder), facts)

    def to_dict(self) -> dict[str, Any]:
        """The manifest, for ``--json``."""
        return dict(self.facts)

    def verify(self) -> None:
        """Refuse a list whose parts are not those that were written.

        Raises
        ------
        DataError
        """
        for part in self.facts["parts"]:
            path = Path(self.folder) / part["name"]
            if not path.is_file() or sha256(path) != part["sha256"]:
                raise DataError(
                    f"{path}: is missing or was changed since the plan was made.",
                    hint="Measure the list as it was written.",
                    file=str(path),
                )

    def to_pandas(self) -> pd.DataFrame:
        """The list, in the order of the customers' ids."""
        import pyarrow.parquet as pq

        parts = [Path(self.folder) / part["name"] for part in self.facts["parts"]]
        tables = [pq.read_table(part) for part in parts]
        return pa.concat_tables(tables).to_pandas() if tables else SCHEMA.empty_table().to_pandas()

    def as_replay(self) -> Replay:
        """The plan for `churnml.simulate` to play, in the month of its date."""
        listed = self.to_pandas()
        treated = listed[listed["group"] == TREAT]
        held = listed.loc[listed["group"] == HOLD_OUT, "customer_id"]
        return Replay(
            on=parse_date(self.facts["as_of"]),
            offers=dict(zip(treated["customer_id"], treated["offer"], strict=True)),
            held_out=frozenset(held),
        )

    def lines(self) -> list[tuple[str, str]]:
        """What a person should read, each with its name."""
        facts = self.facts
        gain, seen = facts["expected_gain"], facts["hold_out"]
        binding = ", ".join(facts["binding"]) or "none"
        told = [
            ("verdict", facts["says"]["en"]),
            *((one["question"]["en"], one["answer"]["en"]) for one in facts["questions"]),
            ("assignment", facts["assignment"]),
            ("treated", f"{facts['contacts']:,} of {facts['rows']['in']:,} customers"),
            ("held out", f"{facts['rows']['hold_out']:,}"),
            ("spent", f"{facts['spent']:,.0f} of {facts['budget']:,.0f} yuan, {facts['counted']}"),
            ("binding", f"{binding}; one more yuan would bring {facts['price_of_a_yuan']:.2f}"),
            (
                "expected gain",
                f"{gain['optimistic']:,.0f} yuan (optimistic; at most {facts['bound']:,.0f} within "
                f"the limits), {_span(gain)} (honest, from customers not learned from)",
            ),
            ("hold-out", seen["says"]),
        ]
        told += [
            ("left out", f"{count:,}: {REASONS[reason]}")
            for reason, count in facts["left_out"].items()
            if count
        ]
        return told + [("note", note) for note in facts["notes"]]

    def __repr__(self) -> str:
        return "\n".join(f"{name:<14} {value}" for name, value in self.lines())

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
            for name, value in self.lines()
        )
        return f"<table>{cells}</table>"

    def to_bytes(self) -> bytes:
        """The content of ``_manifest.json``."""
        return json.dumps(masked(dict(self.facts)), ensure_ascii=False, indent=1).encode() + b"\n"


def _span(gain: Mapping[str, Any]) -> str:
    if gain["honest"] is None:
        return "not known"
    return f"{gain['honest']:,.0f} ({gain['honest_low']:,.0f} to {gain['honest_high']:,.0f})"
