"""What is declared of columns: found by name and pattern, refused or dropped."""

import pytest

import churnml
from churnml.config.settings import AvailabilitySettings
from churnml.datasets.flat import Signature, read_training
from churnml.datasets.leakage import declared_as, refused, withheld
from churnml.errors import DataError, UsageError
from churnml.features import Feature, declared
from churnml.tables.simulator import simulate


def feature(name="tenure", *needs, availability="operator"):
    return Feature(
        name=name,
        unit="days",
        driver="lifecycle",
        en="x",
        zh="x",
        needs=needs or ("customers.activated_on",),
        availability=availability,
    )


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("Churn Reason", "outcome"),
        ("Q1", "survey"),
        ("Q12", "survey"),
        ("Q1b", "operator"),
        ("x[1]", "outcome"),
        ("x1", None),
        ("age", None),
    ],
)
def test_names_go_before_patterns_and_brackets_mean_nothing(name, who):
    columns = {"Churn *": "outcome", "Q*": "survey", "Q1b": "operator", "x[1]": "outcome"}

    assert declared_as(name, columns) == who


def test_every_declared_column_is_named_in_the_refusal():
    who = AvailabilitySettings(columns={"reason": "outcome", "Q?": "survey", "age": "operator"})

    with pytest.raises(DataError) as error:
        refused(["age", "reason", "Q1", "plan"], who, place="t.csv")

    assert "'reason' is declared outcome, 'Q1' is declared survey" in error.value.message
    assert "--drop 'reason' --drop 'Q1'" in error.value.hint
    assert error.value.status == 3
    assert error.value.details["columns"] == ["reason", "Q1"]


def test_they_are_dropped_where_the_settings_say_so():
    who = AvailabilitySettings(columns={"reason": "outcome", "zip": "snapshot"}, unavailable="drop")

    assert refused(["age", "zip", "reason"], who, place="t.csv") == {"reason": "outcome"}


def test_a_feature_is_refused_for_what_it_reads():
    who = AvailabilitySettings(columns={"customers.contract_ends_on": "outcome"})
    reads = feature("contract_end_days", "customers.contract_ends_on")

    with pytest.raises(DataError, match=r"contract_ends_on is declared outcome.*contract_end_days"):
        withheld([feature(), reads], who)
    assert withheld([feature()], who) == []


def test_the_source_says_it_too_and_the_settings_overrule_it():
    reads = feature("delay", "bills.paid_on")
    source = {"bills.paid_on": "outcome"}

    with pytest.raises(DataError, match=r"bills.paid_on is declared outcome \(read by delay\)"):
        withheld([reads], AvailabilitySettings(), source)
    assert (
        withheld([reads], AvailabilitySettings(columns={"bills.paid_on": "operator"}), source) == []
    )
    assert withheld([reads], AvailabilitySettings(columns={"delay": "operator"}), source) == []
    assert withheld([reads], AvailabilitySettings(unavailable="drop"), source) == ["delay"]


def test_the_end_of_service_is_never_a_feature():
    leak = feature("days_to_end", "customers.terminated_on")

    with pytest.raises(DataError, match=r"customers\.terminated_on is declared outcome"):
        withheld([leak], AvailabilitySettings())


def test_no_feature_of_churnml_reads_what_scoring_cannot_have():
    assert withheld(declared(), AvailabilitySettings()) == []


TABLE = "id,age,reason,Q1,left\n" + "\n".join(
    f"{at:04d},{20 + at % 50},{'price' if at % 9 == 0 else 'none'},{at % 4},"
    f"{'Yes' if at % 5 < 2 else 'No'}"
    for at in range(300)
)
DECLARED = {"reason": "outcome", "Q*": "survey", "none": "outcome"}


def read(path, **settings):
    who = AvailabilitySettings(**settings)
    return read_training(path, task="churn", target="left", id="id", availability=who)


def test_training_on_a_table_is_refused_by_name(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(TABLE)

    with pytest.raises(DataError, match="'reason' is declared outcome, 'Q1' is declared survey"):
        read(path, columns=DECLARED)


def test_the_signature_remembers_what_was_declared(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(TABLE)

    data = read(path, columns=DECLARED, unavailable="drop")

    assert list(data.X) == ["age"]
    assert Signature.from_dict(data.signature).availability == {"reason": "outcome", "Q1": "survey"}
    assert any("'reason' (outcome); 'Q1' (survey)" in note for note in data.notes)
    assert any("no column of this table: 'none'" in note for note in data.notes)


def test_a_signature_from_before_declares_nothing():
    old = {"columns": [], "target": "y", "negative": [], "scale": [], "table": []}

    assert Signature.from_dict(old).availability == {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("availability") / "operator"
    simulate(place, customers=120, months=10, seed=1)
    return place


def opened(folder, declared_of, tmp_path):
    mapping = tmp_path / "source.yaml"
    mapping.write_text(f"tables: {{customers: {{availability: {declared_of}}}}}\n")
    return churnml.open_source(str(folder), mapping=mapping)


def test_the_mapping_declares_columns_of_operator_tables(folder, tmp_path):
    source = opened(folder, "{contract_ends_on: outcome, brand: snapshot}", tmp_path)

    assert source.availability == {
        "customers.contract_ends_on": "outcome",
        "customers.brand": "snapshot",
    }
    with pytest.raises(DataError, match="contract_ends_on is declared outcome"):
        churnml.build_dataset(source, "churn", "2026-01-01")


def test_features_of_declared_columns_are_dropped(folder, tmp_path):
    source = opened(folder, "{contract_ends_on: outcome}", tmp_path)
    settings = churnml.Config.model_validate({"availability": {"unavailable": "drop"}})
    day = labelled(source)

    X = churnml.build_dataset(source, "churn", day, config=settings).X

    assert {one.name for one in declared(source.tables)} - set(X) == {"lifecycle_contract_end_days"}


def labelled(source):
    from churnml.datasets.split_dates import plan_dates

    return plan_dates(source, "churn", churnml.Config()).all[0]


def test_a_column_that_is_not_there_is_a_mistake_in_the_mapping(folder, tmp_path):
    source = opened(folder, "{contract_ends: outcome}", tmp_path)

    with pytest.raises(UsageError, match=r"no such column.*contract_ends_on"):
        _ = source.availability
