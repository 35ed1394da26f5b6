"""Registers through a whole build: accounts, versions, what is due, sums of every level."""

import datetime as dt

import openpyxl
import pandas as pd
import pytest

from data.resources.registers import RegisterError
from data.store import Store
from etl.verify import verify
from geo import crs

FACILITIES = """
title_zh = "设施"
title_en = "Facilities"
holds = "facilities"
files = ["points*.csv"]
format = "csv"
time_zone = "Asia/Shanghai"
time_format = "%Y-%m-%d"
[columns]
id = "no"
kind = "kind"
area_code = "grid"
lng = "x"
lat = "y"
cycle_days = "cycle"
last_inspected = "last"
status = "state"
[kind_codes]
"栓" = "hydrant"
"门" = "school_gate"
"它" = "other"
"""
PATROLS = """
title_zh = "巡查"
title_en = "Patrols"
holds = "patrols"
files = ["visits.csv"]
format = "csv"
time_zone = "Asia/Shanghai"
[columns]
area_code = "grid"
week = "day"
visits = "n"
"""
POSTS = """
title_zh = "站点"
title_en = "Posts"
holds = "posts"
files = ["posts.xlsx"]
format = "xlsx"
time_zone = "Asia/Shanghai"
[columns]
id = "编号"
kind = "类别"
lng = "经度"
lat = "纬度"
"""
HEADER = "no,kind,grid,x,y,cycle,last,state,负责人\n"
AT = "103.05,36.05"
TODAY = dt.date(2026, 3, 1)


@pytest.fixture
def registered(toy):
    (toy.folder / "registers").mkdir()

    def add(name, text, file, rows, header=HEADER):
        (toy.folder / "registers" / f"{name}.toml").write_text(text, encoding="utf-8")
        (toy.folder / file).write_text(header + "\n".join(rows) + "\n", encoding="utf-8")

    def read(table):
        return Store(toy.home).current().read(table)

    toy.points = lambda rows, file="points.csv": add("points", FACILITIES, file, rows)
    toy.visits = lambda rows: add("visits", PATROLS, "visits.csv", rows, "grid,day,n\n")
    toy.read = read
    return toy


def account(manifest):
    rows = manifest["registers"]["rows"]
    names = ("read", "accepted", "quarantined", "duplicate", "current", "replaced")
    return [rows[name] for name in names]


def test_without_registers_there_is_no_table(toy):
    manifest = toy.publish().manifest
    assert manifest["registers"] == {}
    assert "facilities" not in Store(toy.home).current().tables()
    assert verify(toy.home)["ok"]


def test_every_row_is_accounted_for_with_its_reason(registered):
    rows = [
        f"A1,栓,,{AT},30,2026-02-20,,某人",
        f"A1,栓,,{AT},30,2026-02-20,,别人",  # what is not read tells nothing apart
        f",栓,,{AT},30,2026-02-20,,",
        f"张三家,栓,,{AT},30,2026-02-20,,",
        f"A3,灯,,{AT},30,2026-02-20,,",
        f"A4,栓,,{AT},0,2026-02-20,,",
        f"A5,栓,,{AT},30,20260220,,",
        f"A6,栓,,{AT},30,2026-03-02,,",
        "A7,栓,,0,0,30,2026-02-20,,",
        "A8,栓,,36.05,103.05,30,2026-02-20,,",
        "A9,栓,,,,30,2026-02-20,,",
        "A10,栓,Q9,,,30,2026-02-20,,",
        f"A11,栓,,{AT},30,2026-02-20,拆,",
        f"13812345678,栓,,{AT},30,2026-02-20,,",
        "A12,栓,W2,0,0,30,2026-02-20,,",  # the code places it
        f"A13,栓,,{AT},30,2026-02-20,removed,",
    ]
    registered.points(rows)
    manifest = registered.publish().manifest
    assert account(manifest) == [16, 3, 12, 1, 2, 1]
    found = registered.read("register_quarantine")
    assert dict(zip(found["row"], found["reason"], strict=True)) == {
        3: "missing_id", 4: "bad_id", 5: "unknown_kind", 6: "bad_cycle", 7: "bad_day",
        8: "future_day", 9: "zero_coordinates", 10: "swapped_coordinates", 11: "missing_place",
        12: "unknown_area_code", 13: "unknown_status", 14: "person_data",
    }  # fmt: skip
    stored = registered.read("facilities")
    assert stored["facility_id"].tolist() == ["points:A1", "points:A12"]
    assert stored["lng"].isna().tolist() == [False, True]
    assert verify(registered.home)["ok"]
    everything = stored.to_csv() + found.to_csv()
    assert not [word for word in ("某人", "张三", "13812345678") if word in everything]


@pytest.mark.parametrize(
    ("last", "state", "late"),
    [
        ("2026-02-28", "ok", 0),
        ("2026-02-07", "ok", 0),  # due in 8 days
        ("2026-02-06", "due", 0),  # due in 7
        ("2026-01-30", "due", 0),  # due today
        ("2026-01-29", "overdue", 1),
        ("2025-01-30", "overdue", 365),
        ("", "unknown", None),
    ],
)
def test_what_is_due_changes_with_the_day(registered, last, state, late):
    registered.points([f"A1,栓,,{AT},30,{last},,"])
    registered.publish()
    (row,) = registered.read("facilities").to_dict("records")
    assert row["state"] == state
    assert (None if pd.isna(row["overdue_days"]) else row["overdue_days"]) == late
    due = registered.read("facilities_due")
    assert due["oldest_overdue_days"].dropna().tolist() == ([late] * 3 if late else [])


def test_the_day_ends_at_midnight_of_the_city(registered):
    registered.points([f"A1,栓,,{AT},30,2026-01-30,,"])  # due on 1 March
    before = dt.datetime(2026, 3, 1, 15, 59, tzinfo=dt.UTC)
    registered.publish(now=before)
    assert registered.read("facilities")["state"].tolist() == ["due"]
    again = registered.publish(now=before + dt.timedelta(minutes=2))
    assert again.is_new
    assert registered.read("facilities")["overdue_days"].tolist() == [1]
    assert not registered.publish(now=before + dt.timedelta(hours=3)).is_new


def test_a_newer_inspection_closes_and_an_old_export_opens_nothing(registered):
    registered.points([f"A1,栓,,{AT},30,2026-01-05,,"])
    registered.publish()
    assert registered.read("facilities")["state"].tolist() == ["overdue"]
    registered.points([f"A1,栓,,{AT},30,2026-02-27,,"], file="points_2.csv")
    registered.publish()
    assert registered.read("facilities")["state"].tolist() == ["ok"]
    registered.points([f"A1,栓,,{AT},30,2026-01-20,,"], file="points_3.csv")
    manifest = registered.publish().manifest
    assert registered.read("facilities")["last_inspected"].astype(str).tolist() == ["2026-02-27"]
    assert account(manifest) == [3, 3, 0, 0, 1, 2]


def test_what_the_files_no_longer_hold_is_gone(registered):
    registered.points([f"A1,栓,,{AT},30,2026-02-20,,", f"A2,门,,{AT},,2026-02-20,,"])
    registered.publish()
    assert registered.read("facilities")["cycle_days"].tolist() == [30, 7]  # its kind's
    registered.points([f"A2,门,,{AT},,2026-02-20,,"])
    registered.publish()
    assert registered.read("facilities")["facility_id"].tolist() == ["points:A2"]
    registered.points([f"A2,门,,{AT},,2026-02-20,removed,"])
    manifest = registered.publish().manifest
    assert "facilities" not in Store(registered.home).current().tables()
    assert account(manifest) == [1, 1, 0, 0, 0, 1]
    assert verify(registered.home)["ok"]


def test_every_level_has_each_facility_once(registered):
    points = ["103.05,36.05", "103.05,36.15", "103.15,36.05", "103.15,36.15", "103.21,36.05"]
    rows = [
        f"{number},{kind},,{points[number % 5]},{'' if kind == '它' else 30},2026-0{1 + number % 2}-2{number % 8},,"
        for number in range(40)
        for kind in ("栓门它"[number % 3],)
    ]
    registered.points(rows)
    registered.publish()
    due = registered.read("facilities_due")
    sums = due.groupby("level")[["total", "overdue", "due_7d", "ok", "unknown"]].sum()
    assert sums["total"].tolist() == [40, 40, 40]
    assert (sums == sums.iloc[0]).all().all()
    assert sums["unknown"].iloc[0] == 13
    assert due.loc[due["area_index"] < 0, "total"].sum() == 3 * 8  # beside the city
    assert verify(registered.home)["ok"]


def test_the_frame_is_converted(registered):
    lng, lat = crs.wgs84_to_gcj02(103.05, 36.05)
    registered.points([f"A1,栓,,{lng},{lat},30,2026-02-20,,"])
    path = registered.folder / "registers" / "points.toml"
    path.write_text('frame = "GCJ-02"\n' + path.read_text(encoding="utf-8"), encoding="utf-8")
    registered.publish()
    (row,) = registered.read("facilities").to_dict("records")
    assert (row["lng"], row["lat"]) == pytest.approx((103.05, 36.05), abs=1e-6)


def test_visits_add_up_and_what_is_not_told_is_no_zero(registered):
    registered.visits(
        ["W1,2026-02-16,3", "W2,2026-02-18,0", "E1,2026-02-16,5", "E1,2026-02-17,7",
         "E9,2026-02-16,1", "W1,2026-02-16,x", "W1,2026-02-16,3"]
    )  # fmt: skip
    manifest = registered.publish().manifest
    assert account(manifest) == [7, 4, 2, 1, 3, 1]  # Tuesday corrects Monday: one week, one count
    coverage = registered.read("patrol_coverage").astype({"week_start": str})
    assert set(coverage["week_start"]) == {"2026-02-16"}
    codes = Store(registered.home).current().areas.set_index(["level", "area_index"])["code"]
    named = {
        codes[row.level, row.area_index]: (row.visits, row.told, row.areas)
        for row in coverage.itertuples()
    }
    assert named == {
        "T": (10, 3, 4), "W": (3, 2, 2), "E": (7, 1, 2),
        "W1": (3, 1, 1), "W2": (0, 1, 1), "E1": (7, 1, 1),
    }  # fmt: skip
    assert verify(registered.home)["ok"]


def test_a_workbook_of_posts_needs_no_day(registered):
    book = openpyxl.Workbook()
    book.active.append(["站点登记表"])
    book.active.append(["编号", "类别", "经度", "纬度", "负责人"])
    book.active.append(["P1", "police_post", 103.05, 36.05, "某人"])
    book.active.append(["P2", "patrol_unit", 103.15, 36.05, "某人"])
    book.active.append(["P3", "ghost", 103.15, 36.05, ""])
    book.save(registered.folder / "posts.xlsx")
    (registered.folder / "registers" / "posts.toml").write_text(POSTS, encoding="utf-8")
    manifest = registered.publish().manifest
    assert account(manifest)[:4] == [3, 2, 1, 0]
    assert registered.read("resources")["resource_id"].tolist() == ["posts:P1", "posts:P2"]


def test_a_broken_file_keeps_what_was_known(registered):
    registered.points([f"A1,栓,,{AT},30,2026-02-20,,"])
    first = registered.publish().manifest
    (registered.folder / "points.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    built = registered.publish()
    (reason,) = built.failed.values()
    assert "lacks the columns" in reason
    assert built.manifest["registers"]["rows"] == first["registers"]["rows"]
    assert registered.read("facilities")["facility_id"].tolist() == ["points:A1"]
    assert verify(registered.home)["ok"]
    assert not registered.publish().is_new


def test_a_register_of_persons_is_not_taken_in(registered):
    registered.points([])
    header = HEADER.replace("负责人", "姓名,身份证号,性别,户籍地址")
    row = f"A1,栓,,{AT},30,2026-02-20,,某人,1,男,某处\n"
    (registered.folder / "points.csv").write_text(header + row, encoding="utf-8")
    built = registered.publish()
    assert "register of persons" in next(iter(built.failed.values()))
    assert "facilities" not in Store(registered.home).current().tables()


def test_faults_of_a_register_are_told_at_once(registered):
    registered.points([])
    path = registered.folder / "registers" / "points.toml"
    text = path.read_text(encoding="utf-8")
    text = text.replace('"facilities"', '"lamps"').replace('id = "no"', 'name = "no"')
    path.write_text('frame = "moon"\n' + text.replace('"hydrant"', '"tap"'), encoding="utf-8")
    with pytest.raises(RegisterError) as told:
        registered.publish()
    said = str(told.value)
    for words in ("holds", "unknown column `name`", "must name `id`", "moon", "'tap'"):
        assert words in said


def test_the_same_files_give_the_same_tables(registered):
    registered.points([f"A{n},栓,,{AT},30,2026-02-2{n},," for n in range(9)])
    names = ("facilities", "facilities_due", "register_accounts", "register_quarantine")
    first = {
        one["table"]: one["sha256"]
        for one in registered.publish().manifest["files"]
        if one["table"] in names
    }
    second = {
        one["table"]: one["sha256"]
        for one in registered.publish(force=True).manifest["files"]
        if one["table"] in names
    }
    assert first == second
    assert len(first) == 4
