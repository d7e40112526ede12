"""A user's filter is one condition over known columns, or a sentence that says what is wrong."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnml.errors import UsageError
from churnml.reports.where import parse_where

COLUMNS = ["arpu", "risk_band", "customer_id"]


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("arpu > 100", '"arpu" > 100'),
        ("ARPU*12 >= 1e3 and not risk_band in ('low')", None),
        ("arpu between 1 and 2 or arpu is null", None),
        ("customer_id like '138%'", None),
        ("risk_band <> 'low' -- the rest", None),
    ],
)
def test_conditions_are_read(text, sql):
    found = parse_where(text, COLUMNS)
    assert "arpu" in found or "customer_id" in found or "risk_band" in found
    assert sql is None or found == sql


@pytest.mark.parametrize(
    "text",
    [
        "",
        "arpu",
        "1",
        "arpu + 1",
        "(((",
        "arpu > 1; drop table x",
        "arpu > (select 1)",
        "exists (select 1)",
        "customer_id in (select customer_id from scored)",
        "read_csv('/etc/passwd') is null",
        "getenv('HOME') = 'x'",
        "upper(risk_band) = 'LOW'",
        "arpu::int > 3",
        "cast(arpu as int) > 3",
        "case when arpu > 1 then true else false end",
        "risk_band ~ 'a.*'",
        "'/etc/passwd' = customer_id[1]",
        "scored.arpu > 1",
        "arpu > 1 union select 1",
        "arpu > ?",
        "arpu > $1",
        "list_filter(risk_band, lambda x: x > 1) is null",
        "(" * 900 + "arpu > 1" + ")" * 900 + " " * 300,
    ],
)
def test_everything_else_is_refused_with_status_2(text):
    with pytest.raises(UsageError, match=r"--where") as refused:
        parse_where(text, COLUMNS)
    assert "Traceback" not in str(refused.value)


def test_a_misspelt_column_is_named_with_the_nearest():
    with pytest.raises(UsageError, match=re.escape("no column 'arpuu'. Did you mean arpu?")):
        parse_where("arpuu > 1", COLUMNS)


@given(st.text(max_size=60))
def test_no_text_does_anything_but_parse_or_be_refused(text):
    with suppress(UsageError):
        assert isinstance(parse_where(text, COLUMNS), str)
