"""Build Markdown with text from data escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence


def safe(text: object) -> str:
    r"""Escape a text for Markdown and HTML, on one line.

    >>> safe("a|b <i>*x*")
    'a\\|b &lt;i&gt;\\*x\\*'
    """
    escaped = html.escape(" ".join(str(text).split()), quote=False)
    return "".join("\\" + letter if letter in "\\`*_[]|#" else letter for letter in escaped)


def code(text: object) -> str:
    """Format a name as code, also within a table.

    >>> code("arpu_mean_3m_yuan")
    '`arpu_mean_3m_yuan`'
    """
    plain = " ".join(str(text).split())
    return safe(plain) if "`" in plain else f"`{plain}`".replace("|", "\\|")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Build a table from Markdown cells.

    >>> print(table(["a", "b"], [["1", "2"]]))
    | a | b |
    |---|---|
    | 1 | 2 |
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(cells)} |" if at != 1 else f"|{'|'.join(cells)}|"
        for at, cells in enumerate(lines)
    )


def bullets(lines: Iterable[str]) -> str:
    """Build a bulleted list.

    >>> print(bullets(["one", "two"]))
    - one
    - two
    """
    return "\n".join(f"- {line}" for line in lines)
