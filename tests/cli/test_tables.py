"""Printed tables fit the screen, and no number is broken."""

import pytest

from churnml.cli.output import print_table

HEAD = ("measure", "model", "base rate", "regression", "one booster")
ROWS = [
    ("calibration_slope", "0.965 (0.891 to 1.035)", "–", "0.905", "0.945"),
    ("predicted_to_observed", "0.937 (0.869 to 1.005)", "0.929", "0.997", "0.931"),
]


@pytest.mark.parametrize("width", [46, 60, 76, 77, 80, 81, 120])
def test_numbers_stay_whole_at_any_width(width, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(width))
    print_table("churn", HEAD, ROWS, numbers=4)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    for row in ROWS:
        for cell in row:
            assert any(cell in line for line in lines), cell


def test_columns_stand_two_apart_where_there_is_room(monkeypatch, capsys):
    for width, gap in ((81, "  "), (80, " ")):
        monkeypatch.setenv("COLUMNS", str(width))
        print_table("churn", HEAD, ROWS, numbers=4)
        assert f"predicted_to_observed{gap}0.937" in capsys.readouterr().out
