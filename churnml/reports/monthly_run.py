"""A month's work in one call: validate, score, list, monitor, report.

Each step is the verb of its name and writes what its own command would. Beside the results
stands ``_run.json``, which says of each step what it was made from: what was made from the
same is kept, what was broken off is done again, and anything else needs ``overwrite``.
"""

from __future__ import annotations

import hashlib
import html
import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from churnml import __version__
from churnml.base.dates import parse_date
from churnml.base.files import output_errors, write_file
from churnml.base.placing import require_apart
from churnml.base.text import counted
from churnml.config.settings import Config, ConfigGiven, as_config
from churnml.errors import ChurnmlError, DataError, OutputError
from churnml.features.requirements import latest_date
from churnml.monitoring.monitor import monitor
from churnml.registry.resolve import resolve_champions
from churnml.reports.contact_list import contact_list
from churnml.reports.report import report
from churnml.reports.words import require_language
from churnml.scoring.manifest import Manifest
from churnml.scoring.score import score
from churnml.scoring.staging import MANIFEST
from churnml.tables.checked import Location, as_source, validate
from churnml.tables.source import Source

STATE = "_run.json"
"""What says what each step was made from."""

_MONITORED = "monitor.json"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a run.

    Attributes
    ----------
    name : str
    status : {"done", "kept", "failed", "not done"}
        ``kept`` was done before, from the same.
    said : str
        What came out, in a few words.
    files : list of str
        What it wrote, relative to the run's folder.
    gates : list of str
        What is wrong with what came out.
    error : dict or None
        Why it failed.
    """

    name: str
    status: str
    said: str = ""
    files: list[str] = field(default_factory=list)
    gates: list[str] = field(default_factory=list)
    error: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class MonthlyRun:
    """What a run came to.

    Attributes
    ----------
    out : str
        The folder.
    as_of : str
    steps : list of Step
    """

    out: str
    as_of: str
    steps: list[Step]

    @property
    def error(self) -> dict[str, Any] | None:
        """Why the first step that failed did."""
        return next((one.error for one in self.steps if one.error), None)

    @property
    def gates(self) -> list[str]:
        """What the steps found wrong with what came out."""
        return [gate for one in self.steps for gate in one.gates]

    @property
    def status(self) -> int:
        """The status of the first step that failed, else 6 if a gate tripped, else 0."""
        return int(self.error["status"]) if self.error else 6 if self.gates else 0

    def to_dict(self) -> dict[str, Any]:
        """What ``churnml run --json`` prints."""
        facts = {"out": self.out, "as_of": self.as_of, "status": self.status}
        facts |= {"steps": [asdict(one) for one in self.steps], "gates": self.gates}
        return facts | ({"error": self.error} if self.error else {})

    def rows(self) -> list[tuple[str, str, str]]:
        """Each step, its status, and what came out, in a sentence at most."""
        return [(one.name, one.status, _first_sentence(one.said)) for one in self.steps]

    def __repr__(self) -> str:
        lines = [f"{name:<9} {status:<9} {said}" for name, status, said in self.rows()]
        return "\n".join([*lines, *(f"gate: {gate}" for gate in self.gates)])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def _first_sentence(text: str) -> str:
    """What a summary has room for; the pages and ``--json`` say it whole."""
    return re.split(r"(?<=\.) |(?<=。)", text, maxsplit=1)[0]


Done = tuple[str, list[str]]
"""What came out in words, and the gates that tripped."""


def run(
    source: Source | Location,
    as_of: date | str | None = None,
    *,
    out: Location | None = None,
    lang: str = "en",
    any_source: bool = False,
    mapping: Location | None = None,
    config: ConfigGiven | None = None,
    overwrite: bool = False,
) -> MonthlyRun:
    """Validate, score, list, monitor and report an operator's customers, in one folder.

    A step that was done before from the same source, date, models and settings is not done
    again. Where one fails, those that need it are not done and the others are.

    Parameters
    ----------
    source : Source, str or path
        Operator tables.
    as_of : date, optional
        By default the latest that the bills allow.
    out : path, optional
        Gets ``scores/``, ``list.csv``, ``list.xlsx``, ``monitor/`` and ``report.html``; by
        default ``runs/`` and the date.
    lang : {"en", "zh"}
        Of what people read.
    any_source : bool, default False
        Whether champions may score customers of whom they know little.
    mapping : path, optional
    config : Config, path or mapping, optional
    overwrite : bool, default False
        Whether results that stand there may be replaced.

    Returns
    -------
    MonthlyRun
        Its ``status`` is that of the first step that failed, else 6 if a gate tripped.

    Raises
    ------
    UsageError, DataError, OutputError
        Before the first step.

    Examples
    --------
    >>> import churnml
    >>> churnml.run("demo/operator", lang="fr")
    Traceback (most recent call last):
    ...
    churnml.errors.UsageError: --lang fr: en or zh expected.
    """
    require_language(lang)
    settings = as_config(config)
    opened = as_source(source, mapping=mapping, config=settings)
    day = _latest(opened) if as_of is None else parse_date(as_of)
    place = Path("runs") / day.isoformat() if out is None else Path(out)
    require_apart(place, opened.read)
    steps = _Steps(place, overwrite=overwrite)
    base = {"as_of": day.isoformat(), "config": settings.digest(), "churnml": __version__}

    def validated() -> Done:
        checked = validate(opened, settings, until=day)
        checked.raise_if_refused()
        aside = sum(count.aside for count in checked.report.counts)
        return f"accepted; {counted(aside, 'row')} set aside", []

    def scored(again: bool) -> Done:
        made = score(
            opened,
            day,
            out=place / "scores",
            any_source=any_source,
            config=settings,
            overwrite=again,
        )
        return counted(made.rows.scored, "customer"), made.gates

    source_key = base | {"source": opened.fingerprint()}
    steps.do("validate", source_key, lambda _: validated())
    # A new champion is new work.
    steps.do(
        "score",
        lambda: source_key | {"any_source": any_source, "models": _champions()},
        scored,
        needs=("validate",),
        files=(f"scores/{MANIFEST}",),
    )
    for suffix in ("csv", "xlsx"):
        _list(steps, f"list.{suffix}", lang=lang, config=settings)
    scores = place / "scores"

    def monitored(again: bool) -> Done:
        found = monitor(
            opened,
            as_of=day,
            out=place / "monitor",
            scores=[scores],
            any_source=any_source,
            overwrite=again,
            config=settings,
        )
        return found.verdict(), [f"{one.name()}: {one.what_to_do()}" for one in found.act]

    def reported(again: bool) -> Done:
        watched = place / "monitor" if (place / "monitor" / _MONITORED).is_file() else None
        written = report(
            opened,
            day,
            out=place / "report.html",
            lang=lang,
            scores=scores,
            monitor=watched,
            any_source=any_source,
            overwrite=again,
            config=settings,
        )
        return written.headline, []

    steps.do(
        "monitor",
        lambda: source_key | {"scores": _digest(scores)},
        monitored,
        needs=("score",),
        files=(f"monitor/{_MONITORED}",),
    )
    steps.do(
        "report",
        lambda: (
            source_key
            | {
                "scores": _digest(scores),
                "lang": lang,
                "monitor": steps.sums((f"monitor/{_MONITORED}",)),
            }
        ),
        reported,
        needs=("score",),
        files=("report.html",),
    )
    return MonthlyRun(out=str(place), as_of=day.isoformat(), steps=steps.done)


def _list(steps: _Steps, name: str, *, lang: str, config: Config) -> None:
    place = steps.place

    def listed(again: bool) -> Done:
        made = contact_list(
            place / "scores", out=place / name, lang=lang, config=config, overwrite=again
        )
        return f"{counted(made.rows, 'customer')} in {name}", []

    key = {"lang": lang, "config": config.digest(), "actions": config.actions.model_dump_json()}
    steps.do(
        name,
        lambda: key | {"scores": _digest(place / "scores")},
        listed,
        needs=("score",),
        files=(name,),
    )


def _latest(source: Source) -> date:
    day = latest_date(source)
    if day is None:
        raise DataError("bills.month: no month, so there is no date to score at.", table="bills")
    return day


def _champions() -> dict[str, str]:
    return {task: one.model.digest for task, one in resolve_champions().items()}


def _digest(scores: Path) -> str:
    """What the scores are: their parts, models and date, without when they were made."""
    facts = Manifest.read(scores).to_dict()
    for name in ("started_at", "ended_at"):
        del facts[name]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


Key = Mapping[str, Any]


class _Steps:
    """The steps of a run and what is known of earlier ones."""

    def __init__(self, place: Path, *, overwrite: bool) -> None:
        self.place = place
        self.done: list[Step] = []
        self._overwrite = overwrite
        self._state = _read(place / STATE)

    def do(
        self,
        name: str,
        key: Key | Callable[[], Key],
        work: Callable[[bool], Done],
        *,
        needs: tuple[str, ...] = (),
        files: tuple[str, ...] = (),
    ) -> None:
        """Do a step, unless it was done from the same or needs one that failed.

        Parameters
        ----------
        name : str
        key : mapping or callable
            What it is made from.
        work : callable
            Takes whether what stands there may be replaced.
        needs, files : tuple of str
        """
        lacking = [one.name for one in self.done if one.name in needs and one.status in _NOT]
        if lacking:
            self.done.append(Step(name=name, status="not done", said=f"needs {lacking[0]}"))
            return
        _log.info("%s", name)
        try:
            self.done.append(self._do(name, key, work, files))
        except ChurnmlError as error:
            self.done.append(
                Step(name=name, status="failed", said=error.message, error=error.to_dict())
            )

    def _do(
        self,
        name: str,
        key: Key | Callable[[], Key],
        work: Callable[[bool], Done],
        files: tuple[str, ...],
    ) -> Step:
        digest = hashlib.sha256(
            json.dumps(dict(key() if callable(key) else key), sort_keys=True).encode()
        ).hexdigest()
        before = self._state.get(name, {})
        same = before.get("key") == digest
        if same and before.get("files") == self.sums(files) and "said" in before:
            return Step(
                name=name,
                status="kept",
                said=before["said"],
                files=[*files],
                gates=list(before["gates"]),
            )
        # Begun from the same and broken off: what stands there is of this very work.
        unfinished = same and "said" not in before
        if self._overwrite or unfinished or not self.sums(files):
            # Whatever stands there when this is found again, was written by this very work.
            self._note(name, {"key": digest})
        said, gates = work(self._overwrite or unfinished)
        self._note(name, {"key": digest, "files": self.sums(files), "said": said, "gates": gates})
        return Step(name=name, status="done", said=said, files=[*files], gates=gates)

    def sums(self, files: tuple[str, ...]) -> dict[str, str]:
        sums = {}
        for name in files:
            path = self.place / name
            if path.is_file():
                with path.open("rb") as stream:
                    sums[name] = hashlib.file_digest(stream, "sha256").hexdigest()
        return sums

    def _note(self, name: str, facts: dict[str, Any]) -> None:
        self._state[name] = facts
        with output_errors(self.place):
            self.place.mkdir(parents=True, exist_ok=True)
            content = json.dumps(self._state, ensure_ascii=False, indent=1, sort_keys=True)
            write_file(self.place / STATE, content.encode() + b"\n")


_NOT = ("failed", "not done")


def _read(path: Path) -> dict[str, Any]:
    """What an earlier run wrote.

    Raises
    ------
    OutputError
        If it is not that.
    """
    if not path.exists():
        return {}
    try:
        state = json.loads(path.read_bytes())
        if not all(isinstance(one, dict) for one in state.values()):
            raise ValueError("not of steps")
    except (OSError, ValueError, AttributeError) as error:
        raise OutputError(
            f"{path}: not what a run of churnml wrote ({error}).",
            hint="Choose another folder.",
            file=str(path),
        ) from None
    return dict(state)
