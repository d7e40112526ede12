"""G. What must not be found anywhere."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from tests.faults.catalogue.bench import CANARY_ID, CANARY_PLAN, SECRET, Bench, files, require
from tests.faults.catalogue.registry import case


def clean(folder: Path, needles: tuple[str, ...], *but: str) -> None:
    """No file below a folder holds any of these, whatever it is."""
    for name, data in files(folder).items():
        if name not in but:
            for needle in needles:
                require(needle.encode() not in data, f"{needle} in {folder.name}/{name}")


@case(95, "canaries in data, environment and addresses, after every other case", last=True)
def canaries(at: Bench) -> None:
    needles = (CANARY_ID, CANARY_PLAN, SECRET)
    # A model and what MLflow keeps of its training.
    store = {"MLFLOW_TRACKING_URI": f"sqlite:///{at.folder}/mlflow.db?password={SECRET}"}
    train = at.training(at.shared.training, "--name", "toy", "--out", at.folder / "model")
    done = at.run(*train)
    require(done.status == 0, done.err[-300:])
    for argv in (["history", "churn", "--name", "toy"], ["history", "churn", "--json"]):
        done = at.run(*argv, env=store)
        require(SECRET not in done.out + done.err, f"{argv[0]} tells the secret")
    page = ["evaluate", at.model, at.shared.training, "--id", "id", "--target", "left"]
    done = at.run(*page, "--out", at.folder / "page", "--json")
    require(done.status == 0, done.err[-300:])
    dsn = f"postgresql://me:{SECRET}@127.0.0.1:1/crm?sslpassword={SECRET}"
    for argv in (
        ["validate", dsn, "--json"],
        ["features", dsn, "--as-of", "2026-06-01", "--out", "f.parquet", "--debug"],
    ):
        done = at.start(*argv).result()
        require(done.status in (2, 3, 4, 5), f"status {done.status}: {done.err[-300:]}")
        require(SECRET not in done.out + done.err, f"{argv[0]} tells the secret")
    for name in ("mlflow.db", "mlartifacts", "model", "page"):
        place = at.folder / name
        require(place.exists(), f"{name} is missing")
    clean(at.folder, needles)
    clean(at.shared.model, needles)
    clean(at.shared.folder.parent / "said", needles)


@case(96, "real rows as examples; rare values of a category")
def examples(at: Bench) -> None:
    exported = at.folder / "exported"
    done = at.run("export", at.model, exported)
    require(done.status == 0, done.err[-300:])
    clean(exported, (CANARY_ID, CANARY_PLAN))
    example = (exported / "input_example.json").read_text("utf-8")
    # Amounts are as good as names: no bill of a customer is in the example.
    amounts = [f"{amount:.2f}" for amount in at.rows["费用"].dropna() if amount > 100]
    found = [amount for amount in amounts if re.search(rf"\b{re.escape(amount)}\b", example)]
    require(not found, f"customers' own amounts: {found[:3]}")


@case(
    98, "cells of fewer than ten people", apart="`index`, `quality` and `report` are not built yet"
)
def small_cells(at: Bench) -> None:
    frame = pd.read_csv(at.shared.training, dtype={"id": str})
    frame.loc[frame.index[50:54], "plan"] = "RARE-FOUR"
    frame.loc[frame.index[60:61], "village"] = "RARE-ONE"
    frame["left"] = np.where(frame["plan"] == "RARE-FOUR", "yes", frame["left"])
    table = at.csv(frame)
    page = ["evaluate", at.model, table, "--id", "id", "--target", "left", "--json"]
    done = at.run(*page, "--out", at.folder / "page")
    require(done.status == 0, done.err[-300:])
    for needle in ("RARE-FOUR", "RARE-ONE", CANARY_PLAN):
        require(needle not in done.out + done.err, f"{needle} is printed")
    clean(at.folder / "page", ("RARE-FOUR", "RARE-ONE", CANARY_PLAN))


@case(
    99,
    "one customer's score explained",
    apart="opt-out list, counterfactuals and `forget`: no command has them yet",
)
def explained(at: Bench) -> None:
    found = at.finishes(at.score(at.csv(at.rows), "--json", "--reasons", "4"))
    require((found["reasons"].str.len() == 4).all(), "a row without its reasons")
    first = found["reasons"].iloc[0]
    require(set(first[0]) == {"feature", "driver", "value", "contribution"}, first[0])
    for reasons in found["reasons"]:
        sizes = [abs(one["contribution"]) for one in reasons]
        require(sizes == sorted(sizes, reverse=True), "not the largest first")
