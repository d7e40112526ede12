"""Write a report folder: a page, its figures, its numbers."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from churnml.base.files import write_file
from churnml.base.page.render import PageFigure, PageSection, PageTable, PageTile, render
from churnml.base.placing import Product, only

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Figures = Mapping[str, Callable[[], "Figure"]]

PAGE, NUMBERS = "report.html", "evaluation.json"


@dataclass(frozen=True, kw_only=True)
class ReportPart:
    """A part of a report: a finding, its tables, and the figures that show them.

    Attributes
    ----------
    id : str
    topic, heading : str
    lead : sequence of str
    tables : sequence of PageTable
    figures : mapping of str to str
        The captions of the figures that belong here, by name.
    notes : sequence of str
    """

    id: str
    topic: str
    heading: str
    lead: Sequence[str] = ()
    tables: Sequence[PageTable] = ()
    figures: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class ReportText:
    """What a report says.

    Attributes
    ----------
    title, headline : str
    facts : sequence of str
        Of what it is.
    tiles : sequence of PageTile
    parts : sequence of ReportPart
    """

    title: str
    headline: str
    facts: Sequence[str] = ()
    tiles: Sequence[PageTile] = ()
    parts: Sequence[ReportPart] = ()


def write_report(
    folder: str | Path,
    text: ReportText,
    numbers: Mapping[str, Any],
    figures: Figures,
    *,
    overwrite: bool = False,
) -> None:
    """Write ``report.html``, ``evaluation.json`` and ``<name>.png``; all or nothing.

    Parameters
    ----------
    folder : path
    text : ReportText
        Figures that none of its parts names are left to their files.
    numbers : mapping
        Plain data.
    figures : mapping of str to function
        By file name without ending. The page holds them too: it stands on its own.
    overwrite : bool, default False
        Whether a report that stands there may be replaced.

    Raises
    ------
    OutputError
        If something stands there, or it cannot be written.
    """
    with REPORT.replaced(folder, overwrite=overwrite) as draft:
        draft.mkdir()
        drawn = {name: _png(draw()) for name, draw in figures.items()}
        for name, picture in drawn.items():
            write_file(draft / f"{name}.png", picture)
        plain = json.dumps(numbers, ensure_ascii=False, indent=2, default=str)
        write_file(draft / NUMBERS, (plain + "\n").encode())
        write_file(draft / PAGE, _page(text, drawn).encode())


def _ours(folder: Path) -> bool:
    """Whether a folder is a report and holds nothing else."""
    named = re.compile(rf"{re.escape(NUMBERS)}|{re.escape(PAGE)}|[^/]+\.png")
    return (folder / NUMBERS).is_file() and only(
        folder, lambda name: named.fullmatch(name) is not None
    )


REPORT = Product(what="a report", ours=_ours)


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    # No version or date in the file: the same evaluation gives the same bytes.
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _page(text: ReportText, drawn: Mapping[str, bytes]) -> str:
    return render(
        "page.html",
        lang="en",
        title=text.title,
        headline=text.headline,
        facts=text.facts,
        tiles=text.tiles,
        sections=[_section(part, drawn) for part in text.parts],
        foot=[],
    )


def _section(part: ReportPart, drawn: Mapping[str, bytes]) -> PageSection:
    """A part with its figures before its tables, without rows that tell nothing."""
    figures = [
        PageFigure(drawn=_image(caption, drawn[name]), caption=caption)
        for name, caption in part.figures.items()
        if name in drawn
    ]
    return PageSection(
        id=part.id,
        topic=part.topic,
        heading=part.heading,
        lead=part.lead,
        parts=[*figures, *(one.without_blank() for one in part.tables)],
        notes=part.notes,
    )


def _image(caption: str, picture: bytes) -> Markup:
    return Markup('<img alt="{}" src="data:image/png;base64,{}">').format(
        f"{caption}; the numbers stand in the tables.", base64.b64encode(picture).decode()
    )
