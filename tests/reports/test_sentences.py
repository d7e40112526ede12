"""Reasons are sentences that a colleague would say, in both languages, for every feature."""

import re

import pytest

from churnml.features import BUILDERS
from churnml.reports.sentences import Reason, sentence
from churnml.reports.words import LANGUAGES, all_words

FEATURES = [feature for builder in BUILDERS for feature in builder.FEATURES]


@pytest.mark.parametrize(
    ("feature", "value", "raises", "en", "zh"),
    [
        (
            "arpu_mean_3m_yuan",
            "1284.44",
            False,
            "Mean monthly bill, last 3 months: 1,284.4 yuan; lowers the risk of leaving",
            "近3个月月均消费：1,284.4元，离网风险下降",
        ),
        (
            "service_wait_mean_90d_seconds",
            "1500",
            True,
            "Mean wait of the contacts of 90 days: 25 minutes; raises the risk of leaving",
            "近90天平均等待时长：25分钟，离网风险上升",
        ),
        (
            "complaints_last_days",
            None,
            False,
            "Days since the last complaint: never complained; lowers the risk of leaving",
            "距最近一次投诉天数：从未投诉，离网风险下降",
        ),
        (
            "service_unresolved_90d_share",
            "0.5",
            True,
            "Share of the contacts of 90 days that left the matter unresolved, where it is "
            "recorded: 50 %; raises the risk of leaving",
            "近90天服务接触未解决占比：50%，离网风险上升",
        ),
        (
            "tier_individual_3m_level",
            "2",
            True,
            "Individual tier 3 months ago, 0 (standard) to 3 (diamond): gold; raises the risk of "
            "leaving",
            "3个月前个人客户等级：金卡，离网风险上升",
        ),
        (
            "lifecycle_brand",
            "gotone",
            False,
            "Brand: GoTone; lowers the risk of leaving",
            "品牌：全球通，离网风险下降",
        ),
        (
            "usage_data_mean_1m_mb",
            "34567",
            True,
            "Data volume in the last month: 34,567 MB; raises the risk of leaving",
            "最近一月数据流量：3.5万 MB，离网风险上升",
        ),
        (
            "套餐 <b>",
            "Two year",
            True,
            "套餐 <b>: Two year; raises the risk of leaving",
            "套餐 <b>：Two year，离网风险上升",
        ),
    ],
)
def test_known_sentences(feature, value, raises, en, zh):
    reason = Reason(feature=feature, value=value, raises=raises)
    assert sentence("churn", reason, "en") == en
    assert sentence("churn", reason, "zh") == zh


def test_a_survey_s_score_and_its_age_are_one_sentence():
    reason = Reason(feature="service_survey_last_score_points", value="40", raises=True)
    assert sentence("churn", reason, "en", days="63") == (
        "Last survey score 40 of 100, 63 days ago; raises the risk of leaving"
    )
    assert sentence("churn", reason, "zh", days="63") == (
        "63天前最近一次调查评分40分（满分100），离网风险上升"
    )


def test_every_meaning_of_0_and_of_a_missing_value_is_translated():
    meanings = {text for one in FEATURES for text in (one.zero, one.null) if text}
    assert not meanings - all_words()["meanings"].keys()


@pytest.mark.parametrize("feature", FEATURES, ids=lambda one: one.name)
@pytest.mark.parametrize("value", [None, "0", "1", "0.25", "123456"])
def test_every_feature_has_a_sentence_in_both_languages(feature, value):
    if feature.kind == "category":
        value = value and "A"
    reason = Reason(feature=feature.name, value=value, raises=True)
    for lang in LANGUAGES:
        text = sentence("satisfaction", reason, lang)
        assert "{" not in text
        assert "None" not in text
        if lang == "zh":
            assert not re.search(r"[a-z]{4,}", text), text


def test_every_word_exists_in_both_languages():
    for section, entries in all_words().items():
        if section in ("meanings", "definitions", "codes"):
            assert all(map(str.strip, entries.values()))
            continue
        for key, entry in entries.items():
            assert set(LANGUAGES) <= set(entry), (section, key)
