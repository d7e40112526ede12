"""What is refused, what is reported, and what a source looks like at a day."""

import datetime as dt
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churnml.config.settings import Config, as_config
from churnml.errors import ContractError, DataError, OutputError, UsageError
from churnml.tables.source import open_source
from churnml.tables.validation import CODES, quarantine, validate


def test_an_operator_without_a_breach_is_left_as_it_is(write, good, folder):
    source = open_source(write(folder, good))
    found = validate(source)
    assert found.report.breaches == ()
    assert not found.refused
    assert found.accepted().tables["bills"].equals(source.tables["bills"])
    assert all(count.rows == count.good for count in found.report.counts)


def test_an_optional_table_without_rows_is_good_and_told(write, good, folder):
    del good["complaints"]
    write(folder, good)
    (folder / "complaints.csv").write_text(
        "complaint_id,customer_id,opened_at,closed_at,category\n"
    )
    report = validate(open_source(folder)).report
    assert (report.breaches, report.refused) == ((), ())
    assert "complaints: no row at all." in report.notes


def test_bills_without_rows_refuse_the_source(write, good, folder):
    del good["bills"]
    write(folder, good)
    (folder / "bills.csv").write_text("customer_id,month,amount\n")
    report = validate(open_source(folder)).report
    assert report.codes() == {"C22": 1}
    assert report.refused == (
        "bills: a required table has no row; expected at least one row; source refused [C22]",
    )


def test_customers_without_rows_are_told_before_the_orphans_that_this_makes(write, good, folder):
    del good["customers"]
    write(folder, good)
    (folder / "customers.csv").write_text("customer_id,activated_on,terminated_on,payment\n")
    report = validate(open_source(folder)).report
    (reason,) = report.refused
    assert reason.startswith("customers: a required table has no row")


def test_ids_that_are_numbers_in_one_table_are_the_cause_that_is_named(write, good, rows, folder):
    ids = [f"00{at}" for at in range(271, 275)]
    tables = {
        "customers": [rows.customer(one) for one in ids],
        "bills": [rows.bill(one) for one in ids],
        "complaints": [rows.complaint("k1", customer_id=ids[0])],
    }
    path = write(folder, tables) / "customers.parquet"
    table = pq.read_table(path)
    numbers = table["customer_id"].cast(pa.int64())
    pq.write_table(table.set_column(0, "customer_id", numbers), path)
    cause, *others = validate(open_source(folder)).report.refused
    assert cause.startswith(
        "customers.customer_id is a number (int64), but text in bills, complaints, such as "
        "'00271', and a number has lost its leading zeros; store customer_id as text"
    )
    assert [one.partition(":")[0] for one in others] == ["bills", "complaints"]


def test_ids_that_are_numbers_in_every_table_are_fine(write, rows, folder):
    tables = {"customers": [rows.customer("271")], "bills": [rows.bill("271")]}
    write(folder, tables)
    for path in folder.iterdir():
        table = pq.read_table(path)
        numbers = table["customer_id"].cast(pa.int64())
        pq.write_table(table.set_column(0, "customer_id", numbers), path)
    report = validate(open_source(folder)).report
    assert (report.breaches, report.refused) == ((), ())


def test_a_column_of_the_contract_is_not_suggested_for_another(write, good, folder):
    write(folder, good)
    (folder / "bills.parquet").unlink()
    (folder / "bills.csv").write_text("customer_id,month,fee\n")
    assert "nearest" not in str(validate(open_source(folder)).report.breaches[0])


def test_the_nearest_column_may_be_written_in_capitals_and_with_blanks(write, good, folder):
    path = write(folder, good) / "customers.parquet"
    table = pq.read_table(path)
    names = [name.replace("payment", "PAYMENT ") for name in table.column_names]
    pq.write_table(table.rename_columns(names), path)
    (breach,) = validate(open_source(folder)).report.breaches
    assert breach.expected.endswith("(nearest: 'PAYMENT ')")


def test_examples_differ_as_far_as_they_can(write, good, rows, folder):
    amounts = [-1.0, -1.0, -1.0, -2.0, -1.0, -1.0, -3.0]
    good["bills"] = [rows.bill(f"c{at}", amount=a) for at, a in enumerate(amounts)]
    good["customers"] = [rows.customer(f"c{at}") for at in range(len(amounts))]
    del good["groups"]
    (breach,) = [
        one
        for one in validate(open_source(write(folder, good))).report.breaches
        if one.code == "C04"
    ]
    assert breach.examples == ("-1.0", "-2.0", "-3.0")
    assert breach.rows == (1, 2, 3, 4, 7)


def test_every_table_sets_its_blank_keys_aside(write, good, folder):
    blanks = ["", "  ", "\u3000", "\u00a0 \t"]
    for at, table in enumerate(good.values()):
        key = next(iter(table[0]))
        table.append(table[0] | {key: blanks[at % 4]})
    found = validate(
        open_source(write(folder, good)),
        Config.model_validate({"validation": {"set_aside_limit": 1}}),
    )
    missing = {one.table: one.count for one in found.report.breaches if one.code == "C16"}
    assert missing == dict.fromkeys(good, 1)
    assert "C07" not in found.report.codes()
    assert {one.table: one.aside for one in found.report.counts} == dict.fromkeys(good, 1)


def test_missing_tables_and_columns_are_told_together(write, good, folder):
    del good["bills"]
    for row in good["contacts"]:
        row.pop("channel")
    found = validate(open_source(write(folder, good)))
    assert [str(breach) for breach in found.report.breaches] == [
        "bills: a required table is missing; expected bills.parquet, bills.csv or a folder "
        "bills/; source refused [C01]",
        "contacts.channel: a required column, or one that the mapping names, is missing; "
        f"expected a column channel in {folder / 'contacts.parquet'}; source refused [C02]",
    ]
    assert found.refused
    with pytest.raises(ContractError, match=r"refused: bills: a required table is missing"):
        found.accepted()


def test_a_missing_column_names_the_nearest(write, good, folder):
    write(folder, good)
    (folder / "offers.parquet").unlink()
    (folder / "offers.csv").write_text("offer_id,customer_id,offered at,offer,arm\n")
    (breach,) = validate(open_source(folder)).report.breaches
    assert breach.expected.endswith("(nearest: 'offered at')")


def test_absent_optional_tables_and_extra_columns_are_listed(write, rows, folder):
    write(folder, {"customers": [rows.customer("c1")]})
    (folder / "bills.csv").write_text("customer_id,month,amount,note\nc1,2026-06-01,3,hello\n")
    report = validate(open_source(folder)).report
    events = ("complaints", "contacts", "surveys", "offers", "opt_outs", "ties")
    assert report.missing == ("groups", "usage", *events)
    assert report.ignored == {"bills": ("note",)}


@pytest.mark.parametrize(("bad", "refused"), [(1, False), (2, True)])
def test_more_than_the_limit_set_aside_refuses(bad, refused, write, rows, folder):
    bills = [rows.bill(f"c{at}") for at in range(20)]
    for bill in bills[:bad]:
        bill["amount"] = -1.0
    tables = {"customers": [rows.customer(f"c{at}") for at in range(20)], "bills": bills}
    found = validate(open_source(write(folder, tables)))
    assert found.refused is refused
    if refused:
        assert found.report.refused == (
            "bills: 2 of 20 rows set aside (10.0%, at most 5.0%): C04 amount 2",
        )
    settings = Config.model_validate({"validation": {"set_aside_limit": 0.1}})
    assert not validate(open_source(folder), settings).refused


def test_columns_in_each_other_s_place_look_shifted(write, rows, folder):
    write(folder, {"customers": [rows.customer("c1")]})
    (folder / "bills.csv").write_text("customer_id,month,amount,voice\nx,c1,2026-06-01,a\n")
    (reason,) = validate(open_source(folder)).report.refused
    assert reason.endswith("the columns look shifted")


def test_a_column_without_a_good_value_is_told_apart(write, good, rows, folder):
    good["customers"] = [rows.customer(f"c{at}", brand="GOTONE") for at in range(1, 4)]
    report = validate(open_source(write(folder, good))).report
    assert report.unmatched == ("customers.brand",)
    (breach,) = report.breaches
    assert breach.everywhere
    assert ", 3 times: GOTONE (row 1, 2, 3), and not one good value;" in str(breach)
    good["customers"][0]["brand"] = "gotone"
    report = validate(open_source(write(folder, good))).report
    assert not report.breaches[0].everywhere
    assert report.unmatched == ()


def test_nothing_at_or_after_a_day_is_looked_at(write, good, rows, folder):
    good["contacts"] += [
        rows.contact("t2", channel="pigeon", started_at=dt.datetime(2026, 5, 31, 23, 59)),
        rows.contact("t3", channel="pigeon", started_at=dt.datetime(2026, 6, 1)),
        rows.contact("t4", channel="pigeon", known_at=dt.datetime(2026, 6, 1, 0, 1)),
    ]
    good["surveys"].append(rows.survey("s2", answered_at=dt.datetime(2026, 6, 2), score=99.0))
    found = validate(open_source(write(folder, good)), until="2026-06-01")
    assert [(one.code, one.count) for one in found.report.breaches] == [("C05", 1)]
    counts = {one.table: one.rows for one in found.report.counts}
    assert (counts["bills"], counts["usage"], counts["contacts"]) == (10, 0, 2)
    surveys = found.source.tables["surveys"].order_by("survey_id").to_pyarrow().to_pylist()
    assert [row["score"] for row in surveys] == [7.0, None]


def test_rows_without_a_date_are_told_at_any_day(write, good, rows, folder):
    good["contacts"].append(rows.contact("t2", started_at=None))
    settings = Config.model_validate({"validation": {"set_aside_limit": 1}})
    found = validate(open_source(write(folder, good)), settings, until="2026-06-01")
    assert [(one.code, one.column) for one in found.report.breaches] == [("C16", "started_at")]
    assert found.source.tables["contacts"].count().to_pyarrow().as_py() == 1


def test_two_validations_of_one_source_do_not_disturb_each_other(write, good, rows, folder):
    good["contacts"] += [
        rows.contact("t1"),
        rows.contact("t2", customer_id="x"),
        rows.contact("t3", customer_id="y", started_at=dt.datetime(2026, 6, 20)),
    ]
    source = open_source(write(folder, good))
    settings = Config.model_validate({"validation": {"set_aside_limit": 1}})
    whole = validate(source, settings)
    part = validate(source, settings, until="2026-06-01")
    assert whole.source.tables["contacts"].count().to_pyarrow().as_py() == 1
    assert part.source.tables["contacts"].count().to_pyarrow().as_py() == 1
    assert {one.table: one.aside for one in whole.report.counts}["contacts"] == 3


def test_zoned_timestamps_without_a_timezone_are_noted(write, good, folder):
    write(folder, good)
    table = pq.read_table(folder / "contacts.parquet")
    at = table.schema.get_field_index("started_at")
    zoned = table["started_at"].cast(pa.timestamp("us", "UTC"))
    pq.write_table(table.set_column(at, "started_at", zoned), folder / "contacts.parquet")
    (note,) = validate(open_source(folder)).report.notes
    assert note.startswith("contacts: started_at have a time zone and are read as UTC")


def test_control_and_direction_characters_are_shown_escaped(write, good, rows, folder):
    good["customers"].append(rows.customer("c3", brand="a\x1b[31m\u202eb<script>"))
    report = validate(open_source(write(folder, good))).report
    (breach,) = report.breaches
    assert breach.examples == ("a\\x1b[31m\\u202eb<script>",)
    assert "<script>" not in report._repr_html_()
    assert "&lt;script&gt;" in report._repr_html_()


def test_a_key_with_a_control_character_is_set_aside(write, good, rows, folder):
    good["complaints"].append(rows.complaint("k\x002"))
    settings = Config.model_validate({"validation": {"set_aside_limit": 1}})
    (breach,) = validate(open_source(write(folder, good)), settings).report.breaches
    assert (breach.code, breach.examples) == ("C19", ("k\\x002",))


def test_the_report_as_plain_data(write, good, rows, folder):
    good["bills"].append(rows.bill("c1", 6, amount=-5.0))
    report = validate(open_source(write(folder, good))).report
    plain = json.loads(json.dumps(report.to_dict()))
    assert plain["refused"] == ["bills: 1 of 13 rows set aside (7.7%, at most 5.0%): C04 amount 1"]
    assert plain["tables"][2] == {"table": "bills", "rows": 13, "good": 12, "aside": 1}
    assert plain["breaches"][0]["message"].startswith("bills.amount: a value out of range: -5.0")
    assert report.codes() == {"C04": 1}
    assert ("bills", "13", "12", "1") in list(report.count_rows())
    assert next(report.breach_rows())[:5] == ("C04", "bills", "amount", "1", "-5.0 (row 13)")


def test_every_code_has_a_meaning():
    assert list(CODES) == [f"C{at:02d}" for at in range(1, len(CODES) + 1)]
    assert all(code.meaning and code.effect for code in CODES.values())


@pytest.fixture
def broken(write, good, rows, folder):
    """A source with a bad, an orphaned and a doubled row."""
    good["contacts"] += [
        rows.contact("t2", channel="pigeon"),
        rows.contact("t3", customer_id="x"),
        rows.contact("t1"),
    ]
    settings = Config.model_validate({"validation": {"set_aside_limit": 1}})
    return validate(open_source(write(folder, good)), settings)


def test_rows_set_aside_are_written_with_their_reason(broken, tmp_path, folder):
    assert quarantine(broken, tmp_path / "bad") == {"contacts": 3}
    rows = pq.read_table(tmp_path / "bad" / "contacts.parquet").to_pylist()
    assert [(row["code"], row["column"], row["row"], row["contact_id"]) for row in rows] == [
        ("C05", "channel", 2, "t2"),
        ("C07", "customer_id", 3, "t3"),
        ("C06", "contact_id", 4, "t1"),
    ]
    assert rows[0]["message"] == "expected hall, hotline, app, terminal"
    assert rows[0]["channel"] == "pigeon"
    assert rows[0]["file"] == str(folder / "contacts.parquet")
    report = json.loads((tmp_path / "bad" / "report.json").read_text())
    assert [breach["code"] for breach in report["breaches"]] == ["C05", "C06", "C07"]


def test_a_quarantine_is_not_replaced_unasked(broken, tmp_path):
    quarantine(broken, tmp_path / "bad")
    with pytest.raises(OutputError, match="a quarantine already exists"):
        quarantine(broken, tmp_path / "bad")
    quarantine(broken, tmp_path / "bad", overwrite=True)
    names = sorted(path.name for path in (tmp_path / "bad").iterdir())
    assert names == ["contacts.parquet", "report.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad", "operator"]


@pytest.mark.parametrize("mine", ["mine.txt", "mine/customers.parquet", "report.json"])
def test_only_a_quarantine_is_ever_replaced(broken, tmp_path, mine):
    if mine != "report.json":
        quarantine(broken, tmp_path / "bad")
    (tmp_path / "bad" / mine).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "bad" / mine).write_text("mine")
    with pytest.raises(OutputError, match="not a quarantine of churnml alone"):
        quarantine(broken, tmp_path / "bad", overwrite=True)
    assert (tmp_path / "bad" / mine).read_text() == "mine"


def test_without_rows_set_aside_the_quarantine_holds_the_report(write, good, folder, tmp_path):
    found = validate(open_source(write(folder, good)))
    assert quarantine(found, tmp_path / "bad") == {}
    assert [path.name for path in (tmp_path / "bad").iterdir()] == ["report.json"]


def test_repr_is_short(broken):
    assert repr(broken).endswith("accepted, 3 of 23 rows set aside)")


def test_a_damaged_page_is_refused_or_read_and_never_a_fault_of_ours(write, good, rows, folder):
    good["bills"] = [rows.bill("c1", 1 + at % 6, amount=at / 7) for at in range(400)]
    path = write(folder, good) / "bills.parquet"
    whole = path.read_bytes()
    refused = 0
    for at in range(40, len(whole) // 2, len(whole) // 12):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            validate(open_source(folder))
        except DataError:
            refused += 1
    assert refused


def test_the_brands_of_another_operator_are_a_setting(good, write, folder):
    good["customers"][1]["brand"] = "Red Unlimited"
    source = open_source(write(folder, good))
    (breach,) = validate(source).report.breaches
    assert (breach.code, breach.effect) == ("C05", "null")
    assert "Red Unlimited" in breach.lost
    assert breach.lost.endswith(
        "expected gotone, easyown, mzone, senior, other (setting brands.names)"
    )
    own = validate(source, {"brands": {"names": ["Red Unlimited", "Blue"]}})
    assert own.report.breaches == ()
    kept = own.accepted().tables["customers"].to_pandas()["brand"]
    assert kept.dropna().tolist() == ["Red Unlimited"]


def test_a_mapping_leads_to_brands_of_one_s_own(good, write, folder):
    good["customers"][1]["brand"] = "R1"
    write(folder, good)
    mapping = folder / "source.yaml"
    mapping.write_text("tables: {customers: {values: {brand: {R1: red}}}}\n")
    read = validate(open_source(folder), {"brands": {"names": ["red", "blue"]}})
    assert read.report.breaches == ()
    assert read.accepted().tables["customers"].to_pandas()["brand"].dropna().tolist() == ["red"]


@pytest.mark.parametrize(
    ("brands", "said"),
    [
        ({"names": ["red"], "elderly": ["blue"]}, "elderly has blue, which names has not"),
        ({"names": []}, "at least 1 item"),
        ({"names": ["red", "red"]}, "twice"),
    ],
)
def test_brands_that_cannot_be_are_refused(brands, said):
    with pytest.raises(UsageError, match=said):
        as_config({"brands": brands})
