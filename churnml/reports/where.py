"""Filters that a user writes: one boolean expression over a list's columns, and nothing else."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import sqlglot
from sqlglot import exp

from churnml.errors import UsageError

_LONGEST = 2_000
_ALLOWED = (
    exp.And,
    exp.Or,
    exp.Not,
    exp.Paren,
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.Is,
    exp.Null,
    exp.In,
    exp.Between,
    exp.Like,
    exp.Literal,
    exp.Boolean,
    exp.Column,
    exp.Identifier,
    exp.Neg,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Div,
)
_DECISIONS = (exp.Predicate, exp.And, exp.Or, exp.Not, exp.Boolean)


def parse_where(text: str, columns: Sequence[str]) -> str:
    """Check a filter, and write it as SQL of nothing but its own columns and values.

    Parameters
    ----------
    text : str
        Comparisons, ``AND``, ``OR``, ``NOT``, ``IN``, ``BETWEEN``, ``LIKE``, ``IS NULL`` and
        arithmetic. No function, no subquery, no file.
    columns : sequence of str
        The columns that it may name, in any case.

    Raises
    ------
    UsageError
        If it is anything else; says what and where.

    Examples
    --------
    >>> print(parse_where("Arpu > 100 and risk_band = 'high'", ["arpu", "risk_band"]))
    "arpu" > 100 AND "risk_band" = 'high'
    """
    if len(text) > _LONGEST:
        raise _refused(text[:40] + "…", f"{len(text):,} characters; at most {_LONGEST:,} expected")
    try:
        statements = sqlglot.parse(text, dialect="duckdb")
    except (sqlglot.errors.SqlglotError, RecursionError):
        raise _refused(text, "this is not an expression") from None
    if len(statements) != 1 or statements[0] is None:
        raise _refused(text, "one expression expected")
    tree = statements[0]
    known = {name.casefold(): name for name in columns}
    for node in tree.walk():
        if type(node) not in _ALLOWED:
            raise _refused(text, f"{node.sql(dialect='duckdb')!r} is not allowed")
        if isinstance(node, exp.Column):
            _bind(text, node, known)
    inner = tree.unnest()
    if not isinstance(inner, _DECISIONS):
        raise _refused(text, "no condition; one such as arpu > 100 expected")
    return str(tree.sql(dialect="duckdb"))


def _bind(text: str, node: exp.Column, known: dict[str, str]) -> None:
    name = node.sql(dialect="duckdb") if node.table else node.name
    if name.casefold() not in known:
        near = difflib.get_close_matches(name.casefold(), known, n=1)
        meant = f" Did you mean {known[near[0]]}?" if near else ""
        raise UsageError(
            f"--where: the list has no column {name!r}.{meant}",
            hint=f"It has {', '.join(known.values())}.",
            value=text,
            column=name,
        )
    node.this.replace(exp.to_identifier(known[name.casefold()], quoted=True))


def _refused(text: str, problem: str) -> UsageError:
    return UsageError(
        f"--where {text!r}: {problem}.",
        hint="Write one condition over the list's columns, such as arpu > 100 and "
        "risk_band = 'critical'; no function, subquery or file.",
        value=text,
    )
