"""Scoring the rows of a flat table: the same columns, by name, that its model was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from churnml.config import Config
from churnml.errors import SchemaError
from churnml.flat import Signature
from churnml.flat.scoring import Scorable, open_scoring
from churnml.registry import Resolved, champion_uri
from churnml.scoring.feed import Account, Batch
from churnml.scoring.manifest import Manifest
from churnml.scoring.plan import Work, choose_models, make_recipe
from churnml.scoring.run import run
from churnml.scoring.staging import Staging


def score_table(
    table: str | Path,
    out: str | Path,
    *,
    id: str | None,
    churn_model: str | None = None,
    satisfaction_model: str | None = None,
    reasons: int | None = None,
    config: Config | None = None,
    overwrite: bool = False,
) -> Manifest:
    """Score every row of a flat table.

    Parameters
    ----------
    table : path
        CSV, Parquet or XLSX; see `churnml.flat.open_table`.
    out : path
        The folder of the result: one part for every ``scoring.batch_rows`` rows in the
        order of the table, and ``_manifest.json``.
    id : str or None
        The id column, which comes out as ``customer_id``, character for character; without
        it rows are named by their numbers.
    churn_model, satisfaction_model, reasons, config, overwrite
        As for `churnml.scoring.score_source`.

    Returns
    -------
    Manifest
        Its ``gates`` say what `churnml.scoring.check_gates` would raise.

    Raises
    ------
    OutputError
        If the result cannot be written or something stands there.
    ModelError
        If there is no such model.
    DataError
        If the table cannot be read, columns are missing, renamed or retyped, an id stands
        twice, or too many rows are bad.
    """
    settings = config or Config()
    opened: list[Scorable] = []

    def plan() -> Work:
        models = choose_models(churn_model, satisfaction_model)
        signatures = [_signature(one, Path(table)) for one in models.values()]
        found = open_scoring(
            table,
            signatures,
            id=id,
            set_aside_limit=settings.validation.set_aside_limit,
            memory_limit=settings.engine.memory_limit,
            threads=settings.engine.threads,
        )
        opened.append(found)
        recipe = make_recipe(models, None, reasons, settings)
        return Work(str(table), _fingerprint(found, id), recipe, settings)

    def feed(work: Work, _staging: Staging) -> TableFeed:
        return TableFeed(opened[0], work)

    return run(out, plan, feed, overwrite=overwrite)


def _fingerprint(found: Scorable, id: str | None) -> str:
    return f"{found.table.fingerprint()}:{id or ''}"


def _signature(resolved: Resolved, table: Path) -> Signature:
    """How the model's columns are read from a table.

    Raises
    ------
    SchemaError
        If it was trained on operator features instead.
    """
    model = resolved.model
    if model.origin.kind != "table":
        name = champion_uri(f"{model.task}-{table.name.partition('.')[0]}")
        raise SchemaError(
            f"{resolved.version} was trained on operator tables: {table} cannot have its "
            f"{len(model.inputs)} features.",
            hint=f"Name a model of such a table, for example --{model.task}-model {name}.",
            file=str(table),
        )
    return Signature.from_dict(model.origin.table)


class TableFeed:
    """The rows of a table that can be scored, in the order of the table.

    Parameters
    ----------
    found : Scorable
    work : Work
    """

    def __init__(self, found: Scorable, work: Work) -> None:
        self._found = found
        self._work = work

    def batches(self) -> Iterator[Batch]:
        """The good rows in batches of ``scoring.batch_rows``."""
        for batch in self._found.batches(self._work.config.scoring.batch_rows):
            yield Batch(batch.ids, batch.X)

    def account(self) -> Account:
        """Where the rows went.

        Raises
        ------
        DataError
            If the file has changed since it was opened.
        """
        self._found.table.ensure_unchanged()
        return Account(
            total=self._found.total,
            quarantined=self._found.quarantined,
            ineligible=0,
            reasons=[
                {
                    "table": self._found.table.path.name,
                    "column": one.column,
                    "code": one.code,
                    "rows": one.count,
                    "reason": one.reason,
                }
                for one in self._found.aside
            ],
            ignored=list(self._found.ignored),
            warnings=list(self._found.table.notes),
        )
