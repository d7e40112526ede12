"""E. Several at once: one output, one store, one database; readers beside writers."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pandas as pd

from tests.faults.catalogue.bench import Bench, names, require
from tests.faults.catalogue.crashes import SLOW, Work
from tests.faults.catalogue.registry import case


@case(79, "two scorings into one place")
def two(at: Bench) -> None:
    work = Work(at, "two")
    running = [
        at.start(*work.command("--json"), before=SLOW.format(begun=str(at.folder / f"begun{n}")))
        for n in range(2)
    ]
    done = sorted((one.result() for one in running), key=lambda one: one.status)
    require([one.status for one in done] == [0, 5], [one.err[-200:] for one in done])
    error = done[1].json["error"]
    require(error["pid"] in [one.pid for one in running], error)
    require(f"process {error['pid']}" in error["message"], error)
    at.alike(at.scorer.scores(work.out))
    require(names(work.place) == {"out"}, names(work.place))


@case(80, "the champion changes while it scores")
def moving(at: Bench) -> None:
    train = at.training(at.shared.training, "--name", "toy")
    at.store()
    require(at.run(*train, "--drop", "tenure").status == 0, "another version")
    work, begun = Work(at, "moving"), at.folder / "begun"
    command = at.command(
        work.table, "--config", work.config, out=work.out, model="models:/toy@champion"
    )
    running = at.start(*command, before=SLOW.format(begun=str(begun)), cwd=at.folder)
    waited = time.monotonic()
    while not begun.exists() and time.monotonic() - waited < 30:
        time.sleep(0.01)
    promoted = at.start("promote", "churn", "--name", "toy", "--force", "a test")
    require(promoted.result().status == 0, "the promotion")
    require(running.result().status == 0, "the scoring")
    found = at.scorer.scores(work.out)
    versions = set(found["churn_model"])
    require(len(versions) == 1, versions)
    (version,) = versions
    manifest = json.loads((work.out / "_manifest.json").read_text("utf-8"))
    require(manifest["models"]["churn"]["version"] == version, manifest["models"])
    again = at.score(work.table, "--config", work.config, model=f"models:/{version}")
    require(again.status == 0, again.err[-300:])
    require(found.equals(at.scorer.scores(at.out)), "rows of more than one version")


@case(81, "eight trainings at once on a fresh store")
def eight(at: Bench) -> None:
    table = at.csv(pd.read_csv(at.shared.training, dtype={"id": str}).head(250), "toy.csv")
    train = at.training(table)
    running = [at.start(*train, "--json") for _ in range(8)]
    done = [one.result() for one in running]
    require([one.status for one in done] == [0] * 8, [one.err[-200:] for one in done if one.status])
    versions = sorted(int(one.json["model_version"]) for one in done)
    require(versions == list(range(1, 9)), versions)
    with sqlite3.connect(at.folder / "mlflow.db") as database:
        states = database.execute("select distinct status from runs").fetchall()
        aliases = database.execute("select alias from registered_model_aliases").fetchall()
    require(states == [("FINISHED",)], states)
    require(sorted(aliases) == [("challenger",), ("champion",)], aliases)


@case(82, "a SQLite store that another holds")
def held(at: Bench) -> None:
    at.store()
    table = at.csv(at.rows)
    database = sqlite3.connect(at.folder / "mlflow.db", check_same_thread=False)
    database.execute("begin exclusive")
    free = threading.Timer(4, database.rollback)
    free.start()
    done = at.score(table, model="models:/toy@champion")
    free.join()
    require(done.status == 0, f"it did not wait: {done.err[-300:]}")
    database.execute("begin exclusive")
    done = at.score(table, "--overwrite", model="models:/toy@champion")
    database.rollback()
    database.close()
    require(done.status in (4, 5), f"status {done.status}: {done.err[-300:]}")
    require("lock" in done.err, done.err[-300:])


HOLDER = """
import duckdb, sys, time
connection = duckdb.connect(sys.argv[1])
connection.execute("create table if not exists held (n int)")
print("held", flush=True)
time.sleep(60)
"""


def duckdb_of(at: Bench, place: Path) -> Path:
    """The operator's tables as a DuckDB file."""
    with duckdb.connect(str(place)) as connection:
        for path in sorted(at.shared.operator.glob("*.parquet")):
            connection.execute(f"create table {path.stem} as from '{path}'")
    return place


@case(83, "a DuckDB file that another has open")
def opened(at: Bench) -> None:
    source = duckdb_of(at, at.folder / "operator.duckdb")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, source], stdout=subprocess.PIPE, text=True
    )
    try:
        require(holder.stdout is not None and holder.stdout.readline() == "held\n", "not held")
        done = at.run("validate", source, "--json")
        require(done.status in (3, 5), f"status {done.status}: {done.err[-300:]}")
        require(str(holder.pid) in done.err and "copy" in done.err, done.err[-400:])
    finally:
        holder.kill()
        holder.communicate()
    require(at.run("validate", source, "--json").status == 0, "after it was closed")


@case(84, "a reader looks a thousand times while results are replaced")
def reading(at: Bench) -> None:
    work = Work(at, "read")
    work.age()
    looks, found, wrong = [0], set(), []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            looks[0] += 1
            try:
                found.add(seen(work.out))
            except AssertionError as error:
                wrong.append(str(error))
            # Let the writer have the processor, too.
            time.sleep(0.001)

    reader = threading.Thread(target=look)
    reader.start()
    while looks[0] < 1000:
        at.run(*work.command(), before="")
        at.run(*work.command("--reasons", "1"))
        if not work.place.exists() or wrong:
            break
    done.set()
    reader.join()
    at.note(f"{looks[0]} looks")
    require(not wrong, f"{len(wrong)} of {looks[0]}: {wrong[:2]}")
    require(len(found - {"gone"}) >= 2 and None not in found, found)


def seen(folder: Path) -> str:
    """What a reader gets who holds the folder open: a whole result, or it has gone by now."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        raise AssertionError("no result stands there") from None
    try:
        raw = read_at(handle, "_manifest.json")
        if raw is None:
            # Taken away after the exchange, or never there?
            assert not os.fstat(handle).st_nlink or not os.path.samestat(
                os.fstat(handle), folder.stat()
            ), "a folder without an account"
            return "gone"
        for part in json.loads(raw)["parts"]:
            data = read_at(handle, part["name"])
            if data is None:
                assert not os.path.samestat(os.fstat(handle), folder.stat()), "a part is missing"
                return "gone"
            assert hashlib.sha256(data).hexdigest() == part["sha256"], "a part of another result"
        return hashlib.sha256(raw).hexdigest()
    finally:
        os.close(handle)


def read_at(handle: int, name: str) -> bytes | None:
    try:
        with os.fdopen(os.open(name, os.O_RDONLY, dir_fd=handle), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
