import datetime as dt

import numpy as np
import pytest

from dashboard.areas import Area, hierarchy
from dashboard.screen import facts, story
from dashboard.screen.queue import queue_of, warned_place
from dashboard.screen.spark import spark
from dashboard.text import Words
from data.access import Grant, NotVisibleError, Scope

LEADER = Scope("leader", frozenset({Grant("leader")}))
TOWNSHIP = Scope("town", frozenset({Grant("township", "township", "9902006")}))
ZH = Words("zh")


@pytest.fixture
def board(snapshot):
    return facts.board(LEADER, snapshot, Area("city", 0))


def cards(snapshot, board):
    return {one.name: one for one in story.cards(snapshot, board, None, ZH)}


def test_the_incidents_of_the_week_are_the_stored_ones(snapshot, board):
    ((count,),) = snapshot.rows(
        "SELECT sum(count) FROM area_counts_city WHERE period_start = ? AND area_index = 0",
        [snapshot.manifest.last_period],
    )
    assert cards(snapshot, board)["incidents"].value == f"{count:,d}"


def test_the_index_is_the_stored_one_and_the_change_that_of_printed_figures(snapshot, board):
    stored = snapshot.query(
        "SELECT area_index, safety_index FROM area_index WHERE level = 'county' AND period_end = ?",
        [snapshot.manifest.last_period],
    ).set_index("area_index")["safety_index"]
    assert board.ranking
    for one in board.ranking:
        if one.index is not None:
            assert one.index == pytest.approx(stored.loc[one.area.index])
        if one.moved is not None:
            assert one.moved == pytest.approx(round(one.moved, 1))


def test_grey_areas_come_last_and_have_no_figure(board):
    known = [one.index is not None for one in board.ranking]
    assert known == sorted(known, reverse=True)
    assert board.grey == sum(one.colour == 0 for one in board.ranking)
    assert all(one.index is None for one in board.ranking if one.colour == 0)


def test_a_share_is_printed_with_its_whole(snapshot, board):
    card = cards(snapshot, board)["resolved"]
    assert f"{board.cohort.received:,d}" in card.detail
    assert f"{board.cohort.resolved:,d}" in card.detail
    assert card.value == f"{board.cohort.resolved / board.cohort.received:.1%}"


def test_clocks_are_not_added_up(snapshot, board):
    overdue = [one.overdue for one in board.clocks]
    assert cards(snapshot, board)["deadlines"].value.replace(",", "") in map(str, overdue)


def test_no_warnings_are_shown_to_who_may_not_read_them(snapshot, board):
    assert "warnings" not in cards(snapshot, board)
    public = Scope("link", frozenset({Grant("public")}))
    assert (
        queue_of(public, snapshot, Area("city", 0), "county", None, dt.datetime.now(dt.UTC)) is None
    )


def test_an_area_of_another_is_refused(snapshot):
    with pytest.raises(NotVisibleError):
        facts.board(TOWNSHIP, snapshot, Area("city", 0))
    with pytest.raises(NotVisibleError):
        warned_place(TOWNSHIP, snapshot, Area("city", 0))
    top = hierarchy(TOWNSHIP, snapshot).top()
    own = facts.board(TOWNSHIP, snapshot, top)
    visible = hierarchy(TOWNSHIP, snapshot).at(own.level).visible
    assert all(visible[one.area.index] for one in own.ranking)


def test_the_city_is_called_as_in_warnings(snapshot):
    assert warned_place(LEADER, snapshot, Area("city", 0)) == ("city", "*")
    top = hierarchy(TOWNSHIP, snapshot).top()
    assert warned_place(TOWNSHIP, snapshot, top) == ("township", "9902006")


def test_a_silent_source_is_named_first(board):
    lines = story.sources(board, ZH)
    assert lines
    marks = [line.mark == "late" for line in lines]
    assert marks == sorted(marks, reverse=True)


def test_a_length_of_time_is_told_by_its_largest_unit():
    told = [
        story.span(dt.timedelta(minutes=minutes), ZH) for minutes in (0, 59, 60, 47 * 60, 48 * 60)
    ]
    assert told == ["0 分钟", "59 分钟", "1 小时", "47 小时", "2 天"]


def test_a_line_needs_two_values_and_stays_in_its_box():
    assert spark([3]) == ""
    points = [one.split() for one in spark([0, 5, 10])[1:].split("L")]
    assert points == [["0.0", "32.0"], ["65.0", "16.0"], ["130.0", "0.0"]]
    assert spark([0, 0]).count("32.0") == 2


def test_a_change_is_that_of_the_printed_figures():
    assert facts._moved(82.14, -8.3) == pytest.approx(round(82.1 - round(82.14 - 8.3, 1), 1))
    assert facts._moved(90.0, 0.0) == pytest.approx(0.0)
    assert np.sign(facts._moved(82.0, 1.0)) == -1
