"""The result of an evaluation, shown in a terminal or a notebook."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from churnml.base.tasks import TaskName
from churnml.base.text import counted
from churnml.evaluation.diagnosis import Finding
from churnml.evaluation.segments import ELDERLY
from churnml.evaluation.slices import Slice
from churnml.metrics.bootstrap import Estimate
from churnml.metrics.profit_curve import ProfitCurve
from churnml.metrics.reliability import Bin
from churnml.metrics.suites import flat_metrics

Metrics = dict[str, Estimate]


def without_nan(value: Any) -> Any:
    """Nested plain data with None for every number that JSON cannot write.

    >>> without_nan({"a": [1.0, float("nan")]})
    {'a': [1.0, None]}
    """
    if isinstance(value, Mapping):
        return {name: without_nan(one) for name, one in value.items()}
    if isinstance(value, list):
        return [without_nan(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A model's metrics, slices and findings.

    Attributes
    ----------
    task : {"churn", "satisfaction"}
    model : str
    rows, customers, positives : int
        ``positives``: who left; who was dissatisfied.
    metrics : dict of str to Estimate
        With 95 % intervals over customers.
    baselines : dict of str to dict of str to Estimate
        The same measures of simpler predictions.
    possible : dict of str to Estimate
        What the truth reaches, and the share of it reached; empty where nobody knows it.
    reliability : list of Bin
        Of the probability of leaving, or of being dissatisfied.
    slices : list of Slice
        The worst first.
    profit : ProfitCurve or None
        For churn, where customers' values are given.
    diagnosis : list of Finding
        Empty where nothing is wrong.
    notes : list of str
    facts : dict of str to str
        Where the rows come from.
    seen : str
        What the training has seen of these rows; empty where it has seen nothing.
    elderly_brands : tuple of str
        The brands for the elderly.
    """

    task: TaskName
    model: str
    rows: int
    customers: int
    positives: int
    metrics: Metrics
    baselines: Mapping[str, Metrics] = field(default_factory=dict)
    possible: Metrics = field(default_factory=dict)
    reliability: list[Bin] = field(default_factory=list)
    slices: list[Slice] = field(default_factory=list)
    profit: ProfitCurve | None = None
    diagnosis: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    facts: Mapping[str, str] = field(default_factory=dict)
    seen: str = ""
    elderly_brands: tuple[str, ...] = (ELDERLY,)

    @property
    def verdict(self) -> list[str]:
        """The verdict on the model in sentences, the overall one first."""
        wrong = len(self.diagnosis)
        summary = f"{counted(wrong, 'thing')} wrong" if wrong else "Nothing wrong found"
        sentences = [f"{summary}, on what the training has seen." if self.seen else f"{summary}."]
        sentences += [self.seen] if self.seen else []
        worse, off = (sum(getattr(one, name) for one in self.slices) for name in ("worse", "off"))
        if worse or off:
            sentences.append(
                f"Of {counted(len(self.slices), 'slice')} {worse} "
                f"{'does' if worse == 1 else 'do'} worse than the others; of {off} the level "
                "is missed."
            )
        return sentences

    @property
    def elderly(self) -> str:
        """Compare the brand for the elderly with the others, in a sentence.

        Empty where there is no such brand among the slices.
        """
        slices = [one for one in self.slices if one.value in self.elderly_brands]
        return " ".join(_elderly(one) for one in slices)

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as plain data: numbers, text, lists and dicts; None for what is none."""
        fields = {
            "model": self.model,
            "task": self.task,
            **self.facts,
            "rows": self.rows,
            "customers": self.customers,
            "positives": self.positives,
            "metrics": flat_metrics(self.metrics),
            "baselines": {name: flat_metrics(one) for name, one in self.baselines.items()},
            "possible": flat_metrics(self.possible),
            "reliability": [one.to_dict() for one in self.reliability],
            "slices": [one.to_dict() for one in self.slices],
            "elderly": self.elderly,
            "profit": None if self.profit is None else self.profit.to_dict(),
            "seen": self.seen,
            "verdict": self.verdict,
            "diagnosis": [one.to_dict() for one in self.diagnosis],
            "notes": list(self.notes),
        }
        return {name: without_nan(value) for name, value in fields.items()}

    def __repr__(self) -> str:
        first = next(iter(self.metrics.items()), None)
        headline = f", {first[0]} {first[1]}" if first else ""
        said = " ".join(self.verdict)
        return f"Evaluation({self.model or self.task}: {self.rows:,} rows{headline}; {said})"

    def _repr_html_(self) -> str:
        from churnml.evaluation.html import evaluation_html

        return evaluation_html(self)


def _elderly(elderly: Slice) -> str:
    name = "老年" if elderly.value == ELDERLY else elderly.value
    who = f"The brand for the elderly ({name}, {elderly.rows:,} rows)"
    if elderly.note:
        return f"{who} cannot be judged: {elderly.note}."
    if elderly.worse and elderly.off:
        return f"{who} is served worse: ranked worse than the others, and its level is missed."
    if elderly.worse:
        return f"{who} is served worse than the others (difference {elderly.difference:.3f})."
    if elderly.off:
        return f"{who} is ranked as well as the others, but its level is missed."
    return f"{who} is served as well as the others, as far as these rows tell."
