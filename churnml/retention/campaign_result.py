"""What a campaign did, as plain data and in words."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from churnml.metrics.effects import Effect
from churnml.retention.result import HOLD_OUT, TREAT

if TYPE_CHECKING:
    import pandas as pd

    from churnml.metrics.displays import GroupsDisplay

ENOUGH_LEFT = 10
"""Leavers of an arm below which a campaign has no verdict."""


@dataclass(frozen=True)
class CampaignResult:
    """What a campaign did, as plain data.

    Attributes
    ----------
    facts : mapping
        ``rows`` by arm; ``itt``, ``adjusted``, ``cace``, ``gain_yuan``, ``gain_unadjusted``
        and ``billed`` with their ends ``_low`` and ``_high``; ``accepted`` (the share),
        ``spent``, ``promised``, ``sample_ratio_p``, ``contaminated``, ``missing`` by arm,
        ``matured``, ``by_offer``, ``by_segment``, ``says`` in English and Chinese, ``notes``.
    """

    facts: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The facts, for ``--json``."""
        return dict(self.facts)

    def to_pandas(self) -> pd.DataFrame:
        """The effects by offer and by segment."""
        import pandas as pd

        parts = [{"by": by, **row} for by in ("offer", "segment") for row in self.facts[f"by_{by}"]]
        return pd.DataFrame(parts)

    def display(self) -> GroupsDisplay:
        """A figure of the effects, of all and by offer, beside what was promised; not drawn yet.

        Offers with too few leavers have no effect of their own, and are left out.

        Returns
        -------
        GroupsDisplay
        """
        import pandas as pd

        from churnml.metrics.displays import GroupsDisplay

        every = sum(self.facts["rows"].values())
        told = [("all, as drawn", self.facts, "itt", every)]
        told += [("all, adjusted for the score", self.facts, "adjusted", every)]
        told += [
            (row["offer"], row, "itt", row[TREAT] + row[HOLD_OUT])
            for row in self.facts["by_offer"]
            if row["itt"] is not None and row[TREAT] is not None
        ]
        rows = {
            name: {"mean": of[key], "low": of[f"{key}_low"], "high": of[f"{key}_high"], "n": n}
            for name, of, key, n in told
        }
        return GroupsDisplay(
            means=pd.DataFrame(rows).T.astype({"n": int}),
            whole=self.facts["promised"]["effect"],
            percent=True,
            title="What the campaign changed",
            label="change of the chance of leaving, points",
            dashed="promised",
        )

    def lines(self) -> list[tuple[str, str]]:
        """What a person should read, each with its name."""
        facts = self.facts
        rows, left = facts["rows"], facts["left"]
        told = [
            ("campaign", f"{facts['campaign']}, {facts['as_of']} to {facts['until']}"),
            (
                "left",
                f"{left[TREAT]} of {rows[TREAT]:,} treated, {left[HOLD_OUT]} of "
                f"{rows[HOLD_OUT]:,} held out"
                if left
                else f"{rows[TREAT]:,} treated, {rows[HOLD_OUT]:,} held out",
            ),
            ("effect", _points(facts, "itt") + ", of being listed"),
            ("adjusted", _points(facts, "adjusted") + ", for the score before the campaign"),
            ("accepters", _points(facts, "cace") + ", of those who accept when offered"),
            ("gain", f"{_yuan(facts, 'gain')} yuan, after spending {facts['spent']:,.0f}"),
            ("billed", _billed(facts)),
            ("promised", _promise(facts["promised"])),
            ("arms", _arms(facts)),
            ("says", facts["says"]["en"]),
        ]
        return told + [("note", note) for note in facts["notes"]]

    def __repr__(self) -> str:
        return "\n".join(f"{name:<12} {value}" for name, value in self.lines())

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
            for name, value in self.lines()
        )
        return f"<table>{cells}</table>"


def _points(facts: Mapping[str, Any], name: str) -> str:
    if facts[name] is None:
        return "not known"
    value, low, high = (100 * facts[one] for one in (name, f"{name}_low", f"{name}_high"))
    return f"{value:+.2f} ({low:+.2f} to {high:+.2f}) points"


def _yuan(facts: Mapping[str, Any], name: str) -> str:
    value = facts["gain_yuan"] if name == "gain" else facts[name]
    return f"{value:,.0f} ({facts[f'{name}_low']:,.0f} to {facts[f'{name}_high']:,.0f})"


def _billed(facts: Mapping[str, Any]) -> str:
    if facts["billed"] is None:
        return "not known: no month of the campaign has been billed"
    value, low, high = (facts[one] for one in ("billed", "billed_low", "billed_high"))
    return f"{value:+.2f} ({low:+.2f} to {high:+.2f}) yuan a listed customer so far"


def _promise(promised: Mapping[str, Any]) -> str:
    honest = promised["gain_honest"]
    told = "" if honest is None else f", {honest:,.0f} honest"
    return (
        f"{100 * promised['effect']:+.2f} points; {promised['gain_optimistic']:,.0f} yuan "
        f"optimistic{told}"
    )


def _arms(facts: Mapping[str, Any]) -> str:
    chance, missing = facts["sample_ratio_p"], facts["missing"]
    drawn = "no share was planned" if chance is None else f"as drawn with p = {chance:.2f}"
    return (
        f"{drawn}; outcome missing of {missing[TREAT]:,} treated and {missing[HOLD_OUT]:,} held "
        f"out; {facts['contaminated']:,} held out had an offer"
    )


def verdict_of(
    itt: Effect, gain: Effect, *, matured: bool, fewest: int = ENOUGH_LEFT
) -> dict[str, str]:
    """Whether it worked and whether it paid, in English and Chinese.

    Parameters
    ----------
    itt, gain : Effect
    matured : bool
    fewest : int
        Who left, of the arm of which fewer did: of hardly any, intervals hold too rarely.

    Examples
    --------
    >>> from churnml.metrics.effects import effect_of
    >>> verdict_of(effect_of(-0.02, 0.005), effect_of(900.0, 800.0), matured=True)["en"]
    'The campaign kept customers; whether it earned more than it cost cannot be told.'
    """
    enough = fewest >= ENOUGH_LEFT
    worked = _WORKED[(itt.low > 0) - (itt.high < 0)] if enough else _TOO_FEW
    paid = _PAID[(gain.low > 0) - (gain.high < 0) if enough else 0]
    soon = ("", "") if matured else ("So far: ", "截至目前：")
    english = f"{soon[0]}{worked[0]}; {paid[0]}."
    return {"en": english[:1].upper() + english[1:], "zh": f"{soon[1]}{worked[1]}，{paid[1]}。"}


_TOO_FEW = (
    "too few left to tell whether the campaign worked",
    "离网人数太少，无法判断活动是否有作用",
)
_WORKED = {
    -1: ("the campaign kept customers", "活动留住了客户"),
    0: ("no evidence that the campaign changed anything", "没有证据表明活动有作用"),
    1: ("the campaign drove customers away", "活动反而使客户流失"),
}
_PAID = {
    1: ("it earned more than it cost", "收益大于成本"),
    0: ("whether it earned more than it cost cannot be told", "收益是否大于成本尚无法判断"),
    -1: ("it cost more than it earned", "成本大于收益"),
}
