"""Steps: who may, the lock, keys, scope, batches, escalation."""

import datetime as dt

import pytest

from data.access import NOBODY, DeniedError, Grant, NotVisibleError, Scope
from data.warnings import StaleError, StepError, Unit, Warnings
from data.warnings.rights import choices
from tests.data.warnings.town import (
    ANALYST,
    CHIEF,
    CITY,
    COMMUNITY,
    COUNTY,
    LEADER,
    NOW,
    OUTSIDER,
    TOWNSHIP,
    TREE,
    act,
    closed,
    key,
    opened,
    post,
)

HOUR = dt.timedelta(hours=1)
DAY = 24 * HOUR


def test_a_life_from_the_opening_to_the_archive(warnings):
    one = act(warnings, COMMUNITY, closed(warnings), "archive")
    assert (one.state, one.due_at, one.due_clock) == ("archived", None, "")
    history = warnings.steps(post(CHIEF), one.id)
    assert [step.step for step in history] == [
        "open",
        "assign",
        "sign",
        "start",
        "close",
        "archive",
    ]
    assert [step.number for step in history] == [1, 2, 3, 4, 5, 6]
    assert [step.before for step in history][1:] == [step.after for step in history][:-1]
    assert history[4].reason == "settled"
    assert not warnings.listed(post(COUNTY))
    assert warnings.listed(post(COUNTY), states=["archived"]) == [one]


def test_each_stage_has_its_clock_and_work_begun_keeps_the_one_of_signing(warnings):
    one = act(warnings, COMMUNITY, opened(warnings, colour=1), "assign", to_unit=CHIEF)
    assert (one.due_clock, one.due_at) == ("sign", NOW + 2 * DAY)
    one = act(warnings, CHIEF, one, "sign", now=NOW + DAY)
    assert (one.due_clock, one.due_at) == ("handle", NOW + 4 * DAY)
    one = act(warnings, CHIEF, one, "start", now=NOW + 2 * DAY)
    assert (one.due_clock, one.due_at) == ("handle", NOW + 4 * DAY)
    one = act(warnings, CHIEF, one, "close", reason="settled", now=NOW + 3 * DAY)
    assert (one.due_clock, one.due_at) == ("archive", NOW + 10 * DAY)


def test_the_loser_is_told_how_it_stands(warnings):
    one = opened(warnings)
    won = act(warnings, COMMUNITY, one, "assign", to_unit=CHIEF)
    with pytest.raises(StaleError, match=r"it is assigned, version 2") as error:
        act(warnings, TOWNSHIP, one, "assign", to_unit=COMMUNITY)
    assert error.value.present == won
    assert len(warnings.steps(post(COUNTY), one.id)) == 2


def test_the_same_key_is_the_same_step_whatever_has_happened_since(warnings):
    one, press = opened(warnings), key()
    first = act(warnings, COMMUNITY, one, "assign", to_unit=CHIEF, key=press)
    assert act(warnings, COMMUNITY, one, "assign", to_unit=CHIEF, key=press) == first
    signed = act(warnings, CHIEF, first, "sign")
    assert act(warnings, COMMUNITY, one, "assign", to_unit=CHIEF, key=press) == signed
    assert len(warnings.steps(post(COUNTY), one.id)) == 3


def test_a_key_is_of_one_step_and_one_hand(warnings):
    one, press = opened(warnings), key()
    two = act(warnings, COMMUNITY, one, "sign", key=press)
    with pytest.raises(StepError, match="another step"):
        act(warnings, COMMUNITY, two, "start", key=press)
    with pytest.raises(StepError, match="another step"):
        act(warnings, TOWNSHIP, two, "sign", key=press)
    for wrong in ("short", "x" * 65, "open:0000", "weiß-und-blau"):
        with pytest.raises(StepError, match="8 to 64"):
            act(warnings, COMMUNITY, two, "start", key=wrong)
    other = opened(warnings, "b")
    assert act(warnings, COMMUNITY, other, "sign", key=press).state == "signed"


def test_a_key_tells_nothing_to_whoever_does_not_see_the_warning(warnings):
    one, press = opened(warnings), key()
    act(warnings, COMMUNITY, one, "sign", key=press)
    with pytest.raises(NotVisibleError):
        act(warnings, OUTSIDER, one, "sign", key=press)


@pytest.mark.parametrize(
    ("unit", "is_seen"),
    [
        (CHIEF, True),
        (COMMUNITY, True),
        (TOWNSHIP, True),
        (COUNTY, True),
        (CITY, True),
        (Unit("grid_chief", "grid", "G2"), False),
        (Unit("community", "community", "C2"), False),
        (Unit("township", "township", "T2"), False),
        (Unit("grid_chief", "grid", "C1"), False),
    ],
)
def test_a_warning_is_seen_from_its_area_and_those_above(warnings, unit, is_seen):
    one, scope = opened(warnings), post(unit)
    assert [found.id for found in warnings.listed(scope)] == [one.id] * is_seen
    assert bool(warnings.counts(scope)) == is_seen
    assert bool(warnings.coming_breaches(scope, NOW, 2 * DAY)) == is_seen
    for ask in (
        lambda: warnings.get(scope, one.id).id,
        lambda: len(warnings.steps(scope, one.id)),
    ):
        if is_seen:
            assert ask() == 1
        else:
            with pytest.raises(NotVisibleError, match="there is no warning 1"):
                ask()
    if not is_seen:
        with pytest.raises(NotVisibleError, match="there is no warning 1"):
            act(warnings, scope, one, "sign")


def test_unknown_and_foreign_warnings_look_alike(warnings):
    one = opened(warnings)
    said = []
    for number in (one.id, one.id + 1):
        with pytest.raises(NotVisibleError) as error:
            warnings.get(OUTSIDER, number)
        said.append(str(error.value).replace(str(number), "N"))
    assert said[0] == said[1]


def test_nobody_reads_and_readers_without_the_right_do_not_act(warnings):
    one = opened(warnings)
    with pytest.raises(DeniedError):
        warnings.listed(NOBODY)
    for scope in (LEADER, ANALYST):
        assert warnings.get(scope, one.id) == one
        assert choices(scope, one) == ()
        with pytest.raises(DeniedError):
            act(warnings, scope, one, "sign")


def test_only_the_owner_signs_and_only_from_above_it_is_filed(warnings):
    one = opened(warnings)
    for unit in (CHIEF, TOWNSHIP, COUNTY, Unit("command", "community", "C1")):
        with pytest.raises(DeniedError):
            act(warnings, unit, one, "sign")
    done = closed(warnings, "b")
    with pytest.raises(DeniedError):
        act(warnings, CHIEF, done, "archive")
    assert act(warnings, COUNTY, done, "archive").state == "archived"


def test_at_the_top_the_owner_files_what_it_has_closed(warnings):
    one = opened(warnings, level="city", code="1", owner=CITY)
    one = act(warnings, CITY, act(warnings, CITY, one, "sign"), "close", reason="no_risk")
    assert choices(post(CITY), one) == ("archive", "reject")
    assert act(warnings, CITY, one, "archive").state == "archived"


def test_the_choices_are_what_act_allows(warnings):
    one = opened(warnings)
    assert choices(post(COMMUNITY), one) == ("assign", "sign", "escalate")
    assert choices(post(TOWNSHIP), one) == ("assign", "escalate")
    assert choices(post(CHIEF), one) == ()


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        (None, "a unit is named"),
        (Unit("leader", "grid", "G1"), "no such unit"),
        (Unit("grid_chief", "grid", "G9"), "no such unit"),
        (Unit("grid_chief", "moon", "G1"), "no such unit"),
        (Unit("grid_chief", "grid", "G2"), "nothing to do with"),
        (Unit("township", "township", "T2"), "nothing to do with"),
    ],
)
def test_a_warning_is_assigned_to_a_unit_of_its_place_only(warnings, unit, said):
    with pytest.raises(StepError, match=said):
        act(warnings, COMMUNITY, opened(warnings), "assign", to_unit=unit)


def test_nobody_assigns_above_the_own_areas(warnings):
    with pytest.raises(DeniedError):
        act(warnings, COMMUNITY, opened(warnings), "assign", to_unit=TOWNSHIP)


def test_a_unit_within_the_area_can_own_it_and_then_sees_it(warnings):
    one = opened(warnings, level="township", code="T1", owner=TOWNSHIP)
    chief = post(CHIEF)
    assert not warnings.listed(chief)
    one = act(warnings, TOWNSHIP, one, "assign", to_unit=CHIEF)
    assert warnings.listed(chief) == warnings.listed(chief, owner=CHIEF) == [one]
    press = key()
    back = act(warnings, chief, one, "return", reason="not_ours", key=press)
    assert (back.state, back.owner) == ("returned", TOWNSHIP)
    assert not warnings.listed(chief)
    # Pressed again it is still answered, though the warning is out of sight now.
    assert act(warnings, chief, one, "return", reason="not_ours", key=press) == back


def test_a_reason_of_the_list_goes_into_the_history(warnings):
    one = act(warnings, COMMUNITY, opened(warnings), "sign")
    for wrong in (None, "because", "overdue"):
        with pytest.raises(StepError, match="needs one of"):
            act(warnings, COMMUNITY, one, "close", reason=wrong)
    with pytest.raises(StepError, match="needs no reason"):
        act(warnings, COMMUNITY, one, "start", reason="settled")
    act(warnings, COMMUNITY, one, "close", reason="watched")
    assert warnings.steps(post(COUNTY), one.id)[-1].reason == "watched"


def test_what_is_sent_back_goes_to_whoever_assigned_it_with_new_time(warnings):
    done = closed(warnings)
    back = act(warnings, TOWNSHIP, done, "reject", reason="still_there", now=NOW + 9 * DAY)
    assert (back.state, back.owner) == ("returned", COMMUNITY)
    assert back.due_at == NOW + 10 * DAY


def test_a_batch_answers_for_each_warning(warnings):
    names = "abcde"
    one, two, three, four, five = (opened(warnings, name) for name in names)
    act(warnings, COMMUNITY, two, "sign")
    three = act(warnings, COMMUNITY, three, "sign")
    five = opened(warnings, "f", level="grid", code="G3", owner=None, colour=1)
    wanted = {one.id: 1, two.id: 1, three.id: three.version, four.id: 1, five.id: 1, 999: 1}
    press = key()
    for _ in range(2):  # the second is the same press
        done = warnings.act_on_many(
            post(COMMUNITY), wanted, step="assign", key=press, to_unit=CHIEF, now=NOW
        )
        assert [(one.id, one.error) for one in done] == [
            (one.id, ""), (two.id, "stale"), (three.id, "step"), (four.id, ""),
            (five.id, "unknown"), (999, "unknown"),
        ]  # fmt: skip
    assert done[1].warning.state == "signed"
    denied = warnings.act_on_many(
        LEADER, {four.id: 2}, step="assign", key=key(), to_unit=CHIEF, now=NOW
    )
    assert denied[0].error == "denied"
    with pytest.raises(ValueError, match="at most 100"):
        warnings.act_on_many(post(COMMUNITY), dict.fromkeys(range(101), 1), step="sign",
                             key=key(), now=NOW)  # fmt: skip


def test_the_queue_is_by_urgency_and_can_be_narrowed_and_paged(warnings):
    late = opened(warnings, "late", now=NOW + 3 * HOUR)
    soon = opened(warnings, "soon", now=NOW, colour=4)
    other = opened(warnings, "else", code="G3", owner=CHIEF, now=NOW + HOUR)
    done = closed(warnings, "done")
    city = post(CITY)
    queue = [soon, other, late, done]
    assert warnings.listed(city) == queue
    pages, after = [], None
    while page := warnings.listed(city, after=after, limit=1):
        pages += page
        after = page[-1].id
    assert pages == queue
    assert warnings.listed(city, colours=[4]) == [soon]
    assert warnings.listed(city, states=["closed"]) == [done]
    assert warnings.listed(city, states=[]) == []
    assert warnings.listed(city, area=("community", "C2")) == [other]
    assert warnings.listed(city, owner=COMMUNITY) == [soon, late]
    assert warnings.counts(city) == {("new", 3): 2, ("new", 4): 1, ("closed", 3): 1}


def test_a_filter_never_widens_the_scope(warnings):
    opened(warnings)
    assert not warnings.listed(OUTSIDER, owner=COMMUNITY)
    assert not warnings.listed(OUTSIDER, area=("grid", "G1"))
    assert not warnings.listed(OUTSIDER, area=("city", "*"), states=["new"], colours=[3])


def test_coming_breaches_are_those_within_the_time(warnings):
    one = opened(warnings)
    due, scope = one.due_at, post(COUNTY)
    assert warnings.coming_breaches(scope, due - 6 * HOUR, 6 * HOUR) == [one]
    assert warnings.coming_breaches(scope, due - 7 * HOUR, 6 * HOUR) == []
    assert warnings.coming_breaches(scope, due + HOUR, 6 * HOUR) == []


def test_a_clock_that_runs_out_moves_it_one_unit_up_each_time_and_ends_at_the_top(warnings):
    one, now, chain = opened(warnings, owner=CHIEF), NOW, []
    for _ in range(6):
        now += DAY + HOUR
        chain += [found.owner for found in warnings.escalate_due(now)]
        assert not warnings.escalate_due(now)
    assert chain == [COMMUNITY, TOWNSHIP, COUNTY, CITY]
    last = warnings.get(post(CITY), one.id)
    assert (last.state, last.tiers, last.is_overdue(now)) == ("escalated", 4, True)
    steps = warnings.steps(post(CITY), one.id)[1:]
    assert {(step.step, step.reason, step.by) for step in steps} == {("escalate", "overdue", "")}


def test_nothing_escalates_before_its_time_nor_once_closed(warnings):
    one = opened(warnings)
    assert not warnings.escalate_due(one.due_at)
    done = closed(warnings, "b")
    assert not [x for x in warnings.escalate_due(done.due_at + HOUR) if x.id == done.id]


def test_an_escalation_that_somebody_beat_is_left(warnings, monkeypatch):
    one = opened(warnings)
    late = warnings.late(NOW + 2 * DAY)
    act(warnings, COMMUNITY, one, "assign", to_unit=CHIEF, now=NOW + 2 * DAY)
    monkeypatch.setattr(warnings, "late", lambda _now: late)
    assert warnings.escalate_due(NOW + 2 * DAY) == []
    assert warnings.get(post(CHIEF), one.id).state == "assigned"


def test_a_unit_asks_the_one_above_for_help(warnings):
    one = act(warnings, COMMUNITY, opened(warnings), "escalate", reason="cross_border")
    assert (one.state, one.owner, one.tiers) == ("escalated", TOWNSHIP, 1)
    top = opened(warnings, "b", level="city", code="1", owner=CITY)
    with pytest.raises(StepError, match="no unit above"):
        act(warnings, CITY, top, "escalate", reason="beyond_means")


class Log:
    """An audit that remembers, and can be full."""

    def __init__(self) -> None:
        self.rows, self.is_full = [], False

    def write(self, **row):
        if self.is_full:
            raise RuntimeError("full")
        self.rows.append(row)


def test_every_step_is_recorded_first_and_refusals_too(database):
    log = Log()
    kept = Warnings(database, tree=lambda: TREE, audit=log)
    one = opened(kept)
    opened(kept)
    one = act(kept, COMMUNITY, one, "sign")
    with pytest.raises(DeniedError):
        act(kept, LEADER, one, "start")
    with pytest.raises(NotVisibleError):
        act(kept, OUTSIDER, one, "start")
    kept.escalate_due(NOW + 9 * DAY)
    told = [(row["user"], row["result"], row["detail"].split()[0].strip(":")) for row in log.rows]
    community, leader, outsider = (x.user for x in (post(COMMUNITY), LEADER, OUTSIDER))
    assert told == [
        ("", "ok", "open"),
        (community, "ok", "sign"),
        (leader, "ok", "start"),
        (leader, "denied", "start"),
        (outsider, "ok", "start"),
        (outsider, "denied", "start"),
        ("", "ok", "escalate"),
    ]
    assert {row["action"] for row in log.rows} == {"warning"}
    assert not any(one.tracking in str(row) for row in log.rows)
    log.is_full = True
    with pytest.raises(RuntimeError, match="full"):
        opened(kept, "b")
    assert len(kept.listed(post(CITY))) == 1


def test_several_grants_are_a_union(warnings):
    one = opened(warnings)
    both = Scope("two", frozenset({Grant(*CHIEF), Grant(*COMMUNITY)}))
    assert choices(both, one) == ("assign", "sign", "escalate")
    assert act(warnings, both, one, "sign").state == "signed"
