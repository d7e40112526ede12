"""The settings, as typed models with their defaults; ``configs/`` spells them out.

A configuration file is YAML with any of the sections below; what it leaves out has the
default. Unknown and duplicate keys are errors that name the line. Each section is a module
of its own beside this one.

>>> Config().tiers.gold
1500.0
>>> Config.model_validate({"tiers": {"gold": 1200}}).tiers.gold
1200.0
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from churnml.config.actions import Action, ActionSettings
from churnml.config.availability import AvailabilitySettings, Available
from churnml.config.brands import BrandSettings, BrandWords
from churnml.config.complaints import CodeMeaning, ComplaintSettings, RegulatorClass
from churnml.config.faults import refusal
from churnml.config.index import IndexSettings
from churnml.config.monitoring import MonitorSettings
from churnml.config.promotion import Promotion
from churnml.config.quality import QualitySettings
from churnml.config.retention import Costs, RetentionSettings, SegmentLimits
from churnml.config.running import EngineSettings, StoreSettings, ValidationSettings
from churnml.config.scoring import Scoring
from churnml.config.section import Budget, Section, Share, Span
from churnml.config.tiers import Tiers
from churnml.config.training import (
    ChurnSettings,
    HazardSettings,
    SatisfactionSettings,
    TrainingSettings,
)
from churnml.config.yaml import read_yaml
from churnml.errors import UsageError

__all__ = [
    "Action",
    "ActionSettings",
    "AvailabilitySettings",
    "Available",
    "BrandSettings",
    "BrandWords",
    "Budget",
    "ChurnSettings",
    "CodeMeaning",
    "ComplaintSettings",
    "Config",
    "ConfigGiven",
    "Costs",
    "EngineSettings",
    "HazardSettings",
    "IndexSettings",
    "MonitorSettings",
    "Promotion",
    "QualitySettings",
    "RegulatorClass",
    "RetentionSettings",
    "SatisfactionSettings",
    "Scoring",
    "Section",
    "SegmentLimits",
    "Share",
    "Span",
    "StoreSettings",
    "Tiers",
    "TrainingSettings",
    "ValidationSettings",
    "as_config",
    "load_config",
    "parse",
    "schema",
    "with_setting",
]

M = TypeVar("M", bound=BaseModel)


class Config(Section):
    """All settings.

    Examples
    --------
    >>> Config().churn.horizon
    '2mo'
    """

    brands: BrandSettings = BrandSettings()
    tiers: Tiers = Tiers()
    complaints: ComplaintSettings = ComplaintSettings()
    churn: ChurnSettings = ChurnSettings()
    satisfaction: SatisfactionSettings = SatisfactionSettings()
    hazard: HazardSettings = HazardSettings()
    scoring: Scoring = Scoring()
    costs: Costs = Costs()
    retention: RetentionSettings = RetentionSettings()
    availability: AvailabilitySettings = AvailabilitySettings()
    index: IndexSettings = IndexSettings()
    promotion: Promotion = Promotion()
    quality: QualitySettings = QualitySettings()
    monitor: MonitorSettings = MonitorSettings()
    validation: ValidationSettings = ValidationSettings()
    engine: EngineSettings = EngineSettings()
    store: StoreSettings = StoreSettings()
    actions: ActionSettings = ActionSettings()

    def digest(self) -> str:
        """SHA-256 of all settings that can change a result."""
        beside = dict.fromkeys(("engine", "store", "actions", "monitor"), True)
        settings = self.model_dump(mode="json", exclude=beside | {"scoring": {"track"}})
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


ConfigGiven = Config | Mapping[str, Any] | str | Path
"""What a verb takes as settings: `as_config` makes them."""


def as_config(config: ConfigGiven | None) -> Config:
    """The settings that a verb was given: settings, a file, a mapping of sections, or none.

    Raises
    ------
    UsageError
        If a file or mapping says what is not a setting, or it is none of these.

    Examples
    --------
    >>> as_config({"tiers": {"gold": 1200}}).tiers.gold
    1200.0
    """
    if config is None or isinstance(config, Config):
        return config or Config()
    if isinstance(config, str | Path):
        return load_config(config)
    if not isinstance(config, Mapping):
        raise UsageError(
            f"config is a {type(config).__name__}.",
            hint="Give churnml.Config(...), a YAML file, or a mapping of its sections.",
        )
    return parse(Config, dict(config), "config")


def load_config(path: str | Path | None = None) -> Config:
    """Read the settings of a YAML file; the rest have their defaults.

    Parameters
    ----------
    path : path, optional
        Without it, the defaults.

    Raises
    ------
    UsageError
        If the file cannot be read or says what is not a setting, with the place and the
        nearest setting.
    """
    if path is None:
        return Config()
    content = read_yaml(path) or {}
    return parse(Config, content, str(path), Path(path).read_text(encoding="utf-8-sig"))


def parse(model: type[M], content: Any, place: str, text: str | None = None) -> M:
    """Parse the content of a YAML file as settings, or raise a `UsageError` that says where.

    With the file's ``text``, the error has line numbers too.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        if not isinstance(content, dict):
            raise UsageError(f"{place}: a mapping of sections expected.", file=place) from None
        raise refusal(model, error, place, text) from None


def with_setting(config: Config, name: str, value: Any) -> Config:
    """The settings with one of them changed.

    Parameters
    ----------
    config : Config
    name : str
        Section and key.
    value : any

    Raises
    ------
    UsageError
        If the value is not one that the setting can have.

    Examples
    --------
    >>> with_setting(Config(), "churn.budget", "60s").churn.budget
    '60s'
    """
    section, key = name.split(".")
    # What nobody has set stays so: some settings then give way to the model's own.
    content = config.model_dump(exclude_unset=True)
    content.setdefault(section, {})[key] = value
    return parse(Config, content, f"--{key}")


def schema() -> str:
    """The JSON schema of a configuration file, for editors."""
    return json.dumps(Config.model_json_schema(), indent=2, ensure_ascii=False) + "\n"
