"""The command line as people run it: a process of its own, a status, and what it says."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        return json.loads(self.out)


class Running:
    """A command that has been started."""

    def __init__(self, cli: "Cli", pid: int, folder: Path) -> None:
        self.cli, self.pid, self.folder = cli, pid, folder

    def result(self) -> Result:
        """Wait for its end."""
        status = self.cli.ask({"wait": self.pid})
        said = [(self.folder / name).read_text("utf-8", "replace") for name in ("out", "err")]
        return Result(status, *said)


class Cli:
    """Runs ``churnml`` commands in forks of a process that has imported it."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        self.folder = folder
        self.count = 0
        script = Path(__file__).with_name("zygote.py")
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MLFLOW_", "PYTEST_"))
        }
        self.process = subprocess.Popen(
            [sys.executable, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env=environment | {"OMP_NUM_THREADS": str(threads), "TZ": "UTC"},
        )

    def ask(self, job: dict[str, Any]) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def start(
        self,
        *argv: object,
        cwd: Path,
        code: str = "",
        env: dict[str, str] | None = None,
        fsize: int | None = None,
        uid: int | None = None,
    ) -> Running:
        self.count += 1
        folder = self.folder / str(self.count)
        folder.mkdir()
        folder.chmod(0o777)
        job = {
            "argv": [str(argument) for argument in argv],
            "code": code,
            "cwd": str(cwd),
            "env": env or {},
            "fsize": fsize,
            "uid": uid,
            "stdout": str(folder / "out"),
            "stderr": str(folder / "err"),
        }
        return Running(self, self.ask(job), folder)

    def __call__(self, *argv: object, cwd: Path, **options: Any) -> Result:
        return self.start(*argv, cwd=cwd, **options).result()


@pytest.fixture(scope="session")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """Run a ``churnml`` command: ``cli("score", table, ..., cwd=folder)``."""
    runner = Cli(tmp_path_factory.mktemp("cli"))
    yield runner
    runner.process.communicate(timeout=20)
