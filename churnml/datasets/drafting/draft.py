"""Draft the mapping of a folder of an operator's files."""

from __future__ import annotations

import html
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnml.base.files import write_file
from churnml.base.placing import Product
from churnml.base.scratch import temporary_folder
from churnml.base.text import counted
from churnml.datasets.drafting.facts import File, look_at
from churnml.datasets.drafting.folder import require_source, require_tables
from churnml.datasets.drafting.matching import ColumnMatch, TableChoice, match
from churnml.datasets.drafting.writing import MARK, draft_text
from churnml.errors import ChurnmlError
from churnml.tables.checked import validate
from churnml.tables.contract import REQUIRED_TABLES
from churnml.tables.source.folder import MAPPING_FILE

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)


def _is_draft(path: Path) -> bool:
    return path.is_file() and path.read_bytes().startswith(MARK.encode())


DRAFT = Product(what="a draft mapping", ours=_is_draft)


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A draft mapping, and what is to be checked in it.

    Attributes
    ----------
    source : str
        What was looked at.
    mapping : str
        The file that was written.
    columns : list of dict
        ``table`` ``file`` ``sheet`` ``own`` ``column`` (null where it is not read) ``status``
        (sure, check, not read) ``format`` ``scale`` ``values`` ``check``.
    tables : list of dict
        ``table`` ``file`` ``sheet`` ``rows`` ``encoding`` ``status`` ``check``.
    notes : list of str
        Of files that are not used.
    validation : dict
        What `churnml.validate` says with the mapping: ``refused``, ``problem``,
        ``set_aside`` by table.
    """

    source: str
    mapping: str
    columns: list[dict[str, Any]]
    tables: list[dict[str, Any]]
    notes: list[str]
    validation: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The draft as plain data."""
        return {
            "mapping": self.mapping,
            "tables": self.tables,
            "columns": self.columns,
            "notes": self.notes,
            "validation": self.validation,
        }

    def to_pandas(self) -> pd.DataFrame:
        """One row a column."""
        import pandas as pd

        return pd.DataFrame(self.columns)

    def count(self, status: str) -> int:
        """How many columns are sure, to be checked or not read."""
        return sum(one["status"] == status for one in self.columns)

    def __repr__(self) -> str:
        lines = [
            f"{self.mapping}: {counted(len(self.tables), 'table')}, "
            f"{counted(self.count('sure'), 'column')} sure, {self.count('check')} to check, "
            f"{self.count('not read')} not read"
        ]
        lines += [
            f"check {one['table']}.{one['column']} = {one['own']}: {one['check']}"
            for one in self.columns
            if one["status"] == "check"
        ]
        return "\n".join([*lines, *self.notes, self.verdict])

    @property
    def verdict(self) -> str:
        """What `churnml.validate` says with the draft, in a line."""
        if self.validation["problem"]:
            return f"validate: {self.validation['problem']}"
        aside = {name: rows for name, rows in self.validation["set_aside"].items() if rows}
        listed = ", ".join(f"{rows:,} of {name}" for name, rows in aside.items())
        return f"validate: accepted; rows set aside: {listed or 'none'}"

    @property
    def next_step(self) -> str:
        """The command to go on with."""
        found = Path(self.mapping) == Path(self.source) / MAPPING_FILE
        option = "" if found else f" --mapping {self.mapping}"
        if self.count("check") or self.validation["refused"]:
            return f"Next: mend {self.mapping}, then churnml validate {self.source}{option}"
        return f"Next: churnml train churn {self.source}{option}"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def draft_mapping(
    folder: str | Path, *, out: str | Path | None = None, overwrite: bool = False
) -> Draft:
    r"""Look at an operator's files and write a commented draft of their mapping.

    Names, headers in Chinese or English, encodings, dates, codes and units are recognised. A
    column is certain only where its name and its values agree and no other is near; the rest
    is marked as to be checked, and nothing is guessed silently.

    Parameters
    ----------
    folder : path
        Holds the files: CSV, Parquet, XLSX (each sheet may be a table), and tables in parts:
        folders of CSV or Parquet files, or files that differ only in the numbers in their
        names. Or a DuckDB file.
    out : path, optional
        The mapping; by default ``source.yaml`` in the folder, where every command finds it;
        beside a database a file of its name, for ``--mapping``.
    overwrite : bool, default False
        Whether an earlier draft there may be replaced; any other file never is.

    Returns
    -------
    Draft
        Its ``validation`` says what `churnml.validate` finds with the mapping.

    Raises
    ------
    DataError
        If there is no such folder.
    ContractError
        If no file looks like a table of the contract.
    OutputError
        If the mapping cannot be written, or something stands there.

    Examples
    --------
    >>> import churnml, tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> header = "用户编号,入网日期,离网日期,付费方式"
    >>> _ = folder.joinpath("用户.csv").write_text(header + "\n001,2020/1/5,,预付费\n")
    >>> draft = churnml.draft_mapping(folder)
    >>> [(one["own"], one["column"]) for one in draft.columns][:2]
    [('用户编号', 'customer_id'), ('入网日期', 'activated_on')]
    """
    place = Path(folder)
    require_source(place)
    target = _target(place) if out is None else Path(out)
    DRAFT.require_free(target, overwrite=overwrite)
    _log.info("looking at the files of %s", place)
    with temporary_folder() as scratch:
        files, problems = look_at(place, Path(scratch))
        choices = match(files)
    require_tables(place, bool(choices), problems)
    notes = [*_unused(files, choices), *problems, *_missing(choices)]
    columns = [_column(table, one) for table in choices for one in table.columns]
    counts = tuple(
        sum(one["status"] == status for one in columns) for status in ("sure", "check", "not read")
    )
    option = "" if target == place / MAPPING_FILE else f" --mapping {target}"
    text = draft_text(choices, notes, folder=str(place), option=option, counts=counts)
    with DRAFT.replaced(target, overwrite=overwrite) as fresh:
        write_file(fresh, text.encode())
    return Draft(
        source=str(place),
        mapping=str(target),
        columns=columns,
        tables=[_table(one) for one in choices],
        notes=notes,
        validation=_validated(place, target),
    )


def _target(place: Path) -> Path:
    """Where every command looks for the mapping; beside a database, which holds none."""
    return place / MAPPING_FILE if place.is_dir() else place.with_suffix(".yaml")


def _table(choice: TableChoice) -> dict[str, Any]:
    return {
        "table": choice.spec.name,
        "file": choice.file.name,
        "sheet": choice.file.sheet or None,
        "rows": choice.file.rows,
        "encoding": choice.file.encoding,
        "status": "check" if choice.doubts else "sure",
        "check": "; ".join(choice.doubts),
    }


def _column(table: TableChoice, choice: ColumnMatch) -> dict[str, Any]:
    column = choice.column
    status = "not read" if column is None else "sure" if choice.sure else "check"
    return {
        "table": table.spec.name,
        "file": table.file.name,
        "sheet": table.file.sheet or None,
        "own": choice.own.name,
        "column": column.name if column else None,
        "status": status,
        "format": choice.fit.format or None,
        "scale": choice.fit.scale or None,
        "values": choice.fit.values or None,
        "check": "; ".join(dict.fromkeys(choice.doubts)),
    }


def _unused(files: list[File], choices: list[TableChoice]) -> list[str]:
    used = {one.file.shown for one in choices}
    names = [one.shown for one in files if one.shown not in used]
    return [
        f"check {name}: not a table that churnml reads, as far as can be seen; not used."
        for name in names
    ]


def _missing(choices: list[TableChoice]) -> list[str]:
    found = {one.spec.name for one in choices}
    return [
        f"check {name}: required, and no file seems to be it."
        for name in REQUIRED_TABLES
        if name not in found
    ]


def _validated(folder: Path, mapping: Path) -> dict[str, Any]:
    """What `churnml.validate` says of the folder with the draft."""
    try:
        report = validate(folder, mapping=mapping)
        aside = {count.table: count.aside for count in report.report.counts}
        report.raise_if_refused()
    except ChurnmlError as error:
        return {"refused": True, "problem": error.message, "set_aside": {}}
    return {"refused": False, "problem": "", "set_aside": aside}
