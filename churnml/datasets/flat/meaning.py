"""Interpret a target's name and values: who left, who stayed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

Sense = Literal["left", "stayed"]

LEFT = {
    "yes": "no",
    "y": "n",
    "true": "false",
    "t": "f",
    "是": "否",
    "流失": "未流失|非流失|不流失|正常|在网|留存|保留",
    "已流失": "未流失|正常|在网",
    "流失用户": "非流失用户|正常用户|在网用户",
    "离网": "在网|未离网|正常",
    "已离网": "未离网|在网|正常",
    "churn": "no churn|not churn|no_churn|non-churn|nochurn|stay|loyal|active",
    "churned": "stayed|not churned|retained|active|existing",
    "left": "stayed|stay",
    "leave": "stay|stayed",
}
"""Values that mean that the customer left, and those that stand beside them for one who stayed."""

_TRUTH = {"yes": True, "y": True, "true": True, "t": True, "1": True, "是": True, "有": True} | {
    "no": False,
    "n": False,
    "false": False,
    "f": False,
    "0": False,
    "-1": False,
    "否": False,
    "无": False,
}
"""Words that answer the question that the column's name asks, whatever it is."""

_STAYED = re.compile(
    r"(?:is|was|has|still|currently|customer|cust|client|user|account)*"
    r"(?:retain(?:ed|s|ing)?|retention|activ(?:e|es|ity)|renew(?:ed|s|al|als|ing)?|stay(?:ed|s|ing)?"
    r"|remain(?:ed|s|ing)?|kept|keep(?:s|ing)?|continu(?:e|ed|es|ing)|surviv(?:e|ed|es|al|ing)|alive"
    r"|loyal(?:ty)?|subscribed|subscribing|existing|resubscribed"
    r"|aktiv|verlängert|actif|activ[oa]|ativ[oa]|retenid[oa]|renovad[oa])"
    r"(?:flag|ind|indicator|status|yn|customer|cust|client|user|account|member|label|target)*"
)
_GONE = re.compile(
    r".*(?:churn|attrit|cancel|terminat|lapse|exit|depart|defect|deactivat|quit|inactiv|unsubscri"
    r"|disconnect|kündig|non(?:renew|retain|retention|active)|not(?:renew|retain|active)).*|left|leave[rs]?|leaving|lost|gone|closed|abandon(?:ed)?"
)
_NOT = {"not", "non", "no", "never", "un", "without"}
_STAYED_HAN = (
    "留存|续费|续约|续订|续签|在网|在用|活跃|保留|留网|存活|续期|继续|正常|有效|忠诚"
    "|유지|잔존|재계약|갱신|継続"
)
_GONE_HAN = "流失|离网|離網|退网|销户|注销|解约|拆机|停机|退订|이탈|해지|해약|解約|離脱|離反"
_HAN = re.compile(
    rf"(?P<no>未|不|非|没有|没|无|無|비|미)?(?:(?P<stayed>{_STAYED_HAN})|(?P<left>{_GONE_HAN}))"
)
_WORDS = re.compile(r"[A-ZÄÖÜ]?[a-zäöüßéèáíóúãç]+|[A-ZÄÖÜ]+(?![a-z])")


def plain(value: object) -> str:
    """Normalise a target value.

    >>> plain(" Yes "), plain("1.0"), plain("0")
    ('yes', '1', '0')
    """
    text = str(value).strip().casefold()
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() else str(number)


def sense(name: str) -> Sense | None:
    """Whether a column's name refers to those who left or those who stayed.

    Examples
    --------
    >>> sense("Churn"), sense("is_active"), sense("未续费"), sense("isRetained")
    ('left', 'stayed', 'left', 'stayed')
    >>> sense("inactive"), sense("not_churned"), sense("y")
    ('left', 'stayed', None)
    """
    match = _HAN.search(name)
    if match is not None:
        said: Sense = "left" if match["left"] else "stayed"
        return _opposite(said) if match["no"] else said
    words = [word.casefold() for word in _WORDS.findall(name)]
    gone = [at for at, word in enumerate(words) if _GONE.fullmatch(word)]
    kept = [at for at, word in enumerate(words) if _STAYED.fullmatch(word)]
    if not gone and not kept:
        return None
    said, at = ("left", gone[0]) if gone else ("stayed", kept[0])
    return _opposite(said) if _NOT & set(words[:at]) else said


def _opposite(said: Sense) -> Sense:
    return "stayed" if said == "left" else "left"


def known_left(one: str, other: str) -> str | None:
    """Which of two plain values means that the customer left; ``None`` where it is not known."""
    for left, stayed in ((one, other), (other, one)):
        if left == "1" and stayed in ("0", "-1"):
            return left
        if stayed in LEFT.get(left, "").split("|"):
            return left
    return None


def answers(values: Sequence[str]) -> bool:
    """Whether normalised values are only yes and no."""
    return all(value in _TRUTH for value in values)


def translated(
    values: Sequence[str],
    name: str,
    *,
    target: str,
    left: Sequence[str],
    stayed: Sequence[str],
) -> dict[str, float] | None:
    """Map the normalised values of a later table to 0 and 1; ``None`` where uncertain.

    Parameters
    ----------
    values : sequence of str
    name : str
        What their column is called.
    target : str
        What the column was called in training.
    left, stayed : sequence of str
        The plain values that it had there.

    Examples
    --------
    >>> translated(["1", "0"], "kept", target="kept", left=["no"], stayed=["yes"])
    {'1': 0.0, '0': 1.0}
    >>> translated(["1", "0"], "state", target="state", left=["gone"], stayed=["here"])
    """
    words = dict.fromkeys(left, 1.0) | dict.fromkeys(stayed, 0.0)
    same = name.strip().casefold() == target.strip().casefold()
    if not answers(values):
        if all(value in words for value in values):
            return {value: words[value] for value in values}
        known = known_left(*values) if len(values) == 2 else None
        return None if known is None else {value: float(value == known) for value in values}
    if same and all(value in words for value in values):
        return {value: words[value] for value in values}
    yes = _yes_means(name, target, left, stayed, same=same)
    if yes is None:
        return None
    numbers = {value: float(_TRUTH[value] == yes) for value in values}
    contradicted = any(words.get(value, meaning) != meaning for value, meaning in numbers.items())
    return None if same and contradicted else numbers


def _yes_means(
    name: str, target: str, left: Sequence[str], stayed: Sequence[str], *, same: bool
) -> bool | None:
    """Whether a yes in a later table's column means that the customer left."""
    meanings = {_TRUTH[one] for one in left} if answers([*left, *stayed]) else set()
    trained = meanings.pop() if len(meanings) == 1 else None
    if same and trained is not None:
        return trained
    if sense(name) is not None:
        return True if sense(name) == "left" else None
    return trained if trained and sense(target) != "stayed" else None
