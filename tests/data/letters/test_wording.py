import pytest

from data.letters.wording import WordingError, checked, is_personal
from tests.data.letters.conftest import wording


@pytest.mark.parametrize(
    "text",
    [
        "请联系 138 0013 8000。", "身份证 990101199003076538 已核。", "车牌甘A12345停放。", "写信至 a.b@example.cn。",
        "当事人：张三丰多次来访。", "联系人李明。", "王某某多次报警。", "请刘先生到场。", "陈同志负责。",
        "Please ask Mr Smith.", "电话 1380013\n8000。"[:8] + "0013\n8000 转 13800138000",
        "联系电话０１０－６２３４５６７８。",
    ],
)  # fmt: skip
def test_a_person_is_seen(text):
    assert is_personal(text)


@pytest.mark.parametrize(
    "text",
    [
        "据《平安风险周报》2026年第1期（2026-W46，11月09日至11月15日），东门街道平安风险为红。",
        "请主要负责同志研究部署，逐项核实上述因素。", "治安类警情：29（往期应为 18.29），+6.5 分。",
        "快照 20261122T150734Z-d700669e。", "当事人均已签收。", "王家村、李家沟社区近6期依次为9、8、8件。",
        "990100101001 号区域", "责任人履职情况请一并报告。", "平安提示〔2026〕3号",
    ],
)  # fmt: skip
def test_places_and_figures_are_not_taken_for_persons(text):
    assert not is_personal(text)


def test_every_fault_is_told_at_once():
    with pytest.raises(WordingError) as told:
        checked(
            wording(title_zh="函", body_zh="长" * 4_001, body_en="Ask Mr Smith about it, please.")
        )
    assert told.value.faults == {"title_zh": "short", "body_zh": "long", "body_en": "personal"}
    with pytest.raises(WordingError, match="addressee_zh: unprintable"):
        checked(wording(addressee_zh="东门\u202e街道"))


def test_line_ends_are_made_plain():
    made = checked(wording(body_zh="第一段  文字如下。\r\n\r\n 第二段文字如下。 "))
    assert made.body_zh == "第一段 文字如下。\n第二段文字如下。"
