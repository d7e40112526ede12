"""A list of customers that a shop or a call centre can use: flat, sorted, in sentences."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from churnml.base.dates import with_days
from churnml.base.placing import ReadPlaces, require_apart
from churnml.base.table_file import TableFile, suffix_of
from churnml.base.tasks import TASKS
from churnml.base.text import counted
from churnml.config.settings import Config, ConfigGiven, as_config
from churnml.errors import ModelError, UsageError
from churnml.features import Feature
from churnml.reports.accounts import ACCOUNT_COLUMNS, account_rows, source_of
from churnml.reports.sentences import Reason, sentence
from churnml.reports.where import parse_where
from churnml.reports.words import Language, require_language, word
from churnml.scoring.bands import BANDS, Band, first_driver, risk_bands
from churnml.scoring.manifest import Manifest
from churnml.tables.checked import Location
from churnml.tables.source.engines.duckdb import file_literals

REASONS = 3
_BATCH = 20_000
_SCORES = (
    "customer_id",
    "as_of",
    "churn_probability",
    "churn_percentile",
    "risk_band",
    "satisfaction",
    "satisfaction_low",
    "satisfaction_high",
    "dissatisfied_probability",
    "individual_tier",
    "group_tier",
    "arpu",
)
_DIGITS = {
    "churn_probability": 4,
    "churn_percentile": 1,
    "satisfaction": 1,
    "satisfaction_low": 1,
    "satisfaction_high": 1,
    "dissatisfied_probability": 4,
    "arpu": 2,
    "value_at_risk": 2,
    "leavers_expected": 1,
}
_BRAND = "lifecycle_brand"
_LAST_SURVEY, _SURVEY_DAYS = "service_survey_last_score_points", "service_survey_last_days"


@dataclass(frozen=True, kw_only=True)
class ContactList:
    """A list that was written.

    Attributes
    ----------
    file : str
    rows : int
    columns : list of str
    as_of : str or None
    bands : list of Band
        Of all customers scored.
    band_meaning : str
        What cuts them, in a sentence.
    """

    file: str
    rows: int
    columns: list[str]
    as_of: str | None
    bands: list[Band]
    band_meaning: str = ""

    def to_dict(self) -> dict[str, Any]:
        """What ``churnml list --json`` prints."""
        return asdict(self)

    def to_pandas(self) -> pd.DataFrame:
        """The list, read again from its file; ids stay text."""
        suffix, ids = suffix_of(self.file), {self.columns[0]: str}
        if suffix == ".parquet":
            frame = pd.read_parquet(self.file)
        elif suffix == ".csv":
            frame = pd.read_csv(self.file, dtype=ids, encoding="utf-8-sig")
        else:
            frame = pd.read_excel(self.file, dtype=ids)
        return with_days(frame, "as_of", "评分日期")

    def __repr__(self) -> str:
        return f"{counted(self.rows, 'row')} in {self.file}"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{band.name}</td><td>{band.customers:,}</td>"
            f"<td>{band.churn_probability:.1%}</td></tr>"
            for band in self.bands
        )
        head = "<tr><th>risk band</th><th>customers</th><th>mean probability of leaving</th></tr>"
        table = f"<table>{head}{rows}</table><p>{html.escape(self.band_meaning)}</p>"
        return f"<p>{html.escape(repr(self))}</p>{table if self.bands else ''}"


def contact_list(
    scores: Manifest | Location,
    *,
    out: Location,
    lang: str = "en",
    top: int | None = None,
    band: str | Sequence[str] = (),
    where: str | None = None,
    accounts: bool = False,
    mapping: Location | None = None,
    config: ConfigGiven | None = None,
    overwrite: bool = False,
) -> ContactList:
    """Write the customers of a scoring as a list for people, the riskiest first.

    One row a customer: scores, tier, ARPU, value at risk (probability of leaving × ARPU ×
    ``costs.months_kept``), three reasons for leaving and three for satisfaction as sentences,
    and the action that the settings suggest for the first reason that speaks against the
    customer's staying.

    Parameters
    ----------
    scores : Manifest or path
        A result of `churnml.score`, or its folder.
    out : path
        A file ending in ``.csv`` (which opens in Excel), ``.xlsx`` or ``.parquet``; only its
        owner may read it.
    lang : {"en", "zh"}
        Of the sentences and, in CSV and XLSX, of the headings.
    top : int, optional
        At most so many rows.
    band : one or a sequence of {"low", "medium", "high", "critical"}
        Only these risk bands.
    where : str, optional
        A condition over the list's columns by their English names; see
        `churnml.reports.where.parse_where`.
    accounts : bool, default False
        One row a corporate account instead; reads the source of the scores.
    mapping : path, optional
        Of that source.
    config : Config, path or mapping, optional
    overwrite : bool, default False

    Returns
    -------
    ContactList

    Raises
    ------
    UsageError
        If options do not fit, or the workbook would be too long.
    OutputError
        If ``scores`` is no complete result, or the list cannot be written.

    Examples
    --------
    >>> import churnml
    >>> churnml.contact_list("scores", out="list.csv", lang="fr")
    Traceback (most recent call last):
    ...
    churnml.errors.UsageError: --lang fr: en or zh expected.
    """
    language = require_language(lang)
    settings = as_config(config)
    band = (band,) if isinstance(band, str) else tuple(band)
    _require_options(out, top, band)
    manifest = scores if isinstance(scores, Manifest) else Manifest.read(scores)
    folder = ReadPlaces(places=(Path(manifest.folder),), tables=(Path(manifest.folder),))
    require_apart(out, folder)
    source = source_of(manifest, mapping, settings) if accounts else None
    manifest.verify()
    columns = list(ACCOUNT_COLUMNS) if accounts else _columns(manifest)
    table = _table_file(columns, language, Path(out), accounts=accounts)
    table.require_free(out, overwrite=overwrite)
    with _connected(manifest, settings) as con:
        query = _query(con, band=band, where=where)
        if source is not None:
            batches = account_rows(con, query, *source, config=settings, top=top)
        else:
            ordered = f"{query} ORDER BY {_order(columns)}" + (f" LIMIT {top}" if top else "")
            own = {name: Feature.from_dict(one) for name, one in manifest.features.items()}
            telling = _Telling(lang=language, config=settings, features=own)
            batches = _customers(con, ordered, columns, telling)
        rows = table.write_batches(
            (_headed(batch, columns, language, Path(out)) for batch in batches),
            out,
            overwrite=overwrite,
        )
    return ContactList(
        file=str(out),
        rows=rows,
        columns=list(table.columns),
        as_of=manifest.as_of,
        bands=risk_bands(manifest),
        band_meaning=manifest.bands.get("meaning", ""),
    )


def _require_options(out: Location, top: int | None, band: Sequence[str]) -> None:
    suffix_of(out)
    if top is not None and top < 1:
        raise UsageError(f"--top {top}: 1 or more expected.", value=str(top))
    for one in band:
        if one not in BANDS:
            raise UsageError(
                f"--band {one}: no such band.", hint=f"Use {', '.join(BANDS)}.", value=one
            )


def _columns(manifest: Manifest) -> list[str]:
    """The columns of the list, by their English names."""
    import pyarrow.parquet as pq

    there = set(pq.read_schema(Path(manifest.folder) / manifest.parts[0].name).names)
    columns = [name for name in _SCORES if name in there]
    if "as_of" in columns and manifest.as_of is None:
        columns.remove("as_of")
    if {"churn_probability", "arpu"} <= there:
        columns.append("value_at_risk")
    for task, _ in _reason_columns(there):
        columns += [f"{task}_reason_{number}" for number in range(1, REASONS + 1)]
    if _reason_columns(there):
        columns += ["driver", "action"]
    return columns


def _reason_columns(there: set[str]) -> list[tuple[str, str]]:
    """Each task whose reasons are there, and the column that holds them."""
    first = "churn" if "churn_probability" in there else "satisfaction"
    pairs = [(first, "reasons"), ("satisfaction", "satisfaction_reasons")]
    return [(task, column) for task, column in pairs if column in there]


def _table_file(columns: Sequence[str], lang: Language, out: Path, *, accounts: bool) -> TableFile:
    return TableFile(
        what="a list of corporate accounts" if accounts else "a list of customers",
        content="corporate accounts" if accounts else "customers",
        columns=_headings(columns, lang, out),
        private=True,
    )


def _headings(columns: Sequence[str], lang: Language, out: Path) -> list[str]:
    if lang == "en" or suffix_of(out) == ".parquet":
        return list(columns)
    return [word("columns", name, lang) for name in columns]


def _headed(batch: pd.DataFrame, columns: Sequence[str], lang: Language, out: Path) -> pd.DataFrame:
    for section, name in (
        ("bands", "risk_band"),
        ("tiers", "individual_tier"),
        ("tiers", "group_tier"),
        ("drivers", "driver"),
    ):
        if lang != "en" and name in batch:
            names = {key: word(section, key, lang) for key in batch[name].dropna().unique()}
            batch[name] = batch[name].map(names)
    return _rounded(batch)[list(columns)].set_axis(_headings(columns, lang, out), axis=1)


def _connected(manifest: Manifest, config: Config) -> duckdb.DuckDBPyConnection:
    """A connection with the view ``scored``: the scores with what is worked out from them."""
    con = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    if config.engine.memory_limit:
        con.execute(f"SET memory_limit = '{config.engine.memory_limit}'")
    folder = Path(manifest.folder).absolute()
    parts = file_literals(folder / part.name for part in manifest.parts)
    there = {row[0] for row in con.execute(f"DESCRIBE FROM read_parquet({parts})").fetchall()}
    extra = []
    if {"churn_probability", "arpu"} <= there:
        months = config.costs.months_kept
        extra.append(f"churn_probability * arpu * {months} AS value_at_risk")
    if reasons := _reason_columns(there):
        found = [
            first_driver(column, raising=TASKS[task].direction > 0) for task, column in reasons
        ]
        extra.append(f"coalesce({', '.join(found)}) AS driver")
    more = "".join(f", {one}" for one in extra)
    con.execute(f"CREATE VIEW scored AS SELECT *{more} FROM read_parquet({parts})").fetchall()
    return con


def _query(con: duckdb.DuckDBPyConnection, *, band: Sequence[str], where: str | None) -> str:
    there = [row[0] for row in con.execute("DESCRIBE scored").fetchall()]
    if band and "risk_band" not in there:
        raise ModelError(
            "--band: these scores have no risk bands, for no churn model was used.",
            hint="Score with a churn model.",
        )
    conditions = []
    if band:
        names = ", ".join(f"'{one}'" for one in dict.fromkeys(band))
        conditions.append(f"risk_band IN ({names})")
    if where is not None:
        plain = [name for name in there if not name.endswith("reasons")]
        conditions.append(f"({parse_where(where, plain)})")
    query = "SELECT * FROM scored" + (f" WHERE {' AND '.join(conditions)}" if conditions else "")
    try:
        con.execute(f"SELECT count(*) FROM ({query})").fetchall()
    except duckdb.Error as error:
        problem = str(error).splitlines()[0].split(":", 1)[-1].strip()
        raise UsageError(
            f"--where {where!r}: {problem}",
            hint="Compare numbers with numbers and texts with texts in single quotes.",
            value=where,
        ) from None
    return query


def _order(columns: Sequence[str]) -> str:
    first = (
        "churn_probability DESC NULLS LAST"
        if "churn_probability" in columns
        else "satisfaction ASC NULLS LAST"
    )
    return f"{first}, customer_id"


def _customers(
    con: duckdb.DuckDBPyConnection,
    query: str,
    columns: Sequence[str],
    telling: _Telling,
) -> Iterator[pd.DataFrame]:
    reader = con.cursor().sql(query).to_arrow_reader(_BATCH)
    yield _customer_rows(reader.schema.empty_table(), columns, telling)
    for batch in reader:
        yield _customer_rows(pa.Table.from_batches([batch]), columns, telling)


def _customer_rows(rows: pa.Table, columns: Sequence[str], telling: _Telling) -> pd.DataFrame:
    plain = [name for name in columns if "_reason_" not in name and name != "action"]
    frame = rows.select(plain).to_pandas()
    for task, column in _reason_columns(set(rows.column_names)):
        sentences = [_sentences(task, one or [], telling) for one in rows[column].to_pylist()]
        for number in range(REASONS):
            frame[f"{task}_reason_{number + 1}"] = pd.Series(
                [one[number] if number < len(one) else None for one in sentences], dtype="str"
            )
    if "action" in columns:
        frame["action"] = (
            frame["driver"].map(telling.config.actions.by_driver(telling.lang)).astype("str")
        )
    return frame


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """As many digits as people can use; rows were chosen and sorted by all of them."""
    return frame.round({name: digits for name, digits in _DIGITS.items() if name in frame})


@dataclass(frozen=True, kw_only=True)
class _Telling:
    """How reasons are told: the language, the settings, and features that are not our own."""

    lang: Language
    config: Config
    features: Mapping[str, Feature]

    @cached_property
    def brands(self) -> Mapping[str, str]:
        return self.config.brands.called(self.lang)


def _sentences(task: str, reasons: Sequence[Mapping[str, Any]], telling: _Telling) -> list[str]:
    """The first reasons as sentences; the last survey's score and its age are one."""
    by_name = {one["feature"]: one["value"] for one in reasons}
    days = by_name.get(_SURVEY_DAYS) if _LAST_SURVEY in by_name else None
    chosen = [one for one in reasons if days is None or one["feature"] != _SURVEY_DAYS]
    return [
        sentence(
            task,
            Reason(
                feature=one["feature"],
                value=telling.brands.get(one["value"], one["value"])
                if one["feature"] == _BRAND
                else one["value"],
                raises=one["contribution"] > 0,
            ),
            telling.lang,
            days=days,
            feature=telling.features.get(one["feature"]),
        )
        for one in chosen[:REASONS]
    ]
