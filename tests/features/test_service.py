"""Service at 2026-06-01: contacts, waits, outcomes, surveys."""

from datetime import datetime, timedelta

import pytest

AS_OF = datetime(2026, 6, 1)


def contact(days, channel="hotline", **more):
    return {"started_at": AS_OF - timedelta(days=days), "channel": channel} | more


def survey(sent, answered=None, score=None, **more):
    """A survey sent, and maybe answered, so many days before as_of."""
    at = None if answered is None else AS_OF - timedelta(days=answered)
    return {"sent_at": AS_OF - timedelta(days=sent), "answered_at": at, "score": score} | more


def test_contacts_by_channel(describe):
    contacts = [
        contact(0),
        contact(1),
        contact(30, "app"),
        contact(31, "hall"),
        contact(90, "hall"),
    ]
    contacts += [contact(91, "terminal")]
    rows = describe(customers=[{}, {"customer_id": "quiet"}], contacts=contacts)
    row, quiet = rows["c"], rows["quiet"]
    counts = {name: value for name, value in row.items() if "count" in name and value}
    assert counts == {
        "service_all_count_30d": 2,
        "service_hotline_count_30d": 1,
        "service_app_count_30d": 1,
        "service_all_count_90d": 4,
        "service_hotline_count_90d": 1,
        "service_app_count_90d": 1,
        "service_hall_count_90d": 2,
    }
    assert quiet["service_all_count_90d"] == 0
    assert not [name for name in row if "survey" in name or "wait" in name or "share" in name]


def test_waits_and_outcomes(describe):
    contacts = [
        contact(1, "hall", wait_seconds=600.0, resolved=True),
        contact(2, "hall", wait_seconds=600.5, resolved=False),
        contact(3, "hall"),
        contact(4, wait_seconds=1000.0, answered=False, self_service=False),
        contact(5, answered=True, self_service=True, resolved=True),
        contact(95, wait_seconds=9000.0, answered=False),
    ]
    rows = describe(customers=[{}, {"customer_id": "quiet"}], contacts=contacts)
    row = rows["c"]
    assert row["service_wait_mean_90d_seconds"] == pytest.approx(2200.5 / 3)
    assert row["service_wait_max_90d_seconds"] == 1000
    assert row["service_hall_wait_over_10min_90d_share"] == 0.5
    assert row["service_unanswered_90d_share"] == 0.5
    assert row["service_unresolved_90d_share"] == pytest.approx(1 / 3)
    assert row["service_self_served_90d_share"] == 0.5
    assert rows["quiet"]["service_wait_mean_90d_seconds"] is None
    assert rows["quiet"]["service_unanswered_90d_share"] is None


def test_the_last_answer_and_the_surveys_left_unanswered(describe):
    surveys = [
        survey(50, 40, 3.0, scale_max=5.0),
        survey(300, 290, 10.0),
        survey(5, 0, 1.0),
        survey(20, 10),
        survey(180),
        survey(181),
    ]
    rows = describe(customers=[{}, {"customer_id": "never"}], surveys=surveys)
    assert rows["c"]["service_survey_last_score_points"] == 50
    assert rows["c"]["service_survey_last_days"] == 40
    # Answered on the day of as_of is not answered yet; answered without a score is answered.
    assert rows["c"]["service_survey_unanswered_count_180d"] == 2
    assert rows["never"]["service_survey_last_score_points"] is None
    assert rows["never"]["service_survey_last_days"] is None
    assert rows["never"]["service_survey_unanswered_count_180d"] == 0


def test_of_two_answers_at_one_moment_the_greater_id_counts(describe):
    both = [survey(5, 4, 10.0, survey_id="a"), survey(6, 4, 1.0, survey_id="b")]
    for surveys in (both, both[::-1]):
        row = describe(surveys=surveys)["c"]
        assert row["service_survey_last_score_points"] == 0
