"""The demonstration's accounts, and sign-in by other systems."""

import re

import pytest
from flask import redirect
from sqlalchemy import update

from dashboard.signin.external import Identity, refused
from data.access import Grant
from data.permissions import NOT_HELD, matrix
from data.state.models import User
from tests.dashboard.pages.conftest import NOW, SCRIPT, said


class Elsewhere:
    """Another system, as far as the pages know it."""

    name, title_zh, title_en = "oidc", "统一认证", "City sign-on"

    def __init__(self) -> None:
        self.identity = Identity("oidc", "sub-1", "lizhou", "oidc", "/?area=9901001")
        self.started = ""

    def start(self, return_to):
        if self.identity is None:
            raise refused("oidc", "not reachable")
        self.started = return_to
        return redirect("https://sso.example/authorize")

    def finish(self, _request):
        if self.identity is None:
            raise refused("oidc", "nothing is proved: token=abc")
        return self.identity

    def forget(self, answer):
        answer.delete_cookie("pingan_trip")

    def sign_out_url(self):
        return "https://sso.example/logout"


@pytest.fixture
def elsewhere():
    return Elsewhere()


@pytest.fixture
def outside(make_site, elsewhere):
    site = make_site(externals={"oidc": elsewhere})
    site.accounts.add("lizhou", provider="oidc", subject="sub-1", now=NOW)
    site.accounts.grant("lizhou", Grant("leader"), by="setup", now=NOW)
    return site


def test_the_browser_is_sent_on_with_where_it_was_going(outside, elsewhere):
    browser = outside.browser()
    page = browser.get("/signin?next=/%3Farea%3D9901001").text
    href = re.search(r'href="(/signin/oidc[^"]*)"', page)[1]
    assert "用统一认证登录" in page
    assert browser.get(href).headers["Location"] == "https://sso.example/authorize"
    assert elsewhere.started == "/?area=9901001"
    browser.get("/signin/oidc?next=https://evil.example")
    assert elsewhere.started == "/"


def test_who_comes_back_with_an_account_is_signed_in(outside):
    browser = outside.browser()
    answer = browser.get("/signin/oidc/back?code=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?area=9901001")
    assert "pingan_trip=;" in " ".join(answer.headers.getlist("Set-Cookie"))
    assert browser.get("/account").status_code == 200
    assert 'id="password"' not in browser.get("/account").text
    row = outside.audit.search(action="sign_in")[0]
    assert (row.user, row.target, row.result, row.detail) == ("lizhou", "lizhou", "ok", "oidc")


@pytest.mark.parametrize("return_to", ["https://evil.example", "//evil.example", "/\\evil"])
def test_what_comes_back_leads_nowhere_else(outside, elsewhere, return_to):
    elsewhere.identity = Identity("oidc", "sub-1", "lizhou", "oidc", return_to)
    assert outside.browser().get("/signin/oidc/back").headers["Location"] == "/"


@pytest.mark.parametrize("case", ["unknown", "other provider", "disabled", "nothing proved"])
def test_others_are_refused_with_a_number(outside, elsewhere, case, caplog):
    if case == "unknown":
        elsewhere.identity = Identity("oidc", SCRIPT, SCRIPT, "oidc")
    elif case == "other provider":
        elsewhere.identity = Identity("cas", "sub-1", "lizhou", "cas")
    elif case == "disabled":
        outside.accounts.disable("lizhou")
    else:
        elsewhere.identity = None
    browser = outside.browser()
    answer = browser.get("/signin/oidc/back")
    assert answer.status_code == 403
    number = re.search(r"编号 ([0-9a-f]{8})", answer.text)[1]
    assert number in caplog.text
    assert "pingan_trip=;" in " ".join(answer.headers.getlist("Set-Cookie"))
    assert browser.cookie == ""
    for told in ("sub-1", "disabled", "token", SCRIPT):
        assert told not in answer.text
    assert outside.audit.search(action="sign_in")[0].result == "denied"


def test_a_system_that_is_not_set_up_is_404(outside, site):
    assert outside.browser().get("/signin/cas").status_code == 404
    assert outside.browser().get("/signin/cas/back").status_code == 404
    assert site.browser().get("/signin/oidc").status_code == 404


def test_a_failed_start_is_told_with_a_number(outside, elsewhere):
    elsewhere.identity = None
    answer = outside.browser().get("/signin/oidc")
    assert answer.status_code == 403
    assert "编号" in said(answer.text)


def test_an_outside_account_has_no_password_here(outside):
    browser = outside.browser()
    browser.get("/signin/oidc/back")
    data = {"old": "", "new": "Quiet-River-7", "again": "Quiet-River-7"}
    assert browser.post("/account/password", data).status_code == 403
    assert browser.post("/account/totp", {"do": "begin"}).status_code == 403
    for password in ("", "lizhou", "sub-1"):
        assert outside.browser().sign_in("lizhou", password).status_code == 401


def test_signing_out_offers_to_sign_out_there_too(outside):
    browser = outside.browser()
    browser.get("/signin/oidc/back")
    answer = browser.post("/signout")
    assert "https://sso.example/logout" in browser.get(answer.headers["Location"]).text


def test_the_other_system_comes_first_where_the_settings_choose_it(make_site, elsewhere):
    site = make_site(externals={"oidc": elsewhere}, auth="oidc")
    text = site.browser().get("/signin").text
    assert (
        text.index("用统一认证登录") < text.index("用本地账号登录") < text.index('name="password"')
    )


def test_new_accounts_may_belong_to_the_other_system(outside):
    outside.admin("security_admin", "anquan")
    officer = outside.browser("anquan")
    data = {"login": "post-2", "provider": "oidc", "subject": "sub-2", "reason": "新增岗位账号"}
    answer = officer.post("/users/add", data, page="/users")
    assert answer.status_code == 200
    assert "<code>" not in answer.text
    assert outside.accounts.by_subject("oidc", "sub-2").login == "post-2"


@pytest.fixture
def demo(make_site):
    return make_site(auth="demo")


def test_the_demonstration_shows_one_card_for_each_role(demo):
    text = demo.browser().get("/signin").text
    assert "演示账号 · 仅限本机" in text
    assert "任何坐在这台电脑前的人" in text
    for role in matrix().roles.values():
        # The small city has no communities.
        if role.name not in (*NOT_HELD, "community"):
            assert f'value="{role.name}"' in text
            assert role.title_zh in text
    assert 'name="password"' not in text
    english = demo.browser().get("/signin?lang=en").text
    assert "this machine only" in english
    assert "Enter as Analyst" in english


def test_one_click_takes_an_account(demo):
    browser = demo.browser()
    assert "demo-leader" in browser.get("/account").text
    answer = browser.post("/signin", {"account": "security_admin"}, page="/signin")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/users")
    assert "demo-security_admin" in browser.get("/account").text
    rows = [row for row in demo.rows(action="sign_in") if row[3] == "ok"]
    assert rows[0][2] == "demo-security_admin"
    assert browser.get("/users").status_code == 200


@pytest.mark.parametrize("account", ["", "root", "public", "../leader"])
def test_only_accounts_of_the_page_are_taken(demo, account):
    assert demo.browser().post("/signin", {"account": account}, page="/signin").status_code == 400


def test_the_demonstration_takes_no_passwords(demo):
    demo.person("lizhou", ("leader", "city", "*"))
    assert demo.browser().sign_in("lizhou").status_code == 400


def test_the_demonstration_has_pages_without_an_account(demo):
    browser = demo.browser()
    text = browser.get("/account").text
    assert 'id="password"' not in text
    assert 'id="sessions"' not in text
    assert 'id="rights"' in text
    assert "演示账号不能保存视图" in browser.get("/views").text
    for path, data in (
        ("/account/password", {}),
        ("/account/sessions", {}),
        ("/views", {"name": "x"}),
    ):
        assert browser.post(path, data, page="/signin").status_code == 403


def test_the_demonstration_works_before_anything_is_published(demo):
    from data.manifest import NoSnapshotError

    def nothing():
        raise NoSnapshotError("nothing is published")

    demo.context.store.current = nothing
    browser = demo.browser()
    assert "pingan demo" in browser.get("/signin").text
    assert browser.get("/account").status_code == 200


def test_subjects_are_compared_as_they_are(outside, elsewhere):
    with outside.database.writing() as session:
        session.execute(update(User).where(User.login == "lizhou").values(subject="SUB-1"))
    assert outside.browser().get("/signin/oidc/back").status_code == 403
