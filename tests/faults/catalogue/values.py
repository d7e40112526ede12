"""B. Schema and values."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.faults.catalogue.bench import Bench, require
from tests.faults.catalogue.registry import case


@case(21, "a column missing")
def missing(at: Bench) -> None:
    at.refuses(at.csv(at.rows.drop(columns="tenure")), "tenure")


@case(22, "more columns")
def more(at: Bench) -> None:
    done = at.same(at.csv(at.rows.assign(note="x", other=1)))
    require(done.json["ignored"] == ["note", "other"], done.json["ignored"])


@case(23, "columns in any order")
def order(at: Bench) -> None:
    at.same(at.csv(at.rows[at.rows.columns[::-1]]))
    shuffled = at.random().sample(list(at.rows.columns), len(at.rows.columns))
    at.same(at.parquet(at.rows[shuffled]))


@case(24, "a column renamed")
def renamed(at: Bench) -> None:
    at.refuses(at.csv(at.rows.rename(columns={"tenure": "tenor"})), "tenure.*tenor")


@case(25, "one text among 300,000 numbers")
def one_text(at: Bench) -> None:
    row = at.rows[at.rows["id"] != "13800138000"].iloc[:500]
    lines = row.drop(columns="id").to_csv(index=False, header=False).splitlines()
    header = ",".join(at.rows.columns)
    body = [f"{n:07d},{lines[n % 500]}" for n in range(301_000)]
    cells = body[300_000].split(",")
    body[300_000] = ",".join([cells[0], "many", *cells[2:]])
    table = at.raw("\n".join([header, *body]) + "\n")
    done = at.score(table, "--json", "--reasons", "0")
    at.finishes(done)
    require(done.json["rows"]["quarantined"] == 1, done.json["rows"])
    told = done.out + done.err
    require("tenure" in told and "many" in told, done.json["quarantined"])
    require("30000" in told, f"the row is not named: {done.json['quarantined']}")


@case(26, "1,234.5 · 12,5 · ¥30 · 12%")
def notations(at: Bench) -> None:
    for text in ("1,234.5", "12,5", "¥30", "12%"):
        frame = at.rows.astype({"费用": "object"})
        frame.loc[:199, "费用"] = text
        table = at.csv(frame)
        done = at.score(table, "--overwrite", "--json")
        if done.status == 3:
            require("费用" in done.err, done.err[-300:])
            continue
        found = at.finishes(done, (0, 6))
        told = done.out + done.err
        require("费用" in told, f"{text}: nothing is said of it: {told[-300:]}")
        if done.json["rows"]["quarantined"] == 0:
            number = {"1,234.5": 1234.5, "12,5": 12.5, "¥30": 30.0, "12%": (12.0, 0.12)}[text]
            alike = []
            for value in number if isinstance(number, tuple) else (number,):
                frame.loc[:199, "费用"] = value
                at.score(at.csv(frame, "read.csv"), out=at.folder / f"read{value}")
                read = at.scorer.scores(at.folder / f"read{value}")["churn_probability"]
                alike.append(np.array_equal(read, found["churn_probability"]))
            require(any(alike), f"{text} was read as another number")
        else:
            require(done.json["rows"]["quarantined"] == 200, done.json["rows"])


@case(27, "whole numbers that have gaps at scoring")
def gaps(at: Bench) -> None:
    frame = at.rows.astype({"calls": float})
    frame.loc[5, "calls"] = np.nan
    done = at.score(at.csv(frame), "--json")
    found, expected = at.finishes(done), at.shared.expected
    require(len(found) == len(expected), len(found))
    others = expected.index.drop(at.rows["id"][5])
    pd.testing.assert_frame_equal(found.loc[others], expected.loc[others])


@case(28, "other types with the same values")
def types(at: Bench) -> None:
    rows = at.rows
    at.same(at.parquet(rows.astype({"calls": "Int64", "tenure": "Int64"})))
    at.same(at.parquet(rows.astype({"tenure": "float32", "calls": "int8"})))
    at.same(at.parquet(rows.assign(calls=[Decimal(n) for n in rows["calls"]])))
    bits = at.parquet(rows.astype({"online": "int64"}))
    if at.score(bits, "--overwrite").status == 0:
        at.alike(at.scorer.scores(at.out))
    else:
        at.trips(bits, "online")
    at.same(at.parquet(rows.convert_dtypes(dtype_backend="pyarrow")))
    done = at.score(at.parquet(rows.assign(calls=2**60 + 1)), "--overwrite", "--json")
    require(done.status in (3, 6), f"2**60 is scored in silence: {done.status}")


@case(29, "ids with leading zeros, plus signs, twenty digits; an id missing")
def ids(at: Bench) -> None:
    wanted = ["00123", "+8613900139000", "12345678901234567890", "NA", "null", "001"]
    at.finishes(at.score(at.csv(at.rows.head(6).assign(id=wanted)), "--json"))
    require(set(at.scorer.scores(at.out).index) == set(wanted), "ids have changed")
    at.sets_aside(at.lines(lambda ls: [*ls, ",5,1.0,3,basic,village 1,True"]), 1, "id")
    numbers = at.rows.assign(id=pd.array([None, *range(1, len(at.rows))], dtype="Int64"))
    done = at.score(at.parquet(numbers), "--overwrite", "--json")
    found = at.finishes(done)
    require("7" in found.index, f"ids such as {found.index[5]!r}")


@case(30, "ids that stand twice")
def duplicates(at: Bench) -> None:
    at.refuses(at.lines(lambda lines: [*lines, *lines[10:12]]), "id", "more than one row")


@case(31, "NA, None, null, nan as values")
def null_words(at: Bench) -> None:
    words = ["NA", "None", "null", "nan"]
    train = at.rows.assign(
        plan=[words[n % 4] for n in range(len(at.rows))],
        left=["yes" if n % 4 == 1 or n % 7 == 0 else "no" for n in range(len(at.rows))],
    )
    argv = at.training(at.csv(train, "t.csv"))
    done = at.run(*argv, "--no-track", "--out", at.folder / "m")
    require(done.status == 0, done.err[-300:])
    rows = train.drop(columns="left")
    levels = {}
    for word in words:
        at.score(at.csv(rows.assign(plan=word)), "--overwrite", model=at.folder / "m")
        levels[word] = at.scorer.scores(at.out)["churn_probability"].mean()
    require(levels["None"] > 1.5 * levels["null"], f"the words are one to the model: {levels}")


@case(32, "values never seen, in a few rows and in many")
def unseen(at: Bench) -> None:
    few = at.rows.assign(plan=["ultra"] * 15 + at.rows["plan"].tolist()[15:])
    done = at.score(at.csv(few), "--json")
    at.finishes(done)
    require(done.json["unseen"] == {"plan": 0.025}, done.json["unseen"])
    many = at.rows.assign(plan=["ultra"] * 120 + at.rows["plan"].tolist()[120:])
    at.trips(at.csv(many), "plan", "120 of 600")


@case(33, "a whole column in other letters, with blanks, as numbers")
def relettered(at: Bench) -> None:
    plan = at.rows["plan"]
    for changed in (plan.str.upper(), plan + " ", 7):
        table = at.csv(at.rows.assign(plan=changed))
        done = at.score(table, "--overwrite", "--json")
        if done.status == 0:
            at.alike(at.finishes(done))
            require("plan" in done.out + done.err, "nothing is said")
        else:
            require(done.status in (3, 6) and "plan" in done.err, done.err[-300:])


@case(34, "a category with as many values as rows")
def many_values(at: Bench) -> None:
    rows = pd.concat([at.rows] * 50, ignore_index=True)
    rows["id"] = [f"{n:06d}" for n in range(len(rows))]
    rows["plan"] = [f"plan {n}" for n in range(len(rows))]
    at.trips(at.csv(rows), "plan")


@case(35, "inf, -inf, 1e400, 1e308")
def infinite(at: Bench) -> None:
    def change(lines: list[str]) -> list[str]:
        for at_line, value in ((10, "inf"), (11, "-inf"), (12, "1e400"), (13, "1e308")):
            cells = lines[at_line].split(",")
            lines[at_line] = ",".join([cells[0], value, *cells[2:]])
        return lines

    at.sets_aside(at.lines(change), 4, "tenure")


@case(36, "numbers beyond reason: tenure -5, 10⁹")
def beyond(at: Bench) -> None:
    frame = at.rows
    frame.loc[10:540, "tenure"] = 1e9
    at.trips(at.csv(frame), "tenure")
    source = at.operator()
    people = pq.read_table(source / "customers.parquet").to_pandas()
    people.loc[:3, "birth_year"] = [-5, 10**9, 1700, 2200]
    people.to_parquet(source / "customers.parquet")
    done = at.run("validate", source, "--json")
    require(done.status == 0 and "birth_year" in done.out, done.out[:300])


@case(37, "a column all empty, a column all alike")
def constant(at: Bench) -> None:
    at.trips(at.csv(at.rows.assign(tenure=None)), "tenure")
    at.trips(at.csv(at.rows.assign(tenure=3.0)), "tenure")


@case(38, "dates that are none, and dates after as_of")
def dates(at: Bench) -> None:
    source = at.operator()
    people = pq.read_table(source / "customers.parquet").to_pandas()
    people["activated_on"] = people["activated_on"].astype(str)
    people.loc[[2, 5, 7], "activated_on"] = ["0000-00-00", "31/31/2025", "2300-01-01"]
    (source / "customers.parquet").unlink()
    people.to_csv(source / "customers.csv", index=False)
    done = at.run("validate", source, "--json")
    require(done.status == 0, done.err[-300:])
    require("activated_on" in done.out, done.out[:500])
    out = at.folder / "f.parquet"
    done = at.run("features", source, "--as-of", "2026-06-01", "--out", out, "--json")
    require(done.status == 0, done.err[-300:])
    late = ["features", source, "--as-of", "2027-06-01", "--out", out, "--overwrite", "--json"]
    require(at.run(*late).status == 3, "a date long after the data")


@case(39, "labels of one class, with gaps, infinite, or copied into a column")
def labels(at: Bench) -> None:
    frame = pd.read_csv(at.shared.training, dtype={"id": str})

    def trains(changed: pd.DataFrame, *words: str, statuses: tuple[int, ...] = (3,)) -> None:
        argv = at.training(at.csv(changed))
        done = at.run(*argv, "--no-track", "--out", at.folder / "m", "--overwrite")
        require(done.status in statuses, f"status {done.status}: {done.err[-300:]}")
        for word in words:
            require(word in done.err + done.out, f"{word}: {done.err[-500:]}")

    trains(frame.assign(left="yes"), "left")
    trains(frame.assign(left=np.where(frame["left"] == "yes", np.inf, 0.0)), "left")
    trains(frame.assign(copy=frame["left"]), "copy", statuses=(0, 3))
    gaps = frame.assign(left=frame["left"].where(frame.index % 3 > 0))
    trains(gaps, "target", statuses=(0, 3))


@case(40, "every row set aside")
def none_left(at: Bench) -> None:
    at.refuses(at.csv(at.rows.assign(tenure=np.inf)), "tenure")


@case(41, "another unit: minutes as seconds, yuan as fen")
def units(at: Bench) -> None:
    for column, factor in (("tenure", 60), ("费用", 100)):
        frame = at.rows
        frame[column] *= factor
        at.trips(at.csv(frame), column)


@case(42, "values that slid one column to the right")
def slid(at: Bench) -> None:
    def change(lines: list[str]) -> list[str]:
        cells = [line.split(",") for line in lines[1:]]
        return [lines[0], *(",".join([c[0], c[-1], *c[1:-1]]) for c in cells)]

    at.refuses(at.lines(change), "tenure|calls|费用")


@case(43, "5,000 columns, and names that no library likes")
def odd_names(at: Bench) -> None:
    wide = pd.DataFrame(
        np.zeros((len(at.rows), 5000)), columns=[f"c{n}" for n in range(5000)], dtype="int8"
    )
    at.same(at.parquet(pd.concat([at.rows, wide], axis=1)))
    odd = {
        "tenure": 'a,:[]{}"b',
        "费用": "费 用\n元",
        "calls": "📞",
        "plan": "a\\b",
        "online": "x'; --",
    }
    frame = pd.read_csv(at.shared.training, dtype={"id": str})
    train = frame.rename(columns=odd)
    argv = at.training(at.csv(train))
    done = at.run(*argv, "--no-track", "--out", at.folder / "m")
    require(done.status == 0, done.err[-300:])
    done = at.score(at.csv(at.rows.rename(columns=odd)), "--overwrite", model=at.folder / "m")
    found, expected = at.finishes(done), at.shared.expected
    alike = np.corrcoef(found["churn_probability"], expected["churn_probability"])[0, 1]
    require(alike > 0.9, f"another model under other names: {alike}")
    for name in ("__index_level_0__", ""):
        at.same(at.csv(at.rows.assign(**{name: range(len(at.rows))})))


@case(
    44,
    "the same data from pandas, Arrow and DuckDB",
    apart="Spark is an extra; polars is not installed, its Arrow types stand for it",
)
def libraries(at: Bench) -> None:
    rows = at.rows
    at.same(at.parquet(rows.astype({"plan": "category", "village": "object"})))
    table = pa.Table.from_pandas(rows, preserve_index=False)
    plan = table.schema.get_field_index("plan")
    at.same(at.parquet(table.set_column(plan, "plan", table["plan"].dictionary_encode())))
    large = pa.schema(
        pa.field(one.name, pa.large_string() if pa.types.is_string(one.type) else one.type)
        for one in table.schema
    )
    at.same(at.parquet(table.cast(large)))
    with duckdb.connect() as connection:
        connection.register("seen", table)
        connection.execute(f"copy seen to '{at.folder}/duck.parquet'")
    at.same(at.folder / "duck.parquet")
