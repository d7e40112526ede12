"""A user's script is checked by type checkers, and what the public names give is known to them."""

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import churnml

SCRIPT = Path(__file__).with_name("typed_user_script.py")
UNTYPED = {"features"}
"""Tables of Ibis: Ibis 12 ships its types without saying so, and mypy reads none of them."""


def names(code):
    """The names that a script assigns, each once."""
    tree = ast.parse(code)
    found = [node.targets[0].id for node in tree.body if isinstance(node, ast.Assign)]
    return [name for name in dict.fromkeys(found) if not name.isupper()]


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """The script, asking at its end what each name is."""
    folder = tmp_path_factory.mktemp("typed")
    code = SCRIPT.read_text(encoding="utf-8")
    asked = "".join(f"reveal_type({name})\n" for name in names(code))
    (folder / "script.py").write_text(f"{code}\n{asked}", encoding="utf-8")
    return folder / "script.py"


def test_the_script_uses_every_public_name():
    used = re.findall(r"churnml\.(\w+)", SCRIPT.read_text(encoding="utf-8"))
    assert set(churnml.__all__) <= set(used)


@pytest.mark.slow
def test_mypy_strict_knows_what_every_public_name_gives(script):
    strict = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-pretty"]
    done = subprocess.run(
        [*strict, script.name], cwd=script.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    lines = script.read_text(encoding="utf-8").splitlines()
    told = re.findall(r":(\d+): note: Revealed type is \"(.*)\"", done.stdout)
    given = {re.sub(r"reveal_type\((\w+)\)", r"\1", lines[int(at) - 1]): what for at, what in told}
    assert list(given) == names(SCRIPT.read_text(encoding="utf-8"))
    assert {name for name, what in given.items() if what == "Any"} == UNTYPED


@pytest.mark.slow
def test_pyright_knows_what_every_public_name_gives(script):
    pyright = shutil.which("basedpyright") or shutil.which("pyright")
    if pyright is None:
        pytest.skip("neither pyright nor basedpyright is installed")
    done = subprocess.run(
        [pyright, "--pythonpath", sys.executable, "--outputjson", script.name],
        cwd=script.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)["generalDiagnostics"]
    assert not [one for one in found if one["severity"] == "error"]
    told = [re.match(r'Type of "(\w+)" is "(.*)"', one["message"]) for one in found]
    given = {one[1]: one[2] for one in told if one}
    assert list(given) == names(SCRIPT.read_text(encoding="utf-8"))
    assert not {name: what for name, what in given.items() if what in {"Any", "Unknown"}}
