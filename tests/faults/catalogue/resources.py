"""D. Permissions, limits, clocks, temporary folders, downloads."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from tests.faults.catalogue.bench import Bench, files, names, parts, require
from tests.faults.catalogue.registry import case
from tests.faults.catalogue.reproducing import THREADS

LIMIT = "import resource\nresource.setrlimit(resource.RLIMIT_{0}, ({1}, {1}))\n"


@case(67, "a file-size limit")
def file_size(at: Bench) -> None:
    for limit in (2_000, 9_000, 20_000):
        shutil.rmtree(at.out, ignore_errors=True)
        shutil.copytree(at.shared.old, at.out)
        table, before = at.csv(at.rows), files(at.out)
        done = at.score(table, "--overwrite", fsize=limit)
        require(done.status == 5, f"status {done.status}: {done.err[-300:]}")
        require(re.search("size limit|too large|TMPDIR", done.err), done.err[-300:])
        require(files(at.out) == before, "the older result was changed")
        require(names(at.folder) == {"out", "table.csv"}, names(at.folder))
    at.same(table)


@case(68, "a place that is missing, read-only, or another's")
def permission(at: Bench) -> None:
    require(os.geteuid() != 0, "this must run as an ordinary user")
    table = at.csv(at.rows)
    closed = at.place("closed")
    closed.chmod(0o555)
    (at.folder / "file").write_text("mine")
    for place in (closed / "out", Path("/proc/out"), Path("/root/out"), at.folder / "file/out"):
        done = at.score(table, out=place)
        require(done.status == 5, f"{place}: status {done.status}: {done.err[-300:]}")
        require(str(place.name) in done.err and "checking" not in done.err, done.err[-300:])
    require(list(closed.iterdir()) == [], "something was written")
    closed.chmod(0o755)
    at.score(table, out=at.folder / "to/come/out")
    require(len(at.scorer.scores(at.folder / "to/come/out")) == len(at.rows), "made on the way")


@case(69, "a result stands there, or somebody's files")
def standing(at: Bench) -> None:
    table = at.csv(at.rows)
    shutil.copytree(at.shared.old, at.out)
    before = files(at.out)
    done = at.score(table, "--json")
    require(done.status == 5 and "--overwrite" in done.out, done.err[-300:])
    require(files(at.out) == before, "the older result was changed")
    mine = at.place("mine")
    (mine / "budget.xlsx").write_bytes(b"mine")
    (mine / "part-00000.parquet").write_bytes(b"mine too")
    for more in ((), ("--overwrite",)):
        require(at.score(table, *more, out=mine).status == 5, "somebody's folder")
    require(len(files(mine)) == 2, "somebody's files")
    require(at.score(table, "--overwrite", out=table).status == 5, "the input as the output")
    at.same(table)


@case(70, "temporary folder and output on different file systems")
def file_systems(at: Bench) -> None:
    shared = Path("/dev/shm")
    here, there = at.folder.stat().st_dev, shared.stat().st_dev
    require(here != there, "no second file system here")
    table = at.csv(at.rows)
    place = shared / f"faults-{os.getpid()}-{at.scorer.name}"
    place.mkdir()
    try:
        at.same(table, env={"TMPDIR": str(place)})
        require(list(place.iterdir()) == [], "temporary files are left")
        shutil.copytree(at.shared.old, place / "out")
        done = at.score(
            table, "--overwrite", out=place / "out", env={"CHURNML_CRASH_AT": "sealed"}, killed=True
        )
        require(done.status == 137 and files(place / "out") == files(at.shared.old), "old or new")
        at.score(table, "--overwrite", out=place / "out")
        at.alike(at.scorer.scores(place / "out"))
        require(names(place) == {"out"}, names(place))
    finally:
        shutil.rmtree(place)


@case(71, "500 parts with 64 open files")
def open_files(at: Bench) -> None:
    source = at.operator()
    bills = pq.read_table(source / "bills.parquet")
    (source / "bills.parquet").unlink()
    (source / "bills").mkdir()
    size = -(-len(bills) // 500)
    for part in range(500):
        name = source / "bills" / f"part-{part:05d}.parquet"
        pq.write_table(bills.slice(part * size, size), name)
    whole, divided = at.folder / "whole.parquet", at.folder / "divided.parquet"
    date = ("--as-of", "2026-06-01")
    require(at.run("features", at.shared.operator, *date, "--out", whole).status == 0, "whole")
    argv = ["features", source, *date, "--out", divided]
    done = at.run(*argv, before=LIMIT.format("NOFILE", 64))
    require(done.status in (0, 5), f"status {done.status}: {done.err[-300:]}")
    if done.status == 0:
        both = [pd.read_parquet(one).sort_values("customer_id") for one in (whole, divided)]
        pd.testing.assert_frame_equal(*(one.reset_index(drop=True) for one in both))
    config = at.raw("scoring: {batch_rows: 2}", "c.yaml")
    limit = LIMIT.format("NOFILE", 64)
    at.same(at.csv(at.rows), "--config", config, before=limit)


@case(72, "less memory than the table needs")
def memory(at: Bench) -> None:
    # 400,000 rows by batches of 10,000: what is held does not grow with the table.
    small = pd.concat([at.rows.assign(id=at.rows["id"] + f"-{n}") for n in range(100)])
    large = pd.concat([small.assign(id=small["id"] + f"+{n}") for n in range(6)])
    config = at.raw(
        "scoring: {batch_rows: 10000, reasons: 0}\nengine: {memory_limit: 500MB}", "c.yaml"
    )
    peaks = []
    for table in (small, large):
        path = at.csv(table, f"{len(table)}.csv")
        (at.folder / "peak").unlink(missing_ok=True)
        done = at.score(path, "--config", config, "--overwrite", "--json", before=PEAK)
        require(len(at.finishes(done)) == len(table), done.err[-300:])
        peaks.append(int((at.folder / "peak").read_text()))
    at.note(f"peaks: {peaks} KB")
    require(peaks[1] < 1.5 * peaks[0], f"memory grows with the table: {peaks} KB")
    # With room for nothing it ends with a message or by the system's hand, without a result.
    before = files(at.out)
    limit = (
        "import resource\nn = int(open('/proc/self/statm').read().split()[0]) * 4096 + 60_000_000\n"
    )
    limit += "resource.setrlimit(resource.RLIMIT_AS, (n, n))\n"
    done = at.score(path, "--config", config, "--overwrite", "--json", before=limit, killed=True)
    require(done.status == 0 or files(at.out) == before, "a part of a result")
    require(done.status in (0, 1, 3, 5, -6, -9, -11), f"status {done.status}: {done.err[-300:]}")
    shutil.rmtree(at.out)
    require(at.score(path, "--config", config).status == 0, "run again")


PEAK = """
import atexit, os, resource
leave = os._exit
def told(status):
    open("peak", "w").write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
    leave(status)
os._exit = told
"""


@case(
    73,
    "one of several processes on a store dies",
    apart="there are no worker processes: what shares work are processes on one store",
)
def worker(at: Bench) -> None:
    train = at.training(at.shared.training, "--name", "toy")
    at.store()
    running = [at.start(*train) for _ in range(3)]
    time.sleep(1.5)
    os.kill(running[0].pid, signal.SIGKILL)
    done = [one.result() for one in running]
    require([one.status for one in done[1:]] == [0, 0], [one.err[-200:] for one in done])
    require(at.run(*train).status == 0, "the next training")


FORKED = """
import os, signal, sys, pandas as pd
from churnml.registry.resolve import resolve
model = resolve(argv[0]).model.estimator
rows = pd.read_csv(argv[1], dtype={"id": str}).drop(columns="id")
parent = model.predict_proba(rows)
child = os.fork()
if child == 0:
    signal.alarm(20)
    same = (model.predict_proba(rows) == parent).all()
    os._exit(0 if same else 3)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) and 3)
"""


@case(74, "scored after fork, with threads used before it")
def forked(at: Bench) -> None:
    require(at.scorer.name == "churnml", "no interface in Python")
    table = at.csv(at.rows)
    done = at.cli(at.model, table, cwd=at.folder, code=THREADS.format(2) + FORKED)
    require(done.status == 0, f"status {done.status}: {done.err[-300:]}")


@case(75, "the clock jumps; midnight passes; summer time ends")
def clock(at: Bench) -> None:
    jumping = "import time\ntrue, calls = time.time, [0]\n"
    jumping += "def jump():\n    calls[0] += 1\n    return true() - 90000 * (calls[0] % 2)\n"
    jumping += "time.time = jump\n"
    at.same(at.csv(at.rows), before=jumping)
    written = []
    for zone in ("UTC", "Asia/Shanghai", "America/New_York"):
        out = at.folder / f"{len(written)}.parquet"
        argv = ["features", at.shared.operator, "--as-of", "2026-03-08", "--out", out]
        done = at.run(*argv, env={"TZ": zone}, before="import time\ntime.tzset()\n" + jumping)
        require(done.status == 0, done.err[-300:])
        written.append(out.read_bytes())
    require(len(set(written)) == 1, "features depend on the clock or its zone")


@case(76, "TMPDIR that is missing, a file, or not writable")
def temporary(at: Bench) -> None:
    closed = at.place("closed")
    closed.chmod(0o555)
    table = at.csv(at.rows)
    (at.folder / "file").write_text("")
    for place in (at.folder / "missing", closed, at.folder / "file"):
        done = at.score(table, "--overwrite", "--json", env={"TMPDIR": str(place)})
        if done.status == 0:
            at.alike(at.finishes(done))
        else:
            require(done.status == 5 and "TMPDIR" in done.err, f"{place}: {done.err[-300:]}")
    closed.chmod(0o755)


@case(78, "a model's files that arrive incomplete; no room for them")
def download(at: Bench) -> None:
    train = at.training(at.shared.training, "--name", "toy")
    require(at.run(*train).status == 0, "a training")
    table, model = at.csv(at.rows), "models:/toy/1"
    done = at.score(table, model=model, fsize=5_000)
    require(done.status in (4, 5), f"status {done.status}: {done.err[-300:]}")
    require(not at.out.exists(), "a result")
    whole = {path: path.read_bytes() for path in (at.folder / "mlartifacts").rglob("bundle.json")}
    for path, data in whole.items():
        path.write_bytes(data[: len(data) // 2])
    require(at.score(table, model=model).status == 4, "half a model is used")
    for path, data in whole.items():
        path.write_bytes(data)
    done = at.score(table, "--json", model=model)
    require(done.status == 0, f"the whole one: {done.err[-300:]}")
    require(parts(at.out), "a result")
