"""What a complaint is about, by its text: learned from coded records, and silent when unsure.

Two ways, each tried on records that it had not seen:

- a text that ten or more customers have used word for word means what it meant before
- any other is judged by its runs of letters (character n-grams) with a logistic regression

A text is coded only where 95 % of such decisions are right, the lower end of Wilson's interval
for each category counting; all others are for a person.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from churnml.metrics.intervals import wilson
from churnml.service.complaints.deciding import (
    Decider,
    Floats,
    Strings,
    fold_of,
    learn_decider,
)
from churnml.service.complaints.privacy import plain

FEWEST = 10
"""Customers in whose records a run of letters, or a whole text, must occur to be used."""

_LONG_NUMBER = re.compile(r"\d{5,}")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_HAN_SHARE = 0.2
_UNLIKE = 0.02
"""A text with less in common with the learned ones than this share of them is not judged."""


def normalised(text: str) -> str:
    """A text in the form in which texts are compared: no long numbers, small letters.

    >>> normalised("My number is １３８００１３８０００,  NO Signal")
    'my number is , no signal'
    """
    return " ".join(_LONG_NUMBER.sub("", plain(text)).casefold().split())


@dataclass(frozen=True, eq=False, kw_only=True)
class TextCoder:
    """Puts texts into categories, or does not.

    Attributes
    ----------
    spoken : mapping of str to (str, str or None, float)
        Texts that many customers used: category, subcategory, share that was right.
    grams : TfidfVectorizer or None
        None where no model could be learned.
    categories, subcategories : Decider or None
    least_known : float
        Share of a text's runs of letters that must be known ones.
    records : int
        How many it learned from.
    """

    spoken: Mapping[str, tuple[str, str | None, float]]
    records: int
    grams: TfidfVectorizer | None = None
    categories: Decider | None = None
    subcategories: Decider | None = None
    least_known: float = 0.0

    def code(self, texts: Sequence[str]) -> tuple[Strings, Strings, Floats]:
        """Put texts into categories.

        Parameters
        ----------
        texts : sequence of str

        Returns
        -------
        (array of str or None, array of str or None, array of float)
            Category, subcategory, and the calibrated probability that the category is right;
            both are ``None`` where a person must look.
        """
        words = [normalised(text) for text in texts]
        category, fine = np.full(len(words), None, object), np.full(len(words), None, object)
        sure = np.zeros(len(words))
        if self.grams is not None and self.categories is not None and words:
            grams = self.grams.transform(words)
            category, sure = self.categories.decide(grams)
            unlike = _known_share(self.grams, words) < self.least_known
            category[unlike] = None
            if self.subcategories is not None:
                labels, _ = self.subcategories.decide(grams)
                fine = _agreeing(labels, category)
        for at, text in enumerate(words):
            if text in self.spoken:
                category[at], fine[at], sure[at] = self.spoken[text]
        return category, fine, sure


@dataclass(frozen=True, eq=False, kw_only=True)
class CodedTexts:
    """Coded records to learn from.

    Attributes
    ----------
    texts : sequence of str
    categories : sequence of str
    customers : sequence of str
        Whose record each is.
    subcategories : sequence of str or None
    """

    texts: Sequence[str]
    categories: Sequence[str]
    customers: Sequence[str]
    subcategories: Sequence[str | None] = field(default=())


def learn_texts(
    records: CodedTexts, *, precision: float = 0.95, min_records: int = 30
) -> TextCoder:
    """Learn to code texts.

    Parameters
    ----------
    records : CodedTexts
    precision : float, default 0.95
        What the lower end of Wilson's 95 % interval of the share of right decisions must
        reach, for every category; in folds that keep equal texts together.
    min_records : int, default 30
        A category with fewer records is never given by text.

    Returns
    -------
    TextCoder
        One that codes nothing, where there is too little to learn from.

    Examples
    --------
    >>> texts = [f"no signal at home {at}" for at in range(99)] + ["wrong bill"] * 99
    >>> coder = learn_texts(CodedTexts(
    ...     texts=texts, categories=["network"] * 99 + ["tariff"] * 99,
    ...     customers=[str(at) for at in range(198)]))
    >>> coder.code(["wrong bill", "something else"])[0].tolist()
    ['tariff', None]
    """
    words = np.array([normalised(text) for text in records.texts], dtype=object)
    labels = np.asarray(records.categories, dtype=object)
    fine = np.asarray(records.subcategories or [None] * len(words), dtype=object)
    customers = np.asarray(records.customers, dtype=object)
    many = Counter(labels)
    learnt = {label for label, count in many.items() if count >= min_records}
    spoken = _spoken(words, labels, fine, customers, learnt=learnt, precision=precision)
    nothing = TextCoder(spoken=spoken, records=len(words))
    grams = _grams(words, customers) if len(learnt) > 1 else None
    if grams is None:
        return nothing
    once = _distinct(words, labels, fine)
    words, labels, fine = words[once], labels[once], fine[once]
    matrix, fold = grams.transform(words), np.array([fold_of(text) for text in words])
    decider = learn_decider(matrix, labels, fold, learnt=learnt, precision=precision)
    joined = np.array(
        [f"{label}/{sub}" if sub else "" for label, sub in zip(labels, fine, strict=True)], object
    )
    told = {label for label, count in Counter(joined).items() if label and count >= min_records}
    narrower = learn_decider(matrix, joined, fold, learnt=told, precision=precision)
    known = _known_share(grams, words)
    return TextCoder(
        spoken=spoken,
        records=len(records.texts),
        grams=grams,
        categories=decider,
        subcategories=narrower,
        least_known=float(np.quantile(known, _UNLIKE)),
    )


def _spoken(
    words: Strings,
    labels: Strings,
    fine: Strings,
    customers: Strings,
    *,
    learnt: set[str],
    precision: float,
) -> dict[str, tuple[str, str | None, float]]:
    """Texts that many customers used, in categories in which such texts mean one thing."""
    users: defaultdict[str, set[str]] = defaultdict(set)
    meanings: defaultdict[str, Counter[tuple[str, str | None]]] = defaultdict(Counter)
    for text, label, sub, customer in zip(words, labels, fine, customers, strict=True):
        users[text].add(customer)
        meanings[text][label, sub] += 1
    found: dict[str, tuple[str, str | None]] = {}
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for text, count in meanings.items():
        if not text or len(users[text]) < FEWEST:
            continue
        by_category: Counter[str] = Counter()
        for (label, _sub), times in count.items():
            by_category[label] += times
        label, times = by_category.most_common(1)[0]
        (_, sub), most = max(
            ((meaning, n) for meaning, n in count.items() if meaning[0] == label),
            key=lambda one: (one[1], str(one[0])),
        )
        found[text] = label, sub if most >= precision * times else None
        right[label] += times
        total[label] += by_category.total()
    trusted = {
        label: right[label] / total[label]
        for label in total
        if label in learnt
        and float(wilson(right[label] / total[label], total[label])[0]) >= precision
    }
    return {
        text: (label, sub, trusted[label])
        for text, (label, sub) in found.items()
        if label in trusted
    }


def _grams(words: Strings, customers: Strings) -> TfidfVectorizer | None:
    """Runs of letters in the records of enough customers; None where there are none."""
    how = _analysis(words)
    said: defaultdict[str, list[str]] = defaultdict(list)
    for text, customer in zip(words, customers, strict=True):
        said[customer].append(text)
    # A customer's texts are one document, so that each counts once.
    documents = ["\n".join(texts) for texts in said.values()]
    if len(documents) < FEWEST:
        return None
    counter = CountVectorizer(min_df=FEWEST, binary=True, **how)
    try:
        counter.fit(documents)
    except ValueError:
        return None
    kept = sorted(gram for gram in counter.vocabulary_ if "\n" not in gram)
    if not kept:
        return None
    return TfidfVectorizer(vocabulary=kept, sublinear_tf=True, **how).fit(words)


def _analysis(words: Iterable[str]) -> dict[str, Any]:
    """Runs of 1 to 4 letters of Chinese, of 2 to 5 within words of anything else."""
    text = "".join(words)
    han = len(_HAN.findall(text)) / max(len(text), 1)
    if han >= _HAN_SHARE:
        return {"analyzer": _chinese, "lowercase": False}
    return {"analyzer": "char_wb", "ngram_range": (2, 5), "lowercase": False}


def _chinese(text: str) -> list[str]:
    # The analyzer of scikit-learn would take the line between two texts for a space.
    return [text[at : at + size] for size in range(1, 5) for at in range(len(text) - size + 1)]


def _known_share(grams: TfidfVectorizer, words: Iterable[str]) -> Floats:
    """The share of each text's runs of letters that the vocabulary has."""
    analyse, known = grams.build_analyzer(), grams.vocabulary_
    shares = []
    for text in words:
        runs = analyse(text)
        shares.append(sum(run in known for run in runs) / max(len(runs), 1))
    return np.array(shares, dtype=np.float64)


def _distinct(words: Strings, labels: Strings, fine: Strings) -> NDArray[np.int64]:
    """Places of each text with each meaning, once."""
    first: dict[tuple[str, str, str | None], int] = {}
    for at, key in enumerate(zip(words, labels, fine, strict=True)):
        first.setdefault(key, at)
    # Sorted by text, so that the order of the records makes no difference.
    ordered = sorted(first, key=lambda key: (key[0], key[1], key[2] or ""))
    return np.array([first[key] for key in ordered], dtype=np.int64)


def _agreeing(labels: Strings, category: Strings) -> Strings:
    """The subcategory of each ``category/subcategory`` that agrees with the category given."""
    found = np.full(len(labels), None, object)
    for at, (label, given) in enumerate(zip(labels, category, strict=True)):
        if label is not None and given is not None and label.partition("/")[0] == given:
            found[at] = label.partition("/")[2]
    return found
