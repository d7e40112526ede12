"""What README and the pages of docs show is what the code does."""

import inspect
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from churnml.cli import app, main, reference
from churnml.config.settings import load_config
from churnml.features.listing import markdown
from churnml.tables.source.mapping import read_mapping

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("README*.md")), *sorted((ROOT / "docs").glob("*.md"))]
TEXT = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in PAGES}
# Made anew by whoever builds the pages.
TEXT["docs/commands.md"] = reference.markdown()
README = TEXT["README.md"]


def blocks(page: str, language: str) -> list[str]:
    """The blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT[page], re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[str]:
    """The commands that a text shows, in blocks and within lines."""
    return re.findall(r"(?:^|`)(churnml [a-z]+ [^`\n]+)", text, re.MULTILINE)


def run_python(code: str, folder: Path) -> None:
    """Run code as a script in a folder."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_page_of_features_is_current():
    page = f"{markdown()}\n"
    assert TEXT["docs/features.md"] == page, "python -m churnml.features > docs/features.md"


def test_readme_is_read_in_five_minutes():
    assert len(README.splitlines()) <= 200


def test_the_python_example_runs(tmp_path):
    (code,) = blocks("README.md", "python")
    assert len([line for line in code.splitlines() if line]) == 10
    assert [code] == blocks("docs/python.md", "python")
    (more,) = blocks("docs/python.md", "py")
    run_python(f"{code}\n{more}".replace("customers=2_000", "customers=600"), tmp_path)


@pytest.mark.parametrize(
    "line", sorted({line for text in TEXT.values() for line in commands(text)})
)
def test_every_command_shown_parses(line):
    words = shlex.split(line.split("…")[0])[1:]
    group = get_command(app)
    command = group.commands[words[0]]
    while hasattr(command, "commands"):
        words = words[1:]
        command = command.commands[words[0]]
    context = command.make_context(words[0], words[1:])
    assert set(context.params) == set(inspect.signature(command.callback).parameters)


@pytest.mark.parametrize("page", [page for page in TEXT if page.startswith("README")])
def test_links_lead_somewhere(page):
    for address in re.findall(r"\]\(([^)#]*)[^)]*\)", TEXT[page]):
        assert address.startswith("https://") or (ROOT / address).exists(), address


TUTORIALS = ["flat_table", pytest.param("own_operator", marks=pytest.mark.slow)]


@pytest.mark.parametrize("page", TUTORIALS)
def test_a_tutorial_is_typed_from_top_to_bottom(page, store, capfd):
    (made,) = blocks(f"docs/{page}.md", "python")
    exec(compile(made, page, "exec"), {})
    typed = [line for block in blocks(f"docs/{page}.md", "sh") for line in block.splitlines()]
    assert len(typed) >= 4
    for line in typed:
        with pytest.raises(SystemExit) as left:
            main(shlex.split(line)[1:])
        assert left.value.code in (0, 6), f"{line}\n{capfd.readouterr().err}"
    for code in blocks(f"docs/{page}.md", "py"):
        exec(compile(code, page, "exec"), {})


@pytest.mark.parametrize(
    ("page", "read"), [("own_tables", read_mapping), ("flat_table", load_config)]
)
def test_a_yaml_block_is_read_by_the_product_itself(page, read, tmp_path):
    (shown,) = blocks(f"docs/{page}.md", "yaml")
    file = tmp_path / "shown.yaml"
    file.write_text(shown, encoding="utf-8")
    (section,) = yaml.safe_load(shown)
    assert getattr(read(file), section), section


def labels(text: str) -> list[str]:
    """How the lines of the demo begin, without figures and without notes."""
    text = re.sub(r"^note:.*?(?=^(?:note|model):)", "", text, flags=re.DOTALL | re.MULTILINE)
    return [
        re.split(r"\s{2,}|\d", line.strip())[0].strip()
        for line in text.splitlines()
        if line.strip()
    ]


@pytest.mark.slow
def test_the_demo_prints_what_is_shown(store, capfd):
    (shown,) = (block for block in blocks("README.md", "") if block.startswith("churn: tested"))
    with pytest.raises(SystemExit) as left:
        main(["demo", "--customers", "3000"])
    assert left.value.code in (0, 6)
    printed = capfd.readouterr().out
    assert labels(printed)[-len(labels(shown)) :] == labels(shown)
