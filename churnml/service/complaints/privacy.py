"""Take what tells who somebody is out of a complaint's text before a person reads it.

Digits go, and what looks like a name: what follows a word such as 我叫 or Mr, what stands
before 先生, and any word that may be a name and is in the records of fewer than ten customers.
A list of names would be short of most of them; a rule on how many people use a word is not.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set

FEWEST = 10
"""A word that may be a name stays where so many customers have used it."""

HIDDEN = "＊"

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁"
    "沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严赖覃"
    "洪武莫孔汤向常温康施文牛樊葛邢安齐伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯"
    "纪梅童凌毕单季裴霍涂成苗谷曲盛冉蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶牟艾尤阳穆农司卓古吉缪"
    "简车项连芦麦褚娄窦戚岑景党宫卜冷晏席卫米柏宗瞿桂佟臧闵苟邬边卞姬师仇栾隋商刁沙荣巫寇桑"
)
_COMPOUND = "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|夏侯|端木|南宫"
_SURNAME = rf"(?:{_COMPOUND}|[{_SURNAMES}])"
_HAN = r"[\u4e00-\u9fff]"
_TITLES = "先生|女士|小姐|太太|经理|师傅|同志|老师|主任|主管|店长|阿姨|大爷|大妈|大哥|大姐|老板|总"
_BEFORE = (
    "我叫|名叫|叫做|我是|本人|姓名是?|联系人是?|机主是?|户主是?|签名|用户名?|客户|申诉人|投诉人|"
    "营业员|客服|经理|店长|业务员|师傅|坐席|话务员|接线员|工作人员|柜员|代表"
)
_TITLED = re.compile(rf"{_SURNAME}{_HAN}{{0,2}}?(?={_TITLES})")
_NAMED = re.compile(rf"({_BEFORE})([：:\s]*)({_SURNAME}{_HAN}{{1,2}})")
_MAYBE = re.compile(rf"{_SURNAME}{_HAN}{{1,2}}")
_STEM = re.compile(rf"(?=((?:{_COMPOUND}|[{_SURNAMES}]{_HAN})))")
_BEGINNINGS = """
全部 成功 单子 单位 方便 方面 方式 高铁 高兴 高额 高峰 高温 安装 安排 安全 白跑
白天 白等 万元 关于 关闭 关机 简单 项目 常常 向我 钱包 路由 车站 边上 何时 何种
任何 任务 任意 程序 余额 余量 金额 金卡 马上 连接 连续 连不 满意 黄金 江边 谢谢
许多 于是 华为 石油 成为 成了 计费 贵得 党政 毛病 顾客 严重 严格 柜台 温馨 应该
路上 路段 路边 包月 包括 包含 沟通 常用 经常 平时 平台 强制 强烈 水电 和我 范围
"""
_WORDS = frozenset(_BEGINNINGS.split())
"""Common words that begin as names do."""
_LATIN_NAMED = re.compile(
    r"((?i:\bmy name is|\bthis is|\bi am|\bname\s*:|\bmr\b\.?|\bmrs\b\.?|\bms\b\.?|\bdr\b\.?)\s+)"
    r"([A-Z][\w'’-]+(?:\s+[A-Z][\w'’-]+)*)"
)
_CAPITAL = re.compile(r"\b[A-Z][a-z'’-]+\b")
_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+|https?://\S+|www\.\S+")
_NUMERALS = re.compile(r"[零〇一二三四五六七八九幺两]{5,}")
_DIGITS = re.compile(r"\d+")


def plain(text: str) -> str:
    """A text with full-width letters and digits as usual ones, and single spaces.

    >>> plain("ＡＢＣ　１２3  x")
    'ABC 123 x'
    """
    return " ".join(unicodedata.normalize("NFKC", text).split())


def safe_texts(texts: Sequence[str | None], customers: Sequence[str]) -> list[str | None]:
    """Texts without digits, addresses and names.

    Parameters
    ----------
    texts : sequence of str or None
    customers : sequence of str
        Whose record each text is.

    Returns
    -------
    list of str or None

    Examples
    --------
    >>> safe_texts(["我叫张伟，电话１３812345678，信号差"], ["1"])
    ['我叫＊,电话＊,信号差']
    >>> safe_texts(["no signal, says Mr. John Smith of 555-1234"], ["1"])
    ['no signal, says ＊. ＊ of ＊-＊']
    """
    common = common_words(zip(texts, customers, strict=True))
    return [None if text is None else safe_text(text, common) for text in texts]


def safe_text(text: str, common: Set[str] = frozenset()) -> str:
    """A text without digits, addresses and names.

    Parameters
    ----------
    text : str
    common : set of str
        Words that may be names and are none, from `common_words`.
    """
    text = _ADDRESS.sub(HIDDEN, plain(text))
    text = _LATIN_NAMED.sub(lambda found: found[1] + HIDDEN, text)
    text = _NAMED.sub(_introduced, text)
    text = _TITLED.sub(HIDDEN, text)
    text = _without_rare_names(text, common)
    text = _CAPITAL.sub(lambda found: found[0] if found[0] in common else HIDDEN, text)
    return _DIGITS.sub(HIDDEN, _NUMERALS.sub(HIDDEN, text))


def _introduced(found: re.Match[str]) -> str:
    word = found[3]
    return found[0] if word[:2] in _WORDS else found[1] + found[2] + HIDDEN


def _without_rare_names(text: str, common: Set[str]) -> str:
    kept, at = "", 0
    while found := _MAYBE.search(text, at):
        kept += text[at : found.start()]
        stem = found[0][:2]
        if stem in common or stem in _WORDS:
            kept, at = kept + stem, found.start() + len(stem)
        else:
            kept, at = kept + HIDDEN, found.end()
    return kept + text[at:]


def common_words(records: Iterable[tuple[str | None, str]]) -> frozenset[str]:
    """Words that may be names, and are in the records of enough customers to be none.

    Parameters
    ----------
    records : iterable of (text or None, customer)
    """
    users: defaultdict[str, set[str]] = defaultdict(set)
    for text, customer in records:
        readable = plain(text) if text else ""
        for pattern in (_STEM, _CAPITAL):
            for word in pattern.findall(readable):
                if len(users[word]) < FEWEST:
                    users[word].add(customer)
    return frozenset(word for word, who in users.items() if len(who) >= FEWEST)
