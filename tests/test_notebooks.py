"""Every notebook is in step with its source, shows what it should, and runs (see pyproject)."""

import ast
import re
from pathlib import Path

import jupytext
import nbformat
import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
SOURCES = sorted(FOLDER.glob("*.py"))
DRAWS = r"Display[.(]|\.plot\b|\baxes\b|\bax\b|\bfigure\b|\bplt\."
PAIRS = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


def read(source):
    """The notebook of a source."""
    return nbformat.read(source.with_suffix(".ipynb"), as_version=4)


def outputs(source):
    """All that a notebook shows."""
    return [output for cell in read(source).cells for output in cell.get("outputs", ())]


def test_they_are_numbered_in_the_order_of_the_work():
    assert [path.stem[:2] for path in SOURCES] == [f"{at:02d}" for at in range(1, len(SOURCES) + 1)]
    assert sorted(FOLDER.glob("*.ipynb")) == [path.with_suffix(".ipynb") for path in SOURCES]


@PAIRS
def test_a_notebook_has_the_cells_of_its_source(source):
    own = [(cell.cell_type, cell.source) for cell in jupytext.read(source).cells]
    assert [(cell.cell_type, cell.source) for cell in read(source).cells] == own, (
        "run make notebooks"
    )


@PAIRS
def test_a_notebook_was_run_from_top_to_bottom_without_an_error(source):
    counts = [cell.execution_count for cell in read(source).cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    shown = outputs(source)
    assert not [one for one in shown if one.output_type == "error"]
    assert not [one for one in shown if one.get("name") == "stderr"]


@PAIRS
def test_a_notebook_shows_a_figure_and_no_place_of_the_machine_that_made_it(source):
    shown = outputs(source)
    assert any("image/png" in one.get("data", {}) for one in shown)
    told = [
        part
        for one in shown
        for part in (one.get("text", ""), *one.get("data", {}).values())
        if not str(part).startswith("iVBOR")
    ]
    text = "".join(map(str, told))
    assert not re.search(r"/(tmp|home|root|work|var)/|Traceback|Glyph", text)


@PAIRS
def test_a_notebook_uses_public_names_alone(source):
    code = source.read_text(encoding="utf-8")
    assert not re.search(r"churnml(\.\w+)*\._|import _", code)


@PAIRS
def test_a_figure_takes_five_statements_and_asks_for_no_style(source):
    cells = [cell.source for cell in jupytext.read(source).cells if cell.cell_type == "code"]
    assert "use_style" not in "".join(cells)
    for code in cells:
        # What IPython alone reads is no Python.
        told = ast.parse("\n".join(line for line in code.splitlines() if line[:1] != "%")).body
        drawing = [one for one in told if re.search(DRAWS, ast.unparse(one))]
        assert len(drawing) <= 5, code


def test_the_monthly_run_is_thirty_lines_of_public_calls():
    cells = jupytext.read(FOLDER / "09_the_monthly_run.py").cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    assert len([line for line in code.splitlines() if line.strip()]) <= 30
    assert not re.search(
        r"from churnml|churnml\.\w+\.|subprocess", code.replace("Config.model", "")
    )
