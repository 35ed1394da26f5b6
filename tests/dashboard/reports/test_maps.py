"""The maps of a report have its colours, where its outlines are."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from dashboard.reports import maps, story
from dashboard.reports.document import Maps
from dashboard.text import Words
from tests.dashboard.reports import made


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    issue = made.put(tmp_path_factory.mktemp("home"))
    day = made.CREATED.date()
    return story.document(made.edition(), made.HEAD, issue, lang="zh", issued=day)


@pytest.fixture(scope="module")
def block(document):
    return next(one for one in document.blocks if isinstance(one, Maps))


def pixels(document, block, outlines):
    content = maps.draw(document, block, outlines, kind="png")
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), dtype=int)


def shares(image, tint):
    """Share of the left and of the right half that has a colour."""
    wanted = [int(tint[at : at + 2], 16) for at in (1, 3, 5)]
    is_so = np.abs(image - wanted).max(axis=2) <= 2
    middle = image.shape[1] // 2
    return is_so[:, :middle].mean(), is_so[:, middle:].mean()


def test_each_map_has_the_colours_of_its_week(document, block):
    image = pixels(document, block, made.outlines())
    _, blue, yellow, orange, red = document.tints
    county = shares(image, orange)[0]
    assert county > 0.1
    assert shares(image, orange)[1] == pytest.approx(county, rel=0.2)
    assert shares(image, blue)[1] == pytest.approx(2 * county, rel=0.2)
    assert shares(image, red)[0] == pytest.approx(county, rel=0.2)
    assert shares(image, red)[1] < 0.01
    assert shares(image, yellow)[1] == pytest.approx(county, rel=0.2)


def test_an_unknown_area_is_hatched_and_not_plain(document, block):
    grey = replace(block, now=dict.fromkeys(block.now, 0), names={}, legend=())
    plain = [int(document.tints[0][at : at + 2], 16) for at in (1, 3, 5)]
    image = pixels(document, grey, made.outlines())
    inside = image[250:350, 150:250].reshape(-1, 3)
    is_plain = np.abs(inside - plain).max(axis=1) <= 2
    assert 0.3 < is_plain.mean() < 0.95


def test_a_hole_shows_what_lies_in_it(document, block):
    outlines = made.outlines()
    codes = [code for code, _, _ in made.NAMES]
    hole = [250, 250, 750, 250, 750, 750, 250, 750, 250, 250]
    level = {codes[0]: [made.square(0, 0), hole], codes[1]: [hole]}
    cut = replace(block, names={})
    image = pixels(document, cut, type(outlines)(metres=1.0, levels={"county": level}))
    red, orange = (shares(image, document.tints[colour])[0] for colour in (4, 3))
    assert orange / (orange + red) == pytest.approx(0.25, abs=0.03)


def test_the_same_maps_have_the_same_bytes(document, block):
    for kind in ("png", "svg"):
        first, second = (maps.draw(document, block, made.outlines(), kind=kind) for _ in range(2))
        assert first == second


def test_names_legend_and_notice_are_text(document, block):
    drawn = maps.draw(document, block, made.outlines(), kind="svg").decode()
    for text in (
        "东岭县",
        "西渠区",
        "红 1 个",
        "黄 0 个",
        "灰 1 个",
        *block.titles,
        document.foot[0],
    ):
        assert text in drawn


def test_areas_without_an_outline_are_counted_and_told(document, block):
    outlines = made.outlines()
    del outlines.levels["county"]["990102"]
    drawn = maps.draw(document, block, outlines, kind="svg").decode()
    assert "1 个区域没有边界数据" in drawn
    assert "西渠区" not in drawn
    assert maps.undrawn(block, made.outlines(), Words("zh")) == ""
    outlines.levels.clear()
    assert maps.draw(document, block, outlines, kind="svg") is None
