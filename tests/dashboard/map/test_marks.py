"""Every mark, found again in the stored tables; whom it is shown to; what the legend says of it."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from dashboard import assessment
from dashboard.areas import hierarchy
from dashboard.map import mark_rows, marks
from dashboard.map.mark_rows import HOT
from dashboard.text import Words
from dashboard.view import settle
from data.access import Grant, NotVisibleError, Scope
from data.store import Store
from tests.dashboard import analysed
from tests.dashboard.squares import CITY, COUNTY, EMPTY, LAST, make_register, publish
from tests.redteam.test_caches import kept_by

PUBLIC = Scope("link-1", frozenset({Grant("public")}))
ZH = Words("zh")
AS_OF = LAST + dt.timedelta(days=6)
CACHED = (mark_rows.hot_areas, mark_rows.hot_cells, mark_rows.area_signals, mark_rows.cells_of_area)


@pytest.fixture(autouse=True)
def nothing_kept():
    yield
    for function in CACHED:
        kept_by(function).clear()


def marked(snapshot, overlay, search="", scope=CITY, **more):
    return marks.marks(scope, snapshot, settle(scope, snapshot, search), overlay, ZH, **more)


def legend(snapshot, overlay, search="", scope=CITY, **more):
    parts = marks.mark_legend(scope, snapshot, settle(scope, snapshot, search), overlay, ZH, **more)
    return json.dumps(parts, default=lambda one: one.to_plotly_json(), ensure_ascii=False)


def flagged(snapshot, overlay, county=None):
    """Grids that a layer flags in the newest period."""
    rows = snapshot.read("area_hotspots")
    rows = rows[(rows["level"] == "grid") & rows[overlay]]
    rows = rows[rows["period_end"].astype(str) == str(LAST)]
    if county is not None:
        above = hierarchy(CITY, snapshot).ancestors("grid", at="county")
        rows = rows[above[rows["area_index"]] == county]
    return rows.set_index("area_index")


@pytest.mark.parametrize("overlay", HOT)
def test_hot_spots_are_the_stored_ones(snapshot, overlay):
    found = marked(snapshot, overlay)
    rows = flagged(snapshot, overlay)
    assert found["level"] == "grid"
    assert sorted(found["index"]) == sorted(rows.index)
    assert found["n"] == len(rows) == len(found["label"]) == len(found["icon"])
    assert set(found["icon"]) == {overlay}
    areas = hierarchy(CITY, snapshot).at("grid")
    for at, index in enumerate(found["index"]):
        row = rows.loc[index]
        assert found["lng"][at] == pytest.approx(areas.lng[index], abs=1e-5)
        assert found["lat"][at] == pytest.approx(areas.lat[index], abs=1e-5)
        told = found["label"][at]
        assert f"近 4 周 {row['count']:,d} 件，最近一周 {row['recent']:,d} 件" in told
        assert ("新增" in told) == (row["pattern_group"] == "new")
        assert ("应为" in told) == (overlay == "more")
        assert ("p：" in told) == (overlay == "clusters")
    json.dumps(found)


@pytest.mark.parametrize("overlay", HOT)
def test_a_county_gets_marks_of_its_own_alone(snapshot, overlay):
    found = marked(snapshot, overlay, scope=COUNTY)
    assert sorted(found["index"]) == sorted(flagged(snapshot, overlay, county=1).index)
    # Its neighbours have a part in that p.
    assert not any("p：" in label for label in found["label"])
    focused = marked(snapshot, overlay, "?area=9901002")
    assert focused["index"] == found["index"]


def test_a_foreign_focus_is_refused(snapshot):
    foreign = settle(CITY, snapshot, "?area=9901001")
    for overlay in (*HOT, "signals"):
        with pytest.raises(NotVisibleError):
            marks.marks(COUNTY, snapshot, foreign, overlay, ZH)


def test_another_period_has_its_own_marks_or_none(snapshot):
    assert marked(snapshot, "much", "?end=2026-W45")["n"] == flagged(snapshot, "much").shape[0]
    assert marked(snapshot, "much", "?end=2026-W30")["n"] == 0
    assert "这一期没有保存" in legend(snapshot, "much", "?end=2026-W30")


@pytest.mark.parametrize("overlay", HOT)
def test_hot_cells_are_the_stored_ones(snapshot, overlay):
    found = marked(snapshot, overlay, resolution=8)
    rows = snapshot.read("cell_hotspots")
    rows = rows[(rows["resolution"] == 8) & rows[overlay]].set_index("cell")
    register = make_register(8)
    numbers = [int(cell, 16) for cell in register["cell"]]
    assert found["level"] is None
    assert {numbers[at] for at in found["index"]} == set(rows.index)
    for at, index in enumerate(found["index"]):
        row = rows.loc[numbers[index]]
        assert f"近 4 周 {row['count']:,d} 件" in found["label"][at]
        assert ("相邻级别一致" in found["label"][at]) == bool(row["stable"])
        assert found["lng"][at] == pytest.approx(register["lng"][index], abs=1e-5)
    assert "六边形 r8" in legend(snapshot, overlay, resolution=8)


def test_hot_cells_of_a_focus_are_those_it_had_an_incident_in(snapshot):
    found = marked(snapshot, "more", "?area=9901002", resolution=8)
    whole = marked(snapshot, "more", resolution=8)
    table = snapshot.read("area_cell_counts_8")
    tree = hierarchy(CITY, snapshot)
    first = {level: sum(len(tree.at(each)) for each in tree.order[:depth])
             for depth, level in enumerate(tree.order)}  # fmt: skip
    own = {first[level] + index
           for level in tree.order[1:]
           for index in np.flatnonzero(tree.ancestors(level, at="county") == 1).tolist()}  # fmt: skip
    cells = set(table[table["area_row"].isin(own)]["cell_index"])
    assert set(found["index"]) == set(whole["index"]) & cells
    assert 0 < found["n"] < whole["n"]


def test_a_county_gets_areas_where_it_asks_for_cells(snapshot):
    assert marked(snapshot, "more", scope=COUNTY, resolution=8) == marked(
        snapshot, "more", scope=COUNTY
    )
    view = settle(COUNTY, snapshot, "")
    assert mark_rows.hot_cells(COUNTY, snapshot, "more", view.focus, LAST, 8).total == 0


def test_layers_that_would_tell_of_few_others_are_withheld(snapshot, monkeypatch):
    monkeypatch.setattr(assessment, "stands_alone", lambda *_: True)
    for overlay in HOT:
        assert marked(snapshot, overlay, scope=COUNTY)["n"] == 0
        assert "为免推算出它们，不标" in legend(snapshot, overlay, scope=COUNTY)
        kept_by(mark_rows.hot_areas).clear()


def test_the_strongest_are_kept_and_the_rest_is_counted(snapshot, monkeypatch):
    whole = flagged(snapshot, "more")
    monkeypatch.setattr(mark_rows, "MOST", 3)
    found = marked(snapshot, "more")
    assert found["n"] == 3
    strongest = whole.sort_values(["exceed_p", "count"], ascending=[True, False])
    assert list(whole.loc[found["index"], "count"]) == list(strongest["count"][:3])
    said = legend(snapshot, "more")
    assert f"显示 3 / 共 {len(whole)}" in said
    assert f"另有 {len(whole) - 3} 处未标" in said


@pytest.fixture(scope="module")
def signalled(tmp_path_factory):
    """A city with signals of every colour: grids 4, 5 and 6; community 1; and an older day."""

    def signals(base, weeks, last):
        day = last + dt.timedelta(days=6)
        level = base["level"].iloc[0]
        shown = {"grid": [(4, "police", 3, 0.001), (4, "all", 4, 0.0001), (5, "police", 1, 0.04),
                          (6, "demands", 2, 0.01), (200, "police", 4, 0.00001)],
                 "community": [(1, "disputes", 2, 0.01)]}.get(level, [])  # fmt: skip
        rows = [
            {"day": each, "level": level, "area_index": index, "group": group, "colour": colour,
             "by": "area", "window_days": 7, "observed": 12.0, "expected": 4.125, "lower": 1.0,
             "upper": 8.0, "p": p, "ratio": 2.9, "reached_on": each, "expires": each}
            for each in (day, day - dt.timedelta(days=3))
            for index, group, colour, p in shown
            if each == day or index == 6
        ]  # fmt: skip
        if rows:
            yield "signals", pd.DataFrame(rows)
        days = [day, day - dt.timedelta(days=1), day - dt.timedelta(days=3)]
        yield "signal_chance", pd.DataFrame(
            {"day": days, "level": level, "group": "all", "colour": 2, "tested": 9, "issued": 1,
             "by_chance": 0.25}
        )  # fmt: skip

    home = tmp_path_factory.mktemp("signals")
    patch = pytest.MonkeyPatch()
    patch.setattr(analysed, "_signals", signals)
    publish(home)
    patch.undo()
    return Store(home).current()


def test_each_area_has_its_highest_signal_and_blue_has_none(signalled):
    found = marked(signalled, "signals", "?level=grid")
    assert found["level"] == "grid"
    assert found["index"] == [200, 4, 6]
    assert found["icon"] == ["signal-4", "signal-4", "signal-2"]
    assert found["label"][1] == "红 · 全部：7 日 12 件，应为 4.12（1–8），另有 1 项"
    assert found["label"][2].startswith("黄 · 民生诉求：") or "demands" not in found["label"][2]
    said = legend(signalled, "signals", "?level=grid")
    for text in ("统计关注等级，非法定预警", "显示 3 / 共 3", "截至 11月15日 · 网格"):
        assert text in said
    assert legend(signalled, "signals").index("非法定预警") < legend(signalled, "signals").index(
        "蓝色不标"
    )


def test_a_level_without_signals_shows_those_below(signalled):
    assert marked(signalled, "signals", "?level=county")["level"] == "community"
    assert marked(signalled, "signals", "?area=9901004&level=community")["index"] == [200]


def test_a_county_gets_signals_of_its_own_alone(signalled):
    assert marked(signalled, "signals", scope=COUNTY)["n"] == 0  # those are in counties 0 and 3
    north = Scope("north", frozenset({Grant("leader", "county", "9901004")}))
    assert marked(signalled, "signals", "?level=grid", scope=north)["index"] == [200]


def test_signals_are_those_of_the_newest_day_up_to_the_window(signalled):
    view = settle(CITY, signalled, "?level=grid")
    older = mark_rows.area_signals(
        CITY, signalled, view.focus, "grid", AS_OF - dt.timedelta(days=2)
    )
    assert (older.day, older.index.tolist()) == (AS_OF - dt.timedelta(days=3), [6])
    quiet = mark_rows.area_signals(
        CITY, signalled, view.focus, "grid", AS_OF - dt.timedelta(days=1)
    )
    assert (quiet.day, quiet.total) == (AS_OF - dt.timedelta(days=1), 0)
    before = mark_rows.area_signals(CITY, signalled, view.focus, "grid", dt.date(2026, 1, 4))
    assert (before.day, before.total) == (None, 0)
    assert "这一期没有保存" in legend(signalled, "signals", "?level=grid&end=2026-W02")


@pytest.mark.parametrize("scope", [PUBLIC, EMPTY], ids=["protected", "nothing"])
def test_who_sees_no_area_exactly_gets_no_mark(snapshot, scope):
    assert marks.overlays_on_offer(scope, snapshot) == ()
    view = settle(CITY, snapshot, "")
    for overlay in marks.OVERLAYS:
        with pytest.raises(NotVisibleError):
            marks.marks(scope, snapshot, view, overlay, ZH)
        with pytest.raises(NotVisibleError):
            marks.mark_legend(scope, snapshot, view, overlay, ZH)


def test_what_was_not_analysed_has_no_overlay(tmp_path, snapshot):
    assert marks.overlays_on_offer(CITY, snapshot) == ("much", "clusters", "more", "signals")
    assert marks.overlays_on_offer(COUNTY, snapshot) == ("much", "clusters", "more", "signals")
    publish(tmp_path, analysed=False)
    plain = Store(tmp_path).current()
    assert marks.overlays_on_offer(CITY, plain) == ()
    with pytest.raises(LookupError, match="not on offer"):
        marked(plain, "much")
    with pytest.raises(LookupError, match="not on offer"):
        marked(snapshot, "everything")


def test_a_filter_that_does_not_reach_the_marks_is_told(snapshot):
    assert ZH("assess_unfiltered") not in legend(snapshot, "much")
    assert ZH("assess_unfiltered") in legend(snapshot, "much", "?category=10")
