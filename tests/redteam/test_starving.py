"""One user who asks for too much gets 429; everybody else is answered meanwhile."""

import threading

import pytest

from dashboard import answers, guard
from dashboard.app import create_app
from dashboard.limits import IN_FLIGHT, Limits
from data.access import Scope
from data.settings import Settings
from tests.redteam import city
from tests.redteam.attack import MAPS, PANELS, SEARCH
from tests.redteam.fuzz import DECLARED, Unread
from tests.redteam.town import body_of

HEAVY, OTHER = {"X-Test-User": "heavy-desk"}, {"X-Test-User": "other-desk"}


class ByHeader:
    """Signs in whoever the test says is asking; each has the rights of a township."""

    can_sign_in = True

    def admits(self, request):  # noqa: ARG002
        return True

    def scope(self, request):
        return Scope(request.headers["X-Test-User"], frozenset({city.ROLES["township"]}))


@pytest.fixture
def limits():
    return Limits(burst=1e9)


@pytest.fixture
def app(settings, store, limits):
    return create_app(settings, store, provider=ByHeader(), limits=limits)


def ask(app, what, headers, *, cookie=""):
    values = {
        "panels-address.data": "",
        "page-address.data": "/index",
        "url.search": "",
        "area-search.value": "哨",
    }
    body = body_of(app, what, values)
    browser = app.server.test_client()
    if cookie:
        browser.set_cookie("pingan_session", cookie)
    return browser.post(guard.CALLBACKS, json=body, headers=headers)


class Flood:
    """So many requests of one user as may run at a time, held inside the answer."""

    def __init__(self, app, monkeypatch, *, at_once=IN_FLIGHT) -> None:
        self.inside = threading.Barrier(at_once + 1)
        self.may_go, self.found = threading.Event(), []
        draw = answers.draw_map

        def held(scope, *rest, **more):
            if scope.user == "heavy-desk" and not self.may_go.is_set():
                self.inside.wait(timeout=60)
                self.may_go.wait(timeout=60)
            return draw(scope, *rest, **more)

        monkeypatch.setattr(answers, "draw_map", held)
        self.threads = [
            threading.Thread(target=lambda: self.found.append(ask(app, MAPS, HEAVY).status_code))
            for _ in range(at_once)
        ]

    def __enter__(self) -> "Flood":  # noqa: PYI034
        for thread in self.threads:
            thread.start()
        self.inside.wait(timeout=60)
        return self

    def __exit__(self, *_error: object) -> None:
        self.may_go.set()
        for thread in self.threads:
            thread.join(timeout=60)


def test_a_flood_stops_its_sender_and_nobody_else(app, monkeypatch):
    flood = Flood(app, monkeypatch)
    with flood:
        for what in (MAPS, PANELS, SEARCH):
            refused = ask(app, what, HEAVY)
            assert refused.status_code == 429
            assert int(refused.headers["Retry-After"]) >= 1
        for what in (MAPS, PANELS, SEARCH):
            assert ask(app, what, OTHER).status_code == 200
        visitor = app.server.test_client()
        for path in ("/", "/_dash-layout", "/names/b1/grid.json", "/account"):
            assert visitor.get(path, headers=HEAVY).status_code == 429
            assert visitor.get(path, headers=OTHER).status_code == 200
        assert visitor.get("/healthz").status_code == 200
    assert flood.found == [200] * IN_FLIGHT
    assert ask(app, MAPS, HEAVY).status_code == 200


@pytest.mark.parametrize(("threads", "at_once"), [(1, 1), (4, 2), (8, IN_FLIGHT)])
def test_a_flood_leaves_threads_to_others_however_few_there_are(
    store, home, monkeypatch, threads, at_once
):
    settings = Settings(home=home, auth="local", threads=threads)
    app = create_app(settings, store, provider=ByHeader())
    with Flood(app, monkeypatch, at_once=at_once):
        assert ask(app, PANELS, HEAVY).status_code == 429
        assert ask(app, PANELS, OTHER).status_code == 200


def test_the_refusals_are_in_the_audit_once_a_minute(store, home, monkeypatch):
    from dashboard import audited

    monkeypatch.setattr(audited.time, "monotonic", lambda: 90.0)
    app = create_app(Settings(home=home, auth="local"), store, provider=ByHeader())
    log = app.server.extensions[audited._LOG]
    with Flood(app, monkeypatch):
        before = log.search(limit=1)[0].seq
        for now in (90.0, 91.0, 119.0, 121.0):
            monkeypatch.setattr(audited.time, "monotonic", lambda now=now: now)
            assert ask(app, MAPS, HEAVY).status_code == 429
        rows = [one for one in log.search(limit=20) if one.seq > before]
    assert [(row.user, row.result, row.detail) for row in rows] == [
        ("heavy-desk", "denied", "answered 429")
    ] * 2


def broken(*_values, **_more):
    raise RuntimeError("a fault of the program")


def test_a_crowd_of_one_bearer_is_refused_before_anybody_is_looked_up(app, limits, monkeypatch):
    """Looking up who asks costs as much as an answer: the others must not pay for it."""
    looked_up = []
    real = ByHeader.scope

    def scope(self, request):
        looked_up.append(request.headers["X-Test-User"])
        return real(self, request)

    monkeypatch.setattr(ByHeader, "scope", scope)
    for _ in range(IN_FLIGHT):
        limits.enter("heavy-desk")
    assert [ask(app, MAPS, HEAVY, cookie="heavy").status_code for _ in range(3)] == [429] * 3
    assert looked_up == ["heavy-desk"]
    assert ask(app, MAPS, OTHER, cookie="other").status_code == 200
    limits.leave("heavy-desk", 1e18)
    assert ask(app, MAPS, HEAVY, cookie="heavy").status_code == 200
    assert looked_up.count("heavy-desk") == 2


def test_what_fails_gives_its_share_back(app, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(answers, "draw_map", broken)
        for _ in range(2 * IN_FLIGHT):
            assert b"a fault of the program" not in ask(app, MAPS, HEAVY).data
    browser = app.server.test_client()
    for _ in range(2 * IN_FLIGHT):
        assert browser.post(guard.CALLBACKS, json={"output": "x"}, headers=HEAVY).status_code == 400
        assert browser.get("/users", headers=HEAVY).status_code == 403
        assert browser.get("/nothing", headers=HEAVY).status_code == 404
        assert browser.post("/views", data={"name": "x"}, headers=HEAVY).status_code == 400
        assert send_large(browser, HEAVY).status_code == 413
    assert ask(app, MAPS, HEAVY).status_code == 200


def send_large(browser, headers, body=None):
    overrides = {"CONTENT_LENGTH": str(DECLARED), "wsgi.input": body or Unread()}
    return browser.post(
        guard.CALLBACKS,
        headers=headers,
        content_type="application/json",
        environ_overrides=overrides,
    )


def test_a_body_of_100_mib_is_refused_before_it_is_read(app):
    body = Unread()
    assert send_large(app.server.test_client(), HEAVY, body).status_code == 413
    assert body.taken == 0


def test_time_that_was_used_up_comes_back(settings, store):
    clock, used = [0.0], [0.0]
    limits = Limits(burst=10, per_second=0.5, clock=lambda: clock[0], used=lambda: used[0])
    app = create_app(settings, store, provider=ByHeader(), limits=limits)
    assert ask(app, MAPS, HEAVY).status_code == 200
    began = limits.enter("heavy-desk")
    used[0] += 60.0
    limits.leave("heavy-desk", began)
    assert ask(app, MAPS, HEAVY).status_code == 429
    assert ask(app, MAPS, OTHER).status_code == 200
    clock[0] += 99.0
    assert ask(app, MAPS, HEAVY).status_code == 429
    clock[0] += 2.0
    assert ask(app, MAPS, HEAVY).status_code == 200


def test_an_address_without_an_account_has_a_share_of_its_own(settings, store):
    limits = Limits(burst=1e9)
    app = create_app(settings, store, limits=limits)
    for _ in range(IN_FLIGHT):
        limits.enter("127.0.0.1")
    visitor = app.server.test_client()
    assert visitor.get("/signin").status_code == 429
    there = {"REMOTE_ADDR": "127.0.0.2"}
    assert visitor.get("/signin", environ_overrides=there).status_code == 200
