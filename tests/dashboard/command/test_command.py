"""The desk: whose warnings it shows, what its filters count, and what a press does."""

import datetime as dt
import re

import pytest

from data.warnings.kinds import Unit
from tests.dashboard.command.conftest import COMMUNITY, SCOPES, TOWNSHIP, lines, told

NOW = dt.datetime.now(dt.UTC)
HERE = ("grid", "9904086")
BESIDE = ("grid", "9904087")


def opened(desk, name="a", place=HERE, **changed):
    fields = {
        "fingerprint": f"index|grid|{place[1]}|all|{name}", "rule": "index_red",
        "level": place[0], "code": place[1], "group": "all", "colour": 4,
        "evidence": {"risk": 61.5, "period": "2026-11-09"}, "owner": TOWNSHIP,
        "snapshot": "s1", "now": NOW,
    }  # fmt: skip
    return desk.warnings.open(**fields | changed)


def test_each_post_sees_the_warnings_of_its_own_areas(desk):
    own = opened(desk)
    other = opened(desk, place=("grid", "9904100"), owner=Unit("township", "township", "9902007"))
    assert lines(desk.get("township", "/command").text) == [own.id]
    assert other.id in lines(desk.get("leader", "/command").text)
    assert desk.get("admin", "/command").status_code == 403
    assert desk.get("township", "/command?area=township.9902007").status_code == 404


def test_anothers_warning_looks_like_none(desk):
    one = opened(desk)
    assert desk.get("township", f"/warnings/{one.id}").status_code == 200
    foreign = desk.get("foreign", f"/warnings/{one.id}")
    unknown = desk.get("foreign", "/warnings/999999")
    assert foreign.status_code == unknown.status_code == 404
    main = re.compile(r"<main.*</main>", re.DOTALL)
    assert main.search(foreign.text)[0] == main.search(unknown.text)[0]
    assert desk.act("foreign", "sign", one).status_code == 403
    assert desk.now(one).state == "new"


def test_a_filter_is_a_link_and_counts_what_it_shows(desk):
    red, orange = opened(desk), opened(desk, "b", colour=3, rule="repeat_place")
    page = desk.get("township", "/command?colour=3").text
    assert lines(page) == [orange.id]
    assert lines(desk.get("township", "/command?kind=index").text) == [red.id]
    for link, count in re.findall(
        r'<a id="by-\w+-\d+" href="([^"]*)"[^>]*>[^<]*<b>(\d+)</b>', page
    ):
        shown = desk.get("township", link.replace("&amp;", "&")).text
        assert len(lines(shown)) == int(count), link


def test_what_runs_out_first_stands_first_and_what_is_late_is_told_in_words(desk):
    late = opened(desk, "late", now=NOW - dt.timedelta(days=2))
    soon = opened(desk, "soon", now=NOW - dt.timedelta(hours=20))
    later = opened(desk, "later")
    page = desk.get("township", "/command").text
    assert lines(page) == [late.id, soon.id, later.id]
    assert re.findall(r'class="is-late" data-due="\d+">⚠ 已超 1 天', page)
    assert lines(desk.get("township", "/command?due=late").text) == [late.id]
    assert lines(desk.get("township", "/command?due=6").text) == [soon.id]
    assert lines(desk.get("township", "/command?due=24").text) == [soon.id, later.id]


def test_a_page_has_fifty_and_a_page_too_far_is_the_last(desk):
    for number in range(53):
        opened(desk, str(number))
    first, second = (lines(desk.get("township", f"/command?page={at}").text) for at in (1, 2))
    assert (len(first), len(second)) == (50, 3)
    assert not {*first} & {*second}
    assert lines(desk.get("township", "/command?page=9").text) == second


def test_the_part_that_is_renewed_is_the_one_of_the_page(desk):
    one = opened(desk)
    part = desk.get("township", "/command?part=queue")
    assert lines(part.text) == [one.id]
    assert "<html" not in part.text
    assert lines(desk.get("township", "/command?part=queue&colour=1").text) == []


def test_a_batch_goes_each_to_its_own_unit_and_tells_who_was_faster(desk):
    first, second = opened(desk), opened(desk, "b", place=BESIDE)
    desk.act("second", "sign", second, key="f" * 32)
    answer = desk.act("township", "assign", first, second, to="level:community", back="colour=4")
    assert answer.status_code == 303
    assert "colour=4" in answer.headers["Location"]
    page = desk.get("township", answer.headers["Location"]).text
    assert "2 条中完成 1 条" in told(page)
    assert "已有人先办" in told(page)
    assert desk.now(first).state == "assigned"
    assert desk.now(first).owner == COMMUNITY
    assert desk.now(second).state == "signed"


def test_the_same_press_twice_is_one_step(desk):
    one = opened(desk)
    for _ in range(2):
        assert "sign.d" in desk.act("township", "sign", one).headers["Location"]
    assert len(desk.warnings.steps(SCOPES["leader"], one.id)) == 2


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"step": "vanish"}, 400), ({"key": "short"}, 400), ({"id": ["1:x"]}, 400),
        ({"id": ["1:1"] * 101}, 400), ({"id": ["99:1"]}, 403),
    ],
)  # fmt: skip
def test_a_forged_press_is_refused(desk, changed, status):
    data = {"id": ["99:1"], "step": "sign", "key": "0" * 32, "back": ""} | changed
    assert desk.post("township", "/warnings/act", data).status_code == status


def test_a_press_without_anything_selected_says_so(desk):
    opened(desk)
    answer = desk.act("township", "sign")
    assert "没有选中" in told(desk.get("township", answer.headers["Location"]).text)
    answer = desk.act("township", "assign", opened(desk, "b"), to="")
    assert "没有选择交办单位" in told(desk.get("township", answer.headers["Location"]).text)


def test_a_reader_gets_no_buttons(desk):
    one = opened(desk)
    page = desk.get("leader", f"/warnings/{one.id}").text
    assert 'name="step"' not in page
    assert 'name="step"' in desk.get("township", f"/warnings/{one.id}").text
    assert desk.act("leader", "sign", one).status_code == 403
    assert "/warnings/open" not in desk.get("leader", "/command").text


def test_the_evidence_and_every_step_are_told(desk):
    one = opened(desk)
    desk.act("township", "assign", one, to="community:9903022", back="warning")
    page = desk.get("township", f"/warnings/{one.id}?lang=en").text
    for text in ("61.5", "2026-11-09", "Assign", "ruth", "runs out first", one.tracking[:4]):
        assert text in page
    assert f"/warnings/{one.id}" in desk.get("community", "/command").text


def test_a_person_opens_one_in_the_own_areas_and_once(desk):
    form = {"area": "grid.9904086", "colour": "3", "group": "all", "reason": "patrol"}
    page, own = "/warnings/open", "/warnings/open?area=grid.9904086"
    first = desk.post("township", page, form, page=own)
    assert "told=opened" in first.headers["Location"]
    again = desk.post("township", page, form, page=own)
    assert "told=known" in again.headers["Location"]
    (one,) = desk.warnings.listed(SCOPES["leader"])
    assert (one.rule, one.colour, one.evidence) == ("person", 3, {"reason": "patrol"})
    desk.act("township", "sign", one)
    desk.act("township", "close", desk.now(one), reason="settled", key="1" * 32)
    assert "told=opened" in desk.post("township", page, form, page=own).headers["Location"]
    theirs = f"{page}?area=township.9902007"
    assert desk.post("foreign", page, form, page=theirs).status_code == 404
    for wrong in ({"reason": "because"}, {"colour": "9"}, {"group": "x"}, {"area": ""}):
        assert desk.post("township", page, form | wrong, page=own).status_code == 400
    assert desk.get("leader", page).status_code == 403


def test_the_search_finds_own_areas_alone(desk):
    page = desk.get("township", "/warnings/open?q=9904086").text
    assert "area=grid.9904086" in page
    assert "area=grid" not in desk.get("foreign", "/warnings/open?q=9904086").text


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", ["chief", "community", "township", "leader"])
def test_every_post_has_a_desk_in_both_languages(desk, name, lang):
    opened(desk)
    page = desk.get(name, f"/command?lang={lang}")
    assert page.status_code == 200
    assert 'aria-current="page"' in page.text
    assert "command" not in desk.get("admin", "/account").text.partition("<main")[0]
