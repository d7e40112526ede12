"""H. Operation."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.faults.catalogue.bench import CHECKOUT, Bench, names, require
from tests.faults.catalogue.registry import case


@case(
    100,
    "--json, a closed pipe, no terminal, unknown options, --help",
    apart="`--dry-run` is no option",
)
def command_line(at: Bench) -> None:
    table = at.csv(at.rows)
    done = at.score(table, "--json")
    require(isinstance(json.loads(done.out), dict), done.out[:200])
    done = at.score(at.folder / "absent.csv", "--json", "--overwrite")
    require(json.loads(done.out)["error"]["status"] == 3, done.out[:200])
    before = names(at.folder)
    done = at.score(table, "--overwrit", "--json")
    require(done.status == 2 and "--overwrite" in done.err, done.err[-300:])
    require(names(at.folder) == before, "something was written")
    done = at.score(table, "--overwrite", env={"NO_COLOR": "1", "TERM": "dumb"})
    require(done.status == 0 and "\x1b" not in done.out + done.err, done.err[-200:])
    closed_pipe(at)
    at.raw("scoring: [", "churnml.yaml")
    help_at_once(at)


def fresh(at: Bench, *argv: object) -> subprocess.Popen[bytes]:
    code = f"import sys\nargv = sys.argv[1:]\n{at.scorer.code}"
    path = os.pathsep.join([str(CHECKOUT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, argv)],
        cwd=at.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path, "http_proxy": "http://127.0.0.1:1"},
    )


def closed_pipe(at: Bench) -> None:
    """As ``| head -c 0``: the reader leaves before anything is printed."""
    running = fresh(at, *at.command(at.folder / "table.csv", "--overwrite", "--json"))
    assert running.stdout
    assert running.stderr
    running.stdout.close()
    said = running.stderr.read().decode("utf-8", "replace")
    status = running.wait(timeout=60)
    require(status in (0, 5, 141), f"status {status}: {said[-300:]}")
    require("Traceback" not in said and "BrokenPipe" not in said, said[-300:])
    at.alike(at.scorer.scores(at.out))


def help_at_once(at: Bench) -> None:
    # Time of the processor: the machine may be busy with other cases.
    quickest = 9.0
    for _ in range(5):
        running = fresh(at, "score", "--help")
        assert running.stdout
        said = running.stdout.read()
        _, status, used = os.wait4(running.pid, 0)
        require(status == 0 and b"--out" in said, said[-200:])
        quickest = min(quickest, used.ru_utime + used.ru_stime)
    require(quickest < 0.5, f"--help took {quickest:.2f} s")
