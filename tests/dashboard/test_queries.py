import numpy as np
import pytest

from dashboard import queries, summary, trend
from dashboard.areas import Area, hierarchy
from dashboard.cache import UnscopedError, scoped_cache
from dashboard.map import values as map_values
from dashboard.queries import Selection
from dashboard.text import Words
from dashboard.view import settle
from data.access import NotVisibleError
from data.periods import Window, shift
from data.rates import NO_DATA
from tests.dashboard.drawing import drawn_values
from tests.dashboard.squares import (
    CITY,
    COUNTY,
    LAST,
    LEVELS,
    SCRIPT,
    WINDOW,
    make_incidents,
    read_numbers,
)

NOW = Selection(Window(LAST, WINDOW, "week"), None, 0)


@pytest.fixture(scope="module")
def incidents(snapshot):
    return make_incidents(snapshot.areas)


@pytest.mark.parametrize("back", [0, 1, 25])
@pytest.mark.parametrize("level", LEVELS)
def test_unfiltered_rates_equal_the_stored_ones_to_the_last_digit(snapshot, level, back):
    selection = NOW.earlier(back)
    made = queries.level_rates(CITY, snapshot, level, selection)
    stored = snapshot.read("area_risk").query("level == @level")
    stored = stored[[str(day)[:10] == str(selection.window.end) for day in stored["period_end"]]]
    assert len(stored)
    rows = stored["area_index"].to_numpy()
    silent = silent_rows(snapshot, level) if back == 0 else set()
    for name, figures in made.figures().items():
        wanted = stored[name].to_numpy()
        if name == "band":
            wanted = np.where([row in silent for row in rows], NO_DATA, wanted)
        np.testing.assert_array_equal(figures[rows], wanted, err_msg=name)


def silent_rows(snapshot, level):
    """Areas whose source fell silent, read apart from the product."""
    trust = snapshot.read("area_trust")
    newest = trust["period_end"] == trust["period_end"].max()
    return set(trust["area_index"][newest & trust["is_silent"] & (trust["level"] == level)])


def test_an_area_whose_source_fell_silent_has_no_colour_now_and_one_before(snapshot):
    (area,) = silent_rows(snapshot, "county")
    for back, colour in ((0, False), (1, True)):
        found = queries.level_rates(CITY, snapshot, "county", NOW.earlier(back))
        assert bool(found.band[area]) == colour
        assert found.count[area] > 0


@pytest.mark.parametrize("level", LEVELS)
def test_counts_and_not_placed_add_up_to_every_incident(snapshot, incidents, level):
    window = NOW.window
    expected = incidents["period_start"].between(window.start, window.end).sum()
    assert queries.window_counts(CITY, snapshot, level, NOW).sum() == expected


def test_filters_count_what_they_say(snapshot, incidents):
    family = queries.category_family(CITY, snapshot, "10")
    assert family == (0, 1, 2)
    chosen = Selection(NOW.window, family, 3)
    found = incidents[
        incidents["period_start"].between(NOW.window.start, NOW.window.end)
        & incidents["category_index"].isin(family)
        & (incidents["severity"] >= 3)
        & (incidents["city"] == 0)
    ]
    assert queries.window_counts(CITY, snapshot, "city", chosen)[0] == len(found)
    assert queries.category_family(CITY, snapshot, "nope") is None


@pytest.mark.parametrize(
    ("scope", "level"),
    [(CITY, level) for level in LEVELS[1:]] + [(COUNTY, level) for level in LEVELS[2:]],
)
def test_the_ranking_closes(snapshot, scope, level):
    focus = hierarchy(scope, snapshot).top()
    table = summary.ranking(scope, snapshot, focus, level, NOW)
    listed = sum(row.count for row in table.rows)
    assert listed + table.others + table.retired + table.not_placed == table.total > 0
    assert table.not_placed >= 0
    assert [row.p_above for row in table.rows] == sorted(
        (row.p_above for row in table.rows), reverse=True
    )


def test_the_rankings_not_placed_is_the_stored_one(snapshot):
    table = summary.ranking(CITY, snapshot, Area("city", 0), "grid", NOW)
    nowhere = queries.window_counts(CITY, snapshot, "city", NOW)[-1]
    stored = queries.window_counts(CITY, snapshot, "grid", NOW)[-1]
    assert table.not_placed == stored - nowhere
    assert table.placed_nowhere == nowhere > 0
    assert table.recorded == table.total + nowhere
    assert table.retired > 0


def test_changes_are_unknown_before_the_first_period(snapshot):
    changes = summary.changes(CITY, snapshot, Area("city", 0), NOW)
    assert None not in (changes.count, changes.previous, changes.last_year)
    early = summary.changes(CITY, snapshot, Area("city", 0), NOW.earlier(20))
    assert early.last_year is None


def test_the_trend_is_the_counts_and_bars_add_up(snapshot):
    line = trend.trend(CITY, snapshot, Area("city", 0), NOW)
    assert len(line.starts) == 26
    assert line.starts[-1] == LAST
    total = int(queries.window_counts(CITY, snapshot, "city", NOW)[0])
    assert sum(line.counts[-WINDOW:]) == total
    bars = trend.bars(CITY, snapshot, Area("city", 0), NOW, Words("zh"))
    assert sum(bars.counts) == total
    assert line.last_year[0] is None
    assert line.last_year[-1] is not None


def test_the_trend_of_a_re_cut_grid_runs_on_and_no_sum_counts_twice(snapshot):
    old, new = Area("grid", 0), Area("grid", 256)
    before = queries.area_series(CITY, snapshot, old, NOW)
    after = queries.area_series(CITY, snapshot, new, NOW)
    assert after.carried.tolist() == before.counts.tolist()
    line = trend.trend(CITY, snapshot, new, NOW)
    assert line.is_carried
    assert line.counts == (before.counts + after.counts)[-26:].tolist()
    # What happened before is the old grid's: the new one has no figure to compare with.
    assert summary.changes(CITY, snapshot, new, NOW).last_year is None
    assert not trend.trend(CITY, snapshot, Area("city", 0), NOW).is_carried


def test_a_window_before_the_data_is_no_zero(snapshot):
    series = queries.area_series(CITY, snapshot, Area("city", 0), NOW)
    early = Window(shift(series.starts[0], 1, grain="week"), WINDOW, "week")
    assert series.total(early) is None


def test_a_county_scope_sees_its_own_only(snapshot):
    view = settle(COUNTY, snapshot, "")
    assert view.focus == Area("county", 1)
    packed = drawn_values(COUNTY, snapshot, "")
    inside = hierarchy(CITY, snapshot).inside("township", Area("county", 1))
    bands, counts = read_numbers(packed["bands"]), read_numbers(packed["counts"])
    assert (bands[~inside] == map_values.OUTSIDE).all()
    assert not counts[~inside].any()
    assert counts[inside].all()
    found = queries.search_areas(COUNTY, snapshot, "county", NOW.window.last_day, 12)
    assert found == (Area("county", 1),)
    assert hierarchy(COUNTY, snapshot).at("county").names("zh")[1] == SCRIPT


@pytest.mark.parametrize(
    "function", [queries.area_series, queries.category_counts, summary.rate_row, summary.changes]
)
@pytest.mark.parametrize(
    "area", [Area("county", 0), Area("county", 99), Area("city", 0), Area("village", 0)]
)
def test_a_foreign_and_an_unknown_area_are_refused_alike(snapshot, function, area):
    with pytest.raises(NotVisibleError, match=r"^no such area$"):
        function(COUNTY, snapshot, area, NOW)


def test_no_cache_without_a_scope():
    with pytest.raises(UnscopedError):
        scoped_cache(str.upper)


def test_the_cache_tells_scopes_apart(snapshot):
    calls = []

    @scoped_cache
    def once(scope, snapshot, key):
        calls.append(scope)
        return scope.user

    assert once(CITY, snapshot, 1) == once(CITY, snapshot, 1) == "leader"
    assert once(COUNTY, snapshot, 1) == "chief"
    assert calls == [CITY, COUNTY]


def test_a_recut_grid_is_absent_after_its_last_day(snapshot):
    bands = read_numbers(drawn_values(CITY, snapshot, "?level=grid")["bands"])
    assert bands[0] == map_values.ABSENT != bands[256]
    bands = read_numbers(drawn_values(CITY, snapshot, "?level=grid&end=2026-W40")["bands"])
    assert bands[256] == map_values.ABSENT != bands[0]
