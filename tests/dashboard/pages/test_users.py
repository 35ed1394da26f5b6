import re

import pytest

from data.access import Grant
from tests.dashboard.pages.conftest import NOW, PASSWORD, SCRIPT, said
from tests.dashboard.pages.test_sign_in import enrol

REASON = "岗位调整需要"


@pytest.fixture
def officer(site):
    site.admin("security_admin", "anquan")
    return site.browser("anquan")


def change(browser, login, do, *, reason=REASON, **given):
    return browser.post(f"/users/of/{login}/change", {"do": do, "reason": reason, **given})


def give(browser, login, role, level="", code="", **given):
    return change(browser, login, "grant", role=role, level=level, code=code, **given)


def held(site, login):
    return [(one.role, one.level, one.code) for one in site.accounts.account(login).grants]


def test_the_list_finds_by_name_unit_role_and_state(site, officer):
    site.person("dongcheng", ("command", "county", "9901001"), unit="东区政法委")
    site.person("wangge-1", ("grid_chief", "grid", "g-1"), unit="一号网格")
    site.accounts.disable("wangge-1")
    site.person("empty")

    def found(query):
        return re.findall(
            r'class="go" href="/users/of/([^"?]+)', officer.get(f"/users{query}").text
        )

    assert found("") == ["anquan", "dongcheng", "empty", "wangge-1"]
    assert found("?q=政法") == ["dongcheng"]
    assert found("?q=WANG") == ["wangge-1"]
    assert found("?role=command") == ["dongcheng"]
    assert found("?state=disabled") == ["wangge-1"]
    assert found("?state=no_rights") == ["empty"]
    assert found("?q=nothing") == []
    text = officer.get("/users").text
    assert "东区" in text
    assert "一号网格" in text
    assert "Whole" not in text


def test_long_lists_are_turned_page_by_page(site, officer):
    with site.database.writing() as session:
        from data.state.models import User

        session.add_all(
            User(login=f"post-{number:03d}", unit="", created_at=NOW) for number in range(120)
        )
    first = officer.get("/users?q=post").text
    assert "第 1–50 条，共 120 条" in first
    assert "下一页" in first
    last = officer.get("/users?q=post&at=100").text
    assert "第 101–120 条" in last
    assert "下一页" not in last
    for odd in ("at=-1", "at=x", "at=999999", "at=7"):
        assert "第 1–50 条" in officer.get(f"/users?q=post&{odd}").text


def test_a_new_account_gets_a_password_that_is_shown_once(site, officer):
    data = {"login": " Zhongshan ", "unit": "中山街道", "reason": REASON}
    answer = officer.post("/users/add", data, page="/users")
    assert answer.status_code == 200
    password = re.search(r"<code>([^<]+)</code>", answer.text)[1]
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert password not in officer.get("/users/of/zhongshan").text
    assert site.browser().sign_in("zhongshan", password).status_code == 303
    assert site.accounts.get("zhongshan").must_change
    row = next(row for row in site.audit.search(action="users"))
    assert (row.user, row.target) == ("anquan", "zhongshan")
    assert REASON in row.detail
    assert not any(password in f"{row.target}{row.detail}" for row in site.audit.search())


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"login": "taken"}, "账号 taken 已存在"),
        ({"login": "13912345678"}, "账号名不能用"),
        ({"unit": "110101199003070011"}, "岗位或单位不能用"),
        ({"reason": " 短 "}, "理由"),
        ({"reason": ""}, "理由"),
    ],
)
def test_an_account_that_cannot_be_is_told_in_words(site, officer, given, told):
    site.person("taken")
    answer = officer.post(
        "/users/add", {"login": "new-post", "reason": REASON, **given}, page="/users"
    )
    assert answer.status_code == 400
    assert told in said(answer.text)
    assert site.accounts.get("new-post") is None


def test_an_account_signs_in_only_by_what_there_is(site, officer):
    data = {"login": "new-post", "provider": "oidc", "reason": REASON}
    assert officer.post("/users/add", data, page="/users").status_code == 400
    assert site.accounts.get("new-post") is None


def test_a_right_is_given_and_taken_away(site, officer):
    site.person("dongcheng")
    answer = give(officer, "dongcheng", "command", "county", "9901001", valid_until="2026-12-31")
    assert answer.status_code == 303
    assert held(site, "dongcheng") == [("command", "county", "9901001")]
    text = officer.get(answer.headers["Location"]).text
    assert "权限已授予" in said(text)
    assert "至 2026-12-31" in text
    row = site.audit.search(action="users")[0]
    assert row.detail == f"grant command county 9901001 ..2026-12-31: {REASON}"
    key = "command county 9901001"
    assert change(officer, "dongcheng", "revoke", grant=key).status_code == 303
    assert held(site, "dongcheng") == []
    assert change(officer, "dongcheng", "revoke", grant=key).status_code == 400


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("command", "county", "nowhere"), "没有层级“区县”、代码“nowhere”"),
        (("command", "county", ""), "请填写区域代码"),
        (("command", "", ""), "请选择角色和层级"),
        (("", "county", "9901001"), "请选择角色和层级"),
    ],
)
def test_a_right_names_an_area_of_today(site, officer, given, told):
    site.person("dongcheng")
    answer = give(officer, "dongcheng", *given)
    assert answer.status_code == 400
    assert told in said(answer.text)
    assert held(site, "dongcheng") == []


@pytest.mark.parametrize(
    "given",
    [("public", "city", ""), ("wall", "city", ""), ("king", "city", ""), ("command", "moon", "1")],
)
def test_rights_that_no_form_offers_are_refused(site, officer, given):
    site.person("dongcheng")
    assert give(officer, "dongcheng", *given).status_code == 400
    assert held(site, "dongcheng") == []


def test_days_must_follow_each_other(site, officer):
    site.person("dongcheng")
    days = {"valid_from": "2026-12-31", "valid_until": "2026-12-01"}
    answer = give(officer, "dongcheng", "command", "city", **days)
    assert "日期不正确" in said(answer.text)
    assert "日期不正确" in said(give(officer, "dongcheng", "command", "city", valid_from="x").text)
    assert held(site, "dongcheng") == []


def test_duties_are_kept_apart_and_that_is_told(site, officer):
    site.person("dongcheng", ("command", "city", "*"))
    answer = give(officer, "dongcheng", "audit_admin")
    assert answer.status_code == 400
    assert "三权分立" in said(answer.text)
    assert "指挥中心" in said(answer.text)
    site.admin("audit_admin", "shenji")
    assert "审计管理员" in said(give(officer, "shenji", "command", "city").text)
    english = officer.post(
        "/users/of/shenji/change?lang=en",
        {"do": "grant", "role": "leader", "level": "city", "reason": REASON},
    )
    assert "Separation of duties" in said(english.text)


def test_nobody_changes_the_own_account(site, officer):
    site.admin("security_admin", "second")
    for do in ("disable", "reset", "grant", "revoke", "unlock", "totp_remove"):
        answer = change(
            officer, "anquan", do, role="leader", level="city", grant="security_admin city *"
        )
        assert answer.status_code == 400
        assert "不能更改自己的账号" in said(answer.text)
    assert held(site, "anquan") == [("security_admin", "city", "*")]
    text = officer.get("/users/of/anquan").text
    assert 'id="grant"' not in text
    assert 'id="act"' not in text


def test_the_last_security_administrator_stays(site, officer):
    site.admin("security_admin", "second")
    second = site.browser("second")
    assert change(officer, "second", "disable").status_code == 303
    assert second.get("/users").status_code == 401
    site.accounts.enable("second")
    second = site.browser("second")
    key = "security_admin city *"
    assert change(second, "anquan", "revoke", grant=key).status_code == 303
    assert officer.get("/users").status_code == 403
    third = site.person("third")
    assert give(second, third, "security_admin").status_code == 303
    third_browser = site.browser("third")
    assert change(second, "third", "revoke", grant=key).status_code == 303
    assert third_browser.get("/users").status_code == 403


def test_a_disabled_account_is_out_at_once(site, officer):
    site.person("dongcheng", ("command", "city", "*"))
    inside = site.browser("dongcheng")
    assert change(officer, "dongcheng", "disable").status_code == 303
    assert inside.get("/").status_code == 401
    assert site.browser().sign_in("dongcheng").status_code == 401
    assert change(officer, "dongcheng", "enable").status_code == 303
    assert site.browser().sign_in("dongcheng").status_code == 303


def test_a_new_password_ends_the_sessions_and_opens_a_lock(site, officer):
    site.person("dongcheng", ("command", "city", "*"))
    inside = site.browser("dongcheng")
    for _ in range(5):
        site.browser().sign_in("dongcheng", "wrong")
    assert "锁定至" in officer.get("/users/of/dongcheng").text
    answer = change(officer, "dongcheng", "reset")
    password = re.search(r"<code>([^<]+)</code>", answer.text)[1]
    assert inside.get("/").status_code == 401
    assert site.browser().sign_in("dongcheng").status_code == 401
    assert site.browser().sign_in("dongcheng", password).status_code == 303


def test_locks_and_codes_are_taken_off(site, officer):
    site.person("dongcheng", ("command", "city", "*"))
    enrol(site, "dongcheng")
    for _ in range(5):
        site.browser().sign_in("dongcheng", "wrong")
    site.context.throttle.put_back("127.0.0.1")
    assert change(officer, "dongcheng", "unlock").status_code == 303
    assert site.accounts.get("dongcheng").locked_until is None
    assert change(officer, "dongcheng", "totp_remove").status_code == 303
    assert site.accounts.get("dongcheng").totp_secret is None


@pytest.mark.parametrize(
    "do", ["disable", "enable", "unlock", "reset", "totp_remove", "grant", "revoke"]
)
def test_no_change_without_a_reason(site, officer, do):
    site.person("dongcheng", ("command", "city", "*"))
    before = len(site.audit.search(action="users", result="ok"))
    answer = change(officer, "dongcheng", do, reason="  短短 ", role="leader", level="city")
    assert answer.status_code == 400
    assert "理由" in said(answer.text)
    assert held(site, "dongcheng") == [("command", "city", "*")]
    assert len(site.audit.search(action="users", result="ok")) == before


def test_an_area_is_found_by_its_name(site, officer):
    site.person("dongcheng")
    text = officer.get("/users/of/dongcheng?find=东门").text
    href = re.search(r'class="pick" href="([^"]+)"', text)[1].replace("&amp;", "&")
    filled = officer.get(href).text
    assert 'value="990100101"' in filled
    assert "所选区域：东区 · 东门街道" in filled
    assert SCRIPT not in officer.get("/users/of/dongcheng?find=script").text
    assert "没有找到" in officer.get("/users/of/dongcheng?find=zzz").text


def test_the_audit_administrator_reads_and_changes_nothing(site, officer):
    site.admin("audit_admin", "shenji")
    site.person("dongcheng")
    auditor = site.browser("shenji")
    assert auditor.get("/users").status_code == 200
    page = auditor.get("/users/of/dongcheng").text
    assert 'id="grant"' not in page
    assert 'id="add"' not in auditor.get("/users").text
    assert change(auditor, "dongcheng", "disable").status_code == 403
    data = {"login": "x-post", "reason": REASON}
    assert auditor.post("/users/add", data, page="/account").status_code == 403
    assert site.accounts.get("x-post") is None


@pytest.mark.parametrize("role", ["leader", "command", "system_admin"])
def test_others_see_no_users(site, role):
    site.person("somebody", (role, "city", "*"))
    browser = site.browser("somebody")
    assert browser.get("/users").status_code == 403
    assert browser.get("/users/of/somebody").status_code == 403


@pytest.mark.parametrize("login", ["nobody", "..", "%2e%2e", "a" * 300])
def test_unknown_accounts_are_404(officer, login):
    assert officer.get(f"/users/of/{login}").status_code == 404


def test_every_change_needs_its_token(site, officer):
    site.person("dongcheng", ("command", "city", "*"))
    data = {"do": "disable", "reason": REASON, "login": "new-post"}
    assert officer.client.post("/users/of/dongcheng/change", data=data).status_code == 400
    assert officer.client.post("/users/add", data=data).status_code == 400
    assert not site.accounts.get("dongcheng").disabled
    assert officer.get("/users/of/dongcheng/change").headers["Location"] == "/users/of/dongcheng"


def test_no_change_is_made_that_the_audit_does_not_hold(site, officer, monkeypatch):
    from data.audit import AuditError

    def refuse(**_row):
        raise AuditError("full")

    site.person("dongcheng", ("command", "city", "*"))
    officer.get("/users")
    monkeypatch.setattr(site.audit, "write", refuse)
    for do in ("disable", "reset", "grant", "revoke"):
        given = {"role": "leader", "level": "city", "grant": "command city *"}
        assert change(officer, "dongcheng", do, **given).status_code == 503
    monkeypatch.undo()
    assert held(site, "dongcheng") == [("command", "city", "*")]
    assert site.browser().sign_in("dongcheng", PASSWORD).status_code == 303


def test_rights_outside_their_days_are_marked(site, officer):
    import datetime as dt

    site.person("dongcheng")
    for role, first, last in (
        ("command", None, dt.date(2026, 11, 1)),
        ("leader", dt.date(2026, 12, 1), None),
    ):
        site.accounts.grant(
            "dongcheng", Grant(role), by="anquan", now=NOW, valid_from=first, valid_until=last
        )
    text = officer.get("/users/of/dongcheng").text
    assert "已过期" in text
    assert "未生效" in text
