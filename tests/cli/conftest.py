"""The command line run in this process, and one operator taken the whole way."""

import json
from pathlib import Path

import pytest

from churnml.cli import main


class Ran:
    """What a command left: its status, and what it printed where."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    @property
    def json(self):
        """The one JSON object on standard output."""
        (line,) = self.out.splitlines()
        return json.loads(line)


def run(capfd, *arguments: object) -> Ran:
    """Run ``churnml`` with these arguments."""
    capfd.readouterr()
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    printed = capfd.readouterr()
    return Ran(int(left.value.code or 0), printed.out, printed.err)


@pytest.fixture
def churnml(capfd):
    """``churnml("train", "churn", ...)`` gives status and output."""
    return lambda *arguments: run(capfd, *arguments)


@pytest.fixture(scope="session")
def operator(tmp_path_factory) -> Path:
    """A simulated operator of 2,500 customers over 20 months."""
    from churnml.tables.simulator import simulate

    folder = tmp_path_factory.mktemp("way") / "operator"
    simulate(folder, customers=2_500, months=20, seed=3)
    return folder


@pytest.fixture(scope="session")
def settings(tmp_path_factory) -> Path:
    """Settings that make training short."""
    path = tmp_path_factory.mktemp("settings") / "short.yaml"
    path.write_text(
        "churn: {train_months: 3}\n"
        "satisfaction: {train_months: 6, min_answers: 50}\n"
        "scoring: {batch_rows: 700}\n"
    )
    return path
