"""What the public looks at (社会关注热点): topics that surge in a region against their usual."""

from __future__ import annotations

import numpy as np
import pandas as pd
from ibis import _
from ibis.expr import types as ir
from numpy.typing import NDArray
from scipy.stats import beta, binom

from churnml.base.dates import months_before
from churnml.metrics.intervals import LEVEL
from churnml.metrics.significance import holm
from churnml.service.complaints.cells import Frame, cells_of, fetched, hidden_places
from churnml.service.small_cells import FEWEST, blank

USUAL_MONTHS = 6
"""Months before the last whole one that say what is usual."""

COLUMNS = ("region", "category", "month", "recent", "usual", "ratio", "low", "high", "surge")


def find_surges(complaints: ir.Table, frame: Frame) -> pd.DataFrame:
    """Complaints of the last whole month by region and topic against the months before.

    Parameters
    ----------
    complaints : Table
        Coded, with ``month`` and places, from `USUAL_MONTHS` before the last whole month on.
    frame : Frame

    Returns
    -------
    DataFrame
        The columns of `COLUMNS`: ``recent`` complaints, ``usual`` ones a month, their
        ``ratio`` with its 95 % interval, and whether it is a ``surge``: above 1 by a test
        that holds over all regions and topics together (Holm). The region is the empty text
        for all. Null where hidden.
    """
    last = frame.months[-1]
    begun = complaints.month.min().to_pyarrow().as_py()
    months = [months_before(last, ago) for ago in range(USUAL_MONTHS, 0, -1)]
    months = [month for month in months if begun is not None and month >= begun]
    coded = complaints.filter(complaints.category.notnull())
    rows = coded.filter(coded.month.isin([*months, last]))
    parts = [
        cells_of(rows, by)
        .group_by("by", "cell", "category")
        .agg(
            recent=_.count(where=_.month == last),
            before=_.count(where=_.month < last),
            people=_.customer_id.nunique(where=_.month == last),
            people_before=_.customer_id.nunique(where=_.month < last),
        )
        for by in ("", *(["region"] if "region" in frame.by else []))
    ]
    found = pd.concat([fetched(part) for part in parts], ignore_index=True)
    if found.empty or not months:
        return pd.DataFrame(columns=list(COLUMNS))
    found = found.sort_values(["by", "cell", "category"], ignore_index=True)
    ratio, low, high, chance = compare_counts(
        found["recent"].to_numpy(float), found["before"].to_numpy(float), 1 / len(months)
    )
    found = found.assign(
        region=found["cell"], month=last, usual=found["before"] / len(months), ratio=ratio,
        low=low, high=high, surge=(ratio > 1) & (holm(chance) < 1 - LEVEL),
    )  # fmt: skip
    shown = blank(
        found, _hidden(found), columns=("recent", "usual", "ratio", "low", "high", "surge")
    )
    return shown[list(COLUMNS)]


def compare_counts(
    recent: NDArray[np.float64], before: NDArray[np.float64], exposure: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The ratio of two Poisson rates with its exact interval, and the chance of such a rise.

    Parameters
    ----------
    recent, before : array
        Counts.
    exposure : float
        How long ``recent`` was counted, as a multiple of ``before``.

    Returns
    -------
    (array, array, array, array)
        Ratio, low, high, and the one-sided probability of so many recent ones if the rates
        were equal.

    References
    ----------
    Przyborowski and Wilenski (1940), "Homogeneity of results in testing samples from Poisson
    series", Biometrika 31; the interval is Clopper and Pearson's of the share.

    Examples
    --------
    >>> ratio, low, high, chance = compare_counts(np.array([30.0]), np.array([60.0]), 1 / 6)
    >>> float(ratio[0]), round(float(low[0]), 2), round(float(high[0]), 2), chance[0] < 1e-4
    (3.0, 1.87, 4.72, np.True_)
    """
    total, tail = recent + before, (1 - LEVEL) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(recent > 0, beta.ppf(tail, recent, before + 1), 0.0)
        high = np.where(before > 0, beta.ppf(1 - tail, recent + 1, before), 1.0)
        bounds = [share / (1 - share) / exposure for share in (low, high)]
        ratio = recent / before / exposure
    fair = exposure / (1 + exposure)
    return ratio, bounds[0], bounds[1], binom.sf(recent - 1, total, fair)


def _hidden(found: pd.DataFrame) -> NDArray[np.bool_]:
    mask = np.zeros(len(found), dtype=bool)
    for _category, at in found.groupby("category").indices.items():
        part = found.iloc[at]
        cells = list(zip(part["by"], part["cell"], strict=True))
        for count, people in (("recent", "people"), ("before", "people_before")):
            mask[at] |= hidden_places(
                cells,
                part[count].to_numpy(float)[:, None],
                (part[people] < FEWEST).to_numpy()[:, None],
                parents={},
            )[:, 0]
    return mask
