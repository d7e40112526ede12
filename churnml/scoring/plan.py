"""Plan a scoring: the models, and everything that can change its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from churnml import __version__
from churnml.base.tasks import TASKS
from churnml.config.settings import Config
from churnml.errors import ModelError, UsageError
from churnml.errors.masking import without_secrets
from churnml.models.compiled import compile_trees, compiler
from churnml.models.model import Model, check_golden
from churnml.registry.resolve import Resolved, as_resolved, resolve_champions
from churnml.scoring.shards import LIGHTGBM, ScoringRecipe

ModelsAsked = Mapping[str, "Model | str | Path | None"]
"""By task: a model, its URI, or nothing."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """One scoring.

    Attributes
    ----------
    source : str
        Where the rows come from, for people.
    fingerprint : str
        SHA-256 of the input.
    recipe : ScoringRecipe
    config : Config
    engine : str
        The engine, where it divides the rows in another way than DuckDB.
    """

    source: str
    fingerprint: str
    recipe: ScoringRecipe
    config: Config
    engine: str = ""

    def key(self) -> dict[str, Any]:
        """The plan as plain data, which identifies this work."""
        return {
            "source": without_secrets(self.source),
            "fingerprint": self.fingerprint,
            "as_of": self.recipe.as_of.isoformat() if self.recipe.as_of else None,
            "models": self.models(),
            "reasons": {name: count for name, (_, count) in self.recipe.explained.items()},
            "bands": self.bands(),
            "config": self.config.digest(),
            "churnml": __version__,
        } | self._beside()

    def _beside(self) -> dict[str, str]:
        """What stands in the key only where it is not the usual."""
        engine = {"engine": self.engine} if self.engine else {}
        trees = {} if self.recipe.trees == LIGHTGBM else {"trees": self.recipe.trees}
        return engine | trees

    def bands(self) -> dict[str, Any]:
        """What cuts the risk bands, as recorded in the manifest; empty where none are given."""
        return self.recipe.cuts.to_dict() if _banded(self.recipe.models) is not None else {}

    def models(self) -> dict[str, dict[str, str]]:
        """The models as recorded in the manifest."""
        return {
            task: {"version": one.version, "uri": one.uri, "digest": one.model.digest}
            for task, one in self.recipe.models.items()
        }


def choose_models(asked: ModelsAsked) -> dict[str, Resolved]:
    """The models asked for; where none is, the champions, as far as they exist.

    A model of a task that is not scored by default (a hazard) is used where it is asked for,
    never by itself: what it gives are columns beside the others.

    Each alias is looked up once and its golden rows are scored again: from here on there
    is one version of each model.

    Parameters
    ----------
    asked : mapping of task to model, URI or None

    Raises
    ------
    ModelError
        If a model does not exist, is of the other task, or scores its golden rows
        differently here.
    """
    given = {task: as_resolved(one) for task, one in asked.items() if one is not None}
    chosen = {task: one for task, one in given.items() if TASKS[task].by_default}
    chosen = (chosen or resolve_champions()) | given
    for task, one in chosen.items():
        if one.model.task != task:
            raise ModelError(
                f"{one.uri}: a {one.model.task} model; a {task} model was asked for.",
                hint=f"Name it with --{one.model.task}-model.",
            )
        check_golden(one.model)
    return chosen


def make_recipe(
    models: dict[str, Resolved], as_of: date | None, reasons: int | None, config: Config
) -> ScoringRecipe:
    """Build the recipe from the settings; ``reasons`` takes precedence.

    Raises
    ------
    UsageError
        If bands are cut by money where nobody's spending is known, or the trees are to be
        compiled and what that needs is not installed.
    ModelError
        If compiled trees score otherwise than LightGBM does.
    """
    settings = config.scoring
    trees = LIGHTGBM
    if config.engine.trees == "lleaves":
        trees = compiler()
        models = {
            task: replace(one, model=compile_trees(one.model)) for task, one in models.items()
        }
    recipe = ScoringRecipe(
        models=models,
        trees=trees,
        as_of=as_of,
        reasons=settings.reasons if reasons is None else reasons,
        satisfaction_reasons=settings.satisfaction_reasons if reasons is None else reasons,
        bands=_bands(models, config),
        bands_by=settings.bands_by,
        months_kept=config.costs.months_kept,
    )
    if settings.bands_by == "money" and recipe.kind == "table" and _banded(models) is not None:
        raise UsageError(
            "scoring.bands_by is money, and a table of one's own has no ARPU to tell it by.",
            hint="Cut its risk bands by percentile or probability.",
            value="money",
        )
    return recipe


def _bands(models: dict[str, Resolved], config: Config) -> tuple[float, float, float]:
    """The limits of risk bands: those of the settings, else those of the model's training."""
    banded, settings = _banded(models), config.scoring
    if settings.bands_by == "probability":
        return settings.band_probabilities
    if settings.bands_by == "money":
        return settings.band_money
    if banded is None or "band_percentiles" in settings.model_fields_set:
        return settings.band_percentiles
    return banded.model.bands


def _banded(models: Mapping[str, Resolved]) -> Resolved | None:
    """The model whose scores are given bands."""
    return next((one for task, one in models.items() if TASKS[task].bands), None)


def band_warnings(recipe: ScoringRecipe) -> list[str]:
    """Warn of risk bands that differ from those of the model's training."""
    banded = _banded(recipe.models)
    if banded is None:
        return []
    if recipe.bands_by != "percentile":
        cuts = ", ".join(f"{cut:g}" for cut in banded.model.bands)
        return [
            f"{recipe.cuts.meaning()} Where {banded.version} is served, they begin at the "
            f"percentiles {cuts}."
        ]
    if recipe.bands == banded.model.bands:
        return []
    here, own = (
        ", ".join(f"{cut:g}" for cut in cuts) for cuts in (recipe.bands, banded.model.bands)
    )
    return [
        f"Risk bands begin at {here}, as the settings say; those of {banded.version}, also where "
        f"it is served, at {own}."
    ]


def version_warnings(models: dict[str, Resolved]) -> list[str]:
    """Warn of library versions that differ from those a model was made with."""
    warnings = []
    for one in models.values():
        for name, made in sorted(one.model.versions.items()):
            here = __version__ if name == "churnml" else _installed(name)
            if here != made:
                warnings.append(f"{one.version} was made with {name} {made}; here is {here}.")
    return warnings


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
