"""Texts are coded where that is right, and left to a person where it is not sure."""

import numpy as np
import pytest

from churnml.metrics.intervals import wilson
from churnml.service.complaints.deciding import least_sure
from churnml.service.complaints.texts import (
    CodedTexts,
    _grams,
    learn_texts,
    normalised,
)
from churnml.tables.simulator.complaints import SUBCATEGORIES, TEXTS
from churnml.tables.simulator.state import CATEGORIES
from churnml.tables.simulator.wordings import wordings


def said(rng, count, *, spoilt=0.0):
    """Texts of the simulated operator with their true categories and subcategories."""
    all_texts, fine = wordings(), rng.integers(0, len(SUBCATEGORIES), count)
    bad = rng.random(count) < spoilt
    clean = all_texts.clean_first + fine * all_texts.clean + rng.integers(0, all_texts.clean, count)
    worse = all_texts.spoilt_first + fine * all_texts.spoilt
    worse = worse + rng.integers(0, all_texts.spoilt, count)
    texts = [all_texts.texts[at] for at in np.where(bad, worse, clean)]
    return texts, [CATEGORIES[at // 3] for at in fine], [SUBCATEGORIES[at] for at in fine]


@pytest.fixture(scope="module")
def coder():
    texts, categories, fine = said(np.random.default_rng(0), 1_800)
    return learn_texts(
        CodedTexts(
            texts=texts,
            categories=categories,
            subcategories=fine,
            customers=[f"c{at}" for at in range(len(texts))],
        )
    )


def measured(coder, texts, categories):
    """The share coded, and the share of those that is right."""
    given, _fine, _sure = coder.code(texts)
    coded = np.array([one is not None for one in given])
    right = given[coded] == np.array(categories, object)[coded]
    return coded.mean(), right.mean() if coded.any() else np.nan


@pytest.mark.parametrize(("spoilt", "coded_at_least"), [(0.0, 0.8), (0.5, 0.45)])
def test_what_is_coded_is_right(coder, spoilt, coded_at_least):
    texts, categories, _fine = said(np.random.default_rng(1), 1_200, spoilt=spoilt)
    share, precision = measured(coder, texts, categories)
    print(f"spoilt {spoilt:.0%}: coded {share:.1%}, right {precision:.2%}")
    assert precision >= 0.95
    assert coded_at_least < share < 1


def test_of_spoilt_texts_alone_most_are_left_to_a_person(coder):
    texts, categories, _fine = said(np.random.default_rng(2), 1_200, spoilt=1.0)
    share, precision = measured(coder, texts, categories)
    print(f"spoilt: coded {share:.1%}, right {precision:.2%}")
    assert share < 0.6
    assert precision >= 0.93


def test_the_probability_is_one(coder):
    """Of texts given 90 % about 90 % are right, over all that is decided or not."""
    texts, categories, _fine = said(np.random.default_rng(3), 1_200)
    grams = coder.grams.transform([normalised(text) for text in texts])
    model = coder.categories
    chances = model.model.predict_proba(grams)
    _labels, sure = model.decide(grams)
    right = model.model.classes_[chances.argmax(axis=1)] == np.array(categories)
    assert abs(sure.mean() - right.mean()) < 0.03


def test_subcategories_agree_with_their_category(coder):
    texts, _categories, fine = said(np.random.default_rng(4), 1_000)
    given, narrower, _sure = coder.code(texts)
    told = np.array([one is not None for one in narrower])
    assert told.mean() > 0.5
    assert (narrower[told] == np.array(fine, object)[told]).mean() > 0.95
    for category, sub in zip(given[told], narrower[told], strict=True):
        assert CATEGORIES[SUBCATEGORIES.index(sub) // 3] == category


def test_a_text_of_many_customers_means_what_it_meant():
    texts = [text for text in TEXTS for _ in range(40)]
    categories = [CATEGORIES[at // 3] for at in range(len(TEXTS)) for _ in range(40)]
    fine = [one for one in SUBCATEGORIES for _ in range(40)]
    records = CodedTexts(
        texts=texts,
        categories=categories,
        subcategories=fine,
        customers=[f"c{at}" for at in range(len(texts))],
    )
    coder = learn_texts(records)
    given, narrower, sure = coder.code([*TEXTS, "从来没有人说过的话"])
    assert given.tolist() == [CATEGORIES[at // 3] for at in range(len(TEXTS))] + [None]
    assert narrower.tolist() == [*SUBCATEGORIES, None]
    assert (sure[:-1] == 1).all()
    # Two customers who say it twenty times each are two customers.
    few = learn_texts(
        CodedTexts(
            texts=texts, categories=categories,
            customers=[f"{text}{at % 2}" for at, text in enumerate(texts)],
        )
    )  # fmt: skip
    assert few.code(list(TEXTS))[0].tolist() == [None] * len(TEXTS)


def test_a_text_that_means_two_things_is_for_a_person():
    texts = ["same words"] * 400
    coder = learn_texts(
        CodedTexts(
            texts=texts,
            categories=["network", "tariff"] * 200,
            customers=[f"c{at}" for at in range(400)],
        )
    )
    assert coder.code(["same words"])[0].tolist() == [None]


def test_a_category_of_fewer_than_thirty_records_is_never_given():
    rng = np.random.default_rng(5)
    texts, categories, _fine = said(rng, 2_000)
    rare = [at for at, one in enumerate(categories) if one == "service_window"]
    kept = [at for at in range(2_000) if at not in set(rare[29:])]
    coder = learn_texts(
        CodedTexts(
            texts=[texts[at] for at in kept],
            categories=[categories[at] for at in kept],
            customers=[str(at) for at in kept],
        )
    )
    given = coder.code([texts[at] for at in rare])[0]
    assert "service_window" not in set(given)
    wrong = sum(one is not None for one in given) / len(rare)
    assert wrong < 0.25


def test_runs_of_letters_are_those_of_ten_customers():
    words = np.array(["secret word"] * 50 + [f"no signal {at}" for at in range(10)], object)
    customers = np.array(["one"] * 41 + [f"a{at}" for at in range(8)] + ["one"]
                         + [f"b{at}" for at in range(10)], object)  # fmt: skip
    known = set(_grams(words, customers).vocabulary_)
    assert "signa" in known
    assert not any("ecr" in gram for gram in known)


def test_the_order_of_the_records_makes_no_difference(coder):
    texts, categories, fine = said(np.random.default_rng(6), 900)
    turned = np.random.default_rng(7).permutation(900)
    found = []
    for order in (range(900), turned):
        records = CodedTexts(
            texts=[texts[at] for at in order],
            categories=[categories[at] for at in order],
            subcategories=[fine[at] for at in order],
            customers=[str(at) for at in order],
        )
        found.append(learn_texts(records).code(texts[:200]))
    assert found[0][0].tolist() == found[1][0].tolist()
    np.testing.assert_allclose(found[0][2], found[1][2], atol=1e-9)


def test_numbers_and_widths_make_no_difference():
    assert normalised("ＡＢＣ　１２３４５６ 信号") == normalised("abc 信号")
    assert normalised("5G 12345") == "5g"


def test_the_threshold_is_where_enough_is_right():
    rng = np.random.default_rng(8)
    sure = rng.random(3_000)
    right = rng.random(3_000) < np.minimum(1, 0.6 + sure)
    least = least_sure(sure, right, 0.95)
    kept = right[sure >= least]
    assert wilson(kept.mean(), len(kept))[0] >= 0.95
    less = right[sure >= least - 0.05]
    assert wilson(less.mean(), len(less))[0] < 0.95
    assert least_sure(sure[:0], right[:0], 0.95) is None
    assert least_sure(sure, right & False, 0.95) is None


@pytest.mark.parametrize("records", [0, 5])
def test_too_little_to_learn_from(records):
    coder = learn_texts(
        CodedTexts(
            texts=["no signal"] * records,
            categories=["network"] * records,
            customers=[str(at) for at in range(records)],
        )
    )
    assert coder.code(["no signal"])[0].tolist() == [None]
    assert coder.code([])[0].tolist() == []
