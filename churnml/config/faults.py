"""Describe what is wrong with a settings file, with line numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from churnml.base.text import nearest
from churnml.errors import UsageError

Steps = Sequence[int | str]

_TOLD = 5

_EXPECTED = {
    "float_type": "a number expected",
    "float_parsing": "a number expected",
    "finite_number": "a finite number expected",
    "int_type": "a whole number expected",
    "int_parsing": "a whole number expected",
    "int_from_float": "a whole number expected",
    "bool_type": "true or false expected",
    "bool_parsing": "true or false expected",
    "string_type": "text expected",
    "none_required": "null expected",
    "missing": "a value expected",
    "tuple_type": "a list expected",
    "list_type": "a list expected",
    "dict_type": "a mapping of names to values expected",
    "model_type": "a mapping of names to values expected",
    "model_attributes_type": "a mapping of names to values expected",
}
_LIMITS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}
_WRITTEN = {
    r"^\d+(d|mo)$": "days or months such as 60d or 2mo expected",
    r"^[1-9]\d*(s|m|h)$": "a time such as 60s, 5m or 1h expected",
    r"^\d+[dh]$": "days or hours such as 3d or 12h expected",
}


def refusal(
    model: type[BaseModel], error: ValidationError, place: str, text: str | None = None
) -> UsageError:
    """Turn invalid settings into a `UsageError`.

    Parameters
    ----------
    model : type
        Of the settings.
    error : ValidationError
    place : str
        The file, or the option.
    text : str, optional
        The file's content, for line numbers.

    Returns
    -------
    UsageError
        Lists up to five faults; ``key`` among its details is the first one's.
    """
    errors = error.errors(include_url=False)
    faults = [(one["loc"], *_fault(model, dict(one))) for one in errors[:_TOLD]]
    first, problem, hint = faults[0]
    key = ".".join(str(step) for step in first)
    if len(errors) == 1:
        where = line_of(text, first)
        return UsageError(f"{place}{where}: {problem}.", hint=hint, file=place, key=key)
    listed = [
        f"{line_of(text, loc).removeprefix(', ') or 'there'}: {problem}"
        + (f" ({hint[:1].lower()}{hint[1:].rstrip('.')})" if hint else "")
        for loc, problem, hint in faults
    ]
    more = f"; and {len(errors) - _TOLD} more" if len(errors) > _TOLD else ""
    return UsageError(
        f"{place}: {len(errors)} faults: {'; '.join(listed)}{more}.",
        file=place,
        key=key,
        count=len(errors),
    )


def _fault(model: type[BaseModel], one: dict[str, Any]) -> tuple[str, str | None]:
    """What is wrong, and what to do."""
    where = ".".join(str(step) for step in one["loc"])
    if one["type"] == "extra_forbidden":
        return f"unknown key {where!r}", _known(model, one["loc"])
    # What a validator says of several settings at once needs no copy of them all.
    own = one["type"] == "value_error"
    given = "" if own or one["type"] == "missing" else f", got {one['input']!r:.80}"
    return f"{where or 'the file'}: {_expected(one)}{given}", None


def _expected(one: dict[str, Any]) -> str:
    kind, context = str(one["type"]), one.get("ctx", {})
    if kind in _EXPECTED:
        return _EXPECTED[kind]
    if kind in _LIMITS:
        words, limit = _LIMITS[kind]
        return f"{words} {context[limit]:g} expected"
    if kind == "literal_error":
        return f"{context['expected']} expected"
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_pattern_mismatch" and context["pattern"] in _WRITTEN:
        return _WRITTEN[context["pattern"]]
    message = str(one["msg"])
    return message[:1].lower() + message[1:]


def _known(model: type[BaseModel], steps: Steps) -> str | None:
    """A hint at the key that an unknown one may mean."""
    known: list[str] = list(model.model_fields)
    for step in steps[:-1]:
        field = model.model_fields.get(str(step))
        annotation = field.annotation if field is not None else None
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model, known = annotation, list(annotation.model_fields)
        else:
            known = []
    near = nearest(str(steps[-1]), known)
    if near is not None:
        return f"Did you mean {near!r}?"
    return f"Known: {', '.join(known)}." if known else None


def line_of(text: str | None, steps: Steps) -> str:
    r"""The line of a key in a YAML text, for a message; empty if it is not there.

    Examples
    --------
    >>> line_of("tiers:\n  gold: x\n", ("tiers", "gold"))
    ', line 2, column 3'
    """
    if text is None:
        return ""
    node: Node | None = YAML(typ="base", pure=True).compose(text)
    mark = None
    for step in steps:
        if isinstance(node, MappingNode):
            matches = [(name.start_mark, value) for name, value in node.value if name.value == step]
        elif isinstance(node, SequenceNode) and isinstance(step, int):
            matches = [(value.start_mark, value) for value in node.value[step : step + 1]]
        else:
            matches = []
        if not matches:
            break
        mark, node = matches[0]
    return "" if mark is None else f", line {mark.line + 1}, column {mark.column + 1}"
