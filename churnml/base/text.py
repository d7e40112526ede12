"""Counts and names in messages, and the name that a mistyped one most likely means."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable


def counted(number: int, one: str, several: str | None = None) -> str:
    """Format a count with its noun.

    Parameters
    ----------
    number : int
    one : str
    several : str, optional
        By default ``one`` with an ``s``.

    Examples
    --------
    >>> counted(1, "row"), counted(15102, "row"), counted(2, "copy", "copies")
    ('1 row', '15,102 rows', '2 copies')
    """
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def visible(text: object) -> str:
    r"""Escape control and direction characters.

    >>> visible("a\x00b\x1b[31m")
    'a\\x00b\\x1b[31m'
    """
    return "".join(_visible(letter) for letter in str(text))


def _visible(letter: str) -> str:
    if letter == " " or unicodedata.category(letter)[0] not in "CZ":
        return letter
    return (
        letter.encode("unicode_escape").decode("ascii")
        if letter < "\x7f"
        else f"\\u{ord(letter):04x}"
    )


def quoted(text: object) -> str:
    r"""Quote a name exactly, leading and trailing blanks included.

    >>> print(quoted("4\\5G "))
    '4\5G '
    """
    return f"'{visible(text)}'"


def nearest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known name most like a given one, ignoring case and surrounding blanks.

    Parameters
    ----------
    name : str
    known : iterable of str
    cutoff : float, default 0.6
        How much alike the two must be: 0 to 1, the ratio of `difflib.SequenceMatcher`.

    Returns
    -------
    str or None
        As it is known; ``None`` where none is near.

    Examples
    --------
    >>> nearest("PAYMENT ", ["month", "payment"])
    'payment'
    >>> nearest("amount", ["sector"]) is None
    True
    """
    folded = {one.strip().casefold(): one for one in known if one.strip()}
    matches = difflib.get_close_matches(name.strip().casefold(), folded, n=1, cutoff=cutoff)
    return folded[matches[0]] if matches else None
