"""The operator is as large a mess as a real one, and of the right size."""

import pytest

pytestmark = pytest.mark.slow


def numbers(operator, query):
    return operator.execute(query).fetchone()


def test_tiers_have_the_usual_shares(large):
    diamond, gold, silver = numbers(
        large,
        """
        with arpu as (
            select customer_id, avg(amount) as yuan from bills
            where month > (select max(month) from bills) - interval 3 month group by all
        )
        select avg((yuan >= 3000)::int), avg((yuan >= 1500 and yuan < 3000)::int),
        avg((yuan >= 666 and yuan < 1500)::int) from arpu
        """,
    )
    assert 0.006 < diamond < 0.015
    assert 0.03 < gold < 0.05
    assert 0.13 < silver < 0.17


def test_groups_are_mostly_small(large):
    large_, middle, largest, members = numbers(
        large,
        """
        select avg((handsets >= 500)::int), avg((handsets between 100 and 499)::int),
        max(handsets), (
            select count(distinct customer_id) from customers where group_id is not null
        ) from groups
        """,
    )
    assert 0.005 < large_ < 0.05
    assert 0.1 < middle < 0.25
    assert largest > 1_500
    assert members > 6_000


def test_one_to_two_percent_leave_every_month(large):
    rates = large.execute(
        """
        select avg(coalesce(terminated_on < hazard.month + interval 1 month, false)::int)
        from hazard join people using (customer_id)
        where hazard.month <= (select max(month) from bills) group by hazard.month
        """
    ).fetchall()
    assert len(rates) == 24
    assert all(0.009 < rate < 0.02 for (rate,) in rates)


def test_new_customers_replace_them(large):
    (rate,) = numbers(
        large,
        """
        select (select count(*) from people where activated_on >= (select min(month) from bills))
        / 24 / (select count(*) / 25 from hazard)
        """,
    )
    assert 0.01 < rate < 0.02


def test_four_brands_and_both_kinds_of_payment(large):
    shares = dict(
        large.execute(
            "select brand, count(*) / (select count(*) from customers) from customers group by 1"
        ).fetchall()
    )
    assert set(shares) == {"gotone", "easyown", "mzone", "senior"}
    assert min(shares.values()) > 0.07
    (prepaid,) = numbers(large, "select avg((payment = 'prepaid')::int) from people")
    assert 0.5 < prepaid < 0.7


def test_surveys_reach_a_few_and_fewer_answer(large):
    months = large.execute(
        """
        select count(*) / any_value(customers), avg((answered_at is not null)::int)
        from surveys join (select month, count(*) customers from hazard group by 1)
        on month = date_trunc('month', sent_at) group by month
        """
    ).fetchall()
    assert len(months) == 24
    assert all(0.03 < invited < 0.08 and 0.25 < answered < 0.45 for invited, answered in months)


def test_satisfaction_is_about_eighty(large):
    mean, dissatisfied, touchpoints, scales = numbers(
        large,
        """
        select avg(points), avg((points <= 60)::int), count(distinct touchpoint),
        count(distinct (scale_min, scale_max)) from answers where points is not null
        """,
    )
    assert 77 < mean < 82
    assert 0.10 < dissatisfied < 0.20
    assert (touchpoints, scales) == (6, 3)


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ("satisfaction > 85", "satisfaction between 55 and 70"),
        ("birth_year < 1970", "birth_year > 1995"),
        ("yuan > 666", "yuan < 150"),
    ],
)
def test_answering_depends_on_satisfaction_age_and_tier(large, more, less):
    query = """
        with spent as (select customer_id, avg(amount) yuan from bills group by 1)
        select avg((answered_at is not null)::int) from surveys
        join people using (customer_id) join spent using (customer_id)
        join hazard on hazard.customer_id = surveys.customer_id
        and hazard.month = date_trunc('month', sent_at) where
    """
    (many,), (few,) = numbers(large, query + more), numbers(large, query + less)
    assert many > few + 0.02


def test_silent_customers_come_back(large):
    silent, back = numbers(
        large,
        """
        with months as (
            select active_days, lead(active_days) over
            (partition by customer_id order by month) as later
            from usage join people using (customer_id) where payment = 'prepaid'
        )
        select avg((active_days = 0)::int), avg((later > 0)::int)
        filter (active_days = 0 and later is not null) from months
        """,
    )
    assert 0.01 < silent < 0.05
    assert 0.3 < back < 0.8


def test_complaints_repeat_stay_open_and_are_reopened(large):
    again, stays, reopened, categories = numbers(
        large,
        """
        with made as (
            select *, opened_at - lag(opened_at) over
            (partition by customer_id, category order by opened_at) as since from complaints
        )
        select avg(coalesce(since < interval 30 day, false)::int),
        avg((closed_at is null or closed_at > opened_at + interval 30 day)::int),
        avg((reopened_at is not null)::int), count(distinct category) from made
        """,
    )
    assert 0.04 < again < 0.2
    assert 0.05 < stays < 0.25
    assert 0.03 < reopened < 0.15
    assert categories == 5


def test_incidents_are_regional(large):
    usual, worst = numbers(
        large,
        """
        with homes as (select customer_id, any_value(region) region from customers group by 1),
        made as (
            select region, date_trunc('month', opened_at) as month, count(*) n
            from complaints join homes using (customer_id) where category = 'network' group by all
        ),
        usual as (select region, median(n) n from made group by 1)
        select avg((made.n < 1.5 * usual.n)::int), max(made.n / usual.n)
        from made join usual using (region)
        """,
    )
    assert usual > 0.6
    assert worst > 3


def test_waits_depend_on_the_hour_and_the_hall(large):
    busy, quiet, worst, best = numbers(
        large,
        """
        with visits as (select *, hour(started_at) h from contacts where channel = 'hall'),
        halls as (select avg(wait_seconds) w from visits group by hall_id)
        select avg(wait_seconds) filter (h = 10), avg(wait_seconds) filter (h = 13),
        (select max(w) from halls), (select min(w) from halls) from visits
        """,
    )
    assert busy > 1.6 * quiet
    assert worst > 2 * best
    rush, night, unanswered = numbers(
        large,
        """
        select avg(wait_seconds) filter (hour(started_at) = 10),
        avg(wait_seconds) filter (hour(started_at) < 6), avg((not answered)::int)
        from contacts where channel = 'hotline' and not self_service
        """,
    )
    assert rush > 2 * night
    assert 0.02 < unanswered < 0.2


def test_bills_shock_some(large):
    (share,) = numbers(
        large,
        """
        with months as (
            select amount, median(amount) over (
                partition by customer_id order by month rows between 4 preceding and 1 preceding
            ) as before from bills
        )
        select avg((amount > 1.6 * before)::int) from months where before > 0
        """,
    )
    assert 0.01 < share < 0.08


def test_contracts_end_and_are_renewed(large):
    renewed, ended_in_force = numbers(
        large,
        """
        with versions as (
            select *, lag(contract_ends_on) over
            (partition by customer_id order by valid_from) before from customers
        )
        select count(*) filter (before < contract_ends_on), count(*) filter (
            terminated_on between contract_ends_on and contract_ends_on + 92
        ) from versions
        """,
    )
    assert renewed > 10_000
    assert ended_in_force > 500


@pytest.mark.parametrize("column", ["brand", "region", "hall_id", "group_id"])
def test_customers_change(large, column):
    (changed,) = numbers(
        large,
        f"""
        with versions as (
            select {column}, lag({column}) over life before, row_number() over life place
            from customers window life as (partition by customer_id order by valid_from)
        )
        select count(*) from versions where place > 1 and before is distinct from {column}
        """,
    )
    assert changed > 100


def test_groups_change(large):
    (changes,) = numbers(large, "select count(*) / count(distinct group_id) - 1 from groups")
    assert changes > 0.5


def test_late_payment_tells(large):
    slow, quick = numbers(
        large,
        """
        with paid as (
            select customer_id, avg(paid_on - issued_on) delay from bills
            where month < (select min(month) + interval 6 month from bills) group by 1
        )
        select avg(churn_probability) filter (delay > 12),
        avg(churn_probability) filter (delay < 5)
        from paid join hazard using (customer_id) join people using (customer_id)
        where payment = 'postpaid'
        and hazard.month = (select min(month) + interval 7 month from bills)
        """,
    )
    assert slow > 1.2 * quick


def test_things_drift_a_little(large):
    data, messages, satisfaction = numbers(
        large,
        """
        with ends as (select min(month) first, max(month) last from usage),
        means as (
            select month, avg(data_mb) data, avg(sms_count) messages from usage group by 1
        ),
        content as (select month, avg(satisfaction) mean from hazard group by 1)
        select max(data) filter (month = last) / max(data) filter (month = first),
        max(messages) filter (month = last) / max(messages) filter (month = first),
        (select mean from content where month = last)
        - (select mean from content where month = first)
        from means, ends group by first, last
        """,
    )
    assert 1.1 < data < 2
    assert 0.4 < messages < 0.9
    assert 0 < satisfaction < 6
