"""Save and load models: LightGBM text, one JSON file and checksums; no pickle.

::

    folder/
        boosters/0000.txt ...   LightGBM's text format
        bundle.json             everything else, as plain data
        SHA256SUMS              of all of them, as ``sha256sum -c`` reads it

LightGBM ends the process on a damaged text, or never returns. Therefore no byte reaches it
before every checksum has been compared. Checksums tell damage; they do not tell who wrote
the bundle: load only models of your own registry.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from churnml.base.files import write_file
from churnml.base.placing import Product, only
from churnml.errors import BundleError
from churnml.models.model import (
    BANDS,
    Golden,
    InputColumn,
    Model,
    Origin,
    check_golden,
    estimator_class,
    golden_rows,
    predict,
)

__all__ = [
    "BUNDLE",
    "PROTOCOL",
    "Golden",
    "InputColumn",
    "Model",
    "Origin",
    "check_golden",
    "golden_rows",
    "is_bundle",
    "load",
    "predict",
    "save",
]

PROTOCOL = 1
"""Number of the format; a bundle with another one is refused."""

SUMS = "SHA256SUMS"
CONTENT = "bundle.json"
_BOOSTER = re.compile(r"boosters/\d{4}\.txt")
_SUM_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


def save(model: Model, folder: str | Path, *, overwrite: bool = False) -> str:
    """Write a model as a bundle, atomically.

    Parameters
    ----------
    model : Model
    folder : path
        Absent, or empty.
    overwrite : bool, default False
        Whether a bundle that stands there may be replaced.

    Returns
    -------
    str
        The bundle's digest; the same model always has the same one.

    Raises
    ------
    OutputError
        If something stands there, or the disk or the permissions do not allow it.
    """
    with BUNDLE.replaced(folder, overwrite=overwrite) as fresh:
        return _write(model, fresh)


def _ours(folder: Path) -> bool:
    """Whether a folder is a bundle and holds nothing else."""
    return (folder / SUMS).is_file() and only(
        folder, lambda name: name in (SUMS, CONTENT) or _BOOSTER.fullmatch(name) is not None
    )


BUNDLE = Product(what="a model", ours=_ours)


def _write(model: Model, folder: Path) -> str:
    files = encode(model)
    (folder / "boosters").mkdir(parents=True)
    for name, data in files.items():
        write_file(folder / name, data)
    return _digest(files[SUMS])


def encode(model: Model) -> dict[str, bytes]:
    """The files of a model's bundle by name, the checksums last."""
    state, boosters = model.estimator.to_state()
    content = {
        "protocol": PROTOCOL,
        "task": model.task,
        "state": state,
        "inputs": [asdict(column) for column in model.inputs],
        "reference": model.reference,
        "golden": asdict(model.golden),
        "origin": asdict(model.origin),
        "versions": dict(model.versions),
        "tested": dict(model.tested),
        "bands": model.bands,
    }
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1, sort_keys=True)
    files = {f"boosters/{at:04d}.txt": booster.encode() for at, booster in enumerate(boosters)}
    files[CONTENT] = text.encode() + b"\n"
    sums = "".join(f"{_digest(files[name])}  {name}\n" for name in sorted(files)).encode()
    return {**files, SUMS: sums}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def load(folder: str | Path) -> Model:
    """Load a bundle after verifying all checksums.

    Raises
    ------
    BundleError
        If a file is missing, was changed or does not belong there, or the bundle has
        another protocol.
    """
    place = Path(folder)
    return _decode(_verified(place), place)


def decode(files: Mapping[str, bytes], name: str) -> Model:
    """Load a bundle from its files, after comparing their checksums, as `load` does from a folder.

    Parameters
    ----------
    files : mapping of str to bytes
        As `encode` gives them.
    name : str
        What messages call it.

    Raises
    ------
    BundleError
    """
    place = Path(name)
    expected = _read_sums(place, files[SUMS])
    for one, digest in expected.items():
        if _digest(files.get(one, b"")) != digest:
            raise _refused(place / one, "was changed: its SHA-256 is not the listed one")
    return _decode({SUMS: files[SUMS], **{one: files[one] for one in expected}}, place)


def _decode(files: dict[str, bytes], place: Path) -> Model:
    """The model in files that have been verified."""
    sums = files.pop(SUMS)
    try:
        content = json.loads(files.pop(CONTENT))
    except ValueError as error:
        raise _refused(place / CONTENT, f"not JSON ({error})") from None
    if content.get("protocol") != PROTOCOL:
        raise BundleError(
            f"{place}: bundle of protocol {content.get('protocol')!r}; this churnml reads "
            f"{PROTOCOL}.",
            hint="Use the churnml it was made with, or train again.",
            file=str(place),
        )
    try:
        model = _model(content, [files[name].decode() for name in sorted(files)])
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise _refused(place, f"incomplete content ({error!r})") from None
    return replace(model, digest=_digest(sums))


def _model(content: Mapping[str, Any], boosters: list[str]) -> Model:
    origin = dict(content["origin"])
    for name in ("as_of", "window"):
        origin[name] = tuple(origin[name])
    return Model(
        task=content["task"],
        estimator=estimator_class(content["task"]).from_state(content["state"], boosters),
        inputs=tuple(
            # Bundles of 0.1.0 have no shares.
            InputColumn(
                **column
                | {name: tuple(column.get(name, ())) for name in ("knots", "shares", "absent")}
            )
            for column in content["inputs"]
        ),
        reference=tuple(content["reference"]),
        golden=Golden(**content["golden"]),
        origin=Origin(**origin),
        versions=content["versions"],
        # Bundles of 0.1.0 say nothing of their tests.
        tested=content.get("tested", {}),
        # Those of before have the default bands.
        bands=tuple(content.get("bands", BANDS)),
    )


def is_bundle(folder: Path) -> bool:
    """Whether a folder looks like a bundle; only `load` verifies it."""
    return (folder / SUMS).is_file() or (folder / CONTENT).is_file()


def _verified(place: Path) -> dict[str, bytes]:
    """Read every file once and verify it, so that the verified bytes are those used."""
    try:
        sums = (place / SUMS).read_bytes()
    except OSError as error:
        raise _refused(place / SUMS, f"cannot be read ({error.strerror})") from None
    expected = _read_sums(place, sums)
    _refuse_strangers(place, set(expected))
    files = {SUMS: sums}
    for name, digest in expected.items():
        path = place / name
        try:
            files[name] = path.read_bytes()
        except OSError as error:
            raise _refused(path, f"is listed but cannot be read ({error.strerror})") from None
        if _digest(files[name]) != digest:
            raise _refused(path, "was changed: its SHA-256 is not the listed one")
    return files


def _read_sums(place: Path, sums: bytes) -> dict[str, str]:
    expected: dict[str, str] = {}
    for line in sums.decode("ascii", "replace").removesuffix("\n").split("\n"):
        match = _SUM_LINE.fullmatch(line)
        name = match[2] if match else ""
        known = name == CONTENT or _BOOSTER.fullmatch(name)
        if not match or not known or name in expected:
            raise _refused(place / SUMS, f"unexpected line {line[:80]!r}")
        expected[name] = match[1]
    if CONTENT not in expected:
        raise _refused(place / SUMS, f"does not list {CONTENT}")
    return expected


def _refuse_strangers(place: Path, listed: set[str]) -> None:
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place).as_posix()
        if path.is_symlink() or (name not in {*listed, SUMS, "boosters"}):
            raise _refused(path, "does not belong to the bundle")


def _refused(path: Path, problem: str) -> BundleError:
    return BundleError(
        f"{path}: {problem}; the model was not loaded.",
        hint="Take a fresh copy of the model, or train again.",
        file=str(path),
    )
