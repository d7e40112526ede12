"""What a reader must know beside the numbers, in English and Chinese."""

from __future__ import annotations

from typing import NamedTuple

from churnml.base.text import counted


class Note(NamedTuple):
    """A sentence in both languages."""

    en: str
    zh: str


UNSEEN = Note(
    en="Weights correct only what columns show: if satisfied or dissatisfied customers answer more "
    "often for reasons that no column shows, the index is off by what nobody can compute from "
    "these data, and its intervals do not hold that.",
    zh="权重只能修正数据字段可见的差异：若满意或不满意的客户出于字段无法反映的原因更愿意作答，"
    "指数将存在无法由现有数据计算的偏差，其置信区间不包含这一偏差。",
)
"""The sentence about non-response that no column shows; it stands beside every index."""


def sensitivity(mean: float, hidden: float, odds: float) -> Note:
    """What the mean of the answers would be, did the odds of answering rise with the score."""
    return Note(
        en=f"If the odds of answering rose {odds:g}-fold with every 10 points, the weighted mean "
        f"of the answers would be {hidden:.1f} instead of {mean:.1f}: {hidden - mean:+z.1f} "
        "points.",
        zh=f"若满意度每高10分作答几率变为{odds:g}倍，加权平均分应为{hidden:.1f}而非{mean:.1f}，"
        f"相差{hidden - mean:+z.1f}分。",
    )


def by_model(version: str, until: str, start: str) -> Note:
    """Predictions of a model that ended before the window."""
    return Note(
        en=f"Predictions: {version}, which had learned from nothing at or after {until}, and so "
        f"from no answer given since {start}.",
        zh=f"预测：{version}，其训练数据止于{until}，未见过{start}以来的任何答卷。",
    )


def cross_fitted(folds: int, why: Note) -> Note:
    """Predictions of models that each leave a share of the customers out."""
    return Note(
        en=f"Predictions: cross-fitted in {folds} folds of customers on the answers of the window, "
        f"everybody by the mean of the {folds} models, {why.en}.",
        zh=f"预测：在窗口期答卷上按客户分{folds}折交叉拟合，全体客户取{folds}个模型的平均值，{why.zh}。",
    )


NO_MODEL = Note(en="as there is no satisfaction model", zh="因为没有满意度模型")


def has_seen(version: str, until: str) -> Note:
    """Why a model is not used as it is."""
    return Note(
        en=f"as {version} has learned from data until {until} and may have seen these answers",
        zh=f"因为{version}的训练数据止于{until}，可能见过这些答卷",
    )


def lacks(version: str) -> Note:
    """Why a champion is not used."""
    return Note(
        en=f"as {version} reads tables or columns that are absent here",
        zh=f"因为{version}所需的表或字段在此缺失",
    )


def no_predictions(answers: int, fewest: int) -> Note:
    """Too few answers to learn from."""
    return Note(
        en=f"No predictions: {answers} customers answered, and at least {fewest} are needed to "
        "learn from. The index is the weighted mean of the answers.",
        zh=f"无预测：仅{answers}位客户作答，至少需要{fewest}位。指数即答卷的加权平均分。",
    )


def worth(explained: float) -> Note:
    """What predictions save, told from their share of the variance."""
    share = max(explained, 0.0)
    return Note(
        en=f"Predictions explain {share:.0%} of the differences between answers, and save about as "
        "large a share of the interviews; no more is to be had from them.",
        zh=f"预测可解释答卷差异的{share:.0%}，大致可节省同样比例的访问量，不会更多。",
    )


def only_overall(answers: int, others: int) -> Note:
    """Which answers count."""
    return Note(
        en=f"Counted are {answers:,} answers of touchpoint overall; {others:,} of other "
        "touchpoints are left out.",
        zh=f"仅计入总体满意度答卷{answers:,}份，其他触点的{others:,}份未计入。",
    )


def all_touchpoints(fewest: int) -> Note:
    """Too few answers of touchpoint overall."""
    return Note(
        en=f"Answers of all touchpoints count: fewer than {fewest} are of touchpoint overall.",
        zh=f"计入所有触点的答卷：总体满意度答卷不足{fewest}份。",
    )


TOO_FEW = Note(
    en="Fewer than 10 customers answered: nothing is told of them.",
    zh="作答客户不足10位，不显示任何结果。",
)


def backwards(answers: int) -> Note:
    """Answers that are dated before their question."""
    return Note(
        en=f"{answers:,} answers are dated before the invitation was sent and are left out: a "
        "clock runs wrong.",
        zh=f"{answers:,}份答卷的作答时间早于发送时间（时钟有误），未计入。",
    )


def empty_month(month: str) -> Note:
    """A month without an answer."""
    return Note(
        en=f"{month}: not one answer; the index stands on the other months of the window.",
        zh=f"{month}：没有任何答卷，指数仅依据窗口期的其他月份。",
    )


def empty_months(months: list[str]) -> Note:
    """Earlier months without an answer."""
    told = ", ".join(months)
    return Note(en=f"Earlier months without an answer: {told}.", zh=f"此前没有答卷的月份：{told}。")


def scale_changed(before: str, now: str, when: str) -> Note:
    """The answer scale is another one."""
    return Note(
        en=f"The scale of the answers has changed: {before} in the months before {when}, {now} "
        "since. Scores are put on 0 to 100 either way, but another scale is answered otherwise: a "
        "change across it is not the customers' alone.",
        zh=f"评分尺度发生变化：{when}之前为{before}，此后为{now}。分数均换算为0～100，"
        "但不同尺度的作答习惯不同，跨越该时点的变化不完全来自客户。",
    )


def unweighted(answers: int, fewest: int) -> Note:
    """Too few answers to learn who answers."""
    return Note(
        en=f"Unweighted but for known totals: {answers} customers answered, and at least {fewest} "
        "are needed to learn who answers.",
        zh=f"除已知总量外未加权：仅{answers}位客户作答，至少需要{fewest}位才能学习作答倾向。",
    )


BRAND_AND_TENURE = Note(en="brand and tenure", zh="品牌与在网时长")


def merged(by: Note, kinds: int) -> Note:
    """Kinds of customers of whom too few answered."""
    return Note(
        en=f"{by.en}: {counted(kinds, 'kind')} of customers with few answers or none "
        f"{'is' if kinds == 1 else 'are'} weighted together with a neighbour.",
        zh=f"{by.zh}：{kinds}类客户因答卷不足，与相邻类别合并加权。",
    )


def capped(answers: int, cap: float) -> Note:
    """Weights that raking would have moved too far."""
    return Note(
        en=f"{answers:,} weights were held at {cap:g} times up or down; known totals are met less "
        "exactly.",
        zh=f"{answers:,}个权重被限制在{cap:g}倍以内，已知总量未完全对齐。",
    )


def no_change(what: Note, table: str, day: str) -> Note:
    """There is nothing to compare with, as a table does not reach back so far."""
    why = {
        "bills": Note(en=f"no bills of the month before {day}", zh=f"{day}之前没有相应账单"),
        "surveys": Note(en=f"no answers of the months before {day}", zh=f"{day}之前没有相应答卷"),
    }.get(table, Note(en=f"the tables do not tell {day}", zh=f"数据不足以反映{day}的情况"))
    return Note(en=f"No change to {what.en}: {why.en}.", zh=f"无法与{what.zh}比较：{why.zh}。")


def what_changed(
    what: Note, mix: tuple[float, ...], true: tuple[float, ...], answered: float
) -> Note:
    """The parts of a change."""
    m, t = (f"{one[0]:+z.1f} ({one[1]:+z.1f} to {one[2]:+z.1f})" for one in (mix, true))
    mz, tz = (f"{one[0]:+z.1f}（{one[1]:+z.1f}～{one[2]:+z.1f}）" for one in (mix, true))
    return Note(
        en=f"Of the change to {what.en}, {m} comes of another mix of customers by brand, tier and "
        f"tenure and {t} of other opinions (Kitagawa's symmetrical form, no rest); the plain mean "
        f"of the answers changed by {answered:+z.1f} more, as other people answered.",
        zh=f"与{what.zh}相比的变化中，{mz}来自客户结构（品牌、等级、在网时长）变化，{tz}来自评价本身"
        f"（Kitagawa对称分解，无余项）；简单均分另有{answered:+z.1f}来自作答人群不同。",
    )


MONTH_BEFORE = Note(en="the month before", zh="上月")
YEAR_BEFORE = Note(en="the year before", zh="去年同期")


def new_cells(by: str, names: list[str], day: str) -> Note:
    """Cells that were not there, or bore another name."""
    told = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    short = "、".join(names[:5]) + (f"等{len(names)}个" if len(names) > 5 else "")
    return Note(
        en=f"{by}: no customer bore {told} at {day} (new, or renamed since): no change is told.",
        zh=f"{by}：{day}尚无{short}（新增或更名），不计算变化。",
    )


def who_pays(what: Note, mean: float, low: float, high: float, answers: int) -> Note:
    """The index of some customers, by who pays."""
    return Note(
        en=f"{what.en}: {mean:.1f} ({low:.1f} to {high:.1f}), {answers:,} answers.",
        zh=f"{what.zh}：{mean:.1f}（{low:.1f}～{high:.1f}），{answers:,}份。",
    )


PAYS = Note(en="Customers who pay for themselves", zh="自付费客户")
PAID_FOR = Note(en="Customers for whom somebody else pays", zh="由他人付费的客户")
EVERY_PAYER = Note(
    en="Each payer counted once, whatever number of customers it pays for",
    zh="按付费方计（每个付费方计一次）",
)
EVERY_HOUSEHOLD = Note(
    en="Each household counted once, whatever its size", zh="按家庭计（每户计一次）"
)
