"""Rows of a table of one's own that neither of two models has learned from."""

from __future__ import annotations

from datetime import date

from churnml.base.text import quoted
from churnml.config.settings import Config
from churnml.datasets import dataset
from churnml.datasets.dataset import Dataset
from churnml.datasets.flat import Signature, read_evaluation
from churnml.datasets.flat.dataset import flat_dataset
from churnml.datasets.flat.frame import Frame, name_of, table_file
from churnml.datasets.table_months import months_of
from churnml.errors import DataError, LabelWindowError
from churnml.models.model import Model
from churnml.tables.checked import Location


def unseen_rows(table: Location | Frame, models: tuple[Model, Model], config: Config) -> Dataset:
    """The table's latest months after all labels that either model has learned from.

    Parameters
    ----------
    table : path or data frame
        With the columns of both models, their target and the date that each row stands for.
    models : (Model, Model)
        Trained with ``time``.
    config : Config
        With the models' label; its section ``promotion`` says how many months at most.

    Raises
    ------
    LabelWindowError
        If there is no such month.
    DataError
        If the table is refused, or the two models read its rows differently.
    """
    own, other = (_read(table, model, config) for model in models)
    name = name_of(table)
    if len(own) != len(other) or not own.y.equals(other.y):
        raise DataError(
            f"{name}: the two models do not read the same rows of it.",
            hint="Train both on tables whose columns are written alike.",
        )
    for column in set(own.X) & set(other.X):
        if not own.X[column].equals(other.X[column]):
            raise DataError(
                f"{name}: the two models read column {quoted(column)} in different ways.",
                hint="Train both on tables whose columns are written alike.",
                column=column,
            )
    more = [column for column in other.X if column not in own.X]
    both = dataset.with_columns(own, other.X[more])
    months = months_of(both, dataset.label_window(models[0].task, config), name)
    learned = max(date.fromisoformat(model.origin.window[1]) for model in models)
    unseen = [month for month in months.every if month >= learned]
    if not unseen:
        raise LabelWindowError(
            f"{name}: no month that neither model has learned from: they learned until {learned}, "
            f"and its rows end in the month of {months.every[-1]}.",
            hint="Name a table with later months, or promote with --force REASON.",
            expected=f"rows of {learned} or later",
        )
    return months.data.at(unseen[-config.promotion.months :])


def _read(table: Location | Frame, model: Model, config: Config) -> Dataset:
    signature = Signature.from_dict(model.origin.table)
    with table_file(table) as path:
        read = read_evaluation(
            path,
            signature,
            id=signature.id,
            group=signature.group,
            set_aside_limit=config.validation.set_aside_limit,
        )
    if read.times is None:
        raise DataError(
            f"{name_of(table)}: there is no column {quoted(str(signature.time))}, the date that "
            "each row stands for.",
            hint="Give the column as the training table had it.",
            column=signature.time,
        )
    return flat_dataset(read)
