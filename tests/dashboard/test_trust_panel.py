"""Trust in the data beside the map: accounts of the city for those alone who see all of it."""

import pytest

from dashboard import trust_panel
from dashboard.text import Words
from dashboard.view import settle
from data.access import Grant, NotVisibleError, Scope
from tests.dashboard.squares import CITY, COUNTY


def text(snapshot, scope, search=""):
    panel = trust_panel.draw(scope, snapshot, settle(scope, snapshot, search), "X", Words("en"))
    return str(panel)


def test_the_city_reads_its_account(snapshot):
    rows = snapshot.manifest.rows
    found = text(snapshot, CITY)
    assert f"{rows['quarantined']:,d} of {rows['read']:,d} rows" in found
    assert f"{rows['not_placed']['city']:,d} of {rows['incidents']:,d}" in found


def test_a_county_reads_nothing_of_the_citys_account(snapshot):
    rows, found = snapshot.manifest.rows, text(snapshot, COUNTY)
    assert "rows" not in found
    assert f"{rows['read']:,d}" not in found
    assert "Quarantined" not in found


def test_every_source_is_listed_or_counted(snapshot):
    found = text(snapshot, CITY)
    sources = snapshot.manifest.raw["sources"]
    listed = sum(one["title_en"] in found for one in sources)
    others = len(sources) - listed
    assert not others or f"{others} other sources" in found


def test_the_silent_source_of_the_area_is_marked(snapshot):
    trust = snapshot.read("area_trust")
    newest = trust["period_end"] == trust["period_end"].max()
    own = trust[newest & (trust["level"] == "county")].set_index("area_index")["is_silent"]
    codes = snapshot.areas[snapshot.areas["level"] == "county"].set_index("area_index")["code"]
    assert own.any()
    assert not own.all()
    for index, is_silent in own.items():
        assert ("className='silent'" in text(snapshot, CITY, f"?area={codes[index]}")) == is_silent


def test_the_protected_tier_has_no_such_panel(snapshot):
    public = Scope("link", frozenset({Grant("public")}))
    with pytest.raises(NotVisibleError):
        text(snapshot, public)
