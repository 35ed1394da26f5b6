import datetime as dt
import re
from html import unescape

import pytest

from data.access import Grant, Scope
from data.state.database import open_state
from data.warnings.kinds import Unit
from data.warnings.store import Warnings
from data.warnings.tree import AreaTree


def names(page):
    return [unescape(one) for one in re.findall(r'<span class="name">([^<]*)</span>', page)]


def test_the_wall_is_dark_whatever_is_asked_for(site):
    page = site.get("leader", "/screen?theme=light").text
    assert 'data-theme="dark"' in page
    assert 'data-palette="safe"' not in page
    assert 'data-palette="safe"' in site.get("leader", "/screen?palette=safe").text


@pytest.mark.parametrize(("preset", "width"), [("", 1920), ("wide", 3840)])
def test_a_preset_is_a_stage(site, preset, width):
    page = site.get("leader", f"/screen?preset={preset}").text
    assert f'data-width="{width}" data-height="1080"' in page


@pytest.mark.parametrize(
    "query",
    ["part=guess", "preset=tall", "every=1", "every=x", "every=99999999", "dwell=3", "dwell=-5",
     "dwell=٣٠"],
)  # fmt: skip
def test_what_the_address_may_not_say_is_refused(site, query):
    assert site.get("leader", f"/screen?{query}").status_code == 400


def test_the_pace_is_that_of_the_address(site):
    page = site.get("leader", "/screen?every=20000&dwell=60").text
    assert 'data-every="20000" data-dwell="60"' in page


def test_a_part_is_the_scenes_alone(site):
    whole, part = (site.get("leader", f"/screen{query}").text for query in ("", "?part=scenes"))
    assert "<html" not in part
    assert 'class="board"' in part
    assert 'class="board"' in whole
    assert len(part) < len(whole)


def test_a_part_holds_no_script_and_asks_no_other_host(site):
    part = site.get("leader", "/screen?part=scenes").text
    assert "<script" not in part
    assert not re.search(r'(?:src|href)="(?:https?:)?//', site.get("leader", "/screen").text)


def test_a_wall_shows_its_county_alone(site):
    page = site.get("wall", "/screen?part=scenes").text
    store = site.store.current()
    counties = store.areas[(store.areas["level"] == "county") & (store.areas["code"] != "9901002")]
    assert page.count("situation-edge") > 0
    for name in set(counties["name"]):
        assert name not in names(page)
        assert f">{name}<" not in page


def test_an_area_of_another_is_refused(site):
    assert site.get("township", "/screen?area=township.9902006").status_code == 200
    assert site.get("township", "/screen?area=township.9902007").status_code == 403
    assert site.get("township", "/screen?area=nowhere").status_code == 403
    assert site.get("admin", "/screen").status_code == 403


def test_an_area_inside_can_be_chosen(site):
    county = site.get("leader", "/screen?area=county.9901002&lang=en").text
    assert county != site.get("leader", "/screen?lang=en").text


def test_before_anything_is_published_the_wall_says_so(bare_site):
    answer = bare_site.get("leader", "/screen?part=scenes")
    assert answer.status_code == 200
    assert 'data-snapshot=""' in answer.text
    assert 'class="nothing"' in answer.text


def test_open_warnings_are_counted_listed_and_marked_on_the_map(site):
    assert '<p class="value">0</p>' in card(site, "leader")
    snapshot = site.store.current()
    database = open_state("", site.home)
    kept = Warnings(database, tree=lambda: AreaTree(snapshot.areas))
    for number, code in enumerate(("9901002", "9901002", "9901001")):
        kept.open(
            fingerprint=f"index|{number}",
            rule="index_red",
            level="county",
            code=code,
            group="all",
            colour=3,
            evidence={"risk": 61.5},
            owner=Unit("command", "county", code),
            snapshot=snapshot.id,
            now=dt.datetime.now(dt.UTC),
        )
    leader = Scope("leader", frozenset({Grant("leader")}))
    assert kept.by_area(leader, "county") == {"9901001": (1, 3), "9901002": (2, 3)}
    county = Scope("chief", frozenset({Grant("command", "county", "9901001")}))
    assert kept.by_area(county, "county") == {"9901001": (1, 3)}
    database.close()
    assert '<p class="value">3</p>' in card(site, "leader")
    assert '<p class="value">2</p>' in card(site, "wall")
    page = site.get("leader", "/screen?part=scenes").text
    assert page.count('class="situation-warned w3"') == 2
    assert "data-newest" in page


def card(site, name):
    page = site.get(name, "/screen?part=scenes").text
    return re.search(r'class="card is-warnings".*?</li>', page, re.DOTALL)[0]


def test_both_languages_are_whole(site):
    chinese, english = (site.get("leader", f"/screen?lang={one}").text for one in ("zh", "en"))
    assert 'lang="zh-CN"' in chinese
    assert not re.search(r"[\u4e00-\u9fff]", re.sub(r"<[^>]*>", "", english).replace("中文", ""))
