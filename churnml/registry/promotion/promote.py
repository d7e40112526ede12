"""Promote a challenger, or refuse it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from churnml.base.files import crash_point
from churnml.base.tasks import TaskName, find_task
from churnml.config.settings import Config, ConfigGiven, as_config
from churnml.datasets.flat.frame import Frame
from churnml.errors import ChurnmlError, GateError, ModelError
from churnml.errors.masking import without_secrets
from churnml.evaluation.contest import Verdict
from churnml.evaluation.contest_checks import EVERYBODY
from churnml.registry import versions as registry
from churnml.registry.promotion.aliases import add_event, trusted
from churnml.registry.promotion.history import Event
from churnml.registry.promotion.measure import Contenders, measured
from churnml.registry.promotion.outcome import Outcome, for_the_ui, require_reason
from churnml.registry.promotion.report import report
from churnml.registry.store import Store, existing_store
from churnml.registry.tracking.registered_card import refresh_card
from churnml.registry.versions import CHALLENGER, CHAMPION, PREVIOUS
from churnml.tables.checked import Location
from churnml.tables.source import Source

_LONGEST = 1000
_log = logging.getLogger(__name__)


def promote(
    task: TaskName,
    data: Source | Location | Frame | None = None,
    *,
    version: int | str | None = None,
    force: str | None = None,
    name: str | None = None,
    mapping: Location | None = None,
    config: ConfigGiven | None = None,
) -> Outcome:
    """Compare the challenger with the champion, and promote it if it passes.

    Parameters
    ----------
    task : {"churn", "satisfaction", "offers"}
    data : Source, path or data frame, optional
        Operator tables to measure on, or, of models trained with ``time``, a table of one's
        own; by default what the challenger's run recorded.
    version : int, optional
        By default that of the alias ``challenger``.
    force : str, optional
        Why it shall be promoted whatever the gate says; kept in the history.
    name : str, optional
        Of a registered model other than the operator's.
    mapping : path, optional
    config : Config, path or mapping, optional

    Returns
    -------
    Outcome
        Also of a challenger that was refused, for what was measured or since it is the
        champion's very model; then no alias has ``moved``.

    Raises
    ------
    ModelError
        If there is no such challenger, or somebody else moved the champion meanwhile.
    BundleError
        If the challenger is damaged, or does not reproduce its golden scores.
    DataError
        If there is no month to measure on, and no ``force``.

    Examples
    --------
    >>> import churnml
    >>> churnml.promote("churn", name="nothing-of-this-name")
    Traceback (most recent call last):
    ...
    churnml.errors.ModelError: ...
    """
    require_reason(force)
    settings = as_config(config)
    with existing_store() as store:
        own = name or find_task(task, registered=True).name
        aliases, wanted = _challenger(store, own, None if version is None else str(version))
        champion = aliases.get(CHAMPION)
        verdict, notes = None, ["There was no champion to measure against."]
        same = ""
        if champion is not None:
            both = Contenders(store=store, name=own, challenger=wanted, champion=champion)
            verdict, notes = _verdict(both, task, data, mapping, settings, force)
            same = _same(both)
        crash_point("promotion:measured")
        event = replace(
            _event(verdict, notes, force, same),
            version=wanted,
            over=champion,
            digest=registry.digest_of(store, own, wanted),
            over_digest=registry.digest_of(store, own, champion) if champion else "",
        )
        event = _carried_out(store, own, task, event)
        _keep_report(store, own, event, verdict)
        _log.info("%s/%s: %s", own, wanted, event.what)
        aliases = registry.aliases_of(store, own)
        told = [same, *notes] if same else notes
        return Outcome(name=own, event=event, verdict=verdict, aliases=aliases, notes=told)


def require_promoted(outcome: Outcome) -> None:
    """Turn a challenger that lost into exit status 6.

    Raises
    ------
    GateError
        With everything that was measured.
    """
    if outcome.moved or outcome.verdict is None:
        return
    event = outcome.event
    raise GateError(
        f"{outcome.name}/{event.version} is not promoted over version {event.over}: "
        f"{'; '.join(outcome.verdict.reasons) or event.why.removesuffix('.')}.",
        hint="No alias was moved. --force REASON promotes it all the same.",
        **outcome.to_dict(),
    )


def _challenger(store: Store, name: str, version: str | None) -> tuple[dict[str, str], str]:
    registry.require_name(store, name)
    aliases = registry.aliases_of(store, name)
    wanted = version or aliases.get(CHALLENGER)
    if wanted is None:
        raise ModelError(
            f"{name}: there is no challenger.",
            hint="Train one with churnml train, or name a version with --version.",
        )
    registry.require_version(store, name, wanted)
    if wanted == aliases.get(CHAMPION):
        raise ModelError(
            f"{name}/{wanted} is the champion already.", hint="Name another --version."
        )
    return aliases, wanted


def _verdict(
    both: Contenders,
    task: TaskName,
    data: Source | Location | Frame | None,
    mapping: Location | None,
    config: Config,
    force: str | None,
) -> tuple[Verdict | None, list[str]]:
    """The gate's verdict; with ``force`` a missing verdict is a note, not an error."""
    try:
        return measured(both, task, data, mapping, config), []
    except ChurnmlError as error:
        if force is None:
            raise
        return None, [f"Not measured: {error.message}"]


def _same(both: Contenders) -> str:
    """Say of a challenger that it is the champion's very model; else nothing."""
    own, other = (
        registry.digest_of(both.store, both.name, one) for one in (both.challenger, both.champion)
    )
    if not own or own != other:
        return ""
    return (
        f"Version {both.challenger} is byte for byte the champion, version {both.champion}: "
        "there is nothing to decide, and every score stays as it is."
    )


def _event(verdict: Verdict | None, notes: list[str], force: str | None, same: str) -> Event:
    """What is to happen; an equal challenger changes nothing, unless it is forced."""
    if verdict is None:
        summary = " ".join(notes)
    elif same and verdict.passed:
        summary = same
    elif verdict.passed:
        summary = f"passed {len(verdict.checks)} checks on {verdict.rows:,} rows"
    else:
        summary = f"failed: {'; '.join(verdict.reasons)}"
    summary = summary[:_LONGEST]
    passed = verdict is None or (verdict.passed and not same)
    return Event(
        what="forced" if force else "promoted" if passed else "refused",
        version="",
        why=f"{force} ({summary})" if force else summary,
        source=verdict.source if verdict else "",
        months=verdict.months if verdict else (),
        gains=_gains(verdict) if verdict else {},
    )


def _gains(verdict: Verdict) -> dict[str, list[float | None]]:
    numbers = ("challenger", "champion", "gain", "gain_low", "gain_high")
    gains = {}
    for check in verdict.checks:
        if check.where == EVERYBODY:
            plain = check.to_dict()
            values = [plain[number] for number in numbers]
            gains[check.measure] = [None if one is None else round(one, 6) for one in values]
    return gains


def _carried_out(store: Store, name: str, task: TaskName, event: Event) -> Event:
    """Record the event in the history, moving the aliases if the challenger has won."""
    if event.what == "refused":
        refused = add_event(store, name, event, seen={}, aliases={})
        with for_the_ui():
            refresh_card(store, name)
        return refused
    digest = trusted(store, name, event.version, task).model.digest
    crash_point("promotion:checked")
    aliases: Mapping[str, str | None] = {CHAMPION: event.version, CHALLENGER: None}
    if event.over is not None:
        aliases = {**aliases, PREVIOUS: event.over}
    moved = replace(event, digest=digest)
    added = add_event(store, name, moved, seen={CHAMPION: event.over}, aliases=aliases)
    with for_the_ui():
        refresh_card(store, name)
    return added


def _keep_report(store: Store, name: str, event: Event, verdict: Verdict | None) -> None:
    """Save the table of checks with the challenger's run, where the UI shows it."""
    run_id = registry.require_version(store, name, event.version).run_id
    if run_id:
        text = report(name, event, verdict)
        with for_the_ui():
            store.client.log_text(run_id, without_secrets(text), f"promotion/{event.number:06d}.md")
