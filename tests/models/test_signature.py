"""MLflow knows the columns of a model by name, and leaves judging their values to it."""

import pytest

from churnml.base.tasks import TASKS
from churnml.models.signature import KEYS, signature, typed_columns


@pytest.mark.parametrize("task", ["churn", "satisfaction"])
def test_it_names_what_is_read_and_given(task, request):
    model = request.getfixturevalue(task)
    found = signature(model)
    assert found.inputs.input_names() == [*KEYS, *model.names]
    assert found.inputs.required_input_names() == []
    assert found.outputs.input_names() == list(TASKS[task].scores)
    assert [param.name for param in found.params.params] == ["reasons", "as_of"]


def test_it_says_types_and_leaves_numbers_of_flat_tables_open(churn):
    from dataclasses import replace

    operator = replace(churn, origin=replace(churn.origin, kind="operator"))
    table = replace(churn, origin=replace(churn.origin, kind="table"))
    for model, number in ((operator, "double"), (table, "any")):
        said = {spec.name: spec.to_dict()["type"] for spec in signature(model).inputs.inputs}
        kinds = {"number": number, "category": "string"}
        assert {one.name: kinds[one.kind] for one in churn.inputs}.items() <= said.items()


def test_types_are_told_to_people(churn):
    types = {column.name: column.type.name for column in typed_columns(churn).inputs}
    kinds = {"number": "double", "category": "string"}
    assert types == {column.name: kinds[column.kind] for column in churn.inputs}
    assert set(types.values()) == {"double", "string"}


def test_a_model_that_itself_reads_an_id_column_names_it_once(churn):
    from dataclasses import replace

    named = (replace(churn.inputs[0], name="customer_id"), *churn.inputs[1:])
    names = signature(replace(churn, inputs=named)).inputs.input_names()
    assert names.count("customer_id") == 1
