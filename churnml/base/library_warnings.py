"""What libraries warn of one another: not the reader's to mend, so it is passed over.

Under ``python -W error`` such a warning would stop what works. Only these are passed over, and
only where the library itself is the caller; what a user's own code is warned of stays.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, kw_only=True)
class LibraryWarning:
    """A warning that a library gets from another.

    Attributes
    ----------
    module : str
        The caller's name, as a regular expression.
    category : type
    message : str
        How it begins, as a regular expression; all of the category where it is empty.
    why : str
    """

    module: str
    category: type[Warning]
    message: str = ""
    why: str


PASSED_OVER = (
    LibraryWarning(
        module=r"ibis\.",
        category=DeprecationWarning,
        message=r".*is deprecated, use .* instead",
        why="ibis 12 calls names that duckdb 2 deprecates; goes with the next ibis",
    ),
    LibraryWarning(
        module=r"ibis\.",
        category=DeprecationWarning,
        message=r"The 'future.infer_string' option is deprecated",
        why="ibis 12 sets an option that pandas 3 deprecates; goes with the next ibis",
    ),
    LibraryWarning(
        module=r"mlflow\.",
        category=DeprecationWarning,
        why="mlflow 3.17 uses what pandas 3, SQLAlchemy 2.1 and pydantic 2 deprecate",
    ),
    LibraryWarning(
        module=r"mlflow\.",
        category=FutureWarning,
        why="mlflow 3.17 calls functions of its own that it is to give up",
    ),
    LibraryWarning(
        module=r"mlflow\.",
        category=UserWarning,
        why="mlflow 3.17 has annotations that pydantic 2 finds odd",
    ),
    LibraryWarning(
        module=r"alembic\.",
        category=DeprecationWarning,
        why="alembic makes mlflow's database by a setting that it deprecates",
    ),
    LibraryWarning(
        module=r"pydantic\.",
        category=DeprecationWarning,
        why="pydantic reads models of mlflow that are written for its first version",
    ),
    LibraryWarning(
        module=r"google\.",
        category=DeprecationWarning,
        why="protobuf, which mlflow imports, defines types in a way that Python deprecates",
    ),
)
"""Every one of them, with its reason."""


@cache
def pass_over_library_warnings() -> None:
    """Pass over them in this process; done once, when the first public name is used."""
    for one in PASSED_OVER:
        warnings.filterwarnings(
            "ignore", message=one.message, category=one.category, module=one.module
        )
