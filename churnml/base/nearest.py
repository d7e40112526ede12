"""Suggest the name that a mistyped one most likely means."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_ALIKE = 0.6


def nearest(name: str, known: Iterable[str], *, cutoff: float = _ALIKE) -> str | None:
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
