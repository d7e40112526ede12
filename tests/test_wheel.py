"""The package as others get it: a wheel, installed where there is no checkout."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARIES = sysconfig.get_path("purelib")
UV = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
UNREACHABLE = ("failed to fetch", "dns error", "error sending request", "network connectivity")
"""What uv says where it reaches no index."""

WAY = """
import json
import churnml

churnml.simulate("operator", customers=400, months=14)
found = churnml.validate("operator")
manifest = churnml.score(
    "operator", "2026-06-01", out="scores", churn_model="churn", reasons=2
)
draft = churnml.draft_mapping("operator")
called = churnml.contact_list("scores", out="list.csv", top=5, lang="zh")
print(json.dumps({
    "package": churnml.__file__,
    "refused": found.report.refused,
    "scored": manifest.rows.scored,
    "listed": len(called.to_pandas()),
}))
"""


def run(command, where):
    """What a command prints, run in a folder without anything of the checkout."""
    own = ("PYTHONPATH", "VIRTUAL_ENV", "MLFLOW_TRACKING_URI")
    environment = {name: value for name, value in os.environ.items() if name not in own}
    done = subprocess.run(
        [str(one) for one in command],
        cwd=where,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built without a network."""
    folder = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "flit_core.wheel", "--outdir", folder], ROOT)
    (built,) = folder.glob("*.whl")
    return built


def install(wheel, environment, *options):
    """A fresh environment with the wheel, and its Python."""
    run([sys.executable, "-m", "venv", "--without-pip", environment], environment.parent)
    python = environment / "bin" / "python"
    command = [UV, "pip", "install", "--quiet", "--python", python, *options, wheel]
    done = subprocess.run(
        [str(one) for one in command],
        cwd=environment.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if any(words in done.stderr.lower() for words in UNREACHABLE):
        pytest.skip("no package index can be reached, and the cache does not hold every library")
    assert done.returncode == 0, done.stderr
    return python


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """An environment with the wheel and the libraries that are installed already."""
    python = install(wheel, tmp_path_factory.mktemp("own") / "env", "--no-deps", "--offline")
    (packages,) = python.parents[1].glob("lib/python3.*/site-packages")
    # Of the libraries' folder alone: the .pth of the checkout in it is not followed.
    (packages / "libraries.pth").write_text(f"{LIBRARIES}\n", encoding="utf-8")
    return python


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel):
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    package = ROOT / "churnml"
    files = {str(path.relative_to(ROOT)) for path in package.rglob("*") if path.is_file()}
    assert held == {name for name in files if "__pycache__" not in name}
    assert {"churnml/py.typed", "churnml/reports/words.yaml", "churnml/base/page/page.html"} <= held


def test_the_wheel_says_what_it_is(wheel):
    with zipfile.ZipFile(wheel) as held:
        names = {name.partition(".dist-info/")[2]: name for name in held.namelist()}
        metadata = held.read(names["METADATA"]).decode()
        assert held.read(names["licenses/LICENSE"]) == (ROOT / "LICENSE").read_bytes()
    assert "License-Expression: Apache-2.0\n" in metadata
    assert "Requires-Python: >=3.11,<3.14\n" in metadata


def test_the_installed_wheel_works_where_there_is_no_checkout(python, tmp_path):
    shutil.copytree(ROOT / "models" / "churn", tmp_path / "churn")
    told = json.loads(run([python, "-c", WAY], tmp_path).splitlines()[-1])
    assert Path(told["package"]).is_relative_to(python.parents[1])
    assert not told["refused"]
    assert told["scored"] > 300
    assert told["listed"] == 5
    assert run([python.parent / "churnml", "--version"], tmp_path).startswith("churnml ")


@pytest.mark.slow
def test_the_demo_runs_in_an_empty_environment_with_the_pinned_libraries(wheel, tmp_path):
    lock = ROOT / "requirements.lock"
    python = install(wheel, tmp_path / "env", "--constraint", lock)
    here = tmp_path / "here"
    here.mkdir()
    shown = run([python.parent / "churnml", "demo", "--customers", "2000"], here)
    assert "Scores at 2026-06-01" in shown
    assert (here / "demo" / "scores" / "_manifest.json").is_file()
    frozen = run([UV, "pip", "freeze", "--python", python], here).splitlines()
    pinned = lock.read_text(encoding="utf-8")
    strangers = [one for one in frozen if not one.startswith("churnml ") and one not in pinned]
    assert not strangers
    assert not any(one.startswith(("pytest==", "jupyterlab==", "pyspark==")) for one in frozen)
