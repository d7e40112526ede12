"""How complaints are written down: the operator's own codes, and the customers' own words."""

from __future__ import annotations

import numpy as np

from churnml.tables.simulator.complaints import TEXTS
from churnml.tables.simulator.encoded_columns import ColumnBatch, ColumnData, Ints, Words
from churnml.tables.simulator.scene import Scene
from churnml.tables.simulator.wordings import Wordings, wordings

CODES = (
    "NET-011",
    "NET-012",
    "NET-021",
    "NET-022",
    "NET-031",
    "NET-032",
    "TAR-011",
    "TAR-012",
    "TAR-021",
    "TAR-022",
    "TAR-031",
    "TAR-032",
    "BUS-011",
    "TAR-091",
    "BUS-021",
    "BUS-022",
    "BUS-031",
    "NET-099",
    "WIN-011",
    "WIN-012",
    "WIN-021",
    "WIN-022",
    "WIN-031",
    "TAR-092",
    "OTH-011",
    "OTH-012",
    "OTH-021",
    "OTH-022",
    "GEN-001",
    "GEN-002",
)
"""The operator's own, two for each subcategory in its order.

Three of them stand where their letters do not tell: a failed order and a piece of wrong advice
about a tariff under TAR, a number not ported under NET. GEN says nothing.
"""

_SAYS_NOTHING = len(CODES) - 2
_NO_CODE, _VAGUE = 0.20, 0.05
"""Shares of complaints without a code, and with one that says nothing."""


def as_recorded(scene: Scene, rows: ColumnBatch) -> dict[str, ColumnData]:
    """The month's complaints as the operator wrote them down.

    Drawn from random numbers of their own, so that everything else is as it was.

    Parameters
    ----------
    scene : Scene
    rows : batch
        With the true category and subcategory.
    """
    rng, asked = scene.rng("recording"), scene.world.recording
    fine, count = _codes(rows["subcategory"]), len(_codes(rows["subcategory"]))
    code = 2 * fine + rng.integers(0, 2, count)
    code = np.where(rng.random(count) < _VAGUE, _SAYS_NOTHING + code % 2, code)
    code = np.where(rng.random(count) < _NO_CODE, -1, code)
    recorded = dict(rows) | {"code": Words(code, CODES)}
    spoilt = rng.random(count) < asked.spoilt
    if asked.own_words or asked.spoilt:
        recorded["text"] = _worded(rng, rows, own=~spoilt & asked.own_words, spoilt=spoilt)
    if asked.uncoded:
        gone = rng.random(count) < asked.uncoded
        for name in ("category", "subcategory"):
            column = rows[name]
            assert isinstance(column, Words)
            recorded[name] = Words(np.where(gone, -1, column.codes), column.words)
    return recorded


def true_categories(rows: ColumnBatch) -> dict[str, ColumnData]:
    """What each complaint is about, for ``truth/``."""
    return {name: rows[name] for name in ("category", "subcategory")}


def _worded(
    rng: np.random.Generator, rows: ColumnBatch, *, own: np.ndarray, spoilt: np.ndarray
) -> Words:
    said, fine, text = wordings(), _codes(rows["subcategory"]), _codes(rows["text"])
    drawn = rng.random(len(fine))
    worded = np.where(own, _drawn(said, fine, drawn, spoilt=False), text)
    worded = np.where(spoilt, _drawn(said, fine, drawn, spoilt=True), worded)
    return Words(np.where(text < 0, -1, worded), (*TEXTS, *said.texts))


def _drawn(said: Wordings, fine: Ints, drawn: np.ndarray, *, spoilt: bool) -> Ints:
    first, many = (said.spoilt_first, said.spoilt) if spoilt else (said.clean_first, said.clean)
    return len(TEXTS) + first + fine * many + (drawn * many).astype(np.int64)


def _codes(column: ColumnData) -> Ints:
    assert isinstance(column, Words)
    return column.codes
