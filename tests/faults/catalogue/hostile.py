"""C. Hostile input."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import re
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import mlflow
import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.linear_model import LogisticRegression

from tests.faults.catalogue.bench import CHECKOUT, Bench, files, names, require
from tests.faults.catalogue.registry import case
from tests.faults.catalogue.resources import PEAK
from tests.faults.catalogue.sharing import duckdb_of

FORMULAS = ("=cmd|' /C calc'!A0", " @SUM(1)", "\u00a0=1+1", "+86=1", "-1+1")


def evaluated(at: Bench, frame: pd.DataFrame) -> str:
    """The page that ``evaluate`` makes of a table whose outcome is known."""
    argv = ["evaluate", at.model, at.csv(frame), "--id", "id", "--target", "left", "--json"]
    done = at.run(*argv, "--out", at.folder / "page", "--overwrite")
    require(done.status == 0, done.err[-300:])
    return (at.folder / "page" / "report.html").read_text("utf-8")


def planted(at: Bench, value: str) -> pd.DataFrame:
    frame = pd.read_csv(at.shared.training, dtype={"id": str})
    return frame.assign(plan=np.where(frame.index % 3 == 0, value, frame["plan"]))


@case(45, "cells that a spreadsheet would run", apart="`list` and `report` are not built yet")
def formulas(at: Bench) -> None:
    frame = at.rows
    frame.loc[: len(FORMULAS) - 1, "id"] = list(FORMULAS)
    found = at.finishes(at.score(at.csv(frame), "--json"))
    ids = {one.strip() for one in found.index}
    require({one.strip() for one in FORMULAS} <= ids, "ids of a machine's file have changed")
    page = evaluated(at, planted(at, "=cmd|' /C calc'!A0"))
    require("<html" in page, "no page")
    for path in (at.folder / "page").iterdir():
        require(path.suffix not in (".csv", ".xlsx"), f"a spreadsheet: {path.name}")


@case(46, "names that are SQL, hold quotes, or 300 letters")
def sql_names(at: Bench) -> None:
    source = duckdb_of(at, at.folder / "op.duckdb")
    with duckdb.connect(str(source)) as connection:
        connection.execute('create table "x; drop table bills; --" (n int)')
        connection.execute('alter table surveys add column "a""b; drop table bills" int')
    before = hashlib.sha256(source.read_bytes()).hexdigest()
    mapping = at.raw('tables: {bills: {file: "x; drop table customers; --"}}', "m.yaml")
    at.run("validate", source, "--mapping", mapping, "--json")
    require(at.run("validate", source, "--json").status == 0, "validate")
    require(hashlib.sha256(source.read_bytes()).hexdigest() == before, "the database was changed")
    for name in ('x"; drop table t; --', 'a"b', "n" * 300, "';--", "a]b[c"):
        frame = at.rows.rename(columns={"id": name})
        out = ["--out", at.out, "--overwrite", "--churn-model", at.model, "--json"]
        done = at.run("score", at.csv(frame), "--id", name, *out)
        at.alike(at.finishes(done))
        at.same(at.csv(at.rows.assign(**{name: 1})))


@case(48, "names that lead elsewhere; links planted where it writes")
def elsewhere(at: Bench) -> None:
    table, place = at.csv(at.rows), at.place("place")
    before = names(at.folder)
    for out in (place / ("n" * 300), Path(f"{place}/nul\x00byte"), place / ("费" * 100)):
        done = at.start(*at.command(table, "--json", out=out), cwd=place).result()
        require(done.status in (2, 5), f"{str(out)[:40]!r}: status {done.status}")
        require("Traceback" not in done.err, done.err[-200:])
    train = at.training(at.shared.training)
    for name in ("../../x", "/etc/x", "a:b"):
        done = at.start(*train, "--name", name, cwd=place).result()
        require(done.status in (2, 4), f"--name {name[:20]!r}: {done.status} {done.err[-200:]}")
        require("Traceback" not in done.err, done.err[-200:])
    require(names(at.folder) == before, names(at.folder) - before)
    victim = at.raw("mine", "victim")
    for hidden in ("probe", "lock", "staging"):
        (place / f".out.churnml-{hidden}").symlink_to(victim)
    (place / "..out.churnml-probe.tmp").symlink_to(victim)
    done = at.score(table, out=place / "out")
    require(victim.read_text() == "mine", "a link was followed and its target overwritten")
    require(done.status in (0, 5), f"status {done.status}: {done.err[-300:]}")


class Trap:
    """What runs where somebody unpickles it."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.place,))


@case(49, "a pickled model in the registry or a folder")
def pickled(at: Bench) -> None:
    import pickle

    table, sprung = at.csv(at.rows), at.folder / "sprung"
    fitted = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    options = {"serialization_format": "cloudpickle", "pip_requirements": ["scikit-learn"]}
    mlflow.sklearn.save_model(fitted, str(at.folder / "trap"), **options)
    (at.folder / "trap" / "model.pkl").write_bytes(pickle.dumps(Trap(sprung)))
    at.refuses(table, "not a model", status=4, model=at.folder / "trap")
    extra = at.folder / "extra"
    shutil.copytree(at.model, extra)
    (extra / "model.pkl").write_bytes(pickle.dumps(Trap(sprung)))
    at.refuses(table, "model.pkl", status=4, model=extra)
    require(not sprung.exists(), "it was unpickled")


@case(50, "MLmodel that names a foreign loader, code, or data outside")
def loaders(at: Bench) -> None:
    table = at.csv(at.rows)
    exported = at.folder / "exported"
    require(at.run("export", at.model, exported).status == 0, "export")
    good = (exported / "MLmodel").read_text("utf-8")
    (exported / "evil.py").write_text("import pathlib; pathlib.Path('sprung').touch()")
    for old, new in (
        ("loader_module: churnml.scoring.pyfunc", "loader_module: os.system"),
        ("loader_module: churnml.scoring.pyfunc", "loader_module: evil"),
        ("code: null", "code: code"),
        ("data: data/bundle", "data: ../../../etc"),
        ("data: data/bundle", "data: !!python/object:os.system {}"),
    ):
        require(old in good, old)
        (exported / "MLmodel").write_text(good.replace(old, new), "utf-8")
        at.refuses(table, status=4, model=exported)
    require(not (at.folder / "sprung").exists(), "its code ran")


@case(51, "LightGBM text cut off, with bad indices, with a cycle, with num_leaves=2e9")
def boosters(at: Bench) -> None:
    table = at.csv(at.rows)
    good = at.folder / "model"
    shutil.copytree(at.model, good)
    (text,) = sorted(good.rglob("*.txt"))[:1]
    data = text.read_bytes()
    changed = [data[: int(len(data) * share)] for share in (0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9)]
    changed += [data[:-800]]
    for pattern, word in (
        (rb"left_child=\S+", b"left_child=0"),
        (rb"split_feature=\S+", b"split_feature=999"),
        (rb"right_child=\S+", b"right_child=-99"),
        (rb"num_leaves=\d+", b"num_leaves=2000000000"),
    ):
        changed.append(re.sub(pattern, word, data, count=1))
    for broken in changed:
        require(broken != data, "nothing was changed")
        text.write_bytes(broken)
        at.refuses(table, status=4, model=good)


@case(52, "one character of a model changed")
def changed(at: Bench) -> None:
    table = at.csv(at.rows)
    chance = at.random()
    for name in (*sorted(files(at.model))[:3], "bundle.json", "SHA256SUMS"):
        model = at.folder / "model"
        shutil.copytree(at.model, model, dirs_exist_ok=True)
        data = bytearray((model / name).read_bytes())
        place = chance.randrange(len(data))
        at.note(f"byte {place} of {name}")
        data[place] ^= 1
        (model / name).write_bytes(bytes(data))
        at.refuses(table, status=4, model=model)


def settings(at: Bench, text: str, *words: str) -> None:
    config = at.raw(text, "c.yaml")
    at.refuses(at.folder / "table.csv", *words, status=2, more=("--config", config))


@case(53, "YAML that makes objects, that explodes, 10 MB, a thousand levels")
def yaml_bombs(at: Bench) -> None:
    at.csv(at.rows)
    settings(at, "scoring: !!python/object/apply:os.system ['touch sprung']")
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    settings(at, bomb + "scoring: *a9\n")
    settings(at, "scoring: {reasons: " + "[" * 1000 + "]" * 1000 + "}")
    settings(at, "# " + "x" * 10_000_000 + "\nscoring: {reasonz: 1}")
    require(not (at.folder / "sprung").exists(), "it ran")


@case(54, "YAML with a key twice, an unknown key, NO, 12:30:00, another type")
def yaml_values(at: Bench) -> None:
    at.csv(at.rows)
    settings(at, "scoring: {reasons: 1}\nscoring: {reasons: 2}\n", "scoring")
    settings(at, "scoring: {batch_row: 5}\n", "batch_row", "batch_rows")
    settings(at, "scoring: {reasons: NO}\n", "reasons")
    settings(at, "scoring: {batch_rows: 12:30:00}\n", "batch_rows")
    settings(at, "scoring: {batch_rows: many}\n", "batch_rows")
    settings(at, "scoring: [1, 2\n", "line")


@case(55, "files that are small on disk and huge in memory")
def bombs(at: Bench) -> None:
    rows = 150_000
    table = pa.table(
        {
            "id": [f"{n:06d}" for n in range(rows)],
            "tenure": np.ones(rows),
            "费用": np.ones(rows),
            "calls": np.ones(rows, "int64"),
            "plan": pa.DictionaryArray.from_arrays(np.zeros(rows, "int32"), ["x" * 10_000]),
            "village": pa.DictionaryArray.from_arrays(np.zeros(rows, "int32"), ["village 1"]),
            "online": np.ones(rows, bool),
        }
    )
    bomb = at.parquet(table)
    require(bomb.stat().st_size < 5_000_000, "no bomb")
    header = ",".join(at.rows.columns)
    zipped = gzip.compress(f"{header}\n1,".encode() + b"0" * 200_000_000 + b"\n", 6)
    cell = f"{header}\n1,5,1.0,3,".encode() + b"x" * 100_000_000 + b",village 1,True\n"
    config = at.raw(
        "scoring: {batch_rows: 10000, reasons: 0}\nengine: {memory_limit: 1GB}", "c.yaml"
    )
    for path in (bomb, at.raw(zipped, "bomb.csv.gz"), at.raw(cell, "cell.csv")):
        (at.folder / "peak").unlink(missing_ok=True)
        shutil.rmtree(at.out, ignore_errors=True)
        options = {"before": PEAK}
        done = at.score(path, "--config", config, "--json", **options)
        require(done.status in (0, 3, 6), f"{path.name}: status {done.status}: {done.err[-300:]}")
        peak = int((at.folder / "peak").read_text()) / 1e6
        at.note(f"{path.name}: {peak:.1f} GB")
        require(peak < 2.5, f"{path.name}: {peak:.1f} GB in memory")


@case(56, "<script> and Markdown in values")
def markup(at: Bench) -> None:
    page = evaluated(at, planted(at, "<script>alert(1)</script>[x](javascript:1)"))
    require("<script>alert" not in page, "a script in the page")
    frame = pd.read_csv(at.shared.training, dtype={"id": str})
    frame = frame.rename(columns={"tenure": "<img src=x onerror=alert(1)>"})
    done = at.run(*at.training(at.csv(frame, "t.csv"), "--name", "toy"))
    require(done.status == 0, done.err[-300:])
    for name, data in files(at.folder / "mlartifacts").items():
        if name.endswith((".html", ".md")):
            require(b"<img src=x onerror" not in data, f"markup in {name}")


@case(57, "control, bidi and ANSI characters in what errors show")
def drawn(at: Bench) -> None:
    for sign in ("\x1b[31m", "\u202e", "\r", "\x07"):
        table = at.csv(at.rows.rename(columns={"tenure": f"ten{sign}ure"}))
        done = at.refuses(table)
        require(sign not in done.err, f"{sign!r} reaches the terminal")
    for sign in ("\x1b[31m", "\u202e", "\x07"):
        row = f"90000,9{sign}x,1.0,3,basic,village 1,True"
        done = at.refuses_or_sets_aside(at.lines(lambda ls, row=row: [*ls[:4], row, *ls[4:]]))
        require(sign not in done.err, f"{sign!r} reaches the terminal")


@case(58, "the same letters in other characters: NFD, full width, zero width")
def letters(at: Bench) -> None:
    # basic in full width; plus with a zero-width space; max with a combining mark.
    other = {"basic": "ｂａｓｉｃ", "plus": "pl\u200bus", "max": "ma\u0301x"}
    table = at.csv(at.rows.assign(plan=at.rows["plan"].map(other)))
    done = at.score(table, "--overwrite", "--json")
    require(done.status in (0, 3, 6), f"status {done.status}")
    require("plan" in done.out + done.err, "scored in silence")


@case(59, "a lock whose hashes do not match, and what it does not pin")
def lock(at: Bench) -> None:
    require(at.scorer.name == "churnml", "it has no lock")
    text = (CHECKOUT / "requirements.lock").read_text("utf-8").replace("\\\n", " ")
    pins = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    require(len(pins) > 50, f"only {len(pins)} requirements")
    loose = [line[:60] for line in pins if "==" not in line or "--hash=sha256:" not in line]
    require(not loose, f"not pinned: {loose}")
    recipe = (CHECKOUT / "Makefile").read_text("utf-8")
    installs = re.findall(r".*pip install .*requirements\.lock", recipe)
    require(installs and all("--require-hashes" in one for one in installs), installs)
    # pip itself, on a package of our own: the right hash installs, another does not.
    wheel = at.folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", "")
        info = "tiny-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    right = hashlib.sha256(wheel.read_bytes()).hexdigest()
    for number, digest in enumerate((right, "0" * 64)):
        listed = at.raw(f"tiny==1.0 --hash=sha256:{digest}\n", "lock.txt")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
        pip += ["--find-links", at.folder, "--require-hashes", "-r", listed]
        pip += ["--target", at.folder / f"installed{number}"]
        done = subprocess.run(pip, capture_output=True, check=False, timeout=60)
        require((done.returncode == 0) == (digest == right), done.stderr[-300:])


class Answer(http.server.BaseHTTPRequestHandler):
    """A store that refuses, breaks, answers with a page, or with nothing."""

    how = "401"

    def do_GET(self) -> None:
        if self.how == "hangs":
            time.sleep(60)
            return
        page = self.how == "page"
        self.send_response(200 if page else int(self.how))
        self.end_headers()
        self.wfile.write(b"<html>Welcome</html>" if page else b"{}")

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def answering(how: str) -> Iterator[str]:
    handler = type("How", (Answer,), {"how": how})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


@case(60, "a store that answers 401, 500, a page, nothing")
def stores(at: Bench) -> None:
    table = at.csv(at.rows)
    for how in ("401", "500", "page", "hangs"):
        with answering(how) as address:
            environment = {"MLFLOW_TRACKING_URI": address}
            done = at.score(table, "--json", model="models:/toy/1", env=environment)
            require(done.status == 4, f"{how}: status {done.status}: {done.err[-300:]}")
            require(not at.out.exists(), "a result")
    with answering("hangs") as address:
        # A folder needs no store.
        at.same(table, env={"MLFLOW_TRACKING_URI": address})
