"""The maps of the weekly page: outlines to paths, names that do not overlap."""

import re

from dashboard.pages.weekly_map import HEIGHTS, MARGIN, WIDTH, drawing
from dashboard.reports.outlines import Outlines
from tests.dashboard.pages.issued import square

HOLED = [square(0, 0, 300), square(100, 100, 100)]


def draw(rings, **names):
    outlines = Outlines(metres=1.0, levels={"county": rings})
    return drawing(outlines, "county", dict.fromkeys(rings, 1), names)


def points(path):
    """Corners of a path, told by relative steps."""
    found, at = [], (0, 0)
    for kind, x, y in re.findall(r"([Ml])(-?\d+) (-?\d+)", path):
        at = (int(x), int(y)) if kind == "M" else (at[0] + int(x), at[1] + int(y))
        found.append(at)
    return found


def test_areas_fill_the_frame_and_keep_their_shape():
    drawn = draw({"a": [square(1000, 2000)], "b": [square(1100, 2000)]})
    (left, right) = (points(shape.path) for shape in drawn.shapes)
    assert drawn.width == WIDTH
    assert min(x for x, _ in left) == MARGIN
    assert max(x for x, _ in right) == WIDTH - MARGIN
    assert max(x for x, _ in left) == min(x for x, _ in right)  # no gap between neighbours
    width = max(x for x, _ in left) - min(x for x, _ in left)
    assert abs(width - (max(y for _, y in left) - min(y for _, y in left))) <= 1
    assert HEIGHTS[0] <= drawn.height <= HEIGHTS[1]


def test_holes_stay_holes():
    (shape,) = draw({"a": HOLED}).shapes
    assert shape.path.count("M") == 2
    assert shape.path.count("z") == 2


def test_areas_without_a_boundary_are_left_out():
    assert draw({}) is None
    assert [one.code for one in draw({"a": [square(0, 0)], "b": []}).shapes] == ["a"]


def test_a_ring_of_a_point_draws_nothing():
    drawn = draw({"a": [square(0, 0, 16000)], "b": [square(5, 5, 1)]}, a="A", b="B")
    assert drawn.shapes[1].path == ""


def test_names_stand_inside_and_do_not_overlap():
    rings = {str(n): [square(100 * (n % 6), 100 * (n // 6))] for n in range(36)}
    drawn = draw(rings, **{code: f"第{code}号很长的名字" for code in rings})
    assert 0 < len(drawn.labels) < 36
    boxes = [(one.x, one.y, drawn.text * (7 + 0.6 * len(one.text) - 4.2)) for one in drawn.labels]
    for at, (x, y, width) in enumerate(boxes):
        assert 0 <= x <= drawn.width
        assert 0 <= y <= drawn.height
        for other_x, other_y, _ in boxes[:at]:
            assert abs(y - other_y) >= drawn.text or abs(x - other_x) >= width * 0.8


def test_a_name_stands_in_its_own_area_or_nowhere():
    rings = {"left": [square(0, 0)], "right": [square(100, 0)]}
    names = {"left": "一" * 16, "right": "二" * 16}
    drawn = draw(rings, **names)
    middle = drawn.width / 2
    for one in drawn.labels:
        assert (one.x < middle) == (one.text == names["left"])
    assert len(drawn.labels) == 2  # one below the other


def test_red_areas_are_named_first():
    outlines = Outlines(
        metres=1.0, levels={"county": {"a": [square(0, 0, 900)], "b": [square(440, 440, 20)]}}
    )
    names = {"a": "甲" * 30, "b": "乙" * 30}
    (first, *_) = drawing(outlines, "county", {"a": 1, "b": 4}, names).labels
    assert first.text == names["b"]
