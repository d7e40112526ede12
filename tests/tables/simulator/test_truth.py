"""The truth is true: the probabilities are those with which things happen."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from churnml.tables.simulator.truth import default_label

SHARE = st.floats(0, 1)


@given(SHARE, SHARE, SHARE)
def test_default_label_counts_the_outcomes(first, second, silent):
    leaves = 0.0
    for one, two, quiet in itertools.product((0, 1), repeat=3):
        weight = (first if one else 1 - first) * (second if two else 1 - second)
        weight *= silent if quiet else 1 - silent
        leaves += weight * (one or two or quiet)
    assert default_label(first, second, silent) == pytest.approx(leaves, abs=1e-12)


def labelled(operator, every=2):
    """Probabilities and labels of months whose windows do not overlap."""
    query = f"""
        select churn_probability, left_us, customer_id, month, payment from labels
        where datediff('month', (select min(month) from labels), month) % {every} = 0
    """
    return operator.execute(query).df()


def off_by(rows):
    """Distance of the labels' mean from the probabilities' mean, in standard errors."""
    chance = rows["churn_probability"]
    error = np.sqrt((chance * (1 - chance)).sum())
    return (rows["left_us"].sum() - chance.sum()) / error


def test_every_customer_who_is_there_has_one_row_a_month(operator):
    eligible = """
        select customer_id, month from people, (select distinct month from hazard)
        where activated_on < month and (terminated_on is null or terminated_on >= month)
    """
    told = "select customer_id, month from hazard"
    for one, other in ((eligible, told), (told, eligible)):
        rest = operator.execute(f"select count(*) from ({one} except ({other}))")
        assert rest.fetchone() == (0,)
    (months,) = operator.execute("select count(distinct month) from hazard").fetchone()
    assert months == 13


def test_probabilities_agree_with_what_happened(operator):
    rows = labelled(operator)
    assert len(rows) > 10_000
    assert abs(off_by(rows)) < 4
    rows["fifth"] = rows["churn_probability"].rank(pct=True).mul(5).clip(upper=4.99).astype(int)
    assert max(abs(off_by(part)) for _, part in rows.groupby("fifth")) < 4


@pytest.mark.slow
def test_probabilities_are_exact_in_every_decile_month_and_kind_of_customer(large):
    rows = labelled(large)
    assert len(rows) > 400_000
    rows["decile"] = rows["churn_probability"].rank(pct=True).mul(10).clip(upper=9.99).astype(int)
    for by in (["decile"], ["month"], ["payment", "decile"]):
        worst = max(abs(off_by(part)) for _, part in rows.groupby(by))
        assert worst < 4, by


@pytest.mark.slow
def test_probabilities_are_exact_around_the_end_of_a_contract(large):
    """There offers are likely, and count before it is known who gets which."""
    query = """
        with versions as (
            select *, lead(valid_from, 1, date '2100-01-01') over
            (partition by customer_id order by valid_from) as valid_to from customers
        )
        select labels.*, datediff('month', labels.month, contract_ends_on) ahead
        from labels join versions on versions.customer_id = labels.customer_id
        and valid_from < labels.month and valid_to >= labels.month
        where ahead between -4 and 4
    """
    rows = large.execute(query).df()
    for _, part in rows.groupby("ahead"):
        assert len(part) > 3_000
        assert abs(off_by(part)) < 4


@pytest.mark.slow
def test_probabilities_are_exact_where_offers_were_made(large):
    query = """
        select labels.*, arm, datediff('month', date_trunc('month', offered_at), labels.month) ago
        from offers join labels using (customer_id)
        where ago between 1 and 4
    """
    rows = large.execute(query).df()
    for _, part in rows.groupby(["arm", "ago"]):
        assert len(part) > 2_000
        assert abs(off_by(part)) < 4


@pytest.mark.slow
def test_truth_is_as_hard_as_it_should_be(large):
    rows = labelled(large)
    assert 0.02 < rows["left_us"].mean() < 0.04
    assert 0.77 < roc_auc_score(rows["left_us"], rows["churn_probability"]) < 0.83


@pytest.mark.slow
def test_satisfaction_is_what_the_asked_say_on_average(large):
    query = """
        select satisfaction, points from answers
        join hazard on hazard.customer_id = answers.customer_id
        and hazard.month = date_trunc('month', sent_at)
        where touchpoint = 'overall' and points is not null
    """
    rows = large.execute(query).df()
    rows["tenth"] = rows["satisfaction"].rank(pct=True).mul(10).clip(upper=9.99).astype(int)
    for _, part in rows.groupby("tenth"):
        surprise = part["points"] - part["satisfaction"]
        assert abs(surprise.mean()) < 4 * surprise.std() / np.sqrt(len(part))


@pytest.mark.slow
def test_effects_are_those_of_the_arms(large):
    query = """
        select arm, effect, left_us,
        if(arm = 'treatment', probability_treated, probability_control) churn_probability
        from offer_effect join offers using (offer_id)
        join labels on labels.customer_id = offer_effect.customer_id
        and labels.month = offer_effect.month
    """
    rows = large.execute(query).df()
    rows["third"] = rows["effect"].rank(pct=True).mul(3).clip(upper=2.99).astype(int)
    for _, part in rows.groupby(["arm", "third"]):
        assert abs(off_by(part)) < 4
    treated, control = (rows[rows["arm"] == arm] for arm in ("treatment", "control"))
    assert treated["left_us"].mean() < control["left_us"].mean()


def test_some_leave_because_they_were_contacted(operator):
    harmed, helped = operator.execute(
        "select avg((effect > 0)::int), avg((effect < -0.01)::int) from offer_effect"
    ).fetchone()
    assert 0.1 < harmed < 0.4
    assert helped > 0.15


def test_no_column_of_an_operators_table_tells_the_truth(operator):
    """Rank correlation of every number with the truth of the next month stays moderate."""
    found = {}
    for name, moment in (
        ("bills", "month"),
        ("usage", "month"),
        ("contacts", "started_at"),
        ("complaints", "opened_at"),
        ("surveys", "sent_at"),
    ):
        rows = operator.execute(
            f"""
            select source.*, churn_probability, satisfaction from {name} source
            join hazard on hazard.customer_id = source.customer_id
            and hazard.month = date_trunc('month', source.{moment}) + interval 1 month
            """
        ).df()
        numbers = rows.select_dtypes("number")
        truth = numbers[["churn_probability", "satisfaction"]]
        for column in numbers.columns.difference(truth.columns):
            for target in truth:
                correlation = numbers[column].corr(truth[target], method="spearman")
                found[name, column, target] = 0.0 if np.isnan(correlation) else abs(correlation)
    assert len(found) > 30
    assert max(found.values()) < 0.65, max(found, key=found.get)
