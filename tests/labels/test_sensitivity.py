"""The table of definitions: an operator of a dozen customers counted by hand, and the labels."""

from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest

import churnml
from churnml.config.settings import Config
from churnml.errors import LabelWindowError, UsageError
from churnml.labels import window as labels
from churnml.labels.sensitivity import label_sensitivity
from churnml.tables import asof
from churnml.tables.contract import TABLES
from churnml.tables.simulator import simulate

JANUARY = date(2026, 1, 1)
MONTHS = [date(2025, 10, 1), date(2025, 11, 1), date(2025, 12, 1)] + [
    date(2026, month, 1) for month in range(1, 8)
]
# Name: payment, end of service, the months without an active day (of 2026; 11, 12 of 2025).
CUSTOMERS = {
    "steady": ("prepaid", None, []),
    "postpaid": ("postpaid", None, [1, 2, 3, 4, 5, 6, 7]),
    "ends in January": ("postpaid", date(2026, 1, 15), [2, 3, 4, 5, 6, 7]),
    "ends in March, unpaid": ("postpaid", date(2026, 3, 10), [4, 5, 6, 7]),
    "ends in May": ("postpaid", date(2026, 5, 20), [6, 7]),
    "blinks": ("prepaid", None, [1]),
    "two months": ("prepaid", None, [1, 2]),
    "gone": ("prepaid", None, [1, 2, 3, 4, 5, 6, 7]),
    "gone later": ("prepaid", None, [2, 3, 4, 5, 6, 7]),
    "silent before": ("prepaid", None, [12, 1, 2, 3, 4, 5, 6, 7]),
    "long silent": ("prepaid", None, [11, 12, 1, 2, 3, 4, 5, 6, 7]),
    "both": ("prepaid", date(2026, 2, 20), [3, 4, 5, 6, 7]),
}


class Operator:
    """A source by hand."""

    def __init__(self, **frames):
        con = ibis.duckdb.connect()
        self.tables = {}
        for name, frame in frames.items():
            table = con.create_table(name, frame)
            dates = {"activated_on", "terminated_on", "month", "issued_on", "paid_on"}
            table = table.mutate(
                **{column: table[column].cast("date") for column in dates & set(table.columns)}
            )
            self.tables[name] = table.mutate(known_at=asof.known_at(table, TABLES[name]))


def frames():
    customers = pd.DataFrame(
        [
            (name, pd.Timestamp("2025-01-01"), pd.Timestamp(ended) if ended else pd.NaT, payment)
            for name, (payment, ended, _silent) in CUSTOMERS.items()
        ],
        columns=["customer_id", "activated_on", "terminated_on", "payment"],
    )
    rows = [(name, month) for name in CUSTOMERS for month in MONTHS]
    usage = pd.DataFrame(rows, columns=["customer_id", "month"])
    usage["active_days"] = [0 if m.month in CUSTOMERS[name][2] else 10 for name, m in rows]
    bills = usage[["customer_id", "month"]].assign(amount=30.0)
    bills["issued_on"] = [(m + timedelta(days=33)).replace(day=3) for m in bills["month"]]
    bills["paid_on"] = [day + timedelta(days=10) for day in bills["issued_on"]]
    unpaid = (bills["customer_id"] == "ends in March, unpaid") & (bills["month"] == MONTHS[1])
    bills["paid_on"] = bills["paid_on"].mask(unpaid)
    for frame in (usage, bills):
        for column in {"month", "issued_on", "paid_on"} & set(frame):
            frame[column] = pd.to_datetime(frame[column])
    return {"customers": customers, "usage": usage, "bills": bills}


@pytest.fixture(scope="module")
def table():
    return label_sensitivity(Operator(**frames()), JANUARY)


def cell(table, horizon, months, gap="0d", silent="with"):
    found = table[
        (table["horizon"] == horizon)
        & (table["inactive_months"] == months)
        & (table["gap"] == gap)
        & (table["silent"] == silent)
    ]
    (row,) = found.to_dict("records")
    return row


def test_every_definition_has_a_row(table):
    keys = ["silent", "gap", "horizon", "inactive_months"]
    assert len(table) == 54 == len(table[keys].drop_duplicates())
    assert table["rate"].notna().all()


@pytest.mark.parametrize(
    ("horizon", "months", "gap", "customers", "ended", "silent", "either"),
    [
        ("1mo", 1, "0d", 12, 1, 5, 6),
        ("1mo", 2, "0d", 12, 1, 4, 5),
        ("1mo", 3, "0d", 12, 1, 3, 4),
        ("2mo", 1, "0d", 12, 2, 6, 8),
        ("2mo", 2, "0d", 12, 2, 4, 6),
        ("3mo", 1, "0d", 12, 3, 7, 9),
        ("3mo", 2, "0d", 12, 3, 5, 8),
        ("3mo", 3, "0d", 12, 3, 3, 6),
        ("1mo", 1, "30d", 11, 1, 5, 6),
        ("2mo", 1, "60d", 10, 1, 4, 5),
    ],
)
def test_who_leaves_is_counted_by_hand(
    table, horizon, months, gap, customers, ended, silent, either
):
    row = cell(table, horizon, months, gap)

    assert row["customers"] == customers
    assert row["terminated"] == pytest.approx(ended / customers)
    assert row["inactive"] == pytest.approx(silent / customers)
    assert row["rate"] == pytest.approx(either / customers)


@pytest.mark.parametrize(
    ("horizon", "months", "customers", "silent", "either"),
    [("1mo", 1, 10, 3, 4), ("1mo", 2, 11, 3, 4), ("2mo", 2, 11, 3, 5), ("1mo", 3, 12, 3, 4)],
)
def test_without_those_who_had_fallen_silent_before(
    table, horizon, months, customers, silent, either
):
    row = cell(table, horizon, months, silent="without")

    assert row["customers"] == customers
    assert row["inactive"] == pytest.approx(silent / customers)
    assert row["rate"] == pytest.approx(either / customers)


def test_who_leaves_by_both_definitions(table):
    row = cell(table, "3mo", 1)

    assert row["terminated_also_inactive"] == pytest.approx(1 / 3)
    assert row["inactive_also_terminated"] == pytest.approx(1 / 7)


@pytest.mark.parametrize(
    ("horizon", "months", "back"),
    [("1mo", 1, 2 / 5), ("1mo", 2, 1 / 4), ("1mo", 3, 0), ("2mo", 1, 2 / 6), ("2mo", 2, 1 / 4)],
)
def test_who_comes_back(table, horizon, months, back):
    row = cell(table, horizon, months)

    assert row["come_back"] == pytest.approx(back)
    assert row["followed_months"] == 3


def test_whose_service_ended_over_an_unpaid_bill(table):
    assert cell(table, "3mo", 1)["involuntary"] == pytest.approx(1 / 3)
    assert cell(table, "2mo", 1)["involuntary"] == 0
    assert cell(table, "1mo", 1, gap="60d")["involuntary"] == 1


def test_the_label_of_training_is_marked(table):
    marked = table[table["configured"]]

    assert set(marked["silent"]) == {"with", "without"}
    keys = ["gap", "horizon", "inactive_months"]
    assert marked[keys].drop_duplicates().to_numpy().tolist() == [["0d", "2mo", 2]]


def test_a_return_that_the_data_end_before_is_not_known():
    short = frames()
    for name in ("usage", "bills"):
        short[name] = short[name][short[name]["month"] < "2026-04-01"]
    row = cell(label_sensitivity(Operator(**short), JANUARY), "3mo", 3)

    assert row["followed_months"] == 0
    assert np.isnan(row["come_back"])
    assert row["inactive"] == pytest.approx(3 / 12)


def test_tables_that_tell_less_leave_it_out():
    some = frames()
    bare = Operator(customers=some["customers"], bills=some["bills"].drop(columns="paid_on"))
    table = label_sensitivity(bare, JANUARY)

    assert len(table) == 9
    assert cell(table, "2mo", 0)["rate"] == pytest.approx(2 / 12)
    assert table[["inactive", "come_back", "involuntary"]].isna().all(axis=None)


def test_windows_that_the_data_do_not_cover_are_left_out_or_refused():
    operator = Operator(**frames())

    table = label_sensitivity(operator, "2026-06-01")
    assert set(zip(table["gap"], table["horizon"], strict=True)) == {
        ("0d", "1mo"),
        ("0d", "2mo"),
        ("30d", "1mo"),
    }
    assert np.isnan(cell(table, "2mo", 3)["inactive"])
    with pytest.raises(LabelWindowError, match="as_of 2026-07-15"):
        label_sensitivity(operator, "2026-07-15")


def test_without_a_date_the_last_that_shows_everything():
    table = label_sensitivity(Operator(**frames()))

    assert set(table["as_of"]) == {pd.Timestamp("2026-03-01")}
    assert table["rate"].notna().all()


def test_several_dates_stand_below_each_other():
    operator = Operator(**frames())
    both = label_sensitivity(operator, ["2026-01-01", "2025-12-01"])

    for day, rows in both.groupby("as_of"):
        alone = label_sensitivity(operator, day)
        pd.testing.assert_frame_equal(rows.reset_index(drop=True), alone)


def test_a_silence_longer_than_the_months_before_is_refused():
    with pytest.raises(UsageError, match="from 1 to 3"):
        label_sensitivity(Operator(**frames()), JANUARY, inactive_months=[4])


def test_what_the_labels_can_express_is_what_they_say(tmp_path):
    simulate(tmp_path / "operator", customers=300, months=14, seed=5)
    source = churnml.open_source(str(tmp_path / "operator"))
    table = label_sensitivity(source)
    day = table["as_of"].iloc[0].date()

    for gap, horizon, whole in (("0d", "1mo", 1), ("0d", "2mo", 2), ("60d", "3mo", 2)):
        row = cell(table, horizon, whole, gap)
        assert row["beyond_months"] == 0
        for definition, name in (
            ("either", "rate"),
            ("termination", "terminated"),
            ("inactivity", "inactive"),
        ):
            window = labels.Window(gap, horizon)
            said = labels.churn(source.tables, [day], window, definition).to_pandas()
            assert row["customers"] == len(said)
            assert row[name] == pytest.approx(said["churned"].mean())


def test_the_settings_say_which_label_is_marked():
    config = Config.model_validate({"churn": {"gap": "30d", "horizon": "2mo"}})
    table = label_sensitivity(Operator(**frames()), JANUARY, config=config)

    marked = table[table["configured"]]
    assert set(zip(marked["gap"], marked["inactive_months"], strict=True)) == {("30d", 1)}


def test_an_unpaid_bill_is_not_told_before_one_can_have_been_unpaid_for_long():
    table = label_sensitivity(Operator(**frames()), "2025-12-01")

    assert np.isnan(cell(table, "1mo", 1)["involuntary"])
    assert cell(table, "3mo", 1, gap="60d")["involuntary"] == pytest.approx(1 / 2)
