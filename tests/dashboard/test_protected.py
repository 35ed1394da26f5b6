"""The protected tier: a shared link, and the comparison with others; releases and nothing else."""

import datetime as dt

import numpy as np
import pytest

from dashboard import protected, queries, released
from dashboard.app import create_app
from dashboard.areas import Area, all_areas, hierarchy
from dashboard.text import Words
from dashboard.view import settle
from data.access import Grant, NotVisibleError, Scope
from data.accounts import links
from data.periods import shift
from data.state.database import open_state
from tests.dashboard.squares import (
    CITY,
    COUNTY,
    EDITIONS,
    LAST,
    RELEASED,
    FixedProvider,
    call,
    client,
    dumped,
    read_numbers,
)

PUBLIC = Scope("link-1", frozenset({Grant("public")}))
CHIEF = Scope("chief", frozenset({Grant("grid_chief", "grid", "9904086")}))
TOWNSHIP = Scope("zb", frozenset({Grant("township", "township", "9902006")}))
WORDS = Words("zh")
ADDRESS = "panels-address.data"


@pytest.fixture(scope="module")
def public_app(settings, store):
    return create_app(settings, store, provider=FixedProvider(PUBLIC))


def exact(snapshot, level, start, category=None):
    """Counts of one week straight from the stored table."""
    found = snapshot.read(f"area_counts_{level}")
    found = found[
        (found["period_start"].astype(str) == start.isoformat()) & (found["area_index"] >= 0)
    ]
    if category is not None:
        found = found[(found["category_index"] < 3) == (category == 0)]
    sums = found.groupby("area_index")["count"].sum()
    size = int((snapshot.areas["level"] == level).sum())
    return sums.reindex(range(size), fill_value=0).to_numpy()


@pytest.mark.parametrize(("scope", "edition"), [(PUBLIC, "public"), (CHIEF, "internal")])
def test_what_is_given_is_the_release_and_what_is_below_the_least_count_is_not(
    snapshot, scope, edition
):
    least, finest, _ = EDITIONS[edition]
    starts = released.released_starts(scope, snapshot)
    assert len(starts) == RELEASED
    assert starts[-1] == shift(LAST, -1, grain="week")
    assert released.released_levels(scope, snapshot)[-1] == finest
    assert released.threshold(scope, snapshot) == least
    found = released.level_counts(scope, snapshot, finest, released.ALL)
    for row, start in enumerate(starts):
        known = exact(snapshot, finest, start)
        assert np.array_equal(np.isnan(found[row]), known < least)
        assert np.array_equal(found[row][known >= least], known[known >= least])


def test_a_window_with_one_withheld_period_is_withheld(snapshot):
    window = settle(PUBLIC, snapshot, "?periods=4").selection.window
    starts = released.released_starts(PUBLIC, snapshot)
    rows = [starts.index(start) for start in window.starts]
    parts = released.level_counts(PUBLIC, snapshot, "township", released.ALL)[rows]
    found = released.window_counts(PUBLIC, snapshot, "township", window)
    assert np.isnan(parts).any()
    assert np.array_equal(np.isnan(found), np.isnan(parts).any(axis=0))


def test_a_window_beyond_what_is_released_is_withheld(snapshot):
    window = settle(CITY, snapshot, "").selection.window  # the newest week is not released
    assert np.isnan(released.window_counts(PUBLIC, snapshot, "county", window)).all()


def test_exact_tables_are_closed_to_it_whatever_is_called(snapshot):
    view = settle(PUBLIC, snapshot, "")
    for read in (
        lambda: queries.window_counts(PUBLIC, snapshot, "county", view.selection),
        lambda: queries.level_rates(PUBLIC, snapshot, "county", view.selection),
        lambda: queries.area_series(PUBLIC, snapshot, view.focus, view.selection),
        lambda: queries.category_counts(PUBLIC, snapshot, view.focus, view.selection),
    ):
        with pytest.raises(NotVisibleError):
            read()


def test_a_link_walks_through_the_released_levels_and_no_further(snapshot):
    assert hierarchy(PUBLIC, snapshot).order == ("city", "county", "township")
    view = settle(PUBLIC, snapshot, "?area=9904086")
    assert (view.focus.level, "area" in view.notes) == ("city", True)
    view = settle(PUBLIC, snapshot, "?area=9902006&layer=cells&severity=3&category=1001")
    assert {"layer", "severity", "category"} <= set(view.notes)
    assert view.selected == Area("township", 5)


def markup(app, search):
    return call(app, "panels-markup.data", {ADDRESS: search}, [])["panels-markup"]["data"]


def compared(app):
    answer = call(app, "comparison-markup.data", {"compared-address.data": ""}, [])
    return answer["comparison-markup"]["data"]["comparison"]


def test_the_map_of_a_link_shows_withheld_areas_without_a_number(public_app, snapshot):
    answer = call(public_app, "map-view.data", {"url.search": "?area=9901002&periods=1"}, [])
    values, view = answer["map-values"]["data"], answer["map-view"]["data"]
    assert view["protected"]
    assert view["cells"] == {}
    counts, bands = read_numbers(values["counts"]), read_numbers(values["bands"])
    known = exact(snapshot, "township", shift(LAST, -1, grain="week"))
    inside = bands < 250
    assert inside.sum() == 4
    assert (counts[~inside] == 0).all()
    assert np.array_equal(counts[inside], np.where(known >= 10, known, 0)[inside])
    assert np.array_equal(bands[inside] > 0, (known >= 10)[inside])


def test_panels_of_a_link_print_no_withheld_count(public_app, snapshot):
    week = exact(snapshot, "township", shift(LAST, -1, grain="week"))
    county = int((week < 10).argmax()) // 4
    known = week[4 * county : 4 * county + 4]
    panels = markup(public_app, f"?area=990100{county + 1}&periods=1")
    text = panels["ranking"]
    assert (known < 10).any()
    assert text.count(WORDS("withheld")) >= (known < 10).sum()
    assert snapshot.id in panels["footer"]
    assert f"{snapshot.manifest.rows['read']:,d}" not in panels["footer"]
    assert compared(public_app) == ""
    assert WORDS("trend_last_year") not in panels["charts"]


def test_a_comparison_speaks_of_siblings_and_of_what_lies_above(snapshot):
    found = released.comparison(TOWNSHIP, snapshot, Area("township", 5))
    assert [(row.relation, row.area) for row in found.rows] == [
        ("own", Area("township", 5)),
        ("sibling", Area("township", 4)), ("sibling", Area("township", 6)), ("sibling", Area("township", 7)),
        ("above", Area("county", 1)), ("above", Area("city", 0)),
    ]  # fmt: skip
    week = exact(snapshot, "township", shift(LAST, -1, grain="week"))
    for row in found.rows[:4]:
        count = int(week[row.area.index])
        assert row.latest == (count if count >= 5 else None)


def test_nobody_compares_an_area_that_is_not_his_own(snapshot):
    for area in (Area("township", 4), Area("county", 1), Area("city", 0)):
        with pytest.raises(NotVisibleError):
            released.comparison(TOWNSHIP, snapshot, area)


def test_the_comparison_is_drawn_for_who_sees_a_part_and_not_for_the_city(
    settings, store, snapshot
):
    for scope, is_drawn in ((TOWNSHIP, True), (COUNTY, True), (CITY, False)):
        app = create_app(settings, store, provider=FixedProvider(scope))
        assert bool(compared(app)) == is_drawn
        asked = call(app, "panels-markup.data", {ADDRESS: "?lang=en"}, [])
        # Who has nothing to compare is spared the question.
        assert asked.get("compared-address") == ({"data": "?lang=en"} if is_drawn else None)
    names = all_areas(TOWNSHIP, snapshot).at("township").names("zh")
    shown = dumped(
        protected.comparison(TOWNSHIP, snapshot, Area("township", 5), WORDS)
        .to_plotly_json()["props"]["children"][0]
        .to_plotly_json()["props"]["children"][0]
        .to_plotly_json()
    )
    assert str(names[5]) in shown


def test_a_shared_link_opens_the_protected_view_until_it_ends(settings, store, home):
    app = create_app(settings, store)
    database = open_state("", home)
    now = dt.datetime.now(dt.UTC)
    secret = links.share(database, search="?area=9901002", by="zb", days=7, now=now)
    browser = client(app)
    answer = browser.get(f"/s/{secret}")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?area=9901002")
    assert {"HttpOnly", "SameSite=Lax"} <= set(answer.headers["Set-Cookie"].split("; "))
    assert browser.get("/names/b1/grid.json").status_code == 404
    assert browser.get("/names/b1/township.json").status_code == 200
    assert browser.get("/export").status_code == 403
    (link,) = [
        one for one in links.shares(database, now=now, by="zb") if one.search == "?area=9901002"
    ]
    links.withdraw(database, link.id, now=now)
    assert browser.get(f"/s/{secret}").status_code == 404
    # The demonstration's own account again.
    assert browser.get("/names/b1/grid.json").status_code == 200
