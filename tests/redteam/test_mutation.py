"""Each guard is taken away in turn: a short attack that finds nothing must find something then."""

import re

import numpy as np
import pytest
from dash import Input, Output

from dashboard import cache, cells, guard, queries, startup
from dashboard import forms as form_tokens
from dashboard.app import create_app
from dashboard.guard import UnguardedError
from dashboard.limits import Limits
from data import access
from data.access import Grant, Scope
from data.permissions import WALL, matrix
from tests.redteam import city
from tests.redteam.attack import CALLBACKS, HOVER, MAPS, PANELS, Attacker, found_counts, found_words
from tests.redteam.fuzz import Chosen
from tests.redteam.judging import leaks
from tests.redteam.town import HTML, REASON, Town, body_of, linked

ENDPOINTS = {
    "/": ("GET", "/", ""),
    "/_dash-layout": ("GET", "/_dash-layout", ""),
    "/_dash-dependencies": ("GET", "/_dash-dependencies", ""),
    guard.CALLBACKS: ("POST", guard.CALLBACKS, ""),
    "tile": ("GET", "/tiles/b1/grid/0/0/0.pbf", "map"),
    "names": ("GET", "/names/b1/grid.json", "map"),
    "exported": ("POST", "/exported", "export"),
    "basemap": ("GET", "/basemap/8/210/100", "map"),
    "frames": ("GET", "/frames?level=grid", "map"),
    "live": ("GET", "/live", "map"),
    "export": ("POST", "/export", "export"),
    "image": ("POST", "/image", "export"),
    "signout": ("POST", "/signout", ""),
    "share": ("POST", "/share", "share"),
    "methods": ("GET", "/methods", ""),
    "weekly": ("GET", "/weekly", "report"),
    "weekly_file": ("POST", "/weekly/file", "export"),
    "letters": ("GET", "/letters", "letters"),
    "letter": ("GET", "/letters/0123456789ab", "letters"),
    "letters_draft": ("POST", "/letters/draft", "letters_change"),
    "letter_change": ("POST", "/letters/0123456789ab/change", "letters_change"),
    "letter_file": ("POST", "/letters/0123456789ab/file", "export"),
    "phone": ("GET", "/m", "map"),
    "phone_map": ("GET", "/m/map", "map"),
    "phone_report": ("POST", "/m/reports", "report_event"),
    "phone_progress": ("GET", "/m/reports/guess", "report_event"),
    "phone_warning": ("POST", "/m/warnings", "warnings_act"),
    "command": ("GET", "/command", "warnings"),
    "warning": ("GET", "/warnings/1", "warnings"),
    "warnings_act": ("POST", "/warnings/act", "warnings_act"),
    "warnings_open": ("GET", "/warnings/open", "warnings_act"),
    "facilities": ("GET", "/facilities", "warnings"),
    "special": ("GET", "/special", "warnings"),
    "special_change": ("POST", "/special/change", "warnings_act"),
    "special_check": ("POST", "/special/check", "warnings_act"),
    "screen": ("GET", "/screen", "map"),
    "desk_areas": ("GET", "/areas", "map"),
    "desk_hotspots": ("GET", "/hotspots", "map"),
    "desk_index": ("GET", "/index", "map"),
    "desk_forecast": ("GET", "/forecast", "map"),
    "desk_data": ("GET", "/data", "map"),
    "account": ("GET", "/account", "account"),
    "account_password": ("POST", "/account/password", "account"),
    "account_totp": ("POST", "/account/totp", "account"),
    "account_sessions": ("POST", "/account/sessions", "account"),
    "views": ("GET", "/views", "views"),
    "users": ("GET", "/users", "users_read"),
    "user": ("GET", "/users/of/guest-desk", "users_read"),
    "users_add": ("POST", "/users/add", "users_change"),
    "user_change": ("POST", "/users/of/guest-desk/change", "users_change"),
    "audit": ("GET", "/audit", "audit"),
    "audit_verify": ("POST", "/audit/verify", "audit"),
    "audit_export": ("POST", "/audit/export", "audit"),
    "settings": ("GET", "/settings", "settings_read"),
    "settings_change": ("POST", "/settings/change", "settings_change"),
    "upload": ("GET", "/upload", "upload"),
    "/<path:path>": ("GET", "/some/where", None),
    "/_reload-hash": ("GET", "/_reload-hash", None),
}
"""Method, path and action of each endpoint ("" = signed in, None = nobody), told apart from the guard."""

OPEN = {"anyone", "token"}
TWICE = {"phone", "phone_map", "phone_progress", "facilities", "screen"}
"""Endpoints that refuse by themselves too, with the same answer: without the guard they stay closed."""

REFUSALS = {"": {302, 401}, None: {404}}

ACTIONS = {"comparison-markup.data": "compare"}
"""Action of a callback; `map` where it is not named."""


def endpoints_of(app):
    served = {rule.endpoint for rule in app.server.url_map.iter_rules()}
    return {name: what for name, what in ENDPOINTS.items() if name in served}


def without(action):
    """Somebody who is signed in but may not do it; nobody at all where every account may."""
    # A wall is kept out of everything but its own page, whatever an endpoint asks for.
    others = [role for role in city.ROLES if role != WALL]
    roles = [role for role in others if matrix().right(action, role).reach == "-"]
    return city.scope_of(roles[-1]) if roles else None


class Prey:
    """One sound application, asked by whom the test chooses."""

    def __init__(self, home) -> None:
        self.town = Town(home)
        self.chosen = Chosen()
        self.limits = Limits(in_flight=50, burst=1e9)
        self.app = create_app(
            self.town.settings, self.town.stores[0], provider=self.chosen, limits=self.limits
        )
        self.chosen.scope_now = city.scope_of("leader")
        self.attacker = Attacker(self.app, "leader")

    def open(self, method, path, scope, **more):
        self.chosen.scope_now = scope
        browser = self.app.server.test_client()
        return browser.open(path, method=method, headers=HTML | more.pop("headers", {}), **more)

    def call(self, what, values, role, *, changed=()):
        self.chosen.scope_now = city.scope_of(role)
        found = self.attacker.call(what, values, changed=changed)
        return type(found)(role, what, "", found.answer)


@pytest.fixture(scope="module")
def prey(home, tmp_path_factory):
    return Prey(linked(home, tmp_path_factory.mktemp("mutants") / "home"))


def violations(prey):
    """What the attack finds, one sentence each; the cheap ones first."""
    yield from doors(prey)
    yield from callbacks(prey)
    yield from forgeries(prey)
    yield from figures(prey)
    yield from files(prey)


def doors(prey):
    for name, (method, path, action) in endpoints_of(prey.app).items():
        askers = [(None, {404} if action is None else {302, 401, 403})]
        if action:
            askers.append((without(action), {302, 401, 403}))
        if action is None:
            askers.append((city.scope_of("leader"), {404}))
        for scope, refusals in askers:
            status = prey.open(method, path, scope).status_code
            if status not in refusals:
                yield f"{name} answers {status} to {scope.user if scope else 'nobody'}"


def callbacks(prey):
    for what in CALLBACKS:
        status = prey.call(what, {}, "system_admin").answer.status_code
        if status != 403:
            yield f"callback {what} answers {status} to a system administrator"


def forgeries(prey):
    prey.chosen.scope_now = city.scope_of("leader")
    body = body_of(prey.app, MAPS, {"url.search": ""})
    wrong = (
        body | {"changedPropIds": ["map-view.data"]},
        body | {"outputs": []},
        body | {"state": []},
    )
    for one in wrong:
        if prey.attacker.client.post(guard.CALLBACKS, json=one).status_code != 400:
            yield "a body that no page sends is answered"
    foreign = {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}
    for headers in foreign:
        if (
            prey.attacker.client.post(guard.CALLBACKS, json=body, headers=headers).status_code
            != 403
        ):
            yield f"a page of another origin is answered: {headers}"
    if prey.call(PANELS, {"panels-address.data": 7}, "leader").answer.status_code != 400:
        yield "a value of another type reaches a callback"
    prey.chosen.scope_now = city.scope_of("township")
    if prey.open("POST", "/export", prey.chosen.scope_now, data=EXPORT).status_code != 400:
        yield "a form without a token is taken"
    for _ in range(50):
        prey.limits.enter("red-leader")
    if prey.call(PANELS, {}, "leader").answer.status_code != 429:
        yield "a user's share has no end"
    for _ in range(50):
        prey.limits.leave("red-leader", 1e18)


EXPORT = {"format": "csv", "reason": REASON}


def figures(prey):
    sibling = {"url.search": "?area=9902007", "panels-address.data": "?area=9902007"}
    area = {"kind": "hover", "layer": "areas", "level": "grid", "index": 84}
    for role in ("leader", "township", "grid_chief"):  # the wider first: caches are warm then
        for what, values in ((MAPS, sibling), (PANELS, sibling), (HOVER, {"map-hover.data": area}),
                             (MAPS, {"url.search": "?layer=cells"})):  # fmt: skip
            call = prey.call(what, values, role)
            if found := leaks(call, what):
                yield f"{role} sees {sorted(found)[:3]} in {what}"
    names = prey.open("GET", "/names/b1/grid.json", city.scope_of("grid_chief"))
    if city.canary("grid", 84) in names.text:
        yield "a grid chief gets the names of the city"
    chief = cells.register(city.scope_of("grid_chief"), prey.town.stores[0].current(), 8)
    whole = cells.register(city.scope_of("leader"), prey.town.stores[0].current(), 8)
    if len(chief.numbers) == len(whole.numbers):
        yield "a grid chief gets the cells of the city"
    for area in ("?area=9903022", ""):
        public = prey.call(PANELS, {"panels-address.data": area}, "public")
        if public.answer.status_code == 200 and found_words(public, but=named()):
            yield "the public sees names of communities"
        told = found_counts(public) & exact_today()
        if told:
            yield f"the public sees counts that are not released: {sorted(told)[:3]}"


def named():
    from tests.redteam.judging import named_to_public

    return named_to_public()


def exact_today():
    """Sums of the newest weeks, which no release tells yet."""
    newest = city.weighed()
    newest = newest[newest["period_start"] == city.LAST]
    return {int(newest["weight"].sum()), *newest.groupby("county")["weight"].sum().astype(int)}


def files(prey):
    """Exports: a reason is asked for, and only the areas are in it for which exports were given."""
    mixed = Scope(
        "red-mixed", frozenset({city.ROLES["township"], Grant("grid_chief", "grid", "9904007")})
    )
    for scope, reason, wanted in ((mixed, "", 400), (mixed, REASON, 200)):
        prey.chosen.scope_now = scope
        browser = prey.app.server.test_client()
        browser.set_cookie("pingan_session", "of-nobody")
        page = browser.get("/export", headers=HTML).text
        token = re.search(r'name="form_token" value="([^"]*)"', page)[1]
        data = {"form_token": token, "format": "csv", "reason": reason}
        answer = browser.post("/export?area=9904007", data=data, headers=HTML)
        if answer.status_code != wanted:
            yield f"an export is answered {answer.status_code}, not {wanted}"
        if answer.status_code == 200 and city.canary("grid", 6) in answer.text:
            yield "an export holds an area for which no export was given"


def test_the_attack_finds_nothing_in_the_sound_application(prey):
    assert list(violations(prey)) == []


def test_the_attack_knows_every_endpoint(prey):
    served = {rule.endpoint for rule in prey.app.server.url_map.iter_rules()}
    closed = {name for name in served if guard.PERMISSIONS[name] not in OPEN} - {"static"}
    assert closed == set(endpoints_of(prey.app))


@pytest.mark.parametrize("weaker", ["anyone", "signed in"])
@pytest.mark.parametrize("name", ENDPOINTS)
def test_an_endpoint_that_loses_its_action_is_found(prey, monkeypatch, name, weaker):
    if name not in endpoints_of(prey.app):
        pytest.skip("not served here")
    if ENDPOINTS[name][2] in {"", "account"} and weaker == "signed in":
        pytest.skip("every account may do this")
    monkeypatch.setitem(guard.PERMISSIONS, name, weaker)
    assert bool(next(doors(prey), None)) == (name not in TWICE)


@pytest.mark.parametrize("what", CALLBACKS)
def test_a_callback_that_asks_for_no_right_is_found(prey, monkeypatch, what):
    body = body_of(prey.app, what, {})
    real, seen = access.require, []

    def lax(scope, action):
        from flask import request

        seen.append(action)
        is_it = (request.get_json(silent=True) or {}).get("output") == body["output"]
        return None if is_it else real(scope, action)

    monkeypatch.setattr(guard, "require", lax)
    assert next(callbacks(prey), "").startswith(f"callback {what}")
    assert set(seen) == {ACTIONS.get(one, "map") for one in CALLBACKS[: CALLBACKS.index(what) + 1]}


def everywhere(scope, action):
    decision = access_decide(scope, action)
    return access.Decision(
        decision.is_allowed, frozenset({("city", "*")}), decision.edition, decision.needs_reason
    )


access_decide = access.decide

MUTANTS = {
    "areas are not asked for": [(access, "decide", everywhere)],
    "areas cover the whole city": [(access, "covered", lambda _granted, areas: np.ones(len(areas), bool))],
    "cells are not asked for": [(cells, "decide", everywhere)],
    "caches know no scope": [(cache, "_key", lambda _s, snapshot, rest, kwargs: (snapshot.id, *rest, *kwargs.items()))],
    "everybody is the leader": [(guard, "current_scope", lambda: city.scope_of("leader"))],
    "bodies are not compared": [(guard.Guard, "_check_call", lambda _self: None)],
    "origins are not looked at": [(guard, "_check_origin", lambda: None)],
    "forms need no token": [(form_tokens.Forms, "check_token", lambda _self: None)],
    "shares have no end": [(guard.Guard, "_take_share", lambda _self, _user: None)],
    "refusals are forgotten": [(guard, "require", access_decide)],
    "nobody is somebody": [(guard, "challenge", lambda _request, **_more: None)],
    "exports take every right along": [("dashboard.pages.export", "narrowed", lambda scope, _action: scope)],
    "no reason is asked for": [
        ("dashboard.pages.export", "decide", lambda _scope, _action: access.Decision(is_allowed=True))
    ],
    "an edition is not told from exact figures": [
        (queries, "exact", lambda _scope: None),
        (Scope, "is_protected", property(lambda _scope: False)),
        (Scope, "sees_areas", property(lambda scope: scope.sight.is_allowed)),
        (access, "decide", everywhere),
    ],
}  # fmt: skip
"""Guards taken away: where each stands, and what stands there instead."""


@pytest.mark.parametrize("name", MUTANTS)
def test_a_guard_that_is_taken_away_is_found(home, tmp_path, monkeypatch, name):
    import importlib

    for place, what, instead in MUTANTS[name]:
        module = importlib.import_module(place) if isinstance(place, str) else place
        assert hasattr(module, what)
        monkeypatch.setattr(module, what, instead)
    # Its own home: what a mutant has cached must not reach the sound application.
    assert next(violations(Prey(linked(home, tmp_path / "home"))), None)


def test_an_endpoint_that_nobody_declared_stops_the_start(settings, store, monkeypatch):
    real = startup.check_app

    def with_more(app, *rest):
        app.server.add_url_rule("/more", "more", lambda: "figures")
        real(app, *rest)

    monkeypatch.setattr(startup, "check_app", with_more)
    with pytest.raises(UnguardedError, match="more"):
        create_app(settings, store)


def test_a_callback_past_the_guard_stops_the_start(settings, store, monkeypatch):
    real = startup.check_app

    def with_more(app, *rest):
        app.callback(Output("kpis", "title"), Input("url", "search"))(lambda search: search)
        real(app, *rest)

    monkeypatch.setattr(startup, "check_app", with_more)
    with pytest.raises(UnguardedError, match=r"kpis\.title"):
        create_app(settings, store)


@pytest.mark.parametrize("name", guard.PERMISSIONS)
def test_an_endpoint_that_is_struck_from_the_list_stops_the_start(prey, monkeypatch, name):
    served = {rule.endpoint for rule in prey.app.server.url_map.iter_rules()}
    if name not in served:
        pytest.skip("not served here")
    monkeypatch.delitem(guard.PERMISSIONS, name)
    checker = guard.Guard.__new__(guard.Guard)
    checker._app, checker._contracts = prey.app, dict.fromkeys(prey.app.callback_map)
    with pytest.raises(UnguardedError, match=re.escape(name)):
        checker.check()


def test_an_unknown_action_stops_the_start(settings, store, monkeypatch):
    monkeypatch.setitem(guard.PERMISSIONS, "users", "users_raed")
    with pytest.raises(UnguardedError, match="users_raed"):
        create_app(settings, store)
