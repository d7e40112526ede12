"""A population whose satisfaction is known, surveyed again and again."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from churnml.config.settings import IndexSettings
from churnml.datasets.nonresponse import trimmed_weights
from churnml.service.index.cells import measure
from churnml.service.index.survey import Level, Survey
from churnml.service.index.weights import Margin, merge_empty, rake

SETTINGS = IndexSettings()


@dataclass(frozen=True, kw_only=True)
class Population:
    """Everybody: what they would answer, what columns show of them, where they belong."""

    y: np.ndarray
    x: np.ndarray
    predictions: np.ndarray
    levels: dict

    @property
    def customers(self) -> int:
        return self.y.size


def population(
    seed: int = 0, *, customers: int = 8_000, halls: int = 16, between: float = 2.0
) -> Population:
    """Answers of sd 20; predictions explain about a sixth of them; halls differ by sd 2."""
    rng = np.random.default_rng(seed)
    sizes = rng.dirichlet(np.full(halls, 4.0))
    hall = rng.choice(halls, customers, p=sizes).astype(np.int32)
    brand = rng.choice(3, customers, p=[0.5, 0.3, 0.2]).astype(np.int32)
    x = rng.normal(size=(customers, 3))
    shown = 75 + 7 * x[:, 0] + 4 * x[:, 1] + rng.normal(0, between, halls)[hall] + 2 * (brand == 0)
    y = np.clip(shown + rng.normal(0, 18, customers), 0, 100)
    # A model of an earlier year: right in kind, wrong in level.
    predictions = np.clip(72 + 6 * x[:, 0] + 5 * x[:, 1], 0, 100)
    return Population(
        y=y,
        x=x,
        predictions=predictions,
        levels={
            "brand": Level(codes=brand, names=("a", "b", "c")),
            "hall": Level(codes=hall, names=tuple(f"H{at:02d}" for at in range(halls))),
        },
    )


def chance_of_answering(everybody: Population, *, rate: float = 0.05, hidden: float = 0.0):
    """Who answers depends on what columns show and, by ``hidden``, on the answer itself."""
    odds = 0.8 * everybody.x[:, 0] - 0.4 * everybody.x[:, 1]
    odds = odds + hidden * (everybody.y - everybody.y.mean()) / 20
    odds = odds - np.log(np.exp(odds).mean() / rate)
    return 1 / (1 + np.exp(-odds))


def draw(
    everybody: Population,
    chance: np.ndarray,
    seed: int,
    *,
    predictions: np.ndarray | None = None,
    weighted: bool = True,
) -> Survey:
    """One survey: who answers is drawn, and weighed by what columns show of everybody."""
    rng = np.random.default_rng(seed)
    answered = rng.random(everybody.customers) < chance
    place = np.flatnonzero(answered)
    weight = np.ones(place.size)
    if weighted:
        model = LogisticRegression().fit(everybody.x, answered)
        weight, _ = trimmed_weights(model.predict_proba(everybody.x)[place, 1])
    margins = {}
    for by, level in everybody.levels.items():
        margin = Margin(
            codes=level.codes[place].astype(np.int64),
            totals=level.counts().astype(float),
            names=level.names,
        )
        margins[by], _ = merge_empty(margin, fewest=5)
    start = weight * everybody.customers / weight.sum()
    raked = rake(start, margins, cap=5).weight if weighted else start
    every = everybody.predictions if predictions is None else predictions
    return Survey(
        predictions=every,
        invited=np.ones(everybody.customers, np.int64),
        levels=everybody.levels,
        place=place,
        score=everybody.y[place],
        held_out=every[place],
        weight=raked,
        ids=np.array([f"c{at}" for at in place], object),
    )


def truth(everybody: Population) -> dict[tuple[str, str], float]:
    """The mean answer of everybody, and of every cell."""
    found = {("", ""): float(everybody.y.mean())}
    for by, level in everybody.levels.items():
        means = pd.Series(everybody.y).groupby(level.codes).mean()
        found |= {(by, name): float(means[at]) for at, name in enumerate(level.names)}
    return found


def survey_often(everybody: Population, chance: np.ndarray, draws: int, **options) -> pd.DataFrame:
    """One row a draw and cell: whether intervals hold the truth, and how wide they are."""
    known, rows = truth(everybody), []
    for seed in range(draws):
        for cell in measure(draw(everybody, chance, seed, **options), SETTINGS):
            true = known[cell.by, cell.name]
            # A hall of which nobody answered is predicted alone.
            plain = cell.survey
            low, high = plain.interval() if plain is not None else (np.nan, np.nan)
            rows.append(
                {
                    "by": cell.by,
                    "cell": cell.name,
                    "how": cell.how,
                    "covered": cell.low <= true <= cell.high,
                    "width": cell.high - cell.low,
                    "error": cell.value - true,
                    "survey_covered": low <= true <= high,
                    "survey_width": high - low,
                    "survey_error": plain.value - true if plain is not None else np.nan,
                    "tuned": cell.tuned,
                }
            )
    return pd.DataFrame(rows)


def coverage(rows: pd.DataFrame, column: str = "covered") -> str:
    """A coverage with its Monte-Carlo error."""
    share = rows[column].mean()
    return f"{share:.3f} ± {np.sqrt(share * (1 - share) / len(rows)):.3f}"
