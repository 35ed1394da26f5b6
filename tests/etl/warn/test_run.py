"""Episodes: what opens, goes on, rises, ends and begins anew; a dry run sees what a run does."""

import datetime as dt

import pandas as pd
import pytest

from etl.warn.run import look, run, told
from tests.data.warnings.town import CITY, COUNTY, NOW, TOWNSHIP, act, post
from tests.etl.warn.made import MONDAY, SUNDAY, Made, index, signals

WEEK = dt.timedelta(days=7)


def week(number, *colours):
    """The snapshot of a week in which areas show these colours."""
    period = MONDAY + number * WEEK
    return Made(day=SUNDAY + number * WEEK, area_index=index(*colours, period=period))


def done(warnings, snapshot, now=NOW):
    """Run; what was done, after a dry run that told the same and changed nothing."""
    before = everything(warnings)
    dry = look(snapshot, warnings, None, now)
    assert everything(warnings) == before
    made = run(snapshot, warnings, None, now)
    assert made == dry
    return made


def everything(warnings):
    found = warnings.listed(post(CITY), limit=500)
    return found + warnings.listed(post(CITY), states=["archived"], limit=500)


def finish(warnings, one, now=NOW):
    """Take a warning of the county's own through to the archive."""
    one = act(warnings, COUNTY, one, "sign", now=now)
    one = act(warnings, COUNTY, one, "close", reason="settled", now=now)
    return act(warnings, CITY, one, "archive", now=now)


RED = ("grid", "G1", 4, 1)


def test_a_condition_opens_one_warning_however_often_it_is_looked_at(warnings):
    snapshot = week(0, RED, ("grid", "G2", 2, 0))
    assert told(done(warnings, snapshot)) == "warnings: 1 opened"
    assert told(done(warnings, snapshot)) == ""
    (one,) = everything(warnings)
    assert one.fingerprint == "index|grid|G1|all|2026-11-09"
    assert (one.rule, one.owner, one.snapshot) == ("index_red", COUNTY, snapshot.id)


def test_while_it_holds_it_stays_the_same_warning(warnings):
    for number in range(2):
        done(warnings, week(number, RED))
    (one,) = everything(warnings)
    assert (one.seen_on, one.ended_on) == (MONDAY + WEEK, None)


def test_when_it_no_longer_holds_the_episode_ends_and_the_next_is_a_repeat(warnings):
    done(warnings, week(0, RED))
    assert told(done(warnings, week(1, ("grid", "G1", 1, 0)))) == "warnings: 1 ended"
    (one,) = everything(warnings)
    assert (one.state, one.ended_on) == ("new", MONDAY + WEEK)
    assert told(done(warnings, week(1, ("grid", "G1", 1, 0)))) == ""
    done(warnings, week(2, RED))
    assert [x.repeats for x in sorted(everything(warnings), key=lambda x: x.id)] == [1, 2]


def test_grey_neither_begins_nor_ends_an_episode(warnings):
    done(warnings, week(0, RED))
    assert told(done(warnings, week(1, ("grid", "G1", 0, 0)))) == ""
    done(warnings, week(2, RED))
    assert len(everything(warnings)) == 1


def test_a_table_that_is_not_stored_tells_nothing(warnings):
    done(warnings, week(0, RED))
    made = done(warnings, Made(day=SUNDAY + WEEK))
    assert told(made) == ""
    assert "index_red" in made.plan.silent


def test_what_was_archived_is_not_opened_again_by_the_same_data(warnings):
    done(warnings, week(0, RED))
    finish(warnings, everything(warnings)[0])
    assert told(done(warnings, week(0, RED))) == ""
    assert told(done(warnings, week(1, RED))) == "warnings: 1 opened"
    assert everything(warnings)[0].repeats == 2


def test_the_ladder_of_repeats_climbs_and_forgets(warnings):
    owners = []
    for number in range(5):
        done(warnings, week(number, RED))
        one = everything(warnings)[0]
        owners.append((one.repeats, one.measure, one.owner.level))
        finish_as(warnings, one)
    assert owners == [
        (1, "", "county"), (2, "", "county"), (3, "notice", "city"), (4, "talk", "city"),
        (5, "further", "city"),
    ]  # fmt: skip
    done(warnings, week(12, RED))
    assert everything(warnings)[0].repeats == 1


def finish_as(warnings, one):
    owner = one.owner
    one = act(warnings, owner, one, "sign")
    one = act(warnings, owner, one, "close", reason="settled")
    act(warnings, CITY, one, "archive")


def test_three_reds_running_raise_the_warning_that_is_still_open(warnings):
    done(warnings, week(0, RED))
    done(warnings, week(1, ("grid", "G1", 4, 2)))
    made = done(warnings, week(2, ("grid", "G1", 4, 3)))
    assert told(made) == "warnings: 1 raised"
    (one,) = everything(warnings)
    assert (one.measure, one.owner, one.repeats) == ("notice", CITY, 3)
    assert told(done(warnings, week(2, ("grid", "G1", 4, 3)))) == ""


def test_orange_that_turns_red_is_the_same_warning_raised(warnings):
    done(warnings, week(0, ("township", "T1", 3, 0)))
    assert everything(warnings)[0].owner == TOWNSHIP
    assert told(done(warnings, week(1, ("township", "T1", 4, 1)))) == "warnings: 1 raised"
    (one,) = everything(warnings)
    assert (one.colour, one.rule, one.owner, one.state) == (4, "index_red", COUNTY, "escalated")


def test_each_group_has_an_episode_of_its_own(warnings):
    tables = signals(("grid", "G1", "police", 4, SUNDAY), ("grid", "G1", "hazards", 3, SUNDAY))
    assert told(done(warnings, Made(**tables))) == "warnings: 2 opened"
    assert {(one.group, one.colour) for one in everything(warnings)} == {
        ("police", 4), ("hazards", 3),
    }  # fmt: skip


def test_a_signal_opens_anew_only_when_it_is_reached_anew(warnings):
    done(warnings, Made(**signals(("grid", "G1", "police", 4, SUNDAY))))
    finish(warnings, everything(warnings)[0])
    day = SUNDAY + dt.timedelta(days=1)
    still = signals(("grid", "G1", "police", 4, SUNDAY), day=day)
    assert told(done(warnings, Made(day=day, **still))) == ""
    again = signals(("grid", "G1", "police", 4, day), day=day)
    assert told(done(warnings, Made(day=day, **again))) == "warnings: 1 opened"


def test_a_run_escalates_before_it_opens(warnings):
    done(warnings, week(0, RED))
    later = NOW + dt.timedelta(days=2)
    made = done(warnings, week(1, RED, ("grid", "G2", 4, 1)), now=later)
    assert told(made) == "warnings: 1 opened, 1 escalated"
    assert sorted((one.state, one.owner) for one in everything(warnings)) == [
        ("escalated", CITY), ("new", COUNTY),
    ]  # fmt: skip


def test_a_run_that_is_killed_half_way_is_finished_by_the_next(warnings, monkeypatch):
    snapshot = week(0, RED, ("grid", "G2", 4, 1), ("grid", "G3", 4, 1))
    opening, count = warnings.open, 0

    def struck(**fields):
        nonlocal count
        count += 1
        if count == 2:
            raise KeyboardInterrupt
        return opening(**fields)

    monkeypatch.setattr(warnings, "open", struck)
    with pytest.raises(KeyboardInterrupt):
        run(snapshot, warnings, None, NOW)
    assert len(everything(warnings)) == 1
    monkeypatch.setattr(warnings, "open", opening)
    assert told(done(warnings, snapshot)) == "warnings: 2 opened"
    assert len(everything(warnings)) == 3


def test_an_empty_table_is_no_news(warnings):
    assert told(done(warnings, Made(area_index=pd.DataFrame(index(RED)).iloc[:0]))) == ""
