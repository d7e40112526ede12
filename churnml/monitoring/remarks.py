"""What is remarked on a monitoring: what was left out, what cannot be known, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from churnml.monitoring.outcomes import Label
from churnml.monitoring.replay import Replayed
from churnml.monitoring.result import MonitoredMonth, Remark, span
from churnml.monitoring.satisfaction import SatisfactionMonth


def remarks(
    months: Sequence[MonitoredMonth],
    again: Iterable[Replayed],
    label: Label,
    now: date,
    *,
    estimates: bool,
    priors: bool,
) -> list[Remark]:
    """The remarks on the months of the churn model."""
    notes = [Remark(name="delay", facts={"days": str(label.delay)})]
    silent = [month.as_of for month in months if month.histograms is None]
    if silent:
        these = "it" if len(silent) == 1 else "them"
        notes.append(Remark(name="no_model", facts={"months": span(silent), "these": these}))
    few = [
        month.as_of
        for month in months
        if month.histograms
        and not month.realised
        and label.known(month.as_of, now)
        and _was_fair(month)
    ]
    if few:
        notes.append(Remark(name="few", facts={"months": span(few)}))
    sampled = [one for one in again if len(one.ids) < one.rows]
    if sampled:
        rows = max(len(one.ids) for one in sampled)
        notes.append(Remark(name="sampled", facts={"rows": f"{rows:,}"}))
    offered = [month.realised.treated for month in months if month.realised]
    if many := sum(one or 0 for one in offered):
        notes.append(Remark(name="treated", facts={"count": f"{many:,}"}))
    ahead = [month for month in months if month.known_from > now and month.histograms]
    if any(month.estimated is not None for month in months):
        notes.append(Remark(name="estimate"))
    elif not estimates and ahead:
        notes.append(Remark(name="no_estimate"))
    if ahead:
        notes.append(_of_share(ahead[-1], shown=priors))
    return notes


def _of_share(last: MonitoredMonth, *, shown: bool) -> Remark:
    """Whether the share of leavers has moved, as far as anything can be said of it."""
    told = last.prior
    if told is None:
        name = "prior_unexplained" if shown else "no_prior"
        facts = {"as_of": last.as_of.isoformat(), "date": last.known_from.isoformat()}
        return Remark(name=name, facts=facts)
    facts = {
        "as_of": last.as_of.isoformat(),
        "since": told.since.isoformat(),
        "rate": f"{told.rate:.1%}",
        "low": f"{told.low:.1%}",
        "high": f"{told.high:.1%}",
        "date": last.known_from.isoformat(),
    }
    return Remark(name="prior", facts=facts)


def of_satisfaction(months: Sequence[SatisfactionMonth], label: Label | None) -> list[Remark]:
    """The remarks on the months of the satisfaction model."""
    if not months:
        return []
    if label is None:
        return [Remark(name="no_surveys")]
    last = months[-1]
    date_known = last.known_from.isoformat() if last.known_from else ""
    return [
        Remark(
            name="satisfaction_delay",
            facts={
                "days": str(label.delay),
                "as_of": last.as_of.isoformat(),
                "date": date_known,
            },
        )
    ]


def _was_fair(month: MonitoredMonth) -> bool:
    learned = month.histograms.learned_until if month.histograms else None
    return learned is not None and date.fromisoformat(learned) <= month.as_of
