"""What was kept for one user reaches another only where both may see the same."""

import dataclasses
import datetime as dt
import itertools
import json
import sys
import types

import numpy as np
import pandas as pd
import pytest

from dashboard import (
    areas,
    assessment,
    assessment_panel,
    cells,
    controls,
    facility_list,
    guard,
    hours,
    queries,
    rank_ranges,
    released,
    usual_band,
    view,
    windows,
)
from dashboard.app import create_app
from dashboard.areas import Area
from dashboard.cache import _key
from dashboard.desk import forecast_list, hotspot_list, index_list, source_list
from dashboard.live import reach
from dashboard.map import (
    banded,
    facility_rows,
    mark_rows,
    measures,
    measures_analysed,
    measures_counted,
    measures_resources,
    point_rows,
    tiles,
)
from dashboard.phone import due
from dashboard.queries import Selection
from dashboard.screen import facts as screen_facts
from dashboard.situation import drawing, shaping
from dashboard.situation.sheet import PAGE, WALL
from dashboard.state import ViewState
from dashboard.view import View
from data.access import Grant, NotVisibleError, Scope, narrowed
from data.periods import Window, shift
from tests.dashboard.squares import LAST, boxes
from tests.redteam import city
from tests.redteam.attack import CALLBACKS, Call, generous
from tests.redteam.fuzz import Chosen
from tests.redteam.town import HTML, body_of

MIXED = frozenset({city.ROLES["grid_chief"], Grant("township", "township", "9902007")})
USERS = {
    "grid chief": Scope("desk", frozenset({city.ROLES["grid_chief"]})),
    "sibling grid chief": Scope("desk-2", frozenset({Grant("grid_chief", "grid", "9904085")})),
    "community": Scope("desk-3", frozenset({city.ROLES["community"]})),
    "sibling community": Scope("desk-4", frozenset({Grant("community", "community", "9903021")})),
    "township": Scope("desk-5", frozenset({city.ROLES["township"]})),
    "same name, other township": Scope("desk-5", frozenset({Grant("township", "township", "9902007")})),
    "command": Scope("desk-6", frozenset({city.ROLES["command"]})),
    "analyst of a sibling": Scope("desk-7", frozenset({city.ROLES["analyst"]})),
    "whole city": Scope("desk-8", frozenset({Grant("leader")})),
    "public": Scope("link-0badcafe", frozenset({Grant("public")})),
    "two posts": Scope("desk-9", MIXED),
    "two posts, exporting": narrowed(Scope("desk-9", MIXED), "export"),
}  # fmt: skip
"""Siblings, one name with other rights, the whole city, the public, and what an export leaves."""

NOW = Selection(Window(LAST, 4, "week"), None, 0)
SOME = Selection(Window(shift(LAST, -4, grain="week"), 13, "week"), (1, 2), 3)
AS_OF = LAST + dt.timedelta(days=6)
STARTS = tuple(Window(shift(LAST, -1, grain="week"), 4, "week").starts)
OWN = (
    Area("grid", 85),
    Area("township", 5),
    Area("township", 6),
    Area("county", 1),
    Area("city", 0),
)
"""Areas that some of them may see and others may not."""


def seen(area):
    """What the assessment of an area is drawn from."""
    selection = Selection(Window(LAST, 1, "week"), None, 0)
    return View(ViewState(), area, area.level, None, selection, ())


ASKED = {
    areas.hierarchy: [()],
    areas.all_areas: [()],
    queries.has_severities: [()],
    queries.category_family: [("10",), ("99",)],
    queries.category_labels: [()],
    queries.window_counts: [("grid", NOW), ("township", SOME)],
    queries.silent_areas: [("grid",), ("county",)],
    queries.level_rates: [("grid", NOW), ("township", SOME)],
    queries.area_series: [(area, NOW) for area in OWN],
    queries._taken_over: [()],
    queries.category_counts: [(area, NOW) for area in OWN],
    queries.search_areas: [("哨", LAST, 50), ("9904085", LAST, 8)],
    hours.week: [(area, selection) for area in OWN for selection in (NOW, SOME)],
    windows.starts: [()],
    windows.ends: [()],
    rank_ranges.rank_ranges: [(level, LAST) for level in ("grid", "township", "city")],
    assessment_panel._drawn: [
        (view, "x", is_filtered) for view in map(seen, OWN) for is_filtered in (False, True)
    ],
    assessment.settings: [()],
    assessment.index: [(area, LAST) for area in OWN],
    assessment.trace: [(area, LAST) for area in OWN],
    assessment.ranked: [(level, LAST) for level in ("grid", "township", "city")],
    assessment.signals: [(area, AS_OF) for area in OWN],
    assessment.chances: [(level, AS_OF) for level in ("grid", "township", "city")],
    assessment.records: [(level,) for level in ("grid", "township", "city")],
    assessment.forecasts: [(area,) for area in OWN],
    assessment.verdicts: [(level,) for level in ("grid", "township", "city")],
    assessment.clocks: [(area,) for area in OWN],
    assessment.cohort: [(area,) for area in OWN],
    assessment.trust: [(area, LAST) for area in OWN],
    assessment.usual: [(area,) for area in OWN],
    assessment.first_incomplete_day: [("all",), ("any",)],
    assessment.stands_alone: [(level, LAST) for level in ("grid", "county", "city")],
    cells.has_cells: [()],
    cells.register: [(6,), (8,)],
    cells.cell_counts: [(8, NOW), (7, SOME)],
    cells._own: [()],
    cells._area_rows: [()],
    hotspot_list.stored_levels: [()],
    hotspot_list.spots: [(area, "grid", LAST) for area in OWN],
    hotspot_list.counted: [(area, "grid", LAST) for area in OWN],
    hotspot_list.clusters: [(area, LAST) for area in OWN],
    hotspot_list.frequent_places: [(area, LAST) for area in OWN],
    hotspot_list.frequent_types: [(area, "grid", LAST) for area in OWN],
    hotspot_list.near_repeats: [(LAST,)],
    hotspot_list.agreement: [(LAST,)],
    index_list.rows: [(area, "grid", LAST) for area in OWN],
    index_list.colours: [(area, "grid", LAST) for area in OWN],
    forecast_list.next_period: [(area, "grid") for area in OWN],
    forecast_list.last_counts: [(area, "grid", LAST) for area in OWN],
    forecast_list.targets: [()],
    forecast_list.scores: [("grid",), ("county",), ("r9",)],
    forecast_list.verdicts: [()],
    source_list.sources: [()],
    source_list.files: [()],
    source_list.unplaced: [(area, LAST) for area in OWN],
    source_list.completeness: [()],
    source_list.lag: [()],
    released.released_starts: [()],
    released.released_levels: [()],
    released.level_counts: [("township", released.ALL), ("grid", released.ALL)],
    released.level_rates: [("township", Window(STARTS[-1], 4, "week"))],
    view._settled: [
        (ViewState(), ()),
        (ViewState(area="9904085", layer="cells", measure="index"), ("end",)),
    ],
    measures.on_offer: [()],
    controls.choices: [("township", "grid", "zh"), ("city", "county", "en")],
    banded.level_trust: [("grid", LAST), ("county", LAST), ("city", LAST)],
    measures_analysed._level_index: [("grid", LAST), ("township", LAST), ("city", LAST)],
    measures_analysed._level_clocks: [("grid",), ("township",), ("city",)],
    measures_counted._level_change: [("grid", NOW, 4, "all"), ("township", SOME, 52, "any")],
    usual_band.level_band: [("grid", NOW, "all"), ("township", SOME, "any")],
    measures_counted.known_share: [(NOW.window, "all"), (SOME.window, "any")],
    mark_rows.hot_areas: [("much", area, LAST) for area in OWN],
    mark_rows.hot_cells: [("more", area, LAST, 8) for area in OWN],
    mark_rows.cells_of_area: [(area, 8) for area in OWN],
    mark_rows.area_signals: [(area, area.level, AS_OF) for area in OWN],
    point_rows.kinds: [()],
    point_rows.places: [(area, selection) for area in OWN for selection in (NOW, SOME)],
    facility_list.counted: [(area,) for area in OWN],
    facility_rows.facilities: [(area,) for area in OWN],
    facility_rows.posts: [(area,) for area in OWN],
    measures_resources._level_due: [("grid",), ("county",), ("city",)],
    measures_resources._level_visits: [
        (level, shift(LAST, -3, grain="week"), LAST) for level in ("grid", "township", "city")
    ],
    tiles._drawn: [(8, (8, 213, 105))],
    due.due: [(area,) for area in OWN],
    screen_facts.board: [(area,) for area in OWN],
    drawing._drawn: [
        (area, lang, frame, is_fine)
        for area in OWN
        for lang, frame, is_fine in (("zh", PAGE, False), ("en", WALL, True))
    ],
    reach.reach: [()],
    reach.classes: [()],
    reach.place: [(row, lang) for row in (0, 3, 200) for lang in ("zh", "en")],
}
"""Arguments of each function that keeps results, behind scope and snapshot."""


def kept_by(function):
    """The results that a cached function keeps."""
    names = function.__code__.co_freevars
    return function.__closure__[names.index("kept")].cell_contents


def cached_functions():
    code = next(iter(ASKED)).__code__
    modules = [module for name, module in sys.modules.items() if name.startswith("dashboard")]
    return {
        one
        for module in modules
        for one in vars(module).values()
        if isinstance(one, types.FunctionType) and one.__code__ is code
    }


def plain(value):
    """A value as text that is equal for equal values, arrays and all."""
    if isinstance(value, np.ndarray):
        return [str(value.dtype), value.shape, value.astype(object).ravel().tolist().__repr__()]
    if isinstance(value, pd.DataFrame):
        return value.to_csv()  # days and all
    if isinstance(value, dict):
        return [[str(key), plain(one)] for key, one in value.items()]
    if isinstance(value, tuple | list | frozenset):
        return [plain(one) for one in value]
    if dataclasses.is_dataclass(value):
        return [[one.name, plain(getattr(value, one.name))] for one in dataclasses.fields(value)]
    return repr(value)


def told(function, scope, snapshot):
    """Everything that a function tells one user, or that he may not know."""
    found = []
    for rest in ASKED[function]:
        try:
            found.append(plain(function(scope, snapshot, *rest)))
        except (NotVisibleError, KeyError, ValueError) as error:
            found.append(type(error).__name__)
    return json.dumps(found, default=repr)


@pytest.fixture(scope="module", autouse=True)
def shapes():
    """The city of squares has tiles of no polygons: every area is the box of its bounds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shaping, "level_shapes", boxes)
        yield


@pytest.fixture(scope="module")
def snapshot(store):
    return store.current()


@pytest.fixture(scope="module")
def alone(snapshot):
    """For each user, what the functions tell with nothing kept, and what they keep after it."""
    found = {}
    for name, scope in USERS.items():
        for function in ASKED:
            kept_by(function).clear()
        answers = {function: told(function, scope, snapshot) for function in ASKED}
        found[name] = answers, {function: dict(kept_by(function)) for function in ASKED}
    return found


def test_every_function_that_keeps_results_is_asked():
    assert cached_functions() == set(ASKED)


@pytest.mark.parametrize("first", USERS)
def test_nobody_is_told_what_was_kept_for_another(alone, snapshot, first):
    for second, scope in USERS.items():
        if second == first:
            continue
        for function in ASKED:
            kept_by(function).clear()
            kept_by(function).update(alone[first][1][function])
        for function in ASKED:
            answer = told(function, scope, snapshot)
            assert answer == alone[second][0][function], (first, second, function.__name__)


def test_the_pairs_differ_in_what_they_are_told(alone):
    """The comparison above means something: users whose rights differ get other answers."""
    for first, second in itertools.combinations(USERS, 2):
        if USERS[first].cache_key != USERS[second].cache_key:
            assert alone[first][0] != alone[second][0], (first, second)


def test_keys_are_equal_only_for_equal_rights(snapshot):
    for first, second in itertools.permutations(USERS.values(), 2):
        is_same = first.grants == second.grants
        keys = [_key(scope, snapshot, ["grid"], {}) for scope in (first, second)]
        assert (keys[0] == keys[1]) <= is_same


PATHS = (
    "/", "/_dash-layout", "/_dash-dependencies", "/names/b1/grid.json", "/names/b1/county.json?lang=en",
    "/export", "/share", "/views", "/account", "/users", "/audit", "/settings", "/signin", "/nothing",
    "/users/of/nobody-desk", "/s/guess", "/setup/guess", "/healthz", "/_favicon.ico", "/static/x",
    "/api/v1/batches/1", "/_reload-hash", "/upload", "/areas", "/hotspots", "/index", "/forecast", "/data",
)  # fmt: skip


class Asker:
    """Two web processes over one store, asked by whom the test chooses."""

    def __init__(self, settings, store) -> None:
        self.chosen = Chosen()
        self.apps = [
            create_app(settings, store, provider=self.chosen, limits=generous()) for _ in range(2)
        ]
        body = {
            "url.search": "",
            "panels-address.data": "",
            "compared-address.data": "",
            "area-search.value": "哨",
        }
        body |= {"page-address.data": "/hotspots?level=grid"}
        event = {"kind": "hover", "layer": "areas", "level": "grid", "index": 85}
        values = body | {"map-hover.data": event}
        self.bodies = {what: body_of(self.apps[0], what, values) for what in CALLBACKS}

    def answers(self, scope, process=0):
        self.chosen.scope_now = scope
        browser = self.apps[process].server.test_client()
        for what, body in self.bodies.items():
            yield Call("", what, "", browser.post(guard.CALLBACKS, json=body))
        for path in PATHS:
            yield Call("", path, "", browser.get(path, headers=HTML))


@pytest.fixture(scope="module")
def asker(settings, store):
    return Asker(settings, store)


def test_answers_do_not_depend_on_who_asked_before(asker):
    cold = {}
    for name, scope in USERS.items():
        for function in ASKED:
            kept_by(function).clear()
        cold[name] = data_of(asker.answers(scope))
    for name, scope in USERS.items():  # everybody has warmed the caches, in the other process
        assert data_of(asker.answers(scope, process=1)) == cold[name], name


def data_of(calls):
    """Answers without what holds the moment or a token: pages, and the frame of the panels."""
    told = {}
    for call in calls:
        if call.what in CALLBACKS and call.answer.status_code == 200:
            response = call.answer.get_json()["response"]
            told[call.what] = {
                part: value
                for part, value in response.items()
                if not any(word in json.dumps(value) for word in ("form_token", "backgroundImage"))
            }
        elif call.what.startswith("/names"):
            told[call.what] = call.text if call.answer.status_code == 200 else ""
    return told


@pytest.mark.parametrize("name", ["whole city", "grid chief", "public"])
def test_no_cache_keeps_an_answer(asker, name):
    for call in asker.answers(USERS[name]):
        control = call.answer.headers.get("Cache-Control", "")
        if call.what.startswith("/names") and call.answer.status_code == 200:
            assert control == "private, no-cache"
            assert call.answer.headers["ETag"]
        else:
            assert control == "private, no-store", call.what


def test_tiles_may_be_kept_and_hold_no_figure(asker, home):
    asker.chosen.scope_now = USERS["whole city"]
    browser = asker.apps[0].server.test_client()
    answer = browser.get("/tiles/b1/grid/0/0/0.pbf")
    assert answer.headers["Cache-Control"].startswith("private, ")
    missing = browser.get("/tiles/b1/nothing/0/0/0.pbf")
    assert missing.headers["Cache-Control"] == "private, no-store"


def test_a_tag_of_one_scope_means_nothing_in_another(asker):
    tags = {}
    for name, scope in USERS.items():
        asker.chosen.scope_now = scope
        answer = asker.apps[0].server.test_client().get("/names/b1/county.json")
        if answer.status_code == 200:
            tags[name] = answer.headers["ETag"]
    for first, second in itertools.permutations(tags, 2):
        asker.chosen.scope_now = USERS[second]
        asked = {"If-None-Match": tags[first]}
        status = (
            asker.apps[1]
            .server.test_client()
            .get("/names/b1/county.json", headers=asked)
            .status_code
        )
        same = USERS[first].cache_key == USERS[second].cache_key
        assert status == (304 if same else 200), (first, second)
