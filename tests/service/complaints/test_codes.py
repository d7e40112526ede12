"""An operator's own codes: the code itself, else the longest prefix, else nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnml.config.settings import Config
from churnml.service.complaints.codes import meaning_of, regulator_class
from churnml.tables.simulator.complaints import SUBCATEGORIES
from churnml.tables.simulator.recording import CODES
from churnml.tables.simulator.state import CATEGORIES

SETTINGS = Config().complaints


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("NET-011", ("network", "weak_signal")),
        ("NET", ("network", None)),
        ("NET-777", ("network", None)),
        ("NET-099", ("business_support", "number_portability")),
        ("TAR-091", ("business_support", "order_failed")),
        ("TAR-092", ("service_window", "wrong_advice")),
        ("ＴＡＲ－０９２", ("service_window", "wrong_advice")),
        (" tar-0921 ", ("service_window", "wrong_advice")),
        ("GEN-001", (None, None)),
        ("", (None, None)),
    ],
)
def test_the_code_itself_then_its_longest_prefix(code, meaning):
    assert meaning_of(code, SETTINGS.codes) == meaning


def test_the_settings_know_every_code_of_the_simulated_operator():
    for at, code in enumerate(CODES[:-2]):
        fine = at // 2
        assert meaning_of(code, SETTINGS.codes) == (CATEGORIES[fine // 3], SUBCATEGORIES[fine])


digits = st.text("012", min_size=1, max_size=4)


@given(
    codes=st.dictionaries(digits, st.sampled_from(["network", "tariff/x", "other"])), code=digits
)
def test_no_longer_prefix_is_passed_over(codes, code):
    prefixes = [prefix for prefix in codes if code.startswith(prefix)]
    expected = codes[max(prefixes, key=len)].partition("/") if prefixes else (None, "", None)
    assert meaning_of(code, codes) == (expected[0], expected[2] or None)


def test_the_regulators_classes():
    classes = {"network": "network_quality", "network/spam": "user_service"}
    assert regulator_class("network", "weak_signal", classes) == "network_quality"
    assert regulator_class("network", "spam", classes) == "user_service"
    assert regulator_class("tariff", None, classes) is None
    assert {*SETTINGS.regulator.values()} == {
        "network_quality", "charging_dispute", "user_service"}  # fmt: skip
