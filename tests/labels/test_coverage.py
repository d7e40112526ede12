"""Where the data of a label begin and end, on small frames written out by hand."""

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import churnml
from churnml.config.settings import Config
from churnml.datasets.split_dates import plan_dates
from churnml.errors import LabelWindowError
from churnml.labels import coverage
from churnml.labels import window as labels
from churnml.labels.hazard import month_of_leaving
from churnml.labels.sensitivity import label_sensitivity
from churnml.tables import asof
from churnml.tables.simulator import simulate

MAY, JUNE, JULY = date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)
TWO_MONTHS = labels.Window("0d", "2mo")
MONTHS = [date(2026, month, 1) for month in range(1, 13)]


def tables(customers, **monthly):
    """Customers as (name, first day, last day), and the months of each by table."""
    day = pa.date32()
    found = {
        "customers": asof.small_table(
            customers, customer_id=pa.string(), activated_on=day, terminated_on=day
        )
    }
    for table, rows in monthly.items():
        pairs = [(name, month) for name, months in rows.items() for month in months]
        found[table] = asof.small_table(pairs, customer_id=pa.string(), month=day)
    return found


def customers(names, since=date(2020, 1, 1), until=None):
    return [(name, since, until) for name in names]


def every(names, months):
    return {name: list(months) for name in names}


def test_a_window_that_the_data_does_not_cover_names_the_last_usable_date():
    coverage.require_coverage([MAY], TWO_MONTHS, JULY)
    with pytest.raises(LabelWindowError) as refused:
        coverage.require_coverage([MAY, JUNE], TWO_MONTHS, JULY)
    assert "as_of 2026-06-01" in str(refused.value)
    assert "Use as_of 2026-05-01 or earlier." in str(refused.value)
    assert refused.value.status == 3


def test_a_window_that_begins_before_the_data_names_the_first_usable_date():
    coverage.require_coverage([MAY], TWO_MONTHS, JULY, MAY)
    with pytest.raises(LabelWindowError) as refused:
        coverage.require_coverage([date(2026, 4, 30), MAY], TWO_MONTHS, date(2026, 9, 1), MAY)
    assert str(refused.value) == (
        "as_of 2026-04-30: its label window begins at 2026-04-30, the data at 2026-05-01. "
        "Use an as_of from 2026-05-01 to 2026-07-01."
    )
    assert (refused.value.status, refused.value.details["expected"]) == (3, ">= 2026-05-01")


def test_a_gap_moves_the_first_usable_date_back_and_the_first_bill_forward():
    late = labels.Window("1mo", "1mo")
    coverage.require_coverage([date(2026, 4, 1)], late, JULY, MAY)
    with pytest.raises(LabelWindowError, match="no bill of a month that had ended") as refused:
        coverage.require_coverage([date(2026, 4, 1)], late, date(2026, 9, 1), MAY, earliest=JUNE)
    assert refused.value.hint == "Use an as_of from 2026-06-01 to 2026-07-01."


def test_data_too_short_for_any_date_say_so():
    with pytest.raises(LabelWindowError, match="shorten the horizon"):
        coverage.require_coverage([MAY], TWO_MONTHS, JUNE, MAY)


def test_cover_ends_with_the_last_full_month_of_the_tables_needed():
    names = "abcd"
    bills = every(names, [MAY, JUNE]) | {"a": [MAY, JUNE, JULY]}
    given = tables(customers(names), bills=bills, usage=every(names, [MAY]))
    assert coverage.covered(given, "termination").until == JULY
    assert coverage.covered(given, "either").until == JUNE
    assert coverage.covered(given, None).until == JULY


def test_cover_begins_with_usage_where_silence_counts_else_with_bills():
    names = "abcd"
    given = tables(
        customers(names), bills=every(names, MONTHS[:8]), usage=every(names, MONTHS[3:8])
    )
    assert coverage.covered(given, "either").since == MONTHS[3]
    assert coverage.covered(given, "inactivity").since == MONTHS[3]
    assert coverage.covered(given, "termination").since == MONTHS[0]
    assert coverage.covered(given, None).since == MONTHS[0]
    del given["usage"]
    assert coverage.covered(given, "either").since == MONTHS[0]


def test_stray_rows_and_a_month_half_missing_begin_nothing():
    names = "abcdefgh"
    usage = every(names, MONTHS[3:8])
    usage["a"] = [date(2019, 1, 1), MONTHS[2], *usage["a"]]
    usage["b"] = [MONTHS[2], *usage["b"]]
    given = tables(customers(names), bills=every(names, MONTHS[:8]), usage=usage)
    assert coverage.covered(given, "either").since == MONTHS[3]


def test_an_operator_that_has_grown_or_shrunk_loses_no_month():
    young = customers("cdefgh", since=date(2026, 6, 20))
    old = customers("ab")
    bills = every("ab", MONTHS) | every("cdefgh", MONTHS[6:])
    assert coverage.covered(tables([*old, *young], bills=bills), None).since == MONTHS[0]
    gone = customers("cdefgh", until=date(2026, 3, 15))
    bills = every("ab", MONTHS) | every("cdefgh", MONTHS[:2])
    assert coverage.covered(tables([*old, *gone], bills=bills), None).since == MONTHS[0]


def test_a_table_without_rows_covers_nothing():
    with pytest.raises(LabelWindowError, match="bills: no rows"):
        coverage.covered(tables(customers("a"), bills={}), "termination")


def test_the_month_of_leaving_is_refused_before_the_data_begin():
    given = tables(customers("a"))
    with pytest.raises(LabelWindowError, match="the data at 2026-05-01"):
        month_of_leaving(
            given, [MONTHS[0]], until=JULY, since=MAY, months=1, definition="termination"
        )


@pytest.fixture(scope="module")
def operator(tmp_path_factory):
    """Fourteen months of bills, from April 2025 on; usage of the last ten of them."""
    folder = tmp_path_factory.mktemp("cover") / "operator"
    simulate(folder, customers=150, months=14, seed=4)
    usage = pq.read_table(folder / "usage.parquet")
    seen = pc.greater_equal(usage["month"], pa.scalar(date(2025, 8, 1)))
    pq.write_table(usage.filter(seen), folder / "usage.parquet")
    return churnml.open_source(str(folder))


@pytest.mark.parametrize(
    ("task", "definition", "day", "first"),
    [
        ("churn", "either", "2020-01-01", "2025-08-01"),
        ("churn", "either", "2025-07-01", "2025-08-01"),
        ("churn", "inactivity", "2025-07-01", "2025-08-01"),
        ("hazard", "either", "2025-07-01", "2025-08-01"),
        ("churn", "termination", "2025-04-01", "2025-05-01"),
        ("satisfaction", "either", "2020-01-01", "2025-05-01"),
    ],
)
def test_a_dataset_before_the_data_begin_is_refused(operator, task, definition, day, first):
    config = Config.model_validate(
        {"churn": {"definition": definition}, "hazard": {"definition": definition}}
    )
    with pytest.raises(LabelWindowError, match=f"as_of {day}") as refused:
        churnml.build_dataset(operator, task, day, config=config)
    assert f"from {first} to" in refused.value.hint


def test_training_dates_lie_where_the_silence_is_seen(operator):
    def days(definition):
        config = Config.model_validate({"churn": {"definition": definition, "train_months": 12}})
        return plan_dates(operator, "churn", config).all

    assert days("either")[0] == date(2025, 8, 1)
    assert days("termination")[0] == date(2025, 7, 1)


def test_a_silence_before_the_data_is_not_told(operator):
    table = label_sensitivity(operator, "2025-09-01")

    without = table[table["silent"] == "without"]
    assert set(without["inactive_months"]) == {1}
    assert set(table["inactive_months"]) == {1, 2, 3}
    with pytest.raises(LabelWindowError, match="the data at 2025-08-01"):
        label_sensitivity(operator, "2025-07-01")
