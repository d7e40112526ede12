"""The outcome of a promotion or rollback."""

from __future__ import annotations

import html
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from churnml.errors import UsageError
from churnml.errors.masking import without_secrets
from churnml.evaluation.contest import Verdict
from churnml.registry.promotion.history import Event

_LONGEST_REASON = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, repr=False)
class Outcome:
    """The outcome of a promotion or rollback.

    Attributes
    ----------
    name : str
        Of the registered model.
    event : Event
        As it stands in the history.
    verdict : Verdict or None
        ``None`` where nothing was measured.
    aliases : dict of str to str
        After it.
    notes : list of str
    """

    name: str
    event: Event
    verdict: Verdict | None
    aliases: dict[str, str]
    notes: list[str]

    @property
    def moved(self) -> bool:
        """Whether the aliases moved."""
        return self.event.what != "refused"

    def to_dict(self) -> dict[str, Any]:
        """The outcome as plain data, for ``--json``."""
        return {
            "name": self.name,
            "moved": self.moved,
            "event": self.event.to_dict(),
            "aliases": self.aliases,
            "gate": self.verdict.to_dict() if self.verdict else None,
            "notes": self.notes,
        }

    def __repr__(self) -> str:
        return f"Outcome({self.name}/{self.event.version}: {self.event.what})"

    def _repr_html_(self) -> str:
        from churnml.evaluation.html import table

        event = self.event
        over = f" over version {event.over}" if event.over else ""
        title = f"{self.name}/{event.version}: {event.what}{over}"
        if self.verdict is None:
            return f"<p><b>{html.escape(title)}</b>: {html.escape(event.why)}</p>"
        columns = ("where", "measure", "challenger", "champion", "passed", "why")
        rows = [
            (
                one.where,
                one.measure,
                f"{one.challenger:.4f}",
                f"{one.champion:.4f}",
                "yes" if one.passed else "no",
                one.reason,
            )
            for one in self.verdict.checks
        ]
        return table(title, columns, rows)


def require_reason(reason: str | None) -> None:
    """Refuse a reason that is empty or too long.

    Raises
    ------
    UsageError
    """
    if reason is None:
        return
    if not reason.strip():
        raise UsageError("The reason is empty.", hint="Say why; it is kept in the history.")
    if len(reason) > _LONGEST_REASON:
        raise UsageError(
            f"The reason has {len(reason)} characters.", hint=f"At most {_LONGEST_REASON} are kept."
        )


@contextmanager
def for_the_ui() -> Iterator[None]:
    """Run a step that only serves MLflow's UI: its failure is logged, not raised."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, OSError) as error:
        _log.warning(
            "MLflow's UI does not show all: %s", without_secrets(str(error)).partition("\n")[0]
        )
