"""When of the week: sums, scope, and what is named and what is not."""

import json

import numpy as np
import pytest

from dashboard import hours, hours_panel, queries
from dashboard.areas import Area
from dashboard.hours import Week, peaks, week
from dashboard.queries import Selection
from dashboard.text import Words
from dashboard.view import settle
from data.access import Grant, NotVisibleError, Scope
from data.periods import Window
from tests.dashboard.squares import CITY, COUNTY, LAST, make_incidents, with_hours

YEAR = Window(LAST, 52, "week")
ALL = Selection(YEAR, None, 0)
AREAS = [Area("city", 0), Area("county", 1), Area("township", 5), Area("community", 21)]


@pytest.fixture(scope="module")
def incidents(snapshot):
    return with_hours(make_incidents(snapshot.areas), snapshot.areas)


def own(incidents, area, selection):
    """The incidents of an area in a selection, from the rows themselves."""
    window = selection.window
    chosen = incidents[
        (incidents[area.level] == area.index)
        & (incidents["period_start"] >= window.start)
        & (incidents["period_start"] <= window.end)
        & (incidents["severity"] >= selection.min_severity)
    ]
    groups = selection.categories
    return chosen if groups is None else chosen[chosen["category_index"].isin(groups)]


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.level)
@pytest.mark.parametrize("selection", [ALL, Selection(YEAR, None, 3), Selection(YEAR, (3, 4, 5), 2),
                                       Selection(Window(LAST, 4, "week"), (0, 1, 2), 0)])  # fmt: skip
def test_hours_are_those_of_the_incidents(snapshot, incidents, area, selection):
    found, wanted = week(CITY, snapshot, area, selection), own(incidents, area, selection)
    told = wanted.loc[wanted["hour"] >= 0, "hour"]
    assert found.counts.ravel().tolist() == np.bincount(told, minlength=168).tolist()
    assert found.untold == (wanted["hour"] < 0).sum() > 0
    assert found.group is None


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.level)
def test_cells_and_the_untold_close_with_the_count(snapshot, area):
    found = week(CITY, snapshot, area, ALL)
    count = queries.window_counts(CITY, snapshot, area.level, ALL)[area.index]
    assert found.told + found.untold == count


def test_a_lower_category_is_told_as_its_upper_one(snapshot):
    found = week(CITY, snapshot, Area("city", 0), Selection(YEAR, (4,), 0))
    whole = week(CITY, snapshot, Area("city", 0), Selection(YEAR, (3, 4, 5), 0))
    assert found.group == 3
    assert found.counts.tolist() == whole.counts.tolist()


def test_a_scope_sees_its_own_areas_only(snapshot):
    assert week(COUNTY, snapshot, Area("county", 1), ALL).told
    for area in (Area("city", 0), Area("county", 0), Area("community", 0)):
        with pytest.raises(NotVisibleError):
            week(COUNTY, snapshot, area, ALL)
    public = Scope("link", frozenset({Grant("public")}))
    with pytest.raises(NotVisibleError):
        week(public, snapshot, Area("city", 0), ALL)


def test_a_grid_and_an_older_snapshot_have_no_hours(snapshot, monkeypatch):
    assert week(CITY, snapshot, Area("grid", 3), ALL) is None
    kept = [name for name in snapshot.tables() if name != "area_hours"]
    monkeypatch.setattr(snapshot, "tables", lambda: kept)
    assert week.__wrapped__(CITY, snapshot, Area("city", 0), ALL) is None


def made(counts, days=(4,) * 7):
    return Week(np.asarray(counts).reshape(7, 24), 0, np.array(days), None)


def test_the_planted_block_is_named_with_its_day(snapshot):
    found = week(CITY, snapshot, Area("city", 0), Selection(YEAR, (3, 4, 5), 0))
    (one,) = peaks(found)
    assert (one.weekday, one.hour) == (4, 18)
    assert one.share > 0.4
    assert one.even == pytest.approx(3 / 168)


def test_an_even_week_is_seldom_named():
    """At most 5 % of even weeks; 400 of them, so 33 would be more than three deviations above."""
    rng = np.random.default_rng(5)
    named = sum(bool(peaks(made(rng.multinomial(600, [1 / 168] * 168)))) for _ in range(400))
    assert named <= 33


def test_busy_hours_of_all_days_alike_are_named_without_a_day():
    rng = np.random.default_rng(6)
    day = np.where((np.arange(24) >= 9) & (np.arange(24) < 12), 3.0, 1.0)
    (one,) = peaks(made(rng.multinomial(4000, np.tile(day, 7) / (7 * day.sum()))))
    assert (one.weekday, one.hour) == (None, 9)
    assert one.even == pytest.approx(1 / 8)


def test_a_weekday_that_comes_more_often_is_no_busier():
    """A month of five Mondays: what they have more is their number."""
    counts = np.repeat([500, 400, 400, 400, 400, 400, 400], 24)
    assert peaks(made(counts, (5, 4, 4, 4, 4, 4, 4))) == ()


def test_few_incidents_name_nothing():
    counts = np.zeros(168, dtype=int)
    counts[100] = hours.FEWEST - 1
    assert peaks(made(counts)) == ()


def drawn(snapshot, scope, search):
    view = settle(scope, snapshot, search)
    return view, hours_panel.draw(scope, snapshot, view, "X", Words("zh"))


def grid_of(panel):
    (box,) = [part for part in panel.children if getattr(part, "className", "") == "hours-box"]
    return json.loads(box.to_plotly_json()["props"]["data-grid"])


def test_the_panel_draws_hours_and_fewer_incidents_by_threes(snapshot):
    _, panel = drawn(snapshot, CITY, "?periods=52")
    grid = grid_of(panel)
    assert grid["hours"] == 1
    assert [len(row) for row in grid["counts"]] == [24] * 7
    view, panel = drawn(snapshot, CITY, "?area=9903005&periods=52")
    grid = grid_of(panel)
    assert grid["hours"] == 3
    found = week(CITY, snapshot, view.subject, view.selection)
    assert sum(map(sum, grid["counts"])) == found.told
    even = found.told / 56
    edges = [0, *(even * edge for edge in hours_panel.EDGES)]
    for row, bands in zip(grid["counts"], grid["bands"], strict=True):
        assert bands == [sum(count >= edge for edge in edges) for count in row]


@pytest.mark.parametrize(
    "search", ["?area=9903005&selected=9904021&level=grid", "?area=9903005&periods=1"]
)
def test_the_panel_says_why_there_is_no_grid(snapshot, search):
    _, panel = drawn(snapshot, CITY, search)
    assert not [part for part in panel.children if getattr(part, "className", "") == "hours-box"]
    assert "empty" in str(panel)
