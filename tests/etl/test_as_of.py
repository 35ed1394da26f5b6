"""Late rows, corrections and what was known at an earlier moment."""

import datetime as dt
import shutil
from copy import deepcopy

import pytest

from data.store import Store
from etl.history import HistoryError
from etl.pipeline import Options, build
from etl.verify import verify
from tests.etl.conftest import make_toy

MONDAY = dt.datetime(2026, 2, 23, 4, 0, tzinfo=dt.UTC)
FIRST = [f"{n},2026-01-{n:02d} 10:00,A1,1,,103.05,36.05," for n in range(5, 30)]
FIRST += [f"b{n},2026-02-{n:02d} 10:00,B,2,,103.15,36.15," for n in range(1, 20)]
# Late, corrected, moved to another month, and the same again.
SECOND = [
    "late,2026-01-06 09:00,A1,1,,103.05,36.15,",
    "7,2026-01-07 10:00,B,1,,103.05,36.05,",
    "8,2026-02-08 10:00,A1,1,,103.05,36.05,",
    "9,2026-01-09 10:00,A1,1,,103.05,36.05,",
]
THIRD = ["7,2026-01-07 10:00,A1,4,,103.15,36.05,"]
TABLES = (
    "area_counts_",
    "cell_counts_",
    "area_cell_counts_",
    "area_hours",
    "points",
    "area_risk",
    "areas",
    "categories",
    "accounts",
)


def tables(manifest):
    """Content of every file by table and part; paths differ from snapshot to snapshot."""
    return sorted(
        (entry["table"], entry.get("month", entry.get("period_end", "")), entry["sha256"])
        for entry in manifest["files"]
    )


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The toy city after three days, and the manifest of each; tests work on copies."""
    toy = make_toy(tmp_path_factory.mktemp("three-days"))
    return toy, [
        toy.publish(lines, now=MONDAY + dt.timedelta(days=day)).manifest
        for day, lines in enumerate((FIRST, SECOND, THIRD))
    ]


@pytest.fixture
def three_days(published, toy):
    """Manifests of three days, each with its file."""
    made, manifests = published
    shutil.copytree(made.folder, toy.folder, dirs_exist_ok=True)
    shutil.copytree(made.home, toy.home)
    return toy, deepcopy(manifests)


def test_late_and_corrected_rows_have_one_defined_result(three_days):
    toy, (_, second, third) = three_days
    account = ("read", "accepted", "quarantined", "duplicate", "incidents", "superseded")
    assert [second["rows"][name] for name in account] == [48, 47, 0, 1, 45, 2]
    assert [third["rows"][name] for name in account] == [49, 48, 0, 1, 45, 3]
    report = verify(toy.home)
    assert not [check for check in report["checks"] if not check["ok"]]


def test_only_months_that_changed_are_written_again(three_days):
    _, (_, second, third) = three_days
    before = {entry["path"] for entry in second["files"]}
    fresh = {
        entry.get("month")
        for entry in third["files"]
        if entry["path"] not in before and entry["table"] != "matches"
    }
    assert "2026-01" in fresh
    assert "2026-02" not in fresh


def test_one_build_of_everything_gives_the_same_tables(three_days, tmp_path):
    toy, (*_, third) = three_days
    again = build(toy.folder, home=toy.home, now=MONDAY, options=Options(force=True)).manifest
    assert tables(again) == tables(third)
    assert verify(toy.home)["ok"]


@pytest.mark.parametrize("day", [0, 1, 2])
def test_an_earlier_day_is_rebuilt_byte_for_byte(three_days, day):
    toy, manifests = three_days
    current = Store(toy.home).current_id()
    moment = MONDAY + dt.timedelta(days=day, hours=1)
    again = build(toy.folder, home=toy.home, now=MONDAY, options=Options(as_of=moment)).manifest
    assert tables(again) == tables(manifests[day])
    assert again["rows"] == manifests[day]["rows"]
    assert again["periods"] == manifests[day]["periods"]
    # What was known then stands beside what is known now.
    assert Store(toy.home).current_id() == current
    assert verify(toy.home, again["snapshot"])["ok"]


def test_an_earlier_day_keeps_its_own_configuration(three_days):
    toy, (first, *_) = three_days
    toy.change("sources/calls.toml", 'outcome = "result"\n', "")
    toy.change("city.toml", "window = 2", "window = 3")
    toy.publish(now=MONDAY + dt.timedelta(days=4))
    moment = MONDAY + dt.timedelta(hours=1)
    again = build(toy.folder, home=toy.home, now=MONDAY, options=Options(as_of=moment)).manifest
    assert tables(again) == tables(first)


def test_nothing_was_known_before_the_first_day(three_days):
    toy, _ = three_days
    with pytest.raises(HistoryError, match="nothing had been published"):
        build(toy.folder, home=toy.home, options=Options(as_of=MONDAY - dt.timedelta(days=9)))


def test_a_clock_that_is_set_back_does_not_change_the_order(toy):
    toy.publish(FIRST, now=MONDAY)
    toy.publish(SECOND, now=MONDAY - dt.timedelta(days=30))
    manifest = toy.publish(THIRD, now=MONDAY + dt.timedelta(days=400)).manifest
    assert manifest["rows"]["incidents"] == 45
    assert verify(toy.home)["ok"]
