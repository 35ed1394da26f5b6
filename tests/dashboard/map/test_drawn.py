"""What the map is sent for measures, layers and comparisons, and that none of it leaves a scope."""

import json

import numpy as np
import pytest
from dash._utils import to_json

from dashboard.areas import hierarchy
from dashboard.map import measures, values
from dashboard.map.drawn import draw_map
from dashboard.map.frames import frames
from dashboard.text import Words
from dashboard.view import settle
from data.access import NotVisibleError
from tests.dashboard.squares import CITY, COUNTY, EMPTY, read_numbers

WORDS = Words("zh")


def drawn(scope, snapshot, search):
    return draw_map(scope, snapshot, search=search, fragment="", resolution=None)


def hrefs(components):
    """Every address that a panel links to."""
    pending, links = json.loads(to_json(components)), []
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            links += [item["href"]] if isinstance(item.get("href"), str) else []
            pending += item.values()
        elif isinstance(item, list):
            pending += item
    return links


@pytest.mark.parametrize("name", measures.MEASURES)
def test_the_colours_sent_are_those_of_the_measure(snapshot, name):
    search = f"?measure={name}&level=township" if name != "rate" else "?level=township"
    answer = drawn(CITY, snapshot, search)
    view = settle(CITY, snapshot, search)
    found = measures.measured(CITY, snapshot, view, name, WORDS)
    bands = read_numbers(answer["values"]["bands"])
    valid = hierarchy(CITY, snapshot).at("township").valid_on(view.selection.window.last_day)
    np.testing.assert_array_equal(bands[valid], found.bands[valid])
    assert (bands[~valid] == values.ABSENT).all()
    assert answer["view"]["palette"]["areas"] == list(found.colours)
    assert answer["view"]["labels"]["bands"]["areas"] == list(found.texts)
    assert max(bands[valid]) <= len(found.colours)


def test_a_comparison_is_the_other_view_by_itself(snapshot):
    pairs = {
        "before": "?level=township&end=2026-W42",
        "year": "?level=township&end=2025-W46",
        "category.10": "?level=township&category=10",
        "measure.count": "?level=township&measure=count",
    }
    for compare, alone in pairs.items():
        answer = drawn(CITY, snapshot, f"?level=township&compare={compare}")
        plain = drawn(CITY, snapshot, alone)
        if compare == "year":  # 60 weeks are stored
            assert plain["view"]["search"] == alone
        assert answer["values"]["other"] == plain["values"], compare
        assert answer["view"]["other"]["palette"] == plain["view"]["palette"]
        assert answer["view"]["title"] != answer["view"]["other"]["title"]


@pytest.mark.parametrize(
    "search",
    ["?compare=category.none", "?compare=measure.rate", "?end=2025-W40&compare=year",
     "?layer=cells&compare=measure.count", "?measure=none", "?overlays=elsewhere"],
)  # fmt: skip
def test_what_cannot_be_drawn_is_noted_and_left_out(snapshot, search):
    view = settle(CITY, snapshot, search)
    assert view.notes
    answer = drawn(CITY, snapshot, search)
    assert "other" not in answer["view"]
    assert answer["view"]["overlays"] == []


def test_layers_are_drawn_in_the_order_and_opacity_of_the_address(snapshot):
    answer = drawn(CITY, snapshot, "?overlays=lines_township,cells.25,lines_county&opacity=75")
    kinds = [(each["id"], each["type"], each["opacity"]) for each in answer["view"]["overlays"]]
    assert kinds == [("lines_township", "lines", 1.0), ("cells", "fill", 0.25), ("lines_county", "lines", 1.0)]  # fmt: skip
    assert answer["view"]["opacity"] == 0.75
    heat = drawn(CITY, snapshot, "?layer=cells")["values"]
    over = answer["values"]["overlays"]["cells"]
    assert {name: over[name] for name in ("n", "bands", "counts")} == {
        name: heat[name] for name in ("n", "bands", "counts")
    }
    assert drawn(CITY, snapshot, "?overlays=unlabelled")["view"]["labelled"] is False


def test_values_have_a_version_of_their_layers_too(snapshot):
    versions = {
        drawn(CITY, snapshot, search)["values"]["version"]
        for search in ("", "?overlays=cells.50", "?compare=before", "?measure=count")
    }
    assert len(versions) == 4


def test_every_link_of_the_panel_is_understood(snapshot):
    search = "?level=township&overlays=cells.50,lines_county&compare=before"
    links = hrefs(drawn(CITY, snapshot, search)["legend"])
    assert len(links) > 20
    for link in links:
        if link.startswith("/?"):
            assert settle(CITY, snapshot, link.removeprefix("/")).notes == (), link


def test_a_film_is_the_maps_of_its_windows(snapshot):
    film = frames(CITY, snapshot, "?level=township&measure=count")
    assert len(film["frames"]) == 26
    assert film["frames"][-1]["label"] == "2026-W46"
    for frame in (film["frames"][0], film["frames"][-2]):
        alone = drawn(CITY, snapshot, f"?level=township&measure=count&end={frame['label']}")
        assert {name: frame[name] for name in alone["values"]} == alone["values"]
    earlier = frames(CITY, snapshot, "?level=township&end=2026-W40")
    assert earlier["frames"][-1]["label"] == "2026-W40"
    assert frames(CITY, snapshot, "?layer=cells")["frames"] == []


def test_a_county_scope_gets_no_foreign_number(snapshot):
    inside = hierarchy(COUNTY, snapshot).at("township").visible
    for search in ("?level=township&measure=count", "?level=township&compare=before"):
        answer = drawn(COUNTY, snapshot, search)["values"]
        for sent in (answer, answer.get("other"), *frames(COUNTY, snapshot, search)["frames"]):
            if sent is None:
                continue
            assert (read_numbers(sent["bands"])[~inside] >= values.OUTSIDE).all()
            assert not read_numbers(sent["counts"])[~inside].any()
    with pytest.raises(NotVisibleError):
        frames(EMPTY, snapshot, "")
