"""Scores an operator three times on a cluster of processes, on which something breaks each time.

Run as ``python on_executors.py FOLDER MODEL OUT WORKER...``, with the workers' process ids and the
cluster in PYSPARK_SUBMIT_ARGS.
Prints what the manifests say as JSON.
"""

import json
import logging
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil
from pyspark import SparkContext

import churnml

AS_OF = "2026-06-01"
CONFIG = {"scoring": {"batch_rows": 10}}


def executors() -> list[psutil.Process]:
    """The executors' processes, the oldest first."""
    found = []
    for worker in sys.argv[4:]:
        for process in psutil.Process(int(worker)).children(recursive=True):
            # Spark's Python workers come and go meanwhile.
            with suppress(psutil.Error):
                if "--executor-id" in process.cmdline():
                    found.append((process.create_time(), process.pid, process))
    return [process for _, _, process in sorted(found)]


def wait_for_tasks() -> None:
    """Wait until the tasks that score are running."""
    tracker = SparkContext.getOrCreate().statusTracker()
    while True:
        active = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
        if any(one and one.numTasks > 2 and one.numActiveTasks == 2 for one in active):
            return
        time.sleep(0.05)


def kill() -> None:
    """Kill an executor."""
    wait_for_tasks()
    executors()[-1].kill()


def halt() -> None:
    """Halt an executor with its workers for a while, so that its tasks get twins."""
    wait_for_tasks()
    halted = executors()[-1]
    family = [halted, *halted.children(recursive=True)]
    for process in family:
        os.kill(process.pid, signal.SIGSTOP)
    time.sleep(14)
    for process in family:
        os.kill(process.pid, signal.SIGCONT)


class WhenScoring(logging.Handler):
    """Breaks something as soon as scoring begins."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.breaking = None

    def emit(self, record: logging.LogRecord) -> None:
        """Start what breaks something."""
        if self.breaking and record.getMessage().startswith("scoring "):
            threading.Thread(target=self.breaking).start()


def main(folder: str, model: str, out: str) -> None:
    """Score three times, and print each manifest."""
    handler = WhenScoring()
    logger = logging.getLogger("churnml")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    source = churnml.open_source(folder, engine="spark")
    for name, breaking in (("crashed", None), ("killed", kill), ("halted", halt)):
        handler.breaking = breaking
        place = Path(out) / name
        manifest = churnml.score(source, AS_OF, out=place, churn_model=model, config=CONFIG)
        manifest.verify()
        print(json.dumps({"name": name, **manifest.to_dict()}), flush=True)
    source.con._session.stop()


if __name__ == "__main__":
    main(*sys.argv[1:4])
