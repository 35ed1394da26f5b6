"""Each condition on tables that were made by hand."""

import datetime as dt

import pandas as pd
import pytest

from data.warnings.settings import KINDS, Rule
from etl.warn.conditions import CONDITIONS
from etl.warn.found import shown
from etl.warn.plan import _sight
from tests.etl.warn.made import MONDAY, SUNDAY, Made, at, index, signals

LEVELS = ("city", "county", "township", "community", "grid")


def found(kind, snapshot, threshold, levels=LEVELS):
    return CONDITIONS[kind](_sight(snapshot, None), Rule("r", kind, levels, threshold, 3))


def test_every_kind_has_a_condition_and_none_knows_anything_without_its_table():
    assert set(CONDITIONS) == set(KINDS)
    for kind in KINDS:
        assert found(kind, Made(), 1) is None


def test_an_index_of_the_colour_holds_and_grey_is_unknown():
    table = index(("township", "T1", 4, 3), ("grid", "G1", 3, 0), ("grid", "G2", 2, 0),
                  ("grid", "G3", 0, 0))  # fmt: skip
    told = found("index", Made(area_index=table), 3)
    assert [(one.code, one.colour, one.repeats) for one in told.found] == [
        ("T1", 4, 3), ("G1", 3, 1),
    ]  # fmt: skip
    assert told.unknown == {("grid", "G3")}
    assert told.day == MONDAY
    assert told.found[0].evidence["period"] == "2026-11-09"
    assert [one.code for one in found("index", Made(area_index=table), 3, ("grid",)).found] == [
        "G1"
    ]


def test_only_the_newest_period_counts():
    old = index(("grid", "G1", 4, 0), period=MONDAY - dt.timedelta(days=7))
    table = pd.concat([old, index(("grid", "G1", 2, 0))])
    assert found("index", Made(area_index=table), 3).found == ()


def test_a_signal_holds_on_the_newest_day_only():
    told = found("signal", Made(**signals(("grid", "G1", "police", 4, SUNDAY))), 3)
    (one,) = told.found
    assert (one.group, one.colour, one.day) == ("police", 4, SUNDAY)
    quiet = signals(("grid", "G1", "police", 4, SUNDAY))
    quiet["signal_chance"] = pd.DataFrame({"day": [pd.Timestamp(SUNDAY) + pd.Timedelta(days=1)]})
    told = found("signal", Made(**quiet), 3)
    assert told.found == ()
    assert told.day == SUNDAY + dt.timedelta(days=1)


def places(*rows):
    """`frequent_places` and `frequent_types` of (area, cell, category, count)."""
    named = [
        (MONDAY, "cell" if cell else "area", None if cell else "grid",
         -1 if cell else at("grid", code), cell, category, count)
        for code, cell, category, count in rows
    ]  # fmt: skip
    columns = ["period_end", "place", "level", "area_index", "cell", "category_index", "count"]
    types = [(MONDAY, "grid", at("grid", "G1"), 3, 12, 0.5), (MONDAY, "grid", 1, 1, 4, 1.0)]
    return {
        "frequent_places": pd.DataFrame(named, columns=columns),
        "frequent_types": pd.DataFrame(
            types,
            columns=["period_end", "level", "area_index", "category_index", "count", "share"],
        ),
    }


def test_of_an_areas_repeated_places_the_worst_of_each_group_is_evidence():
    table = places(("G1", 0, 3, 7), ("G1", 0, 2, 5), ("G1", 0, 1, 6), ("G2", 0, 3, 4))
    told = found("repeat_place", Made(**table), 5)
    kept = {(one.code, one.group): one.evidence for one in told.found}
    assert set(kept) == {("G1", "disputes"), ("G1", "police")}
    assert kept["G1", "police"]["category"] == "P302"
    assert kept["G1", "police"]["count"] == 7
    assert kept["G1", "police"]["places"] == 2


def test_a_repeated_cell_lies_where_most_of_its_incidents_do():
    cell = 0x8A4B048126D7FFF
    rows = Made().areas
    row = {code: int(rows.index[rows["code"] == code][0]) for code in ("G1", "G2")}
    tables = places((None, cell, 3, 6)) | {
        "cells_10": pd.DataFrame({"cell_index": [5], "cell": ["8a4b048126d7fff"]}),
        "area_cell_counts_10": pd.DataFrame(
            {"area_row": [row["G1"], row["G2"], -1], "cell_index": [5, 5, 5], "count": [2, 3, 9]}
        ),
    }
    (one,) = found("repeat_place", Made(**tables), 5).found
    assert (one.level, one.code) == ("grid", "G2")
    assert one.evidence["cell"] == "8a4b048126d7fff"


def test_many_of_one_kind_hold_from_the_threshold_on():
    assert [one.code for one in found("same_kind", Made(**places()), 10).found] == ["G1"]
    assert [one.code for one in found("same_kind", Made(**places()), 4).found] == ["G1", "G2"]
    assert found("same_kind", Made(**places()), 13).found == ()


def test_overdue_is_told_by_the_clock_with_the_most():
    columns = [
        "period_end", "level", "area_index", "group", "clock", "overdue", "running", "started",
        "oldest_overdue_days",
    ]  # fmt: skip
    rows = [
        (MONDAY, "township", 0, "all", "sign", 21, 1, 30, 4.0),
        (MONDAY, "township", 0, "all", "resolve", 25, 2, 40, 8.5),
        (MONDAY, "township", 0, "police", "resolve", 99, 2, 40, 8.5),
        (MONDAY, "township", 1, "all", "sign", 19, 1, 30, float("nan")),
    ]
    told = found("overdue", Made(clock_states=pd.DataFrame(rows, columns=columns)), 20)
    (one,) = told.found
    assert (one.code, one.day, one.group) == ("T1", SUNDAY, "all")
    assert one.evidence == {
        "clock": "resolve", "overdue": 25, "running": 2, "started": 40,
        "oldest_overdue_days": 8.5,
    }  # fmt: skip


def test_overdue_by_share_leaves_out_large_areas_that_always_have_some():
    columns = [
        "period_end", "level", "area_index", "group", "clock", "overdue", "running", "started",
        "oldest_overdue_days",
    ]  # fmt: skip
    rows = [
        (MONDAY, "township", 0, "all", "risk", 30, 1, 300, 4.0),
        (MONDAY, "township", 1, "all", "risk", 12, 2, 100, 8.5),
    ]
    table = Made(clock_states=pd.DataFrame(rows, columns=columns))
    rule = Rule("r", "overdue", LEVELS, 10, 3, share=0.12)
    told = CONDITIONS["overdue"](_sight(table, None), rule)
    assert [(one.code, one.evidence["overdue"]) for one in told.found] == [("T2", 12)]


def trust(*silent):
    names = ["period_end", "level", "area_index", "silent_sources", "is_silent"]
    rows = [(MONDAY, level, at(level, code), sources, True) for level, code, sources in silent]
    return Made(area_trust=pd.DataFrame(rows, columns=names))


def test_a_silent_source_is_told_once_at_the_highest_area():
    told = found("source_silent", trust(
        ("township", "T1", "calls"), ("community", "C1", "calls"), ("grid", "G4", "hotline"),
    ), 1)  # fmt: skip
    assert {one.code for one in told.found} == {"T1", "G4"}


def test_another_source_below_is_told_by_itself():
    told = found("source_silent", trust(
        ("township", "T1", "calls"), ("grid", "G1", "calls hotline"),
    ), 1)  # fmt: skip
    assert {one.code: one.evidence["sources"] for one in told.found} == {"T1": 1, "G1": 2}


@pytest.mark.parametrize(("threshold", "codes"), [(1, ["G1", "G2"]), (3, ["G1"]), (4, [])])
def test_overdue_facilities_are_added_up_over_their_kinds(threshold, codes):
    columns = [
        "as_of", "level", "area_index", "kind", "total", "overdue", "due_7d", "ok", "unknown",
        "oldest_overdue_days",
    ]  # fmt: skip
    rows = [
        (SUNDAY, "grid", 0, "septic", 9, 2, 0, 6, 1, 12),
        (SUNDAY, "grid", 0, "gas", 4, 1, 0, 3, 0, 40),
        (SUNDAY, "grid", 1, "gas", 4, 1, 0, 3, 0, 3),
        (SUNDAY, "grid", -1, "gas", 9, 9, 0, 0, 0, 3),
        (SUNDAY, "township", 0, "gas", 9, 9, 0, 0, 0, 3),
    ]
    table = pd.DataFrame(rows, columns=columns)
    told = found("facility_overdue", Made(facilities_due=table), threshold, ("grid",))
    assert sorted(one.code for one in told.found) == codes
    if codes:
        first = next(one for one in told.found if one.code == "G1")
        assert first.evidence == {
            "overdue": 3, "total": 13, "unknown": 1, "oldest_overdue_days": 40,
            "kind": "septic", "as_of": "2026-11-15",
        }  # fmt: skip


def test_evidence_leaves_out_what_is_neither_number_nor_code():
    assert shown(
        {"n": 3, "rate": float("nan"), "none": None, "code": "P302", "text": "三号楼 门前",
         "day": SUNDAY, "is_firm": True, "most": float("inf")}
    ) == {
        "n": 3, "rate": None, "none": None, "code": "P302", "text": None, "day": "2026-11-15",
        "is_firm": True, "most": None,
    }  # fmt: skip
