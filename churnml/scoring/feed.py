"""The input of a scoring, operator tables or a flat table: batches and row accounting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import pandas as pd
import pyarrow as pa

from churnml.errors import ChurnmlError
from churnml.scoring.staging import Staged


@dataclass(frozen=True)
class Batch:
    """Rows to be scored.

    Attributes
    ----------
    ids : array of text, length n
    rows : DataFrame, shape (n, k)
        Holds the models' columns by name.
    value : mapping of str to array
        Tiers and ARPU, where they are known; ``as_of`` where each row has one of its own.
    """

    ids: pa.Array
    rows: pd.DataFrame
    value: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Account:
    """The row accounting of the input, known once all batches have been read.

    Attributes
    ----------
    total, quarantined, ineligible : int
    reasons : list of dict
        Why rows were quarantined: ``table``, ``column``, ``code``, ``rows``, ``reason``.
    ignored, warnings : list of str
    gates : list of str
        What is wrong with the input as a whole, though it was scored.
    ages : dict
        Of a flat table: from which day its dates were counted, as `churnml.datasets.flat.Ages`.
    """

    total: int
    quarantined: int
    ineligible: int
    reasons: list[dict[str, Any]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    gates: list[str] = field(default_factory=list)
    ages: dict[str, Any] = field(default_factory=dict)

    def check(self, scored: int) -> None:
        """Check that every input row was scored, quarantined or ineligible.

        Raises
        ------
        ChurnmlError
            If a row is lost or counted twice.
        """
        if self.total != scored + self.quarantined + self.ineligible:
            raise ChurnmlError(
                f"{self.total} rows came in, but {scored} were scored, {self.quarantined} "
                f"quarantined and {self.ineligible} are ineligible; nothing was published.",
                hint="This is a bug in churnml; please report it.",
            )


class Feed(Protocol):
    """A source of batches."""

    def batches(self) -> Iterator[Batch]:
        """Yield the rows in a fixed order and fixed batches; at least one batch."""

    def account(self) -> Account:
        """Return the row accounting; refuse an input that has changed meanwhile."""


@runtime_checkable
class ScoredParts(Protocol):
    """An input that was scored where it lies, into parts that stand in the staging folder."""

    def parts(self) -> dict[str, Staged]:
        """The parts by name, with what was counted of them."""

    def account(self) -> Account:
        """Return the row accounting; refuse an input that has changed meanwhile."""

    def engine(self) -> dict[str, str]:
        """What the manifest says of where it was scored."""
