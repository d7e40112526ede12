"""The words that readers of an index see, in English and Chinese."""

from __future__ import annotations

from typing import Literal

Lang = Literal["en", "zh"]

COLUMNS: dict[str, dict[Lang, str]] = {
    "by": {"en": "by", "zh": "维度"},
    "cell": {"en": "cell", "zh": "单元"},
    "customers": {"en": "customers", "zh": "客户数"},
    "invited": {"en": "invited", "zh": "邀请数"},
    "answers": {"en": "answers", "zh": "答卷数"},
    "effective_answers": {"en": "effective answers", "zh": "有效答卷数"},
    "survey": {"en": "survey", "zh": "问卷均分"},
    "index": {"en": "index", "zh": "满意度指数"},
    "how": {"en": "how", "zh": "方法"},
    "change_month": {"en": "change to the month before", "zh": "较上月"},
    "change_year": {"en": "change to the year before", "zh": "较去年同期"},
    "answers_needed": {"en": "answers needed", "zh": "下期所需答卷数"},
    "standing": {"en": "against the whole", "zh": "与总体相比"},
}

VALUES: dict[str, dict[Lang, str]] = {
    "direct": {"en": "direct", "zh": "直接估计"},
    "pooled": {"en": "pooled", "zh": "合并估计"},
    "prediction": {"en": "prediction only", "zh": "仅为预测"},
    "hidden": {"en": "hidden (<10)", "zh": "隐去（<10）"},
    "below": {"en": "▼ below", "zh": "▼ 低于总体"},
    "not told apart": {"en": "● not told apart", "zh": "● 无显著差异"},
    "above": {"en": "▲ above", "zh": "▲ 高于总体"},
    "": {"en": "all customers", "zh": "全体客户"},
    "title": {"en": "Satisfaction index", "zh": "满意度指数"},
    "interval": {"en": "95 % interval", "zh": "95%置信区间"},
}


def value(word: str, lang: Lang = "en") -> str:
    """A value in a language; a name is left as it is.

    Examples
    --------
    >>> value("below", "zh"), value("H001")
    ('▼ 低于总体', 'H001')
    """
    return VALUES.get(word, {}).get(lang, word)


def with_interval(middle: float, low: float, high: float, lang: Lang = "en") -> str:
    """A value and its interval, ``–`` where it cannot be told.

    Examples
    --------
    >>> with_interval(76.2, 74.1, 78.3), with_interval(76.2, 74.1, 78.3, "zh")
    ('76.2 (74.1 to 78.3)', '76.2（74.1～78.3）')
    """
    if middle != middle:
        return "–"
    if low != low:
        return f"{middle:.1f}"
    if lang == "zh":
        return f"{middle:.1f}（{low:.1f}～{high:.1f}）"
    return f"{middle:.1f} ({low:.1f} to {high:.1f})"


def headline(middle: float, low: float, high: float, answers: int, lang: Lang = "en") -> str:
    """The one line of an index.

    Examples
    --------
    >>> headline(76.2, 74.1, 78.3, 412), headline(76.2, 74.1, 78.3, 412, "zh")
    ('76.2 (74.1 to 78.3), 412 answers', '76.2（74.1～78.3），412份')
    """
    told = with_interval(middle, low, high, lang)
    return f"{told}，{answers:,}份" if lang == "zh" else f"{told}, {answers:,} answers"
