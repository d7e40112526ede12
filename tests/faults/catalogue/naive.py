"""The scorer that everybody writes first: read_csv, predict, to_csv. It must fail most cases."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import NoReturn

import lightgbm as lgb
import pandas as pd


def main(argv: list[str]) -> NoReturn:
    """``train churn TABLE`` and ``score TABLE``, with churnml's options."""
    parser = argparse.ArgumentParser("naive")
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train")
    train.add_argument("task")
    for command in (train, commands.add_parser("score")):
        command.add_argument("table", type=Path)
        command.add_argument("--id", required=True)
        command.add_argument("--out", type=Path)
        command.add_argument("--target")
        command.add_argument("--churn-model", type=Path)
        command.add_argument("--config")
        command.add_argument("--reasons")
        for flag in ("--overwrite", "--json", "--debug", "--no-track"):
            command.add_argument(flag, action="store_true")
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    (fit if options.command == "train" else score)(options)
    sys.exit(0)


def read(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)


def features(frame: pd.DataFrame, without: list[str]) -> pd.DataFrame:
    X = frame.drop(columns=without)
    return X.astype(dict.fromkeys(X.select_dtypes(["object", "str"]), "category"))


def fit(options: argparse.Namespace) -> None:
    frame = read(options.table)
    X = features(frame, [options.id, options.target])
    model = lgb.LGBMClassifier(n_estimators=20, verbose=-1).fit(X, frame[options.target] == "yes")
    model.booster_.save_model(options.out / "model.txt")


def score(options: argparse.Namespace) -> None:
    frame = read(options.table)
    model = lgb.Booster(model_file=str(options.churn_model / "model.txt"))
    frame["churn_probability"] = model.predict(features(frame, [options.id]))
    result = frame[[options.id, "churn_probability"]].rename(columns={options.id: "customer_id"})
    result.to_csv(options.out / "scores.csv", index=False)
    if options.json:
        rows = {"in": len(frame), "scored": len(frame), "quarantined": 0, "ineligible": 0}
        print(json.dumps({"rows": rows}))
