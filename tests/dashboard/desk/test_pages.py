"""The pages: their figures are the stored ones, for the own areas and nobody else's."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from plotly.utils import PlotlyJSONEncoder

from dashboard.desk import answer, forecast_list, hotspot_list, index_list, source_list
from dashboard.desk.registry import PAGES
from dashboard.inputs import BadInputError
from dashboard.text import catalogue
from data.access import DeniedError, Grant, NotVisibleError, Scope
from data.periods import shift
from tests.dashboard.paged import METHODS, SCORED
from tests.dashboard.squares import CITY, COUNTY, EMPTY, LAST

PUBLIC = Scope("link-1", frozenset({Grant("public")}))
ADMIN = Scope("sys", frozenset({Grant("system_admin")}))
CHIEF = Scope("chief", frozenset({Grant("grid_chief", "grid", "9904086")}))
PATHS = [page.path for page in PAGES]
OWN = range(16, 32)
"""Communities of the county 9901002, by the order in which the squares are cut."""


def stored(snapshot, table, **where):
    found = snapshot.read(table)
    for name, value in where.items():
        found = found[found[name].astype(str) == str(value)]
    return found


def own_codes(snapshot, code="9901002"):
    """Codes of an area and of all that lies in it."""
    areas = snapshot.areas
    codes = {code}
    for _ in range(4):
        codes |= set(areas.loc[areas["parent_code"].isin(codes), "code"])
    return codes


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("query", ["", "?area=9901002", "?area=9902006&level=grid&lang=en",
                                   "?end=2026-W40", "?area=9903022&selected=9904086"])  # fmt: skip
def test_every_page_is_drawn_for_every_view(city, path, query):
    page = city(path + query)
    assert len(page.nodes) > 10
    json.dumps(page.parts, cls=PlotlyJSONEncoder)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("scope", [COUNTY, CHIEF], ids=["county", "grid"])
def test_nobody_is_told_of_an_area_outside_the_scope(drawn, snapshot, path, scope):
    own = own_codes(snapshot, next(iter(scope.grants)).code)
    areas = snapshot.areas
    foreign = areas[~areas["code"].isin(own)]
    for query in ("", "?area=9901001", "?level=grid", "?selected=9904001"):
        page = drawn(scope, path + query)
        text = json.dumps(page.parts, cls=PlotlyJSONEncoder, ensure_ascii=False)
        shown = set(re.findall(r"(?<!\d)99\d{5}(?!\d)", text)) - set(query.split("="))
        assert not shown & set(foreign["code"]), query


@pytest.mark.parametrize("path", PATHS)
def test_the_protected_tier_gets_a_note(drawn, path):
    page = drawn(PUBLIC, path)
    assert catalogue()["desk_protected_title"][0] in page.text
    assert [href for href in page.links if not href.startswith("/methods")] == ["/"]
    assert "desk-grid" not in json.dumps(page.parts, cls=PlotlyJSONEncoder)


def test_who_may_not_see_the_map_sees_no_page(snapshot):
    for scope in (ADMIN, EMPTY):
        with pytest.raises(DeniedError):
            answer.draw_page(scope, snapshot, address="/hotspots")


@pytest.mark.parametrize("address", ["", "/", "/nowhere", "/hotspots/1", "hotspots", "//hotspots"])
def test_there_are_exactly_the_five_pages(snapshot, address):
    with pytest.raises(BadInputError):
        answer.draw_page(CITY, snapshot, address=address)


def test_hot_spots_are_the_stored_ones_in_three_columns(city, snapshot):
    rows = city("/hotspots").grid("hotspots")
    told = stored(snapshot, "area_hotspots", level="community", period_end=LAST)
    told = told[told["much"] | told["clusters"] | told["more"]].set_index("area_index")
    assert set(map(int, rows)) == set(told.index)
    for index, row in rows.items():
        here = told.loc[int(index)]
        for name in (*hotspot_list.FLAGS, "count", "recent"):
            assert row[name] == here[name], name
        assert row["expected"] == pytest.approx(here["expected"])
        assert row["pattern_group"] == here["pattern_group"]
        assert row["history"].split(",")[-1] == str(here["recent"])
    fields = city("/hotspots").columns("hotspots")
    assert {"much", "clusters", "more"} <= set(fields)


def test_hot_spots_under_a_focus_are_those_inside_it(city, snapshot):
    inside = city("/hotspots?area=9901002").grid("hotspots")
    assert set(map(int, inside)) <= set(OWN)
    assert inside


def test_a_cluster_across_the_border_is_not_told(snapshot):
    own = hotspot_list.clusters(COUNTY, snapshot, _area(snapshot, "9901002"), LAST)
    every = hotspot_list.clusters(CITY, snapshot, _area(snapshot, "990100"), LAST)
    assert every["observed"].tolist() == [41, 42, 43]
    assert own["observed"].tolist() == [42]
    assert "members" not in own


def test_cells_are_told_with_the_area_around_them(snapshot):
    every = snapshot.query(
        "SELECT ('0x' || cell)::BIGINT AS cell, area_row, sum(count) AS n FROM area_cell_counts_8 "
        "JOIN cells_8 USING (cell_index) GROUP BY ALL ORDER BY n DESC, cell"
    )
    cells = pd.DataFrame({"place": ["cell"], "level": [None], "area_index": [-1], "lng": [np.nan],
                          "lat": [np.nan], "cell": every["cell"].head(1)})  # fmt: skip
    told = hotspot_list._with_areas(snapshot, cells, np.array([True])).iloc[0]
    around = snapshot.areas.iloc[int(every["area_row"].iloc[0])]
    assert (told["level"], told["area_index"]) == (around["level"], around["area_index"])
    assert np.isfinite([told["lng"], told["lat"]]).all()


def test_cells_are_not_told_below_the_whole_city(snapshot):
    own = hotspot_list.frequent_places(COUNTY, snapshot, _area(snapshot, "9901002"), LAST)
    assert not (own["place"] == "cell").any()
    assert set(own["area_index"]) <= set(range(64, 128))
    assert len(own)


@pytest.mark.parametrize("function", [hotspot_list.near_repeats, hotspot_list.agreement])
def test_figures_of_the_city_are_for_the_city(snapshot, function):
    assert len(function(CITY, snapshot, LAST))
    assert function(COUNTY, snapshot, LAST).empty


def test_an_earlier_period_without_clusters_says_what_to_do(city):
    page = city("/hotspots?end=2026-W40")
    assert catalogue()["hot_none"][0] in page.text
    assert catalogue()["hot_newest_only"][0] in page.text


@pytest.mark.parametrize("level", ["county", "community", "grid"])
def test_the_index_is_the_stored_one_with_its_change(city, snapshot, level):
    rows = city(f"/index?level={level}").grid("index")
    told = stored(snapshot, "area_index", level=level, period_end=LAST).set_index("area_index")
    before = stored(
        snapshot, "area_index", level=level, period_end=shift(LAST, -1, grain="week")
    ).set_index("area_index")
    silent = stored(snapshot, "area_trust", level=level, period_end=LAST)
    silent = set(silent.loc[silent["is_silent"], "area_index"])
    assert set(map(int, rows)) == set(told.index)
    for index, row in rows.items():
        here, past = told.loc[int(index)], before.loc[int(index)]
        if int(index) in silent:
            assert (row["colour"], row["risk"], row["rank_lower"]) == (0, None, None)
            continue
        assert row["risk"] == pytest.approx(here["risk"], abs=1e-6)
        assert row["colour"] == here["colour"]
        assert row["moved"] == pytest.approx(here["risk"] - past["risk"], abs=1e-5)
        assert (row["rank_lower"], row["rank_upper"]) == (here["rank_lower"], here["rank_upper"])


def test_the_colours_over_time_are_counted(snapshot):
    ends, counts = index_list.colours(CITY, snapshot, _area(snapshot, "990100"), "county", LAST)
    told = stored(snapshot, "area_index", level="county").groupby("period_end")["colour"]
    assert len(ends) == told.ngroups
    assert counts[-1].tolist() == told.value_counts().loc[ends[-1]].reindex(
        range(5), fill_value=0
    ).tolist()  # fmt: skip


def test_a_picked_row_opens_its_glass_box(city, snapshot):
    name = snapshot.areas.set_index("code").loc["9901002", "name"]
    page = city("/index?selected=9901002")
    assert f"颜色怎么来的 · {name}" in page.text
    assert "重算与所示逐位一致" in page.text
    box = next(node for node in page.nodes if getattr(node, "className", "") == "glass")
    assert box.open


def test_forecasts_are_the_stored_ones_and_hidden_ones_are_not_sent(city, snapshot):
    page = city("/forecast?level=community")
    rows = page.grid("forecast")
    told = stored(snapshot, "forecasts", level="community", group="all").set_index("area_index")
    assert set(map(int, rows)) == set(told.index)
    for index, row in rows.items():
        assert row["mean_all"] == pytest.approx(told.loc[int(index), "mean"])
        assert row["lower_all"] == told.loc[int(index), "lower"]
        assert row["upper_all"] == told.loc[int(index), "upper"]
    assert "mean_police" in page.columns("forecast")
    # The verdict on disputes hides it.
    assert not any("disputes" in key for row in rows.values() for key in row)
    assert "误差不小于历史平均" in page.text


def test_a_level_whose_forecasts_are_all_hidden_has_no_table(city, monkeypatch):
    from dashboard import assessment

    monkeypatch.setattr(assessment, "verdicts", lambda *_: ())
    page = city("/forecast?level=community")
    assert catalogue()["forecast_all_hidden"][0] in page.text
    assert not any(getattr(node, "id", "") == "grid-forecast" for node in page.nodes)


def test_the_scorecard_is_the_mean_of_the_stored_one(city, snapshot):
    page = city("/forecast?level=community")
    told = stored(snapshot, "scorecards", target="community", method="ours")
    assert f"{told['deviance'].mean():.2f}" in page.text
    assert f"{told['hit2'].mean():.1%}" in page.text
    scores = page.grid("scores")
    assert len(scores) == SCORED * len(METHODS)
    first = scores["0"]
    assert first["period"] == "2026-W46"
    assert {row["method"] for row in scores.values()} == {
        catalogue()[f"score_method_{name}"][0] for name in METHODS
    }


def test_scores_of_cells_are_for_the_whole_city(snapshot):
    assert "r9" not in forecast_list.targets(COUNTY, snapshot)
    assert forecast_list.scores(COUNTY, snapshot, "r9").empty
    assert len(forecast_list.scores(CITY, snapshot, "grid"))


def test_no_word_promises_a_share_of_right_forecasts():
    assert not [key for key, pair in catalogue().items() if "准确率" in pair[0]]


def test_every_row_read_has_a_place(city, snapshot):
    page, rows = city("/data"), snapshot.manifest.rows
    assert rows["read"] == sum(rows[name] for name in source_list.SUMS[1:])
    for name in source_list.SUMS:
        assert f"{rows[name]:,d}" in page.text
    assert catalogue()["data_sum_same"][0] in page.text


def test_an_account_that_does_not_close_is_told(city, snapshot, monkeypatch):
    monkeypatch.setitem(snapshot.manifest.raw["rows"], "duplicate", 0)
    assert catalogue()["data_sum_differs"][0] in city("/data").text


def test_who_sees_part_of_the_city_sees_no_account_of_it(county, snapshot):
    page = county("/data")
    assert "read" not in page.columns("sources")
    assert not any("accepted" in row for row in page.grid("sources").values())
    for count in (snapshot.manifest.rows["read"], snapshot.manifest.rows["accepted"]):
        assert f"{count:,d}" not in page.text
    assert source_list.files(COUNTY, snapshot).empty


def test_silence_is_told_of_the_own_areas(snapshot):
    whole = {one.name: one.silent_areas for one in source_list.sources(CITY, snapshot)}
    own = {one.name: one.silent_areas for one in source_list.sources(COUNTY, snapshot)}
    told = stored(snapshot, "area_trust", period_end=LAST)
    assert told["is_silent"].sum() == 1  # a county that is not the own one
    assert sum(whole.values()) == (1 if "hotline" in whole else 0)
    assert sum(own.values()) == 0


def test_the_profile_says_what_the_map_says(city, snapshot):
    from dashboard import answers

    said = answers.draw_panels(CITY, snapshot, search="?area=9901002")
    page = city("/areas?area=9901002")
    for tile in said["kpis"][:4]:
        assert str(tile.children[1].children) in page.text


def test_a_profile_compares_exactly_only_below_what_is_seen(city, county):
    whole, own = page_titles(city("/areas?area=9901002")), page_titles(county("/areas"))
    assert len([text for text in whole if "排名" in text]) == 2
    assert len([text for text in own if "排名" in text]) == 1  # its children, not its siblings


def test_links_keep_the_rest_of_the_view(city):
    page = city("/hotspots?end=2026-W45&theme=dark&lang=en&area=9901002")
    inner = [href for href in page.links if not href.startswith("/methods")]
    assert inner
    for href in inner:
        assert "end=2026-W45" in href, href
        assert "theme=dark" in href, href
        assert "lang=en" in href, href


def test_a_foreign_area_in_the_address_falls_back_to_the_own_one(county, snapshot):
    name = snapshot.areas.set_index("code").loc["9901002", "name"]
    page = county("/areas?area=9901001")
    assert catalogue()["note_area"][0] in page.text
    (head,) = [node for node in page.nodes if getattr(node, "className", "") == "area-name"]
    assert head.children == name


@pytest.mark.parametrize(
    ("function", "rest"),
    [
        (hotspot_list.spots, ("community", LAST)),
        (hotspot_list.counted, ("community", LAST)),
        (hotspot_list.clusters, (LAST,)),
        (hotspot_list.frequent_places, (LAST,)),
        (hotspot_list.frequent_types, ("community", LAST)),
        (index_list.rows, ("community", LAST)),
        (index_list.colours, ("community", LAST)),
        (forecast_list.next_period, ("community",)),
        (forecast_list.last_counts, ("community", LAST)),
        (source_list.unplaced, (LAST,)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_lists_refuse_a_foreign_focus(snapshot, function, rest):
    for scope in (COUNTY, PUBLIC, EMPTY):
        with pytest.raises(NotVisibleError):
            function(scope, snapshot, _area(snapshot, "9901001"), *rest)


def page_titles(page):
    return [
        str(node.children[0].children)
        for node in page.nodes
        if getattr(node, "className", "") == "panel-title"
    ]


def _area(snapshot, code):
    from dashboard.areas import hierarchy

    return hierarchy(CITY, snapshot).find(code, day=LAST)
