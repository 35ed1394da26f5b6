"""The phone's page: what it tells to whom, and what of others it does not."""

import datetime as dt
import re
from html import unescape

import pytest

from dashboard.areas import Area, hierarchy
from dashboard.phone import due, facts, own, peers, small_map, story
from dashboard.text import Words
from data.access import NotVisibleError
from data.letters.store import Basis, Letters
from data.letters.wording import Wording
from data.state.database import open_state
from tests.dashboard.phone.conftest import NOW, SCOPES
from tests.dashboard.squares import LAST


def heading(answer):
    return re.search(r'<h1 id="name">(.*?)</h1>', answer.text)[1]


@pytest.mark.parametrize(
    ("name", "first"),
    [("chief", "grid区85"), ("community", "community区21"), ("township", "township区5")],
)
def test_everybody_begins_with_the_own_area(site, name, first):
    answer = site.get(name, "/m")
    assert answer.status_code == 200
    assert heading(answer) == first


@pytest.mark.parametrize(
    ("name", "area", "status"),
    [
        ("chief", "grid.9904086", 200), ("chief", "9904086", 200),
        ("chief", "grid.9904087", 403), ("chief", "community.9903022", 403),
        ("chief", "grid.nowhere", 403), ("chief", "%00", 403), ("chief", "*", 403),
        ("community", "grid.9904085", 200), ("community", "grid.9904084", 403),
        ("township", "community.9903021", 200), ("township", "township.9902007", 403),
        ("leader", "grid.9904001", 200),
        ("admin", "", 403), ("public", "", 403), ("public", "township.9902006", 403),
    ],
)  # fmt: skip
def test_an_area_is_shown_in_the_own_scope_alone(site, name, area, status):
    for path in ("/m", "/m/map"):
        assert site.get(name, f"{path}?area={area}").status_code == status, path


def test_what_is_foreign_looks_like_what_is_not_there(site):
    client = site.client("chief")
    foreign = client.get("/m?area=grid.9904087", headers={"Accept": "text/html"})
    unknown = client.get("/m?area=grid.9999999", headers={"Accept": "text/html"})
    main = re.compile(r"<main.*</main>", re.DOTALL)
    assert main.search(foreign.text)[0] == main.search(unknown.text)[0]
    assert set(dict(foreign.headers)) == set(dict(unknown.headers))


def test_a_chief_is_told_no_name_and_code_of_others(site):
    text = site.get("chief", "/m").text + site.get("chief", "/m/map").text
    names = set(re.findall(r"(?:city|county|township|community|grid)区\d+", text))
    assert names == {"grid区85"}
    assert set(re.findall(r"\b99\d{5}\b", text)) == {"9904086"}


def test_several_own_areas_are_switched_between(site):
    text = site.get("two", "/m").text
    assert "grid.9904086" in text
    assert "切换到我的其他区域" in text
    assert "切换到我的其他区域</summary>" not in site.get("chief", "/m").text


def test_a_head_gets_the_list_of_grids_below(site):
    text = site.get("township", "/m").text
    below = re.search(r'<ul class="below">(.*?)</ul>', text, re.DOTALL)[1]
    assert below.count("<li>") == 16
    assert 'href="/m?area=grid.9904086"' in below
    leader = re.search(r'<ul class="below">(.*?)</ul>', site.get("leader", "/m").text, re.DOTALL)
    assert "community." in leader[1]  # there are more grids than a list can hold


def test_only_who_may_report_gets_the_form(site):
    assert 'id="phone-report"' in site.get("chief", "/m").text
    assert 'id="report"' not in site.get("leader", "/m").text


def test_without_a_source_of_reports_it_says_so(home, tmp_path):
    import shutil

    from tests.dashboard.phone.conftest import Site

    site = Site(shutil.copytree(home, tmp_path / "home"))
    text = site.get("chief", "/m").text
    assert "没有开通手机上报" in text
    assert 'id="phone-report"' not in text


def test_it_says_whose_it_is_and_of_when(site):
    first, second = site.get("chief", "/m"), site.get("second", "/m")
    assert (
        first.headers["X-Pingan-Reader"] == site.get("chief", "/m/map").headers["X-Pingan-Reader"]
    )
    assert first.headers["X-Pingan-Reader"] != second.headers["X-Pingan-Reader"]
    assert "no-store" in first.headers["Cache-Control"]
    assert "geolocation=(self)" in first.headers["Permissions-Policy"]
    assert "数据截至" in first.text
    other = site.get("chief", "/account")
    assert "geolocation=()" in other.headers["Permissions-Policy"]


@pytest.mark.parametrize("query", ["lang=en", "palette=safe", "theme=dark", "lang=en&palette=safe"])
def test_every_look_is_kept_from_page_to_page(site, query):
    answer = site.get("township", f"/m?{query}")
    below = re.search(r'<ul class="below">(.*?)</ul>', answer.text, re.DOTALL)[1]
    link = unescape(re.search(r'href="([^"]*grid\.9904086[^"]*)"', below)[1])
    for part in query.split("&"):
        assert part in link


def test_the_safe_palette_has_other_tints(site):
    tints = [
        re.search(r'style="(--c1[^"]*)"', site.get("chief", f"/m{query}").text)[1]
        for query in ("", "?palette=safe")
    ]
    assert tints[0] != tints[1]
    assert "--c4: #b34700" in tints[1]


def test_the_app_is_described_to_anybody(site):
    client = site.client("admin")
    manifest = client.get("/m/app.webmanifest")
    assert manifest.get_json()["start_url"] == "/m"
    assert manifest.get_json()["scope"] == "/m"
    for icon in manifest.get_json()["icons"]:
        with client.get(icon["src"]) as answer:
            assert answer.status_code == 200
    worker = client.get("/m/worker.js")
    assert worker.headers["Service-Worker-Allowed"] == "/m"
    assert worker.mimetype == "text/javascript"


def test_the_map_of_the_page_beside_loads_none_of_it(site):
    text = site.client("leader").get("/").text
    assert "phone" not in text


def test_own_areas_are_the_highest_that_are_seen(snapshot):
    assert own.own_areas(SCOPES["chief"], snapshot) == [Area("grid", 85)]
    assert own.own_areas(SCOPES["leader"], snapshot) == [Area("city", 0)]
    assert own.own_areas(SCOPES["two"], snapshot) == [Area("grid", 9), Area("grid", 85)]
    for name in ("admin", "public"):
        with pytest.raises(NotVisibleError):
            own.own_areas(SCOPES[name], snapshot)


def test_facts_are_refused_for_foreign_areas(snapshot):
    for function in (facts.facts, due.due, peers.peers, small_map.small_map):
        with pytest.raises(NotVisibleError):
            function(SCOPES["chief"], snapshot, Area("grid", 86))


def test_the_reason_names_what_raises_the_risk(snapshot):
    shown = facts.facts(SCOPES["leader"], snapshot, Area("township", 5))
    assert shown.standing.colour in range(5)
    head = story.head(snapshot, shown, Words("zh"))
    if shown.leads and not shown.standing.now.rule_zh and shown.standing.colour:
        assert shown.leads[0].name_zh in head.why
    assert head.why.endswith("。")
    assert story.head(snapshot, shown, Words("en")).why.endswith(".")


def test_others_are_told_by_released_figures_alone(snapshot):
    found = peers.peers(SCOPES["township"], snapshot, Area("township", 5))
    assert found.siblings == 3
    assert found.told <= 3
    assert found.window.end < LAST  # the newest week is not released yet
    lines = story._peers(
        snapshot, facts.facts(SCOPES["township"], snapshot, Area("township", 5)), Words("zh")
    )
    assert any("所在" in one.name for one in lines)


class Clocked:
    """A snapshot with a list of urgent clocks."""

    def __init__(self, snapshot, rows) -> None:
        import numpy as np

        self._snapshot, self._rows = snapshot, rows
        self.id, self.home = f"{snapshot.id}-clocked", snapshot.home
        names = ("identity", "level", "area_index", "clock", "due_at", "is_overdue", "p_24h")
        columns = {name: [row[at] for row in rows] for at, name in enumerate(names)}
        n = len(rows)
        self.arrays_found = {
            "identity": np.array(columns["identity"]),
            "level": np.array(columns["level"], dtype=object),
            "area_index": np.array(columns["area_index"]),
            "category_index": np.ones(n, dtype=int),
            "severity": np.ones(n, dtype=int),
            "clock": np.array(columns["clock"], dtype=object),
            "due_at": np.array(columns["due_at"], dtype="datetime64[us]"),
            "is_overdue": np.array(columns["is_overdue"]),
            "p_24h": np.array(columns["p_24h"], dtype=float),
            "total": np.full(n, n + 1),
        }

    def __getattr__(self, name: str) -> object:
        return getattr(self._snapshot, name)

    def tables(self):
        return {*self._snapshot.tables(), "open_clocks"}

    def arrays(self, sql, values=()):
        return self.arrays_found if "open_clocks" in sql else self._snapshot.arrays(sql, values)


ROWS = [
    # An incident with two clocks, one of them over: it can still be kept to.
    (7, "grid", 85, "resolve", "2026-11-16T02:00", False, 0.7),
    (7, "grid", 85, "sign", "2026-11-15T02:00", True, None),
    (8, "grid", 85, "risk", "2026-10-01T00:00", True, None),
    (0, "grid", 85, "sign", "2026-11-15T20:00", False, None),
    (0, "grid", 85, "sign", "2026-11-15T21:00", False, 0.1),
    (9, "grid", 86, "sign", "2026-11-15T20:00", False, 0.2),
    (10, None, -1, "sign", "2026-11-15T20:00", False, 0.2),
]


def test_matters_are_counted_once_and_in_their_order(snapshot):
    found = due.due(SCOPES["chief"], Clocked(snapshot, ROWS), Area("grid", 85))
    assert [one.due_at.strftime("%d %H") for one in found.coming] == ["15 20", "15 21", "16 02"]
    assert found.coming[2].clocks == ("resolve",)
    assert found.coming[2].p_24h == 0.7
    assert found.coming[0].p_24h is None
    assert [one.due_at for one in found.over] == [dt.datetime(2026, 10, 1, tzinfo=dt.UTC)]
    assert not found.is_whole


def test_a_head_sees_the_matters_of_the_grids_below(snapshot):
    found = due.due(SCOPES["township"], Clocked(snapshot, ROWS), Area("township", 5))
    assert {one.area.index for one in (*found.coming, *found.over)} == {85, 86}


def test_the_small_map_has_the_area_its_cells_and_what_lies_round_it(snapshot):
    drawn = small_map.small_map(SCOPES["chief"], snapshot, Area("grid", 85))
    kinds = [one.kind for one in drawn.shapes]
    assert kinds.count("own") == 1
    assert kinds.count("near") == 3  # it lies in a corner of the city
    assert all(one.area is None for one in drawn.shapes if one.kind in {"near", "cell"})
    area = hierarchy(SCOPES["chief"], snapshot).at("grid")
    x = (area.lng[85] * 3.141592653589793 / 180 * 6_378_137 - drawn.west) / drawn.metres
    assert abs(x - small_map.WIDTH / 2) < 2  # the area's middle is the drawing's


def test_what_the_cells_show_and_do_not_is_all_there_is(snapshot):
    rows = hierarchy(SCOPES["chief"], snapshot).rows_inside(Area("grid", 85)).tolist()
    window = small_map.Window(LAST, small_map.PERIODS, "week")
    (counted,) = snapshot.rows(
        "SELECT sum(count) FROM area_counts_grid WHERE area_index = 85 "
        "AND period_start BETWEEN ? AND ?",
        [window.start, window.end],
    )
    drawn = small_map.small_map(SCOPES["chief"], snapshot, Area("grid", 85))
    assert len(rows) == 1
    assert drawn.in_cells + drawn.no_point == counted[0]


def test_a_head_sees_the_grids_in_their_colours_on_the_map(snapshot):
    drawn = small_map.small_map(SCOPES["township"], snapshot, Area("township", 5))
    assert sum(one.kind == "below" for one in drawn.shapes) == 16


def test_an_area_that_nobody_drew_has_no_map(snapshot, monkeypatch, site):
    import numpy as np

    monkeypatch.setattr(small_map, "level_shapes", lambda *_: np.full(257, None, dtype=object))
    assert small_map.small_map(SCOPES["chief"], snapshot, Area("grid", 85)) is None
    assert "没有边界数据" in site.get("chief", "/m/map").text


def test_a_signed_letter_is_read_where_it_is_about_and_nowhere_else(site):
    site.get("chief", "/m")  # makes the state database
    database = open_state("", site.home)
    letters, leader = Letters(database), SCOPES["leader"]
    path = (("city", "990100"), ("community", "9903022"), ("grid", "9904086"))
    wording = Wording(
        "网格",
        "Grid",
        "关于楼道的提示函",
        "On stairs",
        "请清理楼道。请尽快。",
        "Please clear.",
        None,
    )
    basis = Basis("reminder", path, "2026-W46", 1, "s1", "orange", "{}", "提示", "Reminder")
    draft = letters.draft(leader, basis, wording, now=NOW)
    assert "关于楼道的提示函" not in site.get("chief", "/m").text
    letters.sign(leader, draft.id, revision=1, now=NOW, day=NOW.date())
    database.close()
    assert "关于楼道的提示函" in site.get("chief", "/m").text
    assert "请清理楼道。" in site.get("community", "/m").text
    assert "关于楼道的提示函" not in site.get("second", "/m").text
