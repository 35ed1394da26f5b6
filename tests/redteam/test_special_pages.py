"""Special periods, inspection points and tracking, on the pages: each within its scope."""

import datetime as dt
import re
import secrets
from html import unescape
from zoneinfo import ZoneInfo

import pytest

from data.access import Grant
from data.warnings.kinds import Unit
from data.warnings.store import Warnings
from data.warnings.tree import Trees
from tests.redteam import city
from tests.redteam.town import HTML, Town, linked, send, utc_now

COUNTY, TOWNSHIP, GRID = city.OWN["county"], city.OWN["township"], city.OWN["grid"]
SIBLING = "9902005"
"""Another township of the same county."""


@pytest.fixture(scope="module")
def town(home, tmp_path_factory):
    town = Town(linked(home, tmp_path_factory.mktemp("special") / "home"))
    town.person("command", Grant("command", "county", COUNTY))
    town.person("stranger", Grant("command", "county", "9901003"))
    town.person("township", Grant("township", "township", TOWNSHIP))
    town.person("leader", Grant("leader"))
    town.person("chief", Grant("grid_chief", "grid", GRID))
    return town


@pytest.fixture(scope="module")
def today(town):
    return utc_now().astimezone(ZoneInfo("Asia/Shanghai")).date()


def key():
    return secrets.token_urlsafe(16)


def page(browser, path="/special"):
    answer = browser.get(path, headers=HTML)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def number_of(text, name):
    return re.search(rf'name="{name}" value="(\d+)"', text)[1]


@pytest.fixture
def period(town, today):
    """A period of the county with a place and a check in the township and in its sibling."""
    browser = town.browser("command")
    answer = send(browser, "/special/change", {
        "do": "create", "area": f"county:{COUNTY}", "name": "National Day", "key": key(),
        "first": today, "last": today + dt.timedelta(days=1),
    })  # fmt: skip
    assert answer.status_code == 303, answer.text
    number = re.search(r"period=(\d+)", answer.headers["Location"])[1]
    for code in (TOWNSHIP, SIBLING):
        change(town, number, do="add_place", area=f"township:{code}", label="square")
    text = page(browser, f"/special?period={number}&edit=1")
    for place in dict.fromkeys(re.findall(r'name="place" value="(\d+)"', text)):
        change(town, number, do="add_check", place=place, kind="patrol", due="23:59")
    yield number
    change(town, number, do="end")


def change(town, number, login="command", **fields):
    """Change a period as the page of the moment allows."""
    browser = town.browser(login)
    text = page(town.browser("command"), f"/special?period={number}&edit=1")
    data = {"period": number, "version": number_of(text, "version"), "key": key(), **fields}
    return send(browser, f"/special/change?period={number}&edit=1", data)


def ticks(town, login, number, **more):
    """Forms that tick, as a reader's page has them."""
    text = page(town.browser(login), f"/special?period={number}")
    found = dict.fromkeys(re.findall(r'name="check" value="(\d+)"', text))
    day = re.search(r'name="day" value="([^"]+)"', text)
    return [
        {"period": number, "check": one, "day": day[1], "number": 0, "key": key(), **more}
        for one in found
    ]


def test_the_command_centre_makes_a_period_and_a_township_ticks_its_own_places(town, period):
    both, own = (page(town.browser(login), f"/special?period={period}") for login in
                 ("command", "township"))  # fmt: skip
    assert city.canary("township", 4) in both  # the sibling's name
    assert not {word for word in city.foreign_words("township") if word in own}
    assert "0 / 应查 2" in both
    assert "0 / 应查 1" in own
    (tick,) = ticks(town, "township", period, result="done")
    assert send(town.browser("township"), "/special/check", tick).status_code == 303
    assert "1 / 应查 2" in page(town.browser("leader"), f"/special?period={period}")
    assert [row.target for row in town.rows()][-3:].count(f"special check {tick['check']}") == 1


def test_nobody_ticks_or_sees_beyond_the_own_areas(town, period):
    first, second = ticks(town, "command", period, result="done")
    assert send(town.browser("township"), "/special/check", second).status_code == 404
    assert send(town.browser("stranger"), "/special/check", first).status_code == 404
    assert send(town.browser("leader"), "/special/check", first).status_code == 403
    assert town.browser("stranger").get(f"/special?period={period}").status_code == 404
    assert "National Day" not in page(town.browser("stranger"))
    assert change(town, period, "township", do="end").status_code == 404
    assert change(town, period, "leader", do="end").status_code == 403


def test_the_slower_of_two_is_told_and_the_same_press_is_one_tick(town, period):
    first, _ = ticks(town, "command", period, result="not_done", reason="weather")
    browser = town.browser("command")
    for _ in range(2):
        assert send(browser, "/special/check", first).status_code == 303
    late = send(browser, f"/special/check?period={period}", first | {"key": key()})
    assert late.status_code == 409
    assert "其他人刚刚改动过" in late.text
    assert "天气原因" in late.text  # the page shows how it stands


@pytest.mark.parametrize(("fields", "told"), [
    ({"do": "alter", "name": "call 13800138000", "first": "2026-11-20", "last": "2026-11-20"}, "电话"),
    ({"do": "alter", "name": "Spring", "first": "2026-11-21", "last": "2026-11-20"}, "最后一天"),
    ({"do": "alter", "name": "Spring", "first": "soon", "last": "2026-11-20"}, "最后一天"),
    ({"do": "add_place", "area": "township:9902016", "label": "square"}, "不在专表的区域内"),
    ({"do": "add_place", "area": f"township:{TOWNSHIP}", "label": "facility=points:F9999"}, "地点类别"),
    ({"do": "add_place", "area": f"township:{TOWNSHIP}", "text": "李某家门口"}, "姓名"),
])  # fmt: skip
def test_what_cannot_be_is_told_on_the_page(town, period, fields, told):
    answer = change(town, period, **fields)
    assert answer.status_code == 400
    assert told in answer.text


def test_areas_are_searched_in_the_period_alone(town, period):
    text = page(town.browser("command"), f"/special?period={period}&edit=1&find=99020")
    assert f"at=township:{TOWNSHIP}" in text.replace("%3A", ":")
    assert "9902016" not in text


def test_facilities_are_offered_of_the_area_that_was_chosen(town, period):
    url = f"/special?period={period}&edit=1&at=township:{TOWNSHIP}"
    offered = re.findall(r'value="facility=(points:F\d+)"', page(town.browser("command"), url))
    assert offered
    answer = change(
        town, period, do="add_place", area=f"township:{TOWNSHIP}", label=f"facility={offered[0]}"
    )
    assert answer.status_code == 303
    assert offered[0].partition(":")[2] in page(
        town.browser("command"), f"/special?period={period}"
    )


@pytest.mark.parametrize("data", [{}, {"do": "moon"}, {"do": "end", "period": "x", "version": 1}])
def test_a_forged_form_is_refused(town, data):
    assert send(town.browser("command"), "/special/change", data).status_code == 400


# --- inspection points ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept(town):
    return Warnings(town.inside.database, tree=Trees(town.stores[0]))


@pytest.fixture(scope="module")
def warning(kept):
    return kept.open(
        fingerprint=f"facility_overdue|township|{TOWNSHIP}|all|2026-11-15", rule="facility_overdue",
        level="township", code=TOWNSHIP, group="all", colour=3,
        evidence={"overdue": 2, "total": 9}, owner=Unit("township", "township", TOWNSHIP),
        snapshot="s", now=utc_now(),
    )  # fmt: skip


def test_every_point_of_the_area_is_counted_with_what_it_is_of(town, warning):
    text = page(town.browser("leader"), "/facilities?lang=en")
    counts = [
        int(one.replace(",", "")) for one in re.findall(r"<strong>([\d,]+)</strong><small>", text)
    ]
    assert sum(counts) == 400
    assert f"of {400 - counts[-1]} whose day is known" in text
    assert "of 400" in text
    assert "no data" in page(town.browser("leader"), "/facilities?lang=en&state=unknown")
    assert f"/warnings/{warning.id}" in text


def test_filters_of_the_address_narrow_the_list(town):
    text = page(town.browser("leader"), "/facilities?lang=en&kind=hydrant&state=overdue")
    rows = re.findall(r'data-label="Point"><strong>([^<]+)</strong>', text)
    assert set(rows) == {"Hydrant"}
    assert '<span class="chip good">' not in text
    everything = page(town.browser("leader"), "/facilities?kind=moon&state=moon&first=-1")
    assert "1–30" in everything


@pytest.mark.parametrize(("login", "area"), [
    ("chief", "grid.9904085"), ("township", f"township.{SIBLING}"), ("stranger", f"county.{COUNTY}"),
    ("leader", "nowhere"),
])  # fmt: skip
def test_points_of_other_areas_are_not_shown(town, login, area):
    assert town.browser(login).get(f"/facilities?area={area}", headers=HTML).status_code == 403
    answer = page(town.browser("chief"), "/facilities")
    hidden = city.foreign_words("grid_chief")
    assert not {word for word in hidden if word in answer}


def test_the_unit_above_files_what_was_closed(town, kept, warning):
    for step, reason in (("sign", None), ("close", "settled")):
        present = kept.get(scope_of(town, "township"), warning.id)
        kept.act(
            scope_of(town, "township"), warning.id, step=step, version=present.version,
            key=f"step-{step}-1", reason=reason, now=utc_now(),
        )  # fmt: skip
    assert 'value="archive"' not in page(town.browser("township"), "/facilities")
    text = page(town.browser("command"), "/facilities")
    held = re.search(r'name="id" value="(\d+:\d+)".*?name="key" value="([0-9a-f]{32})"', text)
    answer = send(town.browser("command"), "/warnings/act", {
        "id": held[1], "key": held[2], "step": "archive", "back": "warning",
    })  # fmt: skip
    assert answer.status_code == 303
    assert kept.get(scope_of(town, "leader"), warning.id).state == "archived"


def scope_of(town, login):
    return town.accounts.scope_of(town.accounts.get(login), day=utc_now().date())


# --- tracking ------------------------------------------------------------------------------------


def ask(town, code, address="127.0.0.1"):
    browser = town.app.server.test_client()
    return browser.get(
        f"/track/{code}?lang=en", headers=HTML, environ_overrides={"REMOTE_ADDR": address}
    )


def test_a_code_tells_anybody_stage_and_times_and_nothing_else(town, warning):
    spaced = "-".join(re.findall(".{4}", warning.tracking))
    for code in (warning.tracking, warning.tracking.lower(), spaced):
        answer = ask(town, code)
        assert answer.status_code == 200
        assert "Received by the platform" in answer.text
        assert not city.foreign_words("public") & set(
            re.findall(r"[0-9a-f]{10}|\d{6,7}", answer.text)
        )
        assert "9902006" not in answer.text


def test_every_wrong_code_is_answered_the_same(town):
    codes = ("A" * 20, "a", "%00", "../audit", "x" * 900, "é", "A/B", "' OR 1=1")
    answers = {code: ask(town, code, "10.5.0.1") for code in codes}
    assert {one.status_code for one in answers.values()} == {404}
    # The links to other languages repeat the address, and nothing else does.
    texts = {re.sub(r'href="/track/[^"]*"', "", one.text) for one in answers.values()}
    assert len(texts) == 1


def test_guesses_are_throttled_and_right_codes_are_not(town, warning):
    statuses = [ask(town, f"GUESS{n}", "10.6.0.1").status_code for n in range(12)]
    assert statuses[-1] == 429
    for _ in range(15):
        assert ask(town, warning.tracking, "10.6.0.2").status_code == 200


def test_the_form_leads_to_the_address_of_the_code(town):
    browser = town.app.server.test_client()
    assert 'name="code"' in browser.get("/track", headers=HTML).text
    answer = browser.get("/track?code=ab-cd+12&lang=en", headers=HTML)
    assert answer.headers["Location"] == "/track/ABCD12?lang=en"


def test_a_grid_chief_finds_the_own_report_by_its_code(town):
    from dashboard.phone.tracking import Codes

    code = Codes(town.inside.key).code("chief", "some-press-1")
    own = town.browser("chief").get(f"/track/{code}", headers=HTML)
    assert own.headers["Location"].startswith(f"/m/reports/{code}")
    for other in (town.browser("township"), town.app.server.test_client()):
        assert other.get(f"/track/{code}", headers=HTML).status_code == 404
