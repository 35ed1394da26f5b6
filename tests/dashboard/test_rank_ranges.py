"""Ranges of ranks in the ranking: the stored ones, of own areas only."""

import pytest

from dashboard import answers
from dashboard.rank_ranges import rank_ranges
from data.access import NotVisibleError
from data.index_trace import GREY
from tests.dashboard.squares import CITY, COUNTY, LAST


def stored(snapshot, level):
    table = snapshot.read("area_index")
    day = table["period_end"].astype(str).str[:10] == str(LAST)
    return table[(table["level"] == level) & day].set_index("area_index")


def silent(snapshot, level):
    trust = snapshot.read("area_trust")
    newest = trust["period_end"] == trust["period_end"].max()
    return set(trust["area_index"][newest & trust["is_silent"] & (trust["level"] == level)])


@pytest.mark.parametrize("level", ["county", "township", "grid"])
def test_ranges_are_the_stored_ones_where_there_is_a_colour(snapshot, level):
    table = stored(snapshot, level)
    ranked = table[(table["rank_lower"] > 0) & (table["colour"] != GREY)]
    wanted = {
        index: (row.rank_lower, row.rank_upper)
        for index, row in ranked.iterrows()
        if index not in silent(snapshot, level)
    }
    assert rank_ranges(CITY, snapshot, level, LAST) == (wanted or None)
    assert wanted


def test_a_scope_gets_the_ranges_of_its_own_areas(snapshot):
    whole = rank_ranges(CITY, snapshot, "township", LAST)
    own = rank_ranges(COUNTY, snapshot, "township", LAST)
    assert own.items() < whole.items()
    areas = snapshot.areas[snapshot.areas["level"] == "township"]
    assert {int(areas.iloc[index]["parent_index"]) for index in own} == {1}
    with pytest.raises(NotVisibleError):
        rank_ranges(COUNTY, snapshot, "city", LAST)


def test_the_ranking_prints_them_and_its_sums_are_as_wide(snapshot):
    panel = answers.draw_panels(CITY, snapshot, search="?level=township")["ranking"][1]
    table = next(part for part in panel.children if part.className == "table-box").children
    head, body, foot = table.children
    assert len(head.children.children) == 5
    ranks = rank_ranges(CITY, snapshot, "township", LAST)
    printed = [row.children[-1].children for row in body.children]
    assert set(printed) <= {"–", *(f"{low}–{high}" for low, high in ranks.values())}
    assert any(text != "–" for text in printed)
    for row in foot.children:
        assert sum(getattr(cell, "colSpan", 1) for cell in row.children) == 5
