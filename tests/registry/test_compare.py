"""Two models side by side, and never figures that do not compare."""

import re
from dataclasses import replace

import pytest

from churnml.models.bundle import Model
from churnml.registry.compare import compare

LABEL = {"gap": "0d", "horizon": "2mo", "definition": "either"}


def measured(model: Model, **changes) -> Model:
    """A model with a label and what its test found."""
    facts = {
        "metrics": {"auc": [0.75, 0.73, 0.77], "log_loss": [0.12, None, None]},
        "importance": {"tenure": 0.5, "plan": 0.1},
        "rows": {"test": 300},
        "dates": {"test": ["2026-03-01", "2026-04-01"]},
    } | changes
    return replace(model, origin=replace(model.origin, kind="operator", label=LABEL), tested=facts)


def resolved(model: Model, version: str = "churn/1") -> Model:
    return replace(model, uri=f"models:/{version}", version=version)


def test_a_model_and_itself_compare_without_a_difference(churn):
    one = resolved(measured(churn))
    found = compare(one, one)
    assert found.comparable
    assert found.notes == []
    assert found.params == {}
    assert found.only == ([], [])
    assert all(first == second for first, second in found.origin.values())
    assert found.metrics["auc"] == ([0.75, 0.73, 0.77], [0.75, 0.73, 0.77])
    assert list(found.importance) == ["tenure", "plan"]


def label(model: Model, **changes: str) -> Model:
    return replace(model, origin=replace(model.origin, label=LABEL | changes))


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda one: label(one, horizon="3mo"), "predict different things .horizon 2mo and 3mo"),
        (
            lambda one: label(one, definition="termination"),
            "definition either and termination",
        ),
        (
            lambda one: measured(one, dates={"test": ["2026-05-01"]}),
            "tested on different dates .on 2026-03-01, 2026-04-01 and on 2026-05-01",
        ),
        (lambda one: measured(one, metrics={}), "churn/2 does not say how it was tested"),
        (
            lambda one: replace(
                measured(one, rows={"test": 299}), origin=replace(one.origin, digest="other")
            ),
            "learned from different data",
        ),
        (
            lambda one: replace(one, origin=replace(one.origin, kind="table")),
            "the other a flat table",
        ),
    ],
)
def test_what_makes_figures_not_compare_is_said(churn, change, note):
    base = measured(churn)
    other = change(base)
    found = compare(resolved(base), resolved(other, "churn/2"))
    assert not found.comparable
    assert any(re.search(note, one) for one in found.notes), found.notes


def test_other_settings_of_the_same_test_compare(churn):
    base = measured(churn)
    other = replace(base, origin=replace(base.origin, digest="more months"))
    assert compare(resolved(base), resolved(other, "churn/2")).comparable


def test_models_of_two_tasks_have_nothing_to_compare(churn, satisfaction):
    found = compare(resolved(measured(churn)), resolved(measured(satisfaction), "satisfaction/1"))
    assert not found.comparable
    assert "no figure compares" in found.notes[0]


def test_parameters_and_features_that_differ_are_listed(churn):
    base = measured(churn)
    estimator = base.estimator
    changed = type(estimator)(**estimator.get_params() | {"max_rounds": 7})
    fewer = replace(base, estimator=changed, inputs=base.inputs[1:])
    found = compare(resolved(base), resolved(fewer, "churn/2"))
    assert found.params == {"max_rounds": (100, 7)}
    assert found.only == ([base.inputs[0].name], [])
    assert found.to_dict()["models"] == ("churn/1", "churn/2")
