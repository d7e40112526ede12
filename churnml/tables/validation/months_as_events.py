"""Find tables of one's own whose months would be taken for events."""

from __future__ import annotations

from collections.abc import Mapping

from churnml.tables.source.source import Source
from churnml.tables.validation.scope import Scope

_LEAST_ROWS, _LEAST_MONTHS = 5, 2


def months_as_events(source: Source, scopes: Mapping[str, Scope]) -> list[str]:
    """What is wrong with each such table.

    A row of a month counts once the month has ended, one of an event at once. Where the column
    of time is called neither ``month`` nor ``valid_from``, and nothing is said of the rows,
    first days of months alone are more likely months, and taken for events they would tell of
    the month ahead.
    """
    found = []
    for name, table in source.extras.items():
        if table.said or name not in scopes or not scopes[name].has(table.spec.event):
            continue
        rows = scopes[name].rows
        at = rows[table.spec.event]
        first = at == at.truncate("M")
        counts = rows.aggregate(
            all=at.count(), first=rows.count(where=first), months=at.nunique(where=first)
        )
        (told,) = counts.to_pyarrow().to_pylist()
        if told["all"] == told["first"] >= _LEAST_ROWS and told["months"] >= _LEAST_MONTHS:
            own = table.entry.own_name(table.spec.event)
            found.append(
                f"{name}.{own}: all {told['all']:,} rows are of the first of a month, at midnight; "
                f"say in extra.{name} what they are, as rows: month (counts once the month has "
                "ended), rows: state (valid from that day on) or rows: event"
            )
    return found
