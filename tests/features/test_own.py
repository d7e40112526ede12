"""Features of tables of one's own: by hand, against an oracle in pandas, and in time."""

import json
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import churnml
from churnml import Extra
from churnml.config.settings import Config
from churnml.errors import ContractError, UsageError
from churnml.features import build_features, declared
from churnml.features.own import OwnBuilder
from churnml.features.view import gather, look
from churnml.reports.sentences import Reason, sentence

CROWD = [f"C{number}" for number in range(4)]
CUSTOMERS = pa.table(
    {
        "customer_id": CROWD,
        "activated_on": [date(2024, 1, 1)] * 4,
        "terminated_on": pa.array([None] * 4, pa.date32()),
        "payment": ["prepaid"] * 4,
        "hall_id": ["H1", "H1", "H2", None],
        "valid_from": [date(2024, 1, 1)] * 4,
    }
)
BILLS = pa.table(
    {
        "customer_id": CROWD * 3,
        "month": [date(2026, month, 1) for month in (1, 2, 3) for _ in CROWD],
        "amount": [50.0] * 12,
    }
)


def opened(**extra):
    return churnml.open_source({"customers": CUSTOMERS, "bills": BILLS}, extra=extra)


def told(day="2026-04-01", **extra):
    """The own features of each customer: by customer, then by name."""
    source = opened(**extra)
    view = look(source.tables, day, Config())
    builders = [OwnBuilder(one) for one in source.extras.values()]
    row = gather(
        view.rows, {name: part for one in builders for name, part in one.parts(view).items()}
    )
    features = [feature for one in builders for feature in one.FEATURES]
    columns = {one.name: filled(row[one.name], one.empty) for one in features}
    rows = row.select("customer_id", **columns).to_pandas().set_index("customer_id")
    missing = rows.astype(object).where(rows.notna(), None)
    return missing.to_dict("index")


def filled(value, empty):
    return value if empty is None else value.fill_null(empty)


def test_every_aggregate_of_a_table_of_months_by_hand():
    rows = pd.DataFrame(
        [
            ("C0", "2025-12-01", 99.0),
            ("C0", "2026-01-01", 10.0),
            ("C0", "2026-02-01", 20.0),
            ("C0", "2026-03-01", 60.0),
            ("C1", "2026-02-01", 0.0),
            ("C1", "2026-03-01", None),
            ("C2", "2026-03-01", 7.25),
            ("C3", "2026-03-01", -1.0),
        ],
        columns=["customer_id", "month", "balance"],
    )
    aggregates = ["last", "mean", "sum", "count", "share", "trend", "days_since"]
    crm = Extra(rows, columns={"balance": {"aggregate": aggregates, "windows": "3mo"}})
    found = told(crm=crm)
    assert found["C0"] == {
        "crm_balance_last_3m": 60.0,
        "crm_balance_mean_3m": 30.0,
        "crm_balance_sum_3m": 90.0,
        "crm_balance_count_3m": 3,
        "crm_balance_share_3m": 1.0,
        "crm_balance_trend_3m": 25.0,
        "crm_balance_days_since_3m": 0.0,
    }
    assert found["C1"] == {
        "crm_balance_last_3m": 0.0,
        "crm_balance_mean_3m": 0.0,
        "crm_balance_sum_3m": 0.0,
        "crm_balance_count_3m": 1,
        "crm_balance_share_3m": 0.0,
        "crm_balance_trend_3m": None,
        "crm_balance_days_since_3m": 31.0,
    }
    assert found["C2"]["crm_balance_mean_3m"] == 7.25
    assert found["C3"]["crm_balance_sum_3m"] == -1.0


def test_every_aggregate_of_events_by_hand():
    rows = pd.DataFrame(
        [
            ("C0", "2026-03-31 23:59:59", 4.0, "app"),
            ("C0", "2026-03-02 00:00:00", 2.0, "web"),
            ("C0", "2026-03-01 23:00:00", 9.0, "web"),
            ("C0", "2026-04-01 00:00:00", 1e6, "app"),
            ("C1", "2026-01-01 00:00:00", 5.0, "app"),
        ],
        columns=["customer_id", "at", "minutes", "channel"],
    )
    columns = {
        "minutes": {"aggregate": ["last", "mean", "count", "trend"], "windows": ["30d", "3mo"]},
        "long": {"expression": "minutes > 3 and channel == 'app'", "aggregate": ["count", "share"]},
        "channel": {"aggregate": "last"},
        "app": {"expression": "channel == 'app'", "aggregate": "days_since"},
        "per_hour": {"expression": "(minutes + 2) / (minutes - 4)", "aggregate": "sum"},
    }
    found = told(visits=Extra(rows, time="at", columns=columns))
    assert found["C0"]["visits_minutes_mean_30d"] == 3.0
    assert found["C0"]["visits_minutes_count_30d"] == 2
    assert found["C0"]["visits_minutes_mean_3m"] == 5.0
    assert found["C0"]["visits_minutes_last_30d"] == 4.0
    # 1 and 30 days before: 2 minutes more in 29 days.
    assert found["C0"]["visits_minutes_trend_30d"] == pytest.approx(2 / 29 * 30)
    assert found["C0"]["visits_long_count"] == 1
    assert found["C0"]["visits_long_share"] == pytest.approx(1 / 3)
    assert found["C0"]["visits_channel_last"] == "app"
    assert found["C0"]["visits_app_days_since"] == 1.0
    # Divided by 0 is no value: 4 / -2 and 11 / 5 are left.
    assert found["C0"]["visits_per_hour_sum"] == pytest.approx(-2.0 + 2.2)
    assert found["C1"]["visits_minutes_mean_3m"] == 5.0
    assert found["C1"]["visits_minutes_mean_30d"] is None
    assert found["C2"]["visits_minutes_count_3m"] == 0
    assert found["C2"]["visits_long_share"] is None


def test_a_state_is_that_in_force_and_known():
    rows = pd.DataFrame(
        [
            ("C0", "2025-05-01", "gold", "2025-05-01"),
            ("C0", "2026-03-15", "silver", "2026-04-02"),
            ("C1", "2026-04-01", "gold", "2026-04-01"),
            ("C2", "2026-03-31", "basic", "2026-03-31"),
        ],
        columns=["customer_id", "valid_from", "club", "known_at"],
    )
    club = Extra(rows, columns={"club": {"aggregate": ["last", "days_since"]}})
    found = told(loyalty=club)
    assert [found[one]["loyalty_club_last"] for one in CROWD] == ["gold", None, "basic", None]
    assert found["C0"]["loyalty_club_days_since"] == 335.0
    assert told("2026-04-03", loyalty=club)["C0"]["loyalty_club_last"] == "silver"


def test_a_table_of_halls_is_told_of_their_customers():
    rows = pd.DataFrame(
        {"hall_id": ["H1", "H2", "H2"], "month": ["2026-03-01"] * 2 + ["2026-02-01"], "queue": 3.5}
    )
    rows["queue"] = [3.5, 8.0, 4.0]
    halls = Extra(rows, key="hall_id", columns={"queue": {"aggregate": "mean", "windows": "2mo"}})
    found = told(halls=halls)
    assert [found[one]["halls_queue_mean_2m"] for one in CROWD] == [3.5, 3.5, 6.0, None]


def test_dates_that_lie_ahead_have_not_come_yet():
    rows = pd.DataFrame(
        {
            "customer_id": ["C0", "C0", "C1"],
            "month": ["2026-02-01", "2026-03-01", "2026-03-01"],
            "login": pd.to_datetime(["2026-02-10", "2026-05-01", "2026-04-01"]),
        }
    )
    app = Extra(rows, columns={"login": {"aggregate": "days_since"}})
    found = told(app=app)
    assert found["C0"]["app_login_days_since"] == 50.0
    assert found["C1"]["app_login_days_since"] is None


def test_a_window_of_months_ends_where_half_of_the_table_is_visible():
    rows = pd.DataFrame(
        [(who, f"2026-0{month}-01", 10.0 * month) for who in CROWD for month in (1, 2, 3)],
        columns=["customer_id", "month", "balance"],
    )
    rows["known_at"] = pd.to_datetime(rows["month"]) + pd.DateOffset(months=1, days=2)
    # Only one customer's March had arrived by April: the windows end with February.
    rows.loc[rows.customer_id.eq("C0"), "known_at"] = pd.Timestamp("2026-04-01")
    crm = Extra(rows, columns={"balance": {"aggregate": ["last", "mean"], "windows": "1mo"}})
    assert {one["crm_balance_last_1m"] for one in told(crm=crm).values()} == {20.0, 10.0 * 2}
    assert {one["crm_balance_last_1m"] for one in told("2026-04-04", crm=crm).values()} == {30.0}


def test_a_lag_stands_for_a_missing_known_at():
    rows = pd.DataFrame({"customer_id": ["C0"], "at": ["2026-03-30 12:00:00"], "value": [1.0]})
    columns = {"value": {"aggregate": "sum"}}
    prompt = Extra(rows, time="at", columns=columns)
    late = Extra(rows, time="at", known_after="2d", columns=columns)
    assert told(x=prompt)["C0"]["x_value_sum"] == 1.0
    assert told(x=late)["C0"]["x_value_sum"] is None
    assert told("2026-04-02", x=late)["C0"]["x_value_sum"] == 1.0


def test_a_mapping_declares_what_python_does(tmp_path):
    (tmp_path / "客户.csv").write_text(
        "客户编号,账期,余额\nC0,202602,1250\nC0,202603,750\nC1,202603,\n", encoding="gb18030"
    )
    (tmp_path / "source.yaml").write_text(
        """
        extra:
          crm:
            file: 客户.csv
            encoding: gb18030
            key: {客户编号: customer_id}
            time: 账期
            rows: month
            formats: {账期: "%Y%m"}
            scale: {余额: 0.01}
            columns:
              余额:
                aggregate: [last, mean]
                windows: [1mo, 3mo]
                unit: yuan
                driver: value
                direction: -1
                en: Account balance
                zh: 账户余额
                "null": {en: no account, zh: 没有账户}
        """,
        encoding="utf-8",
    )
    for name, table in (("customers", CUSTOMERS), ("bills", BILLS)):
        pd.DataFrame(table.to_pandas()).to_parquet(tmp_path / f"{name}.parquet")
    source = churnml.open_source(tmp_path)
    rows = build_features(source, "2026-04-01").to_pandas().set_index("customer_id")
    assert rows["crm_余额_mean_3m"]["C0"] == 10.0
    assert rows["crm_余额_last_1m"]["C0"] == 7.5
    (feature,) = [one for one in declared(source.tables) if one.name == "crm_余额_mean_3m"]
    assert (feature.unit, feature.driver, feature.direction) == ("yuan", "value", -1)
    assert feature.en == "Account balance, mean in 3 months"
    assert feature.zh == "近3个月平均账户余额"
    assert (feature.null, feature.null_zh) == ("no account", "没有账户")
    assert json.loads(feature.definition)["window"] == "3mo"


def test_breaches_are_told_with_table_column_rows_and_value(tmp_path):
    (tmp_path / "crm.csv").write_text(
        "customer_id,month,balance\nC0,2026-01-01,12\nC9,2026-01-01,4\nC1,2026-01-15,3\n"
        "C2,2026-01-01,much\nC0,2026-01-01,13\n",
        encoding="utf-8",
    )
    crm = Extra(tmp_path / "crm.csv", columns={"balance": {"aggregate": "mean"}})
    report = churnml.validate(opened(crm=crm)).report
    found = {
        (one.code, one.column, one.effect): (one.rows, one.examples)
        for one in report.breaches
        if one.table == "crm"
    }
    assert found["C03", "balance", "null"] == ((5,), ("much",))
    assert found["C07", "customer_id", "aside"] == ((3,), ("C9",))
    assert found["C17", "month", "aside"] == ((4,), ("2026-01-15",))
    assert ("C06", "customer_id, month", "aside") in found


def test_two_events_of_one_moment_are_two():
    rows = pd.DataFrame(
        {"customer_id": ["C0", "C0"], "at": ["2026-03-01"] * 2, "value": [1.0, 1.0]}
    )
    extra = Extra(rows, time="at", columns={"value": {"aggregate": ["sum", "count"]}})
    report = churnml.validate(opened(x=extra)).report
    assert not [one for one in report.breaches if one.table == "x"]
    assert told(x=extra)["C0"] == {"x_value_sum": 2.0, "x_value_count": 2}


PERIODS = pd.DataFrame(
    {
        "customer_id": CROWD * 2,
        "period": pd.to_datetime(["2026-02-01"] * 4 + ["2026-03-01"] * 4),
        "balance": range(8),
    }
)


def test_months_under_another_name_are_not_taken_for_events():
    columns = {"balance": {"aggregate": "sum"}}
    guessed = Extra(PERIODS, time="period", columns=columns)
    with pytest.raises(
        ContractError, match=r"crm.period: all 8 rows .+ rows: month .+ rows: event"
    ):
        churnml.validate(opened(crm=guessed)).accepted()
    for rows, total in (("month", 0.0), ("event", 4.0)):
        meant = opened(crm=Extra(PERIODS, time="period", rows=rows, columns=columns))
        assert not churnml.validate(meant).refused
        built = build_features(meant, "2026-03-02").to_pandas().set_index("customer_id")
        assert built["crm_balance_sum"]["C0"] == total
    moved = PERIODS.assign(period=PERIODS["period"] + pd.to_timedelta([9] + [0] * 7, unit="h"))
    assert not churnml.validate(opened(crm=Extra(moved, time="period", columns=columns))).refused


def test_a_text_in_a_file_is_told_to_be_declared_and_an_end_ahead_is_no_breach(tmp_path):
    (tmp_path / "plan.csv").write_text(
        "customer_id,valid_from,level,ends\nC0,2025-01-01,basic,2031-01-01\n"
    )
    columns = {"level": {}, "ends": {"aggregate": "days_since", "kind": "date"}}
    plan = Extra(tmp_path / "plan.csv", columns=columns)
    (breach,) = [
        x for x in churnml.validate(opened(plan=plan)).report.breaches if x.table == "plan"
    ]
    assert (breach.code, breach.column) == ("C03", "level")
    assert "kind: category" in breach.expected
    assert told(plan=plan)["C0"]["plan_ends_days_since"] is None


def test_a_unit_may_be_said_in_both_languages():
    unit = {"en": "visits", "zh": "次"}
    columns = {"balance": {"aggregate": ["last", "trend", "count"], "windows": "3mo", "unit": unit}}
    features = {one.name: one for one in declared(opened(crm=Extra(FRAME, columns=columns)).tables)}
    said = [
        (features[f"crm_balance_{name}_3m"].unit, features[f"crm_balance_{name}_3m"].unit_zh)
        for name in ("last", "trend", "count")
    ]
    assert said == [("visits", "次"), ("visits per month", "次/月"), ("times", "")]
    last = features["crm_balance_last_3m"]
    assert type(last).from_dict(last.to_dict()) == last
    reason = Reason(feature=last.name, value="3", raises=True)
    assert sentence("churn", reason, "zh", feature=last).startswith("近3个月最近一次balance：3次，")


FRAME = pd.DataFrame({"customer_id": ["C0"], "month": ["2026-03-01"], "balance": [1.0]})


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Extra(FRAME, columns={}), "columns"),
        (lambda: Extra(FRAME, columns={"balance": {"aggregate": "median"}}), "aggregate"),
        (lambda: Extra(FRAME, columns={"balance": {"windows": "3w"}}), "windows"),
        (lambda: Extra(FRAME, columns={"balance": {"driver": "mood"}}), "driver"),
        (lambda: Extra(FRAME, columns={"balance": {"direction": 2}}), "direction"),
        (lambda: Extra(FRAME, columns={"balance": {"colour": "red"}}), "colour"),
        (lambda: Extra(FRAME, known_after="soon", columns={"balance": {}}), "known_after"),
        (
            lambda: opened(bills=Extra(FRAME, columns={"balance": {}})),
            "bills is a table of the contract",
        ),
        (
            lambda: opened(**{"my crm": Extra(FRAME, columns={"balance": {}})}),
            "cannot begin the names",
        ),
        (lambda: opened(crm=FRAME), "a churnml.Extra expected, found a DataFrame"),
        (lambda: opened(crm=Extra([1], columns={"balance": {}})), "crm: a list is not a frame"),
        (
            lambda: opened(crm=Extra(FRAME, key="who", columns={"balance": {}})),
            "not one of customer_id, group_id, hall_id, region",
        ),
        (
            lambda: opened(crm=Extra(FRAME, time="mont", columns={"balance": {}})),
            r"no column 'mont'.*Did you mean 'month'",
        ),
        (
            lambda: opened(crm=Extra(FRAME.drop(columns="month"), columns={"balance": {}})),
            "nothing says when a row happened",
        ),
        (
            lambda: opened(crm=Extra(FRAME, columns={"balance": {"windows": "30d"}})),
            "30d of a table of months",
        ),
        (
            lambda: opened(crm=Extra(FRAME, columns={"month": {}})),
            "month says whose a row is or when it happened",
        ),
        (
            lambda: opened(
                crm=Extra(FRAME, columns={"balance": {"kind": "category", "aggregate": "mean"}})
            ),
            "mean of a category",
        ),
        (
            lambda: opened(
                crm=Extra(FRAME, columns={"x": {"expression": "__import__('os').system('ls')"}})
            ),
            "is not allowed",
        ),
        (
            lambda: (
                opened(
                    a=Extra(FRAME, columns={"b_balance": {"expression": "balance * 1"}}),
                    a_b=Extra(FRAME, columns={"balance": {}}),
                ).tables
                and declared(
                    opened(
                        a=Extra(FRAME, columns={"b_balance": {"expression": "balance * 1"}}),
                        a_b=Extra(FRAME, columns={"balance": {}}),
                    ).tables
                )
            ),
            "Two features are called a_b_balance_last",
        ),
    ],
)
def test_a_declaration_that_cannot_be_followed_is_refused_in_a_sentence(build, words):
    with pytest.raises(UsageError, match=words):
        build()


def test_a_file_that_is_not_there_is_refused_and_a_column_too(tmp_path):
    with pytest.raises(ContractError, match=r"crm: .*none.csv does not exist, though Extra names"):
        opened(crm=Extra(tmp_path / "none.csv", columns={"balance": {}}))
    source = opened(crm=Extra(FRAME, columns={"balanse": {}}))
    with pytest.raises(ContractError, match=r"crm: .*has no column balanse"):
        build_features(source, "2026-04-01")
    assert churnml.validate(source).refused


# --- time -------------------------------------------------------------------------------

_DAYS = st.integers(0, 120)
_EVENTS = st.lists(
    st.tuples(
        st.sampled_from(CROWD),
        _DAYS,
        st.integers(0, 23),
        st.integers(0, 40),
        st.one_of(st.none(), st.integers(-50, 50)),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=8, deadline=None)
@given(_EVENTS, st.integers(31, 119))
def test_events_count_once_they_happened_and_were_known(rows, after):
    first = datetime(2026, 1, 1)
    frame = pd.DataFrame(
        [
            (who, first + timedelta(days=day, hours=hour), first + timedelta(days=day + late), x)
            for who, day, hour, late, x in rows
        ],
        columns=["customer_id", "at", "known_at", "x"],
    )
    frame["known_at"] = frame[["at", "known_at"]].max(axis=1)
    frame["x"] = frame["x"].astype(float)
    day = pd.Timestamp(first + timedelta(days=after))
    columns = {"x": {"aggregate": ["sum", "count", "mean", "last"], "windows": ["30d", "2mo"]}}
    found = told(day.date().isoformat(), e=Extra(frame, time="at", columns=columns))
    for window, begin in (("30d", day - timedelta(days=30)), ("2m", day - pd.DateOffset(months=2))):
        seen = frame[(frame["at"] < day) & (frame["at"] >= begin) & (frame["known_at"] <= day)]
        seen = seen.dropna(subset="x").sort_values(["at", "known_at", "x"])
        for who in CROWD:
            own = seen[seen.customer_id == who]["x"]
            assert found[who][f"e_x_count_{window}"] == len(own)
            expected = None if own.empty else own.sum()
            assert found[who][f"e_x_sum_{window}"] == expected
            assert found[who][f"e_x_last_{window}"] == (None if own.empty else own.iloc[-1])
            if len(own):
                assert found[who][f"e_x_mean_{window}"] == pytest.approx(own.mean())


def test_twenty_columns_with_late_arrivals_equal_an_oracle_in_pandas():
    random = np.random.default_rng(3)
    who = [f"C{number}" for number in range(60)]
    customers = pa.table(
        {
            "customer_id": who,
            "activated_on": [date(2024, 1, 1)] * 60,
            "terminated_on": pa.array([None] * 60, pa.date32()),
            "payment": ["prepaid"] * 60,
        }
    )
    months = pd.date_range("2025-04-01", periods=12, freq="MS")
    bills = pd.DataFrame([(one, month, 9.0) for one in who for month in months[-4:]])
    bills.columns = ["customer_id", "month", "amount"]
    rows = pd.DataFrame([(one, month) for one in who for month in months])
    rows.columns = ["customer_id", "month"]
    names = [f"v{number}" for number in range(20)]
    values = np.round(random.normal(20, 9, (len(rows), 20)), 3)
    values[random.random(values.shape) < 0.1] = np.nan
    rows[names] = values
    ended = rows["month"] + pd.offsets.MonthBegin(1)
    late = np.where(random.random(len(rows)) < 0.2, random.integers(5, 70, len(rows)), 1)
    rows["known_at"] = ended + pd.to_timedelta(late, unit="D")
    columns = {one: {"aggregate": ["mean", "sum"], "windows": ["1mo", "3mo"]} for one in names}
    source = churnml.open_source(
        {"customers": customers, "bills": bills}, extra={"crm": Extra(rows, columns=columns)}
    )
    day = pd.Timestamp("2026-03-02")
    found = build_features(source, day.date()).to_pandas().set_index("customer_id").sort_index()
    seen = rows[(rows["month"] + pd.offsets.MonthBegin(1) <= day) & (rows["known_at"] <= day)]
    counts = seen.groupby("month")["customer_id"].nunique()
    latest = counts[2 * counts >= 60].index.max()
    for window in (1, 3):
        inside = seen[seen["month"] > latest - pd.DateOffset(months=window)]
        by_customer = inside.groupby("customer_id")[names]
        for aggregate in ("mean", "sum"):
            options = {"min_count": 1} if aggregate == "sum" else {}
            expected = getattr(by_customer, aggregate)(**options).reindex(found.index)
            got = found[[f"crm_{one}_{aggregate}_{window}m" for one in names]]
            np.testing.assert_allclose(got.to_numpy(float), expected.to_numpy(float), rtol=1e-12)
