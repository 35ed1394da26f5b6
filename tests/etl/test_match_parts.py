"""Pairs of a built city: months and their borders, late rows, days without an hour, the manifest."""

import pyarrow.parquet as pq
import pytest

from etl.epoch import open_epoch
from etl.ledger import Ledger
from etl.match_parts import match_parts, match_tasks, matches_entry, to_match

DESK = """
title_zh = "窗口"
title_en = "Desk"
files = ["desk.csv"]
format = "csv"
time_zone = "Asia/Shanghai"
time_format = "%Y-%m-%d %H:%M"
frame = "EPSG:4326"
channel = "desk"
origin = "reported"
[columns]
incident_id = "id"
occurred_at = "when"
category = "kind"
severity = "grade"
outcome = "result"
lng = "x"
lat = "y"
area_code = "grid"
"""
HEADER = "id,when,kind,grade,result,x,y,grid\n"
JANUARY, FEBRUARY = 672, 673  # months since 1970 of the periods that begin in them


@pytest.fixture
def matched(toy):
    """Publish both ledgers and propose the pairs of all months: entries and rows by month."""
    (toy.folder / "sources" / "desk.toml").write_text(DESK, encoding="utf-8")
    (toy.folder / "desk.csv").write_text(HEADER, encoding="utf-8")

    def run(calls, desk, *, touched=None):
        (toy.folder / "desk.csv").write_text(HEADER + "\n".join(desk) + "\n", encoding="utf-8")
        toy.publish(calls)
        epoch = open_epoch(toy.city(), toy.home)
        ledger = Ledger(epoch)
        upto = ledger.last()[1]
        stored = {}
        for part in ledger.parts():
            stored.setdefault(part.month, []).append(part.path)
        tasks = match_tasks(
            ledger.months(upto=upto) if touched is None else touched,
            stored,
            ledger.files("superseded"),
            upto=upto,
            folder="snapshots/test",
        )
        entries = {}
        for task in tasks:
            (entries[task.month],) = match_parts(epoch, task)
        read = {
            month: pq.read_table(toy.home / entry["path"]).to_pylist()
            for month, entry in entries.items()
        }
        return entries, read

    return run


def ids(rows):
    return [(row["first_id"], row["second_id"]) for row in rows]


def test_a_pair_is_of_the_month_of_its_later_report(matched):
    # Monday the 2nd of February begins a week, and so a month of weeks.
    entries, read = matched(
        ["1,2026-02-01 23:00,A1,1,,103.05,36.05,", "2,2026-01-20 10:00,B,1,,103.05,36.05,"],
        ["1,2026-02-02 02:00,A1,1,,103.05,36.05,", "2,2026-01-20 12:00,B,1,,103.05,36.05,"],
    )
    assert list(read) == [JANUARY, FEBRUARY]
    assert ids(read[JANUARY]) == [("calls:2", "desk:2")]
    assert ids(read[FEBRUARY]) == [("calls:1", "desk:1")]
    row = read[FEBRUARY][0]
    assert (row["gap_hours"], row["distance_m"], row["area_level"]) == (3.0, 0.0, "grid")
    assert entries[FEBRUARY]["month"] == "2026-02"
    assert entries[FEBRUARY]["pairs"] == entries[FEBRUARY]["rows"] == 1
    assert entries[FEBRUARY]["crowded"] == 0


def test_the_month_before_gives_only_its_last_hours(matched):
    _, read = matched(
        ["1,2026-02-01 13:59,A1,1,,103.05,36.05,"], ["1,2026-02-02 02:00,A1,1,,103.05,36.05,"]
    )
    assert ids(read[FEBRUARY]) == []
    _, read = matched(
        ["1,2026-02-01 14:00,A1,1,,103.05,36.05,"], ["1,2026-02-02 02:00,A1,1,,103.05,36.05,"]
    )
    assert ids(read[FEBRUARY]) == [("calls:1", "desk:1")]


def test_a_replaced_version_is_in_no_pair(matched):
    desk = ["1,2026-01-20 12:00,A1,1,,103.05,36.05,"]
    _, read = matched(["1,2026-01-20 10:00,A1,1,,103.05,36.05,"], desk)
    assert ids(read[JANUARY]) == [("calls:1", "desk:1")]
    _, read = matched(["1,2026-01-20 10:00,B,1,,103.05,36.05,"], desk)
    assert ids(read[JANUARY]) == []


def test_a_late_row_touches_its_month_and_the_next(matched):
    assert to_match([672, 674], {671, 672, 673, 675}) == [672, 673, 675]
    desk = ["1,2026-02-02 02:00,A1,1,,103.05,36.05,"]
    calls = ["9,2026-01-06 10:00,B,1,,103.05,36.05,"]
    _, read = matched(calls, desk)
    assert ids(read[FEBRUARY]) == []
    _, read = matched([*calls, "1,2026-02-01 23:00,A1,1,,103.05,36.05,"], desk, touched=[JANUARY])
    assert ids(read[FEBRUARY]) == [("calls:1", "desk:1")]


def test_a_day_without_an_hour_is_near_all_of_its_day(matched, toy):
    desk = toy.folder / "sources" / "desk.toml"
    desk.write_text(DESK.replace("%Y-%m-%d %H:%M", "%Y-%m-%d"), encoding="utf-8")
    _, read = matched(
        ["1,2026-01-20 23:30,A1,1,,103.05,36.05,", "2,2026-01-21 00:30,A1,1,,103.15,36.05,"],
        ["1,2026-01-20,A1,1,,103.05,36.05,", "2,2026-01-20,A1,1,,103.15,36.05,"],
    )
    assert ids(read[JANUARY]) == [("desk:1", "calls:1")]
    assert read[JANUARY][0]["gap_hours"] == 11.5


def test_a_month_without_a_day_matches_nothing(matched, toy):
    desk = toy.folder / "sources" / "desk.toml"
    desk.write_text(DESK.replace("%Y-%m-%d %H:%M", "%Y-%m"), encoding="utf-8")
    _, read = matched(["1,2026-01-01 01:00,A1,1,,103.05,36.05,"], ["1,2026-01,A1,1,,103.05,36.05,"])
    assert [row for rows in read.values() for row in rows] == []


def test_a_pair_before_the_border_that_is_better_keeps_its_partner(matched):
    _, read = matched(
        ["1,2026-02-01 23:00,A1,1,,103.05,36.05,"],
        ["1,2026-02-02 02:00,A1,1,,103.05,36.05,", "2,2026-02-01 22:00,A1,1,,103.05,36.05,"],
    )
    assert ids(read[JANUARY]) == [("desk:2", "calls:1")]
    assert ids(read[FEBRUARY]) == []


def test_the_manifest_counts_pairs_and_incidents(matched, toy):
    entries, read = matched(
        ["1,2026-02-01 23:00,A1,1,,103.05,36.05,"],
        ["1,2026-02-02 00:00,A1,1,,103.05,36.05,", "2,2026-02-01 20:00,A1,1,,103.05,36.05,"],
    )
    # The border: January does not see the better partner, so one report is in two pairs.
    assert ids(read[JANUARY]) == [("desk:2", "calls:1")]
    assert ids(read[FEBRUARY]) == [("calls:1", "desk:1")]
    found = matches_entry(toy.home, entries.values())
    assert found == {"pairs": 2, "incidents": 3, "crowded": 0}
    assert matches_entry(toy.home, []) == {"pairs": 0, "incidents": 0, "crowded": 0}


def test_counts_do_not_follow_the_pairs(matched, toy):
    matched(["1,2026-01-20 10:00,A1,1,,103.05,36.05,"], ["1,2026-01-20 10:00,A1,1,,103.05,36.05,"])
    assert toy.publish().manifest["rows"]["accepted"] == 2
