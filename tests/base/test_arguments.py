"""A slip in a call of a public verb is answered in a sentence, whatever the verb."""

import inspect
import pickle
from contextlib import suppress

import pytest

import churnml
from churnml.errors import ChurnmlError, UsageError

_GIVEN = {"task": "churn", "as_of": "2026-06-01", "budget": 5.0, "customers": 5, "months": 3}
_WRONG = (5, "100", 2.5, ["x"], object(), None)
_VERBS = [name for name in churnml.__all__ if inspect.isfunction(getattr(churnml, name))]


@pytest.mark.parametrize("name", _VERBS)
def test_no_value_of_the_wrong_type_ends_in_a_raw_error(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    verb = getattr(churnml, name)
    parameters = inspect.signature(verb).parameters
    base = {
        one: _GIVEN.get(one, f"no/{one}")
        for one, told in parameters.items()
        if told.default is told.empty
    }
    if name == "simulate":
        base |= {"customers": 5, "months": 3, "folder": str(tmp_path / "made")}
    for one in parameters:
        for wrong in _WRONG:
            with suppress(ChurnmlError):
                verb(**base | {one: wrong})


@pytest.mark.parametrize(
    ("verb", "given", "said"),
    [
        ("open_source", {"location": None}, "A NoneType is not a place of operator tables"),
        ("rollback", {"task": "churn", "reason": 5}, r"reason is an int \(5\); text or None"),
        (
            "label_sensitivity",
            {"source": "s", "horizons": "2mo"},
            r"horizons is a str \('2mo'\); a list of text was expected",
        ),
        (
            "simulate",
            {"folder": "f", "customers": "100"},
            r"customers is a str \('100'\); a whole number was expected",
        ),
    ],
)
def test_a_slip_is_named_with_what_was_expected(verb, given, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=said):
        getattr(churnml, verb)(**given)


def test_verbs_can_be_pickled():
    assert pickle.loads(pickle.dumps(churnml.score)) is churnml.score
