"""Every declared feature, for whoever wants to know what a model may see."""

from __future__ import annotations

from churnml.errors import UsageError
from churnml.features.building import declared
from churnml.features.declaration import EXPECTED, Declarations, Feature
from churnml.tables.checked import Location, as_source
from churnml.tables.source import Source

_GROUPS = {
    "lifecycle": "The customer",
    "arpu": "Bills",
    "billing": "Payment",
    "complaints": "Complaints",
    "tier": "Tiers and corporate groups",
    "usage": "Usage",
    "service": "Contacts and surveys",
    "ties": "Who calls whom",
}


def list_features(
    data: Source | Location | None = None, *, mapping: Location | None = None
) -> Declarations:
    """List the declared features: all of churnml's own, or those that an operator's tables have.

    Parameters
    ----------
    data : Source or path, optional
        Operator tables: only the features that they can have, those of tables of the
        operator's own among them; nothing but names of tables and columns is looked at. By
        default every feature that is declared.
    mapping : path, optional
        The operator's own names and tables; of a path.

    Returns
    -------
    Declarations
        In the order of their columns, with ``to_dict()`` and ``to_pandas()``.

    Raises
    ------
    UsageError, DataError
        If the tables cannot be opened, or a mapping is given without them.

    Examples
    --------
    >>> found = list_features()
    >>> found[0].name, found[0].unit, found[0].en
    ('lifecycle_tenure_days', 'days', 'Days since service began')
    >>> list(found.to_pandas().columns)[:4]
    ['feature', 'unit', 'driver', 'tables']
    """
    if data is None:
        if mapping is not None:
            raise UsageError(
                "A mapping belongs to operator tables, and none are given.",
                hint="Name them: churnml features SOURCE --list --mapping F.",
            )
        return declared()
    return declared(as_source(data, mapping=mapping).tables)


def markdown() -> str:
    """All features of churnml's own as a page: a table for each group of them."""
    found: dict[str, list[Feature]] = {}
    for one in declared():
        found.setdefault(one.name.partition("_")[0], []).append(one)
    parts = [_table(_GROUPS.get(group, group), features) for group, features in found.items()]
    return "\n\n".join([_HEAD.format(count=sum(map(len, found.values()))), *parts])


_HEAD = """# Features

{count} features, each declared once in `churnml/features/`. Windows are counted back from the date
(`as_of`): in days (`90d`) or in months whose bills are there (`3m`). A feature is absent where one
of the tables or columns that it reads is. "More" in the column *churn* says that customers with a
higher value are expected to leave more often; a model is bound to it only where the settings say
`monotone: true`.

`churnml features --list` prints this page in the terminal, `churnml features SOURCE --list` what
your own tables give, with the features of tables of your own; `--json` prints
either for programs, and `churnml.list_features()` is the same in Python."""


def _table(title: str, features: list[Feature]) -> str:
    head = (
        "feature",
        "meaning",
        "含义",
        "unit",
        "driver",
        "churn",
        "tables",
        "0 means",
        "null means",
    )
    lines = [f"## {title}", "", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for one in features:
        cells = (
            f"`{one.name}`",
            one.en,
            one.zh,
            one.unit,
            one.driver,
            EXPECTED[one.direction],
            ", ".join(one.tables),
            one.zero,
            one.null,
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)
