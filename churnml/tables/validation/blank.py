"""Blank texts: empty or white space of any width."""

from __future__ import annotations

from ibis.expr import types as ir

_BLANKS = "\u0085\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
_BLANK = rf"^[\s{_BLANKS}]*$"
_FIRST_VISIBLE, _LAST_VISIBLE = 0x21, 0x7E


def is_blank(text: ir.StringValue) -> ir.BooleanValue:
    r"""Whether a text is empty or white space only, full-width and no-break spaces included.

    Examples
    --------
    >>> import ibis
    >>> values = ibis.array(["", " \u3000", "a b"]).unnest()
    >>> is_blank(values).to_pyarrow().to_pylist()
    [True, True, False]
    """
    # The pattern costs several times what one character does, and few texts begin so.
    first = text.ascii_str()
    return (first.between(_FIRST_VISIBLE, _LAST_VISIBLE)).ifelse(False, text.re_search(_BLANK))
