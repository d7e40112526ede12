"""Every customer's scores: of operator tables at a date, or of a table of one's own."""

from __future__ import annotations

from datetime import date
from typing import Any

from churnml.base.dates import parse_date
from churnml.config.settings import ConfigGiven, as_config
from churnml.datasets.flat import Reading
from churnml.datasets.flat.frame import Frame, is_frame, name_of, table_file
from churnml.errors import UsageError
from churnml.features.requirements import suggest_date
from churnml.models.model import Model
from churnml.scoring.flat import score_table
from churnml.scoring.manifest import Manifest
from churnml.scoring.operator import score_operator
from churnml.tables.checked import Location, as_source
from churnml.tables.source import Source


def score(
    data: Source | Location | Frame,
    as_of: date | str | None = None,
    *,
    out: Location,
    id: str | None = None,
    sheet: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    churn_model: Model | Location | None = None,
    satisfaction_model: Model | Location | None = None,
    hazard_model: Model | Location | None = None,
    reasons: int | None = None,
    any_source: bool = False,
    engine: str | None = None,
    mapping: Location | None = None,
    config: ConfigGiven | None = None,
    overwrite: bool = False,
) -> Manifest:
    """Score every customer, with reasons, into a folder of Parquet files with a manifest.

    Parameters
    ----------
    data : Source, path, or data frame
        Operator tables, whose bad rows are set aside; or, where ``id`` is given, a table of
        one's own: a file, or a frame of pandas, polars, Arrow, DuckDB or Ibis.
    as_of : date
        Midnight at its start. For a table of one's own, optional, the day of the table, from
        which its dates are counted; by default the latest date of the column that told it in
        training, in a table of 1,000 rows or more, where it is later; else the day of
        training.
    out : path
        The folder of the result: one part for every ``scoring.batch_rows`` rows, of customers
        in the order of their ids, and ``_manifest.json``. Or a table of PostgreSQL,
        ``postgresql://user@host/database/schema.table``: its rows are replaced in one
        transaction, with the account as a row of ``churn_runs`` beside it; the same work
        again writes nothing.
    id : str, optional
        The id column; its values come out character for character as ``customer_id``.
    sheet, encoding, delimiter : str, optional
        How the file is to be read; by default as in training.
    churn_model, satisfaction_model : Model, str or path, optional
        Models or their URIs. Without both, the champions as far as they exist; with one of
        them, that alone.
    hazard_model : Model, str or path, optional
        Its ``churn_probability_1mo``, ``_2mo``, ``_3mo`` and ``_6mo`` become the last columns.
    reasons : int, optional
        For each customer; 0 leaves them out. By default what the settings say.
    any_source : bool, default False
        Whether champions, taken because no model is named, may score operator tables of whose
        customers fewer than half live in regions or halls that they know.
    engine : {"duckdb", "spark"}, optional
        What reads a folder of operator tables, builds the features and scores them; by default
        DuckDB, of a source its own. On Spark the parts are divided by customer, in no order.
    mapping : path, optional
        The operator's own names, codes and units.
    config : Config, path or mapping, optional
    overwrite : bool, default False
        Whether a complete result that stands there may be replaced.

    Returns
    -------
    Manifest
        Its ``gates`` say what `churnml.scoring.check_gates` would raise; ``to_pandas()``
        reads the scores.

    Raises
    ------
    UsageError
        If options do not belong together.
    OutputError
        If the result cannot be written or something else stands there.
    ModelError
        If there is no such model, or it reads other data.
    DataError
        If the data is refused, ends more than a month before ``as_of``, or lacks what a model
        needs.

    Examples
    --------
    >>> import churnml
    >>> churnml.score("demo/operator", out="scores")
    Traceback (most recent call last):
    ...
    churnml.errors.UsageError: Operator tables need --as-of, a table of your own needs --id.
    """
    reading = Reading(sheet=sheet, encoding=encoding, delimiter=delimiter)
    of_table = id is not None or is_frame(data)
    if not of_table and as_of is None:
        raise UsageError(
            "Operator tables need --as-of, a table of your own needs --id.",
            hint=suggest_date(data, mapping=mapping),
        )
    _require_fitting(of_table, hazard_model, reasons, reading)
    settings = as_config(config)
    day = None if as_of is None else parse_date(as_of)
    shared: dict[str, Any] = {"reasons": reasons, "config": settings, "overwrite": overwrite}
    models = {"churn": churn_model, "satisfaction": satisfaction_model}
    if not of_table:
        assert day is not None
        source = as_source(data, mapping=mapping, config=settings, engine=engine)
        return score_operator(
            source,
            day,
            out,
            models=models | {"hazard": hazard_model},
            any_source=any_source,
            **shared,
        )
    if engine == "spark":
        raise UsageError(
            "--engine spark is for operator tables; a table of your own is scored here.",
            hint="Leave --engine out.",
        )
    with table_file(data) as path:
        return score_table(
            path,
            out,
            id=id,
            source=name_of(data),
            day=day,
            reading=reading,
            models=models,
            **shared,
        )


def _require_fitting(
    of_table: bool,
    hazard_model: object,
    reasons: int | None,
    reading: Reading,
) -> None:
    if of_table and hazard_model is not None:
        raise UsageError("--hazard-model is for operator tables, not with --id.")
    if reasons is not None and (type(reasons) is not int or reasons < 0):
        raise UsageError(f"--reasons {reasons!r}: a whole number of 0 or more expected.")
    if not of_table and reading.to_dict():
        raise UsageError("--sheet, --encoding and --delimiter are for a table, with --id.")
