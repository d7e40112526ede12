"""Find what may be tables among an operator's files: files, sheets, parts, database tables."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from churnml.datasets.flat.open import open_table
from churnml.datasets.flat.reading import Reading
from churnml.datasets.flat.table import ROW, Table, stamp
from churnml.errors import ChurnmlError, ContractError, DataError
from churnml.tables.source import workbook
from churnml.tables.source.csv.sniffing import open_bytes
from churnml.tables.source.engines import database
from churnml.tables.source.engines.duckdb import identifier, run, start
from churnml.tables.source.folder import CSV_ENDINGS, parts

DATABASES = (".duckdb", ".db", ".ddb")

_PARQUET = (".parquet", ".parq", ".pq")
_ENDINGS = (*CSV_ENDINGS, *_PARQUET, *workbook.ENDINGS)
_DIGITS = re.compile(r"\d+")
_PLAIN_SHEET = re.compile(r"(sheet|工作表)\s*\d*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Stored:
    """Rows that may be a table.

    Attributes
    ----------
    name : str
        What a mapping calls their file: of several parts a pattern, of a database a table.
    called : str
        What tells the table: the sheet's name where it says something, else the file's.
    sheet : str
        Of a workbook with several; else empty.
    kind : {"csv", "parquet", "sheet", "database"}
    open : callable
        Gives the rows; its one argument is a folder for what is brought together.
    first : Path
        The file, or the first part.
    """

    name: str
    called: str
    sheet: str = ""
    kind: str
    open: Callable[[Path], Table]
    first: Path

    @property
    def shown(self) -> str:
        """The name for people."""
        return f"{self.name}, sheet {self.sheet}" if self.sheet else self.name


def find_stored(place: Path) -> tuple[list[Stored], list[str]]:
    """What may be tables in a folder or a database, and what to say of the other files."""
    if place.is_file():
        return _in_database(place), []
    found: list[Stored] = []
    problems: list[str] = []
    for paths in _together([path for path in sorted(place.iterdir()) if not _hidden(path)]):
        try:
            found += _stored(paths)
        except ChurnmlError as error:
            problems.append(f"{paths[0].name}: not read. {error.message}")
        if paths[0].name.lower().endswith(DATABASES) and paths[0].is_file():
            problems.append(
                f"{paths[0].name}: a database is a source of its own: churnml init {paths[0]}"
            )
    return found, problems


def _hidden(path: Path) -> bool:
    return path.name.startswith((".", "_", "~$"))


def _together(paths: list[Path]) -> Iterator[list[Path]]:
    """The paths, files that differ in nothing but numbers together: parts of one table."""
    alike: defaultdict[str, list[Path]] = defaultdict(list)
    for path in paths:
        text = path.is_file() and path.name.lower().endswith((*CSV_ENDINGS, *_PARQUET))
        alike[_DIGITS.sub("*", path.name) if text else path.name].append(path)
    for pattern, group in alike.items():
        matched = sorted(group[0].parent.glob(pattern)) if len(group) > 1 else group
        if matched == group and _one_header(group):
            yield group
        else:
            yield from ([path] for path in group)


def _one_header(paths: list[Path]) -> bool:
    if len(paths) == 1 or paths[0].name.lower().endswith(_PARQUET):
        return True
    heads = set()
    for path in paths:
        with open_bytes(path) as stream:
            heads.add(stream.readline().removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n"))
    return len(heads) == 1


def _stored(paths: list[Path]) -> list[Stored]:
    path = paths[0]
    if path.is_dir():
        names = [one.name.lower() for one in path.rglob("*") if one.is_file()]
        if not any(name.endswith((*CSV_ENDINGS, *_PARQUET)) for name in names):
            return []
        return [_of_parts(path.name, parts(path))]
    if not path.name.lower().endswith(_ENDINGS):
        return []
    if path.name.lower().endswith(workbook.ENDINGS):
        return _sheets(path)
    name = path.name if len(paths) == 1 else _DIGITS.sub("*", path.name)
    return [_of_parts(name, tuple(paths))]


def _of_parts(name: str, files: tuple[Path, ...]) -> Stored:
    csv = files[0].name.lower().endswith(CSV_ENDINGS)
    folder = files[0].parent if name == files[0].parent.name else None

    def opened(scratch: Path) -> Table:
        if not csv:
            return _parquet(name, files, folder)
        if len(files) == 1:
            return open_table(files[0])
        return open_table(_joined(name, files, scratch))

    kind = "csv" if csv else "parquet"
    called = name.split(".")[0].rstrip("*_-. ") or name
    return Stored(name=name, called=called, kind=kind, open=opened, first=files[0])


def _parquet(name: str, files: tuple[Path, ...], folder: Path | None) -> Table:
    if len(files) == 1:
        return open_table(files[0])
    if folder is not None:
        return open_table(folder)
    from churnml.datasets.flat.parquet import open_parquet

    return open_parquet(files[0].parent / name, start())


def _joined(name: str, files: tuple[Path, ...], scratch: Path) -> Path:
    """The CSV parts as one file, under the header of the first.

    Raises
    ------
    DataError
        If they are not all in one encoding.
    """
    if len({_is_utf8(path) for path in files}) > 1:
        raise DataError(
            f"{name}: some of its {len(files)} files are UTF-8, others GB18030; save them alike."
        )
    path = scratch / f"{len(list(scratch.iterdir()))}.csv"
    with path.open("wb") as joined:
        for at, file in enumerate(files):
            with open_bytes(file) as stream:
                head = stream.readline()
                if at == 0:
                    joined.write(head.rstrip(b"\r\n") + b"\n")
                last = b"\n"
                while block := stream.read(1 << 20):
                    joined.write(block)
                    last = block[-1:]
                if last != b"\n":
                    joined.write(b"\n")
    return path


def _is_utf8(path: Path) -> bool:
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")()
    with open_bytes(path) as stream:
        try:
            while block := stream.read(1 << 20):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _sheets(path: Path) -> list[Stored]:
    titles = workbook.sheet_titles(path)

    def opener(title: str) -> Callable[[Path], Table]:
        return lambda scratch: open_table(path, reading=Reading(sheet=title))

    stem = path.name.split(".")[0]
    return [
        Stored(
            name=path.name,
            called=stem if len(titles) == 1 and _PLAIN_SHEET.fullmatch(title) else title,
            sheet=title if len(titles) > 1 else "",
            kind="sheet",
            open=opener(title),
            first=path,
        )
        for title in titles
    ]


def _in_database(path: Path) -> list[Stored]:
    engine = start()
    names = database.attach(engine, path)

    def opener(sql: str) -> Callable[[Path], Table]:
        def opened(scratch: Path) -> Table:
            described = run(engine.con, f"DESCRIBE SELECT * FROM {sql}")
            columns = [(str(name), str(kind)) for name, kind, *_ in described]
            listed = ", ".join(f"{identifier(own)} AS c{at}" for at, (own, _) in enumerate(columns))
            return Table(
                path=path,
                engine=engine,
                con=engine.con,
                relation=f"(SELECT {listed}, row_number() OVER () AS {ROW} FROM {sql})",
                names=tuple(own for own, _ in columns),
                kinds=tuple("VARCHAR" if kind.startswith("ENUM") else kind for _, kind in columns),
                counted="row",
                files={path: stamp(path)},
            )

        return opened

    return [
        Stored(
            name=name,
            called=name.rpartition(".")[2],
            kind="database",
            open=opener(sql),
            first=path,
        )
        for name, sql in sorted(names.items())
    ]


def require_source(place: Path) -> None:
    """Refuse what is neither a folder nor a DuckDB file.

    Raises
    ------
    DataError
    """
    if place.is_dir():
        return
    if not place.is_file():
        raise DataError(f"{place}: there is no such folder.", file=str(place))
    if place.name.lower().endswith(_ENDINGS):
        raise DataError(
            f"{place}: one file; the folder that holds all of them is expected.",
            hint=f"churnml init {place.parent}",
            file=str(place),
        )


def require_tables(place: Path, found: bool, problems: list[str]) -> None:
    """Refuse a place in which nothing looks like a table of the contract.

    Raises
    ------
    ContractError
    """
    if found:
        return
    hint = "It takes CSV, Parquet or XLSX files with column names, such as of customers and bills."
    raise ContractError(
        f"{place}: no file looks like a table of the contract.",
        hint=" ".join([hint, *problems]) if problems else hint,
        file=str(place),
    )
