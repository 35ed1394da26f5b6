import csv
import io
import re

import pytest
import sqlalchemy as sa

from dashboard.pages import audit
from data.state.models import AuditRow
from tests.dashboard.pages.conftest import NOW, said

REASON = "季度审计检查"


def write(site, **given):
    row = {
        "at": site.clock(), "user": "lizhou", "roles": "leader", "address": "10.0.0.1",
        "session": "abcd1234", "action": "view", "target": "/", "result": "ok", "detail": "",
    }  # fmt: skip
    return site.audit.write(**{**row, **given})


@pytest.fixture
def auditor(site):
    site.admin("audit_admin", "shenji")
    return site.browser("shenji")


def seqs(text):
    return [int(found) for found in re.findall(r'class="tight number"[^>]*>(\d+)<', text)]


def test_rows_are_found_by_every_field(site):
    site.admin("audit_admin", "shenji")
    first = write(site, target="/?area=9901001")
    second = write(site, action="export", detail="周例会")
    third = write(site, user="other", result="denied", action="denied", address="10.9.9.9")
    site.clock.turn(days=2)
    later = write(site)
    auditor = site.browser("shenji")
    assert seqs(auditor.get("/audit?user=other").text) == [third]
    assert seqs(auditor.get("/audit?action=export").text) == [second]
    assert seqs(auditor.get("/audit?result=denied").text) == [third]
    assert seqs(auditor.get("/audit?text=9901001&user=lizhou").text) == [first]
    assert seqs(auditor.get("/audit?text=10.9.9&user=other").text) == [third]
    assert seqs(auditor.get("/audit?user=lizhou&since=2026-11-22").text) == [later]
    assert seqs(auditor.get("/audit?user=lizhou&until=2026-11-20").text) == [second, first]
    assert "没有符合条件" in auditor.get("/audit?user=nobody").text


def test_days_are_those_of_the_city(site, auditor):
    # 23:30 on the 20th in the city is 15:30 in UTC; half an hour later it is the 21st.
    evening = write(site, at=NOW.replace(hour=15, minute=30))
    night = write(site, at=NOW.replace(hour=16, minute=1))
    assert seqs(auditor.get("/audit?user=lizhou&until=2026-11-20").text) == [evening]
    assert seqs(auditor.get("/audit?user=lizhou&since=2026-11-21").text) == [night]
    assert "2026-11-20 23:30:00" in auditor.get("/audit?user=lizhou").text


def test_older_rows_come_page_by_page(site, auditor):
    made = [write(site) for _ in range(60)]
    page = auditor.get("/audit?user=lizhou").text
    assert seqs(page) == made[:9:-1]
    older = re.search(r'href="(/audit\?[^"]*before=[^"]*)"', page)[1].replace("&amp;", "&")
    last = auditor.get(older).text
    assert seqs(last) == made[9::-1]
    assert "回到最新" in last
    assert "更早的" not in last
    assert seqs(auditor.get("/audit?user=lizhou&before=x").text) == made[:9:-1]


@pytest.mark.parametrize("query", ["since=yesterday", "until=2026-13-01", "action=fly", "result=x"])
def test_a_search_that_is_none_is_told(auditor, query):
    answer = auditor.get(f"/audit?{query}")
    assert answer.status_code == 400
    assert "查询条件有误" in said(answer.text)


def test_verifying_finds_a_changed_row(site, auditor):
    seq = write(site)
    assert "校验通过" in said(auditor.post("/audit/verify").text)
    with site.database.writing() as session:
        for name in session.scalars(
            sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ).all():
            session.execute(sa.text(f"DROP TRIGGER {name}"))
        session.execute(sa.update(AuditRow).where(AuditRow.seq == seq).values(target="/else"))
    answer = auditor.post("/audit/verify")
    assert "发现" in said(answer.text)
    assert f"row {seq}" in answer.text
    assert ("shenji", "system", "/audit/verify", "ok") in site.rows(action="system")


def test_a_long_audit_is_verified_elsewhere(site, auditor, monkeypatch):
    monkeypatch.setattr(audit, "MOST_VERIFIED", 1)
    answer = auditor.post("/audit/verify")
    assert answer.status_code == 400
    assert "pingan audit verify" in said(answer.text)


def test_a_file_holds_what_was_found_and_who_took_it(site, auditor):
    for number in range(3):
        write(site, target=f"/{number}")
    write(site, user="other")
    answer = auditor.post("/audit/export?user=lizhou", {"reason": REASON}, page="/audit")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert re.fullmatch(
        r"attachment; filename=audit-20261120-100000\.csv", answer.headers["Content-Disposition"]
    )
    lines = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert lines[0][:3] == ["seq", "at", "user"]
    assert [line[7] for line in lines[1:4]] == ["/2", "/1", "/0"]
    assert lines[1][1] == "2026-11-20T10:00:00+08:00"
    assert lines[5][1].startswith("shenji")
    assert lines[6][1] == REASON
    row = site.audit.search(action="export")[0]
    assert (row.user, row.detail) == ("shenji", f"user lizhou: {REASON}")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_cell_of_the_file_is_a_formula(site, auditor, start):
    write(site, user=f"{start}1+1", target=f"{start}cmd|calc", detail=f"{start}2")
    answer = auditor.post("/audit/export", {"reason": f"{start}HYPERLINK(1)"}, page="/audit")
    for line in csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))):
        for cell in line:
            assert cell[:1] not in tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")


def test_a_file_needs_a_reason_and_a_token(site, auditor):
    short = auditor.post("/audit/export", {"reason": "看"}, page="/audit")
    assert short.status_code == 400
    assert "理由" in said(short.text)
    assert auditor.client.post("/audit/export", data={"reason": REASON}).status_code == 400
    assert auditor.client.post("/audit/verify").status_code == 400
    assert not site.rows(action="export", result="ok")
    assert auditor.get("/audit/export").headers["Location"] == "/audit"


@pytest.mark.parametrize("role", ["leader", "security_admin", "system_admin"])
def test_others_find_only_their_own_rows(site, role):
    site.person("somebody", (role, "city", "*"))
    write(site)
    browser = site.browser("somebody")
    for query in ("", "?user=lizhou", "?user=", "?text=lizhou", "?user=lizhou&user=somebody"):
        text = browser.get(f"/audit{query}").text
        assert "仅显示本人" in text
        table = text.split("<table")[1].split("</table")[0] if "<table" in text else ""
        assert "lizhou" not in table.replace("text lizhou", "")
    data = {"reason": REASON}
    taken = browser.post("/audit/export?user=lizhou", data, page="/audit")
    users = {line[2] for line in csv.reader(io.StringIO(taken.text)) if len(line) == 10}
    assert users == {"user", "somebody"}
    assert browser.post("/audit/verify", page="/audit").status_code == 403


def test_looking_leaves_one_row(site, auditor):
    before = len(site.audit.search(user="shenji"))
    auditor.get("/audit?user=lizhou")
    rows = site.audit.search(user="shenji")
    assert len(rows) == before + 1
    assert (rows[0].action, rows[0].target, rows[0].detail) == ("view", "/audit", "user lizhou")
