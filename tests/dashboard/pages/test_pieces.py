"""The small parts under the pages: throttle, sealed steps, names of areas, safe cells."""

import datetime as dt
import threading

import pytest

from dashboard.pages.area_names import AreaNames
from dashboard.safe_cells import safe_cell
from dashboard.signin.steps import Steps
from dashboard.signin.throttle import MOST, Throttle, source_of
from data.manifest import NoSnapshotError
from tests.dashboard.pages.conftest import KEY, NOW, SmallStore


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_ten_tries_and_then_one_every_six_seconds():
    clock = Seconds()
    throttle = Throttle(clock=clock)
    assert [throttle.admits("a") for _ in range(12)] == [True] * 10 + [False] * 2
    assert throttle.admits("b")
    clock.now = 6.0
    assert [throttle.admits("a") for _ in range(2)] == [True, False]
    throttle.put_back("a")
    assert throttle.admits("a")
    clock.now = 10_000
    assert sum(throttle.admits("a") for _ in range(100)) == 10


def test_what_is_put_back_never_adds_up():
    throttle = Throttle(clock=Seconds())
    for _ in range(50):
        throttle.put_back("a")
    assert sum(throttle.admits("a") for _ in range(50)) == 10


def test_tries_at_once_are_counted_each():
    throttle, admitted = Throttle(clock=Seconds()), []
    threads = [
        threading.Thread(target=lambda: admitted.append(throttle.admits("a"))) for _ in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(admitted) == 10


def test_many_addresses_take_no_more_room_and_free_nobody():
    throttle = Throttle(clock=Seconds())
    while throttle.admits("guesser"):
        pass
    for number in range(MOST + 10):
        throttle.admits(f"address {number}")
    assert len(throttle._left) <= MOST
    assert not throttle.admits("guesser")


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_one_customer_is_one_source(address, source):
    assert source_of(address) == source


def test_a_step_opens_for_its_browser_in_time():
    steps = Steps(KEY)
    sealed = steps.seal("lizhou", "密码 p", browser="b1", now=NOW)
    assert "lizhou" not in sealed
    later = NOW + dt.timedelta(minutes=5)
    assert steps.open(sealed, browser="b1", now=later) == ("lizhou", "密码 p")
    assert steps.open(sealed, browser="b2", now=NOW) is None
    assert steps.open(sealed, browser="", now=NOW) is None
    assert steps.open(sealed, browser="b1", now=later + dt.timedelta(seconds=1)) is None
    assert Steps(bytes(32)).open(sealed, browser="b1", now=NOW) is None
    for broken in ("", "x", sealed[:-2], sealed + "A", "é"):
        assert steps.open(broken, browser="b1", now=NOW) is None


def test_areas_are_named_after_the_one_above():
    names = AreaNames(SmallStore())
    assert names.name("township", "990100101", "zh") == "东区 · 东门街道"
    assert names.name("township", "990100101", "en") == "East · East Gate"
    assert names.name("county", "9901001", "zh") == "东区"
    assert names.name("grid", "g-1", "en") == "East Gate · 一号网格"
    assert names.name("county", "*", "zh") == ""
    assert names.name("county", "gone", "zh") == "gone"
    assert [area.code for area in names.search("east")] == ["9901001", "990100101"]
    assert [area.code for area in names.search("9901001")] == ["9901001", "990100101"]
    assert names.search(" ") == []


def test_without_a_snapshot_codes_stand_for_names():
    class Nothing:
        def current(self):
            raise NoSnapshotError("nothing is published")

    names = AreaNames(Nothing())
    assert not names.has_areas()
    assert names.name("county", "9901001", "zh") == "9901001"
    assert names.search("东") == []


def test_an_area_that_ended_is_not_offered():
    store = SmallStore()
    store.snapshot.areas.loc[1, "valid_to"] = dt.date(2026, 1, 1)
    names = AreaNames(store)
    assert names.find("county", "9901001") is None
    assert names.name("township", "990100101", "zh") == "东区 · 东门街道"


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
)
def test_formulas_become_text(start):
    assert safe_cell(f"{start}1") == f"'{start}1"


@pytest.mark.parametrize("text", ["", "a=1", " =1", "平安", "'=1"])
def test_text_stays_as_it_is(text):
    assert safe_cell(text) == text
