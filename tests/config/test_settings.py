"""Settings: defaults, files, and what is refused."""

from pathlib import Path

import pytest

from churnml.config.settings import Config, load_config, schema
from churnml.errors import UsageError

CONFIGS = Path(__file__).parents[2] / "configs"


def write(folder, text):
    path = folder / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_files_spell_out_the_defaults(path):
    assert load_config(path) == Config()


def test_shipped_files_hold_every_setting():
    from churnml.config.yaml import read_yaml

    spelled = {}
    for path in CONFIGS.glob("*.yaml"):
        spelled |= read_yaml(path)
    assert {name: set(section) for name, section in spelled.items()} == {
        name: set(section) for name, section in Config().model_dump().items()
    }


def test_schema_file_is_current():
    assert (CONFIGS / "schema" / "config.json").read_text(encoding="utf-8") == schema()


def test_what_a_file_leaves_out_has_the_default(tmp_path):
    config = load_config(write(tmp_path, "tiers: {gold: 1200}\n"))
    assert config.tiers.gold == 1200
    assert config.tiers.silver == Config().tiers.silver
    assert config.churn == Config().churn


def test_an_empty_file_is_the_defaults(tmp_path):
    assert load_config(write(tmp_path, "# nothing\n")) == Config()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tiers: {gold: 1200}\ntiers: {gold: 1}\n", "line 2, column 1.*duplicate key"),
        ("tiers: {golt: 1200}\n", "unknown key 'tiers.golt'. Did you mean 'gold'"),
        ("tierz: {}\n", "unknown key 'tierz'. Did you mean 'tiers'"),
        ("tiers: {gold: expensive}\n", "tiers.gold: .*got 'expensive'"),
        ("tiers: {gold: 100}\n", "silver < gold < diamond"),
        ("churn: {horizon: 12:30}\n", "churn.horizon"),
        ("churn: {horizon: 2 months}\n", "churn.horizon"),
        ("churn: {definition: gone}\n", "churn.definition"),
        ("- a\n- b\n", "mapping of sections expected"),
        ("tiers: [\n", "line 2"),
        ("a: &x 1\nb: *x\n", "aliases"),
        ("a: !!python/object/apply:os.system ['true']\n", "line 1"),
        ("[" * 5000, "settings.yaml"),
        ("# " + "x" * 2_000_000, "at most 1000000 expected"),
    ],
)
def test_what_is_not_a_setting_is_refused_with_its_place(tmp_path, text, message):
    with pytest.raises(UsageError, match=message) as refused:
        load_config(write(tmp_path, text))
    assert refused.value.status == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tiers:\n  gold: x\n", "line 2, column 3: tiers.gold: a number expected, got 'x'."),
        ("churn: {folds: 1}\n", "churn.folds: at least 2 expected, got 1."),
        ("churn: {folds: 2.5}\n", "churn.folds: a whole number expected, got 2.5."),
        ("churn: {seed: -1}\n", "churn.seed: at least 0 expected, got -1."),
        ("churn: {horizon: soon}\n", "days or months such as 60d or 2mo expected, got 'soon'."),
        ("churn: {budget: 5}\n", "churn.budget: text expected, got 5."),
        ("churn: {budget: 5 min}\n", "a time such as 60s, 5m or 1h expected, got '5 min'."),
        ("validation: {set_aside_limit: 7}\n", "at most 1 expected, got 7."),
        ("tiers: 5\n", "tiers: a mapping of names to values expected, got 5."),
        ("churn: {definition: gone}\n", "'termination', 'inactivity' or 'either' expected"),
    ],
)
def test_faults_are_told_in_plain_words(tmp_path, text, problem):
    with pytest.raises(UsageError) as refused:
        load_config(write(tmp_path, text))
    assert problem in str(refused.value)
    assert "nput should" not in str(refused.value)


def test_all_faults_are_told_with_their_lines(tmp_path):
    text = "tiers:\n  gold: x\n  golt: 1\nchurn:\n  seed: -1\n"
    path = write(tmp_path, text)
    with pytest.raises(UsageError) as refused:
        load_config(path)
    assert str(refused.value) == (
        f"{path}: 3 faults: line 2, column 3: tiers.gold: a number expected, got 'x'; "
        "line 3, column 3: unknown key 'tiers.golt' (did you mean 'gold'?); "
        "line 5, column 3: churn.seed: at least 0 expected, got -1."
    )


def test_of_many_faults_five_are_told(tmp_path):
    text = "churn: {" + ", ".join(f"x{at}: 1" for at in range(8)) + "}\n"
    with pytest.raises(UsageError, match=r"8 faults: .*x4.*; and 3 more\.") as refused:
        load_config(write(tmp_path, text))
    assert "churn.x5" not in str(refused.value)


def test_a_missing_file_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        load_config(tmp_path / "none.yaml")


def test_the_digest_changes_with_what_changes_results_only():
    default = Config()
    assert default.digest() == Config().digest()
    assert default.digest() == Config.model_validate({"engine": {"threads": 1}}).digest()
    assert default.digest() != Config.model_validate({"tiers": {"gold": 1501}}).digest()


def test_a_default_written_out_has_the_digest_of_the_default(tmp_path):
    assert load_config(CONFIGS / "tiers.yaml").digest() == Config().digest()
