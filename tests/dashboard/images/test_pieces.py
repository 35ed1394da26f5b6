"""Palette, fonts, places of names, turns, wire numbers: what an image is made of."""

import math
import re
import threading
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.images import fonts, icons, palette
from dashboard.images.formats import DPI, SIZES, check
from dashboard.images.placing import Box, Wish, place
from dashboard.images.sheet import Sheet
from dashboard.images.turns import BusyError, turn
from dashboard.map import values
from dashboard.map.measures_analysed import PALETTES
from dashboard.map.view import AREA_COLOURS, CELL_COLOURS


def sheet_text(name):
    return resources.files("dashboard").joinpath("assets", name).read_text(encoding="utf-8")


def test_colours_are_those_of_the_screens_light_theme():
    light = sheet_text("base.css").split('html[data-theme="dark"]:root')[0]
    assert palette.variables()["--red"] == re.search(r"--red:\s*(#\w+);", light)[1]
    assert palette.colour("var(--map-hatch)") == (56 / 255, 70 / 255, 88 / 255, 0.42)
    assert palette.colour("#ff0000") == (1.0, 0.0, 0.0, 1.0)


def test_the_safe_palette_takes_the_place_of_the_usual_one():
    safe = sheet_text("measures.css").split('html[data-palette="safe"]:root')[1]
    assert palette.variables(safe=True)["--red"] == re.search(r"--red:\s*(#\w+);", safe)[1]
    assert palette.variables(safe=True)["--red"] != palette.variables()["--red"]
    assert palette.variables(safe=True)["--heat-1"] == palette.variables()["--heat-1"]


@pytest.mark.parametrize("safe", [False, True])
def test_every_colour_that_a_layer_may_have_is_known(safe):
    index = {f"var(--index-{name})" for names in PALETTES.values() for name in names}
    scales = {
        f"var({name})"
        for name in palette.variables()
        if re.match(r"--(count|change|breach|discovered|overdue|patrol)-\d", name)
    }
    for name in {*AREA_COLOURS, *CELL_COLOURS, *index, *scales, *icons.COLOURS.values()}:
        assert all(0 <= part <= 1 for part in palette.colour(name, safe=safe))


@pytest.mark.parametrize("text", ["var(--nothing)", "red", "url(x)", ""])
def test_what_is_no_colour_is_refused(text):
    with pytest.raises(ValueError, match="no colour"):
        palette.colour(text)


def test_icons_have_the_shapes_of_the_screen():
    script = " ".join(sheet_text("map_icons.js").split())
    turned = icons.POLYGONS["point-4"]  # the script turns the cross of point-2 as it draws
    for name, points in icons.POLYGONS.items():
        if points is not turned:
            written = "[" + ", ".join(f"[{x}, {y}]" for x, y in points) + "]"
            assert written in script, name
    turn = math.sqrt(0.5)
    for (x, y), found in zip(icons.POLYGONS["point-2"], turned, strict=True):
        assert found == pytest.approx((10 + (x - y) * turn, 10 + (x + y - 20) * turn), abs=0.01)
    script = sheet_text("map_icons.js")
    shapes = script.split("const SHAPES = {")[1].split("PinganMap.icons")[0]
    drawn = set(re.findall(r"^    '?([a-z0-9-]+)'?: (?:function|shape)", shapes, re.MULTILINE))
    assert drawn - {"other"} == set(icons.COLOURS)


def test_without_a_chinese_font_the_message_says_what_to_install(monkeypatch):
    fonts.families.cache_clear()
    monkeypatch.setattr(fonts.font_manager.fontManager, "ttflist", [])
    try:
        with pytest.raises(fonts.FontError, match="fonts-wqy-microhei"):
            fonts.families()
    finally:
        fonts.families.cache_clear()


FRAME = Box(0, 0, 400, 300)
NUMBERS = st.floats(0, 400, allow_nan=False)


@given(
    st.lists(st.builds(Wish, NUMBERS, NUMBERS, st.floats(5, 120), st.floats(5, 30)), max_size=25)
)
def test_no_name_lies_over_another_or_outside(wishes):
    placed = [box for _, box in place(wishes, frame=FRAME, gap=2)]
    for at, one in enumerate(placed):
        assert one.left >= 0
        assert one.bottom >= 0
        assert one.right <= 400
        assert one.top <= 300
        for other in placed[:at]:
            assert overlap(one, other) <= 1e-6


def overlap(one, other):
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.top, other.top) - max(one.bottom, other.bottom)
    return max(width, 0) * max(height, 0)


def test_the_most_important_name_stands_on_its_point_and_none_on_an_icon():
    wishes = [Wish(100, 100, 40, 10), Wish(102, 100, 40, 10), Wish(300, 100, 40, 10)]
    icon = Box.round(300, 100, 8, 8)
    placed = dict(place(wishes, frame=FRAME, taken=[icon], gap=2))
    assert placed[0].middle == (100, 100)
    assert placed[1].middle != (102, 100)
    assert overlap(placed[2], icon) == 0  # one step down is enough: both are low


def test_a_name_without_a_place_is_left_out():
    assert place([Wish(10, 10, 900, 10)], frame=FRAME, gap=2) == []


def test_one_waits_for_ones_turn_and_not_for_ever():
    held, go = threading.Event(), threading.Event()

    def hold():
        with turn():
            held.set()
            go.wait()

    other = threading.Thread(target=hold)
    other.start()
    held.wait()
    try:
        with pytest.raises(BusyError), turn(wait_s=0.01):
            pass
    finally:
        go.set()
        other.join()
    with turn(wait_s=0):
        pass


@given(st.lists(st.integers(0, 10**6)))
def test_numbers_come_back_as_they_were_written(numbers):
    written = values.written(np.array(numbers, dtype=np.int64))
    assert values.read(written).tolist() == numbers


@pytest.mark.parametrize(
    "asked",
    [{"size": "wall"}, {"kind": "gif"}, {"dpi": 71}, {"dpi": 301}, {"count": 0}, {"count": 27}],
)
def test_what_is_not_on_offer_is_refused(asked):
    with pytest.raises(ValueError, match="not"):
        check(**{"size": "a4", "dpi": None, "kind": "png", **asked})


def test_no_image_is_larger_than_ten_million_pixels():
    for size in SIZES.values():
        assert size.width * size.height * DPI[1] ** 2 < 10e6
        assert size.width * size.height * size.dpi**2 < 4e6


def test_lines_break_where_they_may():
    sheet = Sheet(width=4, height=3, dpi=100, safe=False)
    text = "分母：万人，按时段长度折算。R uses the shrunk rate of every area"
    lines = sheet.wrapped(text, size=6, width=1.0)
    assert len(lines) > 2
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for line in lines:
        assert sheet.measure(line, size=6)[0] <= 1.05
        assert line[0] not in "，。："
    assert sheet.fitted(text, size=6, width=1.0).endswith("…")
