"""A process that has imported everything and forks a fresh churnml for every command.

Importing takes seconds, a fork milliseconds. Each line on standard input is a job as JSON;
each line on standard output the answer.
"""

import contextlib
import importlib
import json
import os
import pkgutil
import resource
import sys
from typing import Any

import lightgbm  # noqa: F401
import mlflow.pyfunc  # noqa: F401
import pandas  # noqa: F401
import sklearn.linear_model  # noqa: F401
import typer

import churnml.datasets.dataset
import churnml.datasets.flat
import churnml.estimators
import churnml.registry.tracking
import churnml.scoring.flat
import churnml.scoring.operator
import churnml.scoring.pyfunc
from churnml.cli import main

# Another user may not be able to read this checkout, its environment or the standard library:
# load now what would be loaded late.
for package in (churnml, typer):
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not found.name.endswith(("__main__", "_winconsole")):
            with contextlib.suppress(ImportError):
                importlib.import_module(found.name)
for encoding in ("utf-8-sig", "gb18030", "ascii", "latin-1"):
    "".encode(encoding)


def start(job: dict[str, Any]) -> int:
    """Fork; the child becomes the command."""
    child = os.fork()
    if child:
        return child
    for number, path in ((1, job["stdout"]), (2, job["stderr"])):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(job["cwd"])
    os.environ.update(job["env"])
    if job["fsize"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["fsize"], job["fsize"]))
    if job["uid"] is not None:
        os.setgroups([])
        os.setgid(job["uid"])
        os.setuid(job["uid"])
    status = 99
    try:
        if job["code"]:
            exec(job["code"], {"argv": job["argv"]})
            status = 0
        else:
            main(job["argv"])
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def serve() -> None:
    """Answer the jobs on standard input, one line each."""
    for line in sys.stdin:
        job = json.loads(line)
        if "wait" in job:
            _, status = os.waitpid(job["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = start(job)
        print(answer, flush=True)


if __name__ == "__main__":
    serve()
