"""The page for a manager: how satisfied customers are, who may leave, what to do."""

from __future__ import annotations

import html
import logging
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from churnml.base.dates import parse_date
from churnml.base.files import output_errors, write_file
from churnml.base.placing import Product, ReadPlaces, input_first, require_apart
from churnml.config.settings import ConfigGiven, as_config
from churnml.errors import ChurnmlError, UsageError
from churnml.features.requirements import require_bills
from churnml.models.model import Model
from churnml.registry.tracking.scorings import attach_report
from churnml.reports.manager.findings import Given, find_out
from churnml.reports.manager.page import manager_page
from churnml.reports.words import require_language
from churnml.scoring.manifest import Manifest
from churnml.scoring.record import place_of
from churnml.tables.checked import Location, as_source, check
from churnml.tables.source import Source

_SUFFIXES = (".html", ".htm")
_log = logging.getLogger(__name__)
_MARK = b'<meta name="generator" content="churnml">'


@dataclass(frozen=True, kw_only=True)
class WrittenReport:
    """A report that was written.

    Attributes
    ----------
    file : str
    as_of : str
    lang : {"en", "zh"}
    headline : str
    findings : dict of str to str
        What each part of the page says first.
    bytes : int
    """

    file: str
    as_of: str
    lang: str
    headline: str
    findings: dict[str, str] = field(repr=False)
    bytes: int

    def to_dict(self) -> dict[str, Any]:
        """What ``churnml report --json`` prints."""
        return asdict(self)

    def __repr__(self) -> str:
        return f"{self.file}: {self.headline}"

    def _repr_html_(self) -> str:
        said = "".join(f"<li>{html.escape(one)}</li>" for one in self.findings.values())
        return f"<p><b>{html.escape(self.headline)}</b></p><ul>{said}</ul>"


def report(
    data: Source | Location,
    as_of: date | str,
    *,
    out: Location,
    lang: str = "en",
    scores: Manifest | Location | None = None,
    plan: Location | None = None,
    campaign: Location | None = None,
    monitor: Location | None = None,
    churn_model: Model | Location | None = None,
    satisfaction_model: Model | Location | None = None,
    any_source: bool = False,
    mapping: Location | None = None,
    config: ConfigGiven | None = None,
    overwrite: bool = False,
) -> WrittenReport:
    """Write one page that tells a manager how customers fare, and what to do.

    Satisfaction and its change, who may leave and what goes with them, complaints, halls, word
    of mouth, indicators, tiers, the retention plan, the data's quality. No customer is in it,
    and nothing about fewer than ten; it has no script and nothing outside itself, and the same
    input gives the same bytes.

    Parameters
    ----------
    data : Source, str or path
        Operator tables.
    as_of : date
    out : path
        A file ending in ``.html``.
    lang : {"en", "zh"}
    scores : Manifest or path, optional
        A result of `churnml.score` at that date; without it, everybody is scored.
    plan : path, optional
        A folder that `churnml.plan_retention` wrote.
    campaign : path, optional
        A file that `churnml.measure_campaign` wrote.
    monitor : path, optional
        A folder that `churnml.monitor` wrote.
    churn_model, satisfaction_model : Model, str or path, optional
        By default the champions.
    any_source : bool, default False
        Whether champions taken by default may be those of another operator.
    mapping : path, optional
    config : Config, path or mapping, optional
    overwrite : bool, default False

    Returns
    -------
    WrittenReport

    Raises
    ------
    UsageError
        If the date, the language or the suffix is none, or what is given is of another date.
    DataError
        If the source is refused, or a file given holds something else.
    ModelError
        If there are neither scores nor a model.
    OutputError
        If the page cannot be written, or something stands there.

    Examples
    --------
    >>> import churnml
    >>> churnml.report("demo/operator", "2026-06-01", out="report.pdf")
    Traceback (most recent call last):
    ...
    churnml.errors.UsageError: report.pdf: .pdf; one of .html, .htm expected. ...
    """
    language = require_language(lang)
    _require_suffix(out)
    settings, day = as_config(config), parse_date(as_of)
    source = as_source(data, mapping=mapping, config=settings)
    given = Given(
        scores=scores,
        plan=plan,
        campaign=campaign,
        monitor=monitor,
        churn_model=churn_model,
        satisfaction_model=satisfaction_model,
        any_source=any_source,
    )
    with input_first(lambda: check(source, settings, until=day).raise_if_refused()):
        require_apart(out, source.read.with_models([churn_model, satisfaction_model]))
        require_apart(out, _read(given))
        PAGE.require_free(out, overwrite=overwrite)
    require_bills(source, day)
    found = find_out(source, day, given, settings)
    text, headline, sections = manager_page(found, language)
    source.ensure_unchanged()
    content = text.encode()
    with PAGE.replaced(out, overwrite=overwrite) as draft, output_errors(draft):
        write_file(draft, content)
    _track(found.manifest, name=f"report-{language}.html", page=text)
    return WrittenReport(
        file=str(out),
        as_of=day.isoformat(),
        lang=language,
        headline=headline,
        findings={one.id: one.heading for one in sections},
        bytes=len(content),
    )


def _track(manifest: Manifest, *, name: str, page: str) -> None:
    """Put the page beside the run of its scoring, where a model of a store made it.

    A store that fails is a warning: the page stands. Where every model came from a folder no
    store is opened.
    """
    if not any(one["uri"].startswith(("models:", "runs:")) for one in manifest.models.values()):
        return
    try:
        attach_report(
            source=place_of(manifest.source),
            as_of=manifest.as_of or "",
            ended_at=manifest.ended_at,
            name=name,
            page=page,
        )
    except ChurnmlError as error:
        _log.warning("the report was not put into the store: %s", error)


def _require_suffix(out: Location) -> None:
    suffix = Path(out).suffix.casefold()
    if suffix not in _SUFFIXES:
        raise UsageError(
            f"{out}: {suffix or 'no suffix'}; one of {', '.join(_SUFFIXES)} expected.",
            hint="The report is a page for a browser.",
            file=str(out),
        )


def _read(given: Given) -> ReadPlaces:
    """What is read beside the source, which must not be written to."""
    scores = given.scores.folder if isinstance(given.scores, Manifest) else given.scores
    places = [
        Path(one) for one in (scores, given.plan, given.campaign, given.monitor) if one is not None
    ]
    return ReadPlaces(places=tuple(places), tables=tuple(places))


def _ours(path: Path) -> bool:
    with path.open("rb") as file:
        return _MARK in file.read(1000)


PAGE = Product(what="a report", ours=lambda path: path.is_file() and _ours(path))
