import re

import pyotp
import pytest

from dashboard.signin.return_to import local_path
from data.accounts import stored_settings, totp
from tests.dashboard.pages.conftest import NOW, PASSWORD, SECOND, field, said

STEP_S = 30


def enrol(site, login):
    """Turn one-time codes on; gives what shows the codes."""
    secret, _ = totp.begin(site.accounts, login)
    shown = pyotp.TOTP(secret)
    assert totp.confirm(site.accounts, login, secret, shown.at(site.clock()), site.clock())
    site.clock.turn(seconds=2 * STEP_S)
    return shown


def without_tokens(text):
    return re.sub(r'value="[^"]*"', "", text)


def test_a_right_password_begins_a_session_and_one_row_tells_of_it(site):
    site.person("lizhou", ("leader", "city", "*"), unit="指挥科")
    browser = site.browser()
    answer = browser.sign_in("LiZhou ")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert browser.get("/").text == "the map"
    assert site.rows(action="sign_in") == [("lizhou", "sign_in", "lizhou", "ok")]
    cookie = answer.headers.getlist("Set-Cookie")[-1]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie


def test_nobody_learns_whether_a_login_exists(site):
    site.person("lizhou", ("leader", "city", "*"))
    site.person("closed", ("leader", "city", "*"))
    site.accounts.disable("closed")
    answers = {}
    for login, password in [
        ("lizhou", "wrong"), ("nobody-here", "wrong"), ("closed", "wrong"), ("closed", PASSWORD),
    ]:  # fmt: skip
        answer = site.browser().sign_in(login, password)
        answers[login, password] = (answer.status_code, without_tokens(answer.text))
    for _ in range(4):
        site.browser().sign_in("lizhou", "wrong")
    locked = site.browser().sign_in("lizhou", PASSWORD)
    assert site.accounts.get("lizhou").locked_until is not None
    answers["locked"] = (locked.status_code, without_tokens(locked.text))
    assert len(set(answers.values())) == 1
    assert "30 分钟" in said(locked.text)
    assert "5 次" in said(locked.text)


def test_a_lock_ends_after_its_time(site):
    site.person("lizhou", ("leader", "city", "*"))
    for _ in range(5):
        assert site.browser().sign_in("lizhou", "wrong").status_code == 401
    assert site.browser().sign_in("lizhou").status_code == 401
    site.clock.turn(minutes=31)
    assert site.browser().sign_in("lizhou").status_code == 303


def test_the_audit_keeps_no_login_that_is_none(site):
    site.person("lizhou", ("leader", "city", "*"))
    site.browser().sign_in("My-Secret-Passw0rd", "x")
    site.browser().sign_in("lizhou", "wrong")
    assert [row[2] for row in site.rows(action="sign_in")] == ["lizhou", "(unknown account)"]
    assert all(row[3] == "denied" for row in site.rows(action="sign_in"))


def test_an_address_may_fail_ten_times_a_minute(site):
    site.person("lizhou", ("leader", "city", "*"))
    browser = site.browser()
    for number in range(10):
        assert browser.sign_in(f"nobody-{number}", "x").status_code == 401
    answer = browser.sign_in("lizhou")
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"
    assert "1 分钟" in said(answer.text)
    other = browser.client
    token = field(browser.get("/signin").text, "form_token")
    elsewhere = other.post(
        "/signin",
        data={"form_token": token, "login": "lizhou", "password": PASSWORD},
        environ_base={"REMOTE_ADDR": "127.0.0.2"},
    )
    assert elsewhere.status_code == 303


def test_good_sign_ins_are_no_failures(site):
    site.person("lizhou", ("leader", "city", "*"))
    for _ in range(12):
        assert site.browser().sign_in("lizhou").status_code == 303


def test_the_second_step_asks_for_the_code_only(site):
    site.person("lizhou", ("leader", "city", "*"))
    shown = enrol(site, "lizhou")
    browser = site.browser()
    first = browser.sign_in("lizhou")
    assert first.status_code == 200
    assert browser.cookie == ""
    assert 'name="password"' not in first.text
    assert PASSWORD not in first.text
    sealed = field(first.text, "sealed")
    wrong = browser.post("/signin", {"sealed": sealed, "code": "000000"}, page="/signin")
    assert wrong.status_code == 401
    assert "动态口令" in said(wrong.text)
    code = shown.at(site.clock())
    sent = {"sealed": field(wrong.text, "sealed"), "code": f"{code[:3]} {code[3:]}"}
    assert browser.post("/signin", sent, page="/signin").status_code == 303
    assert browser.get("/").text == "the map"


def test_a_code_works_once(site):
    site.person("lizhou", ("leader", "city", "*"))
    shown = enrol(site, "lizhou")
    code = shown.at(site.clock())
    for expected in (303, 401):
        browser = site.browser()
        sealed = field(browser.sign_in("lizhou").text, "sealed")
        answer = browser.post("/signin", {"sealed": sealed, "code": code}, page="/signin")
        assert answer.status_code == expected


def test_the_second_step_is_for_one_browser_and_five_minutes(site):
    site.person("lizhou", ("leader", "city", "*"))
    shown = enrol(site, "lizhou")
    browser = site.browser()
    sealed = field(browser.sign_in("lizhou").text, "sealed")
    code = shown.at(site.clock())
    stolen = site.browser().post("/signin", {"sealed": sealed, "code": code}, page="/signin")
    assert stolen.status_code == 400
    site.clock.turn(seconds=301)
    late = browser.post(
        "/signin", {"sealed": sealed, "code": shown.at(site.clock())}, page="/signin"
    )
    assert late.status_code == 400
    assert "5 分钟" in said(late.text)
    made_up = browser.post("/signin", {"sealed": "gAAAA-nothing", "code": "1"}, page="/signin")
    assert made_up.status_code == 400


def test_codes_that_are_guessed_lock_the_account(site):
    site.person("lizhou", ("leader", "city", "*"))
    shown = enrol(site, "lizhou")
    browser = site.browser()
    sealed = field(browser.sign_in("lizhou").text, "sealed")
    for _ in range(5):
        browser.post("/signin", {"sealed": sealed, "code": "000000"}, page="/signin")
    right = {"sealed": sealed, "code": shown.at(site.clock())}
    assert browser.post("/signin", right, page="/signin").status_code == 401
    assert browser.cookie == ""


def test_a_session_never_begins_under_a_secret_that_was_there_before(site):
    site.person("lizhou", ("leader", "city", "*"))
    browser = site.browser()
    browser.client.set_cookie("pingan_session", "planted-by-somebody")
    assert browser.sign_in("lizhou").status_code == 303
    first = browser.cookie
    assert first not in ("", "planted-by-somebody")
    again = site.browser()
    again.client.set_cookie("pingan_session", first)
    # Whoever is signed in is sent on; signing in again needs the form all the same.
    token = field(again.get("/account").text, "form_token")
    data = {"form_token": token, "login": "lizhou", "password": PASSWORD}
    assert again.client.post("/signin", data=data).status_code == 303
    assert again.cookie != first
    assert browser.get("/").status_code == 401


@pytest.mark.parametrize("other", ["", "x" * 64])
def test_a_form_without_its_token_is_refused(site, other):
    site.person("lizhou", ("leader", "city", "*"))
    browser = site.browser()
    answer = browser.sign_in("lizhou", form_token=other)
    assert answer.status_code == 400
    assert browser.cookie == ""


def test_a_token_is_for_one_browser(site):
    site.person("lizhou", ("leader", "city", "*"))
    token = site.browser().token()
    browser = site.browser()
    browser.get("/signin")
    assert browser.sign_in("lizhou", form_token=token).status_code == 400
    data = {"login": "lizhou", "password": PASSWORD, "form_token": token}
    assert site.browser().client.post("/signin", data=data).status_code == 400


@pytest.mark.parametrize(
    "text",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example",
     "javascript:alert(1)", "/ok\r\nSet-Cookie: a=b", "evil", "", "/signin?next=/signin", "/signout",
     "///evil.example", "/%0a", "http:/evil", "/" + "a" * 3_000, "/\u2028", "/[", "//[::1"],
)  # fmt: skip
def test_only_pages_of_this_application_are_gone_back_to(text):
    assert local_path(text) in ("", "/%0a", "/[")


@pytest.mark.parametrize("text", ["/", "/?area=99&lang=en", "/users/of/a?x=1", "/audit?user=a%20b"])
def test_pages_of_this_application_are_gone_back_to(text):
    assert local_path(text) == text


def test_a_visitor_goes_on_where_he_was_going(site):
    site.person("lizhou", ("leader", "city", "*"))
    inside = site.browser().sign_in("lizhou", next="/?area=9901001")
    assert inside.headers["Location"] == "/?area=9901001"
    outside = site.browser().sign_in("lizhou", next="https://evil.example/")
    assert outside.headers["Location"] == "/"
    page = site.browser().get("/signin?next=https://evil.example/")
    assert "evil" not in page.text.split("<main")[1].split("</main")[0]


@pytest.mark.parametrize(
    ("role", "home"),
    [("security_admin", "/users"), ("audit_admin", "/users"), ("system_admin", "/audit")],
)
def test_who_has_no_map_begins_at_his_work(site, role, home):
    site.admin(role, "officer")
    assert site.browser().sign_in("officer").headers["Location"] == home


def test_a_first_password_lets_in_only_to_be_changed(site):
    _, password = site.accounts.add("lizhou", now=NOW)
    browser = site.browser()
    answer = browser.sign_in("lizhou", password)
    assert answer.status_code == 303
    assert site.accounts.get("lizhou").must_change


def test_signing_out_ends_the_session_and_empties_the_browser(site):
    site.person("lizhou", ("leader", "city", "*"))
    browser = site.browser("lizhou")
    secret = browser.cookie
    answer = browser.post("/signout")
    assert answer.status_code == 303
    assert answer.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert "已退出" in said(browser.get(answer.headers["Location"]).text)
    again = site.browser()
    again.client.set_cookie("pingan_session", secret)
    assert again.get("/account").status_code == 401
    assert site.rows(action="sign_out") == [("lizhou", "sign_out", "lizhou", "ok")]


def test_signing_out_needs_a_form(site):
    site.person("lizhou", ("leader", "city", "*"))
    browser = site.browser("lizhou")
    assert browser.get("/signout").headers["Location"] == "/signin"
    assert browser.client.post("/signout").status_code == 400
    assert browser.get("/").status_code == 200


def test_https_cookies_are_for_this_host_and_https_only(make_site):
    site = make_site()
    site.person("lizhou", ("leader", "city", "*"))
    client = site.server.test_client()
    page = client.get("/signin", base_url="https://map.example")
    data = {"form_token": field(page.text, "form_token"), "login": "lizhou", "password": PASSWORD}
    answer = client.post("/signin", data=data, base_url="https://map.example")
    cookie = answer.headers.getlist("Set-Cookie")[-1]
    assert cookie.startswith("__Host-pingan_session=")
    assert "Secure" in cookie
    assert "Domain" not in cookie
    plain = site.server.test_client()
    plain.set_cookie("pingan_session", cookie.split("=")[1].split(";")[0])
    assert plain.get("/account", base_url="https://localhost").status_code == 401


@pytest.mark.parametrize(
    ("settings", "address", "name"),
    [
        ({}, "127.0.0.1", "pingan_form"),
        ({}, "10.0.0.7", "__Host-pingan_form"),
        ({"insecure_http": True}, "10.0.0.7", "pingan_form"),
    ],
)
def test_plain_http_gets_plain_cookies_only_where_that_was_asked_for(
    make_site, settings, address, name
):
    client = make_site(**settings).server.test_client()
    answer = client.get("/signin", environ_base={"REMOTE_ADDR": address})
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{name}=")
    assert ("Secure" in cookie) == name.startswith("__Host-")


def test_a_lock_follows_the_settings(site):
    site.person("lizhou", ("leader", "city", "*"))
    for name, value in (("lock_failures", 2), ("lock_minutes", 7)):
        stored_settings.change(site.database, name, value, by="test", now=NOW)
    answer = site.browser().sign_in("lizhou", SECOND)
    assert "连续 2 次" in said(answer.text)
    assert "7 分钟" in said(answer.text)


def test_nothing_is_signed_in_where_the_audit_cannot_be_written(site, monkeypatch):
    from data.audit import AuditError

    def refuse(**_row):
        raise AuditError("full")

    site.person("lizhou", ("leader", "city", "*"))
    browser = site.browser()
    browser.get("/signin")
    monkeypatch.setattr(site.audit, "write", refuse)
    answer = browser.sign_in("lizhou")
    assert answer.status_code == 503
    assert browser.cookie == ""
    assert site.sessions.open_of(site.accounts.get("lizhou").id, now=NOW) == []
