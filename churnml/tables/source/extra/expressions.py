"""Expressions over a table's columns: arithmetic, comparisons and nothing else.

>>> names_in("(inbound + outbound) / 60 > 5")
('inbound', 'outbound')
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import ibis
from ibis.expr import types as ir

from churnml.errors import UsageError

_LONGEST = 2_000
_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def names_in(text: str) -> tuple[str, ...]:
    """The columns that an expression reads, in order.

    Raises
    ------
    UsageError
        If it is not an expression, or does what none may.
    """
    tree = _parsed(text)
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    ordered = sorted(names, key=lambda node: (node.lineno, node.col_offset))
    if not ordered:
        raise _refused(text, "names no column")
    return tuple(dict.fromkeys(node.id for node in ordered))


def texts_in(text: str) -> tuple[str, ...]:
    """The columns that an expression compares with a text.

    >>> texts_in("channel == 'app' and minutes > 3")
    ('channel',)
    """
    found = []
    for node in ast.walk(_parsed(text)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in sides):
                found += [one.id for one in sides if isinstance(one, ast.Name)]
    return tuple(dict.fromkeys(found))


def evaluate(text: str, rows: ir.Table) -> ir.Value:
    """The expression over the rows of a table; division by 0 gives null."""
    return _value(_parsed(text), rows)


def _parsed(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise _refused(text[:40] + "…", f"{len(text):,} characters; at most {_LONGEST:,} expected")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _refused(text, "this is not an expression") from None
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED) or (
            isinstance(node, ast.Constant) and not isinstance(node.value, int | float | str)
        ):
            part = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
            raise _refused(text, f"{part!r} is not allowed")
    return tree


_ALLOWED = (
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.Name,
    ast.Constant,
    ast.Load,
    ast.And,
    ast.Or,
    ast.Not,
    ast.USub,
    ast.Div,
    *_ARITHMETIC,
    *_COMPARISONS,
)


def _value(node: ast.AST, rows: ir.Table) -> Any:
    if isinstance(node, ast.Name):
        return rows[node.id]
    if isinstance(node, ast.Constant):
        return ibis.literal(node.value)
    if isinstance(node, ast.UnaryOp):
        inner = _value(node.operand, rows)
        return ~inner if isinstance(node.op, ast.Not) else -inner
    if isinstance(node, ast.BoolOp):
        join = operator.and_ if isinstance(node.op, ast.And) else operator.or_
        return reduce(join, [_value(one, rows) for one in node.values])
    if isinstance(node, ast.Compare):
        sides = [_value(one, rows) for one in (node.left, *node.comparators)]
        pairs = zip(node.ops, sides, sides[1:], strict=False)
        return reduce(
            operator.and_, [_COMPARISONS[type(op)](left, right) for op, left, right in pairs]
        )
    assert isinstance(node, ast.BinOp)
    left, right = _value(node.left, rows), _value(node.right, rows)
    if isinstance(node.op, ast.Div):
        return left.cast("float64") / right.cast("float64").nullif(0.0)
    return _ARITHMETIC[type(node.op)](left, right)


def _refused(text: str, problem: str) -> UsageError:
    return UsageError(
        f"expression {text!r}: {problem}.",
        hint="Write arithmetic and comparisons over the table's columns, such as "
        "(inbound + outbound) / 60, or wait > 600 and channel == 'hall'.",
        value=text,
    )
