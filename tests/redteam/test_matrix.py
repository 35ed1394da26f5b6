"""Nobody receives a byte about an area outside the scope: every role, callback, route and area."""

import pytest

from data.access import decide
from data.permissions import PUBLIC, WALL
from tests.redteam import city
from tests.redteam.attack import (
    COMPARE,
    Attacker,
    about,
    app_of,
    films,
    found_counts,
    found_words,
    routes,
)
from tests.redteam.judging import above, relatives

EXACT = [
    role
    for role in city.ROLES
    if role not in (PUBLIC, WALL, *("system_admin", "security_admin", "audit_admin"))
]


# Each role is a group of its own: together they would keep one process busy for minutes.
@pytest.fixture(
    scope="module",
    params=[
        pytest.param(role, marks=pytest.mark.xdist_group(f"matrix-{role}")) for role in city.ROLES
    ],
)
def attacker(request, settings, store):
    return Attacker(app_of(settings, store, request.param), request.param)


@pytest.mark.parametrize("target", city.TARGETS)
def test_no_callback_tells_of_a_foreign_area(attacker, target):
    _check(attacker, about(attacker, target))


def test_no_film_tells_of_a_foreign_area(attacker):
    _check(attacker, films(attacker, city.TARGETS))


def _check(attacker, calls):
    scope = city.scope_of(attacker.role)
    for call in calls:
        status = call.answer.status_code
        assert status in (200, 204, 403), (call.what, status)
        # A wall reads the same figures, by its own page alone.
        is_shut = attacker.role == WALL or not decide(scope, "map").is_allowed
        assert (status == 403) == is_shut, call.what
        if attacker.role == PUBLIC or status == 403:
            continue
        may_name = relatives(attacker.role) if call.what == COMPARE else frozenset()
        assert not found_words(call, but=may_name), call.what
        if call.what != COMPARE:
            assert not found_counts(call), call.what


def test_no_route_tells_of_a_foreign_area(attacker):
    for call in routes(attacker):
        assert call.answer.status_code < 500, call.what
        if attacker.role == PUBLIC or call.what == "/audit":
            continue  # an account's own entries hold the addresses that it has asked for
        # An account is told where its own areas lie.
        may_name = above(attacker.role) if call.what == "/account" else frozenset()
        assert not found_words(call, but=may_name), call.what
        assert not found_counts(call), call.what


def test_the_check_would_see_a_foreign_area(settings, store):
    leader = Attacker(app_of(settings, store, "leader"), "grid_chief")
    calls = list(about(leader, city.OWN["county"]))
    assert any(found_words(call) for call in calls)
    assert any(found_counts(call) for call in calls)
