import re

import numpy as np
import pytest

from dashboard.areas import Area, hierarchy
from dashboard.situation import drawing, names, shaping
from dashboard.situation.drawing import map_level, situation_map
from dashboard.situation.sheet import PAGE, WALL, Frame, Sheet
from dashboard.text import Words
from data.access import Grant, NotVisibleError, Scope
from data.warnings.kinds import OpenCount
from geo.tile_shapes import mercator, mercator_bounds

LEADER = Scope("leader", frozenset({Grant("leader")}))
TOWNSHIP = Scope("town", frozenset({Grant("township", "township", "9902006")}))
PUBLIC = Scope("link", frozenset({Grant("public")}))
WORDS = Words("zh")


@pytest.fixture(autouse=True)
def nothing_kept():
    kept = drawing._drawn.__code__.co_freevars.index("kept")
    drawing._drawn.__closure__[kept].cell_contents.clear()


def drawn(scope, snapshot, **more):
    return situation_map(scope, snapshot, hierarchy(scope, snapshot).top(), WORDS, **more)


def test_the_areas_below_the_focus_are_drawn_in_their_stored_colours(snapshot):
    found = drawn(LEADER, snapshot)
    stored = snapshot.query(
        "SELECT area_index, colour, safety_index FROM area_index WHERE level = 'county' "
        "AND period_end = ?",
        [snapshot.manifest.last_period],
    ).set_index("area_index")
    silent = set(
        snapshot.query(
            "SELECT area_index FROM area_trust WHERE is_silent AND level = 'county' "
            "AND period_end = ?",
            [snapshot.manifest.last_period],
        )["area_index"]
    )
    codes = hierarchy(LEADER, snapshot).at("county").codes
    assert found.level == "county"
    assert found.areas
    for one in found.areas:
        index = int(np.flatnonzero(codes == one.code)[0])
        row = stored.loc[index]
        assert one.colour == (0 if index in silent else row["colour"])
        if index in silent or np.isnan(row["safety_index"]):
            assert one.index is None
        else:
            assert one.index == pytest.approx(row["safety_index"])
    assert sum(found.counts) == len(found.areas)
    assert found.counts[0] == sum(one.colour == 0 for one in found.areas)


def test_a_silent_area_is_grey_and_has_no_figure(snapshot):
    grey = [one for one in drawn(LEADER, snapshot).areas if one.colour == 0]
    assert grey
    assert all(one.index is None for one in grey)


def test_a_scope_gets_its_own_areas_alone(snapshot):
    found = drawn(TOWNSHIP, snapshot)
    tree = hierarchy(TOWNSHIP, snapshot)
    assert found.level == "community"
    parents = tree.at("community").parents[tree.at("community").visible]
    assert set(parents) == {tree.top().index}
    assert {one.code for one in found.areas} <= set(
        tree.at("community").codes[tree.at("community").visible]
    )
    with pytest.raises(NotVisibleError):
        situation_map(TOWNSHIP, snapshot, Area("city", 0), WORDS)
    with pytest.raises(NotVisibleError):
        situation_map(PUBLIC, snapshot, Area("city", 0), WORDS)


def test_what_lies_beside_is_an_outline_without_a_name(snapshot):
    found = drawn(TOWNSHIP, snapshot)
    assert found.around
    assert all(isinstance(one, str) for one in found.around)
    assert drawn(LEADER, snapshot).around == ()


def test_a_finer_map_colours_one_level_further_down(snapshot):
    found = drawn(LEADER, snapshot, is_fine=True, frame=WALL)
    assert (found.level, found.level_coloured) == ("county", "township")
    townships = shaping.colours(LEADER, snapshot, Area("city", 0), "township")
    pieces = [piece.colour for one in found.areas for piece in one.pieces]
    assert len(pieces) > len(found.areas)
    expected = np.bincount([colour for colour, _ in townships.values()], minlength=5)
    assert found.counts == tuple(expected)


def test_the_lowest_level_has_no_areas_and_keeps_its_outline(snapshot):
    chief = Scope("chief", frozenset({Grant("grid_chief", "grid", "9904086")}))
    found = drawn(chief, snapshot)
    assert (found.level, found.areas) == ("", ())
    assert found.focus
    assert map_level(chief, snapshot, hierarchy(chief, snapshot).top()) == ""


def test_what_nobody_drew_is_no_map(snapshot, monkeypatch):
    monkeypatch.setattr(
        shaping,
        "level_shapes",
        lambda s, level, _b: np.full((s.areas["level"] == level).sum(), None),
    )
    assert drawn(LEADER, snapshot) is None


def test_warnings_and_links_are_those_of_the_caller(snapshot):
    first = drawn(LEADER, snapshot).areas[0]
    assert first.warned is None
    found = drawn(
        LEADER,
        snapshot,
        warnings={first.code: OpenCount(7, 3)},
        href=lambda one: f"?focus={one}" if one == first.reference else None,
    )
    assert (found.areas[0].warned, found.areas[0].worst) == (7, 3)
    assert found.areas[0].href == f"?focus=county.{first.code}"
    assert {(one.warned, one.worst, one.href) for one in found.areas[1:]} == {(0, 0, None)}


def test_names_lie_inside_and_over_no_other(snapshot):
    found = drawn(LEADER, snapshot)
    placed = [one.wide for one in found.areas if one.wide]
    assert placed
    boxes = [
        (one.x, one.y, found.text * (1.0 if one.is_short else names.LINES) / 2) for one in placed
    ]
    for at, (x, y, half) in enumerate(boxes):
        assert 0 <= x <= found.sheet.width
        assert 0 <= y <= found.sheet.height
        for other_x, other_y, other in boxes[at + 1 :]:
            far_across = abs(x - other_x) >= names.FIGURES * found.text
            assert far_across or abs(y - other_y) >= half + other


def test_a_point_is_found_again_from_west_north_and_metres():
    bounds = mercator_bounds((123.3, 29.5, 124.5, 30.4))
    sheet = Sheet.round(bounds, Frame(800, 600, 15), margin=0.05)
    x, y = mercator(124.0, 30.0)
    (units,) = sheet.units(np.array([[float(x), float(y)]]))
    assert sheet.west + units[0] * sheet.metres == pytest.approx(float(x), abs=sheet.metres)
    assert sheet.north - units[1] * sheet.metres == pytest.approx(float(y), abs=sheet.metres)
    west, south, east, north = sheet.degrees()
    assert west < 123.3
    assert east > 124.5
    assert south < 29.5
    assert north > 30.4


def test_a_path_is_made_of_whole_units_and_closed(snapshot):
    for one in drawn(LEADER, snapshot, frame=PAGE).areas:
        assert re.fullmatch(r"(M\d+ \d+(l-?\d+ -?\d+)+z)+", one.path)


def test_without_an_analysis_all_is_grey(snapshot, monkeypatch):
    monkeypatch.setattr(drawing.assessment, "settings", lambda *_: None)
    monkeypatch.setattr(shaping, "colours", lambda *_: {})
    found = drawn(LEADER, snapshot)
    assert found.names == ()
    assert set(found.palette) == {drawing.GREY}
    assert found.counts[0] == len(found.areas)
