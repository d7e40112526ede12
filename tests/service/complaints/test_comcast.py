"""Real titles of complaints, 200 of them coded by hand: what is coded is right."""

import csv
import zlib
from pathlib import Path

import numpy as np
import pytest

from churnml.service.complaints.texts import CodedTexts, learn_texts, normalised

DATA = Path(__file__).parents[4] / "shared" / "data" / "comcast_complaints.csv"

EVERY = 11
BY_HAND = (
    "nontnootttbtttttnbototwtnnnwtnnntttonwtnnwbnotttot"
    "wontoottttwottooontntoottotttttootottwoooonnwottbt"
    "ntttttonttttottnbtttoottntttooootontoonownwtwnoott"
    "tontttoonbnnwnnnnttontontttnnnnonttnttttbtowootnoo"
)
"""What the row of every eleventh number, from 0 on, is about: n network, t tariff, b business
support, w service window, o none of them or not to be told from the title."""

CATEGORIES = {
    "n": "network",
    "t": "tariff",
    "b": "business_support",
    "w": "service_window",
    "o": "other",
}


@pytest.fixture(scope="module")
def titles():
    if not DATA.exists():
        pytest.skip("needs ../shared/data/comcast_complaints.csv")
    with DATA.open(encoding="utf-8-sig", newline="") as file:
        return [row["Customer Complaint"] for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def coded(titles):
    rows = range(0, EVERY * len(BY_HAND), EVERY)
    return [titles[row] for row in rows], [CATEGORIES[letter] for letter in BY_HAND]


def learned(texts, categories, precision):
    customers = [str(at) for at in range(len(texts))]
    records = CodedTexts(texts=texts, categories=categories, customers=customers)
    return learn_texts(records, precision=precision)


def test_two_hundred_titles_are_too_few_for_certainty(titles, coded):
    """95 % right needs 73 distinct texts of a category without a mistake."""
    given = learned(*coded, 0.95).code(titles)[0]
    assert sum(one is not None for one in given) < 0.1 * len(titles)


@pytest.mark.parametrize(("precision", "coded_at_least"), [(0.8, 80), (0.85, 60), (0.9, 25)])
def test_what_is_coded_is_right_on_titles_not_learned_from(coded, precision, coded_at_least):
    """Five times learned from four fifths and tried on the rest, equal titles kept together."""
    texts, categories = (np.array(part, dtype=object) for part in coded)
    part = np.array([zlib.crc32(f"x{normalised(text)}".encode()) % 5 for text in texts])
    right = many = 0
    for held in range(5):
        seen = part != held
        coder = learned(texts[seen].tolist(), categories[seen].tolist(), precision)
        given = coder.code(texts[~seen].tolist())[0]
        told = np.array([one is not None for one in given])
        right += int((given[told] == categories[~seen][told]).sum())
        many += int(told.sum())
    print(f"at {precision:.0%}: {many} of {len(texts)} titles coded, {right / many:.1%} right")
    assert many >= coded_at_least
    assert right >= precision * many


def test_what_is_rare_is_by_rules_only(titles, coded):
    given = set(learned(*coded, 0.6).code(titles)[0])
    assert not given & {"business_support", "service_window"}
