"""A simulated operator: every figure against plain SQL, hidden cells, bad input, the time rule."""

import json
import shutil
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import churnml
from churnml.config.settings import Config
from churnml.errors import DataError, OutputError, UsageError
from churnml.service.index.answers import scale_shift
from churnml.service.quality.measures import measure
from churnml.service.quality.records import records
from churnml.service.quality.result import TABLES
from churnml.tables.checked import check

AS_OF = "2026-06-01"
MODELS = Path(__file__).parents[3] / "models"
MAY = date(2026, 5, 1)


@pytest.fixture(scope="module")
def operator(tmp_path_factory):
    folder = tmp_path_factory.mktemp("operator") / "operator"
    churnml.simulate(folder, customers=2_000, months=14, seed=11)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A working folder without a model store."""
    folder = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield folder


@pytest.fixture(scope="module")
def found(operator, place):
    return churnml.service_quality(operator, AS_OF, months=6, out=place / "out")


@pytest.fixture(scope="module")
def sql(operator):
    """Plain SQL over the tables as they were known at the date."""
    con = duckdb.connect()
    for path in operator.glob("*.parquet"):
        known = "where known_at <= timestamp '2026-06-01'"
        known = "" if path.stem in ("customers", "groups") else known
        con.sql(f"create view {path.stem} as from '{path}' {known}")
    return lambda query: con.sql(query).fetchall()


def value_of(found, name, *, month=MAY, by="", cell=""):
    rows = found.indicators
    rows = rows[(rows["indicator"] == name) & (rows["by"] == by) & (rows["cell"] == cell)]
    (row,) = rows[rows["month"] == month].to_dict("records")
    return row


def test_files_and_columns_are_those_of_the_contract(found, place):
    for name, schema in TABLES.items():
        table = pq.read_table(place / "out" / f"{name}.parquet")
        assert table.column_names == schema.names, name
        assert table.num_rows == len(getattr(found, name)), name
    summary = json.loads((place / "out" / "quality.json").read_text("utf-8"))
    assert summary == found.to_dict() == json.loads(json.dumps(found.to_dict(), allow_nan=False))
    rows = pq.read_table(place / "out" / "indicators.parquet").to_pandas()
    assert set(rows["stage"]) == {"hall", "hotline", "network", "tariff", "billing"}
    assert set(rows["kind"]) == {"operation", "perception"}
    assert set(rows["light"].dropna()) <= {"good", "unclear", "bad"}
    assert rows["alarm"].dtype == bool
    assert rows["month"].max() == MAY
    assert (place / "out" / "accounts.parquet").stat().st_mode & 0o777 == 0o600


def test_shares_are_those_of_plain_sql(found, sql):
    month = "date_trunc('month', started_at) = date '2026-05-01'"
    queries = {
        "hall_wait_over_10min": "select avg((wait_seconds > 600)::int), count(*) from contacts "
        f"where channel = 'hall' and not pre_served and wait_seconds is not null and {month}",
        "hall_pre_served": "select avg(pre_served::int), count(*) from contacts "
        f"where channel = 'hall' and {month}",
        "hall_self_service": "select avg((channel = 'terminal')::int), count(*) from contacts "
        f"where channel in ('hall', 'terminal') and {month}",
        "hotline_service_level": "select avg((answered and wait_seconds <= 15)::int), count(*) "
        "from contacts where channel = 'hotline' and not self_service "
        f"and not (not answered and wait_seconds < 5) and {month}",
        "hotline_abandoned": "select avg((not answered)::int), count(*) from contacts "
        "where channel = 'hotline' and not self_service "
        f"and not (not answered and wait_seconds < 5) and {month}",
        "hotline_resolved": "select avg(resolved::int), count(*) from contacts "
        f"where channel = 'hotline' and {month}",
        "billing_on_time": "select avg((issued_on <= date '2026-05-05')::int), count(*) from bills "
        "where month = date '2026-04-01'",
    }
    for name, query in queries.items():
        ((share, n),) = sql(query)
        row = value_of(found, name, month=date(2026, 4, 1) if name == "billing_on_time" else MAY)
        assert (row["value"], row["n"]) == (pytest.approx(share), n), name
        assert row["low"] <= row["value"] <= row["high"], name


@pytest.mark.parametrize("days", [7, 30])
def test_first_contact_resolution_is_that_of_plain_sql(found, sql, days):
    ((share, n),) = sql(
        f"""
        select avg((not exists (
            select 1 from contacts b where b.customer_id = a.customer_id
            and b.service_item = a.service_item and b.started_at > a.started_at
            and b.started_at <= a.started_at + interval {days} day
        ))::int), count(*)
        from contacts a where channel = 'hotline'
        and date_trunc('month', started_at) = date '2026-04-01'
        and started_at < timestamp '2026-06-01' - interval {days} day
        """
    )
    row = value_of(found, f"hotline_fcr_{days}d", month=date(2026, 4, 1))
    assert (row["value"], row["n"]) == (pytest.approx(share), n)


def test_rates_are_complaints_over_customer_months(found, sql):
    ((complaints,),) = sql(
        "select count(*) from complaints where category = 'network' "
        "and date_trunc('month', opened_at) = date '2026-04-01'"
    )
    ((customers,),) = sql(
        "select count(distinct customer_id) from customers where activated_on < date '2026-05-01' "
        "and (terminated_on is null or terminated_on >= date '2026-04-01')"
    )
    row = value_of(found, "network_complaints", month=date(2026, 4, 1))
    if complaints < 10:
        assert pd.isna(row["value"])
    else:
        assert row["value"] == pytest.approx(1000 * complaints / customers)
        assert row["n"] == complaints


@pytest.mark.slow
def test_satisfaction_is_of_those_who_were_there(operator, sql):
    config = Config.model_validate({"quality": {"months": 3}})
    clean = check(churnml.open_source(operator), config, until=AS_OF).accepted()
    values = measure(records(clean.tables, date(2026, 6, 1), config))
    values = values[values["by"] == ""].set_index(["indicator", "month"])
    compared = 0
    for channel in ("hall", "hotline"):
        for month, mean, n in sql(
            f"""
            select date_trunc('month', answered_at)::date,
                   avg(100 * (score - scale_min) / (scale_max - scale_min)), count(*)
            from surveys s where touchpoint = '{channel}' and score is not null
            and answered_at >= timestamp '2026-03-01' and answered_at < timestamp '2026-06-01'
            and exists (
                select 1 from contacts c where c.customer_id = s.customer_id
                and c.channel = '{channel}' and c.started_at < s.answered_at
                and c.started_at >= s.answered_at - interval 30 day
            ) group by 1
            """
        ):
            row = values.loc[f"{channel}_satisfaction", month]
            assert (row["value"], row["n"]) == (pytest.approx(mean, abs=1e-3), n)
            compared += 1
    assert compared >= 3


def test_promoters_less_detractors_are_those_of_plain_sql(found, sql):
    rows = found.word_of_mouth[found.word_of_mouth["segment"] == ""].set_index("month")
    counted = sql(
        """
        with answers as (
            select date_trunc('month', answered_at)::date as month,
                   100 * (score - scale_min) / (scale_max - scale_min) as points
            from surveys where touchpoint = 'overall'
            and answered_at >= timestamp '2025-12-01' and answered_at < timestamp '2026-06-01'
        )
        select month, 100 * avg((points >= 85)::int), 100 * avg((points <= 60)::int), count(*)
        from answers where points is not null group by month
        """
    )
    for month, promoters, detractors, n in counted:
        if n >= 10:
            row = rows.loc[month]
            assert row["promoters"] == pytest.approx(promoters)
            assert row["score"] == pytest.approx(promoters - detractors)
            assert row["low"] <= row["score"] <= row["high"]


def test_the_menu_leads_with_what_is_used_most(found, sql):
    common = found.hotline_menu[found.hotline_menu["brand"] == ""]
    expected = sql(
        "select service_item, count(*) from contacts where channel = 'hotline' "
        "and started_at >= timestamp '2026-03-01' and started_at < timestamp '2026-06-01' "
        "group by 1 order by 2 desc, 1"
    )
    assert common["service_item"].tolist() == [item for item, _n in expected]
    assert common["position"].tolist() == list(range(1, len(expected) + 1))
    total = sum(n for _item, n in expected)
    shown = common["share"].notna()
    assert common.loc[shown, "share"].tolist() == pytest.approx(
        [n / total for (_i, n), show in zip(expected, shown, strict=True) if show]
    )


def test_groups_are_those_of_the_features(found, operator):
    source = churnml.open_source(operator)
    features = churnml.build_features(source, AS_OF).to_pandas()
    tiers = found.accounts.set_index("group_id")["tier"]
    customers = source.until(AS_OF).tables["customers"].to_pandas()
    group_of = customers.sort_values("valid_from").groupby("customer_id")["group_id"].last()
    members = features[features["tier_group_now"].notna()]
    expected = members["customer_id"].map(group_of).map(tiers)
    assert (expected == members["tier_group_now"]).all()
    assert found.groups["groups"].sum() == len(found.accounts)
    if len(found.accounts) >= 20:
        assert found.groups["share"].sum() == pytest.approx(1)
    assert set(found.groups["tier"]) <= {"A", "B", "C"}
    assert found.groups["value_at_risk"].isna().all()


def test_windows_are_worked_out_from_service_times(found):
    assert (found.hall_windows["windows"] >= 1).all()
    assert (found.hall_windows["longer"] <= 0.1).all()
    fewer = found.hall_windows["windows_without_self_service"]
    assert (fewer <= found.hall_windows["windows"]).all()


def test_what_pre_service_and_terminals_take_away(found, sql):
    relief = found.hall_relief.set_index("relief")
    recent = "started_at >= timestamp '2026-03-01' and started_at < timestamp '2026-06-01'"
    for kind, flag, base in (
        ("pre_service", "coalesce(pre_served, false)", "channel = 'hall'"),
        ("self_service", "channel = 'terminal'", "channel in ('hall', 'terminal')"),
    ):
        ((visits, share),) = sql(
            f"select count(*) filter ({flag}), avg(({flag})::int) from contacts "
            f"where {base} and {recent}"
        )
        row = relief.loc[kind]
        assert (row["visits"], row["share"]) == (visits, pytest.approx(share))
        assert row["low"] < row["share"] < row["high"]
        assert row["window_low"] < row["window_seconds"] < row["window_high"]
    # The simulator's visits take 0.7 of the time at the window, and wait 0.6 of the time.
    assert relief.loc["pre_service", "window_low"] > 0
    assert relief.loc["pre_service", "wait_low"] > 0
    ((spared,),) = sql(
        f"""
        with halls as (
            select service_item, channel, coalesce(pre_served, false) as pre,
                   round(service_seconds) as seconds
            from contacts where {recent} and channel in ('hall', 'terminal')
        ), usual as (
            select service_item, avg(seconds) as seconds, count(seconds) as n
            from halls where channel = 'hall' and not pre group by 1
        )
        select avg(usual.seconds) from halls join usual using (service_item)
        where channel = 'terminal' and n > 1
        """
    )
    assert relief.loc["self_service", "window_seconds"] == pytest.approx(spared)
    assert pd.isna(relief.loc["self_service", "wait_seconds"])
    halls = found.hall_windows
    assert (halls["windows_if_no_pre_service"] >= halls["windows"]).mean() > 0.9
    assert (halls["windows_if_no_terminals"].dropna() >= 1).all()


def test_no_cell_about_few_people_is_shown_or_can_be_had(found):
    rows = found.indicators
    shown = rows[rows["value"].notna()]
    assert (shown["n"] >= 10).all()
    hidden = rows[rows["value"].isna() & (rows["by"] != "")]
    assert len(hidden) > 100
    assert hidden[["low", "high", "n", "light"]].isna().all().all()
    for (name, by, month), cells in rows[rows["by"] != ""].groupby(["indicator", "by", "month"]):
        whole = value_of(found, name, month=month)["n"]
        unknown = cells["n"].isna().sum()
        if not pd.isna(whole) and unknown:
            rest = whole - cells["n"].sum()
            # Two or more share what is left, or those in no cell at all do.
            assert rest > 8, (name, by, month)
            assert unknown > 1 or rest > 8


@pytest.mark.slow
def test_what_became_known_later_changes_no_byte(operator, place, found, tmp_path):
    later = tmp_path / "later"
    shutil.copytree(operator, later)
    rows = pq.read_table(later / "contacts.parquet").to_pandas()
    future = rows.tail(500).assign(
        contact_id=[f"X{at}" for at in range(500)],
        started_at=pd.Timestamp("2026-05-20 10:00"),
        known_at=pd.Timestamp("2026-06-01 00:00:01"),
        channel="hall",
        wait_seconds=5_000.0,
    )
    pd.concat([rows, future]).to_parquet(later / "contacts.parquet", index=False)
    before = {name: (place / "out" / f"{name}.parquet").read_bytes() for name in TABLES}
    with pytest.raises(OutputError, match="already exists"):
        churnml.service_quality(later, AS_OF, months=6, out=place / "out")
    churnml.service_quality(later, AS_OF, months=6, out=place / "out", overwrite=True)
    for name, content in before.items():
        assert (place / "out" / f"{name}.parquet").read_bytes() == content, name


@pytest.mark.slow
def test_models_tell_drivers_and_value_at_risk(operator, place):
    models = {f"{task}_model": MODELS / task for task in ("churn", "satisfaction")}
    found = churnml.service_quality(operator, AS_OF, months=2, **models)
    drivers = found.drivers
    assert set(drivers["kind"]) == {"association", "within_hall"}
    assert set(drivers["outcome"]) == {"churn", "satisfaction"}
    associated = drivers[drivers["kind"] == "association"]
    assert (associated["low"] <= associated["value"]).all()
    assert {"network", "tariff", "service_window"} <= set(associated["driver"])
    groups = found.groups[found.groups["value_at_risk"].notna()]
    assert len(groups) > 0
    assert (groups["low"] <= groups["value_at_risk"]).all()
    assert (groups["value_at_risk"] <= groups["high"]).all()
    scores = churnml.score(
        operator, AS_OF, out=place / "scores", churn_model=MODELS / "churn", reasons=0
    ).to_pandas()
    expected = (scores["churn_probability"] * scores["arpu"].fillna(0) * 2).sum()
    shown = found.value_at_risk
    assert shown["customers"].isna().sum() != 1
    if shown["customers"].notna().all():
        assert shown["value_at_risk"].sum() == pytest.approx(expected, rel=1e-4)
    else:
        assert shown["value_at_risk"].sum() < expected


@pytest.mark.slow
def test_months_are_as_many_as_asked_for(operator, place):
    with pytest.raises(OutputError, match=r"lies in|is the input|holds"):
        churnml.service_quality(operator, AS_OF, out=operator, months=1, overwrite=True)
    two = churnml.service_quality(operator, AS_OF, months=2)
    assert [f"{month:%Y-%m}" for month in two.months] == ["2026-04", "2026-05"]
    assert set(two.indicators["month"]) == set(two.months)
    assert not two.word_of_mouth["change_point"].any()
    with pytest.raises(UsageError, match="months"):
        churnml.service_quality(operator, AS_OF, months=0)


def test_without_contacts_and_surveys_the_rest_is_told(operator, place, tmp_path):
    poor = tmp_path / "poor"
    poor.mkdir()
    for name in ("customers", "bills", "complaints"):
        shutil.copy(operator / f"{name}.parquet", poor)
    found = churnml.service_quality(poor, AS_OF, months=3, out=tmp_path / "out")
    names = set(found.indicators["indicator"])
    assert {"network_complaints", "tariff_complaints", "billing_on_time"} <= names
    assert not any(name.startswith("hotline") for name in names)
    notes = " ".join(found.notes)
    for table in ("contacts is absent", "surveys is absent", "groups is absent"):
        assert table in notes
    for name, schema in TABLES.items():
        assert pq.read_schema(tmp_path / "out" / f"{name}.parquet").names == schema.names
    assert "<table>" in found._repr_html_()


@pytest.mark.slow
def test_what_would_mislead_is_said(operator, place, tmp_path):
    odd = tmp_path / "odd"
    shutil.copytree(operator, odd)
    # A month without answers, and a scale that changed in mid-year.
    rows = pq.read_table(odd / "surveys.parquet").to_pandas()
    month = rows["answered_at"].dt.strftime("%Y-%m")
    rows = rows[rows["answered_at"].isna() | (month != "2026-02")]
    early = rows["sent_at"] < "2025-12-01"
    points = (rows["score"] - rows["scale_min"]) / (rows["scale_max"] - rows["scale_min"])
    rows["scale_min"], rows["scale_max"] = 1.0, np.where(early, 5.0, 10.0)
    rows["score"] = 1 + (points * (rows["scale_max"] - 1)).round()
    rows.to_parquet(odd / "surveys.parquet", index=False)
    # A hall renamed.
    rows = pq.read_table(odd / "customers.parquet").to_pandas()
    largest = rows["hall_id"].value_counts().index[0]
    last = rows.sort_values("valid_from").groupby("customer_id").tail(1)
    renamed = last[(last["hall_id"] == largest) & last["terminated_on"].isna()]
    renamed = renamed[renamed["valid_from"] < date(2026, 5, 1)]
    renamed = renamed.assign(hall_id="NEW", valid_from=date(2026, 5, 1))
    pd.concat([rows, renamed]).to_parquet(odd / "customers.parquet", index=False)
    # Clocks that run backwards.
    rows = pq.read_table(odd / "complaints.parquet").to_pandas()
    back = rows["closed_at"].notna() & (np.arange(len(rows)) % 40 == 0)
    rows.loc[back, "closed_at"] = rows.loc[back, "opened_at"] - pd.Timedelta("2D")
    rows.to_parquet(odd / "complaints.parquet", index=False)
    # No service times, but those of the settings.
    table = pq.read_table(odd / "contacts.parquet")
    pq.write_table(table.drop_columns(["service_seconds"]), odd / "contacts.parquet")
    seconds = {"quality": {"window_seconds": {"plan_change": 480, "top_up": 120}, "months": 7}}

    found = churnml.service_quality(odd, AS_OF, config=Config.model_validate(seconds))
    notes = " ".join(found.notes)
    assert "no answer in 2026-02" in notes
    assert "the scale 1 to 5 gave way to 1 to 10 in 2025-12" in notes
    assert f"of hall '{largest}' have been in 'NEW' since 2026-05-01" in notes
    assert "complaints.closed_at" in notes
    assert len(found.hall_windows) > 0
    shown = found.display()
    assert shown.months == sorted(shown.months)
    assert "2026-02" not in shown.months


def test_a_scale_that_changes_for_some_of_the_answers_is_said():
    months = [date(2025, month, 1) for month in range(1, 7)]
    before = pd.DataFrame({"1-5": [100] * 6, "1-10": [0, 0, 0, 40, 50, 45]}, index=months)
    assert scale_shift(before) == (months[3], "1-5 (100%)", "1-5 (69%), 1-10 (31%)")
    # Two scales side by side all along are no change.
    assert scale_shift(before.assign(**{"1-10": 60})) is None


def test_dates_that_the_data_cannot_serve_are_refused(operator, place):
    with pytest.raises(DataError, match=r"bills\.month"):
        churnml.service_quality(operator, "2031-01-01")
    with pytest.raises(UsageError, match="not a date"):
        churnml.service_quality(operator, "soon")
