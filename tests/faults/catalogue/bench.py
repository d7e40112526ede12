"""Where a case is tried: a folder of its own, a scorer, and what must hold after every command."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.faults.catalogue.scorers import Scorer
from tests.faults.conftest import Cli, Result, Running

CHECKOUT = Path(__file__).parents[3]
DOCUMENTED = {0, 1, 2, 3, 4, 5, 6, 130, 143}
CANARY_ID = "13800138000"
CANARY_PLAN = "CANARY-VILLAGE"
SECRET = "hunter2-CANARY"
ROWS = 600
SEED = 18


def customers(rows: int = ROWS, seed: int = SEED) -> pd.DataFrame:
    """A flat table with what happened; one customer's id and village are canaries."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "id": [f"{number:05d}" for number in range(rows)],
            "tenure": random.integers(1, 72, rows).astype(float),
            "费用": random.gamma(2, 40, rows).round(2),
            "calls": random.integers(0, 60, rows),
            "plan": random.choice(["basic", "plus", "max"], rows),
            "village": random.choice([f"village {n}" for n in range(6)], rows),
            "online": random.random(rows) < 0.5,
        }
    )
    frame.loc[::7, "费用"] = np.nan
    frame.loc[3, ["id", "village"]] = [CANARY_ID, CANARY_PLAN]
    risk = 1 / (1 + frame["tenure"] / 12) + 0.2 * (frame["plan"] == "basic")
    frame["left"] = np.where(random.random(rows) < risk / 1.3, "yes", "no")
    return frame


@dataclass
class Shared:
    """What all cases of a scorer share: a model, a table, its scores, an older result."""

    folder: Path
    training: Path
    model: Path
    rows: pd.DataFrame
    operator: Path
    quick: Path
    store: Path
    expected: pd.DataFrame = field(default_factory=pd.DataFrame)
    expected_files: dict[str, bytes] = field(default_factory=dict)
    old: Path = Path()


class Failed(AssertionError):
    """A case that did not survive, in words."""


def require(holds: object, words: object = "") -> None:
    """Fail the case, saying why, unless something holds."""
    if not holds:
        raise Failed(str(words)[:600])


@dataclass
class Bench:
    """One case's place.

    Attributes
    ----------
    folder : Path
        Empty, and the case's own; commands run in it.
    said : Path
        Where all that commands print is kept, for the search for canaries.
    """

    scorer: Scorer
    cli: Cli
    shared: Shared
    folder: Path
    log: list[str] = field(default_factory=list)

    @property
    def rows(self) -> pd.DataFrame:
        return self.shared.rows.copy()

    @property
    def model(self) -> Path:
        return self.shared.model

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def place(self, name: str) -> Path:
        """A folder inside the case's own, for a part of it."""
        place = self.folder / name
        place.mkdir(parents=True)
        return place

    def random(self) -> random.Random:
        """Chance that a failure replays: the seed is in the log."""
        self.note(f"seed {SEED}")
        return random.Random(SEED)

    def note(self, text: str) -> None:
        self.log.append(text)

    # Tables ---------------------------------------------------------------------------------

    def csv(self, frame: pd.DataFrame, name: str = "table.csv", **options: Any) -> Path:
        path = self.folder / name
        frame.to_csv(path, index=False, lineterminator="\n", **options)
        return path

    def lines(self, change: Callable[[list[str]], Iterable[str]], name: str = "table.csv") -> Path:
        """The good table as CSV, with its lines changed."""
        lines = self.rows.to_csv(index=False, lineterminator="\n").splitlines()
        return self.raw("\n".join(change(lines)) + "\n", name)

    def raw(self, data: bytes | str, name: str = "table.csv") -> Path:
        path = self.folder / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def parquet(
        self, table: pd.DataFrame | pa.Table, name: str = "table.parquet", **options: Any
    ) -> Path:
        if isinstance(table, pd.DataFrame):
            table = pa.Table.from_pandas(table, preserve_index=False)
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, **options)
        return path

    def operator(self, name: str = "operator") -> Path:
        """A copy of the simulated operator's tables."""
        place = self.folder / name
        shutil.copytree(self.shared.operator, place)
        return place

    # Commands -------------------------------------------------------------------------------

    def start(self, *argv: object, **options: Any) -> Running:
        cwd = options.pop("cwd", self.folder)
        before = options.pop("before", "")
        environment = {"OMP_NUM_THREADS": "1"} | options.pop("env", {})
        code = before + self.scorer.code
        return self.cli.start(*argv, cwd=cwd, code=code, env=environment, **options)

    def run(self, *argv: object, killed: bool = False, **options: Any) -> Result:
        """Run a command to its end; whatever it did, it said so properly."""
        limit = options.pop("limit", self.scorer.limit)
        running = self.start(*argv, **options)
        watch = Timer(limit, os.kill, (running.pid, signal.SIGKILL))
        watch.start()
        done = running.result()
        watch.cancel()
        if not killed:
            self.proper(done, "--json" in argv)
        return done

    def fresh(self, *argv: object, before: str = "", **options: Any) -> Result:
        """The same in a process of its own, with an environment of its own."""
        limit = options.pop("limit", self.scorer.limit)
        code = f"import sys\nargv = sys.argv[1:]\n{before}\n{self.scorer.code}"
        environment = os.environ | {"OMP_NUM_THREADS": "1"} | options.pop("env", {})
        environment["PYTHONPATH"] = os.pathsep.join(
            [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]
        )
        ended = subprocess.run(
            [sys.executable, "-c", code, *map(str, argv)],
            cwd=options.pop("cwd", self.folder),
            env=environment,
            capture_output=True,
            timeout=limit,
            check=False,
        )
        texts = [text.decode("utf-8", "replace") for text in (ended.stdout, ended.stderr)]
        done = Result(ended.returncode, *texts)
        self.proper(done, "--json" in argv)
        return done

    def proper(self, done: Result, as_json: bool) -> None:
        """I3 to I6: a documented status, one message, no traceback, no canary."""
        require(done.status in DOCUMENTED, f"status {done.status}: {done.err[-300:]}")
        require("Traceback" not in done.err, f"traceback: {done.err[-300:]}")
        for canary in (CANARY_ID, CANARY_PLAN, SECRET):
            require(canary not in done.err, f"{canary} in a message: {done.err[-300:]}")
        if done.status and as_json:
            error = json.loads(done.out)
            if done.status != 6:
                require(error["error"]["status"] == done.status, error)
        if done.status:
            messages = [
                line for line in done.err.splitlines() if line.startswith(f"{self.scorer.name}: ")
            ]
            require(len(messages) == 1, f"{len(messages)} messages: {done.err[-400:]}")

    def command(self, table: object, *more: object, **named: Any) -> list[object]:
        out, model = named.get("out", self.out), named.get("model", self.model)
        return ["score", table, "--id", "id", "--out", out, "--churn-model", model, *more]

    def training(self, table: object, *more: object) -> list[object]:
        """A training that takes little time."""
        known = ("--id", "id", "--target", "left", "--config", self.shared.quick)
        return ["train", "churn", table, *known, *more]

    def store(self) -> None:
        """Let a store with one champion, ``toy/1``, lie in the case's folder."""
        require(self.shared.store.exists(), "it keeps no models")
        shutil.copy(self.shared.store, self.folder)

    def score(self, table: object, *more: object, **options: Any) -> Result:
        named = {name: options.pop(name) for name in ("out", "model") if name in options}
        return self.run(*self.command(table, *more, **named), **options)

    # What must hold -------------------------------------------------------------------------

    def refuses(
        self,
        table: object,
        *words: str,
        status: int | tuple[int, ...] = 3,
        more: Iterable[object] = (),
        **options: Any,
    ) -> Result:
        """Refused with a status and a message, and an older result is as it was (I1, I2)."""
        shutil.rmtree(self.out, ignore_errors=True)
        shutil.copytree(self.shared.old, self.out)
        before, beside = files(self.out), names(self.folder)
        done = self.score(table, "--overwrite", "--json", *more, **options)
        expected = status if isinstance(status, tuple) else (status,)
        require(done.status in expected, f"status {done.status} for {expected}: {done.err[-400:]}")
        for word in words:
            require(re.search(word, done.err), f"{word!r} is not in: {done.err[-400:]}")
        require(files(self.out) == before, "the older result was changed")
        require(names(self.folder) == beside, names(self.folder) - beside)
        return done

    def finishes(self, done: Result, statuses: tuple[int, ...] = (0,)) -> pd.DataFrame:
        """A complete result whose rows add up (I7)."""
        require(done.status in statuses, f"status {done.status}: {done.err[-400:]}")
        found = self.scorer.scores(self.out)
        if done.out.startswith("{"):
            counts = done.json["rows"]
            parts = counts["scored"] + counts["quarantined"] + counts["ineligible"]
            require(counts["in"] == parts, counts)
            require(counts["scored"] == len(found), counts)
        return found

    def parted(self) -> dict[str, bytes]:
        """The bytes of the undisturbed result, without its account."""
        return parts_of(self.shared.expected_files)

    def same(self, table: object, *more: object, **options: Any) -> Result:
        """Scored as if nothing were the matter, to the bit."""
        done = self.score(table, "--overwrite", "--json", *more, **options)
        self.alike(self.finishes(done))
        require(done.json["rows"]["quarantined"] == 0, done.json["rows"])
        return done

    def alike(self, found: pd.DataFrame, rows: int | None = None) -> None:
        """These scores are the undisturbed ones, for every row or for at least so many."""
        expected = self.shared.expected
        if rows is None:
            require(len(found) == len(expected), f"{len(found)} rows for {len(expected)}")
        both = found.index.intersection(expected.index)
        require(len(both) >= (len(expected) if rows is None else rows), f"{len(both)} alike")
        pd.testing.assert_frame_equal(found.loc[both], expected.loc[both])

    def sets_aside(
        self, table: object, count: int, *words: str, more: Iterable[object] = ()
    ) -> Result:
        """So many rows are quarantined, counted, and the others score as ever."""
        done = self.score(table, "--overwrite", "--json", *more)
        self.alike(self.finishes(done), len(self.shared.expected) - count)
        require(done.json["rows"]["quarantined"] == count, done.json["rows"])
        told = done.out + done.err
        for word in words:
            require(re.search(word, told), f"{word!r} is not in: {told[-600:]}")
        return done

    def trips(self, table: object, *words: str) -> Result:
        """Published, status 6, with the column and its figure."""
        done = self.score(table, "--overwrite")
        self.finishes(done, (6,))
        for word in words:
            require(re.search(word, done.err), f"{word!r} is not in: {done.err[-400:]}")
        return done

    def refuses_or_sets_aside(self, table: object, *words: str) -> Result:
        """Never scored in silence: refused with these words, or the rows counted apart."""
        done = self.score(table, "--overwrite", "--json")
        told = done.out + done.err
        if done.status == 0:
            self.finishes(done)
            require(done.json["rows"]["quarantined"] > 0, f"scored in silence: {done.out[:300]}")
        else:
            require(done.status == 3, f"status {done.status}: {told[-300:]}")
        for word in words:
            require(re.search(word, told), f"{word!r} is not in: {told[-600:]}")
        return done


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its name there."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def parts(folder: Path) -> dict[str, bytes]:
    """A result's files without its account, which tells the time."""
    return parts_of(files(folder))


def parts_of(found: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in found.items() if not name.startswith("_")}
