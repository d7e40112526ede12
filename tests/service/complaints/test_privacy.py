"""What a person reads holds no digits and no names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnml.service.complaints.privacy import common_words, safe_text, safe_texts


@pytest.mark.parametrize(
    ("text", "gone", "left"),
    [
        ("我叫张伟，电话13812345678，家里信号差", ["张伟", "138"], "家里信号差"),
        (
            "本人欧阳娜娜，身份证１１０１０１１９９００１０１１２３４",
            ["欧阳", "娜娜", "1101"],
            "身份证",
        ),
        ("王先生反映营业员李小红态度不好", ["王先", "李小红"], "态度不好"),
        ("机主：陈建国 话费多扣", ["陈建国"], "话费多扣"),
        ("号码一三八零零一二三四五六没有信号", ["一三八零"], "没有信号"),
        ("My name is John Smith, my bill is wrong", ["John", "Smith"], "my bill is wrong"),
        ("Ms. O'Brien of 12 Elm St was rude", ["Brien", "12", "Elm"], "was rude"),
        ("write to jane.doe@mail.com please", ["jane", "mail.com"], "please"),
        ("见 https://a.example/张三?id=5 的截图", ["example", "张三"], "的截图"),
    ],
)
def test_names_digits_and_addresses_leave_a_text(text, gone, left):
    (safe,) = safe_texts([text], ["1"])
    assert left in safe
    for word in gone:
        assert word not in safe


@given(st.text(max_size=60))
def test_no_digit_is_left_in_any_text(text):
    assert not re.search(r"\d", safe_text(text))


def test_a_word_that_many_customers_use_is_no_name():
    texts = [f"高速上没有信号{at}" for at in range(10)]
    assert safe_texts(texts, [str(at) for at in range(10)]) == ["高速上没有信号＊"] * 10
    assert safe_texts(texts, ["1"] * 10) != ["高速上没有信号＊"] * 10
    many = common_words((f"Comcast {at}", str(at)) for at in range(10))
    assert many == {"Comcast"}
    assert safe_text("Comcast and Jones", many) == "Comcast and ＊"
