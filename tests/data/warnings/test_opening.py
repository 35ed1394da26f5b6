"""Opening: once for each episode, by the routes, with numbers and codes only."""

import datetime as dt

import pytest

from data.access import NOBODY, DeniedError, NotVisibleError
from data.warnings import Unit, Warnings
from data.warnings.kinds import PERSON
from tests.data.warnings.town import (
    ANALYST,
    CHIEF,
    COMMUNITY,
    COUNTY,
    LEADER,
    NOW,
    OUTSIDER,
    TOWNSHIP,
    TREE,
    act,
    closed,
    opened,
    post,
)

HOUR = dt.timedelta(hours=1)


def test_a_new_warning_has_owner_clocks_and_places(warnings):
    one = opened(warnings)
    assert (one.state, one.version, one.owner, one.urgency) == ("new", 1, COMMUNITY, "medium")
    assert one.due_at == NOW + dt.timedelta(days=1)
    assert one.due_clock == "assign"
    assert one.places == TREE.path("grid", "G1")
    assert one.evidence == {"risk": 61.5, "period": "2026-11-09"}
    (step,) = warnings.steps(post(CHIEF), one.id)
    assert (step.step, step.before, step.after, step.by) == ("open", "", "new", "")


def test_the_same_fingerprint_is_the_same_warning(warnings):
    one = opened(warnings)
    assert opened(warnings, now=NOW + HOUR, evidence={"risk": 70}) == one
    assert len(warnings.listed(post(COUNTY))) == 1


def test_without_an_owner_the_routes_decide(warnings):
    assert opened(warnings, owner=None, colour=3).owner == TOWNSHIP
    assert opened(warnings, "b", owner=None, colour=4).owner == COUNTY
    assert opened(warnings, "c", owner=None, colour=1).owner == CHIEF


@pytest.mark.parametrize(
    "evidence",
    [
        {"note": "王某 门前"},
        {"note": "two words"},
        {"note": "x" * 41},
        {"Note": 1},
        {"rate": float("nan")},
        {"rate": float("inf")},
        {"list": [1]},
        {f"n{at}": at for at in range(41)},
    ],
)
def test_evidence_holds_numbers_and_codes_only(warnings, evidence):
    with pytest.raises(ValueError, match="evidence"):
        opened(warnings, evidence=evidence)
    assert not warnings.listed(post(COUNTY))


def test_an_unknown_area_opens_nothing(warnings, database):
    with pytest.raises(NotVisibleError):
        opened(warnings, code="G9")
    with pytest.raises(NotVisibleError):
        opened(Warnings(database))
    assert not warnings.listed(post(COUNTY))


def test_a_higher_colour_raises_an_open_one_to_the_unit_of_its_route(warnings):
    one = act(warnings, COMMUNITY, opened(warnings), "sign")
    later = NOW + 3 * HOUR
    two = opened(warnings, colour=4, owner=COUNTY, evidence={"risk": 80}, now=later)
    assert (two.id, two.colour, two.urgency, two.version) == (one.id, 4, "high", 3)
    assert (two.owner, two.state, two.tiers) == (COUNTY, "escalated", 1)
    assert two.due_at == later + dt.timedelta(days=1)
    last = warnings.steps(post(COUNTY), one.id)[-1]
    assert (last.step, last.before, last.evidence) == ("raise", "signed", {"risk": 80})


def test_a_raised_one_never_gets_more_time_nor_a_lower_owner(warnings):
    one = opened(warnings, colour=2, owner=TOWNSHIP)
    two = opened(warnings, colour=3, owner=CHIEF, now=NOW + 23 * HOUR)
    assert (two.colour, two.owner, two.state) == (3, TOWNSHIP, "new")
    assert two.due_at == one.due_at


def test_a_lower_colour_or_a_closed_warning_is_left_alone(warnings):
    one = opened(warnings)
    assert opened(warnings, colour=2) == one
    done = closed(warnings, "b")
    assert opened(warnings, "b", colour=4) == done


def test_repeats_on_a_higher_rung_raise_it(warnings):
    one = opened(warnings, repeats=2)
    assert one.measure == ""
    two = opened(warnings, repeats=3, owner=TOWNSHIP)
    assert (two.measure, two.owner, two.repeats) == ("notice", TOWNSHIP, 3)
    assert opened(warnings, repeats=3, owner=TOWNSHIP) == two


def test_a_person_opens_one_within_the_own_areas(warnings):
    one = opened(warnings, rule=PERSON, by=post(CHIEF), owner=None, colour=2)
    assert one.owner == CHIEF
    assert warnings.steps(post(CHIEF), one.id)[0].by == post(CHIEF).user
    with pytest.raises(NotVisibleError):
        opened(warnings, "b", rule=PERSON, by=OUTSIDER)
    with pytest.raises(NotVisibleError):
        opened(warnings, "b", rule=PERSON, by=post(CHIEF), level="community", code="C1")
    for scope in (LEADER, ANALYST, NOBODY):
        with pytest.raises(DeniedError):
            opened(warnings, "b", rule=PERSON, by=scope)
    assert len(warnings.listed(post(COUNTY))) == 1


def test_the_city_is_one_place_whatever_its_code(warnings):
    one = opened(warnings, level="city", code="1", owner=None)
    assert one.places == (("city", "*"),)
    assert one.owner == Unit("command", "city", "*")


def test_a_repeat_that_raises_leaves_the_clock_of_the_urgency_alone(warnings):
    one = opened(warnings, colour=3, repeats=2)
    two = opened(warnings, colour=3, repeats=3, owner=TOWNSHIP, now=NOW + 20 * HOUR)
    signed = act(warnings, TOWNSHIP, two, "sign", now=NOW + 21 * HOUR)
    assert one.due_at == two.due_at
    assert (signed.due_clock, signed.due_at) == ("risk", NOW + dt.timedelta(days=3))
