"""The pages in the application: routes, the callback behind the guard, the lazy library."""

import re

import pytest

from dashboard import ids
from dashboard.app import create_app
from dashboard.desk import library
from dashboard.desk.registry import PAGES, page_of
from dashboard.guard import PERMISSIONS
from data.access import Grant, Scope
from data.permissions import matrix
from tests.dashboard.squares import COUNTY, FixedProvider, body_of, call, client, dumped, post

PATHS = [page.path for page in PAGES]
CALLBACK = "page.children"


def address(text):
    return {f"{ids.PAGE_ADDRESS}.data": text}


def test_each_page_has_its_route_and_its_action(app):
    rules = {rule.endpoint: rule for rule in app.server.url_map.iter_rules()}
    assert len(PATHS) == len(set(PATHS)) == 5
    for page in PAGES:
        assert rules[page.endpoint].rule == page.path
        assert rules[page.endpoint].methods == {"GET", "HEAD", "OPTIONS"}
        assert PERMISSIONS[page.endpoint] == page.action
        assert page.action in matrix().actions
        assert page_of(page.path) is page


@pytest.mark.parametrize("path", PATHS)
def test_a_deep_link_gives_the_application(app, path):
    answer = client(app).get(f"{path}?area=9901002")
    assert answer.status_code == 200
    assert "react-entry-point" in answer.get_data(as_text=True)


@pytest.mark.parametrize("path", ["/hotspots/", "/hotspots/1", "/HOTSPOTS", "/area", "/index.html"])
def test_no_other_path_is_open(app, path):
    assert client(app).get(path).status_code == 404


@pytest.mark.parametrize("path", PATHS)
def test_a_deep_link_is_for_those_who_may_see_the_map(settings, store, path):
    nobody = create_app(settings, store, provider=FixedProvider(None))
    assert client(nobody).get(path).status_code in {302, 401}
    admin = Scope("sys", frozenset({Grant("system_admin")}))
    closed = create_app(settings, store, provider=FixedProvider(admin))
    assert client(closed).get(path).status_code == 403
    asked = body_of(closed, CALLBACK, address(path))
    assert post(closed, asked).status_code == 403


@pytest.mark.parametrize("path", PATHS)
def test_the_callback_draws_the_page_with_what_stands_around_it(app, path):
    answer = call(app, CALLBACK, address(f"{path}?lang=en"))
    drawn = {(name, prop) for name, props in answer.items() for prop in props}
    assert {(ids.PAGE, "children"), (ids.WATERMARK, "style")} <= drawn
    (around,) = [props for name, props in answer.items() if name.startswith(ids.PANELS_MARKUP)]
    assert set(next(iter(around.values()))) == {ids.HEADER, ids.FOOTER, ids.ACCOUNT}
    assert answer[ids.WATERMARK]["style"]["backgroundImage"]


@pytest.mark.parametrize("asked", ["/", "/users", "/nowhere?area=9901002", "?area=9901002"])
def test_the_callback_refuses_what_is_no_page(app, asked):
    assert post(app, body_of(app, CALLBACK, address(asked))).status_code == 400


def test_a_county_gets_its_own_page_through_the_application(county_app, snapshot):
    text = dumped(call(county_app, CALLBACK, address("/index")))
    names = snapshot.areas.set_index("code")["name"]
    assert COUNTY.grants
    assert names["9902006"] in text
    assert f'"{names["9902001"]}"' not in text


def test_the_library_is_served_and_not_loaded_with_the_page(app):
    browser = client(app)
    for path in ("/", "/hotspots"):
        assert "suites/dash_ag_grid" not in browser.get(path).get_data(as_text=True)
    answer = browser.get(library.address())
    assert answer.status_code == 200
    assert "javascript" in answer.mimetype
    chunk = "/_dash-component-suites/dash_ag_grid/async-community.js"
    assert browser.get(chunk).status_code == 200


@pytest.mark.parametrize("name", ["async-enterprise.js", "dash_ag_grid.min.js.map", "AgGrid.py"])
def test_the_rest_of_the_library_is_not_served(app, name):
    path = f"/_dash-component-suites/dash_ag_grid/{name}"
    assert client(app).get(path).status_code == 404


def test_the_page_tells_the_browser_where_the_library_is(app):
    told = dumped(client(app).get("/_dash-layout").get_json())
    assert library.address() in told
    (grids,) = re.findall(r'"data-grids": ?"([^"]+)"', told)
    assert grids.split() == [page.path for page in PAGES if page.has_grid]


def test_the_navigation_leads_to_every_page(app):
    told = client(app).get("/_dash-layout").get_data(as_text=True)
    for name in ("map", *(page.name for page in PAGES), "methods"):
        assert f'"{ids.nav(name)}"' in told
