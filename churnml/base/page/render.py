"""Fill the template of a page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_HERE = "churnml.base"


@dataclass(frozen=True, kw_only=True)
class PageTable:
    """A table of a page.

    Attributes
    ----------
    caption : str
        What it tells; a screen reader reads it first.
    head : sequence of str
    rows : sequence of sequences
        Cells: texts, or marks of `churnml.base.page.svg`; the first cell heads its row.
    numbers : collection of int
        The columns that are aligned to the right.
    wide : collection of int
        The columns that hold a drawing, which take the room that is left.
    even : bool
        Columns as wide as in the other even tables, for some that stand below each other.
    """

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str | Markup]]
    numbers: Collection[int] = ()
    wide: Collection[int] = ()
    even: bool = False

    def without_blank(self) -> PageTable:
        """The same without rows that tell nothing but their name."""
        kept = [row for row in self.rows if any(cell not in ("", "–") for cell in row[1:])]
        return replace(self, rows=kept)


@dataclass(frozen=True, kw_only=True)
class PageFigure:
    """A figure of a page with the numbers that it shows.

    Attributes
    ----------
    drawn : Markup
    caption : str
    table : PageTable or None
        Folded under the figure.
    """

    drawn: Markup
    caption: str
    table: PageTable | None = None


@dataclass(frozen=True, kw_only=True)
class PageSection:
    """A part of a page, of which the heading states the finding.

    Attributes
    ----------
    id : str
        Of the anchor.
    topic : str
        What it is about, in a word or two: its name in the contents.
    heading : str
    lead : sequence of str
        Sentences under the heading.
    parts : sequence of PageTable and PageFigure
    notes : sequence of str
        In small print at its end.
    """

    id: str
    topic: str
    heading: str
    lead: Sequence[str] = ()
    parts: Sequence[PageTable | PageFigure] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class PageTile:
    """One of the few numbers that a reader should take away.

    Attributes
    ----------
    label, value, detail : str
    light : Markup or str
        A light of `churnml.base.page.svg`, or nothing.
    """

    label: str
    value: str
    detail: str = ""
    light: Markup | str = ""


def render(template: str, *, package: str | None = None, lang: str, **values: Any) -> str:
    """Fill a template.

    Parameters
    ----------
    template : str
        A file in the folder ``templates`` of ``package``, or ``page.html``, which suits most
        pages: it takes ``title``, ``headline``, ``facts``, ``tiles``, ``sections``, ``foot``.
    package : str, optional
    lang : {"en", "zh"}
        Of the page's own words: the skip link, the contents, the names of folded tables.
    **values
        What the template names; what it names and is not given is an error.

    Examples
    --------
    >>> page = render("page.html", lang="en", title="A <page>", headline="All is well.",
    ...               facts=[], tiles=[], sections=[], foot=[])
    >>> "A &lt;page&gt;" in page
    True
    """
    loaders = [PackageLoader(_HERE, "page")]
    if package is not None:
        loaders.insert(0, PackageLoader(package, "templates"))
    made = Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["kept"] = _kept
    made.tests["figure"] = lambda part: isinstance(part, PageFigure)
    # The package's own file, and the only text that is not escaped.
    css = Markup(files(_HERE).joinpath("page", "page.css").read_text("utf-8"))
    return made.get_template(template).render(css=css, lang=lang, own=_WORDS[lang], **values)


def _kept(cell: str | Markup) -> str | Markup:
    """A cell whose interval is not broken: it goes to the next line as a whole.

    >>> print(_kept("76.2 (74.1 to 78.3)"), _kept("12.3 %"))
    76.2 <span class="k">(74.1 to 78.3)</span> <span class="k">12.3 %</span>
    """
    if isinstance(cell, Markup) or len(cell) > _LONG_CELL:
        return cell
    for bracket in (" (", "（"):
        value, found, rest = cell.partition(bracket)
        if found:
            span = Markup('<span class="k">{}{}</span>').format(found.strip(), rest)
            return Markup("{}{}{}").format(value, found[: -len(found.strip())], span)
    return Markup('<span class="k">{}</span>').format(cell)


_LONG_CELL = 60

_WORDS = {
    "en": {
        "root": "en",
        "skip": "Skip to the content",
        "contents": "On this page",
        "numbers": "The numbers of this figure",
        "scroll": "table, scrolls sideways",
    },
    "zh": {
        "root": "zh-CN",
        "skip": "跳到正文",
        "contents": "本页内容",
        "numbers": "图中数据",
        "scroll": "表格，可横向滚动",
    },
}
