"""Aliases and history in a real store: they move together, or neither does."""

import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from churnml import history, rollback
from churnml.config.settings import Config
from churnml.errors import BundleError, GateError, ModelError, UsageError
from churnml.registry import resolve as resolving
from churnml.registry import versions as registry
from churnml.registry.promotion.aliases import add_event
from churnml.registry.promotion.history import Event, events
from churnml.registry.promotion.promote import promote, require_promoted
from churnml.registry.versions import aliases_of

NAME = "churn-toy"


def forced(version: str | None = None, reason: str = "a test"):
    return promote("churn", name=NAME, version=version, force=reason, config=Config())


def what(store) -> list[tuple[str, str, str | None]]:
    return [(one.what, one.version, one.over) for one in events(store, NAME)]


def test_a_promotion_moves_champion_previous_and_challenger(registered):
    outcome = forced()
    assert outcome.moved
    assert outcome.aliases == {"champion": "3", "previous": "1"}
    assert aliases_of(registered, NAME) == outcome.aliases
    assert what(registered) == [("forced", "3", "1")]


def test_a_version_that_is_not_the_challenger_leaves_that_alias(registered):
    assert forced("2").aliases == {"champion": "2", "previous": "1", "challenger": "3"}


def test_history_tells_who_when_what_why_and_the_digests_in_order(registered):
    forced("2", "tariff change")
    forced("3", "better still")
    rollback("churn", name=NAME, reason="complaints")
    told = history("churn", name=NAME).to_dict()
    assert told["aliases"] == {"champion": "2", "previous": "3"}
    rows = told["events"]
    assert [row["what"] for row in rows] == [
        *["registered"] * 3,
        "forced",
        "forced",
        "rolled back",
    ]
    assert [row["version"] for row in rows] == ["1", "2", "3", "2", "3", "2"]
    assert [row.get("number") for row in rows] == [None, None, None, 1, 2, 3]
    assert [row["when"] for row in rows] == sorted(row["when"] for row in rows)
    digest = resolving.resolve(f"models:/{NAME}/2").model.digest
    assert all(row["digest"] == digest for row in rows)
    assert all(row["over_digest"] == digest for row in rows[3:])
    assert all(row["who"].endswith(f"@{socket.gethostname()}") for row in rows)
    assert rows[3]["why"].startswith("tariff change (Not measured: ")
    assert rows[5]["why"] == "complaints"


def test_mlflow_shows_the_history_the_gate_and_the_report(registered):
    forced("2", "tariff change")
    tags = registered.client.get_registered_model(NAME).tags
    entry = json.loads(tags["mlflow.churnml.history.000001"])
    assert entry["what"] == "forced"
    assert entry["why"].startswith("tariff change")
    version = registered.client.get_model_version(NAME, "2")
    assert version.tags["churnml.gate"].startswith("forced 2")
    paths = [file.path for file in registered.client.list_artifacts(version.run_id, "promotion")]
    assert paths == ["promotion/000001.md"]


def test_rolling_back_twice_is_where_it_began(registered):
    forced("2")
    before = aliases_of(registered, NAME)
    assert rollback("churn", name=NAME).aliases == before | {"champion": "1", "previous": "2"}
    assert rollback("churn", name=NAME).aliases == before
    assert what(registered)[1:] == [("rolled back", "1", "2"), ("rolled back", "2", "1")]


def test_without_a_previous_champion_there_is_no_way_back(registered):
    with pytest.raises(ModelError, match="no previous champion"):
        rollback("churn", name=NAME)
    assert what(registered) == []


def test_an_alias_that_has_moved_meanwhile_stops_everything(registered):
    forced("2")
    before = aliases_of(registered, NAME)
    late = Event(what="promoted", version="3", over="1")
    with pytest.raises(ModelError, match="champion: is version 2 now, and was version 1"):
        add_event(registered, NAME, late, seen={"champion": "1"}, aliases={"champion": "3"})
    assert aliases_of(registered, NAME) == before
    assert len(what(registered)) == 1


def test_an_entry_that_a_store_cannot_keep_moves_nothing(registered):
    before = aliases_of(registered, NAME)
    long = Event(what="promoted", version="3", over="1", why="x" * 6_000)
    with pytest.raises(ModelError, match="5000 can be kept"):
        add_event(registered, NAME, long, seen={}, aliases={"champion": "3"})
    assert aliases_of(registered, NAME) == before
    assert what(registered) == []


def test_a_challenger_measured_by_nobody_needs_a_reason(registered):
    before = aliases_of(registered, NAME)
    with pytest.raises(ModelError, match="a table of one's own") as refused:
        promote("churn", name=NAME, config=Config())
    assert "--force REASON" in refused.value.hint
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(UsageError, match="reason"):
            forced(reason=reason)
    assert aliases_of(registered, NAME) == before
    assert what(registered) == []


@pytest.mark.parametrize(
    ("version", "message"),
    [("1", "is the champion already"), ("9", r"no such model.*churn-toy \(1, 2, 3")],
)
def test_versions_that_cannot_be_promoted(registered, version, message):
    with pytest.raises(ModelError, match=message):
        forced(version)
    assert what(registered) == []


def test_names_that_are_not_there(registered):
    for ask in (
        lambda: promote("churn", config=Config()),
        lambda: rollback("churn"),
        lambda: history("churn"),
    ):
        with pytest.raises(ModelError, match=r"churn: no such registered model\. .*churn-toy"):
            ask()


def test_no_challenger(registered):
    registered.client.delete_registered_model_alias(NAME, "challenger")
    with pytest.raises(ModelError, match="there is no challenger"):
        forced()


def test_the_other_task_is_named(registered):
    with pytest.raises(ModelError, match="predicts churn, not satisfaction"):
        promote("satisfaction", name=NAME, force="a test", config=Config())
    assert what(registered) == []


def folder_of(store, version: str) -> Path:
    location = store.client.get_model_version_download_uri(NAME, version)
    return Path(location.removeprefix("file://")) / "data/bundle"


def test_a_changed_byte_stops_a_promotion_even_with_force(registered):
    booster = folder_of(registered, "3") / "boosters/0000.txt"
    changed = booster.read_bytes().replace(b"0", b"1", 1)
    booster.unlink()
    booster.write_bytes(changed)
    with pytest.raises(BundleError, match="was changed"):
        forced()
    assert aliases_of(registered, NAME) == {"champion": "1", "challenger": "3"}
    assert what(registered) == []


def test_an_exchanged_model_with_sums_of_its_own_stops_it_too(registered, churn):
    from churnml.models import bundle

    other = replace(churn, reference=churn.reference[:-1])
    bundle.save(other, folder_of(registered, "3"), overwrite=True)
    with pytest.raises(BundleError, match="its files were replaced"):
        forced()
    assert aliases_of(registered, NAME) == {"champion": "1", "challenger": "3"}
    assert what(registered) == []


def test_golden_scores_that_differ_in_one_bit_stop_it(registered, churn):
    import numpy as np

    from churnml.models import bundle

    scores = list(churn.golden.scores["churn_probability"])
    scores[0] = float(np.nextafter(scores[0], 1))
    golden = replace(churn.golden, scores={"churn_probability": scores})
    digest = bundle.save(replace(churn, golden=golden), folder_of(registered, "3"), overwrite=True)
    registered.client.set_model_version_tag(NAME, "3", registry.DIGEST, digest)
    with pytest.raises(BundleError, match="golden rows differs"):
        forced()
    assert what(registered) == []
    forced("2")
    assert aliases_of(registered, NAME)["champion"] == "2"


def test_a_damaged_previous_champion_is_not_rolled_back_to(registered):
    forced("2")
    (folder_of(registered, "1") / "bundle.json").unlink()
    before = aliases_of(registered, NAME)
    with pytest.raises(BundleError):
        rollback("churn", name=NAME)
    assert aliases_of(registered, NAME) == before


def test_without_a_champion_the_challenger_is_checked_and_takes_the_place(registered):
    registered.client.delete_registered_model_alias(NAME, "champion")
    outcome = promote("churn", name=NAME, config=Config())
    assert outcome.aliases == {"champion": "3"}
    assert outcome.event.what == "promoted"
    assert outcome.event.why == "There was no champion to measure against."
    require_promoted(outcome)


def test_an_entry_that_somebody_has_broken_is_told_as_it_stands(registered):
    registered.client.set_registered_model_tag(NAME, "churnml.history.000007", "{broken")
    forced("2")
    found = events(registered, NAME)
    assert [one.number for one in found] == [7, 8]
    assert "{broken" in found[0].why


def test_without_a_store_none_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for ask in (lambda: promote("churn", config=Config()), lambda: history("churn")):
        with pytest.raises(ModelError, match="no model store there"):
            ask()
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_ends_with_status_6_and_everything_measured(registered):
    from churnml.evaluation.contest import Verdict
    from churnml.evaluation.contest_checks import Check
    from churnml.metrics import Estimate
    from churnml.registry.promotion.outcome import Outcome

    gain = Estimate(-0.1, -0.2, -0.05)
    check = Check(
        where="brand senior",
        measure="auc",
        challenger=0.6,
        champion=0.7,
        gain=gain,
        passed=False,
        reason="significantly worse",
    )
    verdict = Verdict(months=("2026-04-01",), rows=900, positives=60, checks=(check,))
    event = Event(what="refused", version="2", over="1")
    outcome = Outcome(
        name="churn", event=event, verdict=verdict, aliases={"champion": "1"}, notes=[]
    )
    with pytest.raises(GateError, match="auc of brand senior: significantly worse") as lost:
        require_promoted(outcome)
    assert lost.value.status == 6
    assert lost.value.to_dict()["gate"]["checks"][0]["gain_high"] == -0.05
