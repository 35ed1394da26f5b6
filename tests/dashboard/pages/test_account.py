import re

import pyotp
import pytest

from data.access import Grant
from data.accounts import stored_settings, totp, views
from tests.dashboard.pages.conftest import NOW, PASSWORD, SECOND, field, said
from tests.dashboard.pages.test_sign_in import enrol


@pytest.fixture
def lizhou(site):
    site.person("lizhou", ("command", "county", "9901001"), unit="指挥科")
    return site.browser("lizhou")


def change(browser, old=PASSWORD, new=SECOND, again=None):
    data = {"old": old, "new": new, "again": new if again is None else again}
    return browser.post("/account/password", data)


def test_the_page_tells_what_the_account_may_do(site, lizhou):
    text = lizhou.get("/account").text
    assert "东区" in text
    assert "指挥中心" in text
    assert "授权区域内准确数据" in text
    assert "须填写理由" in text
    assert "登录中的会话" in text
    assert "Own rights" in lizhou.get("/account?lang=en").text


def test_a_changed_password_ends_the_other_sessions(site, lizhou):
    other = site.browser("lizhou")
    answer = change(lizhou)
    assert answer.status_code == 303
    assert "密码已修改" in said(lizhou.get(answer.headers["Location"]).text)
    assert other.get("/account").status_code == 401
    assert site.browser().sign_in("lizhou", PASSWORD).status_code == 401
    assert site.browser().sign_in("lizhou", SECOND).status_code == 303
    assert ("lizhou", "users", "lizhou", "ok") in site.rows(action="users")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"old": "wrong"}, "当前密码不正确"),
        ({"again": "other"}, "不一致"),
        ({"new": "Ab1-"}, "至少 8 个字符"),
        ({"new": "quietriverlamps"}, "至少 3 类"),
        ({"new": "Lizhou-9-Boats-Row"}, "不能含账号名"),
        ({"new": "Password-2026!"}, "容易猜到"),
        ({"new": PASSWORD}, "最近 5 次"),
    ],
)
def test_a_password_that_cannot_be_is_told_in_words(site, lizhou, given, told):
    answer = change(lizhou, **given)
    assert answer.status_code == 400
    assert told in said(answer.text)
    assert site.browser().sign_in("lizhou", PASSWORD).status_code == 303


def test_guessing_the_present_password_locks_the_account(site, lizhou):
    for _ in range(5):
        change(lizhou, old="guess")
    assert site.accounts.get("lizhou").locked_until is not None
    assert change(lizhou).status_code == 400


def test_a_first_password_shows_only_its_own_form(site):
    _, password = site.accounts.add("xinren", now=NOW)
    site.accounts.grant("xinren", Grant("leader"), by="setup", now=NOW)
    browser = site.browser("xinren", password)
    text = browser.get("/account").text
    assert "请先修改密码" in said(text)
    assert 'id="password"' in text
    for part in ("totp", "sessions", "rights", "views", "trail"):
        assert f'id="{part}"' not in text
    assert change(browser, old=password).status_code == 303
    assert 'id="rights"' in browser.get("/account").text


def test_a_password_that_is_over_is_changed_first(site, lizhou):
    site.clock.turn(days=91)
    text = site.browser("lizhou").get("/account").text
    assert "请先修改密码" in said(text)
    assert 'id="rights"' not in text


def test_codes_are_turned_on_by_showing_one(site, lizhou):
    page = lizhou.post("/account/totp", {"do": "begin"})
    assert page.status_code == 200
    assert 'src="data:image/svg+xml' in page.text
    secret = field(page.text, "secret")
    assert site.accounts.get("lizhou").totp_secret is None
    wrong = lizhou.post("/account/totp", {"do": "confirm", "secret": secret, "code": "000000"})
    assert wrong.status_code == 400
    assert field(wrong.text, "secret") == secret
    code = pyotp.TOTP(secret).at(site.clock())
    right = lizhou.post("/account/totp", {"do": "confirm", "secret": secret, "code": code})
    assert right.status_code == 303
    stored = site.accounts.get("lizhou").totp_secret
    assert stored is not None
    assert secret not in stored


def test_codes_are_turned_off_with_a_code_only(site, lizhou):
    shown = enrol(site, "lizhou")
    assert lizhou.post("/account/totp", {"do": "remove", "code": "000000"}).status_code == 400
    assert site.accounts.get("lizhou").totp_secret is not None
    code = shown.at(site.clock())
    assert lizhou.post("/account/totp", {"do": "remove", "code": code}).status_code == 303
    assert site.accounts.get("lizhou").totp_secret is None


def test_codes_that_are_a_duty_come_first_and_stay(site, lizhou):
    stored_settings.change(site.database, "totp", "all", by="test", now=NOW)
    text = lizhou.get("/account").text
    assert "请先启用动态口令" in said(text)
    assert 'id="rights"' not in text
    shown = enrol(site, "lizhou")
    assert 'id="rights"' in lizhou.get("/account").text
    answer = lizhou.post("/account/totp", {"do": "remove", "code": shown.at(site.clock())})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "sent", [{"do": "x"}, {"do": "confirm", "secret": "no secret", "code": "1"}]
)
def test_forms_that_no_page_gave_out_are_refused(site, lizhou, sent):
    assert lizhou.post("/account/totp", sent).status_code == 400
    assert site.accounts.get("lizhou").totp_secret is None


def test_codes_are_nobodys_where_they_are_switched_off(site, lizhou):
    stored_settings.change(site.database, "totp", "off", by="test", now=NOW)
    assert 'id="totp"' not in lizhou.get("/account").text
    assert lizhou.post("/account/totp", {"do": "begin"}).status_code == 403


def test_ending_the_other_sessions_keeps_this_one(site, lizhou):
    other = site.browser("lizhou")
    assert lizhou.get("/account").text.count("127.0.0.1") >= 2
    assert lizhou.post("/account/sessions").status_code == 303
    assert lizhou.get("/account").status_code == 200
    assert other.get("/account").status_code == 401


def test_a_view_is_saved_opened_and_deleted(site, lizhou):
    page = lizhou.get("/views?area=9901001&periods=4&junk=1")
    search = field(page.text, "search")
    assert search == "?area=9901001&periods=4"
    saved = lizhou.post("/views", {"name": " 东区  近四周 ", "search": search})
    assert saved.status_code == 303
    text = lizhou.get("/account").text
    assert 'href="/?area=9901001&amp;periods=4"' in text
    assert "东区 近四周" in text
    assert lizhou.post("/views", {"delete": "东区 近四周"}).status_code == 303
    assert "东区 近四周" not in lizhou.get("/views").text


def test_a_view_leads_nowhere_else(site, lizhou):
    for search in ("//evil.example", "javascript:alert(1)", "?area=9901001\r\nx", "?lang=en&x=<b>"):
        lizhou.post("/views", {"name": "v", "search": search})
        hrefs = re.findall(r'class="go" href="([^"]*)"', lizhou.get("/views").text)
        assert hrefs[0] in ("/", "/?lang=en")


def test_views_are_the_own_ones_and_fifty(site, lizhou):
    user = site.accounts.get("lizhou")
    for number in range(views.MOST):
        views.save(site.database, user.id, f"v{number}", "", NOW)
    full = lizhou.post("/views", {"name": "one more", "search": ""})
    assert full.status_code == 400
    assert "最多保存 50 个" in said(full.text)
    assert lizhou.post("/views", {"name": "v1", "search": "?lang=en"}).status_code == 303
    assert lizhou.post("/views", {"name": " ", "search": ""}).status_code == 400
    site.person("other", ("leader", "city", "*"))
    other = site.browser("other")
    assert "v1" not in other.get("/views").text
    other.post("/views", {"delete": "v1"})
    assert len(views.saved(site.database, user.id)) == views.MOST


def test_forms_alone_lead_back_to_their_page(lizhou):
    for path in ("/account/password", "/account/totp", "/account/sessions"):
        assert lizhou.get(path).headers["Location"] == "/account"
    assert lizhou.get("/account/totp?lang=en").headers["Location"] == "/account?lang=en"


def test_every_form_needs_its_token(site, lizhou):
    for path in ("/account/password", "/account/totp", "/account/sessions", "/views"):
        assert lizhou.client.post(path, data={"old": PASSWORD, "do": "begin"}).status_code == 400
        assert lizhou.post(path, {"form_token": "0" * 64}).status_code == 400


def test_nothing_is_changed_where_the_audit_cannot_be_written(site, lizhou, monkeypatch):
    from data.audit import AuditError

    def refuse(**_row):
        raise AuditError("full")

    shown = enrol(site, "lizhou")
    lizhou.get("/account")
    monkeypatch.setattr(site.audit, "write", refuse)
    assert change(lizhou).status_code == 503
    assert lizhou.post("/views", {"name": "v", "search": ""}).status_code == 503
    remove = {"do": "remove", "code": shown.at(site.clock())}
    assert lizhou.post("/account/totp", remove).status_code == 503
    monkeypatch.undo()
    user = site.accounts.get("lizhou")
    assert totp.is_asked(site.accounts.policy(), user)
    assert views.saved(site.database, user.id) == []
    site.clock.turn(minutes=1)
    assert site.browser().sign_in("lizhou").status_code == 200
