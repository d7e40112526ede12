"""Promotions that are killed on the way, or that two people start at once."""

import os
import shutil
import signal
import time

import pytest

from churnml.registry.promotion.history import events
from churnml.registry.store import open_store
from churnml.registry.tracking import Data, TrainingRecord, log_training
from churnml.registry.versions import aliases_of

NAME = "churn-toy"
FORCED = ("promote", "churn", "--name", NAME, "--force", "a test", "--json")
OLD = {"champion": "1", "challenger": "2"}
NEW = {"champion": "2", "previous": "1"}


@pytest.fixture(scope="module")
def _two_versions(_empty_store, churn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("versions")
    shutil.copy(_empty_store, folder / "mlflow.db")
    store = open_store(f"sqlite:///{folder / 'mlflow.db'}")
    for _ in range(2):
        log_training(training(churn), store=store)
    return folder / "mlflow.db"


@pytest.fixture
def store(_two_versions, tmp_path):
    """Version 1 is champion, version 2 challenger."""
    shutil.copy(_two_versions, tmp_path)
    return open_store(f"sqlite:///{tmp_path / 'mlflow.db'}")


def training(churn) -> TrainingRecord:
    return TrainingRecord(
        model=churn,
        title="toy",
        data=Data(name="toy", source="toy.csv", digest="ab" * 32, rows=600, target="left"),
    )


def test_killed_where_it_writes_it_is_the_old_state_or_the_new_and_the_history_says_which(
    cli, store, tmp_path
):
    killed = cli(*FORCED, cwd=tmp_path, env={"CHURNML_CRASH_AT": "registry:written"})
    assert killed.status == 137, killed.err
    assert aliases_of(store, NAME) == OLD
    assert events(store, NAME) == []
    killed = cli(*FORCED, cwd=tmp_path, env={"CHURNML_CRASH_AT": "registry:moved"})
    assert killed.status == 137
    assert aliases_of(store, NAME) == NEW
    assert [event.what for event in events(store, NAME)] == ["forced"]
    rollback = ("rollback", "churn", "--name", NAME, "--json")
    killed = cli(*rollback, cwd=tmp_path, env={"CHURNML_CRASH_AT": "registry:written"})
    assert killed.status == 137
    assert aliases_of(store, NAME) == NEW
    back = cli(*rollback, cwd=tmp_path)
    assert back.status == 0, back.err
    assert back.json["aliases"] == {"champion": "1", "previous": "2"}
    assert [event.what for event in events(store, NAME)] == ["forced", "rolled back"]


@pytest.mark.slow
@pytest.mark.parametrize("point", ["promotion:measured", "promotion:checked"])
def test_killed_before_it_writes_it_is_the_old_state(cli, store, tmp_path, point):
    killed = cli(*FORCED, cwd=tmp_path, env={"CHURNML_CRASH_AT": point})
    assert killed.status == 137, killed.err
    assert aliases_of(store, NAME) == OLD
    assert events(store, NAME) == []


@pytest.mark.slow
def test_killed_at_any_moment(cli, store, tmp_path):
    for wait in range(2, 30, 3):
        running = cli.start(*FORCED, cwd=tmp_path)
        time.sleep(wait / 10)
        os.kill(running.pid, signal.SIGKILL)
        running.result()
        aliases, told = aliases_of(store, NAME), events(store, NAME)
        assert (aliases, len(told)) in ((OLD, 0), (NEW, 1)), wait
        if told:
            return


def test_of_two_promotions_at_once_one_succeeds_and_the_other_says_why_not(cli, store, tmp_path):
    running = [cli.start(*FORCED, cwd=tmp_path) for _ in range(2)]
    done = sorted((one.result() for one in running), key=lambda one: one.status)
    assert [one.status for one in done] == [0, 4], [one.err for one in done]
    message = done[1].json["error"]["message"]
    assert (
        "nothing was changed" in message
        or "is the champion already" in message
        or ("there is no challenger" in message)
    )
    assert aliases_of(store, NAME) == NEW
    assert [event.number for event in events(store, NAME)] == [1]


def test_a_promotion_and_a_training_at_once_both_count(cli, store, churn, tmp_path):
    running = cli.start(*FORCED, cwd=tmp_path)
    log_training(training(churn), store=store)
    assert running.result().status == 0
    assert len(events(store, NAME)) == 1
    aliases = aliases_of(store, NAME)
    assert aliases["champion"] in ("2", "3")
    assert aliases["previous"] == "1"
