"""Compile a model's trees to machine code once, several times as fast to score with.

What lleaves makes of a booster is kept in the user's cache folder, by the booster, the
versions and the processor, and checked before every use: a file that was changed is made
anew, and scores that differ from LightGBM's are refused.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churnml.errors import ModelError, UsageError
from churnml.models.model import InputColumn, Model, frame_of, golden_rows, predict

if TYPE_CHECKING:
    import lleaves

_ROWS = 10_000
"""Drawn rows on which compiled trees are compared with LightGBM's, beside the golden ones."""

_TOLERANCE = 1e-9
_MISSING = 0.05


class CompiledTrees:
    """A booster's trees as machine code, called as the booster is.

    Parameters
    ----------
    trees : lleaves.Model
        Compiled, for raw scores.
    """

    def __init__(self, trees: lleaves.Model) -> None:
        self._trees = trees

    def predict(
        self, matrix: NDArray[np.float32], *, raw_score: bool, num_threads: int
    ) -> NDArray[np.float64]:
        """Raw scores, shape (n,)."""
        assert raw_score
        rows = np.ascontiguousarray(matrix, np.float64)
        scores: NDArray[np.float64] = self._trees.predict(rows, n_jobs=num_threads or None)
        return scores


def compiler() -> str:
    """What compiles the trees, with its versions.

    Raises
    ------
    UsageError
        If it is not installed.
    """
    _require()
    return f"lleaves {version('lleaves')}, llvmlite {version('llvmlite')}"


def compile_trees(model: Model) -> Model:
    """The model with its trees compiled, and compared with LightGBM's.

    Parameters
    ----------
    model : Model

    Returns
    -------
    Model
        The same in all else.

    Raises
    ------
    UsageError
        If lleaves is not installed.
    ModelError
        If a golden row, or one of 10,000 drawn from the distributions that the model keeps of
        its training, gets another score.
    """
    _require()
    folder = _cache()

    def compile_bag(bag: Any) -> Any:
        return replace(bag, boosters=[_compiled(text, folder) for text in bag.texts])

    made = replace(model, estimator=model.estimator.with_bags(compile_bag))
    _compare(model, made)
    return made


def _require() -> None:
    try:
        import lleaves  # noqa: F401
    except ImportError:
        raise UsageError(
            "engine.trees is lleaves, which is not installed.",
            hint="Install churnml with its extra fast, or leave engine.trees at lightgbm.",
            value="lleaves",
        ) from None


def _cache() -> Path | None:
    """The user's own folder of compiled trees; None where there cannot be one."""
    from platformdirs import user_cache_path

    folder = user_cache_path("churnml") / "trees"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        state = folder.stat()
    except OSError:
        return None
    # Machine code is loaded from it: nobody else may write there.
    own = state.st_uid == os.getuid() and not state.st_mode & 0o022
    return folder if own and os.access(folder, os.W_OK) else None


def _compiled(text: str, folder: Path | None) -> CompiledTrees:
    import lleaves

    with tempfile.TemporaryDirectory(prefix="churnml-") as place:
        source, fresh = Path(place) / "trees.txt", Path(place) / "trees.o"
        source.write_text(_of_numbers(text), encoding="utf-8")
        trees = lleaves.Model(model_file=str(source))
        kept = None if folder is None else folder / f"{_key(text)}.o"
        content = None if kept is None else _read(kept)
        if content is not None:
            fresh.write_bytes(content)
        try:
            trees.compile(cache=str(fresh), raw_score=True)
        except (RuntimeError, ValueError, AssertionError) as error:
            raise ModelError(
                f"lleaves cannot compile a booster ({error}).",
                hint="Set engine.trees to lightgbm.",
            ) from None
        if content is None and kept is not None:
            _keep(fresh.read_bytes(), kept)
    return CompiledTrees(trees)


def _of_numbers(text: str) -> str:
    """The text with a range for each column, without which lleaves takes it for a category."""
    return re.sub(
        "^feature_infos=.*$",
        lambda line: line[0].replace("none", "[0:1]"),
        text,
        count=1,
        flags=re.MULTILINE,
    )


def _key(text: str) -> str:
    """The booster, what compiles it, and for which processor."""
    import llvmlite.binding as llvm

    processor = f"{llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"
    return hashlib.sha256(f"{compiler()}\n{processor}\n{text}".encode()).hexdigest()


def _read(kept: Path) -> bytes | None:
    """A kept file's content without the checksum that stands before it; None if not whole."""
    try:
        data = kept.read_bytes()
    except OSError:
        return None
    checksum, content = data[:32], data[32:]
    return content if hashlib.sha256(content).digest() == checksum else None


def _keep(content: bytes, kept: Path) -> None:
    """Write the content and its checksum, whole or not at all; without room it is not kept."""
    try:
        with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as file:
            file.write(hashlib.sha256(content).digest() + content)
        Path(file.name).replace(kept)
    except OSError:
        return


def _compare(model: Model, made: Model) -> None:
    for rows in (golden_rows(model), frame_of(_drawn(model), model.inputs)):
        expected, found = predict(model, rows), predict(made, rows)
        for name, scores in found.items():
            worst = float(np.max(np.abs(scores - expected[name]), initial=0.0))
            if not worst <= _TOLERANCE * max(1.0, float(np.max(np.abs(expected[name])))):
                raise ModelError(
                    f"{model.origin.name or model.task}: {name} by compiled trees differs from "
                    f"LightGBM's by up to {worst:.3g}.",
                    hint="Set engine.trees to lightgbm.",
                    column=name,
                )


def _drawn(model: Model) -> dict[str, list[Any]]:
    random = np.random.default_rng(0)
    return {column.name: _values(column, random) for column in model.inputs}


def _values(column: InputColumn, random: np.random.Generator) -> list[Any]:
    """Values between a column's knots, or its levels; some missing."""
    lost = random.random(_ROWS) < _MISSING
    if column.kind == "number":
        knots = np.array(column.knots or (0.0, 1.0))
        drawn = np.interp(random.random(_ROWS), np.linspace(0, 1, knots.size), knots)
        # Values at which trees part are whole numbers more often than not.
        drawn = np.where(random.random(_ROWS) < 0.5, np.round(drawn), drawn)
        return list(np.where(lost, np.nan, drawn))
    levels = [*column.levels, "never seen"]
    chosen = pd.Series(random.integers(0, len(levels), _ROWS)).map(dict(enumerate(levels)))
    return list(chosen.where(~lost, None))
