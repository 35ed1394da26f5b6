import csv

import pytest

from data.source import SOURCE_COLUMNS
from etl.sources import SourceError, headings, read_chunks
from etl.sources.heading_match import column_names, heading_key, match_columns
from tests.conftest import ROOT
from tests.etl.sources.books import make_source, write_xlsx

ALIASES = ROOT / "data" / "reference" / "ledger_aliases.csv"
ISO = "2026-11-16 08:05:00"

# GB/T 31000-2015 table 30, with the names of persons that it makes mandatory.
TABLE_30 = {
    "事件名称": "某某纠纷", "发生日期": 20261116, "发生地点": "某路", "事件规模": "01", "事件类别": "0101",
    "涉及人数": 2, "事件简述": "略", "涉及单位": "", "主要当事人证件代码": "111",
    "主要当事人证件号码": "620102199003077777", "主要当事人姓名": "某", "性别": "男", "民族": "汉",
    "学历": "", "主要当事人人员类别": "01", "主要当事人居住详址": "略", "化解时限": 20261130,
    "化解方式": "0103", "化解组织": "某调委会", "化解责任人姓名": "某", "化解责任人联系方式": "略",
    "化解是否成功": 1, "化解情况": "略", "考评日期": "", "考评意见": "", "经度": 103.834303,
    "纬度": 36.061089,
}  # fmt: skip
POLICE = {
    "序号": 1, "事件单编号": "J1", "报警人": "某", "联系电话": "略", "报警时间": "2026/11/16 8:05",
    "所属分局": "某分局", "辖区单位": "某所", "警情类别": "1010", "警情类型": "盗窃", "警情细类": "",
    "警情明细": "", "处理结果": "已处理", "风险等级": "一般", "事发地址": "略", "事件详情": "略",
}  # fmt: skip
HOTLINE = {
    "orderNum": "G1", "callTime": "2026-11-16 08:05:00", "sourceType": "电话", "callerType": "市民",
    "questionCode": "110101", "address": "略", "organizationName": "某局",
    "deadlineDate": "2026-11-30", "completeTime": "2026-11-20 10:00:00", "orderState": "已办结",
}  # fmt: skip


def read_one(source, path):
    [chunk] = read_chunks(source, path)
    [row] = chunk.rows.to_pylist()
    return row


def test_table_30_of_the_standard(tmp_path):
    columns = {
        "occurred_at": "发生日期", "category": "事件类别", "scale": "事件规模",
        "deadline_at": "化解时限", "outcome": "化解是否成功", "lng": "经度", "lat": "纬度",
    }  # fmt: skip
    source = make_source(columns=columns, rows_without_id="accept")
    path = write_xlsx(
        tmp_path / "a.xlsx", [["矛盾纠纷排查化解"], [*TABLE_30], [*TABLE_30.values()]]
    )
    assert read_one(source, path) == {
        "occurred_at": "2026-11-16 00:00:00", "category": "0101", "scale": "01",
        "deadline_at": "2026-11-30 00:00:00", "outcome": "1", "lng": "103.834303",
        "lat": "36.061089", "row": 1,
    }  # fmt: skip


def test_a_call_ledger_and_an_export_in_english_under_the_same_source(tmp_path):
    columns = {"incident_id": "事件单编号", "occurred_at": "报警时间", "category": "警情类别"}
    police = write_xlsx(tmp_path / "a.xlsx", [[*POLICE], [*POLICE.values()]])
    hotline = write_xlsx(tmp_path / "b.xlsx", [[*HOTLINE], [*HOTLINE.values()]])
    source = make_source(columns=columns)
    assert read_one(source, police) == {
        "incident_id": "J1", "occurred_at": ISO, "category": "1010", "row": 1,
    }  # fmt: skip
    assert read_one(source, hotline) == {
        "incident_id": "G1", "occurred_at": ISO, "category": "110101", "row": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "heading",
    ["*发生日期", "发生日期(YYYYMMDD)", "发生日期（必填）", "【必填】发生日期", "发 生 日 期", "发生\n日期",
     "发生日期：", "★发生日期", "１．发生日期"[2:], "发生日期_"],
)  # fmt: skip
def test_headings_are_compared_without_ornaments(heading):
    assert heading_key(heading) == heading_key("发生日期")


@pytest.mark.parametrize(
    ("heading", "same"),
    [("经度/°", "经度"), ("面积(㎡)", "面积"), ("ＩＤ", "id"), ("(备注)", "(备注)")],
)
def test_units_and_width(heading, same):
    assert heading_key(heading) == heading_key(same)


def test_an_exact_heading_wins_over_a_like_one():
    levels = [("经度(GCJ02)",), ("经度",), ("纬度(WGS84)",)]
    match = match_columns(levels, make_source(columns={"lng": "经度", "lat": "纬度"}))
    assert match.columns == {"lng": 1, "lat": 2}


def test_a_column_that_is_somebody_elses_is_no_alias():
    source = make_source(columns={"occurred_at": "发生时间", "reported_at": "报警时间"})
    match = match_columns([("报警时间",), ("来电时间",)], source)
    assert match.columns == {"reported_at": 0, "occurred_at": 1}


def test_two_columns_that_could_be_meant_are_told_and_none_is_taken(tmp_path):
    source = make_source(columns={"occurred_at": "事发时刻", "category": "类别"})
    path = write_xlsx(tmp_path / "a.xlsx", [["发生时间", "来电时间", "类别"], [ISO, ISO, "0101"]])
    with pytest.raises(
        SourceError, match=r"2 columns that may mean `occurred_at` \(发生时间, 来电时间\)"
    ):
        list(read_chunks(source, path))
    assert headings(source, path) == ["发生时间", "来电时间", "类别"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_aliases_of_the_source_come_before_those_shipped(tmp_path, encoding):
    aliases = tmp_path / "aliases.csv"
    aliases.write_text("ours,theirs\noccurred_at,受理时间\n", encoding=encoding)
    source = make_source(aliases=aliases, columns={"occurred_at": "事发时刻", "category": "类别"})
    path = write_xlsx(tmp_path / "a.xlsx", [["发生时间", "受理时间", "类别"], ["", ISO, "0101"]])
    assert read_one(source, path)["occurred_at"] == ISO
    aliases.write_text("a,b\n", encoding=encoding)
    with pytest.raises(SourceError, match=r"aliases\.csv need the header ours,theirs"):
        list(read_chunks(source, path))


def test_names_of_columns_are_joined_only_where_they_repeat():
    levels = [("编号",), ("事发", "经度"), ("上报", "经度"), ("上报", "时间"), ()]
    assert column_names(levels) == ["编号", "事发·经度", "上报·经度", "时间", ""]


def test_every_shipped_alias_means_one_column():
    with ALIASES.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["ours"] for row in rows} == set(SOURCE_COLUMNS)
    keys = [heading_key(row["theirs"]) for row in rows]
    assert len(keys) == len(set(keys))
