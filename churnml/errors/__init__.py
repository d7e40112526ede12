"""Every error that churnml raises on purpose, and the exit status each one means.

::

    ChurnmlError                1  a fault of churnml's own
    ├── UsageError              2  the command line or the configuration
    ├── DataError (ValueError)  3  the input data is refused
    │   ├── ContractError          a table, column or value breaks the contract
    │   ├── LabelWindowError       the data does not cover the label window
    │   └── SchemaError            columns differ from those the model was trained on
    ├── ModelError              4  the model or the registry
    │   └── BundleError            a saved model that cannot be trusted
    ├── OutputError             5  disk, permission, lock, or an existing result
    └── GateError               6  done, but a gate tripped; or a challenger that lost
"""

from __future__ import annotations

from typing import Any, ClassVar

from churnml.errors.masking import masked, without_secrets


class ChurnmlError(Exception):
    """Base class of churnml's errors, with a hint on what to do.

    Parameters
    ----------
    message : str
        What is wrong: where, what was found, what was expected.
    hint : str, optional
        What to do about it.
    **details
        The same facts for programs: ``table``, ``file``, ``row``, ``column``,
        ``value``, ``count``, ``expected``, ``code``; what is ``None`` is left out.

    Examples
    --------
    >>> error = ContractError("bills.amount: 3 values below 0.", hint="Mend them.", count=3)
    >>> print(error)
    bills.amount: 3 values below 0. Mend them.
    >>> error.to_dict()["status"], error.to_dict()["count"]
    (3, 3)
    """

    status: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None, **details: Any) -> None:
        # Messages name the places that they are about, and these may hold passwords.
        self.message = without_secrets(message)
        super().__init__(self.message)
        self.hint = without_secrets(hint) if hint else hint
        self.details = masked({name: fact for name, fact in details.items() if fact is not None})

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message

    def to_dict(self) -> dict[str, Any]:
        """The error as plain data, for ``--json``."""
        fields = {"kind": type(self).__name__, "status": self.status, "message": self.message}
        return fields | ({"hint": self.hint} if self.hint else {}) | self.details


class UsageError(ChurnmlError):
    """The command line or the configuration cannot be followed."""

    status = 2


class DataError(ChurnmlError, ValueError):
    """The input data is refused."""

    status = 3


class ContractError(DataError):
    """A table, column or value breaks the contract."""


class LabelWindowError(DataError):
    """The data does not cover the window that a label looks at."""


class SchemaError(DataError):
    """Columns differ from those that the model was trained on."""


class ModelError(ChurnmlError):
    """The model or the registry cannot do what was asked."""

    status = 4


class BundleError(ModelError):
    """A saved model is damaged, incomplete or of another protocol."""


class OutputError(ChurnmlError):
    """The output cannot be written, or something stands where it should go."""

    status = 5


class GateError(ChurnmlError):
    """The work is done and published, but a gate tripped."""

    status = 6
