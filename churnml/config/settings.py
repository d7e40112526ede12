"""The settings, as typed models with their defaults; ``configs/`` spells them out.

A configuration file is YAML with any of the sections below; what it leaves out has the
default. Unknown and duplicate keys are errors that name the line.

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
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from churnml.config.faults import refusal
from churnml.config.quality import QualitySettings
from churnml.config.section import Section, Share
from churnml.config.yaml import read_yaml
from churnml.errors import UsageError

Span = Annotated[str, StringConstraints(pattern=r"^\d+(d|mo)$")]
"""A length of time: days (``60d``) or calendar months (``2mo``)."""

Budget = Annotated[str, StringConstraints(pattern=r"^[1-9]\d*(s|m|h)$")]
"""A time to spend: seconds (``60s``), minutes or hours."""

M = TypeVar("M", bound=BaseModel)


class Tiers(Section):
    """Customer tiers: individuals by ARPU, corporate groups by size, sector and spending."""

    arpu_months: int = Field(3, ge=1, le=12, description="visible months whose mean is the ARPU")
    silver: float = Field(666.0, gt=0, description="silver card (银卡) from this ARPU, yuan")
    gold: float = Field(1500.0, gt=0, description="gold card (金卡) from this ARPU, yuan")
    diamond: float = Field(3000.0, gt=0, description="diamond card (钻石卡) from this ARPU, yuan")
    a_handsets: int = Field(500, gt=0, description="group A from this many handsets on")
    b_handsets: int = Field(100, gt=0, description="group B from this many handsets on")
    a_sectors: tuple[str, ...] = (
        "government",
        "party",
        "military",
        "media",
        "telecom",
        "post",
        "bank",
        "power",
        "water",
        "gas",
        "highway",
        "airport",
        "railway",
    )
    b_sectors: tuple[str, ...] = ("securities", "insurance")
    a_share: Share = Field(0.05, description="share of groups that are A by 12 months' spending")
    b_share: Share = Field(0.25, description="share of groups that are B by 12 months' spending")
    fill_quotas: bool = Field(
        False, description="fill A and B by spending rank alone, up to their shares"
    )

    @model_validator(mode="after")
    def _thresholds_ascend(self) -> Self:
        if not self.silver < self.gold < self.diamond:
            raise ValueError("silver < gold < diamond must hold")
        if not self.b_handsets < self.a_handsets:
            raise ValueError("b_handsets < a_handsets must hold")
        return self


CodeMeaning = Annotated[
    str,
    StringConstraints(
        pattern=r"^(network|tariff|business_support|service_window|other)(/[a-z][a-z0-9_]*)?$"
    ),
]
"""What a code says: a category, or a category and its subcategory after a stroke."""

RegulatorClass = Literal["user_service", "network_quality", "charging_dispute"]
"""The regulator's classes: 用户服务, 网络质量, 收费争议."""

_CODES: dict[str, CodeMeaning] = {
    "NET": "network",
    "NET-01": "network/weak_signal",
    "NET-02": "network/call_cut_off",
    "NET-03": "network/slow_data",
    "NET-099": "business_support/number_portability",
    "TAR": "tariff",
    "TAR-01": "tariff/unclear_charge",
    "TAR-02": "tariff/unwanted_service",
    "TAR-03": "tariff/roaming_charge",
    "TAR-09": "business_support/order_failed",
    "TAR-092": "service_window/wrong_advice",
    "BUS": "business_support",
    "BUS-01": "business_support/order_failed",
    "BUS-02": "business_support/wrong_record",
    "BUS-03": "business_support/number_portability",
    "WIN": "service_window",
    "WIN-01": "service_window/long_wait",
    "WIN-02": "service_window/unfriendly",
    "WIN-03": "service_window/wrong_advice",
    "OTH": "other",
    "OTH-01": "other/spam",
    "OTH-02": "other/store_partner",
}

_REGULATOR: dict[CodeMeaning, RegulatorClass] = {
    "network": "network_quality",
    "tariff": "charging_dispute",
    "business_support": "user_service",
    "service_window": "user_service",
    "other": "user_service",
}


class ComplaintSettings(Section):
    """How complaints are put into categories, and what counts as repeated and long unsolved."""

    repeat_days: int = Field(
        30, ge=1, description="same category again within this many days is a repeat"
    )
    codes: dict[str, CodeMeaning] = Field(
        _CODES,
        description="the operator's code: category or category/subcategory; the longest that a "
        "code begins with counts, the code itself first",
    )
    regulator: dict[CodeMeaning, RegulatorClass] = Field(
        _REGULATOR,
        description="category or category/subcategory: the regulator's class beside it",
    )
    regulator_channels: tuple[str, ...] = Field(
        ("regulator", "申诉", "工信部申诉", "12300"),
        description="values of channel that mean a complaint to the regulator (申诉)",
    )
    long_days: int = Field(
        30, ge=1, description="open for this many days is long unsolved (长期未解决)"
    )
    low_score: float = Field(
        60.0, ge=0, le=100, description="an answer of at most this many points of 100 is low"
    )
    months: int = Field(12, ge=1, le=120, description="whole months that are looked back on")
    precision: float = Field(
        0.95, gt=0.5, lt=1, description="texts are coded where at least this share is right"
    )
    min_records: int = Field(
        30, ge=10, description="coded records of a category before texts are coded by it"
    )
    text_records: int = Field(
        5_000, ge=100, description="coded records that a model of the texts learns from at most"
    )


class TrainingSettings(Section):
    """Which months train and test a model, and how its label looks ahead."""

    gap: Span = Field("0d", description="from as_of to the start of the label window")
    horizon: Span = Field("2mo", description="length of the label window")
    train_months: int = Field(8, ge=1, description="monthly as_of dates used for training")
    test_months: int = Field(2, ge=1, description="last monthly as_of dates, kept for testing")
    monotone: bool = Field(
        False, description="hold the features' declared directions as constraints"
    )
    min_positives: int = Field(20, ge=1, description="refuse to train on fewer of the rarer class")
    max_rows: int = Field(
        500_000, ge=1000, description="train on a sample of the customers above this many rows"
    )
    folds: int | None = Field(
        None, ge=2, description="boosters of a repeat; the default is a rule on the rows"
    )
    repeats: int | None = Field(
        None, ge=1, description="times the folds are drawn; the default is a rule on the rows"
    )
    max_rounds: int = Field(2000, ge=1, description="trees of a booster at most")
    seed: int = Field(0, ge=0)
    budget: Budget | None = Field(
        None, description="time for a search of better settings before training, e.g. 60s or 5m"
    )

    @property
    def fewest(self) -> int:
        """Rows of the rarer outcome that a training needs at least."""
        return self.min_positives


class ChurnSettings(TrainingSettings):
    """The churn task."""

    definition: Literal["termination", "inactivity", "either"] = "either"


class SatisfactionSettings(TrainingSettings):
    """The satisfaction task."""

    train_months: int = Field(12, ge=1, description="monthly as_of dates used for training")
    min_answers: int = Field(100, ge=10, description="refuse to train on fewer answered surveys")
    interval_by: str | None = Field(
        "lifecycle_brand",
        description="column whose frequent values have 90 % intervals of their own, if there",
    )
    weighting: Literal["none", "response"] = Field(
        "none", description="response: answers count by the inverse chance of answering"
    )

    @property
    def fewest(self) -> int:
        """Answered surveys that a training needs at least."""
        return self.min_answers


class HazardSettings(TrainingSettings):
    """The hazard task: in which month a customer leaves."""

    horizon: Literal["6mo"] = Field("6mo", description="months told apart, counted from the gap")
    train_months: int = Field(12, ge=1, description="monthly as_of dates used for training")
    folds: int | None = Field(None, ge=2, description="boosters of the bag; the default is 4")
    repeats: None = Field(None, description="the folds of the hazard are drawn once")
    definition: Literal["termination", "inactivity", "either"] = "either"
    silence_months: int = Field(
        2, ge=1, le=6, description="whole months of silence that count as having left"
    )
    max_person_months: int = Field(
        12_000_000, ge=10_000, description="above it, months in which nobody left are thinned"
    )

    @property
    def months(self) -> int:
        """Months told apart."""
        return int(self.horizon.removesuffix("mo"))


class Scoring(Section):
    """How customers are scored."""

    batch_rows: int = Field(50_000, ge=1, description="rows in memory at a time, and in one part")
    reasons: int = Field(3, ge=0, description="reasons given for each customer")
    satisfaction_reasons: int = Field(
        3, ge=0, description="reasons given for each customer's satisfaction, beside those of churn"
    )
    band_percentiles: tuple[float, float, float] = Field(
        (50, 80, 95), description="percentiles at which medium, high and critical risk begin"
    )
    unseen_limit: Share = Field(
        0.05,
        description="share of unknown values in a category column, beyond what customers held "
        "out of the training had, that trips a gate",
    )
    drift_limit: float = Field(
        0.75, gt=0, description="drift of a column, beyond chance and the usual, that trips a gate"
    )

    @model_validator(mode="after")
    def _bands_ascend(self) -> Self:
        low, middle, high = self.band_percentiles
        if not 0 < low < middle < high < 100:
            raise ValueError("band_percentiles must ascend between 0 and 100")
        return self


class Costs(Section):
    """What a retention campaign costs, and what a customer who stays is worth; yuan."""

    contact_cost: float = Field(2.0, ge=0, description="of contacting one customer, yuan")
    offer_cost: float = Field(60.0, ge=0, description="of one offer that is accepted, yuan")
    success_rate: Share = Field(
        0.3, description="share of the leavers contacted who accept the offer and stay"
    )
    stayers_accept: Share = Field(
        1.0, description="share of the others contacted who take the offer too"
    )
    margin: Share = Field(0.4, description="profit in a yuan that the customer spends")
    months_kept: float = Field(12.0, gt=0, description="months that a customer kept stays")
    default_value: float = Field(
        1000.0, ge=0, description="worth of a customer where nobody's spending is known, yuan"
    )


Available = Literal["operator", "survey", "outcome", "snapshot"]
"""Who has a column: every customer, those surveyed alone, or those whose outcome is known;
``snapshot`` where only today's state is known."""


class SegmentLimits(Section):
    """How many customers of one segment are offered something."""

    least: int = Field(0, ge=0, description="customers at least, as far as offers are worth it")
    most: int | None = Field(None, ge=0, description="customers at most; by default all")


class RetentionSettings(Section):
    """Who gets which offer under a budget."""

    horizon: Span = Field(
        "2mo", description="after the offer: who leaves within it was not kept by the offer"
    )
    propensity: Share | None = Field(
        None, description="probability with which past offers were drawn; learned by default"
    )
    least_rows: int = Field(
        500, ge=50, description="past offers below which nothing is learned from them"
    )
    max_rows: int = Field(
        200_000, ge=1000, description="past offers learned from at most, the latest first"
    )
    max_rounds: int = Field(100, ge=1, description="trees of a booster of effects")
    folds: int = Field(5, ge=3, description="parts in which customers are left out in turn")
    significance: Share = Field(0.05, description="chance of a false find, question by question")
    value_months: int = Field(12, ge=1, le=120, description="months that a customer's value spans")
    interest: float = Field(0.08, ge=0, description="a year, by which later months count less")
    hold_out: Share = Field(0.1, description="share of the list that is held out")
    rest_days: int = Field(180, ge=0, description="days after an offer without another one")
    contacts_a_year: int = Field(2, ge=1, description="offers to a customer in 365 days at most")
    least_age: int = Field(18, ge=0, description="years; younger customers are not contacted")
    segment_by: tuple[str, ...] = Field(
        ("brand", "individual_tier"), description="columns that part the customers into segments"
    )
    segments: dict[str, SegmentLimits] = Field(
        {}, description="by segment, its values joined by +: least and most customers"
    )
    without: tuple[str, ...] = Field(
        (), description="features that no effect may be told by, * for any text"
    )
    seed: int = Field(0, ge=0)


class AvailabilitySettings(Section):
    """Which columns scoring can have."""

    columns: dict[str, Available] = Field(
        {}, description="column, feature or table.column, * and ? for any text: who has it"
    )
    unavailable: Literal["refuse", "drop"] = Field(
        "refuse", description="training with survey or outcome columns: refuse, or drop them"
    )


class IndexSettings(Section):
    """The satisfaction index: which answers count, and what is shown of them."""

    window: Span = Field("2mo", description="answers given in so long before as_of count")
    overall_answers: int = Field(
        30,
        ge=1,
        description="from so many answers of touchpoint overall on, others are left out",
    )
    min_answers: int = Field(10, ge=10, description="a cell of fewer answers is hidden")
    pooled_below: int = Field(
        30, ge=10, description="a cell of fewer answers leans on what all cells have in common"
    )
    own_tuning: int = Field(
        100,
        ge=10,
        description="where every cell has so many answers, predictions are tuned cell by cell",
    )
    folds: int = Field(
        5, ge=2, description="folds by customer where the model has seen the answers"
    )
    fewest_learned: int = Field(
        50, ge=20, description="of fewer answers no predictions are learned and no weights"
    )
    silent_rows: int = Field(
        10_000, ge=1000, description="customers without an answer looked at to learn who answers"
    )
    cap: float = Field(5, gt=1, description="raking moves no weight by more than this factor")
    detect: float = Field(
        2.2, gt=0, description="change in points that the next survey is to see: interviews needed"
    )
    hidden_odds: float = Field(
        1.1, gt=0, description="odds of answering for every 10 points more, in the sensitivity"
    )
    most_cells: int = Field(2000, ge=1, description="cells that a column may have at most")
    seed: int = Field(0, ge=0)


class Promotion(Section):
    """When a challenger may replace the champion."""

    months: int = Field(
        3, ge=1, description="most recent months that neither has trained on, at most so many"
    )
    draws: int = Field(300, ge=50, description="bootstrap draws over customers")
    min_positives: int = Field(
        50, ge=2, description="who left (churn) or answered, for a slice to be judged"
    )
    auc_margin: Share = Field(0.01, description="churn: AUC that the challenger may lose at most")
    log_loss_margin: Share = Field(
        0.01, description="churn: log loss that it may add, as a share of the base rate's"
    )
    predicted_to_observed: tuple[float, float] = Field(
        (0.8, 1.25),
        description="churn: mean probability over observed rate; out of it and not shown nearer "
        "than the champion is refused",
    )
    mae_margin: float = Field(
        0.25, ge=0, description="satisfaction: mean error in points that it may add at most"
    )
    significance: Share = Field(
        0.05, description="chance of a false alarm over all slices together (Holm)"
    )
    calibration_slope: tuple[float, float] = Field(
        (0.8, 1.25),
        description="churn: out of it and not shown nearer than the champion is refused",
    )
    calibration_error: Share = Field(
        0.02, description="churn: above it and not shown below the champion's is refused"
    )
    coverage: tuple[Share, Share] = Field(
        (0.87, 0.93), description="satisfaction: share of answers within the 90 % interval"
    )
    seed: int = Field(0, ge=0)


class ValidationSettings(Section):
    """When a source is refused."""

    set_aside_limit: Share = Field(
        0.05, description="share of a table's rows set aside above which the source is refused"
    )
    future_days: int = Field(
        31, ge=0, description="days after the last billed month from which on is the future"
    )


class EngineSettings(Section):
    """What the embedded database may use."""

    memory_limit: str | None = Field(None, description="for example 2GB; the default is DuckDB's")
    threads: int | None = Field(None, ge=1)


class StoreSettings(Section):
    """How the model store is reached."""

    timeout: int = Field(
        30, ge=1, description="seconds after which a store that does not answer is given up"
    )


class Action(Section):
    """What to do for a customer, in both languages."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)


def _action(en: str, zh: str) -> Any:
    return Field(Action(en=en, zh=zh))


class ActionSettings(Section):
    """What a list suggests for a customer, by the driver that speaks against their staying."""

    network: Action = _action(
        "Check coverage and speed where the customer lives, and call back with the result.",
        "核查客户所在地的网络覆盖和速率，并回访告知结果。",
    )
    tariff: Action = _action(
        "Go through the bills together and offer the plan that fits the usage.",
        "与客户核对账单，推荐适合其用量的套餐。",
    )
    business_support: Action = _action(
        "Find the request that went wrong, complete it, and tell the customer when it is done.",
        "查明未办妥的业务，办结后告知客户。",
    )
    service_window: Action = _action(
        "Call the customer about the open matter before anybody sells them anything.",
        "先就未解决事项回访客户，再谈任何营销。",
    )
    value: Action = _action(
        "Ask what changed, and check unpaid bills and the plan before an offer is made.",
        "了解变化原因，核查欠费和套餐后再给优惠。",
    )
    usage: Action = _action(
        "Ask whether another operator's card is in use, and show what the plan still holds.",
        "了解是否使用他网号卡，告知套餐剩余权益。",
    )
    lifecycle: Action = _action(
        "Welcome new customers; offer a renewal before a contract ends.",
        "关怀新入网客户；合约到期前提供续约方案。",
    )
    tier: Action = _action(
        "Let the customer manager call, and name what the present tier holds.",
        "由客户经理联系，说明当前等级的权益。",
    )

    def by_driver(self, lang: Literal["en", "zh"]) -> dict[str, str]:
        """The action of each driver, in one language.

        >>> ActionSettings().by_driver("zh")["tier"]
        '由客户经理联系，说明当前等级的权益。'
        """
        return {name: getattr(getattr(self, name), lang) for name in type(self).model_fields}


class Config(Section):
    """All settings.

    Examples
    --------
    >>> Config().churn.horizon
    '2mo'
    """

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
    validation: ValidationSettings = ValidationSettings()
    engine: EngineSettings = EngineSettings()
    store: StoreSettings = StoreSettings()
    actions: ActionSettings = ActionSettings()

    def digest(self) -> str:
        """SHA-256 of all settings that can change a result."""
        settings = self.model_dump(mode="json", exclude={"engine", "store", "actions"})
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
