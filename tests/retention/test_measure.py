"""A campaign, played and measured."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

import churnml
from churnml.errors import DataError, OutputError
from tests.retention.conftest import AS_OF, COSTS, QUICK, months


@pytest.fixture(scope="module")
def afterwards(operator, plan, tmp_path_factory):
    """The operator three months later: of the treated 5 % left, of the held out 20 %."""
    place = tmp_path_factory.mktemp("after") / "operator"
    place.mkdir()
    random = np.random.default_rng(0)
    listed = plan.to_pandas()
    treated = listed["group"].eq("treat").to_numpy()
    left = random.random(len(listed)) < np.where(treated, 0.05, 0.20)
    customers = pd.read_parquet(operator / "customers.parquet")
    gone = dict.fromkeys(listed.loc[left, "customer_id"], date(2026, 6, 20))
    customers["terminated_on"] = customers["terminated_on"].where(
        customers["terminated_on"].notna(), customers["customer_id"].map(gone)
    )
    customers.to_parquet(place / "customers.parquet", index=False)
    bills = pd.read_parquet(operator / "bills.parquet")
    last = bills[bills["month"] == date(2026, 5, 1)]
    more = [last.assign(month=month) for month in months(date(2026, 6, 1), 3)]
    pd.concat([bills, *more]).to_parquet(place / "bills.parquet", index=False)
    offers = pd.read_parquet(operator / "offers.parquet")
    made = listed[treated]
    accepted = random.random(len(made)) < 0.5
    at = pd.Timestamp("2026-06-04 10:00")
    new = pd.DataFrame(
        {
            "offer_id": [f"n{n}" for n in range(len(made))],
            "customer_id": made["customer_id"].to_numpy(),
            "offered_at": at,
            "offer": made["offer"].to_numpy(),
            "arm": "treatment",
            "cost": made["offer"].map(COSTS).to_numpy(),
            "accepted_at": np.where(accepted, at + pd.Timedelta(hours=1), np.datetime64("NaT")),
        }
    )
    held = listed.loc[~treated, "customer_id"].iloc[:1]
    slip = new.iloc[:1].assign(offer_id="slip", customer_id=held.to_numpy(), accepted_at=pd.NaT)
    pd.concat([offers, new, slip]).to_parquet(place / "offers.parquet", index=False)
    spent = float((new["cost"] * accepted).sum()) + 2.0 * len(made)
    return place, listed, left, accepted, spent


def test_a_campaign_is_measured(plan, afterwards):
    place, listed, left, accepted, spent = afterwards
    found = churnml.measure_campaign(plan.folder, place, config=QUICK).to_dict()
    treated = listed["group"].eq("treat").to_numpy()
    itt = left[treated].mean() - left[~treated].mean()
    assert found["itt"] == pytest.approx(itt)
    assert found["itt_low"] < found["itt"] < found["itt_high"]
    assert found["adjusted"] == pytest.approx(itt, abs=0.04)
    assert found["cace"] == pytest.approx(itt / accepted.mean())
    assert found["rows"] == {"treat": int(treated.sum()), "hold_out": int((~treated).sum())}
    worth = listed["value"].to_numpy() * ~left
    gain = treated.sum() * (worth[treated].mean() - worth[~treated].mean()) - spent
    assert found["spent"] == pytest.approx(spent)
    assert found["gain_unadjusted"] == pytest.approx(gain)
    assert found["gain_low"] < found["gain_yuan"] < found["gain_high"]
    # What a customer was worth before tells most of what is kept of it.
    width = found["gain_unadjusted_high"] - found["gain_unadjusted_low"]
    assert found["gain_high"] - found["gain_low"] < 0.9 * width
    assert found["gain_low"] < gain < found["gain_high"]
    # Two months of the campaign were billed to all listed customers as in the month before.
    assert found["billed_low"] < found["billed"] < found["billed_high"]
    assert found["says"]["en"].startswith("The campaign kept customers")
    assert found["matured"] is True
    assert found["contaminated"] == 1
    assert found["missing"] == {"treat": 0, "hold_out": 0}
    assert found["sample_ratio_p"] > 0.01
    assert found["promised"]["effect"] == pytest.approx(listed.loc[treated, "effect"].mean())
    assert set(found) >= {"by_offer", "by_segment"}


def test_before_the_outcomes_are_known_only_an_interim_look(plan, afterwards):
    place = afterwards[0]
    with pytest.raises(DataError, match="known from 2026-08-01"):
        churnml.measure_campaign(plan.folder, place, until="2026-07-15", config=QUICK)
    early = churnml.measure_campaign(
        plan.folder, place, until="2026-07-15", interim=True, config=QUICK
    ).to_dict()
    late = churnml.measure_campaign(plan, place, config=QUICK).to_dict()
    assert early["matured"] is False
    assert early["itt_high"] - early["itt_low"] > late["itt_high"] - late["itt_low"]


def test_a_measurement_is_kept_and_not_replaced_by_itself(plan, afterwards, tmp_path):
    out = tmp_path / "measured.json"
    found = churnml.measure_campaign(plan.folder, afterwards[0], out=out, config=QUICK)
    assert json.loads(out.read_text())["itt"] == found.to_dict()["itt"]
    with pytest.raises(OutputError, match="already exists"):
        churnml.measure_campaign(plan.folder, afterwards[0], out=out, config=QUICK)
    churnml.measure_campaign(plan.folder, afterwards[0], out=out, config=QUICK, overwrite=True)
    assert "left" in repr(found)
    assert "<table>" in found._repr_html_()
    assert list(found.to_pandas()["by"].unique()) == ["offer", "segment"]
    figure = found.display()
    assert figure.means["mean"].iloc[0] == found.to_dict()["itt"]
    assert figure.whole == found.to_dict()["promised"]["effect"]
    assert figure.plot().ax_.get_title() == "What the campaign changed"


def test_a_list_that_was_changed_is_refused(plan, afterwards, tmp_path):
    import shutil

    copy = tmp_path / "plan"
    shutil.copytree(plan.folder, copy)
    part = next(copy.glob("part-*.parquet"))
    pd.read_parquet(part).iloc[1:].to_parquet(part)
    with pytest.raises(DataError, match="was changed since the plan was made"):
        churnml.measure_campaign(copy, afterwards[0], config=QUICK)
    with pytest.raises(DataError, match="holds no plan"):
        churnml.measure_campaign(tmp_path / "nothing", afterwards[0])


def test_nothing_is_known_on_the_day_of_the_plan(plan, operator):
    with pytest.raises(DataError, match="the data end at"):
        churnml.measure_campaign(plan.folder, operator, config=QUICK, interim=True)
    assert plan.facts["as_of"] == AS_OF.isoformat()
