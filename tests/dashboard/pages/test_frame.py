"""What all pages share: escaping, languages, look, errors, headers."""

import re
from html.parser import HTMLParser

import pytest
from flask import abort
from werkzeug.exceptions import TooManyRequests

from dashboard import audited
from dashboard.pages import errors, render
from dashboard.text import catalogue
from data.access import Grant
from data.accounts import views
from data.state.database import StateError
from tests.dashboard.pages.conftest import ASSETS, HOSTILE, NOW, PERMISSIONS, SCRIPT

PATHS = (
    "/signin", "/account", "/views", "/users", "/users/of/hostile", "/audit", "/settings",
    "/settings?change=totp", "/users/of/hostile?find=script", "/nothing",
)  # fmt: skip
CJK = re.compile(r"[\u4e00-\u9fff]")


class Reader(HTMLParser):
    """Elements and attributes as a browser would see them."""

    def __init__(self, text) -> None:
        super().__init__()
        self.tags, self.attributes = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


def check_harmless(text):
    page = Reader(text)
    assert not {"script", "iframe", "object", "embed"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    for tag, name, value in page.attributes:
        if name in ("href", "src", "action"):
            assert re.match(r"(/(?!/)|\?|#|data:image/svg\+xml|https://sso\.example)", value), (
                tag,
                value,
            )
    assert [tag for tag in page.tags if tag == "img"] == []
    assert "8641969" not in text


@pytest.fixture
def hostile(site):
    """A place where every stored text is an attack."""
    site.admin("security_admin", "anquan")
    site.admin("audit_admin", "shenji")
    site.person("hostile", ("command", "county", "9901002"), unit=HOSTILE)
    site.accounts.grant(
        "hostile", Grant("leader", "county", HOSTILE[:12].replace(" ", "")), by="x", now=NOW
    )
    user = site.accounts.get("hostile")
    views.save(site.database, user.id, HOSTILE, "?area=" + SCRIPT, NOW)
    site.accounts.set_unit("anquan", SCRIPT)
    site.audit.write(
        at=NOW, user=SCRIPT, roles=SCRIPT, address=HOSTILE, session="<b>", action="view",
        target=HOSTILE, result="ok", detail=SCRIPT,
    )  # fmt: skip
    return site


@pytest.mark.parametrize("login", ["anquan", "shenji", "hostile"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_stored_text_stays_text_on_every_page(hostile, login, lang):
    browser = hostile.browser(login)
    for path in PATHS:
        answer = browser.get(f"{path}{'&' if '?' in path else '?'}lang={lang}")
        assert answer.status_code in (200, 303, 403, 404)
        check_harmless(answer.text)


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/users/add", {"login": SCRIPT, "unit": HOSTILE, "reason": HOSTILE}),
        ("/users/add", {"login": "new-post", "unit": HOSTILE, "reason": HOSTILE}),
        ("/users/of/hostile/change", {"do": "grant", "role": "command", "level": "county", "code": SCRIPT, "reason": HOSTILE}),
        ("/users/of/hostile/change", {"do": "disable", "reason": HOSTILE}),
        ("/settings/change", {"name": SCRIPT, "value": HOSTILE, "reason": HOSTILE}),
        ("/settings/change", {"name": "history", "value": HOSTILE, "reason": HOSTILE}),
        ("/views", {"name": "\u2028", "search": HOSTILE}),
        ("/account/password", {"old": HOSTILE, "new": HOSTILE, "again": SCRIPT}),
        ("/audit/export", {"reason": "<b>"}),
    ],
)  # fmt: skip
def test_sent_text_stays_text(hostile, path, sent):
    check_harmless(hostile.browser("anquan").post(path, sent).text)


@pytest.mark.parametrize(
    "where", ["q", "find", "user", "text", "since", "change", "lang", "theme", "told", "next", "at"]
)
def test_addresses_are_text_too(hostile, where):
    browser = hostile.browser("shenji")
    for path in (
        "/signin",
        "/account",
        "/users",
        "/users/of/hostile",
        "/audit",
        "/settings",
        "/nothing",
    ):
        check_harmless(browser.get(path, query_string={where: HOSTILE}).text)
    check_harmless(hostile.browser().get("/signin", query_string={where: HOSTILE}).text)
    failed = hostile.browser().sign_in(HOSTILE, HOSTILE, next=HOSTILE)
    check_harmless(failed.text)


def test_pages_speak_one_language(site):
    site.admin("security_admin", "anquan")
    browser = site.browser("anquan")
    for path in ("/account", "/users", "/audit", "/settings", "/views", "/nothing"):
        english = browser.get(f"{path}?lang=en").text
        body = re.sub(r"中文|等保", "", english.split("<main")[1].split("<footer")[0])
        assert not CJK.search(body), (path, CJK.findall(body))
        assert 'lang="en"' in english
        assert 'lang="zh-CN"' in browser.get(path).text


def test_links_and_forms_keep_language_and_look(site):
    site.admin("security_admin", "anquan")
    browser = site.browser("anquan")
    for path in ("/users", "/account", "/audit", "/settings"):
        page = Reader(browser.get(f"{path}?lang=en&theme=dark").text)
        for tag, name, value in page.attributes:
            if name in ("href", "action") and value.startswith("/") and "/assets/" not in value:
                kept = "lang=en" in value and "theme=dark" in value
                is_get_form = tag == "form" and ("form", "method", "get") in page.attributes
                assert kept or is_get_form, (path, value)
    assert 'data-theme="dark"' in browser.get("/users?theme=dark").text
    assert 'data-theme="auto"' in browser.get("/users?theme=x").text


def test_every_page_bears_the_watermark_and_is_kept_by_nobody(site):
    site.person("lizhou", ("leader", "city", "*"), unit="指挥科")
    browser = site.browser("lizhou")
    for path in ("/account", "/audit", "/views", "/nothing"):
        answer = browser.get(path)
        assert 'class="watermark"' in answer.text
        assert "lizhou" in answer.text.split('class="watermark"')[1]
        assert answer.headers["Cache-Control"] == "private, no-store"
    assert 'class="watermark"' not in site.browser().get("/signin").text


def test_the_menu_offers_what_the_account_may_open(site):
    for role, expected in (
        (
            "leader",
            [
                "地图",
                "区域",
                "热点",
                "指数",
                "预测",
                "数据",
                "周报",
                "函件",
                "指挥",
                "安保专表",
                "巡检点",
                "审计记录",
                "方法",
            ],
        ),
        ("security_admin", ["用户与权限", "审计记录", "安全设置", "方法"]),
        ("audit_admin", ["用户与权限", "审计记录", "安全设置", "方法"]),
        ("system_admin", ["审计记录", "安全设置", "方法"]),
    ):
        login = site.admin(role, f"one-{role}".replace("_", "-"))
        menu = (
            site.browser(login).get("/account").text.split('class="bar-nav"')[1].split("</nav>")[0]
        )
        assert re.findall(r">([^<]+)</a>", menu) == expected
        assert ('class="more"' in menu) == (len(expected) > render.IN_BAR)


@pytest.mark.parametrize("status", errors.TOLD)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_errors_say_what_to_do_and_no_detail(site, status, lang):
    site.server.add_url_rule("/fails", "home2", lambda: abort(status, "the inner detail"))
    PERMISSIONS_OF_TEST["home2"] = "anyone"
    answer = site.browser().get(f"/fails?lang={lang}")
    assert answer.status_code == status
    assert catalogue()[f"error_{status}_title"][lang == "en"] in answer.text
    assert catalogue()[f"error_{status}_text"][lang == "en"] in answer.text
    assert "inner detail" not in answer.text
    check_harmless(answer.text)


PERMISSIONS_OF_TEST = PERMISSIONS


def failing(site, action):
    site.server.add_url_rule("/fails", "home2", action, methods=["GET", "POST"])
    PERMISSIONS_OF_TEST["home2"] = "anyone"
    return site.browser()


def test_a_fault_is_a_number_in_the_page_and_a_trace_in_the_log(site, caplog):
    def fall():
        raise RuntimeError("secret detail")

    answer = failing(site, fall).get("/fails")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    number = re.search(r"编号 ([0-9a-f]{8})", answer.text)[1]
    assert number in caplog.text
    assert "secret detail" in caplog.text


def test_a_state_database_that_fails_is_503(site, caplog):
    def fall():
        raise StateError("the state database failed: disk I/O error")

    answer = failing(site, fall).get("/fails")
    assert answer.status_code == 503
    assert "disk" not in answer.text
    assert "disk" in caplog.text


def test_programs_get_a_line(site):
    def refuse():
        raise TooManyRequests("the inner detail", retry_after=2)

    browser = failing(site, refuse)
    answer = browser.client.get("/fails", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.mimetype) == (429, "text/plain")
    assert answer.headers["Retry-After"] == "2"
    assert browser.get("/fails").headers["Retry-After"] == "2"
    assert browser.client.get("/nothing").mimetype == "text/plain"
    assert browser.client.put("/signin").status_code in (400, 404, 405)


def test_nobody_is_asked_to_sign_in_on_an_error_page(site):
    text = site.browser().get("/account").text
    assert catalogue()["error_401_title"][0] in text
    assert 'href="/signin"' in text


def test_each_page_is_told_once_in_the_audit(site):
    site.admin("security_admin", "anquan")
    browser = site.browser("anquan")
    site.person("dongcheng")
    for path in (
        "/account",
        "/views",
        "/users",
        "/users/of/dongcheng",
        "/settings",
        "/audit",
        "/nothing",
    ):
        before = len(site.audit.search(limit=1_000))
        browser.get(path)
        assert len(site.audit.search(limit=1_000)) == before + 1, path


def test_a_link_of_a_shared_view_is_no_account():
    from dashboard.pages.sign_in import is_signed_in
    from data.access import NOBODY, Scope

    assert not is_signed_in(NOBODY)
    assert not is_signed_in(Scope("link-1", frozenset({Grant("public")})))
    assert not is_signed_in(Scope("screen-hall", frozenset({Grant("wall")})))
    assert is_signed_in(Scope("lizhou", frozenset({Grant("leader")})))
    assert is_signed_in(Scope("new", frozenset()))


def test_every_page_is_declared(site):
    endpoints = {rule.endpoint for rule in site.server.url_map.iter_rules()}
    assert endpoints <= set(PERMISSIONS) | {"home2"}
    assert render.MENU
    assert audited


def test_the_dark_colours_are_those_of_the_map():
    base = (ASSETS / "base.css").read_text(encoding="utf-8")
    own = (ASSETS / "pages.css").read_text(encoding="utf-8")
    dark = colours(base.split('html[data-theme="dark"]:root {')[1].split("\n}")[0])
    auto = colours(own.split('html[data-theme="auto"]:root {')[1].split("\n  }")[0])
    assert auto.items() <= dark.items()
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", own))
    assert {name for name in used if name in dark} <= set(auto)


def colours(block):
    return dict(re.findall(r"(--[\w-]+):\s*([^;]+);", block))


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_text_can_be_read(look):
    base = (ASSETS / "base.css").read_text(encoding="utf-8")
    known = colours(base.split(":root:root {")[1].split("\n}")[0])
    if look == "dark":
        known |= colours(base.split('html[data-theme="dark"]:root {')[1].split("\n}")[0])
    pairs = [
        (ink, ground)
        for ink in ("--ink", "--ink-2")
        for ground in ("--ground", "--surface", "--surface-2", "--hover")
    ]
    pairs += [("--ink-3", "--surface"), ("--accent", "--surface"), ("--accent-ink", "--accent")]
    pairs += [(f"--{tone}-text", f"--{tone}-weak") for tone in ("red", "orange", "yellow", "blue")]
    pairs += [("--red-text", "--surface"), ("--good-text", "--surface")]
    for ink, ground in pairs:
        assert contrast(known[ink], known[ground]) >= 4.5, (ink, ground)
    assert contrast(known["--ink-3"], known["--surface"]) >= 3
    for line in ("main", "past", "third", "fourth"):
        assert contrast(known[f"--chart-{line}"], known["--surface"]) >= 3
