"""The queue's address: read strictly, written shortly."""

import pytest

from dashboard.command.filters import Filters
from data.warnings.kinds import Unit
from data.warnings.queue import Tally


def test_defaults_are_left_out_of_the_address():
    assert Filters().query() == {}
    kept = {"colour": "4", "unit": "township:township:T1", "area": "grid.G1", "page": "3"}
    assert Filters.read(kept).query() == kept
    assert Filters.of_query("colour=4&due=late").query() == {"colour": "4", "due": "late"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("colour", "5"), ("colour", "44"), ("kind", "<b>"), ("unit", "a:b"), ("stage", "gone"),
        ("due", "7"), ("area", "grid."), ("sort", "id"), ("page", "0"), ("page", "1e9"),
        ("other", "1"),
    ],
)  # fmt: skip
def test_what_cannot_be_keeps_its_default(name, value):
    assert Filters.read({name: value}) == Filters()


def test_another_filter_begins_at_its_first_page():
    assert Filters(page="4").but(colour="4").page == "1"


UNIT = Unit("township", "township", "T1")


@pytest.mark.parametrize(
    ("filters", "fits"),
    [
        (Filters(), True), (Filters(colour="3"), True), (Filters(colour="4"), False),
        (Filters(kind="index"), True), (Filters(kind="other"), False),
        (Filters(unit="township:township:T1"), True), (Filters(unit="command:county:1"), False),
        (Filters(due="6"), True), (Filters(due="24"), True), (Filters(due="late"), False),
        (Filters(stage="new"), True), (Filters(stage="closed"), False), (Filters(stage="all"), True),
    ],
)  # fmt: skip
def test_what_belongs_to_a_queue(filters, fits):
    one = Tally("index_red", 3, "new", UNIT, "6", 2)
    assert filters.fits(one, {"index_red": "index"}) is fits
