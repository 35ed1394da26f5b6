"""The tree of categories: sums that close, no query of its own, and what a click sets."""

import json

import pytest

from dashboard import category_tree, queries, trend
from dashboard.areas import Area
from dashboard.category_tree import branches
from dashboard.queries import Selection
from dashboard.text import Words
from dashboard.view import settle
from data.access import NotVisibleError
from data.periods import Window
from tests.dashboard.squares import CITY, COUNTY, LAST, make_incidents

NOW = Selection(Window(LAST, 4, "week"), None, 0)
AREA = Area("county", 1)


def test_branches_close_with_their_children_and_with_the_area(snapshot):
    incidents = make_incidents(snapshot.areas)
    own = incidents[incidents["county"] == AREA.index]
    now = own[own["period_start"].isin(NOW.window.starts)]
    before = own[own["period_start"].isin(NOW.window.earlier(4).starts)]
    found = branches(CITY, snapshot, AREA, NOW)
    assert [one.count for one in found] == sorted((one.count for one in found), reverse=True)
    assert {one.index for one in found} == {0, 3}
    assert sum(one.count for one in found) == len(now)
    for one in found:
        assert sum(leaf.count for leaf in one.children) == one.count
        for leaf in one.children:
            assert leaf.count == (now["category_index"] == leaf.index).sum()
            assert leaf.previous == (before["category_index"] == leaf.index).sum()


def test_it_asks_nothing_that_the_bars_have_not_asked(snapshot, monkeypatch):
    trend.bars(CITY, snapshot, AREA, NOW, Words("zh"))
    queries.category_labels(CITY, snapshot)
    monkeypatch.setattr(snapshot, "arrays", lambda *_: pytest.fail("a query of its own"))
    assert branches(CITY, snapshot, AREA, NOW)


def test_a_foreign_area_is_refused(snapshot):
    with pytest.raises(NotVisibleError):
        branches(COUNTY, snapshot, Area("county", 0), NOW)


def properties(snapshot, search):
    (tree,) = category_tree.draw(CITY, snapshot, settle(CITY, snapshot, search), Words("en"))
    return tree.to_plotly_json()["props"]


def test_the_page_gets_names_figures_and_codes(snapshot):
    told = properties(snapshot, "")
    rows = json.loads(told["data-tree"])
    assert {(name, code) for name, _, code, _ in rows} == {("Disputes", "10"), ("Policing", "20")}
    lower = {code for *_, children in rows for _, _, code in children}
    assert lower == {"1001", "1002", "2001", "2002"}
    count = int(rows[0][1].split(" · ")[0].replace(",", ""))
    assert count == branches(CITY, snapshot, Area("city", 0), NOW)[0].count
    assert (told["data-control"], told["data-chosen"]) == ("category", "")


def test_the_chosen_one_is_marked(snapshot):
    told = properties(snapshot, "?category=2001")
    assert told["data-chosen"] == "2001"
    ((_, figures, _, children),) = json.loads(told["data-tree"])
    assert [code for *_, code in children] == ["2001"]
    assert "100.0%" in figures
