"""The papers beside the code: what they name exists, and they agree with it."""

import re
from pathlib import Path

import pytest
import yaml

import churnml

ROOT = Path(__file__).parents[1]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


PATHS = sorted(
    set(re.findall(r"`([\w.-]+/[\w./-]*|[\w-]+\.(?:toml|md|yaml))`", read("CONTRIBUTING.md")))
)


def test_contributing_names_many_files():
    assert len(PATHS) > 60


@pytest.mark.parametrize("path", PATHS)
def test_every_path_that_contributing_names_exists(path):
    assert (ROOT / path).exists()
    assert (ROOT / path).is_dir() == path.endswith("/")


def test_contributing_shows_every_room_and_only_make_targets_that_exist():
    rooms = {f"churnml/{one.parent.name}/" for one in ROOT.glob("churnml/*/__init__.py")}
    assert rooms <= set(PATHS)
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", read("CONTRIBUTING.md"), re.MULTILINE))
    assert named
    assert named <= set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))


def test_a_new_task_is_looked_for_where_contributing_says():
    task = read("CONTRIBUTING.md").split("## Add a task")[1].split("\n## ")[0]
    for path in re.findall(r"`(churnml/[\w/]+\.py)`", task.split("4. An entry")[1]):
        assert re.search(r'^\s+"(churn|satisfaction)": ', read(path), re.MULTILINE) or re.search(
            r'\{"churn": ', read(path)
        ), path


def test_rooms_stand_in_the_order_of_their_imports():
    shown = re.findall(r"^\| `churnml/(\w+)/` \|", read("CONTRIBUTING.md"), re.MULTILINE)
    layers = re.search(r"layers = \[(.*?)\]", read("pyproject.toml"), re.DOTALL)[1]
    level = {
        room: -at
        for at, line in enumerate(re.findall(r'"(.*?)"', layers))
        for room in re.findall(r"churnml\.(\w+)", line)
    }
    assert sorted(shown, key=level.__getitem__) == shown
    assert set(shown) == set(level)


def test_the_licence_is_apache_2_whole():
    text = read("LICENSE")
    assert text.lstrip().startswith("Apache License\n")
    assert "END OF TERMS AND CONDITIONS" in text
    assert [int(one) for one in re.findall(r"^   (\d)\. [A-Z]", text, re.MULTILINE)] == [
        *range(1, 10)
    ]


def test_citation_and_changelog_are_of_this_version():
    cited = yaml.safe_load(read("CITATION.cff"))
    assert cited["version"] == churnml.__version__
    assert cited["license"] == "Apache-2.0"
    assert cited["authors"] == [{"name": "the churnml developers"}]
    assert {"cff-version", "message", "title", "type"} <= set(cited)
    assert f"\n## [{churnml.__version__}]\n" in read("CHANGELOG.md")


def test_the_changelog_names_commands_that_exist():
    from typer.main import get_command

    from churnml.cli import app

    named = set(re.findall(r"`churnml ([a-z]+)`", read("CHANGELOG.md")))
    assert named <= set(get_command(app).commands)


def test_pre_commit_runs_what_make_lint_runs():
    lint = re.search(r"^lint: install\n((?:\t.+\n)+)", read("Makefile"), re.MULTILINE)[1]
    commands = [line.strip().replace("$(BIN)", ".venv/bin") for line in lint.splitlines()]
    (local,) = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    assert local["repo"] == "local"
    assert [hook["entry"] for hook in local["hooks"]] == commands


@pytest.mark.parametrize("name", ["CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff"])
def test_they_give_no_address_that_nobody_checked(name):
    assert "://" not in read(name)


def parts(name, pattern):
    """What of a README stands in both languages."""
    return re.findall(pattern, read(name), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"^```.*?^```$", id="blocks"),
        pytest.param(r"\]\((docs/[^)]*)\)", id="links"),
        pytest.param(r"^(#+) ", id="headings"),
        pytest.param(r"^[|-] ", id="rows and points"),
    ],
)
def test_both_readmes_hold_the_same(pattern):
    english, chinese = parts("README.md", pattern), parts("README.zh.md", pattern)
    assert english
    assert chinese == english


def test_both_readmes_name_the_same_commands_within_their_lines():
    english, chinese = (
        set(re.findall(r"`((?:churnml|make)[ .][a-z. -]+|init|run|train|--[a-z]+)`", read(name)))
        for name in ("README.md", "README.zh.md")
    )
    assert english
    assert english - chinese == set()
