"""With every warning an error, the whole way is gone: what is passed over is listed by name."""

import os
import re
import subprocess
import sys
import warnings

import pytest

from churnml.base.library_warnings import PASSED_OVER

WAY = """
import churnml
QUICK = {
    "churn": {"train_months": 2, "folds": 2, "repeats": 1, "max_rounds": 20},
    "satisfaction": {"train_months": 6, "folds": 2, "repeats": 1, "max_rounds": 20},
}
churnml.simulate("operator", customers=900, months=18, seed=3)
source = churnml.validate("operator").accepted()
for task in ("churn", "satisfaction"):
    churnml.train(source, task, until="2026-04-01", config=QUICK)
scores = churnml.score(source, "2026-06-01", out="scores")
assert scores.rows.scored > 500
churnml.contact_list(scores, out="list.xlsx")
churnml.report(source, "2026-06-01", out="report.html", scores=scores)
churnml.monitor(source, as_of="2026-06-01", months=2)
print(churnml.build_features(source, "2026-06-01").to_pandas().shape)
"""


def strictly(*arguments, where):
    environment = {name: value for name, value in os.environ.items() if "MLFLOW" not in name}
    done = subprocess.run(
        [sys.executable, "-W", "error", *map(str, arguments)],
        cwd=where,
        env=environment | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return done.stdout


def test_features_of_an_operator_are_built_with_every_warning_an_error(tmp_path):
    script = WAY.partition("for task")[0] + WAY[WAY.index("print(") :]
    assert strictly("-c", script.replace("900", "200"), where=tmp_path)


@pytest.mark.slow
def test_the_whole_way_is_gone_with_every_warning_an_error(tmp_path):
    assert strictly("-c", WAY, where=tmp_path)
    commands = (
        ("validate", "operator", "--json"),
        ("features", "operator", "--as-of", "2026-06-01", "--out", "f.parquet"),
        ("list", "scores", "--out", "list.csv", "--lang", "zh"),
    )
    for command in commands:
        assert strictly("-m", "churnml", *command, where=tmp_path)


def test_each_warning_passed_over_says_why_and_whose_it_is():
    for one in PASSED_OVER:
        assert one.why
        assert re.fullmatch(r"[a-z]+\\\.", one.module)
        assert not one.module.startswith("churnml")


def test_what_a_users_own_code_is_warned_of_stays():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for one in PASSED_OVER:
            warnings.filterwarnings(
                "ignore", message=one.message, category=one.category, module=one.module
            )
        told = "fetch_arrow_table() is deprecated, use to_arrow_table() instead."
        for module in ("__main__", "ibis.backends.duckdb"):
            warnings.warn_explicit(told, DeprecationWarning, "file.py", 1, module=module)
    assert len(caught) == 1
