"""Run the cases, print a line for each, and count."""

from __future__ import annotations

import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import local

from tests.faults.catalogue import (  # noqa: F401
    broken_files,
    crashes,
    databases,
    hostile,
    operation,
    privacy,
    reproducing,
    resources,
    sharing,
    values,
)
from tests.faults.catalogue.bench import ROWS, Bench, Shared, customers, files
from tests.faults.catalogue.registry import CASES, NUMBERS, OUT_OF_SCOPE, Case
from tests.faults.catalogue.scorers import CHURNML, SCORERS, Scorer
from tests.faults.conftest import Cli

JUDGED = 97
"""How many cases must be judged: none is skipped, none is lost."""

NAIVE_FAILS = 60
"""How many of them a naive scorer must fail, or the cases are too weak."""

WORKERS = 3


@dataclass(frozen=True)
class Verdict:
    case: Case
    reason: str
    seconds: float
    log: list[str]


def run(arguments: list[str], folder: Path) -> int:
    """Try the cases; give back the status of the whole."""
    numbers = [int(word) for word in arguments if word.isdigit()]
    cases = [CASES[number] for number in numbers or sorted(CASES)]
    if numbers:
        scorer = SCORERS["naive" if "--naive" in arguments else "churnml"]
        return int(bool(failures(_tried(cases, scorer, folder))))
    assert len(CASES) == JUDGED
    assert set(CASES) | set(OUT_OF_SCOPE) == set(NUMBERS)
    started = time.monotonic()
    lost = failures(_tried(cases, SCORERS["churnml"], folder))
    print(f"survived {JUDGED - len(lost)} of {JUDGED}", flush=True)
    for number, reason in sorted(OUT_OF_SCOPE.items()):
        print(f"out of scope: {number}: {reason}")
    for one in cases:
        if one.apart:
            print(f"not judged in {one.number}: {one.apart}")
    weak = len(failures(_tried(cases, SCORERS["naive"], folder, quiet=True)))
    print(f"the naive scorer fails {weak} of {JUDGED} ({NAIVE_FAILS} the least)")
    print(f"{time.monotonic() - started:.0f} s")
    return int(bool(lost) or weak < NAIVE_FAILS)


def failures(verdicts: list[Verdict]) -> list[Verdict]:
    return [verdict for verdict in verdicts if verdict.reason]


def _tried(cases: list[Case], scorer: Scorer, folder: Path, quiet: bool = False) -> list[Verdict]:
    place = folder / scorer.name
    place.mkdir()
    said = place / "said"
    said.mkdir()
    mine, runners = local(), []

    def cli() -> Cli:
        if not hasattr(mine, "cli"):
            mine.cli = Cli(Path(tempfile.mkdtemp(dir=said)), threads=1)
            runners.append(mine.cli)
        return mine.cli

    def judge(one: Case) -> Verdict:
        bench = Bench(scorer, cli(), shared, place / f"{one.number:03d}")
        bench.folder.mkdir()
        began = time.monotonic()
        try:
            one.check(bench)
            reason = ""
        except Exception as error:  # whatever it is, the case has not survived
            reason = f"{type(error).__name__}: {error}"
        verdict = Verdict(one, reason, time.monotonic() - began, bench.log)
        if not quiet:
            tell(verdict)
        return verdict

    with ThreadPoolExecutor(1) as alone:
        shared = alone.submit(lambda: prepare(scorer, cli(), place / "shared")).result()
    with ThreadPoolExecutor(WORKERS) as pool:
        # The long ones first; those that look back on the others, at the end.
        early = sorted((one for one in cases if not one.last), key=lambda one: -one.number)
        verdicts = list(pool.map(judge, early))
        verdicts += list(pool.map(judge, [one for one in cases if one.last]))
    for runner in runners:
        runner.process.communicate(timeout=20)
    for path in place.iterdir():
        if path.name != "said":
            shutil.rmtree(path, ignore_errors=True)
    return verdicts


def tell(verdict: Verdict) -> None:
    """One line a case; below it, how a failure replays."""
    one = verdict.case
    word = "FAILED  " if verdict.reason else "survived"
    print(f"{word} {one.number:3d} {one.title} ({verdict.seconds:.1f} s)", flush=True)
    if verdict.reason:
        for line in (*verdict.reason.splitlines()[:12], *verdict.log[-5:]):
            print(f"             {line:.300}", flush=True)


def prepare(scorer: Scorer, cli: Cli, folder: Path) -> Shared:
    """Train the model, and score the table with nothing wrong."""
    folder.mkdir()
    frame = customers()
    frame.to_csv(folder / "train.csv", index=False)
    shared = Shared(
        folder,
        folder / "train.csv",
        folder / "model",
        frame.drop(columns="left"),
        folder / "operator",
        folder / "quick.yaml",
        folder / "mlflow.db",
    )
    shared.quick.write_text("churn: {repeats: 1, max_rounds: 60}\n")
    simulate = ["simulate", shared.operator, "--customers", "300", "--months", "15", "--seed", "1"]
    done = cli(*simulate, cwd=folder, code=CHURNML)
    assert done.status == 0, done.err
    bench = Bench(scorer, cli, shared, folder)
    train = bench.training(shared.training, "--no-track", "--out", shared.model)
    assert bench.run(*train).status == 0
    # Where nothing keeps models, the cases about them fail of themselves.
    bench.start(*bench.training(shared.training, "--name", "toy")).result()
    good = bench.csv(shared.rows, "good.csv")
    done = bench.score(good, "--json", out=folder / "good")
    assert done.status == 0, done.err
    shared.expected = scorer.scores(folder / "good")
    assert len(shared.expected) == ROWS
    shared.expected_files = files(folder / "good")
    bench.csv(shared.rows.tail(50), "old.csv")
    shared.old = folder / "old"
    assert bench.score(folder / "old.csv", out=shared.old).status == 0
    return shared
