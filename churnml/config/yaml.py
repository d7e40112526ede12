"""Read YAML safely: no tags, no aliases, no duplicate keys, bounded size."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from churnml.errors import UsageError

_MAX_BYTES = 1_000_000
_MAX_DEPTH = 50


def read_yaml(path: str | Path, *, as_written: bool = False) -> Any:
    """Read a YAML 1.2 file as plain Python values.

    Parameters
    ----------
    path : path
    as_written : bool
        Leave every scalar the text that it is: ``01`` is not 1.

    Raises
    ------
    UsageError
        If there is no such file, or it is not plain YAML: broken syntax, a duplicate
        key, a tag, an alias, or more than 1 MB.
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read ({error.strerror}).", hint="Name a YAML file.", file=str(path)
        ) from None
    if len(raw) > _MAX_BYTES:
        raise UsageError(
            f"{path}: {len(raw)} bytes; at most {_MAX_BYTES} expected.", file=str(path)
        )
    try:
        text = raw.decode("utf-8-sig")
        return _parse(text, as_written=as_written)
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path}: not UTF-8 (byte {error.start}).", hint="Save it as UTF-8.", file=str(path)
        ) from None
    except (YAMLError, RecursionError, ValueError) as error:
        line, problem = _where(error)
        raise UsageError(f"{path}{line}: {problem}.", file=str(path)) from None


def _parse(text: str, *, as_written: bool) -> Any:
    kind = "base" if as_written else "safe"
    depth = 0
    for event in YAML(typ=kind, pure=True).parse(StringIO(text)):
        name = type(event).__name__
        depth += name.endswith("StartEvent") - name.endswith("EndEvent")
        # Before the whole is read: the parser takes minutes over thousands of levels.
        if depth > _MAX_DEPTH:
            raise ValueError("nested too deeply")
        if name == "AliasEvent":
            raise ValueError("aliases (*name) are not allowed")
        # Without types a tag would be passed over, not refused.
        if as_written and getattr(event, "tag", None) is not None:
            raise ValueError(f"tags ({event.tag}) are not allowed")
    return YAML(typ=kind, pure=True).load(text)


def _where(error: Exception) -> tuple[str, str]:
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        problem = str(error.problem).split("\n")[0]
        return f", line {mark.line + 1}, column {mark.column + 1}", problem
    return "", "nested too deeply" if isinstance(error, RecursionError) else str(error)
