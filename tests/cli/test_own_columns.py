"""Twenty columns of three tables of one's own through the whole way, by the command line."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

import churnml as package

pytestmark = pytest.mark.slow

SETTINGS = {
    "churn": {"train_months": 2, "folds": 2, "repeats": 1, "max_rounds": 60},
    "promotion": {"draws": 100},
}
SESSIONS = {
    "aggregate": ["last", "mean", "trend"],
    "windows": ["1mo", "3mo"],
    "unit": {"en": "sessions", "zh": "次"},
    "direction": -1,
    "en": "App sessions",
    "zh": "应用打开次数",
    "null": {"en": "no month on record", "zh": "无记录"},
}
SCREENS = {
    f"screen_{number}": {"aggregate": "mean", "windows": "3mo", "en": f"Views of screen {number}"}
    for number in range(8)
}
CRM = {
    "contacts": {"expression": "wait >= 0", "aggregate": "count", "windows": ["30d", "3mo"]},
    "wait": {"aggregate": ["mean", "last"], "windows": "3mo", "unit": "seconds"},
    "long": {"expression": "wait > 600", "aggregate": "share", "windows": "3mo"},
    "channel": {"aggregate": "last"},
    "hotline": {"expression": "channel == 'hotline'", "aggregate": "count", "windows": "3mo"},
    "refused": {"expression": "offer == 'refused'", "aggregate": ["count", "days_since"]},
    "solved": {"aggregate": "share", "windows": "3mo"},
    "minutes": {"expression": "wait / 60", "aggregate": "sum", "windows": "30d"},
}
PLAN = {
    "fee": {"aggregate": "last", "unit": "yuan", "driver": "value", "en": "Fee", "zh": "月费"},
    "level": {"aggregate": "last", "kind": "category", "en": "Plan", "zh": "套餐档次"},
    "ends": {"aggregate": "days_since", "kind": "date"},
}
TABLES = {
    "crm": {"file": "crm.parquet", "time": "at", "columns": CRM},
    "app": {"file": "app.csv", "columns": {"sessions": SESSIONS, **SCREENS}},
    "plan": {"file": "plan.csv", "columns": PLAN},
}
AS_OF, LATER = "2026-05-02", "2026-06-02"
MONTHS = 14


def contacts(lives, start, random):
    """CRM events, one of seven known five weeks late."""
    rows = lives[["customer_id"]].loc[lives.index.repeat(random.poisson(5, len(lives)))]
    seconds = random.integers(0, MONTHS * 30 * 86_400, len(rows))
    rows = rows.assign(at=start + pd.to_timedelta(seconds, unit="s"))
    late = np.where(random.random(len(rows)) < 1 / 7, 35 * 24, 12)
    return rows.assign(
        channel=random.choice(["app", "hall", "hotline"], len(rows)),
        wait=random.exponential(300, len(rows)).round(1),
        offer=random.choice(["refused", "taken", None], len(rows)),
        solved=random.random(len(rows)) < 0.7,
        known_at=rows["at"] + pd.to_timedelta(late, unit="h"),
    )


def months_of_use(lives, start, random):
    """Sessions fall before a customer leaves; in the last month the unit has changed."""
    months = pd.Series(pd.date_range(start, periods=MONTHS, freq="MS"), name="month")
    rows = lives[["customer_id", "terminated_on"]].merge(months, how="cross")
    left = (pd.to_datetime(rows.pop("terminated_on")) - rows["month"]).dt.days.fillna(999)
    rows["sessions"] = random.poisson(np.where(left < 100, 6, 20))
    rows.loc[rows["month"] == months.iloc[-1], "sessions"] *= 60
    for name in SCREENS:
        rows[name] = random.poisson(3, len(rows))
    late = np.where(random.random(len(rows)) < 0.1, 30, 1)
    rows["known_at"] = rows["month"] + pd.DateOffset(months=1) + pd.to_timedelta(late, unit="D")
    return rows


def plans(lives, start, random):
    """A plan from before the record, and another one since for two of five."""
    first = lives[["customer_id"]].assign(
        valid_from=start - pd.DateOffset(years=1),
        fee=random.choice([29, 59, 129], len(lives)),
        level=random.choice(["basic", "plus"], len(lives)),
        ends=start + pd.to_timedelta(random.integers(0, 900, len(lives)), unit="D"),
    )
    days = pd.to_timedelta(random.integers(1, MONTHS * 30, len(lives)), unit="D")
    second = first.assign(valid_from=start + days, fee=39, level="max")
    both = pd.concat([first, second[random.random(len(lives)) < 0.4]])
    return both.assign(**{name: both[name].dt.date for name in ("valid_from", "ends")})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A simulated operator, three tables beside it, and a mapping that declares them."""
    place = tmp_path_factory.mktemp("own")
    package.simulate(place / "operator", customers=3_000, months=MONTHS, seed=71)
    customers = pd.read_parquet(place / "operator" / "customers.parquet")
    lives = customers.drop_duplicates("customer_id", keep="last").reset_index(drop=True)
    start = pd.Timestamp(pd.read_parquet(place / "operator" / "bills.parquet")["month"].min())
    random = np.random.default_rng(9)
    contacts(lives, start, random).to_parquet(place / "crm.parquet", index=False)
    months_of_use(lives, start, random).to_csv(place / "app.csv", index=False)
    plans(lives, start, random).to_csv(place / "plan.csv", index=False)
    doubled = SESSIONS | {"expression": "sessions * 2"}
    other = TABLES | {"app": {"file": "app.csv", "columns": {"sessions": doubled, **SCREENS}}}
    for name, told in (("mapping", TABLES), ("other", other)):
        text = yaml.safe_dump({"extra": told}, allow_unicode=True)
        (place / f"{name}.yaml").write_text(text, encoding="utf-8")
    (place / "short.yaml").write_text(yaml.safe_dump(SETTINGS))
    return place


@pytest.fixture(scope="module")
def place(folder):
    """The working folder, whose model store the tests of this module share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield folder


MAPPED = ("operator", "--mapping", "mapping.yaml")
SHORT = ("--config", "short.yaml")


def test_the_whole_way(place, churnml):
    assert sum(len(table["columns"]) for table in TABLES.values()) == 20
    report = churnml("validate", *MAPPED, "--json").json
    own = {one["table"]: one for one in report["tables"] if one["table"] in TABLES}
    assert own.keys() == TABLES.keys()
    assert all(one["good"] == one["rows"] > 0 for one in own.values())
    assert not [x for x in report["breaches"] if x["table"] in TABLES and x["effect"] != "warn"]

    package.testing.assert_point_in_time(
        package.open_source("operator", mapping="mapping.yaml"),
        [f"{table}_{name}" for table, name in POINTS],
        as_of="2026-02-17",
    )

    until = ("--until", "2026-03-01", *SHORT, "--json")
    first = churnml("train", "churn", "operator", *until)
    assert first.status == 0, first.err
    bare = first.json
    second = churnml("train", "churn", *MAPPED, *until)
    assert second.status == 0, second.err
    trained = second.json
    assert trained["model_version"] == "2"
    assert trained["metrics"]["auc_low"] > bare["metrics"]["auc_high"]

    tested = churnml("backtest", "churn", *MAPPED, *SHORT, "--months", 2, "--out", "bt", "--json")
    assert tested.status == 0, tested.err
    assert all(one["metrics"]["auc"] > 0.8 for one in tested.json["months"])

    moved = churnml("promote", "churn", *MAPPED, *SHORT, "--version", 2, "--json")
    assert moved.status == 0, moved.err
    assert moved.json["aliases"]["champion"] == "2"

    without = churnml("score", "operator", "--as-of", AS_OF, "--out", "none")
    assert without.status == 3
    assert "needs app, crm, plan" in without.err
    options = ("operator", "--mapping", "other.yaml", "--as-of", AS_OF, "--out", "none")
    another = churnml("score", *options)
    assert another.status == 4
    assert "value sessions in training, sessions * 2 here" in another.err

    scored = churnml("score", *MAPPED, "--as-of", AS_OF, "--out", "scores", "--json")
    assert scored.status == 0, scored.err
    for lang, said in (("en", "App sessions, "), ("zh", "应用打开次数：")):
        out = f"list_{lang}.csv"
        listed = churnml("list", "scores", "--out", out, "--top", 20, "--lang", lang)
        assert listed.status == 0, listed.err
        text = (place / out).read_text(encoding="utf-8-sig")
        assert text.count(said) > 20
    assert "sessions" not in text

    later = churnml("score", *MAPPED, "--as-of", LATER, "--out", "later")
    assert later.status == 6
    assert "app_sessions_last_1m" in later.err + later.out
    watched = churnml("monitor", *MAPPED, "--as-of", LATER, "--out", "seen", "--months", 2)
    assert watched.status == 6
    assert "Look at the table app" in watched.err + watched.out

    assert churnml("export", "models:/churn/2", "exported").status == 0
    assert "sessions" in (place / "exported" / "MODEL_CARD.md").read_text(encoding="utf-8")
    (bundle,) = (place / "exported").rglob("bundle.json")
    kept = json.loads(bundle.read_text(encoding="utf-8"))
    assert "应用打开次数" in json.dumps(kept, ensure_ascii=False)


POINTS = (
    *(("app", f"sessions_{name}_{window}") for name in ("last", "mean") for window in ("1m", "3m")),
    *(("app", f"{name}_mean_3m") for name in SCREENS),
    ("crm", "contacts_count_30d"),
    ("crm", "contacts_count_3m"),
    ("crm", "wait_mean_3m"),
    ("crm", "channel_last"),
    ("crm", "refused_days_since"),
    ("plan", "fee_last"),
    ("plan", "level_last"),
    ("plan", "ends_days_since"),
)
