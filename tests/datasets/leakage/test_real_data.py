"""The traps of the real tables, where these are there: all found, no honest column accused."""

from pathlib import Path

import pytest

from churnml.datasets.flat import read_training
from churnml.errors import DataError

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real data is not there")

AFTER = {"Churn Score", "CLTV", "Customer Status", "Churn Category", "Churn Reason", "Churn Label"}
ITEMS = {
    *("是否遇到过网络问题", "居民小区", "办公室", "高校", "商业街", "地铁", "农村", "高铁"),
    *("其他，请注明", "用户描述", "手机没有信号", "有信号无法拨通", "通话过程中突然中断"),
    *("通话中有杂音、听不清、断断续续", "串线", "通话过程中一方听不见", "其他，请注明.1"),
}
SCORES = {"网络覆盖与信号强度", "语音通话清晰度", "语音通话稳定性"}


def suspected(name, task="churn", **options):
    """The accused columns, whether training is refused for some of them or goes on."""
    try:
        return {one.column for one in read_training(DATA / name, task=task, **options).suspects}
    except DataError as error:
        return {one["column"] for one in error.details["suspects"]}


def test_nothing_is_wrong_with_a_clean_table():
    assert suspected("ibm_telco.csv", id="customerID", target="Churn") == set()


def test_what_came_after_the_churn():
    found = suspected("ibm_telco_v11.csv", id="Customer ID", target="Churn Value")

    assert found == AFTER | {"Satisfaction Score"}


def test_what_came_after_the_churn_tells_the_satisfaction_too():
    found = suspected(
        "ibm_telco_v11.csv",
        task="satisfaction",
        id="Customer ID",
        target="Satisfaction Score",
        scale="1:5",
    )

    assert found == AFTER | {"Churn Value"}


def test_what_was_asked_in_the_same_survey():
    voice = {"id": "用户id", "target": "语音通话整体满意度", "scale": "1:10"}
    data = read_training(DATA / "beijing_mobile_voice.csv", task="satisfaction", **voice)

    assert {one.column for one in data.suspects} == SCORES | ITEMS
    # Of the free texts of the second question nearly every one differs: no category at all.
    assert "用户描述.1" not in data.X


@pytest.mark.parametrize(
    ("options", "found"), [({}, {"customerid"}), ({"group": "customerid"}, set())]
)
def test_customers_of_several_months(options, found):
    assert suspected("edw_cdr.csv", target="churn", **options) == found


def test_costs_are_no_features():
    found = suspected("tv_subscriptions.csv", id="id", target="target")

    assert found == {"C_FP", "C_FN", "C_TP"}
