import datetime as dt

import pytest

from data.accounts import stored_settings
from data.accounts.stored_settings import SETTINGS
from data.deliveries.channels import Channel
from data.deliveries.message import Place
from data.deliveries.outbox import Outbox
from tests.dashboard.pages.conftest import said

REASON = "按上级通知调整"


@pytest.fixture
def officer(site):
    site.admin("security_admin", "anquan")
    return site.browser("anquan")


def change(browser, name, value, reason=REASON):
    return browser.post(
        "/settings/change",
        {"name": name, "value": value, "reason": reason},
        page="/settings?change=history",
    )


def test_every_setting_is_there_with_its_default_and_bounds(officer):
    text = officer.get("/settings").text
    for name, spec in SETTINGS.items():
        assert f'id="{name}"' in text
        assert spec.text_zh.split("：")[0] in text
    assert "180 – 3,650" in text
    assert "弱于等保默认" not in text
    assert "Shortest password" in officer.get("/settings?lang=en").text


def test_a_change_is_stored_marked_and_recorded(site, officer):
    answer = change(officer, "expiry_days", "180")
    assert answer.status_code == 303
    text = officer.get(answer.headers["Location"]).text
    assert "密码有效期" in said(text)
    assert "已更改" in text
    assert "弱于等保默认" in text
    assert "有 1 项弱于" in said(text)
    row = site.audit.search(action="configure")[0]
    assert (row.user, row.target, row.detail) == ("anquan", "expiry_days", f"90 -> 180: {REASON}")
    assert stored_settings.policy(site.database).expiry_days == 180


def test_a_stricter_value_is_no_weakness(officer):
    change(officer, "expiry_days", "30")
    text = officer.get("/settings").text
    assert "已更改" in text
    assert "弱于等保默认" not in text


@pytest.mark.parametrize(
    ("name", "value"),
    [("expiry_days", "0"), ("expiry_days", "x"), ("expiry_days", ""), ("audit_keep_days", "179"),
     ("totp", "never"), ("one_session", "maybe"), ("lock_failures", "٣"), ("nothing", "1"), ("", "")],
)  # fmt: skip
def test_a_value_out_of_bounds_is_refused(site, officer, name, value):
    before = stored_settings.read(site.database)
    answer = change(officer, name, value)
    assert answer.status_code == 400
    assert "不能用" in said(answer.text)
    assert stored_settings.read(site.database) == before


@pytest.mark.parametrize(("name", "value"), [("totp", "all"), ("one_session", "true")])
def test_words_are_chosen_from_a_list(site, officer, name, value):
    assert f'<option value="{value}"' in officer.get(f"/settings?change={name}").text
    assert change(officer, name, value).status_code == 303
    assert str(stored_settings.read(site.database)[name]).lower() == value


def test_a_change_needs_a_reason_and_a_token(site, officer):
    answer = change(officer, "history", "3", reason=" 1234 ")
    assert answer.status_code == 400
    assert "理由" in said(answer.text)
    assert 'value="3"' in answer.text
    data = {"name": "history", "value": "3", "reason": REASON}
    assert officer.client.post("/settings/change", data=data).status_code == 400
    assert stored_settings.policy(site.database).history == 5


def test_readers_change_nothing(site):
    site.admin("system_admin", "xitong")
    browser = site.browser("xitong")
    assert "更改</a>" not in browser.get("/settings?change=history").text
    data = {"name": "history", "value": "3", "reason": REASON}
    assert browser.post("/settings/change", data).status_code == 403


def test_nothing_is_changed_where_the_audit_cannot_be_written(site, officer, monkeypatch):
    from data.audit import AuditError

    def refuse(**_row):
        raise AuditError("full")

    officer.get("/settings")
    monkeypatch.setattr(site.audit, "write", refuse)
    assert change(officer, "history", "3").status_code == 503
    assert stored_settings.policy(site.database).history == 5
    assert stored_settings.read(site.database)["history"] == 5


def test_without_a_channel_the_page_says_that_nothing_is_sent(officer):
    assert "未配置通道，不发送任何消息" in officer.get("/settings").text
    assert "No channel is configured" in officer.get("/settings?lang=en").text


def test_deliveries_that_failed_are_seen_by_channel(site, officer):
    now = dt.datetime(2026, 11, 16, 7, tzinfo=dt.UTC)
    outbox = Outbox(site.database)
    place = Place("city", "990100", "市", "City")
    for key in ("warning:1", "warning:2"):
        outbox.post(key=key, kind="warning", level=4, place=place, counts={}, path="/", now=now)
    outbox.route([Channel("duty-bot", "json", messages=("warning",))], now)
    outbox.failed(outbox.hold(now), "the bot cannot be reached", now)
    text = officer.get("/settings").text
    assert "有 1 次投递失败" in said(text)
    assert "duty-bot" in text
    assert "the bot cannot be reached" in text
