"""Whatever is asked leaves exactly one row; where no row can be written, nothing is changed."""

import pytest

from data.access import Grant
from data.accounts import links, stored_settings, views
from data.audit import AuditError, AuditLog
from data.audit.verify import verify
from tests.redteam import city
from tests.redteam.attack import CALLBACKS, PAGES, Attacker, about, app_of, films, routes
from tests.redteam.town import HTML, REASON, Town, linked, send, utc_now

SILENT = dict.fromkeys(PAGES, "the same frame; its content is a callback's, which has a row") | {
    "/healthz": "tells nothing of the city",
    "/_dash-dependencies": "the same for everybody: what the page is wired to",
    "/": "the empty frame; its content is asked for by /_dash-layout, which has a row",
    "/m/app.webmanifest": "tells nothing of the city",
    "/m/worker.js": "a script, the same for everybody",
    "/signin": "a form, or the way on for who is signed in; trying it has a row",
}
"""What is answered without a row, and why."""

DENIED = (401, 403, 404, 429)


def is_silent(call):
    status = call.answer.status_code
    given = call.what.startswith("/tiles/") and status in (200, 204)  # geometry: no figure
    return given or (call.what in SILENT and status < 400)


class Rows:
    """New rows of the audit since it was last asked."""

    def __init__(self, log) -> None:
        self.log, self.seen = log, 0
        self.new()

    def new(self):
        found = [row for row in self.log.search(limit=50) if row.seq > self.seen]
        self.seen = max([self.seen, *(row.seq for row in found)])
        return found[::-1]


@pytest.mark.parametrize("role", ["grid_chief", "township", "system_admin"])
def test_each_call_leaves_one_row(settings, store, role):
    from dashboard.audited import _LOG

    app = app_of(settings, store, role)
    attacker = Attacker(app, role)
    rows = Rows(app.server.extensions[_LOG])

    def calls():
        for target in (city.OWN["grid"], "9904085", "nowhere"):
            yield from about(attacker, target)
            yield from films(attacker, (target,))
        yield from routes(attacker)
        yield attacker.get("/nothing")
        yield attacker.get("/tiles/b1/nothing/0/0/0.pbf")
        for what in CALLBACKS:
            yield attacker.call(what, {}, changed=["forged.value"])

    for call in calls():
        found, status = rows.new(), call.answer.status_code
        assert len(found) == (0 if is_silent(call) else 1), (call.what, status, found)
        for row in found:
            assert row.user == f"red-{role}"
            assert (row.roles, row.address, row.session) == (role, "127.0.0.1", "0badcafe")
            if status in DENIED or row.action == "denied":
                assert row.result == "denied", call.what
            else:
                assert row.result == ("ok" if status < 400 else "failed"), call.what
    assert verify(app.server.extensions[_LOG]).is_sound


def test_who_is_not_signed_in_leaves_a_row_too(settings, store):
    from dashboard.app import create_app
    from dashboard.audited import _LOG

    app = create_app(settings, store)
    rows = Rows(app.server.extensions[_LOG])
    for path in ("/_dash-layout", "/names/b1/grid.json", "/nothing", "/s/guess", "/setup/guess"):
        answer = app.server.test_client().get(path)
        assert answer.status_code in (401, 404)
        (row,) = rows.new()
        assert (row.user, row.result) == ("", "denied"), path


@pytest.fixture
def town(home, tmp_path):
    town = Town(linked(home, tmp_path / "home"))
    town.person("duty-desk", Grant("township", "township", city.OWN["township"]))
    town.person("office", Grant("security_admin"))
    town.person("guest-desk", Grant("grid_chief", "grid", city.OWN["grid"]))
    return town


CHANGES = {
    "an export": ("duty-desk", "/export", {"format": "csv", "reason": REASON}, 200),
    "a workbook": ("duty-desk", "/export", {"format": "xlsx", "reason": REASON}, 200),
    "a share": ("duty-desk", "/share", {"reason": REASON}, 200),
    "a saved view": ("duty-desk", "/views", {"name": "mine", "search": ""}, 303),
    "a new account": (
        "office", "/users/add",
        {"login": "new-desk", "unit": "", "provider": "local", "reason": REASON}, 200,
    ),
    "a disabled account": ("office", "/users/of/guest-desk/change", {"do": "disable", "reason": REASON}, 303),
    "a right": (
        "office", "/users/of/guest-desk/change",
        {"do": "grant", "role": "leader", "level": "city", "code": "", "reason": REASON}, 303,
    ),
    "a first password": ("office", "/users/of/guest-desk/change", {"do": "reset", "reason": REASON}, 200),
    "a setting": ("office", "/settings/change", {"name": "idle_minutes", "value": "20", "reason": REASON}, 303),
}  # fmt: skip
"""Who does what, and how it is answered where the audit is well."""


def state_of(town):
    database = town.inside.database
    return (
        [(one.user.login, one.user.disabled, one.user.password_hash, one.grants) for one in town.accounts.all()],
        len(links.shares(database, now=utc_now())),
        [view.name for view in views.saved(database, town.accounts.get("duty-desk").id)],
        stored_settings.read(database),
    )  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_nothing_changes_without_a_row(town, monkeypatch, what):
    login, path, data, expected = CHANGES[what]
    browser = town.browser(login)
    before = state_of(town)
    with monkeypatch.context() as patch:
        patch.setattr(AuditLog, "write", refuse)
        answer = send(browser, path, data)
        assert answer.status_code == 503
        assert "Content-Disposition" not in answer.headers
        assert state_of(town) == before
    answer = send(browser, path, data)
    assert answer.status_code == expected, answer.text
    assert (state_of(town) != before) == (path != "/export")
    assert verify(town.inside.audit).is_sound


def refuse(*_values, **_row):
    raise AuditError("the disk is full")


def test_nobody_signs_in_without_a_row(town, monkeypatch):
    from tests.redteam.town import PASSWORD

    browser = town.app.server.test_client()
    with monkeypatch.context() as patch:
        patch.setattr(AuditLog, "write", refuse)
        data = {"login": "duty-desk", "password": PASSWORD}
        assert send(browser, "/signin", data, page="/signin").status_code == 503
    assert not town.sessions.open_of(town.accounts.get("duty-desk").id)


def test_views_still_answer_without_an_audit(settings, store, monkeypatch):
    attacker = Attacker(app_of(settings, store, "township"), "township")
    monkeypatch.setattr(AuditLog, "write", refuse)
    own = city.OWN["township"]
    for call in (*about(attacker, own), *films(attacker, (own,))):
        assert call.answer.status_code in (200, 204), call.what
    assert attacker.client.get("/account", headers=HTML).status_code == 200
    assert attacker.get("/users").answer.status_code == 403
