import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.state import SEVERITIES, ViewState

CODES = st.from_regex(r"[0-9A-Za-z][0-9A-Za-z._-]{0,39}", fullmatch=True)
DEGREES = st.integers(-17_999_999, 17_999_999).map(lambda n: n / 100_000)
STATES = st.builds(
    ViewState,
    area=st.just("") | CODES,
    selected=st.just("") | CODES,
    level=st.sampled_from(["", "city", "county", "township", "community", "grid"]),
    layer=st.sampled_from(["areas", "cells"]),
    periods=st.sampled_from([0, 1, 3, 4, 6, 12, 13, 26, 52]),
    span=st.sampled_from(["", "month", "quarter", "year"]),
    start=st.sampled_from(["", "2026-W40", "2026-04"]),
    end=st.sampled_from(["", "2026-W46", "2026-11"]),
    category=st.just("") | CODES,
    severity=st.sampled_from(SEVERITIES),
    lang=st.sampled_from(["zh", "en"]),
    theme=st.sampled_from(["auto", "light", "dark"]),
    renderer=st.sampled_from(["", "gl", "canvas"]),
    camera=st.none()
    | st.tuples(DEGREES, DEGREES.map(lambda d: d / 2), st.sampled_from([0.0, 9.25, 24.0])).map(
        lambda c: (round(c[0], 5), round(c[1], 5), c[2])
    ),
)


@given(STATES)
def test_an_address_restores_every_state(state):
    assert ViewState.from_address(state.to_address()) == (state, ())


def test_the_default_state_has_no_query():
    assert ViewState().to_search() == ""
    assert ViewState().to_href() == "/"


@given(st.text(max_size=80))
def test_no_text_breaks_the_reader(search):
    state, _ = ViewState.from_address(search)
    assert ViewState.from_address(state.to_address()) == (state, ())


@pytest.mark.parametrize(
    ("search", "faults"),
    [
        ("?level=village", ("level",)),
        ("?periods=5", ("periods",)),
        ("?periods=٤", ("periods",)),
        ("?span=week", ("span",)),
        ("?start=last", ("start",)),
        ("?area=a/b", ("area",)),
        ("?area=99%3Cscript%3E", ("area",)),
        ("#camera=200,1,1", ("camera",)),
        ("#camera=1,2", ("camera",)),
        ("?theme=dark#camera=nan,1,1", ("camera",)),
        ("?camera=1,2,3", ("search",)),
        ("#area=1", ("search",)),
        ("?theme=dark&theme=light", ("theme",)),
        ("?colour=red", ("search",)),
        ("?" + "a" * 2000, ("search",)),
    ],
)
def test_what_is_not_understood_keeps_its_default_and_is_named(search, faults):
    state, found = ViewState.from_address(search)
    assert found == faults
    assert state in (ViewState(), dataclasses.replace(ViewState(), theme="dark"))


def test_a_new_focus_drops_level_pick_and_camera():
    state = ViewState(area="1", selected="2", level="grid", camera=(1.0, 2.0, 3.0), lang="en")
    assert state.focus_on("9") == ViewState(area="9", lang="en")


def test_picking_twice_lets_go():
    assert ViewState().pick("7").selected == "7"
    assert ViewState().pick("7").pick("7").selected == ""
