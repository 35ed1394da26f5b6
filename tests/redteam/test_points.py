"""Points of incidents leave no scope: none of a foreign area, whatever is asked for."""

import json

import numpy as np
import pytest

from tests.redteam import city
from tests.redteam.attack import MAPS, Attacker, app_of, found_counts

TARGETS = ("", "9902006", "9902007", "9904086", "9904085", "9901003", "nowhere")
SEARCHES = ("overlays=points", "overlays=points&periods=52", "overlays=points&layer=cells",
            "overlays=points,cells.50&compare=before", "overlays=points&category=2002")  # fmt: skip


@pytest.fixture(scope="module", params=[role for role in city.ROLES if role != "wall"])
def attacker(request, settings, store):
    return Attacker(app_of(settings, store, request.param), request.param)


def drawn(call):
    """Marks of the layer in an answer, on either map."""
    if call.answer.status_code != 200:
        return
    values = json.loads(call.text)["response"]["map-values"]["data"]
    for each in (values, values.get("other") or {}):
        points = each.get("overlays", {}).get("points", {})
        if "lng" in points:
            yield points


def inside(role, lng, lat):
    """Whether each point lies in the box of an own area of the lowest level that has any."""
    rows = city.areas()[city.inside(role)]
    lng, lat = np.asarray(lng)[:, None], np.asarray(lat)[:, None]
    west, south, east, north = (
        rows[edge].to_numpy() for edge in ("west", "south", "east", "north")
    )
    return ((west <= lng) & (lng <= east) & (south <= lat) & (lat <= north)).any(axis=1)


@pytest.mark.parametrize("target", TARGETS)
def test_every_point_lies_in_an_area_of_the_role(attacker, target):
    seen = 0
    for search in SEARCHES:
        asked = f"?area={target}&{search}" if target else f"?{search}"
        call = attacker.call(MAPS, {"url.search": asked}, target=target)
        for points in drawn(call):
            assert attacker.role not in city.BLIND
            assert inside(attacker.role, points["lng"], points["lat"]).all()
            seen += points["n"]
        if attacker.role != "public":
            assert not found_counts(call)
    assert (seen > 0) == (attacker.role not in city.BLIND)


def test_points_say_no_more_than_where_what_and_how_many(settings, store):
    leader = Attacker(app_of(settings, store, "leader"), "leader")
    (points,) = drawn(leader.call(MAPS, {"url.search": "?area=9904086&overlays=points"}))
    assert set(points) == {"n", "lng", "lat", "icon", "index", "level", "label", "size"}
    assert points["index"] == list(range(points["n"]))
    words = {"纠纷", "治安", "件"}
    for label in points["label"]:
        told = label.replace("；", " ").split()
        assert all(word in words or word.replace(",", "").isdigit() for word in told)


def test_the_check_would_see_a_foreign_point():
    rows = city.areas()
    foreign = rows[~city.inside("grid_chief") & (rows["level"] == "grid")].iloc[:5]
    assert not inside("grid_chief", foreign["lng"], foreign["lat"]).any()
