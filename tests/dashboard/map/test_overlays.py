"""Overlays of an address: order, opacity, and what the panel's links lead to."""

import pytest

from dashboard.map import overlays
from dashboard.map.overlays import Overlay
from dashboard.state import ViewState

KNOWN = ("signals", "much", "cells", "lines_county")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("much,signals", (Overlay("much"), Overlay("signals"))),
        ("cells.50", (Overlay("cells", 50),)),
        ("cells.33,much", (Overlay("cells"), Overlay("much"))),
        ("much,nothing,much.25", (Overlay("much"),)),
    ],
)
def test_an_address_tells_names_order_and_opacity(text, found):
    assert overlays.read(text, known=KNOWN) == found
    assert overlays.read(overlays.write(found), known=KNOWN) == found


def test_a_layer_is_switched_on_at_the_top_and_off_again():
    state = overlays.toggled(ViewState(overlays="much"), "cells", known=KNOWN)
    assert state.overlays == "much,cells.50"
    assert overlays.toggled(state, "much", known=KNOWN).overlays == "cells.50"
    assert overlays.toggled(ViewState(), "signals", known=KNOWN).overlays == "signals"


def test_opacity_and_order_are_of_one_layer():
    state = ViewState(overlays="much,signals,cells.50")
    assert overlays.faded(state, "signals", 25, known=KNOWN).overlays == "much,signals.25,cells.50"
    assert overlays.raised(state, "much", known=KNOWN).overlays == "signals,much,cells.50"
    assert overlays.raised(state, "cells", known=KNOWN).overlays == state.overlays
    assert overlays.raised(state, "lines_county", known=KNOWN).overlays == state.overlays


def test_the_address_holds_no_more_than_it_can_read():
    for text in ("much", "cells.50,much", ",".join(KNOWN)):
        state = ViewState(overlays=text)
        assert ViewState.from_address(state.to_address()) == (state, ())
    for text in ("Much", "much.5", "much;signals", "much,,signals", ",".join(["much"] * 13)):
        assert ViewState.from_address(f"?overlays={text}") == (ViewState(), ("overlays",))
