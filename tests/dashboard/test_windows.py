"""Windows by the calendar and by hand: where they begin, how they move, what they compare with."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import answers, ids, moves, summary, windows
from dashboard.areas import hierarchy
from dashboard.inputs import BadInputError, Range, length, marked
from dashboard.map import compared, frames
from dashboard.state import ViewState
from dashboard.text import Words
from dashboard.view import settle
from data import periods
from data.access import Grant, Scope
from tests.dashboard.squares import CITY, FIRST, LAST

PUBLIC = Scope("link-1", frozenset({Grant("public")}))
MONDAYS = st.integers(0, 2_000).map(lambda n: dt.date(2000, 1, 3) + dt.timedelta(weeks=n))
MONTHS = st.integers(0, 600).map(lambda n: dt.date(2000 + n // 12, n % 12 + 1, 1))
SPANS = ("month", "quarter", "year")


def quarter(day):
    return day.year, (day.month - 1) // 3


BELONGS = {
    "month": lambda day: (day.year, day.month),
    "quarter": quarter,
    "year": lambda day: day.year,
}


@pytest.mark.parametrize("span", SPANS)
@given(end=MONDAYS)
def test_a_week_belongs_where_its_thursday_lies(span, end):
    belongs = BELONGS[span]
    first = windows.first_of(span, end, grain="week")
    thursday = dt.timedelta(days=3)
    assert first <= end
    assert first.weekday() == 0
    assert belongs(first + thursday) == belongs(end + thursday)
    assert belongs(first - dt.timedelta(weeks=1) + thursday) != belongs(end + thursday)


@given(end=MONDAYS)
def test_a_year_of_weeks_is_that_of_iso_8601(end):
    first = windows.first_of("year", end, grain="week")
    assert first.isocalendar()[:2] == (end.isocalendar().year, 1)


@pytest.mark.parametrize("span", ["quarter", "year"])
@given(end=MONTHS)
def test_months_begin_with_the_first_of_their_quarter_or_year(span, end):
    first = windows.first_of(span, end, grain="month")
    assert BELONGS[span](first) == BELONGS[span](end)
    assert first.month in {"quarter": (1, 4, 7, 10), "year": (1,)}[span]


def window(snapshot, search, scope=CITY):
    view = settle(scope, snapshot, search)
    return view.selection.window, view.notes


@pytest.mark.parametrize(
    ("search", "first", "end"),
    [
        ("?span=month", "2026-W45", "2026-W46"),
        ("?span=quarter", "2026-W40", "2026-W46"),
        ("?span=year", "2026-W01", "2026-W46"),
        ("?span=month&end=2026-W18", "2026-W14", "2026-W18"),
        ("?span=month&end=2026-W19", "2026-W19", "2026-W19"),
        ("?span=month&end=2026-W44", "2026-W40", "2026-W44"),
        ("?start=2026-W10", "2026-W10", "2026-W46"),
        ("?start=2026-W10&end=2026-W20", "2026-W10", "2026-W20"),
        ("?start=2026-W20&end=2026-W20", "2026-W20", "2026-W20"),
        ("?periods=13", "2026-W34", "2026-W46"),
        ("", "2026-W43", "2026-W46"),
    ],
)
def test_an_address_says_which_weeks(snapshot, search, first, end):
    found, notes = window(snapshot, search)
    assert notes == ()
    assert periods.label(found.start, grain="week") == first
    assert periods.label(found.end, grain="week") == end


@pytest.mark.parametrize(
    ("search", "note"),
    [
        ("?start=2026-W30&end=2026-W20", "start"),
        ("?start=1999-W01", "start"),
        ("?start=2026-W60", "start"),
        ("?start=2026-11", "start"),
        ("?span=decade", "span"),
    ],
)
def test_a_window_that_cannot_be_is_the_default_with_a_note(snapshot, search, note):
    found, notes = window(snapshot, search)
    assert note in notes
    assert found.periods == 4


def test_the_chosen_start_wins_and_leaves_one_way_of_saying_it(snapshot):
    state = settle(CITY, snapshot, "?periods=13&span=year&start=2026-W40").state
    assert state == ViewState(start="2026-W40")
    assert settle(CITY, snapshot, "?periods=13&span=year").state == ViewState(span="year")


def moved(snapshot, search, trigger, value=None, scope=CITY):
    view = settle(scope, snapshot, search)
    known = windows.ends(scope, snapshot)
    state = moves.next_state(
        view,
        trigger,
        chosen={trigger: value},
        event=None,
        tree=hierarchy(scope, snapshot),
        manifest=snapshot.manifest,
        known=known,
        oldest=windows.starts(scope, snapshot)[-1],
        marked=value if trigger == ids.RANGE else None,
    )
    after = settle(scope, snapshot, state.to_address())
    assert after.notes == ()
    assert after.state == state
    return state.to_search()


@pytest.mark.parametrize(
    ("search", "trigger", "value", "expected"),
    [
        ("", ids.PERIODS, "month", "?span=month"),
        ("?span=month", ids.PERIODS, 13, "?periods=13"),
        ("?span=month", ids.PERIODS, 4, ""),
        ("?start=2026-W10", ids.PERIODS, "year", "?span=year"),
        ("?start=2026-W10", ids.PERIODS, None, "?start=2026-W10"),
        ("?span=year&end=2026-W30", ids.EARLIER, None, "?span=year&end=2026-W29"),
        ("?span=year&end=2026-W45", ids.LATER, None, "?span=year"),
        ("?periods=13", ids.START, "2026-W40", "?start=2026-W40"),
        ("?span=year", ids.START, "2026-W40", "?start=2026-W40"),
        ("?end=2026-W20", ids.START, "2026-W30", "?start=2026-W30&end=2026-W33"),
        ("?end=2026-W20", ids.START, "2026-W45", "?start=2026-W45"),
        ("", ids.START, "nonsense", ""),
        ("?start=2026-W10&end=2026-W20", ids.END, "2026-W30", "?start=2026-W10&end=2026-W30"),
        ("?start=2026-W10&end=2026-W20", ids.END, "", "?start=2026-W10"),
        ("?start=2026-W10&end=2026-W20", ids.END, "2026-W08", "?start=2025-W50&end=2026-W08"),
        ("?start=2026-W10&end=2026-W20", ids.EARLIER, None, "?start=2026-W09&end=2026-W19"),
        ("?start=2026-W10&end=2026-W20", ids.LATER, None, "?start=2026-W11&end=2026-W21"),
        ("?start=2026-W10", ids.LATER, None, "?start=2026-W10"),
        ("?periods=13", ids.END, "2026-W30", "?periods=13&end=2026-W30"),
        ("?periods=13", ids.RANGE, Range("2026-W10", "2026-W12"), "?start=2026-W10&end=2026-W12"),
        ("", ids.RANGE, Range("2026-W12", "2026-W10"), "?start=2026-W10&end=2026-W12"),
        ("", ids.RANGE, Range("2026-W45", "2026-W46"), "?start=2026-W45"),
        ("", ids.RANGE, Range("x", "2026-W46"), ""),
        ("?start=2026-W10&end=2026-W20&category=10", ids.RANGE, Range(), "?category=10"),
        ("?span=year&end=2026-W20", ids.RANGE, Range(), ""),
    ],
)
def test_controls_and_drags_move_the_window(snapshot, search, trigger, value, expected):
    assert moved(snapshot, search, trigger, value) == expected


def test_a_window_that_begins_with_the_first_counts_goes_no_further_back(snapshot):
    first = periods.label(FIRST, grain="week")
    search = f"?start={first}&end=2026-W20"
    assert moved(snapshot, search, ids.EARLIER) == search


@pytest.mark.parametrize("search", ["", "?span=quarter", "?start=2026-W10&end=2026-W20"])
def test_the_controls_show_the_window(snapshot, search):
    shown = answers._controls(CITY, snapshot, settle(CITY, snapshot, search))
    found, _ = window(snapshot, search)
    begins = {each["value"] for each in shown["start_options"]}
    assert shown["start_value"] == periods.label(found.start, grain="week")
    assert shown["start_value"] in begins
    lengths = {each["value"] for each in shown["periods_options"]}
    assert set(SPANS) < lengths
    wanted = {"": 4, "?span=quarter": "quarter"}.get(search)
    assert shown["periods_value"] == wanted
    assert wanted is None or wanted in lengths


def test_a_window_longer_than_the_data_shows_its_first_period_on_offer(snapshot):
    shown = answers._controls(CITY, snapshot, settle(CITY, snapshot, "?periods=52&end=2026-W01"))
    assert shown["start_value"] == periods.label(FIRST, grain="week")


def test_the_protected_tier_begins_with_what_is_released(snapshot):
    known = windows.starts(PUBLIC, snapshot)
    assert known == windows.ends(PUBLIC, snapshot)
    oldest = periods.label(known[-1], grain="week")
    found, notes = window(snapshot, f"?start={oldest}", PUBLIC)
    assert (found.start, found.end, notes) == (known[-1], known[0], ())
    newest = periods.label(LAST, grain="week")  # counted, and not yet released
    found, notes = window(snapshot, f"?start={newest}", PUBLIC)
    assert notes == ("start",)


def test_before_is_as_many_weeks_and_a_year_before_the_same_ones(snapshot):
    for compare, back in (("before", 2), ("year", 52)):
        view = settle(CITY, snapshot, f"?span=month&compare={compare}")
        other = compared.other(CITY, snapshot, view)
        assert other.selection.window == view.selection.window.earlier(back)
        again = settle(CITY, snapshot, other.state.to_address())
        assert again.selection.window == other.selection.window


def test_no_window_is_compared_with_a_part_of_itself(snapshot):
    first = periods.label(FIRST, grain="week")
    view = settle(CITY, snapshot, f"?start={first}&compare=year")
    assert "compare" in view.notes


def test_a_film_of_a_month_begins_each_month_anew(snapshot):
    film = frames.frames(CITY, snapshot, "?span=month&measure=count")["frames"]
    alone = settle(CITY, snapshot, "?span=month&end=2026-W45")
    words = Words("zh")
    days = alone.selection.window
    assert film[-2]["title"] == words("week_range", first=days.start, last=days.last_day)
    assert days.periods == 1
    ranged = frames.earlier_views(
        CITY, snapshot, settle(CITY, snapshot, "?start=2026-W40"), most=26
    )
    assert {each.selection.window.periods for each in ranged} == {7}
    for each in ranged[-3:]:
        again = settle(CITY, snapshot, each.state.to_address())
        assert again.selection.window == each.selection.window


@pytest.mark.parametrize("search", ["?periods=4", "?span=month&category={}", "?start=2026-W40"])
def test_every_frame_of_a_film_counts_the_area_in_view(snapshot, search):
    search = search.format(snapshot.categories["code"].iloc[-1])
    view = settle(CITY, snapshot, search)
    film = frames.frames(CITY, snapshot, search)["frames"]
    alone = [
        summary.changes(CITY, snapshot, each.subject, each.selection).count
        for each in frames.earlier_views(CITY, snapshot, view, most=frames.MOST)
    ]
    assert [frame["total"] for frame in film] == alone
    assert any(alone)


def test_a_film_of_the_protected_tier_tells_no_totals(snapshot):
    film = frames.frames(PUBLIC, snapshot, "?periods=4")["frames"]
    assert film
    assert not any("total" in frame for frame in film)


def test_what_a_chart_sends_is_read_strictly():
    assert marked(None) is None
    assert marked({"reset": True, "counter": 3}) == Range()
    assert marked({"first": "2026-W10", "last": "2026-W12"}) == Range("2026-W10", "2026-W12")
    for wrong in ("x", [], {"first": "2026-W10"}, {"first": 1, "last": 2}, {"reset": 1},
                  {"first": "x" * 61, "last": "y"}, {str(i): i for i in range(9)}):  # fmt: skip
        with pytest.raises(BadInputError):
            marked(wrong)
    assert (length("month"), length(13), length(None)) == ("month", 13, None)
    for wrong in ("week", 1.5, True, {}):
        with pytest.raises(BadInputError):
            length(wrong)
