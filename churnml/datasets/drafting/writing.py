"""Write a draft mapping as YAML, saying at each line what is certain and what to check."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from churnml.datasets.drafting.facts import File
from churnml.datasets.drafting.matching import ColumnMatch, TableChoice

MARK = "# A draft by churnml init."
"""How a draft begins, by which it is known again."""

SURE = "# sure"
_PLAIN = re.compile(r"[A-Za-z_\u3400-\u9fff][\w.\u3400-\u9fff（）]*")
_NUMBERS = ("number", "integer")
_LITERAL = ("y", "n", "yes", "no", "on", "off", "true", "false", "null", "none")
_HEAD = """{mark} Left of each colon stands what the files say, right of it
# what churnml calls it. Lines marked "sure" agree in name and values and have no rival;
# look at those marked "check" and mend them, then run
#   churnml validate {folder}{option}
# {sure} columns are sure, {check} are to be checked, {left} are not read.
"""


def draft_text(
    choices: Sequence[TableChoice],
    unused: Sequence[str],
    *,
    folder: str,
    option: str,
    counts: tuple[int, int, int],
) -> str:
    """The text of a draft.

    Parameters
    ----------
    choices : sequence of TableChoice
    unused : sequence of str
        What is to be said of the folder's other files.
    folder, option : str
        For the command that checks it.
    counts : tuple of int
        Columns that are sure, to be checked and left out.
    """
    sure, check, left = counts
    lines = [
        _HEAD.format(mark=MARK, folder=folder, option=option, sure=sure, check=check, left=left)
    ]
    files = [one.file for one in choices if one.file.encoding]
    encoding, delimiter = _usual(files, "encoding"), _usual(files, "delimiter")
    if encoding:
        lines.append(f"encoding: {encoding}")
        lines.append(f"delimiter: {_quoted(delimiter)}")
    nulls = nulls_of(choices)
    if nulls:
        lines.append(f"nulls: [{', '.join(map(_quoted, ['', *nulls]))}]  # check: mean no value")
    used = [one for table in choices for one in table.columns if one.column]
    if any(one.own.grouped and one.column.kind in _NUMBERS for one in used if one.column):
        lines.append('thousands: ","  # numbers such as 1,234.50')
    zoned = any(one.own.layouts.zoned for table in choices for one in table.columns)
    if zoned:
        lines.append("# timezone: Asia/Shanghai  # check: where zoned timestamps become local")
    lines += ["", "tables:"]
    for one in choices:
        lines += _table(one, encoding, delimiter)
    if unused:
        lines += ["", *(f"# {text}" for text in unused)]
    return "\n".join(lines) + "\n"


def nulls_of(choices: Sequence[TableChoice]) -> list[str]:
    """Texts that mean a missing value in some column that is read."""
    used = [one for table in choices for one in table.columns if one.column]
    found = [text for one in used for text in (*one.own.nulls, *one.own.never)]
    return list(dict.fromkeys(found))


def _usual(files: Iterable[File], what: str) -> str:
    counts = Counter(getattr(one, what) for one in files)
    return counts.most_common(1)[0][0] if counts else ""


def _table(choice: TableChoice, encoding: str, delimiter: str) -> list[str]:
    file = choice.file
    lines = [f"  {choice.spec.name}:"]
    doubts = [one for one in choice.doubts if not one.startswith("it lacks")]
    lines.append(f"    file: {_key(file.name)}  {_verdict(doubts)}")
    if file.sheet:
        lines.append(f"    sheet: {_key(file.sheet)}  {_verdict(doubts)}")
    if file.encoding and file.encoding != encoding:
        lines.append(f"    encoding: {file.encoding}  {SURE}")
    if file.delimiter and file.delimiter != delimiter:
        lines.append(f"    delimiter: {_quoted(file.delimiter)}  {SURE}")
    used = [one for one in choice.columns if one.column is not None]
    if used:
        lines.append("    columns:")
    lines += [
        f"      {_key(one.own.name)}: {one.column.name}  {_verdict(one.doubts)}"
        for one in used
        if one.column
    ]
    lines += [
        f"      # {_key(one.own.name)}:  # check: {'; '.join(one.doubts)}"
        for one in choice.columns
        if one.column is None
    ]
    lines += [
        f"      # ?: {name}  # check: required, and no column seems to be it"
        for name in choice.absent
    ]
    lines += _values(used)
    lines += _section(
        "formats", {_name(one): _quoted(one.fit.format) for one in used if one.fit.format}
    )
    lines += _section("scale", {_name(one): one.fit.scale for one in used if one.fit.scale})
    return lines


def _values(used: Sequence[ColumnMatch]) -> list[str]:
    coded = [one for one in used if one.fit.values or one.fit.unknown]
    lines: list[str] = []
    for one in coded:
        pairs = [f"{_quoted(own)}: {ours}" for own, ours in one.fit.values.items()]
        if pairs:
            lines.append(f"      {_name(one)}: {{{', '.join(pairs)}}}")
        if one.fit.unknown and one.column:
            legal = ("true", "false") if one.column.kind == "boolean" else one.column.codes
            known = f"; each is one of {', '.join(legal)}" if legal else ""
            codes = ", ".join(map(_quoted, one.fit.unknown[:20]))
            lines.append(f"      # check {_name(one)}: {codes}{known}")
    real = any(not line.lstrip().startswith("#") for line in lines)
    return [("    values:" if real else "    # values:"), *lines] if lines else []


def _section(name: str, entries: dict[str, str]) -> list[str]:
    if not entries:
        return []
    return [f"    {name}:", *(f"      {key}: {value}" for key, value in entries.items())]


def _name(choice: ColumnMatch) -> str:
    return choice.column.name if choice.column else ""


def _verdict(doubts: Sequence[str]) -> str:
    return SURE if not doubts else f"# check: {'; '.join(dict.fromkeys(doubts))}"


def _key(text: str) -> str:
    return text if _PLAIN.fullmatch(text) and text.lower() not in _LITERAL else _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
