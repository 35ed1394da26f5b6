from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.signal_settings import read_signal_settings
from data.signal_tables import SIGNAL_TABLES
from etl.analyse.bed import concatenate
from etl.analyse.expected import expected_counts
from etl.analyse.signals.day import Watch
from etl.analyse.signals.records import period_counts, signal_record_table
from etl.analyse.signals.tables import signal_tables
from etl.analyse.signals.trailing import window, window_starts
from tests.etl.analyse.worlds import tiny_bed

SETTINGS = replace(read_signal_settings(Path("/")), chance_draws=5)
SPOT = 45


@pytest.fixture(scope="module")
def made():
    return tiny_bed(grids=400, weeks=60)


def surge(bed, number, day, *, known=None, spread=7, **fields):
    """A bed with more events in one grid, over the days up to one; seconds as of other events."""
    first = sum(len(one) for one in bed.areas[:-1])
    more = bed.events.take(np.arange(number))
    when = day - np.arange(number) % spread
    added = replace(
        more, day=when, known=when if known is None else np.full(number, known),
        area=np.full(number, first + SPOT), category=np.zeros(number, dtype=np.int16), **fields,
    )  # fmt: skip
    return replace(bed, events=concatenate([bed.events, added]))


def rows(made, bed, day, **wanted):
    table = signal_tables(bed, made.adjacency, [day], settings=SETTINGS)["signals"]
    for name, value in wanted.items():
        table = table[table[name] == value]
    return table


def test_windows_are_counted_back_from_the_day(made):
    starts = window_starts(made.bed, made.bed.ends[-1] - 2)
    assert starts[-1] == made.bed.ends[-1] - 8
    assert np.all(np.diff(starts) == np.timedelta64(7, "D"))
    assert starts[0] >= made.bed.starts[0]


@pytest.mark.parametrize("group", ["all", "hazards"])
def test_a_window_that_is_a_week_holds_and_expects_what_the_week_does(made, group):
    bed, at = made.bed, 57
    found = window(bed, group, bed.ends[at], SETTINGS)
    week = expected_counts(bed, group, at=at, known_on=bed.ends[at])
    for depth, level in enumerate(bed.levels):
        np.testing.assert_array_equal(
            found.observed[depth], period_counts(bed, level, group, at, bed.ends[at])
        )
        np.testing.assert_allclose(found.expected.mean[depth], week.mean[depth])
        np.testing.assert_allclose(found.expected.size[depth], week.size[depth])
    assert found.expected.complete == pytest.approx(week.complete)


def test_a_surge_shows_on_its_grid_and_its_group_with_all_figures(made):
    day = made.bed.ends[-1] - 3
    bed = surge(made.bed, 30, day)
    found = rows(made, bed, day, level="grid", area_index=SPOT, group="disputes")
    assert found["colour"].tolist() == [4]
    one = found.iloc[0]
    assert one["observed"] >= 30
    assert one["ratio"] == pytest.approx(one["observed"] / one["expected"])
    assert one["lower"] <= one["expected"] <= one["upper"]
    assert one["expires"] == day + 7
    assert not len(rows(made, made.bed, day, level="grid", area_index=SPOT, group="disputes"))


def test_a_colour_stays_for_some_days_and_then_goes(made):
    day = made.bed.ends[-1] - 9
    bed = surge(made.bed, 30, day, spread=1)
    days = [day + 6, day + 7, day + 8, day + 9]
    table = signal_tables(bed, made.adjacency, days, settings=SETTINGS, groups=("disputes",))
    signals = table["signals"]
    spot = signals[(signals["level"] == "grid") & (signals["area_index"] == SPOT)]
    shown = spot.set_index("day")["colour"]
    reached = spot.set_index("day")["reached_on"]
    assert shown.tolist() == [4, 4, 4]
    assert (reached == day + 6).all()


def test_records_that_were_loaded_at_once_are_no_surge(made):
    bed, day = made.bed, made.bed.ends[-1] - 3
    second = np.full(40, 1_790_000_123)
    stamped = surge(bed, 40, day, occurred=second, reported=second)
    assert not len(rows(made, stamped, day, level="grid", area_index=SPOT, colour=4))
    other = np.full(60, 5, dtype=np.int16)
    late = surge(bed, 60, day, known=day, spread=28, source=other)
    assert not len(rows(made, late, day, level="grid", area_index=SPOT, colour=4))


def test_a_source_that_tells_no_time_of_day_still_gives_signals(made):
    bed, day = made.bed, made.bed.ends[-1] - 3
    midnight = bed.events.day.astype("datetime64[s]").astype(np.int64)
    dull = replace(bed, events=replace(bed.events, occurred=midnight, reported=midnight))
    bed = surge(dull, 40, day)
    moment = bed.events.day.astype("datetime64[s]").astype(np.int64)
    bed = replace(bed, events=replace(bed.events, occurred=moment, reported=moment))
    assert len(rows(made, bed, day, level="grid", area_index=SPOT, group="disputes", colour=4))


def test_what_comes_later_has_no_part(made):
    bed, day = made.bed, made.bed.ends[-6] - 2
    cut = replace(
        bed, events=bed.events.take(bed.events.known <= day),
        starts=bed.starts[bed.ends <= day], as_of=day,
    )  # fmt: skip
    whole, again = (
        signal_tables(one, made.adjacency, [day], settings=SETTINGS) for one in (bed, cut)
    )
    for name, table in whole.items():
        pd.testing.assert_frame_equal(table, again[name], check_exact=True)


def test_an_area_that_is_no_longer_valid_has_no_signal(made):
    day = made.bed.ends[-1] - 3
    bed = surge(made.bed, 30, day)
    lowest = bed.areas[-1]
    gone = lowest.valid_to.copy()
    gone[SPOT] = day - 1
    cut = replace(bed, areas=(*bed.areas[:-1], replace(lowest, valid_to=gone)))
    assert not len(rows(made, cut, day, level="grid", area_index=SPOT))


@pytest.mark.parametrize(("weeks", "grids"), [(4, 30), (60, 1)])
def test_a_short_history_or_a_single_grid_is_no_fault(weeks, grids):
    rng = np.random.default_rng(1)
    small = tiny_bed(grids=30, weeks=weeks)
    if grids == 1:
        lonely = tuple(replace(one, **{
            name: getattr(one, name)[:1] for name in
            ("residents", "households", "area_km2", "exposure", "valid_from", "valid_to")
        }, parent=np.array([min(depth, 1) - 1])) for depth, one in enumerate(small.bed.areas))  # fmt: skip
        area = np.full(len(small.bed.events), len(lonely) - 1)
        small = replace(
            small, adjacency=small.adjacency[:1, :1],
            bed=replace(small.bed, areas=lonely, events=replace(small.bed.events, area=area)),
        )  # fmt: skip
    day = small.bed.ends[-1] - int(rng.integers(3))
    tables = signal_tables(small.bed, small.adjacency, [day], settings=SETTINGS)
    assert set(tables) == {"signals", "signal_chance"}


def test_a_city_without_events_has_no_signals(made):
    bed = replace(made.bed, events=made.bed.events.take(np.zeros(0, dtype=np.int64)))
    tables = signal_tables(bed, made.adjacency, [bed.ends[-1]], settings=SETTINGS)
    assert not len(tables["signals"])


def test_by_month_only_its_last_day_has_signals(made):
    months = np.arange("2025-01", "2026-01", dtype="datetime64[M]").astype("datetime64[D]")
    bed = replace(made.bed, grain="month", starts=months, as_of=np.datetime64("2025-12-31"))
    watch = Watch(bed, made.adjacency, SETTINGS)
    assert watch.tested("all", np.datetime64("2025-12-30")) is None
    assert watch.tested("all", np.datetime64("2025-12-31")).days == 31


def test_the_record_equals_a_count_by_hand(made):
    at = 58
    bed = surge(made.bed, 30, made.bed.ends[at - 1])
    found = signal_record_table(
        bed, made.adjacency, at, known_on=bed.as_of, settings=SETTINGS, groups=("disputes",)
    ).set_index(["level", "colour"])
    tests = Watch(bed, made.adjacency, SETTINGS).tested("disputes", bed.ends[at - 1]).tests[0]
    assert found["issued"].sum() >= 1
    assert (found["followed"] <= found["issued"]).all()
    assert (found["by_chance"] <= found["issued"]).all()
    city = int(tests[0].colour[0])
    expected = expected_counts(bed, "disputes", at=at, known_on=bed.as_of)
    if city:
        above = period_counts(bed, "city", "disputes", at, bed.as_of)[0] > expected.mean[0][0]
        assert found.loc[("city", city), "followed"] == int(above)


def test_tables_have_the_columns_that_are_promised(made):
    day = made.bed.ends[-1]
    tables = signal_tables(made.bed, made.adjacency, [day], settings=SETTINGS)
    tables["signal_records"] = signal_record_table(
        made.bed, made.adjacency, 58, known_on=made.bed.as_of, settings=SETTINGS
    )
    for name, table in tables.items():
        assert list(table.columns) == [column.name for column in SIGNAL_TABLES[name].columns]
