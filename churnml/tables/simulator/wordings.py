"""Many ways of saying the same thing: texts of complaints, well written and badly."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache

import numpy as np

_CORES = (
    (
        "家里手机信号只有一格，打电话听不清",
        "小区里一直没有信号，电话打不出去",
        "地下室和电梯里完全没有网络覆盖",
        "信号时有时无，经常显示无服务",
        "我们村信号特别弱，别人打不进来",
        "办公室信号不好，要走到窗边才能通话",
    ),
    (
        "通话经常中断，一天掉线好几次",
        "电话打着打着就断了，要重新拨打",
        "接通以后几分钟自动挂断",
        "高铁上通话老是掉线",
        "打电话时声音断断续续然后就断线",
        "最近总是掉话，影响工作",
    ),
    (
        "手机上网速度太慢，网页打不开",
        "晚上看视频一直卡，流量转圈",
        "5G网速还不如以前的4G",
        "上网很慢，下载一个文件要半小时",
        "玩游戏延迟高，网络卡顿严重",
        "流量没有用完网速却被限制了",
    ),
    (
        "这个月话费多扣了，账单看不明白",
        "账单金额不对，比平时多了不少",
        "月租收了两次，要求退费",
        "话费扣得太快，不知道扣在哪里",
        "查账单发现有一笔不明费用",
        "套餐内还有余量却产生了套餐外费用",
    ),
    (
        "没有订购过的增值业务却每月扣费",
        "莫名其妙开通了彩铃，要求退订退费",
        "未经同意给我开通了会员业务",
        "手机里多了一个我没有办过的流量包",
        "一直在扣一项不认识的包月费",
        "孩子误点就被订购了业务，没有二次确认",
    ),
    (
        "漫游费太贵，事先没有提醒",
        "出国几天产生了高额漫游费用",
        "在香港用了一点流量就扣了几百块",
        "国际漫游资费说明不清楚",
        "人在国内却收到国际漫游扣费",
        "漫游包已经买了还是另外收费",
    ),
    (
        "套餐变更没有办成功，已经第二次了",
        "申请改套餐一直不生效",
        "预约的宽带安装订单没有人处理",
        "网上下的单一直显示处理中",
        "补卡办理失败，系统说有在途订单",
        "销户申请提交了半个月没有结果",
    ),
    (
        "我的资料登记错误，一直没有改正",
        "实名信息不对，无法办理业务",
        "身份证号码登记成了别人的",
        "名下多出一个不是我的号码",
        "过户以后系统里还是原来的机主",
        "发票抬头信息录错，要求更正",
    ),
    (
        "办理携号转网遇到阻碍",
        "携转资格查询一直不通过",
        "想转到别的运营商，不给授权码",
        "说我有合约不能携号转网",
        "转网申请被无理由拒绝",
        "携号转入以后收不到验证码短信",
    ),
    (
        "营业厅排队太久，等了半个多小时",
        "大厅只开一个窗口，排了很长的队",
        "取号以后等了一个小时还没有叫到",
        "中午营业厅没有人办理，白等一场",
        "窗口排队的人太多，没有人疏导",
        "去了三次营业厅都要排队很久",
    ),
    (
        "营业员态度不好，爱理不理",
        "柜台工作人员说话很不耐烦",
        "客服代表中途挂我电话，态度恶劣",
        "工作人员对老人大声呵斥",
        "服务人员冷漠，问什么都说不知道",
        "上门师傅态度差，还要小费",
    ),
    (
        "客服说法前后不一致，耽误了我的事",
        "客服答复错误，害我白跑一趟",
        "两个客服解释的完全不一样",
        "承诺三天内回复，到现在没有人联系",
        "工作人员误导我办了不合适的业务",
        "客服告诉我可以办，到了现场又说不行",
    ),
    (
        "经常收到垃圾短信",
        "每天都有推销电话骚扰",
        "收到很多诈骗短信，要求拦截",
        "营销短信退订了还是发",
        "半夜接到陌生骚扰电话",
        "不断收到广告信息，不胜其烦",
    ),
    (
        "代理点承诺的优惠没有兑现",
        "手机店办卡时说送的礼品没有给",
        "代理商收了钱不给开收据",
        "校园代理骗学生办卡",
        "合作网点私自加价卖卡",
        "代理点说充五百送手机，结果没有",
    ),
    (
        "其他问题，请尽快处理",
        "有事情要反映，请回电",
        "需要帮助，请安排人员联系",
        "之前反映过的事情还没有解决",
        "想提一个建议",
        "请上级部门给一个说法",
    ),
)
"""Six for each subcategory, in the order of `complaints.SUBCATEGORIES`."""

_OTHER_CORES = (
    ("屋里头电话老没杠", "这儿收不着讯号", "手机到家就成砖头"),
    ("讲两句就没声儿了", "老是嘟一声完了", "电话说半截没了"),
    ("刷个短片都转圈圈", "网跟蜗牛似的", "打开个图都费劲"),
    ("钱咋少了这么些", "这钱算得不对头", "上个月交的钱去哪了"),
    ("谁给我开的这玩意儿", "没点过咋就包月了", "乱七八糟的东西赶紧给我取消"),
    ("出趟门花了冤枉钱", "在外地上网贵得吓人", "境外开机就没了好几百"),
    ("说好改的到现在没改", "单子卡在那儿不动", "办个事儿办了俩礼拜"),
    ("名字给我写错了", "证件对不上号", "户头不是我的名儿"),
    ("想换一家不让换", "死活不放我走", "号带不走"),
    ("站得腿都麻了还没轮到", "就一个柜台谁受得了", "等到下班也没叫我"),
    ("那姑娘翻白眼", "跟欠她钱似的", "吼老人家像话吗"),
    ("一人一个说法信谁的", "让我白跑好几趟", "糊弄人说能办"),
    ("天天推销烦死了", "骗子短信没完没了", "广告轰炸"),
    ("小店忽悠人", "答应的东西不认账", "那家卖卡的多要钱"),
    ("反正就是不满意", "你们看着办", "给个话"),
)
"""Three for each, in words that the others never use."""

_OPENERS = (
    "",
    "您好，",
    "我是老用户了，",
    "我要投诉，",
    "用户反映",
    "本人王建国，手机13912345678，",
)
_PLACES = ("", "最近一个星期", "从上个月开始", "在人民路这边", "2026年以来")
_CLOSINGS = ("", "，请尽快解决", "，要求赔偿", "，打了好几次10086都没用", "，再不处理我就去申诉")
_TYPOS = {
    "信号": "信好",
    "电话": "电活",
    "套餐": "套参",
    "话费": "花费",
    "网络": "网洛",
    "流量": "流亮",
    "业务": "夜务",
    "营业厅": "营叶厅",
    "客服": "客负",
    "漫游": "慢游",
    "办理": "办里",
    "短信": "短幸",
}
_SPOILT = 400


@dataclass(frozen=True, kw_only=True)
class Wordings:
    """Texts by subcategory: the well written ones of all, then the spoilt ones.

    Attributes
    ----------
    texts : tuple of str
    clean, spoilt : int
        How many each subcategory has.
    clean_first, spoilt_first : int
        Where they begin.
    """

    texts: tuple[str, ...]
    clean: int
    spoilt: int
    clean_first: int
    spoilt_first: int


@cache
def wordings() -> Wordings:
    """All texts; the same ones every time."""
    clean = [
        [
            f"{opener}{place}{core}{closing}"
            for opener, place, core, closing in itertools.product(
                _OPENERS, _PLACES, cores, _CLOSINGS
            )
        ]
        for cores in _CORES
    ]
    rng = np.random.default_rng(0)
    spoilt = [
        [_spoil(rng, _any(rng, other if rng.random() < 0.5 else own)) for _ in range(_SPOILT)]
        for own, other in zip(_CORES, _OTHER_CORES, strict=True)
    ]
    return Wordings(
        texts=tuple(itertools.chain(*clean, *spoilt)),
        clean=len(clean[0]),
        spoilt=_SPOILT,
        clean_first=0,
        spoilt_first=sum(map(len, clean)),
    )


def _any(rng: np.random.Generator, cores: tuple[str, ...]) -> str:
    parts = (_OPENERS, _PLACES, cores, _CLOSINGS)
    return "".join(part[rng.integers(len(part))] for part in parts)


def _spoil(rng: np.random.Generator, text: str) -> str:
    """A text with homophones, and with letters lost and changed round."""
    for right, wrong in _TYPOS.items():
        if rng.random() < 0.5:
            text = text.replace(right, wrong)
    letters = [letter for letter in text if rng.random() > 0.06]
    for at in np.flatnonzero(rng.random(max(len(letters) - 1, 0)) < 0.04):
        letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters)
