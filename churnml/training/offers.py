"""Train what offers change: from past offers of an operator, or from a table of one's own.

The effect on customers of later months, or of a half held out, is told from doubly robust
scores of these customers alone; then the model learns from all rows.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.config.settings import Config, RetentionSettings
from churnml.datasets.flat import Reading
from churnml.datasets.flat.dataset import flat_dataset
from churnml.datasets.flat.read_training import read_training
from churnml.datasets.offers import new_effect, outcomes_until, read_offers
from churnml.datasets.splits import group_split
from churnml.errors import DataError, UsageError
from churnml.estimators import OfferEffect
from churnml.evaluation.evidence import Evidence
from churnml.evaluation.offers import judge_offers
from churnml.features.declaration import Feature
from churnml.labels.coverage import covered
from churnml.metrics import Estimate
from churnml.metrics.effects import Effect, mean_effect, qini
from churnml.models.cards import mlflow_notes as cards
from churnml.models.model import Model, Origin
from churnml.models.profile import describe
from churnml.registry.tracking import Data, TrainingRecord, origin_params
from churnml.tables.source import Source
from churnml.training.split import place_tags
from churnml.training.system_metrics import Watch

_log = logging.getLogger(__name__)
_TEST_MONTHS = 2
_TEST_SHARE = 0.5


@dataclass(frozen=True, kw_only=True)
class OfferSplit:
    """Rows with their offers, to train and to test on.

    Attributes
    ----------
    X : DataFrame, shape (n, k)
    y : array, shape (n,)
    offer, customer : array of object, shape (n,)
    train, test : array of bool, shape (n,)
    origin : Origin
    source : str
    features : sequence of Feature
    dates : dict of str to list of str
    notes : list of str
    tags : dict of str to str
        Where the tables of an operator are.
    accepted : array, shape (n,), optional
        1 where the offer was accepted; None where that is not known.
    """

    X: pd.DataFrame
    y: NDArray[np.float64]
    offer: NDArray[Any]
    customer: NDArray[Any]
    train: NDArray[np.bool_]
    test: NDArray[np.bool_]
    origin: Origin
    source: str
    features: Sequence[Feature] = ()
    dates: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    accepted: NDArray[np.float64] | None = None


@dataclass(frozen=True, kw_only=True)
class FittedOffers:
    """A model of offers, and what its test found.

    Attributes
    ----------
    model : Model
    before : Model or None
        As it was tested: it has seen the training rows alone.
    metrics : dict of str to Estimate
    rows : dict of str to int
    notes : list of str
    verdict : Evidence
    experiment : OfferSplit
    """

    model: Model
    before: Model | None
    metrics: dict[str, Estimate]
    rows: dict[str, int]
    notes: list[str]
    verdict: Evidence
    experiment: OfferSplit


def operator_experiment(source: Source, config: Config) -> OfferSplit:
    """Past offers of an operator, the last months of them to test on.

    Parameters
    ----------
    source : Source
        Checked.
    config : Config
    """
    day = source.day or covered(source.tables, "termination").until
    rows = read_offers(source, day, config)
    months = sorted(set(rows.month))
    first_test = months[max(len(months) - _TEST_MONTHS, 1) - (len(months) == 1)]
    test = np.array([one >= first_test for one in rows.month])
    # What is learned from must have been known when the test begins.
    known = {one: outcomes_until([one], config.retention.horizon) <= first_test for one in months}
    train = np.array([known[one] for one in rows.month])
    dates = {
        name: [str(one) for one in sorted(set(rows.month[who]))]
        for name, who in (("train", train), ("test", test))
    }
    origin = Origin(
        name="offers",
        kind="operator",
        label={"definition": "termination", "gap": "0d", "horizon": config.retention.horizon},
        as_of=tuple(str(one) for one in months),
        window=(str(months[0]), str(day)),
        rows=len(rows),
        customers=len(set(rows.customer)),
        digest=_digest(rows.X, rows.y, rows.offer),
        config=config.digest(),
    )
    return OfferSplit(
        X=rows.X,
        y=rows.y,
        offer=rows.offer,
        customer=rows.customer,
        train=train,
        test=test,
        origin=origin,
        source=source.location,
        features=tuple(rows.features),
        dates=dates if train.any() else {},
        notes=list(rows.notes),
        tags=place_tags(source),
        accepted=rows.accepted,
    )


def table_experiment(
    path: Path,
    *,
    target: str,
    offer: str | None,
    control: str | None,
    source: str,
    name: str,
    options: Mapping[str, Any],
    reading: Reading,
    config: Config,
) -> OfferSplit:
    """A table of one's own with a column that says what each row was offered.

    Parameters
    ----------
    path : path
    target, offer : str
        Columns.
    control : str
        The value of ``offer`` that means that nothing was offered.
    source, name : str
    options : mapping
        ``id``, ``group``, ``drop``, ``positive`` and ``scale``.
    reading : Reading
    config : Config
    """
    if offer is None or control is None:
        raise UsageError(
            "A table of offers needs --offer and --control.",
            hint="Name the column of the offers, and its value for who was offered nothing.",
        )
    table = read_training(
        path,
        task="churn",
        target=target,
        reading=reading,
        availability=config.availability,
        set_aside_limit=config.validation.set_aside_limit,
        **options,
    )
    data = flat_dataset(table)
    if offer not in data.X:
        raise UsageError(
            f"--offer {offer!r}: {source} has no such column that varies.",
            hint=f"It has {', '.join(map(str, list(data.X.columns)[:8]))}.",
        )
    given = data.X[offer]
    texts = given.astype(object).where(given.notna(), control).astype(str).to_numpy(object)
    if control not in texts:
        raise DataError(
            f"column {offer!r}: no row has the value {control!r} of --control.",
            hint=f"It has {', '.join(sorted(set(texts))[:8])}.",
            column=offer,
            value=control,
        )
    offers = np.array([None if one == control else one for one in texts], object)
    X, y = data.X.drop(columns=offer), data.y.to_numpy(np.float64)
    here, there = group_split(data.y, data.groups, test_share=_TEST_SHARE)
    origin = Origin(
        name=name,
        kind="table",
        label={"target": target, "offer": offer, "control": control},
        rows=len(data),
        customers=int(data.groups.nunique()),
        digest=_digest(X, y, offers),
        config=config.digest(),
        table=table.signature,
    )
    return OfferSplit(
        X=X.reset_index(drop=True),
        y=y,
        offer=offers,
        customer=data.groups.to_numpy(object),
        train=_mask(here, len(y)),
        test=_mask(there, len(y)),
        origin=origin,
        source=source,
        notes=list(table.notes),
    )


def _mask(rows: Any, count: int) -> NDArray[np.bool_]:
    given = np.asarray(rows)
    if given.dtype == bool:
        return given
    mask = np.zeros(count, bool)
    mask[given] = True
    return mask


def _digest(X: pd.DataFrame, y: NDArray[np.float64], offer: NDArray[Any]) -> str:
    import hashlib

    parts = (X, pd.Series(y), pd.Series([str(one) for one in offer]))
    rows = [pd.util.hash_pandas_object(part, index=False).to_numpy() for part in parts]
    found = hashlib.sha256("\0".join(map(str, X.columns)).encode())
    found.update(np.column_stack(rows)[np.lexsort(rows)].tobytes())
    return found.hexdigest()


def fit_offers(experiment: OfferSplit, config: Config) -> FittedOffers:
    """Fit, test on the rows held out, refit to all of them."""
    settings = config.retention
    notes = list(experiment.notes)
    metrics: dict[str, Estimate] = {}
    before = None
    if experiment.train.sum() >= settings.least_rows and experiment.test.any():
        _log.info("training on %s past offers", f"{int(experiment.train.sum()):,}")
        first = _fit(experiment, experiment.train, settings)
        before = _described(first, experiment, experiment.train, experiment.dates.get("train"))
        try:
            metrics = _test(first, experiment, settings)
        except DataError as error:
            notes.append(f"Not tested on later rows: {error.message}")
    else:
        notes.append("Too few past offers for a test on later ones: learned from all of them.")
    _log.info("learning from all %s past offers", f"{len(experiment.y):,}")
    every = np.ones(len(experiment.y), bool)
    estimator = _fit(experiment, every, settings)
    verdict = judge_offers(
        estimator,
        experiment.y,
        experiment.offer,
        experiment.customer,
        significance=settings.significance,
    )
    metrics = {
        **metrics,
        "mean_effect": _estimate(verdict.average),
        "cross_fitted_qini": _estimate(verdict.differs),
    }
    notes += [verdict.say(), verdict.assignment.say()]
    if verdict.average.low > 0 and experiment.origin.kind == "table":
        target = experiment.origin.label["target"]
        notes.append(
            f"An offer is taken to be good where it lowers {target!r}; where it should raise it, "
            "give the other value with --positive."
        )
    rows = {
        "train": int(experiment.train.sum()),
        "test": int(experiment.test.sum()),
        "all": len(experiment.y),
    }
    model = _described(estimator, experiment, every)
    plain = {name: [one.value, one.low, one.high] for name, one in metrics.items()}
    tested = {"metrics": plain, "baselines": {}, "rows": rows, "dates": experiment.dates}
    model = replace(model, tested=tested | {"notes": notes, "offers": verdict.to_dict()})
    return FittedOffers(
        model=model,
        before=before,
        metrics=metrics,
        rows=rows,
        notes=notes,
        verdict=verdict,
        experiment=experiment,
    )


def _fit(
    experiment: OfferSplit, rows: NDArray[np.bool_], settings: RetentionSettings
) -> OfferEffect:
    made = new_effect(settings, experiment.X.columns)
    return made.fit(
        experiment.X[rows].reset_index(drop=True),
        experiment.y[rows],
        offer=experiment.offer[rows],
        groups=experiment.customer[rows],
        propensity=settings.propensity,
        accepted=None if experiment.accepted is None else experiment.accepted[rows],
    )


def _described(
    estimator: OfferEffect,
    experiment: OfferSplit,
    rows: NDArray[np.bool_],
    months: Sequence[str] | None = None,
) -> Model:
    """A model of these rows; of these months, where it is not of all."""
    origin = experiment.origin
    if not rows.all():
        customers = len(set(experiment.customer[rows]))
        origin = replace(
            origin, as_of=tuple(months or ()), rows=int(rows.sum()), customers=customers
        )
    return describe(
        estimator,
        experiment.X[rows].reset_index(drop=True),
        origin=origin,
        features=experiment.features,
        reference=estimator.oof_effect_.to_numpy().min(axis=1),
        customers=experiment.customer[rows].tolist(),
    )


def _test(
    model: OfferEffect, experiment: OfferSplit, settings: RetentionSettings
) -> dict[str, Estimate]:
    """The QINI, the best fifth, and what the model's rule changes, on rows it has not seen."""
    judge = _fit(experiment, experiment.test, settings)
    lost = sorted(set(judge.offers_) - set(model.offers_))
    if lost:
        raise DataError(f"the offer {lost[0]!r} is new among the rows held out.")
    told = model.effect(experiment.X[experiment.test])[judge.offers_].to_numpy()
    best, every = told.argmin(axis=1), np.arange(len(told))
    scores = judge.scores_[judge.offers_].to_numpy()[every, best]
    priority, customers = -told[every, best], experiment.customer[experiment.test]
    first = priority >= np.quantile(priority, 0.8)
    return {
        "qini": _estimate(qini(scores, priority, customers)),
        "best_fifth_effect": _estimate(mean_effect(scores[first], customers[first])),
        **_rule(model, judge, told, customers),
    }


def _rule(
    model: OfferEffect, judge: OfferEffect, told: NDArray[np.float64], customers: NDArray[Any]
) -> dict[str, Estimate]:
    """The change that the model's rule makes, in all and beyond simpler rules, per customer.

    The rule offers everybody what is said to keep her most, and nothing where nothing does. Each
    is compared with on the same customers by the same scores.
    """
    scores = judge.scores_[judge.offers_].to_numpy()
    best, every = told.argmin(axis=1), np.arange(len(told))
    chosen = told[every, best] < 0
    ruled = np.where(chosen, scores[every, best], 0.0)
    to_all = scores[:, judge.offers_.index(str(model.mean_effect_[judge.offers_].idxmin()))]
    used = np.bincount(best[chosen], minlength=scores.shape[1]) / len(told)
    others = {"": 0.0, "_against_all": to_all, "_against_random": scores @ used}
    return {
        f"rule_effect{name}": _estimate(mean_effect(ruled - other, customers))
        for name, other in others.items()
    }


def _estimate(effect: Effect) -> Estimate:
    return Estimate(effect.value, effect.low, effect.high, level=effect.level)


def record_offers(fitted: FittedOffers, *, watch: Watch) -> TrainingRecord:
    """Build the record of a training, for MLflow: numbers and figures, no row of a customer."""
    model, experiment = fitted.model, fitted.experiment
    told = fitted.verdict.to_dict()
    offers = {name: [one[name] for one in told["offers"]] for name in told["offers"][0]}
    fifths = {name: [one[name] for one in told["fifths"]] for name in told["fifths"][0]}
    metrics: dict[str, float] = {}
    for name, one in fitted.metrics.items():
        metrics[name] = float(f"{one.value:.5g}")
    metrics |= {f"rows/{name}": float(count) for name, count in fitted.rows.items()}
    watch.stop()
    return TrainingRecord(
        model=model,
        title=f"offers · {model.origin.name}",
        data=Data(
            name=Path(experiment.source).name or experiment.source,
            source=experiment.source,
            digest=model.origin.digest,
            rows=len(experiment.y),
            target="left",
        ),
        before=fitted.before,
        tags=experiment.tags,
        params=origin_params(model) | {"offers": ", ".join(model.estimator.offers_)},
        metrics={name: value for name, value in metrics.items() if np.isfinite(value)},
        tables={"offers": offers, "fifths": fifths},
        figures={"fifths": lambda: _fifths(fitted), "kept": lambda: _kept(fitted)},
        notes=cards.training_card(
            model, fitted.metrics, {}, fitted.rows, experiment.dates, fitted.notes
        ),
        started=watch.started,
    )


def _fifths(fitted: FittedOffers) -> Any:
    from churnml.metrics.displays import FifthsDisplay
    from churnml.metrics.displays.style import page_axes

    shown = FifthsDisplay(fifths=fitted.verdict.fifths)
    return shown.plot(page_axes("Effects by fifth of the predicted effect")).figure_


def _kept(fitted: FittedOffers) -> Any:
    """Customers kept by the share treated, each row by models that had not seen its customer."""
    from churnml.metrics.displays import UpliftDisplay
    from churnml.metrics.displays.style import page_axes

    estimator = fitted.model.estimator
    raw, every = estimator.oof_effect_.to_numpy(), np.arange(len(estimator.oof_effect_))
    best = raw.argmin(axis=1)
    return UpliftDisplay.from_scores(
        estimator.scores_.to_numpy()[every, best],
        -raw[every, best],
        fitted.experiment.customer,
        ax=page_axes("Customers kept, by the share that is treated"),
    ).figure_
