"""The weekly report as a page: who reads which edition, what a correction shows, what is missing."""

import re
from html import unescape

import pytest

from dashboard.pages import weekly_file
from dashboard.reports import files
from data import issues
from tests.dashboard.pages import issued
from tests.dashboard.pages.conftest import HOSTILE, SCRIPT, said
from tests.dashboard.pages.test_frame import check_harmless

GRANTS = {
    "leader": ("leader", "city", "*"),
    "east": ("command", "county", "9901001"),
    "gate": ("township", "township", "990100101"),
}


@pytest.fixture
def weekly(site):
    """Two weeks are issued; a leader, a county and a township read them."""
    issued.issue(site.settings.home, issued.BEFORE)
    issued.issue(site.settings.home)
    for login, grant in GRANTS.items():
        site.person(login, grant)
    return site


def title(page):
    return unescape(re.search(r"<h1>(.*?)</h1>", page)[1])


@pytest.mark.parametrize(
    ("login", "own"), [("leader", "试验市"), ("east", "东区"), ("gate", "东门街道")]
)
def test_a_reader_begins_with_the_newest_issue_of_the_own_area(weekly, login, own):
    answer = weekly.browser(login).get("/weekly")
    assert answer.status_code == 200
    assert title(answer.text) == f"{own}平安风险周报"
    assert "2026年第2期" in answer.text
    assert "2026年11月16日" in answer.text  # by the city's clock


@pytest.mark.parametrize(
    ("login", "area", "status"),
    [
        ("leader", "990100", 200), ("leader", "9901002", 200), ("leader", "township.990100101", 200),
        ("east", "county.9901001", 200), ("east", "990100101", 200),
        ("east", "990100", 404), ("east", "9901002", 404), ("east", "county.9901002", 404),
        ("gate", "990100101", 200), ("gate", "9901001", 404), ("gate", "990100", 404),
    ],
)  # fmt: skip
def test_an_edition_is_read_in_the_own_areas_alone(weekly, login, area, status):
    browser = weekly.browser(login)
    assert browser.get(f"/weekly?area={area}").status_code == status
    assert browser.get(f"/weekly/file?area={area}").status_code == status


@pytest.mark.parametrize(
    "asked",
    [
        "area=9901003", "area=grid.9901001", "area=../head", "area=head", "area=" + "9" * 500,
        "week=2026-W44", "week=2026-W99", "week=../../etc", "week=2026-W46&version=2",
        "version=0", "version=-1", "version=x", "area=%00", "week=%FF",
        "area=county.9901001.json", "area=outlines.json",
    ],
)  # fmt: skip
def test_what_is_forged_is_not_there(weekly, asked):
    strange = weekly.browser("east").get(f"/weekly?{asked}")
    assert strange.status_code == 404
    # Nothing tells what is not there from what is another's.
    foreign = weekly.browser("east").get("/weekly?area=9901002")
    main = re.compile(r"<main.*</main>", re.DOTALL)
    assert main.search(strange.text)[0] == main.search(foreign.text)[0]


def test_a_page_names_no_area_outside(weekly):
    text = weekly.browser("gate").get("/weekly").text
    assert "西区" not in text
    assert "9901002" not in text
    assert 'href="/weekly?week=2026-W46&amp;version=1&amp;area=county.9901001"' not in text
    above = weekly.browser("east").get("/weekly?area=990100101").text
    assert 'href="/weekly?week=2026-W46&amp;version=1&amp;area=county.9901001"' in above


def test_roles_without_the_right_do_not_see_it(weekly):
    weekly.person("chief", ("grid_chief", "county", "9901001"))
    weekly.admin("security_admin")
    for login in ("chief", "security-admin"):
        browser = weekly.browser(login)
        assert browser.get("/weekly").status_code == 403
        assert 'href="/weekly' not in browser.get("/account").text
    assert 'href="/weekly"' in weekly.browser("east").get("/account").text
    assert weekly.browser().get("/weekly").status_code in {302, 401}


def test_an_area_without_an_edition_is_told_so(weekly):
    weekly.person("far", ("command", "county", "9901009"))
    answer = weekly.browser("far").get("/weekly")
    assert answer.status_code == 200
    assert "没有您所辖区域的版本" in answer.text
    assert "东区" not in answer.text


def test_two_posts_read_both(weekly):
    weekly.person("both", GRANTS["gate"], ("command", "county", "9901002"))
    text = weekly.browser("both").get("/weekly").text
    assert title(text) == "西区平安风险周报"
    assert "area=township.990100101" in text


def test_figures_maps_and_duties_are_on_the_page(weekly):
    text = weekly.browser("leader").get("/weekly").text
    for told in ("1,234", "常委会", "20261116T000000Z-0badcafe", "欠薪：5", "演示数据"):
        assert told in text
    assert "区县一览表" not in text  # for the workbook alone
    assert text.count('role="group"') == 2
    assert "<title>东区：红</title>" in text
    assert "<title>东区：蓝</title>" in text  # a week before
    assert 'href="/?area=city.990100&amp;end=2026-W46&amp;measure=index"' in text
    assert 'href="/methods#hotspots"' in text


def test_areas_without_an_edition_lead_to_the_map(weekly):
    text = weekly.browser("gate").get("/weekly?lang=en").text
    to = "/?area=community.990100101001&amp;end=2026-W46&amp;measure=index&amp;lang=en"
    assert f'href="{to}"' in text
    assert "First Community: red" in text


def test_every_edition_speaks_english_and_keeps_the_look(weekly):
    for area in ("990100", "9901001", "9901002", "990100101"):
        text = weekly.browser("leader").get(f"/weekly?area={area}&lang=en&theme=dark").text
        assert 'data-theme="dark"' in text
        assert "Weekly risk report" in text
        article = text[text.index("<article") : text.index("</article>")]
        assert not re.findall(r"[\u4e00-\u9fff]", article.replace("欠薪", "").replace("：", ""))


def test_a_correction_tells_why_and_what(weekly):
    issued.issue(weekly.settings.home, reason="补录 3 件", count=1237)
    browser = weekly.browser("leader")
    text = browser.get("/weekly").text
    assert "（第2版）" in text
    assert "第2版更正：" in text
    assert "补录 3 件" in text
    assert re.search(r"<del>1,234[^<]*</del> → <ins>1,237", text)
    old = browser.get("/weekly?week=2026-W46&version=1").text
    assert "1,237" not in old
    assert "已被更正" in old
    assert 'href="/weekly?week=2026-W46&amp;version=2&amp;area=city.990100"' in old


def test_a_correction_of_what_is_unreadable_says_so(weekly):
    issued.issue(weekly.settings.home, reason="补录 3 件", count=1237)
    spoil(weekly, "city-990100.json", version=1)
    answer = weekly.browser("leader").get("/weekly")
    assert answer.status_code == 200
    assert "无法与上一版比较" in answer.text


def spoil(site, name, *, version=1):
    path = issues.folder(site.settings.home, issued.WEEK, version) / name
    path.chmod(0o644)
    path.write_bytes(b"{}")


@pytest.mark.parametrize("name", ["city-990100.json", "head.json", "outlines.json", "issue.json"])
def test_a_damaged_issue_is_said_to_be_damaged(weekly, name):
    spoil(weekly, name)
    answer = weekly.browser("leader").get("/weekly")
    assert answer.status_code == 503
    assert "从备份恢复" in answer.text
    assert "json" not in answer.text
    assert ("leader", "view", "failed") in {
        (user, action, result) for user, action, _, result in weekly.rows()
    }


def test_a_damaged_edition_of_another_is_not_there(weekly):
    spoil(weekly, "county-9901002.json")
    assert weekly.browser("east").get("/weekly?area=9901002").status_code == 404
    assert weekly.browser("leader").get("/weekly?area=9901002").status_code == 503
    assert weekly.browser("leader").get("/weekly").status_code == 200


def test_without_an_issue_the_page_says_how_to_make_one(site):
    site.person("leader", GRANTS["leader"])
    answer = site.browser("leader").get("/weekly?week=2026-W46")
    assert answer.status_code == 200
    assert "pingan report issue --week 20" in answer.text


def test_stored_texts_stay_texts(site):
    names = dict.fromkeys(issued.NAMES, (HOSTILE, HOSTILE))
    issued.issue(site.settings.home, names=names, why=SCRIPT)
    issued.issue(site.settings.home, names=names, why=SCRIPT, reason=SCRIPT + HOSTILE, count=7)
    site.person("leader", GRANTS["leader"])
    browser = site.browser("leader")
    for path in ("/weekly", "/weekly?area=990100101&lang=en", "/weekly/file"):
        check_harmless(browser.get(path).text)
    check_harmless(browser.post("/weekly/file", {"format": "pdf", "reason": ""}).text)


def test_a_notice_stays_inside_its_style_sheet():
    from dashboard.pages.weekly import _css_text

    assert _css_text(('a"; } </style>\\',)) == "a\\22 \\3b \\20 \\7d \\20 \\3c \\2f style\\3e \\5c "


def test_each_view_leaves_a_row(weekly):
    weekly.browser("east").get("/weekly")
    weekly.browser("east").get("/weekly?area=9901002")
    rows = [row for row in weekly.rows() if row[1] == "view"]
    assert ("east", "view", "/weekly", "ok") in rows
    assert ("east", "view", "/weekly", "denied") in rows


def test_a_file_needs_a_reason_and_leaves_a_row(weekly, monkeypatch):
    asked = []

    def make(_home, issue, *what, mark):
        asked.append((issue.week, *what, mark))
        return b"file"

    monkeypatch.setattr(files, "make_file", make)
    browser = weekly.browser("east")
    path = "/weekly/file?week=2026-W46&version=1&area=990100101"
    refused = browser.post(path, {"format": "pdf", "reason": "x"})
    assert refused.status_code == 400
    assert said(refused.text)
    assert asked == []
    given = browser.post(path, {"format": "pdf", "reason": "周一例会用"})
    assert given.status_code == 200
    assert given.data == b"file"
    assert given.mimetype == "application/pdf"
    assert "attachment; filename=" in given.headers["Content-Disposition"]
    assert asked[0][:5] == ("2026-W46", "township", "990100101", "pdf", "zh")
    assert "east" in asked[0][5]
    told = "pdf report township.990100101 2026-W46 version 1 snapshot 20261116T000000Z-0badcafe"
    assert ("east", "export", told, "ok") in weekly.rows()
    assert browser.post(path, {"format": "exe", "reason": "周一例会用"}).status_code == 400
    foreign = browser.post("/weekly/file?area=9901002", {"format": "pdf", "reason": "周一例会用"})
    assert foreign.status_code == 404
    assert len(asked) == 1


def test_a_busy_server_says_so(weekly, monkeypatch):
    def busy(*_, **__):
        raise weekly_file.BusyError

    monkeypatch.setattr(files, "make_file", busy)
    answer = weekly.browser("leader").post(
        "/weekly/file", {"format": "docx", "reason": "周一例会用"}
    )
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
