"""Find training columns that scoring cannot have, declared or suspected."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from churnml.base.text import quoted
from churnml.config.settings import AvailabilitySettings, Available
from churnml.datasets.flat.signature import Signature
from churnml.datasets.flat.table import Table
from churnml.datasets.flat.uninformative import tells_target
from churnml.datasets.leakage import (
    Suspect,
    declared_as,
    describe_suspects,
    dropping,
    find_suspects,
    refused,
)
from churnml.errors import DataError


def withheld_columns(table: Table, features: Sequence[str], who: AvailabilitySettings) -> set[str]:
    """The SQL names of the columns to leave out as declared.

    Raises
    ------
    DataError
        If there are such columns and they are to be refused.
    """
    names = {table.names[int(x[1:])]: x for x in features if table.names[int(x[1:])]}
    return {names[name] for name in refused(names, who, place=str(table.path))}


def note_declared(table: Table, who: AvailabilitySettings) -> list[str]:
    """Notes on columns dropped by declaration, and on declarations of unknown columns."""
    out = [
        f"{quoted(name)} ({said})"
        for name, said in known(table, who).items()
        if said in ("survey", "outcome")
    ]
    plain = [name for name in who.columns if not {"*", "?"} & set(name)]
    strange = [quoted(name) for name in plain if name not in table.names]
    notes = [f"Left out as declared: {'; '.join(out)}."] if out else []
    if strange:
        notes.append(f"availability.columns: no column of this table: {', '.join(strange)}.")
    return notes


def known(table: Table, who: AvailabilitySettings) -> dict[str, Available]:
    """The declared availability of the table's columns."""
    declared = {name: declared_as(name, who.columns) for name in table.names if name}
    return {name: said for name, said in declared.items() if said is not None}


def find_leaks(
    table: Table,
    X: pd.DataFrame,
    y: pd.Series,
    groups: pd.Series | None,
    signature: Signature,
    who: AvailabilitySettings,
) -> list[Suspect]:
    """Columns that look like outcomes, unless declared to be available for everybody.

    Raises
    ------
    DataError
        If a column tells the target; names the others that look like outcomes too.
    """
    trusted = [name for name in X.columns if declared_as(name, who.columns) == "operator"]
    own = [name for name in X.columns if name not in trusted]
    tells = [name for name in own if tells_target(X[name], y.to_numpy())]
    suspects = find_suspects(
        X,
        y,
        task="churn" if signature.positive else "satisfaction",
        groups=groups,
        scale=() if signature.words else tuple(sorted(signature.scale)),
        certain=tells,
        trusted=trusted,
    )
    if not tells:
        return suspects
    also = [one for one in suspects if one.column not in tells]
    names = [one.column for one in also if one.kind != "id"]
    raise DataError(
        f"{table.path}: {', '.join(quoted(name) for name in tells)} "
        f"{'tells' if len(tells) == 1 else 'tell'} the target: each value goes with one "
        "outcome only, so it was written after it."
        + "".join(f" {one}" for one in describe_suspects(also, advise=False)),
        hint=f"Leave out with {dropping(tells)}"
        + (f", and what looks like an outcome with {dropping(names)}." if names else "."),
        file=str(table.path),
        column=tells[0],
        columns=tells,
        count=len(tells),
        suspects=[one.to_dict() for one in suspects],
    )
