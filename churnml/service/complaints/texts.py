"""What a complaint is about, by its text: learned from coded records, and silent when unsure.

Two ways, each tried on records that it had not seen:

- a text that ten or more customers have used word for word means what it meant before
- any other is judged by its runs of letters (character n-grams) with a logistic regression

A text is coded only where 95 % of such decisions are right, the lower end of Wilson's interval
for each category counting; all others are for a person.
"""

from __future__ import annotations

import re
import warnings
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from churnml.metrics.intervals import wilson
from churnml.service.complaints.privacy import plain

FEWEST = 10
"""Customers in whose records a run of letters, or a whole text, must occur to be used."""

_FOLDS = 5
_LONG_NUMBER = re.compile(r"\d{5,}")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_HAN_SHARE = 0.2
_UNLIKE = 0.02
"""A text with less in common with the learned ones than this share of them is not judged."""

Floats = NDArray[np.float64]
Strings = NDArray[np.object_]


def normalised(text: str) -> str:
    """A text in the form in which texts are compared: no long numbers, small letters.

    >>> normalised("My number is １３８００１３８０００,  NO Signal")
    'my number is , no signal'
    """
    return " ".join(_LONG_NUMBER.sub("", plain(text)).casefold().split())


@dataclass(frozen=True, eq=False, kw_only=True)
class Decider:
    """A classifier whose probabilities are calibrated, and how sure it must be.

    Attributes
    ----------
    model : LogisticRegression
    temperature : float
        Its scores are divided by this.
    thresholds : mapping of str to float
        The least probability at which a label is given; a label that is never right often
        enough is not in it.
    """

    model: LogisticRegression
    temperature: float
    thresholds: Mapping[str, float]

    def decide(self, grams: Any) -> tuple[Strings, Floats]:
        """The label of each row, ``None`` where it is unsure, and its probability."""
        chances = softmax(_scores(self.model, grams) / self.temperature, axis=1)
        best = chances.argmax(axis=1)
        labels = self.model.classes_[best].astype(object)
        sure = chances[np.arange(len(best)), best]
        least = np.array([self.thresholds.get(label, np.inf) for label in labels])
        labels[sure < least] = None
        return labels, sure


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
    matrix, fold = grams.transform(words), np.array([_fold(text) for text in words])
    decider = _learn(matrix, labels, fold, learnt=learnt, precision=precision)
    joined = np.array(
        [f"{label}/{sub}" if sub else "" for label, sub in zip(labels, fine, strict=True)], object
    )
    told = {label for label, count in Counter(joined).items() if label and count >= min_records}
    narrower = _learn(matrix, joined, fold, learnt=told, precision=precision)
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


def _fold(text: str) -> int:
    """The fold of a text: equal texts fall into one."""
    return zlib.crc32(text.encode()) % _FOLDS


def _learn(
    matrix: Any, labels: Strings, fold: NDArray[Any], *, learnt: set[str], precision: float
) -> Decider | None:
    """A classifier of the learnt labels, calibrated and bounded on folds it has not seen.

    The rows of other labels are no part of it, but count as mistakes where it gives them one.
    """
    if len(learnt) < 2:
        return None
    ours = np.isin(labels, list(learnt))
    classes = np.array(sorted(learnt))
    scores = np.zeros((len(labels), len(classes)))
    for part in range(_FOLDS):
        seen, held = ours & (fold != part), fold == part
        if not held.any():
            continue
        if len(set(labels[seen])) < 2:
            return None
        model = _fitted(matrix[seen], labels[seen])
        columns = np.searchsorted(classes, model.classes_)
        scores[held] = -50.0
        scores[np.ix_(held, columns)] = _scores(model, matrix[held])
    temperature = _temperature(scores[ours], np.searchsorted(classes, labels[ours].astype(str)))
    chances = softmax(scores / temperature, axis=1)
    best = chances.argmax(axis=1)
    sure = chances[np.arange(len(best)), best]
    right = classes[best] == labels.astype(str)
    thresholds = {}
    for at, label in enumerate(classes):
        given = best == at
        least = least_sure(sure[given], right[given], precision)
        if least is not None:
            thresholds[str(label)] = least
    model = _fitted(matrix[ours], labels[ours])
    return Decider(model=model, temperature=temperature, thresholds=thresholds)


def _fitted(matrix: Any, labels: Strings) -> LogisticRegression:
    with warnings.catch_warnings():
        # One that stops early is judged by the same folds.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=10.0, max_iter=200, tol=1e-3).fit(matrix, labels.astype(str))


def _scores(model: LogisticRegression, matrix: Any) -> Floats:
    scores = model.decision_function(matrix)
    return np.column_stack([np.zeros(len(scores)), scores]) if scores.ndim == 1 else scores


def _temperature(scores: Floats, truth: NDArray[np.int64]) -> float:
    """What the scores are divided by for their probabilities to be right on average.

    References
    ----------
    Guo et al. (2017), "On calibration of modern neural networks", ICML.
    """
    rows = np.arange(len(truth))

    def loss(log_temperature: float) -> float:
        found = log_softmax(scores / np.exp(log_temperature), axis=1)
        return -float(found[rows, truth].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded").x))


def least_sure(sure: Floats, right: NDArray[np.bool_], precision: float) -> float | None:
    """The least probability from which on enough decisions are right.

    Parameters
    ----------
    sure : array
        The probability of each decision.
    right : array of bool
    precision : float
        What the lower end of Wilson's 95 % interval must reach.

    Returns
    -------
    float or None
        None where no number of them does.

    Examples
    --------
    >>> sure = np.linspace(0.5, 1.0, 101)
    >>> round(least_sure(sure, sure > 0.6, 0.95), 3)
    0.605
    >>> least_sure(sure[:50], sure[:50] > 0, 0.95) is None
    True
    """
    order = np.argsort(-sure, kind="stable")
    count = np.arange(1.0, len(order) + 1)
    share = np.cumsum(right[order]) / count
    low, _high = wilson(share, count) if len(order) else (np.zeros(0), None)
    # Decisions of one probability are taken together.
    last = np.append(np.diff(sure[order]) != 0, True)[: len(order)]
    enough = np.flatnonzero((low >= precision) & last)
    return float(sure[order][enough[-1]]) if len(enough) else None


def _agreeing(labels: Strings, category: Strings) -> Strings:
    """The subcategory of each ``category/subcategory`` that agrees with the category given."""
    found = np.full(len(labels), None, object)
    for at, (label, given) in enumerate(zip(labels, category, strict=True)):
        if label is not None and given is not None and label.partition("/")[0] == given:
            found[at] = label.partition("/")[2]
    return found
