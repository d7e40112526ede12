"""A search for better settings within a time budget, on folds of the training rows alone.

Every trial grows one booster a fold; one that is losing to the best so far, fold against
fold, is given up early (Wilcoxon signed-rank test). The rule's own settings are the first
trial, and are kept unless another's loss is smaller on the folds beyond what the best of so
many trials is by luck: a search over noise finds noise. Trials are written down as they
end, so that a search that was stopped goes on where it stopped, with what is left of its
budget.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student
from threadpoolctl import threadpool_limits

from churnml.base.text import counted
from churnml.estimators import ChurnClassifier, SatisfactionRegressor
from churnml.estimators.boosting.trials import Trials, prepare_trials

if TYPE_CHECKING:
    import optuna

_log = logging.getLogger(__name__)
_LUCK = 0.05
_FEWEST = 8


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One set of settings, tried.

    Attributes
    ----------
    number : int
        From 0, the rule's own settings.
    params : dict
        ``num_leaves``, ``min_leaf``, ``l2``, ``column_share``.
    loss : float
        Mean over the folds that were tried.
    folds : tuple of float
        The loss of each.
    pruned : bool
        Given up early.
    seconds : float
    """

    number: int
    params: dict[str, Any]
    loss: float
    folds: tuple[float, ...]
    pruned: bool
    seconds: float


@dataclass(frozen=True)
class Search:
    """The result of a search.

    Attributes
    ----------
    params : dict
        To be set on the estimator; empty where the rule's own settings are kept.
    trials : tuple of Trial
        In the order in which they began.
    gain : float
        By which share the best complete trial's loss is smaller than the rule's own.
    """

    params: dict[str, Any]
    trials: tuple[Trial, ...] = field(repr=False)
    gain: float

    @property
    def seconds(self) -> float:
        """All the time that trials took, in whichever session."""
        return sum(trial.seconds for trial in self.trials)

    def note(self) -> str:
        """Describe the result of the search in a sentence."""
        pruned = sum(trial.pruned for trial in self.trials)
        tried = f"{len(self.trials)} settings tried in {self.seconds:.0f} s, {pruned} stopped early"
        if not self.params:
            return f"Search: {tried}; none clearly better than the rule's own, which was kept."
        listed = ", ".join(f"{name} {value}" for name, value in self.params.items())
        return f"Search: {tried}; held-out loss {self.gain:.2%} smaller with {listed}."

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in ("trial", "settings", "loss", "given up"))
        rows = "".join(
            f"<tr><td>{one.number}</td><td>{escape(str(one.params or 'the rule'))}</td>"
            f"<td>{one.loss:.5f}</td><td>{'yes' if one.pruned else ''}</td></tr>"
            for one in sorted(self.trials, key=lambda one: (one.pruned, one.loss))[:10]
        )
        return f"<p>{escape(self.note())}</p><table><tr>{head}</tr>{rows}</table>"


def search(
    estimator: ChurnClassifier | SatisfactionRegressor,
    X: Any,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    seconds: float | None = None,
    trials: int | None = None,
    journal: str | Path | None = None,
    progress: Callable[[Trial], None] | None = None,
) -> Search:
    """Search for leaves and regularisation with a smaller held-out loss.

    Parameters
    ----------
    estimator : ChurnClassifier or SatisfactionRegressor
        Unfitted; its other parameters hold in every trial.
    X : DataFrame, shape (n, k)
        Training rows; test rows have no place here.
    y : array, shape (n,)
        0 and 1, or scores.
    groups : array, shape (n,), optional
        Rows of one customer share a value and are never parted by a fold.
    seconds : float, optional
        No trial begins after so many; those of earlier sessions count.
    trials : int, optional
        At most so many in all. With trials instead of seconds the result is the same on
        every machine.
    journal : path, optional
        Where trials are written down; the same file goes on where it stopped.
    progress : callable, optional
        Told every trial as it ends.

    Returns
    -------
    Search

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"tenure": rng.integers(1, 72, 400)})
    >>> left = rng.random(400) < 1 / (1 + X["tenure"] / 12)
    >>> found = search(ChurnClassifier(), X, left, trials=2)
    >>> len(found.trials), found.trials[0].params
    (2, {})
    """
    if (seconds is None) == (trials is None):
        raise ValueError("Give seconds or trials, one of them.")
    study = _study(estimator, journal)
    done = _completed(study)
    if done:
        _log.info("going on after %s of an earlier run", counted(len(done), "trial"))
    left = None if seconds is None else seconds - sum(trial.seconds for trial in done)
    rest = None if trials is None else trials - len(done)
    if (left is None or left > 0) and (rest is None or rest > 0):
        with threadpool_limits(limits=1, user_api="blas"):
            _run(study, prepare_trials(estimator, X, y, groups), left, rest, progress)
    return _found(_completed(study))


def _study(
    estimator: ChurnClassifier | SatisfactionRegressor, journal: str | Path | None
) -> optuna.Study:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = None if journal is None else JournalStorage(JournalFileBackend(str(journal)))
    seed = int(estimator.random_state)
    with warnings.catch_warnings():
        # What is experimental in the sampler has not changed for years.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.create_study(
            storage=storage,
            study_name="settings",
            load_if_exists=True,
            direction="minimize",
            sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=_FEWEST),
            pruner=optuna.pruners.WilcoxonPruner(p_threshold=0.1, n_startup_steps=2),
        )


def _run(
    study: optuna.Study,
    tried: Trials,
    seconds: float | None,
    trials: int | None,
    progress: Callable[[Trial], None] | None,
) -> None:
    rows = len(tried.data.y)

    def objective(trial: optuna.Trial) -> float:
        params = {} if trial.number == 0 else _suggest(trial, rows)
        losses = []
        for fold, loss in enumerate(tried.losses(params)):
            losses.append(loss)
            trial.report(loss, fold)
            if trial.should_prune():
                # Of a trial that is given up, the mean still guides the sampler.
                trial.set_user_attr("pruned", value=True)
                break
        return float(np.mean(losses))

    def tell(_study: optuna.Study, ended: optuna.trial.FrozenTrial) -> None:
        if progress is not None:
            progress(_trial(ended))

    began = time.monotonic()

    def stop(study: optuna.Study, _ended: optuna.trial.FrozenTrial) -> None:
        if seconds is not None and time.monotonic() - began > seconds:
            study.stop()

    study.optimize(objective, n_trials=trials, timeout=seconds, callbacks=[tell, stop])


def _suggest(trial: optuna.Trial, rows: int) -> dict[str, Any]:
    most = max(min(300, rows // 20), 2)
    return {
        "num_leaves": trial.suggest_int("num_leaves", 3, 64, log=True),
        "min_leaf": trial.suggest_int("min_leaf", 1, most, log=True),
        "l2": trial.suggest_float("l2", 0.1, 100, log=True),
        "column_share": trial.suggest_float("column_share", 0.2, 1, step=0.1),
    }


def _completed(study: optuna.Study) -> tuple[Trial, ...]:
    """All completed trials; killed ones are left out."""
    return tuple(_trial(one) for one in study.trials if one.value is not None)


def _trial(one: optuna.trial.FrozenTrial) -> Trial:
    taken = one.duration.total_seconds() if one.duration is not None else 0.0
    return Trial(
        number=one.number,
        params=dict(one.params),
        loss=float(one.value) if one.value is not None else float("nan"),
        folds=tuple(one.intermediate_values[fold] for fold in sorted(one.intermediate_values)),
        pruned=bool(one.user_attrs.get("pruned", False)),
        seconds=taken,
    )


def _found(trials: tuple[Trial, ...]) -> Search:
    whole = [trial for trial in trials if not trial.pruned]
    own = next((trial for trial in whole if not trial.params), None)
    if own is None or len(whole) < 2:
        return Search({}, trials, 0.0)
    best = min(whole, key=lambda trial: trial.loss)
    gain = 1 - best.loss / own.loss
    if not _beyond_luck(own, best, len(trials) - 1):
        return Search({}, trials, max(gain, 0.0))
    leaves = best.params["num_leaves"]
    params = best.params | {"num_leaves": (leaves, max(leaves // 2, 2), min(leaves * 2, 64))}
    return Search(params, trials, gain)


def _beyond_luck(own: Trial, best: Trial, rivals: int) -> bool:
    """Whether the best of several rivals is significantly better across folds.

    A paired t-test whose level is shared among the rivals (Bonferroni).
    """
    better = np.subtract(own.folds, best.folds)
    if len(better) < 2 or not better.mean() > 0:
        return False
    spread = float(better.std(ddof=1)) / len(better) ** 0.5
    return bool(student.sf(better.mean() / max(spread, 1e-300), len(better) - 1) < _LUCK / rivals)
