"""``python -m churnml.cli.reference``: the page of all commands, in Markdown."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from typer.main import get_command

from churnml.cli import app

_HEAD = """# Every command

What `churnml COMMAND --help` says, command by command. Results go to standard output, progress and
messages to standard error; [a tour of the commands](tour.md) shows them at work and what their exit
statuses mean. Options that every command has are told once, at the end."""

_COMMON = ("json", "debug")


def markdown() -> str:
    """Every command with what it does, its arguments and its options."""
    group = get_command(app)
    parts = [_HEAD]
    common: dict[str, Any] = {}
    for words, command in _commands("churnml", group):
        parts.append(_section(words, command))
        common |= {one.name: _row(one, _context(words, command)) for one in _shared(command)}
    parts.append("\n".join(["## Options of every command", "", *_table(common.values())]))
    return "\n\n".join(parts)


def _commands(words: str, group: Any) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(f"{words} {name}", command)
        else:
            yield f"{words} {name}", command


def _section(words: str, command: Any) -> str:
    told, *example = re.split(r"(?:For example|Example):", command.help)
    context = _context(words, command)
    rows = [_row(one, context) for one in command.params if one.name not in _COMMON]
    lines = [f"## {words}", "", *_paragraphs(told)]
    if example:
        # One command a line; what is long is broken in the docstring.
        shown = re.split(r"\s+(?=churnml )", " ".join(example[0].split()))
        lines += ["```", *shown, "```", ""]
    return "\n".join([*lines, *_table(rows)]).strip()


def _shared(command: Any) -> list[Any]:
    return [one for one in command.params if one.name in _COMMON]


def _context(words: str, command: Any) -> Any:
    return command.context_class(command, info_name=words)


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.strip().split("\n\n"):
        yield from (" ".join(paragraph.split()), "")


def _row(parameter: Any, context: Any) -> tuple[str, str]:
    name, told = parameter.get_help_record(context)
    if parameter.param_type_name == "argument" and not parameter.metavar:
        name = parameter.name.upper()
    name = re.sub(r"<(\w+)[^>]*>", lambda kind: kind[1].upper(), name)
    told = " ".join(told.split())
    return name, told.replace("[default: ", "[by default ")


def _table(rows: Iterable[tuple[str, str]]) -> list[str]:
    lines = [f"| `{name}` | {told.replace('|', chr(92) + '|')} |" for name, told in rows]
    return ["| argument or option | what it does |", "|---|---|", *lines] if lines else []


if __name__ == "__main__":
    sys.stdout.write(markdown() + "\n")
