"""What the README shows is what the code does."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from churnml.features.listing import markdown

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_page_of_features_is_current():
    page = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    assert page == f"{markdown()}\n", "python -m churnml.features > docs/features.md"


def test_the_python_example_runs(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in code.splitlines() if line]) == 10
    (more,) = re.findall(r"```py\n(.*?)```", README, re.DOTALL)
    small = f"{code}\n{more}".replace("customers=2_000", "customers=600")
    done = subprocess.run(
        [sys.executable, "-c", small], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "line", sorted(set(re.findall(r"(?:^|`)(churnml [a-z]+ [^`\n]+)", README, re.MULTILINE)))
)
def test_every_command_shown_parses(line):
    import inspect

    from typer.main import get_command

    from churnml.cli import app

    words = shlex.split(line.split("…")[0])[1:]
    group = get_command(app)
    command = group.commands[words[0]]
    context = command.make_context(words[0], words[1:])
    assert set(context.params) == set(inspect.signature(command.callback).parameters)
