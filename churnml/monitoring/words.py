"""The words of monitoring, in English and Chinese, from one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from ruamel.yaml import YAML

from churnml.features import Feature, declared

Tongue = Literal["en", "zh"]


@cache
def monitoring_words() -> dict[str, dict[str, dict[str, str]]]:
    """Every sentence by section, name and language."""
    text = files("churnml.monitoring").joinpath("words.yaml").read_text("utf-8")
    return dict(YAML(typ="safe").load(text))


def say(section: str, name: str, lang: Tongue, facts: Mapping[str, Any] | None = None) -> str:
    """A sentence, filled.

    >>> say("page", "at", "zh", {"as_of": "2026-06-01"})
    '2026-06-01'
    """
    return monitoring_words()[section][name][lang].format(**facts or {})


def say_columns(columns: Sequence[tuple[str, str, str, str]], lang: Tongue) -> str:
    """Columns with what is wrong with them: ``gone`` or ``moved``, the name, now and before.

    >>> print(say_columns([("moved", "arpu_mean_3m_yuan", "0.40", "0.05")], "en"))
    Mean monthly bill, last 3 months [arpu_mean_3m_yuan] (drift 0.40, usual 0.05)
    """
    told = [
        say("columns", kind, lang, {"name": _called(name, lang), "now": now, "was": was})
        for kind, name, now, was in columns
    ]
    return ("、" if lang == "zh" else ", ").join(told)


def _called(name: str, lang: Tongue) -> str:
    """A column in words, with its name in brackets; the name alone where nothing declares it."""
    feature = _declared().get(name)
    return f"{feature.subject(lang)} [{name}]" if feature else name


@cache
def _declared() -> Mapping[str, Feature]:
    return {one.name: one for one in declared()}
