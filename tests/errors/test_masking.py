"""No secret of an address is read anywhere, wherever in the address it stands."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnml.cli import main
from churnml.errors import ModelError
from churnml.errors.masking import masked, without_secrets

S = "hunter2CANARY"
ADDRESSES = [
    f"postgresql://me:{S}@host:5432/db",
    f"postgresql://me:p@{S}/a?b@host/db",
    f"postgresql://me@host/db?sslmode=require&password={S}",
    f"postgresql://me@host/db?sslpassword={S}&sslmode=require",
    f"postgresql://host/db?%70assword={S}",
    f"jdbc:postgresql://host/db;pwd={S}",
    f"mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3D{S}",
    f"sqlite:////srv/mlflow.db?password={S}",
    f"https://host:5000/api?access_token={S}",
    f"https://host/api#token={S}",
    f"https://host/api#a=1&api-key={S}",
    f"https://host/file?X-Amz-Signature={S}&se=2026",
    f"https://{S}@host/api",
    f"https://me:{S}@host:5000",
    f"redis://:{S}@host",
    f"spark://catalog.schema?password={S}",
    f"host=h user=me password='{S} b'",
    f"Server=h;Uid=me;Pwd={S};",
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("sentence", ["{}", "{}: no model store there.", "a '{}' b", '["{}"]'])
def test_a_secret_is_blotted_out_wherever_it_stands(address, sentence):
    text = sentence.format(address)
    shown = without_secrets(text)
    assert S not in shown
    assert "***" in shown
    # What is masked once stays as it is.
    assert without_secrets(shown) == shown


@given(
    st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=6, max_size=20),
    st.sampled_from(
        ["postgresql://u:{}@h/d", "sqlite:///x.db?a=1&password={}#b", "http://h/#pwd={}"]
    ),
)
def test_any_password_of_letters_and_digits_is_blotted_out(secret, address):
    secret = f"~{secret}~"
    assert secret not in without_secrets(address.format(secret))


@pytest.mark.parametrize(
    "text",
    [
        "models:/churn@champion is version 3.",
        "http://127.0.0.1:5000/#/models/churn@champion",
        "https://host:5000/?mail=a@b.de",
        "postgresql://me@host:5432/db?sslmode=require",
        "left = Yes (26.5 % of rows)",
        "password_resets = 3; usage=5",
        "key=3, code = 4",
        "s3://bucket/path",
    ],
)
def test_what_is_no_secret_stays(text):
    assert without_secrets(text) == text


def test_parts_of_an_address_that_a_driver_repeats_are_blotted_out():
    address = "postgresql://me:p%40ss@wd9@host/db?password=two words"
    said = 'could not translate host name "wd9@host": p@ss@wd9, p%40ss@wd9, two words'
    shown = without_secrets(said, address)
    assert not any(part in shown for part in ("wd9", "ss@", "two words"))


def test_errors_carry_no_secrets_in_any_of_their_parts():
    address = f"postgresql://h/db?password={S}"
    error = ModelError(f"{address}: no.", hint=f"See {address}.", file=address, tried=[address])
    assert S not in f"{error!r} {error} {error.args} {error.to_dict()}"


def test_plain_data_are_masked_within():
    facts = {"a": [f"https://h?token={S}", 3, None], "b": {"c": (f"x://u:{S}@h",)}}
    assert masked(facts) == {"a": ["https://h?token=***", 3, None], "b": {"c": ["x://u:***@h"]}}


@pytest.mark.parametrize(
    "uri",
    [
        f"sqlite:///nowhere.db?password={S}",
        f"postgresql://me@127.0.0.1:1/runs?password={S}",
        f"postgresql://me:{S}@127.0.0.1:port/runs",
        f"postgresql://127.0.0.1:{S}/runs",
        f"postgresql://127.0.0.1:1/runs?passwort={S}",
        f"http://127.0.0.1:1/?token={S}",
        f"http://127.0.0.1:1/;pwd={S}",
        f"http://127.0.0.1:1/#access_token={S}",
        f"nonsense://me:{S}@host/x",
    ],
)
@pytest.mark.parametrize("options", [[], ["--json"], ["--debug"]])
def test_a_store_that_is_not_there_is_told_without_its_secrets(
    uri, options, monkeypatch, tmp_path, capfd
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_SQLALCHEMYSTORE_MAX_RETRIES", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as ended:
            main(["history", "churn", *options])
    finally:
        signal.signal(signal.SIGTERM, handler)
    said = capfd.readouterr()
    assert ended.value.code == 4
    assert S not in said.out + said.err
