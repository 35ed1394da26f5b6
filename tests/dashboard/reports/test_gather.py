"""An edition holds what is stored, of its own area and of nobody else's."""

import json
import math
import re

import numpy as np
import pytest

from dashboard import assessment, summary
from dashboard.areas import Area, hierarchy
from dashboard.queries import Selection
from dashboard.reports import facts, gather
from data.access import NotVisibleError
from data.periods import Window
from tests.dashboard.analysed import SILENT_COUNTY
from tests.dashboard.squares import CITY, COUNTY, LAST

AREAS = (Area("city", 0), Area("county", 1), Area("township", 5))


@pytest.fixture(scope="module", params=AREAS, ids=lambda area: area.level)
def made(request, snapshot):
    return request.param, gather.edition(CITY, snapshot, request.param, LAST)


def test_its_index_is_the_stored_one(made, snapshot):
    area, edition = made
    row = assessment.index(CITY, snapshot, area, LAST)
    now = edition.standing.now
    assert (now.colour, now.is_firm, now.n) == (row.colour, row.is_firm, row.n)
    assert now.risk == (None if math.isnan(row.risk) else row.risk)
    assert edition.standing.place.code == hierarchy(CITY, snapshot).at(area.level).codes[area.index]


def test_its_count_is_that_of_the_map(made, snapshot):
    area, edition = made
    found = summary.changes(CITY, snapshot, area, Selection(Window(LAST, 1, "week"), None, 0))
    counted = edition.standing.counted
    assert (counted.now, counted.before, counted.year) == (
        found.count, found.previous, found.last_year
    )  # fmt: skip


def test_colours_of_a_level_add_up_and_silent_areas_are_grey(made, snapshot):
    area, edition = made
    tree = hierarchy(CITY, snapshot)
    for level in edition.levels:
        stored = snapshot.read("area_index")
        stored = stored[(stored["level"] == level.level) & (stored["period_end"] == LAST)]
        inside = tree.inside(level.level, area)[stored["area_index"].to_numpy()]
        assert sum(level.colours) == inside.sum()
    if area.level == "city":
        county = edition.level("county")
        code = str(tree.at("county").codes[SILENT_COUNTY])
        grey = next(one for one in county.areas if one.place.code == code)
        assert (grey.now.colour, grey.now.status, grey.now.risk) == (0, "source_silent", None)


def test_groups_hold_the_stored_counts(made, snapshot):
    area, edition = made
    stored = snapshot.read("expected")
    stored = stored[
        (stored["level"] == area.level)
        & (stored["area_index"] == area.index)
        & (stored["period_end"] == LAST)
    ].set_index("group")["observed"]
    assert {one.name: one.counted.now for one in edition.groups} == {
        name: int(count) for name, count in stored.items() if name != "all"
    }


def test_json_brings_it_back_to_the_last_digit(made):
    _, edition = made
    content = facts.to_json(edition)
    assert facts.edition_from(content) == edition
    assert b"NaN" not in content
    assert "null" not in json.dumps(sorted(json.loads(content)))


def test_a_county_edition_names_nobody_outside_the_county(snapshot):
    edition = gather.edition(COUNTY, snapshot, Area("county", 1), LAST)
    tree = hierarchy(CITY, snapshot)
    own = {"9901002", str(tree.at("city").codes[0])}
    for level in tree.below("county"):
        inside = tree.inside(level, Area("county", 1))
        own |= set(map(str, tree.at(level).codes[np.flatnonzero(inside)]))
    named = set(re.findall(rb'"code":"(\w+)"', facts.to_json(edition)))
    assert {one.decode() for one in named} <= own
    assert edition.path == (("city", str(tree.at("city").codes[0])), ("county", "9901002"))
    assert edition.trust.read is None  # rows of the whole city are told to who sees it


@pytest.mark.parametrize("area", [Area("county", 0), Area("city", 0), Area("township", 0)])
def test_a_foreign_edition_is_not_made(snapshot, area):
    with pytest.raises(NotVisibleError):
        gather.edition(COUNTY, snapshot, area, LAST)
