"""Builders that another package installs."""

import json
import subprocess
import sys
import textwrap

import pytest

from churnml.features import Feature, builder

BUILDER = """
    from churnml.features import Feature, builder

    @builder(Feature(name="loyalty_bills_count", unit="bills", driver="value", en="Bills seen",
                     zh="账单数", needs=("bills.amount",), empty=0))
    def bills(view):
        rows = view.last_months("bills", 12)
        counted = rows.group_by("customer_id", "as_of").agg(n=rows.count())
        return {"loyalty_bills_count": counted.n}
"""

SCRIPT = """
    import json
    from datetime import date
    import pyarrow as pa
    import churnml
    from churnml.errors import ChurnmlError
    from churnml.features import declared

    try:
        source = churnml.open_source({
            "customers": pa.table({"customer_id": ["A", "B"], "payment": ["prepaid"] * 2,
                "activated_on": [date(2024, 1, 1)] * 2,
                "terminated_on": pa.array([None] * 2, pa.date32())}),
            "bills": pa.table({"customer_id": ["A", "A"], "amount": [1.0, 2.0],
                "month": [date(2026, 1, 1), date(2026, 2, 1)]})})
        rows = churnml.build_features(source, "2026-03-01").to_pandas()
        print(json.dumps(dict(zip(rows.customer_id, map(int, rows.loyalty_bills_count)))))
    except ChurnmlError as error:
        print(json.dumps(error.to_dict()))
"""


def run(folder, code, points):
    (folder / "our_features.py").write_text(textwrap.dedent(code), encoding="utf-8")
    info = folder / "our_features-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: our-features\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[churnml.features]\n{points}\n")
    script = f"import sys; sys.path.insert(0, {str(folder)!r})\n" + textwrap.dedent(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_a_builder_joins_by_entry_point(tmp_path):
    assert run(tmp_path, BUILDER, "loyalty = our_features:bills") == {"A": 2, "B": 0}


@pytest.mark.parametrize(
    ("code", "points", "words"),
    [
        ("1 / 0", "loyalty = our_features", "loyalty of our-features .* cannot be loaded"),
        ("x = 1", "loyalty = our_features:x", "is not a builder: it has no FEATURES"),
    ],
)
def test_what_is_no_builder_is_refused_by_its_package(tmp_path, code, points, words):
    import re

    found = run(tmp_path, code, points)
    assert found["status"] == 2
    assert re.search(words, found["message"])


def test_a_function_says_where_its_features_come_from():
    feature = Feature(name="x", unit="", driver="value", en="x", zh="x", needs=())
    made = builder(feature)(lambda view: None)
    assert "test_installed" in made.FEATURES[0].definition
