"""What `import churnml` promises, and what it must not cost."""

import subprocess
import sys

import pytest

import churnml


def test_public_names_are_listed_and_resolve():
    assert sorted(churnml.__all__) == churnml.__all__
    for name in churnml.__all__:
        assert getattr(churnml, name).__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = churnml.nothing


def test_the_module_of_tests_is_there_by_its_name():
    code = "import churnml; print(churnml.testing.assert_point_in_time.__name__)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "assert_point_in_time"


HEAVY = ("mlflow", "matplotlib", "sklearn", "lightgbm", "pandas", "ibis", "duckdb", "pyarrow")


@pytest.mark.parametrize("module", ["churnml", "churnml.cli"])
def test_importing_costs_nothing_heavy(module):
    code = f"import sys, {module}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == ""
