"""The examples of deployment: what can be tried here is tried."""

import ast
import os
import shutil
import stat
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"


@pytest.mark.parametrize(("status", "given"), [(0, 0), (6, 0), (3, 3), (4, 4)])
def test_the_cron_script_tells_what_is_to_be_looked_at(status, given, tmp_path):
    command = tmp_path / "churnml"
    command.write_text(f'#!/bin/sh\necho "$@"\nexit {status}\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    project = tmp_path / "project"
    project.mkdir()
    done = subprocess.run(
        [DEPLOY / "cron" / "monthly.sh", "/data/tables", project],
        env=os.environ | {"CHURNML": str(command)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == given
    assert (project / "monthly.log").read_text() == "run /data/tables\n"
    assert bool(done.stderr) == (status != 0)


def test_the_dag_is_python_and_runs_the_command():
    text = (DEPLOY / "airflow" / "churnml_monthly.py").read_text("utf-8")
    ast.parse(text)
    assert '["churnml", "run", ' in text


def test_the_image_installs_the_lock_and_does_not_run_as_root():
    lines = (DEPLOY / "container" / "Dockerfile").read_text("utf-8").splitlines()
    users = [line for line in lines if line.startswith("USER ")]
    assert users == ["USER 10001"]
    assert any("--require-hashes -r requirements.lock" in line for line in lines)
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            assert all((ROOT / name).exists() for name in line.split()[1:-1]), line


def test_the_image_is_given_what_the_package_is_built_of():
    """Every file that pyproject.toml names is copied, and nothing copied is left out of sight."""
    lines = (DEPLOY / "container" / "Dockerfile").read_text("utf-8").splitlines()
    copied = {
        name
        for line in lines
        if line.startswith("COPY ") and "--from" not in line
        for name in line.split()[1:-1]
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert {project["readme"], *project["license-files"]} <= copied
    shown = (DEPLOY / "container" / "Dockerfile.dockerignore").read_text("utf-8").split()
    assert copied == {line[1:] for line in shown if line.startswith("!")}
    assert 'churnml = "churnml' in (ROOT / "pyproject.toml").read_text("utf-8")


def _builder() -> bool:
    docker = shutil.which("docker")
    return bool(docker) and subprocess.run([docker, "info"], capture_output=True).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not _builder(), reason="no builder of containers here")
def test_the_image_is_built_and_says_its_version():
    file = DEPLOY / "container" / "Dockerfile"
    subprocess.run(["docker", "build", "-q", "-f", file, "-t", "churnml-test", ROOT], check=True)
    done = subprocess.run(
        ["docker", "run", "--rm", "churnml-test", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("churnml ")
