"""Service quality as a result: tables that show themselves, and are written as Parquet files."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from churnml.base.files import output_errors, write_file
from churnml.base.placing import Product, only
from churnml.config.quality import Indicator

if TYPE_CHECKING:
    from churnml.metrics.displays.word_of_mouth import WordOfMouthDisplay

SUMMARY = "quality.json"
TABLES: Mapping[str, pa.Schema] = {
    name: pa.schema([(column, kind) for column, kind in columns])
    for name, columns in {
        "indicators": [
            ("stage", pa.string()),
            ("indicator", pa.string()),
            ("kind", pa.string()),
            ("by", pa.string()),
            ("cell", pa.string()),
            ("month", pa.date32()),
            ("value", pa.float64()),
            ("low", pa.float64()),
            ("high", pa.float64()),
            ("n", pa.int64()),
            ("target", pa.float64()),
            ("light", pa.string()),
            ("alarm", pa.bool_()),
        ],
        "drivers": [
            ("outcome", pa.string()),
            ("driver", pa.string()),
            ("kind", pa.string()),
            ("value", pa.float64()),
            ("low", pa.float64()),
            ("high", pa.float64()),
            ("n", pa.int64()),
        ],
        "hotline_menu": [
            ("brand", pa.string()),
            ("tier", pa.string()),
            ("position", pa.int64()),
            ("service_item", pa.string()),
            ("share", pa.float64()),
            ("low", pa.float64()),
            ("high", pa.float64()),
        ],
        "word_of_mouth": [
            ("segment", pa.string()),
            ("month", pa.date32()),
            ("promoters", pa.float64()),
            ("detractors", pa.float64()),
            ("score", pa.float64()),
            ("low", pa.float64()),
            ("high", pa.float64()),
            ("change_point", pa.bool_()),
            ("mix", pa.float64()),
            ("mix_low", pa.float64()),
            ("mix_high", pa.float64()),
            ("true_change", pa.float64()),
            ("true_low", pa.float64()),
            ("true_high", pa.float64()),
        ],
        "groups": [
            ("tier", pa.string()),
            ("groups", pa.int64()),
            ("share", pa.float64()),
            ("quota", pa.float64()),
            ("rule", pa.string()),
            ("moved_up", pa.int64()),
            ("moved_down", pa.int64()),
            ("entered", pa.int64()),
            ("left", pa.int64()),
            ("value_at_risk", pa.float64()),
            ("low", pa.float64()),
            ("high", pa.float64()),
        ],
    }.items()
}
"""The files of the result and their columns."""

DETAILS = ("accounts", "hall_profile", "hall_relief", "hall_windows", "moves", "value_at_risk")
"""Files beside them: corporate accounts, halls by hour, what pre-service and self-service take
away, windows, moves between tiers."""

_GLYPHS = {"good": "●", "unclear": "▲", "bad": "■"}
_LIGHTS = {"good": "good 达标", "unclear": "unclear 不明", "bad": "bad 未达标"}
_STAGES = {
    "hall": "business hall 营业厅",
    "hotline": "hotline 热线",
    "network": "network 网络",
    "tariff": "tariff 资费",
    "billing": "billing 账单",
}


@dataclass(frozen=True, kw_only=True, repr=False)
class ServiceQuality:
    """Service quality at a date.

    Attributes
    ----------
    source : str
    as_of : date
    months : tuple of date
        First days of the months told.
    declared : mapping of str to Indicator
        What the indicators mean.
    indicators, drivers, hotline_menu, word_of_mouth, groups : DataFrame
        Small cells hidden.
    accounts, hall_profile, hall_relief, hall_windows, moves, value_at_risk : DataFrame
        Details of groups and halls.
    facts : mapping
        Trends, keys saved, change points and the regression within halls, as plain data.
    notes : tuple of str
        What is absent, and what would mislead.
    """

    source: str
    as_of: date
    months: tuple[date, ...]
    declared: Mapping[str, Indicator]
    indicators: pd.DataFrame
    drivers: pd.DataFrame
    hotline_menu: pd.DataFrame
    word_of_mouth: pd.DataFrame
    groups: pd.DataFrame
    accounts: pd.DataFrame
    hall_profile: pd.DataFrame
    hall_relief: pd.DataFrame
    hall_windows: pd.DataFrame
    moves: pd.DataFrame
    value_at_risk: pd.DataFrame
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def latest(self) -> pd.DataFrame:
        """The indicators of all customers in the last month told of each."""
        whole = self.indicators[self.indicators["by"] == ""]
        return whole.groupby("indicator", sort=False).tail(1).reset_index(drop=True)

    def latest_rows(self) -> list[dict[str, Any]]:
        """Those as plain rows."""
        return [{str(name): one for name, one in r.items()} for r in self.latest.to_dict("records")]

    @property
    def alarms(self) -> pd.DataFrame:
        """The indicators that alarm in the last month, of all customers and of cells."""
        if self.indicators.empty:
            return self.indicators
        last = self.indicators["month"] == self.months[-1]
        return self.indicators[last & self.indicators["alarm"]].reset_index(drop=True)

    def alarm_sentences(self) -> list[str]:
        """The alarms of cells: by indicator and column how many, and the worst three."""
        cells = self.alarms[self.alarms["by"] != ""] if len(self.alarms) else self.alarms
        told = []
        for (name, by), rows in cells.groupby(["indicator", "by"], sort=False):
            one = self.declared[str(name)]
            worst = rows.sort_values("value", ascending=one.direction > 0, kind="stable").head(3)
            shown = ", ".join(
                f"{row['cell']} {interval_text(row['value'], row['low'], row['high'], one.unit)}"
                for row in worst.to_dict("records")
            )
            more = f", and {len(rows) - 3} more" if len(rows) > 3 else ""
            told.append(f"{one.en} {one.zh}, {by}: {shown}{more}")
        return told

    def to_pandas(self) -> pd.DataFrame:
        """The indicators, one row an indicator, month and cell."""
        return self.indicators.copy()

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data; of cells the last month alone, as the files have the rest."""
        shown = self.indicators
        if len(shown):
            shown = shown[(shown["by"] == "") | (shown["month"] == self.months[-1])]
        definitions = {
            name: {
                key: getattr(one, key)
                for key in ("definition", "unit", "direction", "norm", "itu_e803", "en", "zh")
            }
            for name, one in self.declared.items()
        }
        tables = {name: getattr(self, name) for name in (*TABLES, *DETAILS)}
        tables["indicators"] = shown
        # Lines of accounts are for their managers, in the file.
        del tables["accounts"]
        return {
            "source": self.source,
            "as_of": self.as_of.isoformat(),
            "months": [month.isoformat() for month in self.months],
            **{name: _records(table) for name, table in tables.items()},
            **{name: _plain(value) for name, value in self.facts.items()},
            "definitions": definitions,
            "notes": list(self.notes),
        }

    def save(self, folder: str | Path, *, overwrite: bool = False) -> None:
        """Write the tables as Parquet files, and ``quality.json``.

        Raises
        ------
        OutputError
            If something else stands there, or the folder cannot be written.
        """
        with QUALITY.replaced(folder, overwrite=overwrite) as draft, output_errors(draft):
            draft.mkdir()
            for name, schema in TABLES.items():
                _write(getattr(self, name), schema, draft / f"{name}.parquet")
            for name in DETAILS:
                _write(getattr(self, name), None, draft / f"{name}.parquet")
            # Corporate accounts are told by name.
            (draft / "accounts.parquet").chmod(0o600)
            text = json.dumps(self.to_dict(), ensure_ascii=False, indent=1)
            write_file(draft / SUMMARY, text.encode())

    def display(self, segment: str = "") -> WordOfMouthDisplay:
        """The word-of-mouth curve as a figure.

        Parameters
        ----------
        segment : str, default ""
            All customers, or as ``brand=gotone``.
        """
        from churnml.metrics.displays.word_of_mouth import WordOfMouthDisplay
        from churnml.service.quality.change_points import smoothed

        rows = self.word_of_mouth
        own = rows[rows["segment"] == segment].sort_values("month")
        spread = (own["high"] - own["low"]).to_numpy(float, na_value=math.nan)
        smooth = smoothed(own["score"].to_numpy(float, na_value=math.nan), spread)
        return WordOfMouthDisplay.from_frame(own, smooth=smooth)

    def __repr__(self) -> str:
        told = self.indicators["indicator"].nunique() if len(self.indicators) else 0
        alarms = len(self.alarms)
        return (
            f"ServiceQuality({self.source!r} at {self.as_of}: {told} indicators, "
            f"{len(self.months)} months, {alarms} alarms)"
        )

    def _repr_html_(self) -> str:
        head = ("", "indicator 指标", "month", "value (95 % interval)", "n", "target", "light")
        body: list[tuple[str, ...]] = []
        for row in self.latest_rows():
            one = self.declared[row["indicator"]]
            body.append(
                (
                    _STAGES[row["stage"]],
                    f"{one.en} {one.zh}",
                    f"{row['month']:%Y-%m}",
                    interval_text(row["value"], row["low"], row["high"], one.unit),
                    count_text(row["n"]),
                    number_text(row["target"], one.unit),
                    light_text(row["light"]),
                )
            )
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return f"<p>{html.escape(repr(self))}</p>{_html_table(head, body)}<ul>{notes}</ul>"


def light_text(light: Any) -> str:
    """A light as glyph and word, never colour alone.

    >>> light_text("bad")
    '■ bad 未达标'
    """
    return f"{_GLYPHS[light]} {_LIGHTS[light]}" if isinstance(light, str) else ""


def count_text(n: Any) -> str:
    """A sample size, for people; ``<10`` where it is hidden.

    >>> count_text(1234), count_text(None)
    ('1,234', '<10')
    """
    return "<10" if pd.isna(n) else f"{n:,}"


def interval_text(value: Any, low: Any, high: Any, unit: str) -> str:
    """A value with its interval, for people; ``<10`` where it is hidden.

    >>> interval_text(0.123, 0.1, 0.15, "share"), interval_text(None, None, None, "points")
    ('12.3 % (10.0 % to 15.0 %)', '<10')
    """
    if pd.isna(value):
        return "<10"
    ends = " to ".join("?" if pd.isna(end) else number_text(end, unit) for end in (low, high))
    return f"{number_text(value, unit)} ({ends})"


def number_text(value: Any, unit: str) -> str:
    """A number in its unit, for people; empty where there is none.

    >>> number_text(0.1, "share"), number_text(79.1, "points")
    ('10.0 %', '79.1')
    """
    if pd.isna(value):
        return ""
    return f"{100 * value:.1f} %" if unit == "share" else f"{value:,.1f}"


def _html_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    top = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{top}</tr>{body}</table>"


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [_plain(row) for row in frame.to_dict("records")]


def _plain(value: Any) -> Any:
    """Plain data: None for what is missing, dates as text."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, date):
        return value.isoformat()
    if hasattr(value, "item"):
        value = value.item()
    if value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value


def _write(frame: pd.DataFrame, schema: pa.Schema | None, path: Path) -> None:
    if schema is None:
        schema = pa.schema([(name, _guess(frame[name])) for name in frame.columns])
    columns = [pa.array([_cell(one) for one in frame[field.name]], field.type) for field in schema]
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), path, compression="zstd")


def _guess(column: pd.Series) -> pa.DataType:
    if pd.api.types.is_integer_dtype(column.dtype):
        return pa.int64()
    return pa.float64() if pd.api.types.is_float_dtype(column.dtype) else pa.string()


def _cell(value: Any) -> Any:
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return value


def _ours(folder: Path) -> bool:
    """Whether a folder is such a result and holds nothing else."""
    try:
        summary = json.loads((folder / SUMMARY).read_bytes())
    except (OSError, ValueError):
        return False
    known = {SUMMARY, *(f"{name}.parquet" for name in (*TABLES, *DETAILS))}
    told = isinstance(summary, dict) and {"indicators", "word_of_mouth"} <= set(summary)
    return told and only(folder, known.__contains__)


QUALITY = Product(what="a service quality result", ours=_ours)
