"""A saved model comes back as it was, or is refused before LightGBM sees a byte of it."""

import hashlib
import json
import re
import subprocess
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from churnml.errors import BundleError, OutputError
from churnml.models.bundle import (
    PROTOCOL,
    Model,
    check_golden,
    golden_rows,
    load,
    predict,
    save,
)


@pytest.fixture
def folder(churn: Model, tmp_path: Path) -> Path:
    save(churn, tmp_path / "model")
    return tmp_path / "model"


def reseal(folder: Path) -> None:
    """Make the checksums fit again, as somebody would who wants a change to pass."""
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    lines = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in names
        if name != "SHA256SUMS"
    ]
    (folder / "SHA256SUMS").write_text("".join(lines))


@pytest.mark.parametrize("task", ["churn", "satisfaction"])
def test_a_loaded_model_scores_bit_for_bit_as_before(task, request, features, tmp_path):
    model = request.getfixturevalue(task)
    digest = save(model, tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert loaded.digest == digest
    assert loaded.task == task
    assert loaded.inputs == model.inputs
    assert asdict(loaded.origin) == json.loads(json.dumps(asdict(model.origin))) | {
        name: getattr(model.origin, name) for name in ("as_of", "window")
    }
    before, after = predict(model, features), predict(loaded, features)
    assert before.keys() == after.keys()
    for name in before:
        assert np.array_equal(before[name], after[name])
    check_golden(loaded, exact=True)


def test_the_same_model_has_the_same_bytes_saved_again_or_after_loading(churn, tmp_path):
    first = save(churn, tmp_path / "one")
    assert save(churn, tmp_path / "two") == first
    assert save(load(tmp_path / "one"), tmp_path / "three") == first


def test_sha256sum_agrees(folder):
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, check=True)


def test_nothing_in_it_is_pickled(folder):
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"bundle.json", "SHA256SUMS"} < names
    for name in names - {"bundle.json", "SHA256SUMS"}:
        assert (folder / name).read_text().startswith("tree\n")


def test_every_changed_byte_is_found(folder):
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        good = path.read_bytes()
        for place in np.linspace(0, len(good) - 1, 7).astype(int):
            path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
            with pytest.raises(BundleError, match="the model was not loaded"):
                load(folder)
        path.write_bytes(good)
    load(folder)


def test_every_truncation_is_found(folder):
    booster = folder / "boosters/0000.txt"
    good = booster.read_bytes()
    for share in (0, 0.25, 0.5, 0.75, 0.999):
        booster.write_bytes(good[: int(share * len(good))])
        with pytest.raises(BundleError, match=r"boosters/0000\.txt: was changed"):
            load(folder)


@pytest.mark.parametrize("name", ["bundle.json", "SHA256SUMS", "boosters/0000.txt"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(BundleError, match=name):
        load(folder)


@pytest.mark.parametrize("name", ["evil.pkl", "boosters/0099.txt", "code/run.py", ".hidden"])
def test_an_extra_file_is_named(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("x")
    with pytest.raises(BundleError, match=r"does not belong to the bundle"):
        load(folder)


@pytest.mark.parametrize(
    "line",
    [
        "00  bundle.json",
        f"{'0' * 64}  ../outside.txt",
        f"{'0' * 64}  /etc/passwd",
        f"{'0' * 64}  model.pkl",
    ],
)
def test_a_list_of_checksums_that_names_anything_else_is_refused(folder, line):
    sums = folder / "SHA256SUMS"
    sums.write_text(sums.read_text() + line + "\n")
    with pytest.raises(BundleError, match="unexpected line"):
        load(folder)


def test_a_link_out_of_the_bundle_is_refused(folder, tmp_path):
    booster = folder / "boosters/0000.txt"
    outside = tmp_path / "outside.txt"
    booster.rename(outside)
    booster.symlink_to(outside)
    with pytest.raises(BundleError, match="does not belong"):
        load(folder)


def test_another_protocol_is_refused_with_both_numbers(folder):
    content = json.loads((folder / "bundle.json").read_text())
    content["protocol"] = PROTOCOL + 1
    (folder / "bundle.json").write_text(json.dumps(content))
    reseal(folder)
    with pytest.raises(BundleError, match=rf"protocol {PROTOCOL + 1}; .* reads {PROTOCOL}"):
        load(folder)


def test_content_that_lacks_something_is_refused(folder):
    (folder / "bundle.json").write_text(json.dumps({"protocol": PROTOCOL}))
    reseal(folder)
    with pytest.raises(BundleError, match="incomplete content"):
        load(folder)


def test_a_changed_number_under_right_checksums_is_found_by_the_golden_rows(folder):
    booster = folder / "boosters/0000.txt"
    text = booster.read_text()
    # Of the same length: LightGBM dies on a text whose sizes do not add up.
    digit = re.search(r"leaf_value=-?0\.\d", text).end() - 1
    booster.write_text(f"{text[:digit]}{9 - int(text[digit])}{text[digit + 1 :]}")
    reseal(folder)
    with pytest.raises(BundleError, match="golden rows differs"):
        check_golden(load(folder))


def test_saving_replaces_only_models_and_only_when_asked(churn, satisfaction, tmp_path):
    digest = save(churn, tmp_path / "model")
    with pytest.raises(OutputError, match="a model already exists"):
        save(satisfaction, tmp_path / "model")
    assert load(tmp_path / "model").digest == digest
    save(satisfaction, tmp_path / "model", overwrite=True)
    assert load(tmp_path / "model").task == "satisfaction"
    (tmp_path / "home").mkdir()
    (tmp_path / "home/letter.txt").write_text("dear")
    with pytest.raises(OutputError, match="is not a model of churnml alone"):
        save(churn, tmp_path / "home", overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "model"]


def test_golden_rows_are_nobody_and_drawn_from_shapes_alone(churn, features):
    rows = golden_rows(churn)
    assert len(rows) == 24
    exact = rows.dropna().merge(features, on=churn.names)
    assert exact.empty
    knots = {column.name: column.knots for column in churn.inputs}
    assert set(rows["tenure"].dropna()) <= set(knots["tenure"])
    assert rows["费用"].isna().any()


def test_reference_is_quantiles_of_the_scores_given(churn):
    scores = churn.estimator.oof_
    assert len(churn.reference) == 1001
    assert churn.reference[0] == scores.min()
    assert churn.reference[500] == np.median(scores)


def test_values_of_few_customers_are_not_kept(customers, features):
    from churnml.models.profile import describe

    rare = features.copy()
    rare.loc[:8, "plan"] = "CANARY"
    estimator = describe_estimator(rare, customers["left"])
    model = describe(estimator, rare)
    plan = next(column for column in model.inputs if column.name == "plan")
    assert set(plan.levels) == {"basic", "plus", "max"}
    assert set(golden_rows(model)["plan"]) <= {"basic", "plus", "max"}
    whose = pd.Series(["one"] * 20 + [str(number) for number in range(len(rare) - 20)])
    rare.loc[:19, "plan"] = "CANARY"
    levels = next(c for c in describe(estimator, rare, customers=whose).inputs if c.name == "plan")
    assert "CANARY" not in levels.levels


def describe_estimator(frame: pd.DataFrame, left: pd.Series):
    from churnml.estimators import ChurnClassifier

    return ChurnClassifier(repeats=1, n_jobs=1).fit(frame, left)
