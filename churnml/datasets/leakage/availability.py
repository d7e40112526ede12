"""Columns that scoring cannot have, by declaration: refused by name, or left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from churnml.config.settings import AvailabilitySettings, Available
from churnml.errors import DataError
from churnml.features import Feature

ALWAYS: Mapping[str, Available] = {"customers.terminated_on": "outcome"}
"""What the contract itself says of its columns."""

_WITHHELD = ("survey", "outcome")


def declared_as(name: str, columns: Mapping[str, Available]) -> Available | None:
    """What is declared of a column; ``None`` where nothing is.

    A name that stands there as it is goes before a pattern, the first pattern before others.

    Examples
    --------
    >>> declared_as("Q3", {"Q*": "survey", "Q3": "operator"})
    'operator'
    >>> declared_as("Q4", {"Q*": "survey"}), declared_as("age", {"Q*": "survey"})
    ('survey', None)
    """
    if name in columns:
        return columns[name]
    return next((who for given, who in columns.items() if _matches(given, name)), None)


def _matches(pattern: str, name: str) -> bool:
    # Not fnmatch: column names may hold brackets, which mean nothing here.
    wild = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return bool({"*", "?"} & set(pattern)) and re.fullmatch(wild, name, re.DOTALL) is not None


def refused(
    names: Iterable[str], settings: AvailabilitySettings, *, place: str
) -> dict[str, Available]:
    """The columns of a table that are declared to be had by some customers only.

    Parameters
    ----------
    names : iterable of str
        The columns that training would read.
    settings : AvailabilitySettings
    place : str
        The file, for messages.

    Returns
    -------
    dict of str to {"survey", "outcome"}
        To be left out, where the settings say so.

    Raises
    ------
    DataError
        If there are any and the settings do not say that they be dropped.

    Examples
    --------
    >>> who = AvailabilitySettings(columns={"reason": "outcome"})
    >>> refused(["age", "reason"], who, place="t.csv")
    Traceback (most recent call last):
    churnml.errors.DataError: t.csv: 'reason' is declared outcome: scoring cannot have it. Leave
    out with --drop 'reason', or set availability.unavailable to drop.
    """
    declared = {name: declared_as(name, settings.columns) for name in names}
    lost = {name: who for name, who in declared.items() if who in _WITHHELD}
    if lost and settings.unavailable == "refuse":
        listed = ", ".join(f"{name!r} is declared {who}" for name, who in lost.items())
        raise DataError(
            f"{place}: {listed}: scoring cannot have {'it' if len(lost) == 1 else 'them'}.",
            hint=f"Leave out with {dropping(lost)}, or set availability.unavailable to drop.",
            file=place,
            column=next(iter(lost)),
            columns=list(lost),
            count=len(lost),
        )
    return {name: who for name, who in lost.items() if who is not None}


def dropping(names: Iterable[str]) -> str:
    """The options that leave columns out, as one types them.

    >>> dropping(["CLTV", "Churn Score"])
    "--drop 'CLTV' --drop 'Churn Score'"
    """
    quoted = (name.replace("'", "'\"'\"'") for name in names)
    return " ".join(f"--drop '{name}'" for name in quoted)


def withheld(
    features: Iterable[Feature],
    settings: AvailabilitySettings,
    source: Mapping[str, Available] | None = None,
) -> list[str]:
    """Features of operator tables that read what scoring cannot have.

    Parameters
    ----------
    features : iterable of Feature
    settings : AvailabilitySettings
        By feature, or ``table.column`` in the contract's names.
    source : mapping of ``table.column`` to availability, optional
        What the mapping of the source says.

    Returns
    -------
    list of str
        Those to leave out, where the settings say so.

    Raises
    ------
    DataError
        If there are any and the settings do not say that they be dropped.
    """
    lost: dict[str, list[str]] = {}
    for feature in features:
        for cause, who in _said(feature, settings, source or {}).items():
            if who in _WITHHELD:
                lost.setdefault(f"{cause} is declared {who}", []).append(feature.name)
    names = list(dict.fromkeys(name for readers in lost.values() for name in readers))
    if lost and settings.unavailable == "refuse":
        listed = "; ".join(f"{cause} (read by {', '.join(by)})" for cause, by in lost.items())
        raise DataError(
            f"{listed}: scoring cannot have it for every customer.",
            hint="Set availability.unavailable to drop, or declare it operator.",
            column=next(iter(lost)).split()[0],
            columns=names,
            count=len(names),
        )
    return names


def _said(
    feature: Feature, settings: AvailabilitySettings, source: Mapping[str, Available]
) -> dict[str, Available]:
    """What is said of a feature and of what it reads; the settings go before the source."""
    own = declared_as(feature.name, settings.columns)
    if own is not None:
        return {feature.name: own}
    declared: dict[str, Available] = {feature.name: feature.availability}
    for need in feature.needs:
        who = declared_as(need, settings.columns) or source.get(need) or ALWAYS.get(need)
        if who is not None:
            declared[need] = who
    return declared
