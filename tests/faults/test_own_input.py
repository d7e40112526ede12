"""No command ever writes onto what it reads, with --overwrite or without."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from churnml.models import bundle
from churnml.tables.simulator import simulate


@pytest.fixture(scope="module")
def model(churn, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("model") / "churn"
    bundle.save(churn, place)
    return place


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("simulated")
    simulate(place, customers=40, months=4, seed=0)
    return place


@pytest.fixture
def op(simulated, tmp_path) -> Path:
    place = tmp_path / "op"
    shutil.copytree(simulated, place)
    (place / "usage").mkdir()
    (place / "usage.parquet").rename(place / "usage" / "part-00000.parquet")
    return place


@pytest.fixture
def customers_folder(customers_csv, tmp_path) -> Path:
    place = tmp_path / "customers"
    place.mkdir()
    pd.read_csv(customers_csv, dtype={"id": str}).to_parquet(place / "part-00000.parquet")
    return place


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("more", [(), ("--overwrite",)])
@pytest.mark.parametrize(
    "out",
    ["customers", ".", "customers/scores", "link", "customers/../customers", "customers/a/b"],
)
def test_a_folder_of_parts_is_never_its_own_result(cli, customers_folder, model, out, more):
    place = customers_folder.parent
    (place / "link").symlink_to(customers_folder)
    before = content(place)
    command = ("score", "customers", "--id", "id", "--out", out, "--churn-model", model)
    done = cli(*command, *more, cwd=place)
    assert done.status == 5, done.err
    assert "input" in done.err or "itself an input" in done.err
    assert content(place) == before


AS_OF = ("--as-of", "2026-06-01")
OVERWRITE = ("--overwrite",)


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (("features", "op", *AS_OF), "--out"),
        (("validate", "op"), "--quarantine"),
        (("score", "op", *AS_OF, "--churn-model", "nowhere"), "--out"),
        (("train", "churn", "op", "--no-track"), "--out"),
        (("backtest", "churn", "op"), "--out"),
        (("evaluate", "nowhere", "op", *AS_OF), "--out"),
    ],
    ids=lambda one: one[0] if isinstance(one, tuple) else one,
)
def test_operator_tables_stay_whatever_is_written(cli, op, command, option):
    before = content(op)
    for out in (
        "op",
        "op/bills.parquet",
        "op/usage",
        "op/usage/x",
        "op/offers.csv",
        "op/source.yaml",
    ):
        if command[0] == "features" and out == "op/usage":
            continue
        done = cli(*command, option, out, "--overwrite", cwd=op.parent)
        assert done.status == 5, (out, done.err)
        assert "Traceback" not in done.err
    assert content(op) == before
    assert [path.name for path in op.parent.iterdir()] == ["op"]


def test_beside_the_tables_there_is_room(cli, op):
    done = cli("features", "op", *AS_OF, "--out", "op/feats.parquet", cwd=op.parent)
    assert done.status == 0, done.err
    before = content(op)
    again = cli("features", "op", *AS_OF, "--out", "op/feats.parquet", *OVERWRITE, cwd=op.parent)
    assert again.status == 0, again.err
    assert content(op) == before


def test_only_features_are_replaced_by_features(cli, op):
    mine = op.parent / "mine.parquet"
    pd.DataFrame({"customer_id": ["1"], "as_of": ["2026-06-01"]}).to_parquet(mine)
    before = mine.read_bytes()
    done = cli("features", "op", *AS_OF, "--out", mine, "--overwrite", cwd=op.parent)
    assert done.status == 5
    assert mine.read_bytes() == before


def test_the_input_is_judged_before_the_output(cli, op, model, tmp_path):
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine").write_text("mine")
    (op / "bills.parquet").write_bytes(b"PAR1 broken")
    (tmp_path / "broken.csv").write_bytes(b"")
    for command in (
        ("score", "broken.csv", "--id", "id", "--churn-model", model, "--out", taken),
        ("score", "missing.csv", "--id", "id", "--churn-model", model, "--out", taken),
        ("score", "op", *AS_OF, "--churn-model", model, "--out", taken),
        ("features", "op", *AS_OF, "--out", taken),
        ("validate", "op", "--quarantine", taken),
        ("train", "churn", "op", "--no-track", "--out", taken),
        ("train", "churn", "broken.csv", "--target", "x", "--no-track", "--out", taken),
        ("evaluate", model, "broken.csv", "--target", "x", "--out", taken),
        ("backtest", "churn", "op", "--out", taken),
    ):
        done = cli(*command, cwd=tmp_path)
        assert done.status == 3, (command, done.err)
    assert content(taken) == {"mine": b"mine"}


def test_an_exported_model_is_not_exported_onto_itself(cli, model, tmp_path):
    shutil.copytree(model, tmp_path / "m")
    before = content(tmp_path / "m")
    for out in ("m", ".", "m/boosters"):
        assert cli("export", "m", out, "--overwrite", cwd=tmp_path).status == 5
    assert content(tmp_path / "m") == before
