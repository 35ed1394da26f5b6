import pytest

from data.accounts import links
from tests.dashboard.pages.conftest import NOW, PASSWORD, field, said


def fill(browser, secret, **given):
    data = {"login": "Anquan", "unit": "安全科", "new": PASSWORD, "again": PASSWORD, **given}
    token = field(browser.get(f"/setup/{secret}").text, "form_token")
    return browser.client.post(f"/setup/{secret}", data={"form_token": token, **data})


@pytest.fixture
def secret(site):
    return links.setup_link(site.database, now=NOW)


def test_the_link_makes_one_security_administrator(site, secret):
    browser = site.browser()
    assert "至少 8 个字符" in browser.get(f"/setup/{secret}").text
    answer = fill(browser, secret)
    assert answer.status_code == 303
    assert "账号已建立" in said(browser.get(answer.headers["Location"]).text)
    assert [one.role for one in site.accounts.account("anquan").grants] == ["security_admin"]
    assert browser.get(f"/setup/{secret}").status_code == 404
    token = browser.token()
    again = browser.client.post(f"/setup/{secret}", data={"form_token": token, "login": "second"})
    assert again.status_code == 404
    assert browser.sign_in("anquan").headers["Location"] == "/users"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"again": "x"}, "不一致"),
        ({"new": "short", "again": "short"}, "至少 8 个字符"),
        ({"login": "a b"}, "账号名不能用"),
        ({"login": "13912345678"}, "账号名不能用"),
        ({"login": "system"}, "账号名不能用"),
        ({"unit": "电话 13912345678"}, "岗位或单位不能用"),
    ],
)
def test_a_fault_leaves_the_link_open(site, secret, given, told):
    browser = site.browser()
    answer = fill(browser, secret, **given)
    assert answer.status_code == 400
    assert told in said(answer.text)
    assert PASSWORD not in answer.text
    assert site.accounts.all() == []
    assert fill(browser, secret).status_code == 303


def test_the_link_ends_after_a_day(site, secret):
    site.clock.turn(hours=25)
    assert site.browser().get(f"/setup/{secret}").status_code == 404


@pytest.mark.parametrize("other", ["x", "", "a" * 43, "../users"])
def test_other_secrets_are_404(site, secret, other):
    assert site.browser().get(f"/setup/{other}").status_code == 404


def test_a_security_administrator_closes_the_set_up_for_good(site, secret):
    site.admin()
    assert site.browser().get(f"/setup/{secret}").status_code == 404


def test_the_secret_is_not_in_the_audit(site, secret):
    browser = site.browser()
    fill(browser, secret)
    browser.get(f"/setup/{secret}")
    rows = site.rows()
    assert ("", "denied", "/setup", "denied") in rows
    assert not any(secret in " ".join(row) for row in rows)


def test_the_demonstration_has_no_set_up(make_site):
    site = make_site(auth="demo")
    secret = links.setup_link(site.database, now=NOW)
    assert site.browser().get(f"/setup/{secret}").status_code == 404
