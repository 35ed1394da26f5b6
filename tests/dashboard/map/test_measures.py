"""Every band and count of a measure, computed again from the stored tables by other means."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dashboard import assessment
from dashboard.areas import Area, hierarchy
from dashboard.map import measures, measures_analysed, measures_counted
from dashboard.map.measures import MEASURES, hover_terms, measured, on_offer
from dashboard.text import Words
from dashboard.view import settle
from data.access import Grant, NotVisibleError, Scope
from data.periods import shift
from data.store import Store
from tests.dashboard.analysed import SETTINGS, SILENT_COUNTY
from tests.dashboard.squares import CITY, COUNTY, EMPTY, LAST, LEVELS, WINDOW, publish

PUBLIC = Scope("link-1", frozenset({Grant("public")}))
ZH = Words("zh")
BELOW = LEVELS[1:]
KNOWN = 1 - (0.05 + 0.2) / 28
"""Share known of the four newest weeks: the last two days are incomplete."""


def shown(snapshot, name, search="", scope=CITY):
    return measured(scope, snapshot, settle(scope, snapshot, search), name, ZH)


def counted(snapshot, level, *, first, last, categories=None, severity=0):
    """Incidents by area, summed by pandas from the stored counts."""
    table = snapshot.read(f"area_counts_{level}")
    starts = pd.to_datetime(table["period_start"]).dt.date
    kept = (starts >= first) & (starts <= last) & (table["severity"] >= severity)
    if categories:
        kept &= table["category_index"].isin(categories)
    rows = table[kept & (table["area_index"] >= 0)]
    n = len(hierarchy(CITY, snapshot).at(level))
    return rows.groupby("area_index")["count"].sum().reindex(range(n), fill_value=0).to_numpy()


def stored(snapshot, table, level, **where):
    found = snapshot.read(table)
    found = found[found["level"] == level]
    for name, value in where.items():
        found = found[found[name].astype(str) == str(value)]
    return found


def silent(snapshot, level):
    """Areas of the level of which the fixture says that a source is silent."""
    flags = np.zeros(len(hierarchy(CITY, snapshot).at(level)), dtype=bool)
    if level == "county":
        flags[SILENT_COUNTY] = True
    return flags


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A snapshot that was not analysed."""
    home = tmp_path_factory.mktemp("plain")
    publish(home, analysed=False)
    return Store(home).current()


@pytest.mark.parametrize("level", BELOW)
def test_the_rate_is_the_stored_one(snapshot, level):
    found = shown(snapshot, "rate", f"?level={level}")
    rows = stored(snapshot, "area_risk", level, period_end=LAST).set_index("area_index")
    index = rows.index.to_numpy()
    expected = np.where(silent(snapshot, level)[index], 0, rows["band"])
    np.testing.assert_array_equal(found.bands[index], expected)
    np.testing.assert_array_equal(found.counts[index], rows["count"])
    assert found.small == 3


@pytest.mark.parametrize("level", BELOW)
@pytest.mark.parametrize(
    ("search", "window", "more"),
    [
        ("", WINDOW, {}),
        ("&periods=1", 1, {}),
        ("&periods=52&category=10", 52, {"categories": (0, 1, 2)}),
        ("&severity=3&category=2001", WINDOW, {"categories": (4,), "severity": 3}),
    ],
)
def test_counts_are_those_of_the_window(snapshot, level, search, window, more):
    found = shown(snapshot, "count", f"?level={level}{search}")
    first = shift(LAST, 1 - window, grain="week")
    counts = counted(snapshot, level, first=first, last=LAST, **more)
    np.testing.assert_array_equal(found.counts, counts)
    edges = measures_counted.COUNT_EDGES[level]
    bands = np.array([1 + sum(count >= edge for edge in edges) for count in counts])
    np.testing.assert_array_equal(found.bands, np.where(silent(snapshot, level), 0, bands))
    assert len(found.colours) == len(found.texts) == len(edges) + 1


@pytest.mark.parametrize("level", BELOW)
@pytest.mark.parametrize("end", [LAST, shift(LAST, -8, grain="week")])
def test_changes_are_coloured_where_chance_is_unlikely(snapshot, level, end):
    week = f"{end.isocalendar().year}-W{end.isocalendar().week:02d}"
    found = shown(snapshot, "change", f"?level={level}&end={week}")
    middle = shift(end, 1 - WINDOW, grain="week")
    now = counted(snapshot, level, first=middle, last=end)
    start = shift(middle, -WINDOW, grain="week")
    before = counted(snapshot, level, first=start, last=shift(middle, -1, grain="week"))
    known = KNOWN if end == LAST else 1.0
    areas = hierarchy(CITY, snapshot).at(level)
    for at, (a, b) in enumerate(zip(now.tolist(), before.tolist(), strict=True)):
        there = areas.valid_from[at] <= np.datetime64(start)
        there &= areas.valid_to[at] > np.datetime64(end + dt.timedelta(days=6))
        quiet = end == LAST and silent(snapshot, level)[at]
        assert found.bands[at] == (0 if quiet or not there else change_band(a, b, known)), at
    np.testing.assert_array_equal(found.counts, now)


@pytest.mark.parametrize("level", BELOW)
def test_a_year_before_is_52_weeks_back(snapshot, level):
    found = shown(snapshot, "change_year", f"?level={level}&periods=1")
    year = shift(LAST, -52, grain="week")
    now = counted(snapshot, level, first=LAST, last=LAST)
    before = counted(snapshot, level, first=year, last=year)
    known = 1 - (0.05 + 0.2) / 7
    areas = hierarchy(CITY, snapshot).at(level)
    for at, (a, b) in enumerate(zip(now.tolist(), before.tolist(), strict=True)):
        there = areas.valid_from[at] <= np.datetime64(year)
        there &= areas.valid_to[at] > np.datetime64(LAST + dt.timedelta(days=6))
        there &= not silent(snapshot, level)[at]
        assert found.bands[at] == (change_band(a, b, known) if there else 0), at
    assert any("2025年11月10日至2025年11月16日" in note for note in found.notes)


def change_band(now, before, known):
    """Band of a change, worked out one area at a time."""
    share = known / (1 + known)
    tails = [
        stats.binom.cdf(now, now + before, share),
        stats.binom.sf(now - 1, now + before, share),
    ]
    if 2 * min(tails) > 0.05:
        return 3
    if before == 0:
        return 6
    ratio = now / known / before
    return 1 + sum(ratio >= edge for edge in (0.5, 0.8, 1.25, 2.0))


def test_changes_of_every_kind_have_their_band():
    now = np.array([30.0, 3.0, 10.0, 12.0, 0.0, 0.0, 9.0, 60.0, 700.0])
    before = np.array([10.0, 20.0, 10.0, 0.0, 0.0, 9.0, 0.0, 40.0, 600.0])
    p = measures_counted.change_p(now, before, 0.5)
    exact = [
        stats.binomtest(int(a), int(a + b), 0.5).pvalue if a + b else 1.0
        for a, b in zip(now, before, strict=True)
    ]
    np.testing.assert_allclose(p, exact, rtol=1e-9)  # at one half the two definitions agree
    bands = [change_band(a, b, 1.0) for a, b in zip(now.tolist(), before.tolist(), strict=True)]
    assert bands == [5, 1, 3, 6, 3, 1, 6, 4 if p[7] <= 0.05 else 3, 3]


def test_a_false_change_is_as_rare_as_said():
    rng = np.random.default_rng(20261109)
    for mean in (1.0, 5.0, 40.0):
        now, before = rng.poisson(mean * 0.9, 20_000), rng.poisson(mean, 20_000)
        p = measures_counted.change_p(now.astype(float), before.astype(float), 0.9 / 1.9)
        assert (p <= measures_counted.CHANGE_P).mean() <= measures_counted.CHANGE_P + 0.005


def test_nothing_is_compared_with_a_time_before_the_first_count(snapshot):
    for name in ("change", "change_year", "band15"):
        found = shown(snapshot, name, "?level=grid&periods=52")
        assert not found.bands.any()
        assert found.counts.any()


@pytest.mark.parametrize("level", BELOW)
def test_the_index_has_its_stored_colour(snapshot, level):
    found = shown(snapshot, "index", f"?level={level}")
    rows = stored(snapshot, "area_index", level, period_end=LAST).set_index("area_index")
    expected = np.zeros(len(found.bands), dtype=int)
    expected[rows.index] = rows["colour"]
    expected[silent(snapshot, level)] = 0
    np.testing.assert_array_equal(found.bands, expected)
    np.testing.assert_array_equal(found.counts[rows.index], rows["n"])
    assert [text.split()[0] for text in found.texts] == list(SETTINGS.palette.names_zh)
    assert [text.split(maxsplit=1)[1] for text in found.texts] == [
        "I ≥ 90", "80 ≤ I < 90", "70 ≤ I < 80", "I < 70",
    ]  # fmt: skip


def test_an_index_that_is_not_kept_is_no_data(snapshot):
    found = shown(snapshot, "index", "?level=grid&end=2026-W30")
    assert not found.bands.any()
    assert ZH("assess_no_index") in found.notes


def test_a_palette_of_the_city_keeps_its_own_tints():
    own = type(SETTINGS.palette)("own", ("a",) * 4, ("a",) * 4, ("#111111",) * 4)
    assert measures_analysed._colours(own) == own.tints
    for palette in SETTINGS.palettes:
        assert set(measures_analysed._colours(palette)) <= {
            f"var(--index-{name})" for name in ("blue", "green", "yellow", "orange", "red")
        }


@pytest.mark.parametrize("level", BELOW)
def test_overdue_is_a_share_of_what_is_open(snapshot, level):
    found = shown(snapshot, "breach", f"?level={level}")
    rows = stored(snapshot, "clock_states", level, group="all")
    sums = rows.groupby("area_index")[["started", "running", "overdue"]].sum()
    for at in range(len(found.bands)):
        if at not in sums.index or not sums.loc[at, "started"]:
            assert (found.bands[at], found.counts[at]) == (0, 0)
            continue
        running, overdue = sums.loc[at, ["running", "overdue"]]
        share = overdue / (running + overdue) if running + overdue else 0.0
        assert found.counts[at] == running + overdue
        assert found.bands[at] == 1 + sum(share >= edge for edge in (0.1, 0.25, 0.5, 0.75))


def test_overdue_is_told_as_of_now_alone(snapshot):
    found = shown(snapshot, "breach", "?level=grid&end=2026-W45")
    assert not found.bands.any()
    assert not found.counts.any()
    assert ZH("assess_earlier") in found.notes


@pytest.mark.parametrize("level", BELOW)
def test_the_found_share_is_the_stored_one(snapshot, level):
    found = shown(snapshot, "discovered", f"?level={level}")
    rows = stored(snapshot, "area_trust", level, period_end=LAST).set_index("area_index")
    expected = np.zeros(len(found.bands), dtype=int)
    expected[rows.index] = np.where(rows["is_silent"], 0, 2)  # 12.5 % everywhere
    np.testing.assert_array_equal(found.bands, expected)
    np.testing.assert_array_equal(found.counts[rows.index], rows["reported"] + rows["discovered"])


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_has_a_colour_and_a_range_for_every_band(snapshot, name):
    for lang in ("zh", "en"):
        view = settle(CITY, snapshot, "?level=grid")
        found = measured(CITY, snapshot, view, name, Words(lang))
        assert found.name == name
        assert len(found.colours) == len(found.texts) >= found.bands.max()
        assert found.bands.shape == found.counts.shape == (257,)
        assert found.notes
        assert found.title
        assert found.no_data
        assert measures.name_of(name, Words(lang))


@pytest.mark.parametrize("name", MEASURES)
def test_colours_mean_the_same_every_week_and_to_everybody(snapshot, name):
    searches = ["?level=grid", "?level=grid&end=2026-W20&periods=1", "?level=grid&category=10"]
    found = [shown(snapshot, name, search) for search in searches]
    found.append(shown(snapshot, name, "?level=grid", COUNTY))
    assert len({(one.colours, one.texts, one.small) for one in found}) == 1


@pytest.mark.parametrize("name", ["index", "breach", "discovered"])
def test_what_no_filter_reaches_says_so(snapshot, name):
    assert ZH("assess_unfiltered") not in shown(snapshot, name, "?level=grid").notes
    filtered = shown(snapshot, name, "?level=grid&category=10&severity=3")
    assert ZH("assess_unfiltered") in filtered.notes
    plainly = shown(snapshot, name, "?level=grid")
    np.testing.assert_array_equal(filtered.bands, plainly.bands)


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("level", BELOW)
def test_a_county_is_told_of_its_own_areas_alone(snapshot, name, level):
    if level == "county":
        search = "?level=county"  # its own county has the level below: nothing foreign even so
    else:
        search = f"?level={level}"
    view = settle(COUNTY, snapshot, search)
    found = measured(COUNTY, snapshot, view, name, ZH)
    tree = hierarchy(CITY, snapshot)
    own = tree.ancestors(view.level, at="county") == 1
    assert not found.bands[~own].any()
    assert not found.counts[~own].any()
    whole = shown(snapshot, name, f"?level={view.level}")
    np.testing.assert_array_equal(found.bands[own], whole.bands[own])
    np.testing.assert_array_equal(found.counts[own], whole.counts[own])


@pytest.mark.parametrize("name", MEASURES)
def test_nothing_is_shown_outside_the_focus(snapshot, name):
    found = shown(snapshot, name, "?area=9901003&level=grid")
    inside = hierarchy(CITY, snapshot).ancestors("grid", at="county") == 2
    assert not found.bands[~inside].any()
    assert not found.counts[~inside].any()
    assert found.bands[inside].any()


@pytest.mark.parametrize("name", MEASURES)
def test_the_hover_card_tells_of_own_areas_alone(snapshot, name):
    view = settle(COUNTY, snapshot, "")
    assert hover_terms(COUNTY, snapshot, view, Area("county", 1), name, ZH)
    for foreign in (Area("county", 0), Area("grid", 0), Area("city", 0), Area("grid", 9999)):
        with pytest.raises(NotVisibleError):
            hover_terms(COUNTY, snapshot, view, foreign, name, ZH)


def test_the_hover_card_has_the_arithmetic(snapshot):
    view, area = settle(CITY, snapshot, "?level=county"), Area("county", 1)

    def said(name):
        return dict(hover_terms(CITY, snapshot, view, area, name, ZH))

    found = shown(snapshot, "change", "?level=county")
    now = found.counts[1]
    ratio = said("change")["比值 R"]
    before = said("change")["前一时段"].replace(",", "")
    assert ratio.startswith(f"({now:,.0f} ÷ {KNOWN:.1%}) ÷ ({int(before):,.0f} ÷ 100.0%) = ")
    assert float(ratio.split(" = ")[1]) == pytest.approx(now / KNOWN / int(before), rel=0.01)
    row = stored(snapshot, "area_index", "county", period_end=LAST).set_index("area_index").loc[1]
    assert said("index")["平安指数"] == f"{row['safety_index']:.1f}"
    clock = stored(snapshot, "clock_states", "county", clock="resolve").set_index("area_index")
    overdue, running = clock.loc[1, ["overdue", "running"]]
    assert said("breach")["时限超期"] == (
        f"{overdue:,d} / {overdue + running:,d} = {overdue / (overdue + running):.1%}"
    )
    trust = stored(snapshot, "area_trust", "county", period_end=LAST).set_index("area_index").loc[1]
    whole = trust["reported"] + trust["discovered"]
    told = said("discovered")["巡查发现占比"]
    assert told.startswith(f"{trust['discovered']:,d} / {whole:,d} = ")
    assert said("count")["件数"] == f"{now:,d}"


@pytest.mark.parametrize("name", ["index", "discovered", "change", "change_year", "band15"])
def test_a_silent_county_is_grey_on_its_card_too(snapshot, name):
    view = settle(CITY, snapshot, "?level=county")
    terms = hover_terms(CITY, snapshot, view, Area("county", SILENT_COUNTY), name, ZH)
    assert len(terms) == 1
    assert "中断" in terms[0][1]


def test_what_is_on_border_says_so(snapshot, monkeypatch):
    row = assessment.index(CITY, snapshot, Area("grid", 5), LAST)
    doubtful = type(row)(
        **row.__dict__
        | {"is_firm": False, "stability": 0.61, "gated_colour": 3, "raw_colour": 4, "colour": 2}
    )
    monkeypatch.setattr(assessment, "index", lambda *_: doubtful)
    view = settle(CITY, snapshot, "?level=grid")
    terms = dict(hover_terms(CITY, snapshot, view, Area("grid", 5), "index", ZH))
    assert terms["稳定度"] == "边界：橙色稳定度 61%"
    assert terms["显著性降级"] == "红 → 橙 (P = 0.004)"


@pytest.mark.parametrize("scope", [PUBLIC, EMPTY], ids=["protected", "nothing"])
def test_who_sees_no_area_exactly_has_the_rate_alone(snapshot, scope):
    assert on_offer(scope, snapshot) == ("rate",)
    view = settle(CITY, snapshot, "?level=county")
    for name in MEASURES:
        with pytest.raises(NotVisibleError):
            measured(scope, snapshot, view, name, ZH)
        with pytest.raises(NotVisibleError):
            hover_terms(scope, snapshot, view, Area("county", 1), name, ZH)


def test_what_was_not_analysed_is_not_on_offer(plain, snapshot):
    assert on_offer(CITY, snapshot) == MEASURES
    assert on_offer(CITY, plain) == ("rate", "count", "change", "change_year", "band15")
    view = settle(CITY, plain, "?level=county")
    for name in ("rate", "count", "change"):
        assert measured(CITY, plain, view, name, ZH).bands.any()
    for name in ("index", "breach", "discovered", "nothing"):
        with pytest.raises(LookupError, match="not on offer"):
            measured(CITY, plain, view, name, ZH)
