"""Every simulated table keeps the contract, row by row."""

import pytest

from churnml.tables.contract import TABLES
from churnml.tables.source import open_source
from churnml.tables.validation import validate

EVENTS = [name for name, spec in TABLES.items() if spec.rows == "event"]
# An operator has ties where they are asked for; see test_ties.
USUAL = [name for name in TABLES if name != "ties"]


def count(operator, query):
    return operator.execute(query).fetchone()[0]


def test_validation_finds_nothing(folder):
    validation = validate(open_source(folder))
    assert validation.report.breaches == ()


@pytest.mark.parametrize("name", USUAL)
def test_values_are_within_the_specs(operator, name):
    spec = TABLES[name]
    for column in spec.columns:
        if column.codes:
            listed = ", ".join(f"'{code}'" for code in column.codes)
            found = f"{column.name} not in ({listed})"
            assert count(operator, f"select count(*) from {name} where {found}") == 0
        if column.low is not None:
            beyond = f"{column.name} < {column.low} or {column.name} > {column.high}"
            assert count(operator, f"select count(*) from {name} where {beyond}") == 0
        if not column.nullable and column.name in spec.required:
            assert count(operator, f"select count(*) from {name} where {column.name} is null") == 0


@pytest.mark.parametrize("name", USUAL)
def test_keys_are_unique(operator, name):
    spec = TABLES[name]
    key = ", ".join((*spec.key, "valid_from") if spec.rows == "state" else spec.key)
    assert count(operator, f"select count(*) - count(distinct ({key})) from {name}") == 0


@pytest.mark.parametrize("name", ["bills", "usage"])
def test_every_month_of_a_customers_life_has_a_row(operator, name):
    expected = """
        select customer_id, unnest(generate_series(
            greatest(date_trunc('month', activated_on), (select min(month) from bills)),
            least(
                date_trunc('month', coalesce(terminated_on, date '2100-01-01')),
                (select max(month) from bills)
            ),
            interval 1 month
        ))::date as month from people
    """
    present = f"select customer_id, month from {name}"
    assert count(operator, f"select count(*) from ({expected} except {present})") == 0
    assert count(operator, f"select count(*) from ({present} except ({expected}))") == 0


@pytest.mark.parametrize("name", EVENTS)
def test_events_lie_within_a_customers_life(operator, name):
    event = TABLES[name].event
    outside = f"""
        select count(*) from {name} left join people using (customer_id)
        where activated_on is null or {event} < activated_on or {event} >= terminated_on
    """
    assert count(operator, f"select count(*) from {name}") > 50
    assert count(operator, outside) == 0


@pytest.mark.parametrize(
    "never",
    [
        "complaints where closed_at <= opened_at",
        "complaints where reopened_at <= opened_at or reopened_at >= closed_at",
        "surveys where (answered_at is null) <> (score is null)",
        "surveys where answered_at <= sent_at",
        "surveys where score < scale_min or score > scale_max",
        "offers where accepted_at <= offered_at or (accepted_at is not null and arm = 'control')",
        "offers where arm = 'control' and cost > 0",
        "bills where paid_on < issued_on or issued_on < month + interval 1 month",
        "bills where abs(amount - voice - data - sms - value_added) > 0.001",
        "bills where issued_on is null",
        "usage where offnet_minutes > voice_minutes + 0.05",
        "usage where active_days > extract(day from last_day(month))",
        "customers where valid_from < activated_on or valid_from >= terminated_on",
        "customers where payer_id = customer_id",
        "groups where handsets < 11 or valid_from < registered_on",
        "contacts where channel in ('app', 'terminal') and (wait_seconds > 0 or not self_service)",
        "contacts where (hall_id is null) <> (channel in ('app', 'hotline'))",
        "contacts where resolved and not answered",
        "contacts where pre_served and channel <> 'hall'",
    ],
)
def test_never(operator, never):
    assert count(operator, f"select count(*) from {never}") == 0


@pytest.mark.parametrize("column", ["hall_id", "group_id", "payer_id"])
def test_what_customers_point_to_exists(operator, column):
    table, key = {
        "hall_id": ("contacts", "hall_id"),
        "group_id": ("groups", "group_id"),
        "payer_id": ("customers", "customer_id"),
    }[column]
    pointers = f"select distinct {column} from customers where {column} is not null"
    assert count(operator, f"select count(*) from ({pointers})") > 10
    lost = f"select count(*) from ({pointers}) where {column} not in (select {key} from {table}"
    assert count(operator, f"{lost} where {key} is not null)") == 0


def test_silence_means_no_use_and_at_most_a_fee(operator):
    silent = """
        from usage join bills using (customer_id, month) join people using (customer_id)
        where active_days = 0 and payment = 'prepaid'
        and (terminated_on is null or terminated_on > month + interval 1 month)
    """
    assert count(operator, f"select count(*) {silent}") > 100
    assert count(operator, f"select max(voice_minutes + data_mb + sms_count) {silent}") == 0
    share = f"select avg((amount = 0)::int) {silent}"
    assert 0.3 < count(operator, share) < 0.9
    contacts = f"""
        select count(*) from (select customer_id, month {silent}) quiet
        join contacts on contacts.customer_id = quiet.customer_id
        and date_trunc('month', started_at) = quiet.month
    """
    assert count(operator, contacts) == 0


def test_versions_agree_on_what_does_not_change(operator):
    differing = """
        select count(*) from (
            select customer_id from customers group by customer_id
            having count(distinct activated_on) + count(distinct payment) > 2
            or count(distinct terminated_on) > 1
            or count(terminated_on) not in (0, count(*))
            or min(valid_from) <> any_value(activated_on)
        )
    """
    assert count(operator, differing) == 0


def test_the_last_months_rows_are_all_there_when_the_tables_are_drawn(operator):
    by_month = "select count(*) as n from bills group by month order by month"
    counts = [n for (n,) in operator.execute(by_month).fetchall()]
    assert counts[-1] > 0.95 * counts[-2]
    (latest,) = operator.execute("select max(known_at) from bills").fetchone()
    assert str(latest)[:10] == "2026-06-13"
    paid = "select max(paid_on) < date '2026-06-13' from bills"
    assert count(operator, paid)


@pytest.mark.parametrize(
    ("name", "moment", "within", "most"),
    [
        ("usage", "month + interval 1 month", "3 day", 0.96),
        ("bills", "issued_on::timestamp", "2 day", 0.97),
        ("complaints", "opened_at", "1 day", 0.95),
        ("contacts", "started_at", "1 day", 0.97),
        ("offers", "offered_at", "1 day", 0.97),
    ],
)
def test_most_rows_arrive_soon_and_a_few_late(operator, name, moment, within, most):
    share = f"select avg((known_at <= {moment} + interval {within})::int) from {name}"
    assert most - 0.02 < count(operator, share) < 0.999
    assert count(operator, f"select count(*) from {name} where known_at < {moment}") == 0
    late = f"select max(known_at - ({moment})) < interval 31 day from {name}"
    assert count(operator, late)
