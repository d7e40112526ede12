"""Where an operator's customers live: by region and business hall, which name an operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from churnml.tables.source import Source

COLUMNS = ("region", "hall_id")
_MOST = 10_000


def places_of(source: Source) -> dict[str, list[str]]:
    """The regions and halls of a source's customers, by column.

    Parameters
    ----------
    source : Source

    Returns
    -------
    dict of str to list of str
        Columns that the source has; at most 10,000 values of each.
    """
    customers = source.tables["customers"]
    places = {}
    for name in COLUMNS:
        if name in customers.columns:
            values = customers.select(value=customers[name]).distinct().order_by("value")
            found = values.limit(_MOST).to_pyarrow()["value"].to_pylist()
            places[name] = [str(one) for one in found if one is not None]
    return places


def share_living_in(source: Source, places: Mapping[str, Sequence[str]]) -> float:
    """The share of a source's customers who live in given regions or halls.

    Parameters
    ----------
    source : Source
    places : mapping of str to sequence of str
        By column, as `places_of` gives them.
    """
    customers = source.tables["customers"]
    conditions = [
        customers[name].isin(list(values)).fill_null(False)
        for name, values in places.items()
        if values and name in customers.columns
    ]
    if not conditions:
        return 0.0
    known = conditions[0]
    for one in conditions[1:]:
        known = known | one
    counts = customers.agg(
        total=customers.customer_id.nunique(), known=customers.customer_id.nunique(where=known)
    )
    (row,) = counts.to_pyarrow().to_pylist()
    return row["known"] / row["total"] if row["total"] else 1.0
