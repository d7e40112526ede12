"""Simulated ties: who calls whom, what is passed on, and that nothing else changes."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from churnml.errors import UsageError
from churnml.tables.simulator import simulate

SIZE = {"customers": 1_200, "months": 12, "seed": 3}


def digests(folder):
    files = sorted(folder.rglob("*.parquet"))
    return {
        f.relative_to(folder).as_posix(): hashlib.sha256(f.read_bytes()).digest() for f in files
    }


@pytest.fixture(scope="module")
def operators(tmp_path_factory):
    """One operator without ties, and with ties of three strengths of contagion."""
    place = tmp_path_factory.mktemp("operators")
    for name, contagion in {"none": None, "zero": 0.0, "strong": 2.0}.items():
        simulate(place / name, contagion=contagion, **SIZE)
    return place


@pytest.fixture(scope="module")
def ties(operators):
    return pd.read_parquet(operators / "zero" / "ties.parquet")


def test_without_contagion_ties_change_no_byte_of_the_other_tables(operators):
    without, beside = digests(operators / "none"), digests(operators / "zero")
    assert without == {name: beside[name] for name in without}
    assert beside.keys() - without.keys() == {"ties.parquet", "truth/contagion.parquet"}
    nothing = pd.read_parquet(operators / "zero" / "truth" / "contagion.parquet")
    assert (nothing["log_odds"] == 0).all()


def test_two_customers_have_the_same_calls_with_one_another(ties):
    assert not ties.duplicated(["customer_id", "peer_id", "month"]).any()
    assert (ties["customer_id"] != ties["peer_id"]).all()
    keys = ["customer_id", "peer_id", "month"]
    mirrored = ties.rename(columns={"customer_id": "peer_id", "peer_id": "customer_id"})
    both = ties.merge(mirrored, on=keys, suffixes=("", "_there"))
    assert len(both) == ties["peer_id"].isin(ties["customer_id"]).sum() > 1_000
    assert (both["calls"] == both["calls_there"]).all()
    assert (both["minutes"] == both["minutes_there"]).all()
    assert np.allclose(both["outgoing_share"] + both["outgoing_share_there"], 1)


def test_minutes_with_rivals_are_those_of_the_usage(operators, ties):
    rivals = ties[~ties["peer_id"].isin(ties["customer_id"])]
    told = rivals.groupby(["customer_id", "month"])["minutes"].sum()
    usage = pd.read_parquet(operators / "zero" / "usage.parquet")
    usage = usage.set_index(["customer_id", "month"])["offnet_minutes"]
    assert (told - usage.reindex(told.index)).abs().max() < 0.5


def test_circles_are_close(ties):
    month = ties[ties["month"] == ties["month"].max()]
    peers = month.groupby("customer_id")["peer_id"].agg(set)
    friends = [
        len(peers[one] & peers[other]) > 0
        for one, other in zip(month["customer_id"], month["peer_id"], strict=True)
        if other in peers
    ]
    assert np.mean(friends) > 0.5


def test_friends_of_those_who_left_are_likelier_to_leave_and_the_truth_says_so(operators):
    read = lambda name, file: pd.read_parquet(operators / name / f"truth/{file}.parquet")  # noqa: E731
    keys = ["customer_id", "month"]
    strong = read("strong", "contagion").merge(read("strong", "hazard"), on=keys)
    struck = strong["log_odds"] > 0.5
    assert 0.02 < struck.mean() < 0.5
    assert strong["log_odds"].max() <= 6.0
    means = strong.groupby(struck)["churn_probability"].mean()
    assert means[True] > 1.5 * means[False]
    # Nobody has left before the first month: two months later it begins to be passed on.
    first = strong["month"] <= sorted(strong["month"].unique())[1]
    assert (strong.loc[first, "log_odds"] == 0).all()
    assert read("strong", "hazard")["churn_probability"].mean() > (
        read("zero", "hazard")["churn_probability"].mean()
    )


def test_an_operator_without_ties_leaves_none_of_an_earlier_one(tmp_path):
    simulate(tmp_path, customers=60, months=3, contagion=1.0)
    rows = simulate(tmp_path, customers=60, months=3, overwrite=True)
    assert "ties" not in rows
    assert not (tmp_path / "ties.parquet").exists()
    assert not (tmp_path / "truth" / "contagion.parquet").exists()


def test_somebody_s_own_ties_are_left_alone(tmp_path):
    own = pd.DataFrame({"customer_id": ["a"]})
    own.to_parquet(tmp_path / "ties.parquet")
    simulate(tmp_path, customers=60, months=3, overwrite=True)
    assert pd.read_parquet(tmp_path / "ties.parquet").equals(own)


def test_the_strength_is_within_its_range(tmp_path):
    with pytest.raises(UsageError, match="contagion"):
        simulate(tmp_path, customers=60, months=3, contagion=3.5)
