"""Scoring an operator's customers: everyone eligible at a date, from tables to scores."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr.types import Table

from churnml.base.files import output_errors
from churnml.config.settings import Config, Tiers
from churnml.features import BUILDERS, write_features
from churnml.features.requirements import require_bills
from churnml.features.tiers import INDIVIDUAL
from churnml.scoring.feed import Account, Batch
from churnml.scoring.manifest import Manifest
from churnml.scoring.plan import ModelsAsked, Work, choose_models, make_recipe
from churnml.scoring.requirements import require_features
from churnml.scoring.run import run
from churnml.scoring.same_operator import require_same_operator
from churnml.scoring.staging import Staging
from churnml.tables.asof import until
from churnml.tables.checked import check
from churnml.tables.contract import TABLES
from churnml.tables.source import Source
from churnml.tables.validation import Validation
from churnml.tables.validation.blank import is_blank

FEATURES = "features.parquet"
_TIERS = {"individual_tier": "tier_individual_now", "group_tier": "tier_group_now"}
_log = logging.getLogger(__name__)


def score_operator(
    source: Source,
    day: date,
    out: str | Path,
    *,
    models: ModelsAsked,
    reasons: int | None,
    config: Config,
    overwrite: bool,
    any_source: bool = False,
) -> Manifest:
    """Score every customer who is eligible at a date, as `churnml.score` says."""

    def plan() -> Work:
        chosen = choose_models(models)
        for task, one in chosen.items():
            if models.get(task) is None and not any_source:
                require_same_operator(one, source)
            require_features(one, source)
        require_bills(source, day)
        recipe = make_recipe(chosen, day, reasons, config)
        return Work(
            source=source.location,
            fingerprint=source.fingerprint(),
            recipe=recipe,
            config=config,
        )

    def feed(work: Work, staging: Staging) -> OperatorFeed:
        return OperatorFeed(source, work, staging, day)

    def judge() -> None:
        require_bills(source, day)
        check(source, config, until=day).accepted()

    read = source.read.with_models(models.values())
    return run(out, plan, feed, read=read, judge=judge, overwrite=overwrite)


class OperatorFeed:
    """The features of all eligible customers, in the order of their ids.

    Parameters
    ----------
    source : Source
    work : Work
    staging : Staging
        Where the features are kept until the result is published, so that a killed run
        need not build them again.
    """

    def __init__(self, source: Source, work: Work, staging: Staging, day: date) -> None:
        self._source = source
        self._work = work
        self._staging = staging
        if FEATURES not in staging.done:
            self._build(day)

    def _build(self, day: date) -> None:
        path = self._staging.path(FEATURES)
        # What lies ahead of the date must not decide what is set aside.
        checked = check(self._source, self._work.config, until=day)
        clean = checked.accepted()
        _log.info("building features at %s", day)
        with output_errors(self._staging.place):
            eligible = write_features(clean.tables, day, path, config=self._work.config)
        self._staging.adopt(FEATURES, asdict(_account(self._source, checked, eligible)))

    def batches(self) -> Iterator[Batch]:
        """The features in batches of ``scoring.batch_rows`` rows."""
        wanted = self._columns()
        with pq.ParquetFile(self._staging.path(FEATURES)) as file:
            names = [name for name in wanted if name in file.schema_arrow.names]
            for table in _even(file, names, self._work.config.scoring.batch_rows):
                value = _value(table, self._work.config.tiers)
                yield Batch(table["customer_id"], table.to_pandas(), value)

    def _columns(self) -> list[str]:
        models = self._work.recipe.models.values()
        columns = ["customer_id", *_TIERS.values(), *_arpu_columns(self._work.config.tiers)]
        columns += [name for one in models for name in one.model.names]
        return list(dict.fromkeys(columns))

    def account(self) -> Account:
        """Where the customers went.

        Raises
        ------
        DataError
            If a file of the source has changed since it was opened.
        """
        self._source.ensure_unchanged()
        return Account(**self._staging.done[FEATURES].facts)


def _even(file: pq.ParquetFile, names: list[str], rows: int) -> Iterator[pa.Table]:
    """Tables of ``rows`` rows each, whatever the file's row groups; the last may be shorter."""
    waiting: list[pa.RecordBatch] = []
    held = 0
    given = False
    for batch in file.iter_batches(batch_size=rows, columns=names):
        waiting.append(batch)
        held += batch.num_rows
        while held >= rows:
            table = pa.Table.from_batches(waiting)
            yield table.slice(0, rows)
            given = True
            waiting, held = table.slice(rows).to_batches(), held - rows
    if held or not given:
        fields = pa.schema([file.schema_arrow.field(name) for name in names])
        yield pa.Table.from_batches(waiting, schema=fields)


def _arpu_columns(tiers: Tiers) -> list[str]:
    return [f"arpu_mean_{tiers.arpu_months}m_yuan", "tier_individual_margin_yuan"]


def _value(table: pa.Table, tiers: Tiers) -> dict[str, Any]:
    """Tiers and the ARPU behind them, by the contract's names."""
    value: dict[str, Any] = {
        name: table[feature] if feature in table.column_names else [None] * table.num_rows
        for name, feature in _TIERS.items()
    }
    mean, margin = _arpu_columns(tiers)
    if mean in table.column_names:
        return value | {"arpu": table[mean]}
    # Windows that no feature has: the ARPU is the tier's threshold and what lies above it.
    start = dict(zip(INDIVIDUAL, (0.0, *tiers.thresholds), strict=True))
    pairs = zip(value["individual_tier"].to_pylist(), table[margin].to_pylist(), strict=True)
    above = [None if over is None else start[tier] + float(over) for tier, over in pairs]
    return value | {"arpu": above}


def _account(source: Source, checked: Validation, eligible: int) -> Account:
    """Every customer who came in, and why rows of any table were set aside."""
    total = _customers(source.tables["customers"])
    good = _customers(checked.source.tables["customers"])
    seen = _seen(source, checked)
    reasons = [
        {
            "table": breach.table,
            "column": breach.column,
            "code": breach.code,
            "rows": breach.count,
            "reason": f"expected {breach.expected}" + (f" ({breach.place})" if breach.rows else ""),
        }
        for breach in checked.report.breaches
        if breach.effect == "aside"
    ]
    return Account(
        total=total,
        quarantined=seen - good,
        ineligible=total - (seen - good) - eligible,
        reasons=reasons,
        ignored=[
            f"{name}.{column}"
            for name, columns in (checked.report.ignored or {}).items()
            for column in columns
        ],
        warnings=[
            *_nobody(eligible),
            *_nulled(checked),
            *(f"{name} is absent" for name in source.missing if name in _feeding()),
        ],
    )


def _seen(source: Source, checked: Validation) -> int:
    """Customers of whom anything was there to be checked at the date."""
    rows, spec = source.tables["customers"], TABLES["customers"]
    return _customers(until(rows, spec, checked.source.day, undated=True))


def _customers(rows: Table) -> int:
    """Customers in a table; each row without a readable id counts as one."""
    unknown = rows.customer_id.isnull() | is_blank(rows.customer_id)
    totals = rows.agg(
        ids=rows.customer_id.nunique(where=~unknown), unknown=rows.count(where=unknown)
    )
    (counts,) = totals.to_pyarrow().to_pylist()
    return int(counts["ids"] + counts["unknown"])


def _feeding() -> set[str]:
    """The tables that some feature reads."""
    return {
        table for builder in BUILDERS for feature in builder.FEATURES for table in feature.tables
    }


def _nobody(eligible: int) -> list[str]:
    return [] if eligible else ["no customer is eligible at that date; the result is empty"]


def _nulled(checked: Validation) -> list[str]:
    return [breach.lost for breach in checked.report.breaches if breach.effect == "null"]
