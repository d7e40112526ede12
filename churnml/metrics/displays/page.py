"""Write a report folder: a page, its figures, its numbers."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnml.base.files import write_file
from churnml.base.placing import Product, only

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Figures = Mapping[str, Callable[[], "Figure"]]

PAGE, NUMBERS = "report.html", "evaluation.json"

_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse}td,th{padding:.15em .8em;text-align:right;"
    "border-bottom:1px solid #ccc}td:first-child,th:first-child{text-align:left}"
    "img{max-width:100%}"
)


def write_report(
    folder: str | Path,
    title: str,
    body: str,
    numbers: Mapping[str, Any],
    figures: Figures,
    *,
    overwrite: bool = False,
) -> None:
    """Write ``report.html``, ``evaluation.json`` and ``<name>.png``; all or nothing.

    Parameters
    ----------
    folder : path
    title : str
    body : str
        HTML, with what comes from data escaped.
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
        text = json.dumps(numbers, ensure_ascii=False, indent=2, default=str)
        write_file(draft / NUMBERS, (text + "\n").encode())
        write_file(draft / PAGE, _page(title, body, drawn).encode())


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


def _page(title: str, body: str, drawn: Mapping[str, bytes]) -> str:
    pictures = "".join(
        f'<p><img alt="{escape(name)}" src="data:image/png;base64,'
        f'{base64.b64encode(picture).decode()}"></p>'
        for name, picture in drawn.items()
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{body}{pictures}"
        "</body></html>\n"
    )
