"""What a trend and interactions do to an operator; its truth stays the truth."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from churnml.cli import main
from churnml.errors import UsageError
from churnml.tables.simulator import simulate
from churnml.tables.simulator.block import Block
from churnml.tables.simulator.hazard import leaving
from churnml.tables.simulator.months import Months
from churnml.tables.simulator.streams import Streams
from churnml.tables.simulator.world import build_world
from tests.tables.simulator.conftest import connect


def made(folder, **settings):
    simulate(folder, customers=4_000, months=12, seed=5, **settings)
    return connect(folder)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return made(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def trending(tmp_path_factory):
    return made(tmp_path_factory.mktemp("trending"), trend=0.05)


@pytest.fixture(scope="module")
def entangled(tmp_path_factory):
    return made(tmp_path_factory.mktemp("entangled"), interactions=1.5)


def surprise(operator):
    """Distance of what happened from the truth's probabilities, in standard errors."""
    left, expected, variance = operator.execute(
        """
        select sum(left_us::int), sum(churn_probability),
        sum(churn_probability * (1 - churn_probability)) from labels
        where datediff('month', (select min(month) from labels), month) % 2 = 0
        """
    ).fetchone()
    return (left - expected) / np.sqrt(variance)


@pytest.mark.parametrize("operator", ["plain", "trending", "entangled"])
def test_the_truth_is_exact_whatever_the_settings(request, operator):
    assert abs(surprise(request.getfixturevalue(operator))) < 4


def test_a_trend_adds_as_much_every_month(plain, trending):
    """The same people live the same lives in both, until they leave."""
    odds = "ln(churn_probability / (1 - churn_probability))"
    postpaid = f"""
        select customer_id, month, {odds} as odds from hazard join people using (customer_id)
        where payment = 'postpaid' and churn_probability between 0.001 and 0.2
    """
    one, other = plain.execute(postpaid).df(), trending.execute(postpaid).df()
    both = one.merge(other, on=["customer_id", "month"], suffixes=("", "_with"))
    added = (both["odds_with"] - both["odds"]).groupby(both["month"]).median()
    assert len(added) == 13
    # Two months lie in the window: that of the row, and the next.
    assert added.to_numpy() == pytest.approx(0.05 * (np.arange(13) + 0.5), abs=0.01)


def test_without_a_trend_a_year_alone_changes_nobody():
    months = Months(date(2026, 5, 1), 24)
    world = build_world(Streams(0, 0), months)
    world = replace(world, pull=np.zeros_like(world.pull))
    scene = Block(Streams(0, 1, 0), world, [str(number) for number in range(5_000)]).scene
    tenure = scene.months.start(0) - scene.people.activated
    old = (tenure > 12 * 365) & (scene.people.contract_end == 0)
    year = (leaving(scene, 14) - leaving(scene, 2))[old]
    assert len(year) > 50
    # What is left is one year more of twelve.
    assert -0.04 < year.min() <= year.max() < 0


def crossing(operator):
    """How much more rivals among one's friends matter to the young than to the old."""
    (of,) = operator.execute(
        """
        with friends as (
            select customer_id, sum(offnet_minutes) / sum(voice_minutes) as rivals
            from usage group by 1 having sum(voice_minutes) > 0
        ), cells as (
            select birth_year > 1995 as young, rivals > 0.5 as many,
            avg(ln(churn_probability / (1 - churn_probability))) as odds
            from hazard join people using (customer_id) join friends using (customer_id)
            where (birth_year > 1995 or birth_year < 1970) and (rivals > 0.5 or rivals < 0.3)
            and churn_probability between 1e-4 and 0.9999 group by all
        )
        select sum(case when young = many then odds else -odds end) from cells
        """
    ).fetchone()
    return of


def test_interactions_come_with_their_strength(plain, entangled):
    assert abs(crossing(plain)) < 0.3
    assert crossing(entangled) > 1.0


def test_interactions_leave_the_churn_rate_about_as_it_is(plain, entangled):
    rates = [
        one.execute("select avg(churn_probability) from hazard").fetchone()[0]
        for one in (plain, entangled)
    ]
    assert rates[1] == pytest.approx(rates[0], rel=0.1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"trend": 0.2}, r"trend is 0\.2\. Give a number from -0\.1 to 0\.1"),
        ({"trend": float("nan")}, "trend is nan"),
        ({"interactions": -1.0}, r"interactions is -1\.0\. Give a number from 0 to 3"),
    ],
)
def test_settings_out_of_range_are_refused(tmp_path, wrong, message):
    with pytest.raises(UsageError, match=message):
        simulate(tmp_path, **wrong)
    assert list(tmp_path.iterdir()) == []


def test_the_command_takes_both(tmp_path, capfd):
    command = ["simulate", str(tmp_path / "by_command"), "--customers", "300", "--months", "3"]
    with pytest.raises(SystemExit) as left:
        main([*command, "--trend", "0.05", "--interactions", "1"])
    assert left.value.code == 0
    simulate(tmp_path / "by_name", customers=300, months=3, trend=0.05, interactions=1.0)
    one, other = (tmp_path / name / "truth/hazard.parquet" for name in ("by_command", "by_name"))
    assert one.read_bytes() == other.read_bytes()
