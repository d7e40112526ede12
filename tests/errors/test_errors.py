"""The exception tree: each leaf knows its exit status and says itself as data."""

import pytest

from churnml import errors


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.ChurnmlError, 1),
        (errors.UsageError, 2),
        (errors.DataError, 3),
        (errors.ContractError, 3),
        (errors.LabelWindowError, 3),
        (errors.SchemaError, 3),
        (errors.ModelError, 4),
        (errors.BundleError, 4),
        (errors.OutputError, 5),
        (errors.GateError, 6),
    ],
)
def test_every_error_knows_its_exit_status(kind, status):
    error = kind("wrong.", hint="Mend it.", table="bills", row=None)
    assert error.status == status
    assert str(error) == "wrong. Mend it."
    assert error.to_dict() == {
        "kind": kind.__name__,
        "status": status,
        "message": "wrong.",
        "hint": "Mend it.",
        "table": "bills",
    }


def test_errors_about_data_are_value_errors_as_scikit_learn_expects():
    assert issubclass(errors.SchemaError, ValueError)


def test_the_docstring_draws_every_class():
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, Exception):
            assert name in errors.__doc__
