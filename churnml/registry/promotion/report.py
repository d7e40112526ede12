"""The gate's report in Markdown, shown with a run in MLflow."""

from __future__ import annotations

from churnml.evaluation.contest import Verdict
from churnml.metrics import format_estimate
from churnml.registry.promotion.history import Event


def report(name: str, event: Event, verdict: Verdict | None) -> str:
    """The event, and the table of reasons.

    Parameters
    ----------
    name : str
        Of the registered model.
    event : Event
    verdict : Verdict or None

    Returns
    -------
    str
        Markdown. The reason that was given stands as code, so that it cannot draw.
    """
    over = f" over version {event.over}" if event.over else ""
    parts = [
        f"# {name} version {event.version}: {event.what}{over}",
        f"{event.when}, {event.who}: `{event.why.replace('`', chr(39))}`",
    ]
    if verdict is not None:
        parts.append(
            f"Measured on {verdict.rows:,} rows ({', '.join(verdict.months)}) that neither had "
            "learned from. A gain is the challenger's improvement, with its 95 % interval."
        )
        lines = ["| where | measure | challenger | champion | gain | | why |", "|---" * 7 + "|"]
        lines += [
            f"| {check.where} | {check.measure} | {check.challenger:.4f} | {check.champion:.4f} "
            f"| {format_estimate(check.gain)} "
            f"| {'pass' if check.passed else '**fail**'} | {check.reason} |"
            for check in verdict.checks
        ]
        parts.append("\n".join(lines))
        parts += [f"- {note}" for note in verdict.notes]
    return "\n\n".join(parts) + "\n"
