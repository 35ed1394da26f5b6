"""Proposals for files as offices hand them in."""

import csv
import json
from collections import Counter

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.source import read_source
from etl.boundaries import read_boundaries
from etl.code_guesses import guess_codes
from etl.proposal import propose, source_name
from etl.proposal_text import proposal_text
from etl.samples import SampleError, file_format, read_sample
from etl.sources import read_chunks
from etl.time_formats import guess_formats
from geo import crs

CODES = frozenset({"A", "A1", "B"})


def rows_of(count, *, frame="WGS84"):
    """Rows of the toy city, one kilometre apart."""
    lines = []
    for number in range(count):
        east, north = 103.002 + 0.0021 * (number % 90), 36.002 + 0.0018 * (number % 100)
        if frame != "WGS84":
            shifted = crs.wgs84_to_gcj02([east], [north])
            if frame == "BD-09":
                shifted = crs.gcj02_to_bd09(*shifted)
            east, north = (float(axis[0]) for axis in shifted)
        grid = "EW"[(number % 90) < 47] + "12"[number % 100 >= 55]
        lines.append((f"N{number:05d}", number, ("A1", "B")[number % 2], east, north, grid))
    return lines


def write_csv(path, header, lines, encoding="utf-8"):
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(lines)
    return path


def text_of(found):
    return proposal_text(found, file=found.sample.path.name)


def proposed(path, toy=None):
    """The proposal, and the source that its text gives."""
    city = toy.city() if toy else None
    found = propose(
        read_sample(path), name="calls", city=city, built=read_boundaries(city) if city else None
    )
    file = path.parent / "proposed" / "calls.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text_of(found), encoding="utf-8")
    faults = []
    source = read_source(file, root=path.parent, known_categories=CODES, faults=faults)
    assert faults == []
    return found, source


def stamped(number):
    return f"2026-01-{1 + number % 28:02d} 10:{number % 60:02d}"


def ledger(count, **frame):
    return [
        (code, stamped(number), kind, "13800138000", "张三", x, y)
        for code, number, kind, x, y, _ in rows_of(count, **frame)
    ]


HEADER = ("工单编号", "来电时间", "事件类别", "联系电话", "来电人姓名", "经度", "纬度")


@pytest.mark.parametrize("frame", ["WGS84", "GCJ-02", "BD-09"])
def test_a_frame_is_told_by_the_codes_of_the_rows(toy, tmp_path, frame):
    lines = [
        (code, stamped(number), kind, x, y, grid)
        for code, number, kind, x, y, grid in rows_of(400, frame=frame)
    ]
    path = write_csv(
        tmp_path / "a.csv", ("编号", "发生时间", "类别", "经度", "纬度", "网格编码"), lines
    )
    found, source = proposed(path, toy)
    assert source.frame == frame
    shares = {trial.frame: trial.own_code for trial in found.trials}
    assert shares[frame] == max(shares.values()) > 0.9
    assert len(set(shares.values())) == 3
    assert source.columns["area_code"] == "网格编码"
    assert "Confirm the frame" in text_of(found)


def test_person_columns_are_named_and_not_read(toy, tmp_path):
    path = write_csv(tmp_path / "热线.csv", HEADER, ledger(60), encoding="gb18030")
    found, source = proposed(path, toy)
    assert found.sample.encoding == "gb18030"
    assert found.sample.persons == ("联系电话", "来电人姓名")
    assert not set(found.sample.rows.column_names) & set(found.sample.persons)
    assert not set(source.columns.values()) & set(found.sample.persons)
    text = text_of(found)
    assert "# looks personal, not read: 联系电话" in text
    assert "13800138000" not in text
    assert "张三" not in text


def test_columns_without_telling_headings_are_found_by_their_values(toy, tmp_path):
    lines = [
        (stamped(number), kind, code, grid, f"{x:.6f}", f"{y:.6f}", "甲乙丙"[number % 3])
        for code, number, kind, x, y, grid in rows_of(80)
    ]
    path = write_csv(tmp_path / "b.csv", ("c1", "c2", "c3", "c4", "c5", "c6", "c7"), lines)
    found, source = proposed(path, toy)
    assert source.columns == {
        "incident_id": "c3",
        "occurred_at": "c1",
        "category": "c2",
        "lng": "c5",
        "lat": "c6",
        "area_code": "c4",
    }
    assert found.unread == ["c7"]


def test_swapped_headings_of_coordinates_are_turned(toy, tmp_path):
    lines = [(code, stamped(number), kind, y, x) for code, number, kind, x, y, _ in rows_of(60)]
    path = write_csv(tmp_path / "c.csv", ("编号", "发生时间", "类别", "X坐标", "Y坐标"), lines)
    found, source = proposed(path, toy)
    assert (source.columns["lng"], source.columns["lat"]) == ("Y坐标", "X坐标")
    assert any("swapped" in remark for remark in found.remarks)


def test_points_far_from_the_city_are_said(toy, tmp_path):
    lines = [
        (code, stamped(number), kind, x + 9, y - 9) for code, number, kind, x, y, _ in rows_of(60)
    ]
    path = write_csv(tmp_path / "d.csv", ("编号", "发生时间", "类别", "经度", "纬度"), lines)
    found, source = proposed(path, toy)
    assert source.frame == "WGS84"
    assert any("no frame" in remark for remark in found.remarks)


def test_codes_are_guessed_or_left_open(toy, tmp_path):
    words = ("一般", "特别重大", "蓝色")
    lines = [
        (code, stamped(number), kind, words[number % 3], f"说明{number}")
        for code, number, kind, *_ in rows_of(90)
    ]
    path = write_csv(tmp_path / "e.csv", ("编号", "发生时间", "类别", "等级", "处理结果"), lines)
    found, source = proposed(path, toy)
    assert source.severity_codes == {"一般": 1, "特别重大": 4}
    assert found.codes["severity"].open == {"蓝色": 30}
    assert '# "蓝色" =   # 30 rows' in text_of(found)
    assert "outcome" not in source.columns
    assert "说明1" not in text_of(found)
    assert source.frame == "WGS84"


def test_our_own_codes_need_no_table():
    table = guess_codes("severity", Counter({"1": 300, "9": 1}))
    assert (table.needs_table, table.known, table.open) == (False, {}, {"9": 1})


def test_numbers_of_severity_are_turned_where_the_largest_is_the_commonest():
    counts = Counter({"3": 180, "2": 51, "1": 27, "一般": 1})
    assert guess_codes("severity", counts).known == {"3": 1, "2": 2, "1": 3, "一般": 1}
    assert guess_codes("severity", Counter({"1": 9, "2": 5, "3": 1})).needs_table is False


def test_the_meaning_of_severity_numbers_is_to_be_confirmed(toy, tmp_path):
    lines = [
        (code, stamped(number), kind, "1134"[number % 4]) for code, number, kind, *_ in rows_of(80)
    ]
    path = write_csv(tmp_path / "l.csv", ("编号", "发生时间", "类别", "等级"), lines)
    found, source = proposed(path, toy)
    assert source.severity_codes == {}
    assert found.remarks == [
        "等级 (severity) is in numbers, 4 is taken for the gravest; confirm it"
    ]


def test_coordinates_in_metres_are_tried_in_the_zones_of_the_city(toy, tmp_path):
    rows = rows_of(300)
    forward = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:4543", always_xy=True)
    metres = [forward.transform(x, y) for _, _, _, x, y, _ in rows]
    lines = [
        (code, stamped(number), kind, round(north, 2), round(east, 2), grid)
        for (code, number, kind, _, _, grid), (east, north) in zip(rows, metres, strict=True)
    ]
    path = write_csv(tmp_path / "m.csv", ("编号", "发生时间", "类别", "x", "y", "网格编码"), lines)
    _, source = proposed(path, toy)
    assert source.frame == "EPSG:4543"
    # In surveying x points north.
    assert (source.columns["lng"], source.columns["lat"]) == ("y", "x")


def test_several_time_formats_are_listed_together():
    texts = pd.Series(["2026-01-05 10:00", "2026-01-06 11:30", "2026/1/7 9:05", "20260108"])
    formats, remarks = guess_formats([texts], zone="Asia/Shanghai")
    assert formats == ["%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y%m%d"]
    assert remarks == []


def test_offsets_stand_beside_the_clock_of_the_source():
    texts = pd.Series(["2026-01-05T10:00:00+08:00"] * 2 + ["2026-01-06 11:30"])
    formats, _ = guess_formats([texts], zone="Asia/Shanghai")
    assert set(formats) == {"%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M"}


def test_days_and_months_that_could_change_places_are_said():
    formats, remarks = guess_formats([pd.Series(["03/04/2026", "05/06/2026"])], zone="UTC")
    assert formats == ["%d/%m/%Y"]
    assert "%m/%d/%Y" in remarks[0]
    formats, remarks = guess_formats([pd.Series(["03/04/2026", "05/26/2026"])], zone="UTC")
    assert (formats, remarks) == (["%m/%d/%Y"], [])


def test_times_of_utc_change_the_zone(toy, tmp_path):
    lines = [
        (code, f"2026-01-05T02:{number % 60:02d}:00Z", kind)
        for code, number, kind, *_ in rows_of(60)
    ]
    path = write_csv(tmp_path / "f.csv", ("编号", "发生时间", "类别"), lines)
    _, source = proposed(path, toy)
    assert source.time_format == ("%Y-%m-%dT%H:%M:%SZ",)
    assert source.time_zone == "UTC"


def test_a_ledger_with_a_title_is_read_by_its_header(toy, tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["事件台账"])
    sheet.merge_cells("A1:G1")
    sheet.append(["序号", "事件编号", "发生时间", "事件类别", "当事人姓名", "经度", "纬度"])
    for number, (code, _, kind, x, y, _) in enumerate(rows_of(40), start=1):
        moment = pd.Timestamp(stamped(number)).to_pydatetime()
        sheet.append([number, code, moment, kind, "李四", round(x, 6), round(y, 6)])
    sheet.append(["合计", 40])
    path = tmp_path / "台账.xlsx"
    book.save(path)
    found, source = proposed(path, toy)
    assert source.format == "xlsx"
    assert source.columns["incident_id"] == "事件编号"
    assert found.sample.persons == ("当事人姓名",)
    chunk = next(read_chunks(source, path))
    assert len(chunk.rows) == 40


def test_points_of_features_need_no_columns(toy, tmp_path):
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [x, y]},
            "properties": {"编号": code, "发生时间": stamped(number), "类别": kind},
        }
        for code, number, kind, x, y, _ in rows_of(50)
    ]
    path = tmp_path / "points.json"
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8"
    )
    found, source = proposed(path, toy)
    assert source.format == "geojson"
    assert "lng" not in source.columns
    assert found.trials[0].inside == 1.0


def test_codes_that_lost_their_zeros_are_numbers(toy, tmp_path):
    toy.write_grids([("0" + code, *rest) for code, *rest in toy.grids[:4]])
    lines = [(code, stamped(number), kind, grid) for code, number, kind, _, _, grid in rows_of(60)]
    path = write_csv(tmp_path / "g.csv", ("编号", "发生时间", "类别", "网格编码"), lines)
    _, source = proposed(path, toy)
    assert source.numeric_codes


def test_a_shipped_code_book_is_recognised_without_a_city(tmp_path):
    kinds = ("0101", "0201", "0402")
    lines = [(code, stamped(n), kinds[n % 3]) for code, n, *_ in rows_of(60)]
    path = write_csv(tmp_path / "h.csv", ("纠纷编号", "发生日期", "事件类别"), lines)
    found, source = proposed(path)
    assert source.category_book == "gbt31000-5.56"
    assert found.trials == []
    assert "Not tried" in text_of(found)


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("a.txt", b"a\tb\n1\t2\n", "tsv"),
        ("a.tsv", b"a,b\n1,2\n", "csv"),
        ("a.json", b'{"type": "Feature", "properties": {}}\n', "ndjson"),
        ("a.csv", b'\xef\xbb\xbf {"type":"FeatureCollection","features":[]}', "geojson"),
    ],
)
def test_the_content_decides_the_format(tmp_path, name, content, form):
    path = tmp_path / name
    path.write_bytes(content)
    assert file_format(path) == form


def test_parquet_is_known_under_any_name(tmp_path):
    path = tmp_path / "a.bin"
    pq.write_table(pa.table({"a": [1]}), path)
    assert file_format(path) == "parquet"


@pytest.mark.parametrize(
    ("header", "line", "message"),
    [
        (("编号", "备注"), ("1", "x"), "no column tells when"),
        (("编号", "发生时间", "备注"), ("1", "2026-01-05 10:00", "x"), "no column tells what"),
        (("姓名", "身份证号", "性别", "民族", "出生日期"), ("a",) * 5, "register of persons"),
        (("编号;发生时间;类别",), ("1;2;3",), "divides its columns"),
    ],
)
def test_what_cannot_be_proposed_is_said(tmp_path, header, line, message):
    path = write_csv(tmp_path / "i.csv", header, [line] * 3)
    with pytest.raises(SampleError, match=message):
        proposed(path)


def test_a_file_without_rows_is_said(tmp_path):
    path = write_csv(tmp_path / "j.csv", ("编号", "发生时间", "类别"), [])
    with pytest.raises(SampleError, match="no data rows"):
        read_sample(path)
    (tmp_path / "k.csv").write_bytes(b"")
    with pytest.raises(SampleError, match="is empty"):
        read_sample(tmp_path / "k.csv")


def test_names_of_sources_are_plain():
    assert source_name("12345 热线 2026-01") == "12345_2026_01"
    assert source_name("台账") == "new_source"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    headings=st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
        min_size=1,
        max_size=4,
    ),
    value=st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
def test_any_headings_and_values_give_a_source_that_reads_back(tmp_path, headings, value):
    columns = {heading: [value] * 3 for heading in headings}
    columns |= {"发生时间": ["2026-01-05 10:00"] * 3, "事件类别": [value + "x"] * 3}
    columns |= {"处理结果": [value + "y"] * 3}
    path = tmp_path / "any.parquet"
    pq.write_table(pa.table(columns), path)
    _, source = proposed(path)
    assert source.columns["occurred_at"]
