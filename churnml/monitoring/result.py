"""What a monitoring found: one entry a month, alarms, and a sentence that sums it up."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from churnml.base.dates import with_days
from churnml.models.histograms import FEWEST, Histograms
from churnml.monitoring.alarms import Alarm
from churnml.monitoring.outcomes import Realised
from churnml.monitoring.prior import Prior
from churnml.monitoring.satisfaction import SatisfactionMonth
from churnml.monitoring.words import Tongue, say

if TYPE_CHECKING:
    import pandas as pd

_WORST = 20
_ANSWERED = {
    "answers": "answers",
    "answered": "mean",
    "predicted": "predicted",
    "off": "off",
    "low": "low",
    "high": "high",
    "error": "error",
}


@dataclass(frozen=True, kw_only=True)
class MonitoredMonth:
    """A month.

    Attributes
    ----------
    as_of : date
    rows : int or None
        Scored customers; None where no model may speak of the month.
    origin : {"scored", "replayed"} or None
    model : str or None
    histograms : Histograms or None
    realised : Realised or None
        None before its outcomes are known, and where they are about fewer than ten.
    estimated : float or None
        The AUC that the scores foretell, where they may.
    prior : Prior or None
        The share of leavers that the scores foretell, were it all that has moved.
    satisfaction : SatisfactionMonth or None
        What the satisfaction model says of the month.
    known_from : date
        From when on its outcomes are known.
    alarms : tuple of Alarm
    """

    as_of: date
    rows: int | None
    origin: str | None
    model: str | None
    histograms: Histograms | None
    realised: Realised | None
    estimated: float | None
    known_from: date
    alarms: tuple[Alarm, ...] = ()
    prior: Prior | None = None
    satisfaction: SatisfactionMonth | None = None

    @property
    def scored_mean(self) -> float | None:
        """The mean probability of leaving."""
        scores = self.histograms.scores if self.histograms else None
        return None if scores is None else scores.mean

    @property
    def level(self) -> str:
        """``act``, ``watch``, or the empty text."""
        levels = {alarm.level for alarm in self.alarms}
        return "act" if "act" in levels else "watch" if levels else ""

    def to_dict(self) -> dict[str, Any]:
        """As ``--json`` has it."""
        shown = self.rows is not None and self.rows >= FEWEST
        mean = self.scored_mean if shown else None
        return {
            "as_of": self.as_of.isoformat(),
            "rows": self.rows if shown else None,
            "origin": self.origin,
            "model": self.model,
            "scored_mean": mean if mean is None else round(mean, 6),
            "realised": self.realised.to_dict() if self.realised else None,
            "estimated": None if self.estimated is None else {"auc": round(self.estimated, 6)},
            "prior": self.prior.to_dict() if self.prior else None,
            "known_from": self.known_from.isoformat(),
            "satisfaction": self.satisfaction.to_dict() if self.satisfaction else None,
            "alarms": [alarm.to_dict() for alarm in self.alarms],
        }


@dataclass(frozen=True, kw_only=True)
class Remark:
    """A remark: its sentence and what fills it."""

    name: str
    facts: Mapping[str, str] = field(default_factory=dict)

    def text(self, lang: Tongue = "en") -> str:
        """The sentence."""
        return say("notes", self.name, lang, self.facts)


@dataclass(frozen=True, kw_only=True, repr=False)
class Monitoring:
    """What `churnml.monitor` found.

    Attributes
    ----------
    source : str
    as_of : date
    model : str
        The one in use.
    months : tuple of MonitoredMonth
        The earliest first.
    notes : tuple of Remark
    limit : float
        The drift beyond the usual from which on a column is off.
    in_months, of_months : int
        An alarm is raised where so many of so many months are off, the last among them.
    folder : str
        Where it was written; empty where it was not.
    features : mapping of str to mapping
        Declarations of the features that are not churnml's own.
    """

    source: str
    as_of: date
    model: str
    months: tuple[MonitoredMonth, ...]
    notes: tuple[Remark, ...]
    limit: float
    in_months: int
    of_months: int
    folder: str = ""
    features: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def last(self) -> MonitoredMonth | None:
        """The last month; None where there is none."""
        return self.months[-1] if self.months else None

    @property
    def act(self) -> list[Alarm]:
        """The alarms of the last month that must be acted on."""
        return [alarm for alarm in self.last.alarms if alarm.level == "act"] if self.last else []

    def verdict(self, lang: Tongue = "en") -> str:
        """The sentence that sums it up, and what is known last."""
        month = self.last
        if month is None or month.histograms is None:
            return say("verdicts", "none", lang, {"as_of": self.as_of})
        wanted = self.act or month.alarms
        between = "、" if lang == "zh" else ", "
        facts = {
            "as_of": month.as_of,
            "known_from": month.known_from,
            "measures": between.join(alarm.name(lang) for alarm in wanted),
        }
        name = month.level or "unknown"
        space = "" if lang == "zh" else " "
        return f"{say('verdicts', name, lang, facts)}{space}{self.last_known(lang)}"

    def last_known(self, lang: Tongue = "en") -> str:
        """How the model fared in the last month whose outcomes are known."""
        known = [month for month in self.months if month.realised]
        if not known:
            return say("last_known", "none", lang)
        found = known[-1].realised
        assert found is not None
        facts = {
            "as_of": known[-1].as_of,
            "auc": f"{found.auc:.3f} ({found.low:.3f} to {found.high:.3f})"
            if lang == "en"
            else f"{found.auc:.3f}（{found.low:.3f} 至 {found.high:.3f}）",
            "rate": f"{found.rate:.1%}",
            "predicted": f"{found.predicted:.1%}",
        }
        return say("last_known", "known", lang, facts)

    def last_answers(self, lang: Tongue = "en") -> str:
        """How the satisfaction model fared in the last month that is known; empty without one."""
        told = [month.satisfaction for month in self.months if month.satisfaction]
        if not told:
            return ""
        known = [one for one in told if one.answered]
        if not known:
            return say("last_answers", "none", lang)
        found = known[-1].answered
        assert found is not None
        facts = {
            "as_of": known[-1].as_of,
            "count": f"{found.answers:,}",
            "mean": f"{found.mean:.1f}",
            "predicted": f"{found.predicted:.1f}",
            "off": f"{found.off:+.1f} ({found.low:+.1f} to {found.high:+.1f})"
            if lang == "en"
            else f"{found.off:+.1f}（{found.low:+.1f} 至 {found.high:+.1f}）",
        }
        return say("last_answers", "known", lang, facts)

    def to_dict(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        return {
            "source": self.source,
            "as_of": self.as_of.isoformat(),
            "model": self.model,
            "verdict": self.verdict(),
            "months": [month.to_dict() for month in self.months],
            "inputs": self.worst_inputs(),
            "notes": [note.text() for note in self.notes],
        }

    def worst_inputs(self) -> list[dict[str, Any]]:
        """The columns that moved farthest beyond the usual, with their drift by month."""
        table = self.inputs()
        if table.empty:
            return []
        farthest = table.groupby("column")["excess"].max().sort_values(ascending=False)
        names = [str(name) for name in farthest.index[:_WORST] if farthest[name] > 0]
        found = []
        for name in names:
            rows = table[table["column"] == name]
            found.append(
                {
                    "column": name,
                    "importance": float(rows["importance"].iloc[-1]),
                    "excess": dict(
                        zip(rows["as_of"].tolist(), rows["excess"].tolist(), strict=True)
                    ),
                }
            )
        return found

    def inputs(self) -> pd.DataFrame:
        """The drift of every column in every month.

        Returns
        -------
        DataFrame
            ``as_of``, ``column``, ``drift``, ``usual``, ``excess`` (above the usual), ``psi``,
            ``chance``, ``importance``, ``missing``.
        """
        import pandas as pd

        rows = [
            {
                "as_of": month.as_of.isoformat(),
                "column": name,
                "drift": one.drift,
                "usual": one.usual,
                "excess": round(max(one.drift - one.usual, 0.0), 4),
                "psi": one.psi,
                "chance": one.chance,
                "importance": one.importance,
                "missing": one.lost,
            }
            for month in self.months
            if month.histograms
            for name, one in month.histograms.inputs.items()
        ]
        names = ["as_of", "column", "drift", "usual", "excess", "psi", "chance", "importance"]
        return pd.DataFrame(rows, columns=[*names, "missing"])

    def to_pandas(self) -> pd.DataFrame:
        """The months as a frame, one row each."""
        import pandas as pd

        rows = []
        for month in self.months:
            told = month.to_dict()
            known = told.pop("realised") or {}
            guessed = told.pop("estimated") or {}
            share = told.pop("prior") or {}
            asked = told.pop("satisfaction") or {}
            answers = asked.get("realised") or {}
            told["alarms"] = len(told["alarms"])
            names = ("auc", "low", "high", "rate", "predicted", "treated")
            told |= {name: known.get(name) for name in names}
            told |= {"estimated_auc": guessed.get("auc"), "level": month.level}
            told |= {"estimated_rate": share.get("rate")}
            told |= {"satisfaction_mean": asked.get("scored_mean")}
            rows.append(
                told | {f"satisfaction_{own}": answers.get(name) for own, name in _ANSWERED.items()}
            )
        return with_days(pd.DataFrame(rows), "as_of")

    def lines(self) -> list[tuple[str, ...]]:
        """The months as a person reads them: month, customers, origin, means, what is known."""
        told: list[tuple[str, ...]] = []
        for month in self.months:
            facts = month.to_dict()
            known = month.realised
            told.append(
                (
                    facts["as_of"],
                    "–" if facts["rows"] is None else f"{facts['rows']:,}",
                    month.origin or "–",
                    "–" if facts["scored_mean"] is None else f"{facts['scored_mean']:.1%}",
                    f"{known.rate:.1%}" if known else "–",
                    f"{known.auc:.3f} ({known.low:.3f} to {known.high:.3f})"
                    if known
                    else self._not_known(month),
                    month.level or "–",
                )
            )
        return told

    def _not_known(self, month: MonitoredMonth) -> str:
        if month.known_from > self.as_of:
            if month.estimated is not None:
                return f"≈{month.estimated:.3f} until {month.known_from}"
            return f"known from {month.known_from}"
        return "–"

    def __repr__(self) -> str:
        return f"Monitoring({self.as_of}: {len(self.months)} months)\n{self.verdict()}"

    def _repr_html_(self) -> str:
        head = ("month", "customers", "origin", "predicted", "left", "AUC", "alarm")
        cells = "".join(f"<th>{name}</th>" for name in head)
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self.lines()
        )
        todo = "".join(
            f"<li>{html.escape(alarm.level)}: {html.escape(alarm.what_to_do())}</li>"
            for alarm in (self.last.alarms if self.last else ())
        )
        return (
            f"<p>{html.escape(self.verdict())}</p><table><tr>{cells}</tr>{rows}</table>"
            f"<ul>{todo}</ul>"
        )


def span(days: Sequence[date]) -> str:
    """Months in a row as the first and the last.

    >>> span([date(2026, 1, 1), date(2026, 2, 1)])
    '2026-01-01 to 2026-02-01'
    """
    return str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"
