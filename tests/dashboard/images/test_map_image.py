"""An image shows what the screen shows, in its colours, and nothing that the scope may not see."""

import io
import re
import xml.etree.ElementTree as ET
import zlib
from dataclasses import replace

import numpy as np
import pytest
import shapely
from PIL import Image

from dashboard.areas import hierarchy
from dashboard.images import gather, palette
from dashboard.images.fonts import FAMILIES, families
from dashboard.images.formats import SIZES
from dashboard.images.map_image import composed, draw, picture
from dashboard.images.page import compose
from dashboard.images.picture import Fill
from dashboard.images.shapes import level_shapes
from dashboard.images.strip import draw_strip, strip_picture
from dashboard.map.measures import measured
from dashboard.map.view import AREA_COLOURS, NO_DATA_COLOUR
from dashboard.state import MEASURES
from dashboard.text import Words
from dashboard.view import settle
from data.access import Grant, NotVisibleError, Scope
from geo.tile_shapes import mercator
from tests.dashboard.squares import CITY, COUNTY, EMPTY, SCRIPT

PUBLIC = Scope("link", frozenset({Grant("public")}))


def picture_only(scope, snapshot, search):
    """The picture without what lies over the colours."""
    made = picture(scope, snapshot, search)
    sides = tuple(replace(side, labels=(), marks=(), has_scale=False) for side in made.sides)
    return replace(made, sides=sides)


class Pixels:
    """A drawn picture, read at points of its first map."""

    def __init__(self, made, size="screen") -> None:
        self.drawn = compose(made, size=SIZES[size], dpi=150)
        content = self.drawn.sheet.content("png")
        self.rgb = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)
        self.axes = self.drawn.sheet.figure.axes[0]

    def at(self, lng, lat):
        x, y = self.axes.transData.transform(np.column_stack(mercator(lng, lat))).T
        return self.rgb[self.rgb.shape[0] - 1 - y.astype(int), x.astype(int)]

    def near(self, lng, lat, reach=9):
        """Colours of a square round one point."""
        x, y = self.axes.transData.transform(np.column_stack(mercator([lng], [lat])))[0].astype(int)
        row = self.rgb.shape[0] - 1 - y
        return self.rgb[row - reach : row + reach, x - reach : x + reach].reshape(-1, 3)


def shade(name, *, over=(255, 255, 255), safe=False):
    *rgb, alpha = palette.colour(name, safe=safe)
    return np.round(255 * alpha * np.array(rgb) + (1 - alpha) * np.array(over))


def inside(scope, snapshot, view):
    tree = hierarchy(scope, snapshot)
    areas = tree.at(view.level)
    day = view.selection.window.last_day
    return areas, np.flatnonzero(tree.inside(view.level, view.focus) & areas.valid_on(day))


@pytest.mark.parametrize("palette_of", ["", "&palette=safe"])
@pytest.mark.parametrize("measure", MEASURES)
def test_every_area_has_the_colour_of_its_band(drawn, measure, palette_of):
    search = f"?level=community&measure={measure}{palette_of}"
    view = settle(CITY, drawn, search)
    found = measured(CITY, drawn, view, measure, Words("zh"))
    areas, rows = inside(CITY, drawn, view)
    pixels = Pixels(picture_only(CITY, drawn, search))
    rows = rows[~((found.bands[rows] == 0) | (found.counts[rows] < found.small))]  # no hatching
    assert len(rows) > 8 or measure in {"discovered", "overdue"}
    colours = (NO_DATA_COLOUR, *found.colours)
    wanted = [shade(colours[band], safe=bool(palette_of)) for band in found.bands[rows]]
    seen = pixels.at(areas.lng[rows] + 0.004, areas.lat[rows] + 0.003)
    assert np.abs(seen - np.array(wanted)).max() <= 2


def test_no_data_and_small_samples_are_hatched(drawn):
    search = "?level=grid&periods=1"
    view = settle(CITY, drawn, search)
    found = measured(CITY, drawn, view, "rate", Words("zh"))
    areas, rows = inside(CITY, drawn, view)
    pixels = Pixels(picture_only(CITY, drawn, search), size="a4")
    colours = (NO_DATA_COLOUR, *found.colours)
    kinds = {"no data": found.bands == 0, "small": (found.bands > 0) & (found.counts < found.small),
             "plain": (found.bands > 0) & (found.counts >= found.small)}  # fmt: skip
    for kind, which in kinds.items():
        some = rows[which[rows]][:5]
        assert len(some), kind
        for row in some:
            plain = shade(colours[found.bands[row]])
            around = pixels.near(areas.lng[row], areas.lat[row])
            darker = (around.sum(1) < plain.sum() - 60).mean()
            assert (darker > 0.08) == (kind != "plain"), (kind, darker)


def test_a_county_user_gets_no_foreign_colour(drawn):
    search = "?level=grid&area=990100"
    pixels = Pixels(picture_only(COUNTY, drawn, search))
    whole = hierarchy(CITY, drawn).at("grid")
    own = hierarchy(COUNTY, drawn).at("grid").visible
    west, east = pixels.axes.get_xlim()
    south, north = pixels.axes.get_ylim()
    x, y = mercator(whole.lng, whole.lat)
    seen = (x > west) & (x < east) & (y > south) & (y < north) & ~own
    land = shade("var(--map-outside)", over=shade("var(--map-land)"))
    assert seen.sum() > 3
    assert np.abs(pixels.at(whole.lng[seen], whole.lat[seen]) - land).max() <= 3
    codes = fill_positions(COUNTY, drawn, search)
    assert set(codes) <= set(np.flatnonzero(own).tolist())


def fill_positions(scope, snapshot, search):
    """Areas of the shown level that the fill of a view holds."""
    view = settle(scope, snapshot, search)
    one = gather.shown(scope, snapshot, view, Words("zh"))
    degrees = gather._focus_bounds(scope, snapshot, view)
    fill = gather.area_fill(scope, one, degrees)
    every = level_shapes(snapshot, view.level, degrees)
    tree = shapely.STRtree(fill.shapes)
    return [
        at for at, shape in enumerate(every)
        if shape is not None and len(tree.query(shape.centroid, predicate="intersects"))
    ]  # fmt: skip


def test_names_are_those_of_the_scope_alone(drawn):
    made = picture(COUNTY, drawn, "?level=township")
    names = {label.text for label in made.sides[0].labels}
    own = hierarchy(COUNTY, drawn).at("township")
    assert names == set(own.names_zh[own.visible])


def test_cells_of_a_county_are_its_own(drawn):
    from dashboard import cells

    (fill,) = picture(COUNTY, drawn, "?layer=cells").sides[0].fills
    assert 0 < len(fill.bands) <= len(cells.register(COUNTY, drawn, 8).numbers)
    assert fill.no_data is None
    assert fill.bands.min() >= 1


def test_nothing_is_drawn_for_who_sees_nothing(drawn):
    with pytest.raises(NotVisibleError):
        draw(EMPTY, drawn, "")


def test_the_protected_tier_shows_releases_alone(drawn):
    made = picture(PUBLIC, drawn, "")
    (fill,) = made.sides[0].fills
    from dashboard import protected
    from dashboard.map.values import OUTSIDE, read

    told = read(protected.area_values(PUBLIC, drawn, settle(PUBLIC, drawn, ""))["bands"])
    assert fill.bands.tolist() == [band for band in told.tolist() if band < OUTSIDE]
    assert Words("zh")("withheld") in {row.text for row in made.legends[0].rows}


def test_two_maps_stand_under_one_legend(drawn):
    made = picture(CITY, drawn, "?compare=before&measure=count")
    assert len(made.sides) == 2
    assert len(made.legends) == 1
    assert made.sides[0].bounds == made.sides[1].bounds
    assert made.sides[0].title != made.sides[1].title
    two = picture(CITY, drawn, "?compare=measure.count")
    assert [legend.title for legend in two.legends] == [
        Words("zh")("legend_areas"),
        Words("zh")("measure_title_count"),
    ]


def test_overlays_come_with_their_marks_and_legends(drawn):
    made = picture(CITY, drawn, "?level=grid&overlays=cells,lines_community,much,signals")
    side = made.sides[0]
    assert [type(fill) for fill in side.fills] == [Fill, Fill]
    assert {mark.icon for mark in side.marks} >= {"much"}
    titles = [legend.title for legend in made.legends]
    assert titles[1:3] == [Words("zh")("mark_signals"), Words("zh")("mark_much")]
    texts = svg_texts(draw(CITY, drawn, "?overlays=much,clusters,more,signals", kind="svg"))
    assert any(Words("zh")("assess_signal_label") in text for text in texts)
    assert len(side.lines) > len(picture(CITY, drawn, "?level=grid").sides[0].lines)


def test_a_strip_has_a_map_for_each_window_and_one_legend(drawn):
    made = strip_picture(CITY, drawn, "?level=township&overlays=much&compare=before", count=6)
    assert len(made.sides) == 6
    assert len(made.legends) == 1
    assert len({side.title for side in made.sides}) == 6
    assert not any(side.labels or side.marks for side in made.sides)
    last = picture(CITY, drawn, "?level=township").sides[0].fills[0]
    assert made.sides[-1].fills[0].bands.tolist() == last.bands.tolist()
    assert draw_strip(CITY, drawn, "?level=township", count=2, dpi=72)[:4] == b"\x89PNG"


@pytest.mark.parametrize("search", ["?level=township", "?level=township&overlays=much,signals",
                                    "?compare=year&level=township&lang=en", "?layer=cells"])  # fmt: skip
@pytest.mark.parametrize("size", ["screen", "a4"])
def test_no_name_lies_over_another_or_leaves_its_map(drawn, search, size):
    made = picture(CITY, drawn, search)
    page = composed(made, size=size, dpi=None)
    assert sum(map(len, page.labels))
    for boxes, axes in zip(page.labels, page.sheet.figure.axes, strict=False):
        frame = axes.get_window_extent()
        for at, one in enumerate(boxes):
            assert frame.x0 <= one.left
            assert one.right <= frame.x1
            assert frame.y0 <= one.bottom
            assert one.top <= frame.y1
            for other in boxes[:at]:
                wide = min(one.right, other.right) - max(one.left, other.left)
                high = min(one.top, other.top) - max(one.bottom, other.bottom)
                assert min(wide, high) <= 0


@pytest.mark.parametrize("search", ["", "?overlays=much,clusters,more,signals,cells&level=grid&measure=count",
                                    "?compare=measure.index&lang=en", "?measure=change&lang=en"])  # fmt: skip
@pytest.mark.parametrize("size", list(SIZES))
def test_no_text_leaves_the_sheet(drawn, search, size):
    page = composed(
        picture(CITY, drawn, search, mark="zb-01 值班室 2026-11-22 18:20"), size=size, dpi=72
    )
    figure = page.sheet.figure
    renderer = figure.canvas.get_renderer()
    foot = min(
        text.get_window_extent(renderer).y1 for text in figure.texts if drawn.id in text.get_text()
    )
    for text in figure.texts:
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0, text.get_text()
        assert box.x1 <= figure.bbox.x1, text.get_text()
        is_foot = text.get_position()[1] * figure.bbox.y1 <= foot + 0.2 * figure.dpi
        assert box.y0 >= (0 if is_foot else foot), text.get_text()
        assert box.y1 <= figure.bbox.y1, text.get_text()


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_the_same_picture_has_the_same_bytes(drawn, kind):
    first, second = (draw(CITY, drawn, "?level=township", kind=kind, dpi=72) for _ in range(2))
    assert first == second
    assert str(b"matplotlib") not in str(first[:300])


def svg_texts(content):
    root = ET.fromstring(content)  # noqa: S314 - our own
    return ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]


def test_svg_holds_its_words_as_text(drawn):
    mark = "zb-01 <b>值班室</b> $x^2$"
    texts = svg_texts(draw(CITY, drawn, "", kind="svg", mark=mark))
    joined = "\n".join(texts)
    city = drawn.manifest.city
    name = hierarchy(CITY, drawn).at("city").names_zh[0]
    assert texts.count(f"{name}　{Words('zh')('legend_areas')}") == 1
    assert city["notice_zh"] in texts
    assert mark in joined
    assert drawn.id in joined
    assert SCRIPT in texts  # a name stays text, whatever it holds
    assert Words("zh")("map_no_data") in texts
    for text in measured(CITY, drawn, settle(CITY, drawn, ""), "rate", Words("zh")).texts:
        assert text in texts


def test_pdf_holds_its_words_as_text(drawn):
    content = draw(CITY, drawn, "", kind="pdf")
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, flags=re.DOTALL)
    maps = [text for text in map(inflated, streams) if b"beginbfrange" in text]
    known = {chr(int(code, 16)) for text in maps for code in re.findall(rb"<([0-9a-f]{4})>", text)}
    assert set(drawn.manifest.city["notice_zh"] + Words("zh")("legend_areas")) <= known
    assert b"/FontFile2" not in content


def inflated(stream):
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


def test_a_font_with_chinese_writes_first():
    assert families()[0] in FAMILIES


def test_an_area_that_nobody_drew_is_looked_at_from_above(drawn, monkeypatch):
    tree = hierarchy(CITY, drawn)
    bounds = tree.at("county").bounds.copy()
    monkeypatch.setitem(tree.at("county").__dict__, "bounds", np.full_like(bounds, np.nan))
    made = picture(CITY, drawn, "?area=9901002")
    monkeypatch.undo()
    assert made.sides[0].bounds == picture(CITY, drawn, "").sides[0].bounds


def test_colours_of_the_picture_are_names_of_the_style_sheet(drawn):
    (fill,) = picture(CITY, drawn, "").sides[0].fills
    assert fill.colours == AREA_COLOURS
