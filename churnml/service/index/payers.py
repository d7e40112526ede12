"""Who uses, who pays, and who lives together are not the same: the index by each.

A survey asks users. Whoever pays for several of them may be another person, and a household of
five is not five times as important as one that is alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from churnml.service.index import notes
from churnml.service.index.notes import Note
from churnml.service.index.prediction_powered import Mean, prediction_powered, tuning, weighted_mean
from churnml.service.index.survey import Survey


@dataclass(frozen=True, kw_only=True)
class Group:
    """The index of some customers, or of all by another count.

    Attributes
    ----------
    what : Note
    customers, answers : int
    mean : Mean
    """

    what: Note
    customers: int
    answers: int
    mean: Mean

    def note(self) -> Note:
        """It as a sentence."""
        low, high = self.mean.interval()
        return notes.who_pays(self.what, self.mean.value, low, high, self.answers)

    def to_dict(self) -> dict[str, Any]:
        """It as plain data."""
        low, high = self.mean.interval()
        return {
            "what": self.what.en,
            "what_zh": self.what.zh,
            "customers": self.customers,
            "answers": self.answers,
            "index": self.mean.value,
            "index_low": low,
            "index_high": high,
        }


def by_payer(
    survey: Survey,
    *,
    customer_ids: pa.Array | None,
    payers: pa.Array | None,
    households: pa.Array | None,
    fewest: int,
) -> list[Group]:
    """The index of those who pay themselves and of the others, by payer, and by household.

    Parameters
    ----------
    survey : Survey
    customer_ids, payers, households : array of str, shape (N,), or None
        Where they are recorded; a missing payer is the customer, a missing household is one of
        its own.
    fewest : int
        A group of fewer people who answered is left out, and so is who remains without it.
    """
    found: list[Group] = []
    if payers is not None and customer_ids is not None:
        ids = customer_ids.cast(pa.string())
        who = pc.coalesce(payers.cast(pa.string()), ids)
        themselves = pc.equal(who, ids).to_numpy(zero_copy_only=False)
        parts = [
            _group(survey, notes.PAYS, themselves.astype(float)),
            _group(survey, notes.PAID_FOR, 1.0 - themselves),
        ]
        if all(part is not None and part.mean.influence.size >= fewest for part in parts):
            found += [part for part in parts if part is not None]
        found += _each_once(survey, notes.EVERY_PAYER, who, fewest)
    if households is not None:
        names = households.cast(pa.string())
        # Whose household is not recorded is taken to live alone.
        alone = pa.array([f"\0{at}" for at in range(len(names))]) if names.null_count else names
        found += _each_once(survey, notes.EVERY_HOUSEHOLD, pc.coalesce(names, alone), fewest)
    return found


def _each_once(survey: Survey, what: Note, names: pa.Array, fewest: int) -> list[Group]:
    codes = names.dictionary_encode().indices.to_numpy().astype(np.int64)
    sizes = np.bincount(codes)
    if sizes.max(initial=0) < 2:
        return []
    group = _group(survey, what, 1 / sizes[codes], clusters=codes)
    return [group] if group is not None and group.mean.influence.size >= fewest else []


def _group(
    survey: Survey,
    what: Note,
    counts: NDArray[np.float64],
    clusters: NDArray[np.int64] | None = None,
) -> Group | None:
    """The index where each customer counts so much."""
    weight = survey.weight * counts[survey.place]
    some = weight > 0
    if not some.any():
        return None
    place = survey.place[some]
    y, f, w = survey.score[some], survey.held_out[some], weight[some]
    mean = prediction_powered(
        y,
        f,
        weighted_mean(survey.predictions, counts),
        weight=w,
        tuned=tuning(survey.score, survey.held_out, survey.weight),
        clusters=place if clusters is None else clusters[place],
    )
    return Group(
        what=what, customers=int((counts > 0).sum()), answers=int(pd.Series(place).size), mean=mean
    )
