"""Where Python strips docstrings, commands still help, train and score."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest


def stripped(*argv: str, cwd) -> str:
    environment = os.environ | {"PYTHONOPTIMIZE": "2", "OMP_NUM_THREADS": "1"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    command = [sys.executable, "-m", "churnml", *argv]
    ran = subprocess.run(
        command, env=environment, cwd=cwd, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_commands_tell_what_they_do_without_docstrings(tmp_path):
    assert "Train, test and register a model" in stripped("--help", cwd=tmp_path)
    code = "import churnml; churnml.ChurnClassifier()"
    subprocess.run([sys.executable, "-OO", "-c", code], cwd=tmp_path, check=True)


@pytest.mark.slow
def test_commands_train_and_score_without_docstrings(tmp_path):
    random = np.random.default_rng(0)
    usage = random.normal(size=300).round(3)
    left = random.random(300) < 1 / (1 + np.exp(-2 * usage))
    table = pd.DataFrame({"id": range(300), "usage": usage, "left": np.where(left, "yes", "no")})
    table.to_csv(tmp_path / "t.csv", index=False)
    stripped("train", "churn", "t.csv", "--id", "id", "--target", "left", cwd=tmp_path)
    model = ("--churn-model", "models:/churn-t/1")
    stripped("score", "t.csv", "--id", "id", "--out", "scores", *model, cwd=tmp_path)
    assert (tmp_path / "scores" / "_manifest.json").is_file()
