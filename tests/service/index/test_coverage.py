"""Intervals hold the truth as often as they say, whatever the model and whoever answers."""

import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeRegressor

from churnml.config.settings import IndexSettings
from churnml.service.index import notes
from churnml.service.index.cells import measure
from churnml.service.index.prediction_powered import prediction_powered
from churnml.service.index.predictions import Features, cross_fit
from churnml.service.index.survey import Level
from churnml.service.index.weighting import weigh
from tests.service.index.population import (
    chance_of_answering,
    coverage,
    draw,
    population,
    survey_often,
)

DRAWS = 60
EVERYBODY = population()


@pytest.fixture(scope="module")
def explainable():
    return survey_often(EVERYBODY, chance_of_answering(EVERYBODY), DRAWS)


def test_who_answers_may_depend_on_what_columns_show(explainable):
    whole = explainable[explainable["by"] == ""]
    print("whole", coverage(whole), "brands", coverage(explainable[explainable["by"] == "brand"]))
    assert whole["covered"].mean() > 0.86
    assert abs(whole["error"].mean()) < 0.4
    assert explainable.loc[explainable["by"] == "brand", "covered"].mean() > 0.88
    plain = survey_often(EVERYBODY, chance_of_answering(EVERYBODY), 20, weighted=False)
    assert plain.loc[plain["by"] == "", "survey_error"].mean() > 2


def test_predictions_make_it_sharper(explainable):
    whole = explainable[explainable["by"] == ""]
    assert whole["width"].mean() < 0.97 * whole["survey_width"].mean()


def test_small_cells_lean_on_each_other(explainable):
    pooled = explainable[explainable["how"] == "pooled"]
    print("pooled", coverage(pooled))
    assert len(pooled) > DRAWS
    assert 0.90 <= pooled["covered"].mean() <= 0.99
    assert pooled["error"].std() < 0.75 * pooled["survey_error"].std()


def test_worthless_predictions_do_no_harm():
    shuffled = np.random.default_rng(1).permutation(EVERYBODY.predictions)
    rows = survey_often(EVERYBODY, chance_of_answering(EVERYBODY), 30, predictions=shuffled)
    whole = rows[rows["by"] == ""]
    assert whole["tuned"].median() < 0.3
    assert whole["width"].mean() <= 1.02 * whole["survey_width"].mean()
    assert whole["covered"].mean() > 0.8


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    """2,000 customers of the population as a file of features."""
    path = tmp_path_factory.mktemp("features") / "features.parquet"
    x = EVERYBODY.x[:2_000]
    ids = [f"c{at:04d}" for at in range(len(x))]
    pd.DataFrame({"customer_id": ids, "a": x[:, 0], "b": x[:, 1], "c": x[:, 2]}).to_parquet(path)
    return Features(path=path, names=["a", "b", "c"], batch=700)


def overfitted(features, draws):
    """Coverage of a tree that learns every answer by heart: cross-fitted, and as it is."""
    y = EVERYBODY.y[:2_000]
    tree, everybody = DecisionTreeRegressor(random_state=0), EVERYBODY.x[:2_000]
    held, seen = [], []
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        place = np.sort(rng.choice(2_000, 200, replace=False))
        made = cross_fit(features, place, y[place], folds=5, seed=seed, learner=tree)
        same = tree.fit(everybody[place], y[place]).predict(everybody)
        for into, every, own in (
            (held, made.of_everybody, made.held_out),
            (seen, same, same[place]),
        ):
            found = prediction_powered(y[place], own, float(every.mean()))
            low, high = found.interval()
            into.append(low <= y.mean() <= high)
    return np.mean(held), np.mean(seen)


def test_a_model_that_learns_by_heart_does_no_harm_where_it_is_cross_fitted(features):
    held, seen = overfitted(features, DRAWS)
    print("cross-fitted", held, "not", seen)
    assert held > 0.86
    assert seen < 0.5


def test_held_out_predictions_never_saw_the_answer(features):
    place = np.arange(0, 2_000, 10)
    y = np.random.default_rng(0).uniform(0, 100, place.size)
    made = cross_fit(
        features, place, y, folds=4, seed=0, learner=DecisionTreeRegressor(random_state=0)
    )
    assert abs(np.corrcoef(made.held_out, y)[0, 1]) < 0.2
    assert np.corrcoef(made.of_everybody[place], y)[0, 1] > 0.7


def weights(features, place, y, **settings):
    everybody = {"all": Level(codes=np.zeros(2_000, np.int32), names=("all",))}
    return weigh(
        features, place=place, score=y, levels=everybody, settings=IndexSettings(**settings)
    )


def test_the_sentence_stands_beside_every_index(features):
    found = weights(features, np.arange(20), EVERYBODY.y[:20])
    assert notes.UNSEEN in found.notes
    assert found.weight == pytest.approx(100)
    told = found.notes[-1].en
    assert f"{found.facts['hidden_mean']:.1f} instead of {found.facts['mean']:.1f}" in told
    assert found.facts["hidden_mean"] < found.facts["mean"]


def test_two_answers_of_a_customer_share_a_weight(features):
    place = np.r_[0, 0, np.arange(1, 20)]
    found = weights(features, place, EVERYBODY.y[:21])
    assert found.weight[0] == found.weight[1] == pytest.approx(found.weight[2] / 2)


def test_the_cells_of_a_level_are_the_whole(explainable):
    cells = measure(draw(EVERYBODY, chance_of_answering(EVERYBODY), 0), IndexSettings())
    for by in EVERYBODY.levels:
        parts = [cell for cell in cells if cell.by == by]
        together = np.average([c.value for c in parts], weights=[c.customers for c in parts])
        assert together == pytest.approx(cells[0].value, abs=1e-6)


def test_how_many_answers_make_which_cell():
    everybody = population(customers=4_000, halls=30)
    cells = measure(draw(everybody, chance_of_answering(everybody, rate=0.06), 0), IndexSettings())
    halls = [cell for cell in cells if cell.by == "hall"]
    for cell in halls:
        expected = "hidden" if cell.people < 10 else "pooled" if cell.people < 30 else "direct"
        assert cell.how == (expected if cell.answers else "prediction")
    assert {cell.how for cell in halls} >= {"hidden", "pooled"}
    assert all(cell.standing is None for cell in halls if cell.how == "hidden")


def test_a_cell_nobody_of_which_answered_is_predicted_with_a_wider_interval():
    survey = draw(EVERYBODY, chance_of_answering(EVERYBODY), 0)
    hall = EVERYBODY.levels["hall"].codes[survey.place]
    kept = hall != 3
    fewer = survey.__class__(
        **{
            name: value[kept] if name in ("place", "score", "held_out", "weight", "ids") else value
            for name, value in vars(survey).items()
        }
    )
    cells = {cell.name: cell for cell in measure(fewer, IndexSettings()) if cell.by == "hall"}
    assert cells["H03"].how == "prediction"
    assert cells["H03"].answers == 0
    pooled = [c.high - c.low for c in cells.values() if c.how == "pooled"]
    assert cells["H03"].high - cells["H03"].low > np.median(pooled)


@pytest.mark.slow
@pytest.mark.parametrize("between", [1.0, 2.0, 4.0])
def test_coverage_over_many_draws_and_populations(between):
    rows = pd.concat(
        survey_often(everybody, chance_of_answering(everybody), 60)
        for everybody in (population(seed, halls=24, between=between) for seed in range(6))
    )
    whole, brands = rows[rows["by"] == ""], rows[rows["by"] == "brand"]
    pooled = rows[rows["how"] == "pooled"]
    print(between, coverage(whole), coverage(brands), coverage(pooled))
    assert 0.925 <= whole["covered"].mean() <= 0.98
    assert 0.93 <= brands["covered"].mean() <= 0.975
    # Where halls hardly differ, pooled intervals are a little too wide (.983 measured).
    assert 0.91 <= pooled["covered"].mean() <= (0.99 if between == 1.0 else 0.98)
    assert whole["width"].mean() < whole["survey_width"].mean()


@pytest.mark.slow
def test_an_overfitted_model_over_many_draws(features):
    held, seen = overfitted(features, 400)
    print("cross-fitted", held, "not", seen)
    assert held >= 0.925
    assert seen < 0.5


@pytest.mark.slow
def test_what_no_column_shows_is_not_corrected_and_is_said(features):
    rows = survey_often(EVERYBODY, chance_of_answering(EVERYBODY, hidden=0.8), 60)
    whole = rows[rows["by"] == ""]
    print(coverage(whole))
    assert whole["covered"].mean() < 0.2
    place = np.arange(0, 2_000, 8)
    found = weights(features, place, EVERYBODY.y[place])
    assert notes.UNSEEN in found.notes
    assert found.facts["auc"] < 0.65
