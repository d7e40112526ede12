"""Compiled trees score as LightGBM does, are kept for the next time, and are checked."""

import sys
from dataclasses import replace

import numpy as np
import pytest

import churnml
from churnml.errors import ModelError, UsageError
from churnml.models.compiled import compile_trees
from churnml.models.model import predict
from churnml.scoring.manifest import Manifest


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "churnml" / "trees"


@pytest.mark.parametrize("task", ["churn", "satisfaction"])
def test_compiled_trees_score_as_lightgbm_does(task, request, features, cache):
    model = request.getfixturevalue(task)
    expected, found = predict(model, features), predict(compile_trees(model), features)
    for name, scores in expected.items():
        np.testing.assert_allclose(found[name], scores, rtol=1e-9, atol=1e-12)
    assert cache.stat().st_mode & 0o777 == 0o700


def test_they_are_kept_and_a_damaged_file_is_made_anew(churn, features, cache):
    expected = predict(compile_trees(churn), features)["churn_probability"]
    kept = {file: file.read_bytes() for file in cache.iterdir()}
    stamps = {file: file.stat().st_mtime_ns for file in kept}
    compile_trees(churn)
    assert {file: file.stat().st_mtime_ns for file in cache.iterdir()} == stamps
    damaged = next(iter(kept))
    damaged.write_bytes(kept[damaged][:-100] + b"\0" * 100)
    again = compile_trees(churn)
    np.testing.assert_array_equal(predict(again, features)["churn_probability"], expected)
    assert len(damaged.read_bytes()) == len(kept[damaged])


def test_others_may_not_bring_machine_code(churn, cache):
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    compile_trees(churn)
    assert not list(cache.iterdir())


def test_trees_that_score_otherwise_are_refused(churn, cache):
    turned = [text.replace("leaf_value=-", "leaf_value=") for text in churn.estimator.bag_.texts]
    other = replace(
        churn, estimator=churn.estimator.with_bags(lambda bag: replace(bag, texts=turned))
    )
    with pytest.raises(ModelError, match="by compiled trees differs from LightGBM's by up to"):
        compile_trees(other)


def test_the_manifest_says_what_scored_and_it_is_another_work(
    churn, customers_csv, cache, tmp_path
):
    given = {"id": "id", "churn_model": churn, "out": tmp_path / "scores"}
    fast = {"engine": {"trees": "lleaves"}}
    plain = churnml.score(customers_csv, **given).to_pandas()
    assert Manifest.read(tmp_path / "scores").trees == "lightgbm"
    with pytest.raises(churnml.errors.OutputError):
        churnml.score(customers_csv, config=fast, **given)
    found = churnml.score(customers_csv, config=fast, overwrite=True, **given)
    assert found.trees.startswith("lleaves 1.")
    np.testing.assert_allclose(
        found.to_pandas()["churn_probability"], plain["churn_probability"], rtol=1e-9
    )


def test_without_lleaves_a_sentence_says_what_to_install(churn, monkeypatch):
    monkeypatch.setitem(sys.modules, "lleaves", None)
    with pytest.raises(UsageError, match=r"engine\.trees is lleaves, which is not installed"):
        compile_trees(churn)
