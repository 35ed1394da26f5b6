"""Registers of persons and classes about belief or opinion are turned away, and nothing else."""

from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.codebooks import books, read_book
from data.refusals import (
    PERSON_REGISTER,
    REASONS,
    REFUSED_CLASS,
    forbidden_category,
    message,
    person_register,
    turn_away,
)

# Data items of GB/T 31000-2015 and headings of exports that carry them.
REGISTERS = {
    "4.2 residents": "公民身份号码 姓名 曾用名 性别 出生日期 民族 籍贯 婚姻状况 政治面貌 学历 宗教信仰 职业类别 "
    "职业 服务处所 联系方式 户籍地 户籍门（楼）详址 现住地 现住门（楼）详址 人户一致标识 户号 户主姓名 与户主关系",
    "4.2 short": "序号 姓名 性别 身份证号 户籍地址 联系电话",
    "4.3.1 released": "公民身份号码 姓名 性别 是否累犯 原罪名 原判刑期 服刑场所 释放日期 危险性评估类型 衔接日期 "
    "衔接情况 安置日期 安置情况 帮教情况",
    "4.3.2 corrected": "姓名 社区矫正人员编号 矫正类别 案事件类别 具体罪名 原判刑期 矫正开始日期 矫正结束日期",
    "4.3.3 mental": "姓名 身份证件号码 监护人姓名 目前诊断类型 初次发病日期 有无肇事肇祸史 住院治疗原因 参与管理人员",
    "4.3.4 drugs": "姓名 证件号码 初次发现日期 管控情况 管控人姓名 帮扶情况 有无犯罪史 吸毒原因 吸毒后果",
    "4.3.5 HIV": "姓名 身份证号码 感染途径 是否有违法犯罪史 违法犯罪情况 关注类型 收治情况 收治机构名称",
    "4.4 youths": "姓名 公民身份号码 性别 人员类型 家庭情况 监护人公民身份号码 监护人姓名 与监护人关系 帮扶手段",
    "4.8.3 around schools": "学校名称 姓名 证件号码 人员类别 危害程度 关注程度 居住详址",
    "petitioners": "信访人 身份证号 信访人住址 上访次数 稳控责任人",
    "belief": "姓名 身份证号码 邪教种类 帮教情况",
    "two rows": "人员基本信息·姓名 人员基本信息·身份证号 户籍信息·户籍地址 性别 民族",
    "with remarks": "姓 名* 性 别 身份证号（18位） 民族： 联系电话",
}
# GB/T 31000-2015, table 30; 110, 12345, mediation and city management ledgers of real offices.
LEDGERS = {
    "disputes": "事件名称 发生日期 发生地点 事件规模 事件类别 涉及人数 事件简述 涉及单位 主要当事人证件代码 "
    "主要当事人证件号码 主要当事人姓名 主要当事人性别 主要当事人民族 主要当事人学历 主要当事人人员类别 主要当事人居住详址 "
    "化解时限 化解方式 化解组织 化解责任人姓名 化解责任人联系方式 化解是否成功 化解情况 经度 纬度",
    "disputes, roles left out": "事件名称 发生日期 事件类别 姓名 性别 民族 证件号码 学历 居住详址 化解方式 化解时限",
    "calls": "序号 事件单编号 报警人 联系电话 报警时间 所属分局 辖区单位 警情类别 警情类型 警情细类 处理结果 事发地址",
    "hotline": "工单编号 来电时间 受理渠道 来电人姓名 来电号码 来电类别 问题分类编码 事发地 承办单位 办结时间",
    "hotline, name alone": "工单编号 来电时间 姓名 联系电话 问题分类编码 是否信访件",
    "two rows": "事件编号 发生时间 当事人·姓名 当事人·身份证号 当事人·性别 处理人·姓名",
    "events": "当事人姓名 联系电话 发生时间 类别",
    "city management": "任务号 发现时间 大类 小类 街道 社区 地址 x y",
    "hazards": "隐患编号 场所名称 负责人姓名 负责人电话 隐患类型 整改时限",
    "english": "incident_id name phone occurred_at category lng lat",
    "nothing": "",
}


def rows(values):
    return pa.table({"category": values, "row": range(1, len(values) + 1)})


def source(book="", *, numeric=False):
    return SimpleNamespace(category_book=book, numeric_codes=numeric)


@pytest.mark.parametrize("headings", REGISTERS.values(), ids=REGISTERS)
def test_a_register_of_persons_is_known_by_its_headings(headings):
    assert person_register(headings.replace("姓 名", "姓\u3000名").split(" ")) == PERSON_REGISTER


@pytest.mark.parametrize("headings", LEDGERS.values(), ids=LEDGERS)
def test_a_ledger_of_events_that_names_its_parties_is_none(headings):
    assert person_register(headings.split()) is None


@settings(deadline=None)
@given(st.permutations(REGISTERS["4.2 residents"].split()))
def test_the_order_of_headings_does_not_matter(headings):
    assert person_register(headings) == PERSON_REGISTER


def test_refused_codes_of_the_book_are_turned_away():
    kept, counts = turn_away(
        rows(["0101", "1401", None, "16", "1501", "9999"]), source("gbt31000-5.56")
    )
    assert kept["row"].to_pylist() == [1, 3, 6]
    assert counts == {REFUSED_CLASS: 3}


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1401.0, None, 101.0]),
        pa.array([1401.0, float("nan"), 101.5]),
        pa.array([1401, None, 101]),
        pa.array(["1401 ", None, "101"]),
        pa.array(["1401", None, "101"]).dictionary_encode(),
        pa.array(["1401", None, "101"], pa.large_string()),
    ],
    ids=["float", "nan", "int", "blank", "dictionary", "large"],
)
def test_a_code_is_known_however_the_file_types_it(values):
    kept, counts = turn_away(rows(values), source("gbt31000-5.56"))
    assert (len(kept), counts) == (2, {REFUSED_CLASS: 1})


def test_codes_that_lost_their_zeros_are_refused_where_the_source_says_so():
    values = pa.array([2, 3])
    assert turn_away(rows(values), source("gbt31000-5.9"))[1] == {}
    assert turn_away(rows(values), source("gbt31000-5.9", numeric=True))[1] == {REFUSED_CLASS: 1}


def test_names_are_refused_like_codes():
    values = ["聚集上访", "群体性事件", "投诉监督", "纠纷", "涉公安"]
    assert turn_away(rows(values), source("police-110"))[0]["category"].to_pylist() == [
        "纠纷",
        "涉公安",
    ]
    assert turn_away(rows(["涉公安"]), source("gbt31000-5.56"))[1] == {REFUSED_CLASS: 1}


FORBIDDEN = [
    "民族", "涉民族问题", "宗教活动", "信访", "信 访 事项", "群众上访", "越级上访人员", "舆情", "网络谣言",
    "邪教", "组织人事", "纪检监察", "干部作风", "群体性事件", "罢工", "游行示威", "村委会选举", "重点人员管控",
    "社区矫正对象", "Petitioning", "religious matters", "Ethnic affairs", "public opinion", "Protest",
]  # fmt: skip
ALLOWED = [
    "网上访问故障", "网站上访问慢", "短信访问", "上门走访", "来访登记", "安全宣传教育", "召集会议", "人员聚集场所消防",
    "劳动监察", "环境监察", "人事争议", "业主委员会", "噪声扰民", "恒温稳控制设备", "网络诈骗", "发言论坛", "毒品",
    "competition dispute", "cultural services", "lightning strike", "bad faith", "Public peace violation",
    "Public order", "Assembly hall: fire", "Interference with public officer",
]  # fmt: skip


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_forbidden_name_is_refused_as_a_category_and_as_a_value(name):
    assert forbidden_category(name, "x")
    assert forbidden_category("甲", name)
    assert turn_away(rows([name, "盗窃"]), source())[1] == {REFUSED_CLASS: 1}


@pytest.mark.parametrize("name", ALLOWED)
def test_ordinary_names_pass(name):
    assert not forbidden_category(name, name)
    assert turn_away(rows([name]), source())[1] == {}


def test_every_mapped_code_and_name_of_every_book_passes_its_own_door():
    for book in books():
        passing = [code for code in book.codes if code.taxonomy is not None]
        values = [code.code for code in passing] + [code.name_zh for code in passing]
        assert turn_away(rows(pa.array(values, pa.string())), source(book.name))[1] == {}


def test_rows_without_refused_ones_are_returned_as_they_are():
    table = rows(["0101", None])
    assert turn_away(table, source("gbt31000-5.56"))[0] is table
    other = pa.table({"row": [1]})
    assert turn_away(other, source())[0] is other
    nothing = rows(pa.array([], pa.string()))
    assert turn_away(nothing, source("gbt31000-5.56")) == (nothing, {})


@settings(deadline=None)
@given(st.lists(st.sampled_from([None, *read_book("gbt31000-5.56").by_code]), max_size=50))
def test_every_row_is_kept_or_counted(values):
    refused = read_book("gbt31000-5.56").refused
    kept, counts = turn_away(rows(pa.array(values, pa.string())), source("gbt31000-5.56"))
    assert len(kept) + sum(counts.values()) == len(values)
    assert kept["category"].to_pylist() == [value for value in values if value not in refused]


@pytest.mark.parametrize("reason", REASONS)
def test_the_message_says_how_many_of_which_source_in_both_languages(reason):
    said = message(reason, 12345, "calls")
    for text in said:
        assert "12,345" in text
        assert "calls" in text
    assert said.zh != said.en
