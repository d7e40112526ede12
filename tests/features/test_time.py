"""Nothing that happened or became known at or after ``as_of`` changes a byte of any feature."""

from datetime import date, datetime, time, timedelta
from functools import cache
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from churnml.base.dates import months_before
from churnml.features import BUILDERS
from churnml.tables.contract import TABLES

DAYS = (date(2026, 5, 15), date(2026, 6, 1))
STAMPS = ("closed_at", "reopened_at", "paid_on", "answered_at", "terminated_on")
CLOCKS = {"customers": ("valid_from", "activated_on"), "groups": ("valid_from", "registered_on")}

Row = dict[str, Any]


def midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def is_later(name: str, row: Row, as_of: date) -> bool:
    """Whether a row happened at or after ``as_of``, or became known after that midnight."""
    if row["known_at"] is not None and row["known_at"] > midnight(as_of):
        return True
    if name == "bills" and row["issued_on"] is not None and row["issued_on"] >= as_of:
        return True
    if "month" in row:
        return months_before(row["month"], -1) > as_of
    if name in CLOCKS:
        return any(row[clock] is not None and row[clock] >= as_of for clock in CLOCKS[name])
    return row[TABLES[name].event] >= midnight(as_of)


def make_later(name: str, row: Row, as_of: date, random: Random) -> Row:
    """The row with one of its two clocks set to ``as_of`` or later, whatever the other says."""
    after = timedelta(days=random.choice([0, 0, 1, 40]), seconds=random.choice([0, 1, 80_000]))
    if random.random() < 0.5:
        return row | {"known_at": midnight(as_of) + after + timedelta(seconds=1)}
    row = row | {"known_at": random.choice([None, row["known_at"], midnight(as_of)])}
    if name == "bills" and random.random() < 0.5:
        return row | {"issued_on": as_of + timedelta(days=after.days)}
    if "month" in row:
        return row | {"month": months_before(as_of, -random.choice([0, 0, 1, 3]))}
    clock = random.choice(CLOCKS.get(name, (TABLES[name].event,)))
    moment = midnight(as_of) + after
    return row | {clock: moment.date() if name in CLOCKS else moment}


def scramble_later_events(row: Row, as_of: date, random: Random) -> Row:
    """The row with every later event that had not happened set to another moment, or never."""
    row = dict(row)
    for stamp in STAMPS:
        if stamp not in row:
            continue
        is_date = stamp.endswith("_on")
        if row[stamp] is None or row[stamp] >= (as_of if is_date else midnight(as_of)):
            moment = midnight(as_of) + timedelta(seconds=random.choice([0, 1, 90_000, 9_000_000]))
            row[stamp] = random.choice([None, moment.date() if is_date else moment])
            if stamp == "answered_at":
                row["score"] = random.choice([None, 0.0, 7.0, 1e6])
    return row


def scrambled(
    frames: dict[str, pa.Table], as_of: date, choose: st.DataObject
) -> dict[str, pa.Table]:
    """Frames whose rows before ``as_of`` are as they were, the others hypothesis's."""
    random = Random(choose.draw(st.integers(0, 2**32), label="values"))
    changed = {}
    for name, frame in frames.items():
        rows = frame.to_pylist()
        later = [place for place, row in enumerate(rows) if is_later(name, row, as_of)]
        places = st.sets(st.sampled_from(later)) if later else st.just(set())
        gone = choose.draw(places, label=f"{name}: deleted")
        other = choose.draw(places, label=f"{name}: scrambled")
        added = choose.draw(st.integers(0, 6), label=f"{name}: added")
        kept = []
        for place, row in enumerate(rows):
            if place in other:
                pool = {key: random.choice(rows)[key] for key in row}
                kept.append(make_later(name, pool, as_of, random))
            elif place in later and place not in gone:
                kept.append(row)
            elif place not in later:
                kept.append(scramble_later_events(row, as_of, random))
        kept += [make_later(name, random.choice(rows), as_of, random) for _ in range(added)]
        random.shuffle(kept)
        changed[name] = pa.Table.from_pylist(kept, schema=frame.schema)
    return changed


@pytest.fixture(scope="session")
def as_it_was(operator, answers):
    return cache(lambda as_of: answers(operator, as_of))


def changed_features(before, after):
    return [name for name in before if before[name] != after[name]]


def unchanged_whatever_comes_later(operator, answers, as_it_was, choose):
    as_of = choose.draw(st.sampled_from(DAYS), label="as_of")
    after = answers(scrambled(operator, as_of, choose), as_of)
    assert changed_features(as_it_was(as_of), after) == []


HEALTH = [HealthCheck.too_slow, HealthCheck.data_too_large]


# Without shrinking: that takes minutes, and the test at length does it.
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=HEALTH,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(choose=st.data())
def test_what_comes_later_changes_no_byte(operator, answers, as_it_was, choose):
    unchanged_whatever_comes_later(operator, answers, as_it_was, choose)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=HEALTH)
@given(choose=st.data())
def test_what_comes_later_changes_no_byte_at_length(operator, answers, as_it_was, choose):
    unchanged_whatever_comes_later(operator, answers, as_it_was, choose)


def test_all_that_comes_later_gone_at_once_changes_no_byte(operator, answers, as_it_was):
    for as_of in DAYS:
        past = {
            name: pa.Table.from_pylist(
                [
                    scramble_later_events(row, as_of, Random(1))
                    for row in frame.to_pylist()
                    if not is_later(name, row, as_of)
                ],
                schema=frame.schema,
            )
            for name, frame in operator.items()
        }
        assert sum(map(len, past.values())) < sum(map(len, operator.values()))
        assert changed_features(as_it_was(as_of), answers(past, as_of)) == []


@pytest.fixture(scope="session")
def with_half_the_past(operator, answers):
    """The features when every other row of the past is gone, and all are born in 1950."""
    frames = {}
    for name, frame in operator.items():
        rows = frame.to_pylist()
        if name == "customers":
            rows = [row | {"birth_year": 1950} for row in rows]
        else:
            rows = [
                row for place, row in enumerate(rows) if place % 2 or is_later(name, row, DAYS[1])
            ]
        frames[name] = pa.Table.from_pylist(rows, schema=frame.schema)
    return answers(frames, DAYS[1])


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda builder: builder.__name__.split(".")[-1])
def test_what_came_before_does_change_every_builder(as_it_was, with_half_the_past, builder):
    names = {feature.name for feature in builder.FEATURES}
    assert names & set(changed_features(as_it_was(DAYS[1]), with_half_the_past))


def test_several_dates_are_the_dates_one_by_one(operator, answers, as_it_was):
    together = answers(operator, DAYS)
    apart = {name: [v for day in DAYS for v in as_it_was(day)[name]] for name in together}
    assert together == apart
