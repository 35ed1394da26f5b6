"""What is summed from arrays equals what plain pandas sums of the stored tables."""

import datetime as dt
import itertools
import threading

import numpy as np
import pandas as pd
import pytest

from dashboard import assessment, cells, hours, queries
from dashboard.areas import Area, hierarchy
from dashboard.queries import Selection
from data import schema
from data.access import Grant, NotVisibleError, Scope
from data.area_rows import AreaRows
from data.counts import AreaCounts, HourCounts
from data.kept import Kept
from data.manifest import Manifest
from data.periods import Window, shift
from data.store import Store
from tests.dashboard.squares import CITY, COUNTY, LAST, LEVELS

WINDOWS = [Window(LAST, 1, "week"), Window(shift(LAST, -3, grain="week"), 13, "week"), Window(LAST, 52, "week")]  # fmt: skip
FILTERS = [(None, 0), (None, 3), ((1, 2), 0), ((0, 2, 3), 2), ((10_000,), 0)]
SELECTIONS = [Selection(window, *chosen) for window in WINDOWS for chosen in FILTERS]
TOWNSHIP = Scope("desk", frozenset({Grant("township", "township", "9902001")}))


def filtered(rows, selection, *, windowed=True):
    """Rows of a table of counts that a selection lets through, by pandas."""
    kept = rows["severity"] >= selection.min_severity
    if selection.categories is not None:
        kept &= rows["category_index"].isin(selection.categories)
    if windowed:
        days = pd.to_datetime(rows["period_start"].astype(str))
        window = selection.window
        kept &= days.between(pd.Timestamp(window.start), pd.Timestamp(window.end))
    return rows[kept]


@pytest.mark.parametrize("level", LEVELS)
def test_windows_of_a_level_are_the_sums_of_its_table(snapshot, level):
    table = snapshot.read(f"area_counts_{level}")
    n = len(hierarchy(CITY, snapshot).at(level))
    for selection in SELECTIONS:
        sums = filtered(table, selection).groupby("area_index")["count"].sum()
        wanted = sums.reindex([*range(n), schema.NOT_PLACED], fill_value=0)
        found = queries.window_counts(CITY, snapshot, level, selection)
        assert found.tolist() == wanted.tolist(), selection


@pytest.mark.parametrize("scope", [CITY, COUNTY, TOWNSHIP])
def test_series_and_categories_of_an_area_are_the_sums_of_its_rows(snapshot, scope):
    seen = 0
    for level, selection in itertools.product(LEVELS, SELECTIONS):
        table = snapshot.read(f"area_counts_{level}")
        visible = hierarchy(scope, snapshot).at(level).visible
        for index in {0, len(visible) - 1, *np.flatnonzero(visible)[:2].tolist()}:
            area, rows = Area(level, index), table[table["area_index"] == index]
            if not visible[index]:
                for function in (queries.area_series, queries.category_counts):
                    with pytest.raises(NotVisibleError):
                        function(scope, snapshot, area, selection)
                continue
            seen += 1
            series = queries.area_series(scope, snapshot, area, selection)
            sums = filtered(rows, selection, windowed=False).groupby("period_start")["count"].sum()
            told = {
                str(day): int(n) for day, n in zip(series.starts, series.counts, strict=True) if n
            }
            assert told == {str(day): int(n) for day, n in sums.items()}
            by_category = filtered(rows, selection).groupby("category_index")["count"].sum()
            found = queries.category_counts(scope, snapshot, area, selection)
            assert found == {int(at): int(n) for at, n in by_category.items()}
    assert seen


def test_an_area_that_took_over_others_carries_their_share(snapshot):
    crosswalk = snapshot.read("crosswalk")
    assert len(crosswalk)
    for (level, new), parts in crosswalk.groupby(["level", "new_index"]):
        series = queries.area_series(CITY, snapshot, Area(level, int(new)), SELECTIONS[0])
        table = snapshot.read(f"area_counts_{level}")
        shares = np.zeros(len(series.starts))
        at = {str(day): place for place, day in enumerate(series.starts)}
        for part in parts.itertuples():
            for row in table[table["area_index"] == part.old_index].itertuples():
                shares[at[str(row.period_start)]] += part.weight * row.count
        assert shares.sum() > 0
        assert series.carried.tolist() == np.diff(np.round(np.cumsum(shares)), prepend=0).tolist()


@pytest.mark.parametrize("scope", [CITY, COUNTY])
@pytest.mark.parametrize("resolution", [6, 7, 8])
def test_cells_and_no_point_are_the_sums_of_their_table(snapshot, scope, resolution):
    for selection in SELECTIONS:
        found = cells.cell_counts(scope, snapshot, resolution, selection)
        if scope is CITY:
            table = snapshot.read(f"cell_counts_{resolution}")
            sums = filtered(table, selection).groupby("cell_index")["count"].sum()
            wanted = sums.reindex(range(len(found.counts)), fill_value=0)
            assert found.counts.tolist() == wanted.tolist()
            assert found.no_point == sums.get(schema.NOT_PLACED, 0)
        else:
            top = hierarchy(scope, snapshot).top()
            total = queries.window_counts(scope, snapshot, top.level, selection)[top.index]
            assert found.counts.sum() + found.no_point == total


@pytest.mark.parametrize("scope", [CITY, COUNTY])
@pytest.mark.parametrize("level", ["city", "county", "township", "community"])
def test_hours_are_the_sums_of_the_rows_inside(snapshot, scope, level):
    table = snapshot.read("area_hours")
    tree = hierarchy(scope, snapshot)
    labels = queries.category_labels(scope, snapshot)
    indexes = np.flatnonzero(tree.at(level).visible)[:3].tolist()
    for index, selection in itertools.product(indexes, SELECTIONS[:-1]):
        if selection.categories == (10_000,):
            continue
        found = hours.week(scope, snapshot, Area(level, index), selection)
        groups = None
        if selection.categories is not None:
            groups = tuple({labels[at].group for at in selection.categories})
        inside = table[table["area_row"].isin(tree.rows_inside(Area(level, index)))]
        rows = filtered(inside, Selection(selection.window, groups, selection.min_severity))
        by_hour = rows.groupby("hour")["count"].sum()
        assert found.untold == by_hour.get(schema.NO_HOUR, 0)
        assert found.counts.ravel().tolist() == by_hour.reindex(range(168), fill_value=0).tolist()


@pytest.mark.parametrize(
    ("function", "table", "sort"),
    [
        (assessment.clocks, "clock_states", []),
        (assessment.usual, "expected", ["period_end"]),
        (assessment.trust, "area_trust", []),
        (assessment.index, "area_index", []),
        (assessment.trace, "index_trace", ["indicator"]),
    ],
)
def test_what_is_told_of_an_area_is_what_is_stored(snapshot, function, table, sort):
    stored = snapshot.read(table)
    if "group" in stored:
        stored = stored[stored["group"] == "all"]
    if table == "expected":
        stored = stored[stored["lower"].notna()]
    dates = [()] if function in (assessment.clocks, assessment.usual) else [
        (LAST,), (shift(LAST, -1, grain="week"),)
    ]  # fmt: skip
    told = 0
    for level, period in itertools.product(LEVELS, dates):
        rows = stored[stored["level"] == level]
        if period:
            rows = rows[rows["period_end"].astype(str) == str(period[0])]
        for index in {0, len(hierarchy(CITY, snapshot).at(level)) // 2}:
            wanted = rows[rows["area_index"] == index]
            wanted = wanted.sort_values(sort) if sort else wanted
            found = function(CITY, snapshot, Area(level, index), *period)
            if isinstance(found, pd.DataFrame):
                found = list(found.itertuples(index=False)) if len(found) else []
            found = found if isinstance(found, tuple | list) else [found] * (found is not None)
            assert len(found) == len(wanted)
            told += len(found)
            for one, row in zip(found, wanted.to_dict("records"), strict=True):
                values = one._asdict() if hasattr(one, "_asdict") else vars(one)
                for name, value in values.items():
                    same = str(value) == str(row[name]) or value == row[name]
                    assert same or (pd.isna(value) and pd.isna(row[name])), name
    assert told


def test_what_a_column_holds_comes_back_exactly_as_it_was():
    masked = np.ma.masked_array([3, 7, 0, -5], mask=[False, False, True, False])
    columns = {
        "level": np.array(["city", "grid", "grid", "grid"], dtype=object),
        "area_index": np.array([0, 1, 0, 1], dtype=np.int32),
        "whole": np.array([1.0, 200.0, np.nan, -3.0]),
        "part": np.array([0.1, np.inf, np.nan, 1e300]),
        "count": masked,
        "flag": np.array([True, False, True, True]),
        "day": np.array(["2026-11-09", "2026-11-09", "2026-11-02", "NaT"], dtype="datetime64[us]"),
        "word": np.array(["b", "", None, "b"], dtype=object),
    }
    found = AreaRows(columns, {"city": 1, "grid": 2}).of("grid", 1)
    assert {name: column.tolist() for name, column in found.items()} == {
        "whole": [200.0, -3.0],
        "part": [np.inf, 1e300],
        "count": [7, -5],
        "flag": [False, True],
        "day": [dt.date(2026, 11, 9), None],
        "word": ["", "b"],
    }
    assert isinstance(found["whole"].tolist()[0], float)
    assert AreaRows(columns, {"city": 1, "grid": 2}).of("grid", 0)["count"].tolist() == [None]


def test_a_table_without_rows_has_nothing_anywhere():
    empty = {name: np.array([], dtype=np.int32) for name in
             ("area_index", "area_row", "hour", "category_index", "severity", "count")}  # fmt: skip
    empty["period_start"] = np.array([], dtype="datetime64[us]")
    held = AreaCounts(empty, 3)
    for chosen in (None, [1]):
        assert held.between(LAST, LAST, categories=chosen).tolist() == [0, 0, 0, 0]
    assert len(held.of_area(1).count) == 0
    assert HourCounts(empty).between(LAST, LAST, rows=[0, 5]).sum() == 0


def test_threads_that_ask_together_make_an_array_once(snapshot):
    asked, ready = [], threading.Barrier(4)

    def read(sql):
        asked.append(sql)
        return snapshot.arrays(sql)

    kept, found = Kept(read, snapshot.manifest), []

    def ask():
        ready.wait()
        found.append(kept.areas("grid"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1
    assert all(one is found[0] for one in found)


def test_a_later_snapshot_makes_what_the_one_before_held_and_that_lets_go(home):
    store = Store(home)
    first = store.current()
    first.kept.areas("township")
    first.kept.cells(8)
    store._take(first.id)
    second = store.current()
    assert second is not first
    assert set(second.kept._made) == {("areas", "township"), ("cells", 8)}
    assert not first.kept._made
    assert first.kept.areas("township").between(LAST, LAST).tolist() == (
        second.kept.areas("township").between(LAST, LAST).tolist()
    )


def test_levels_that_are_gone_are_not_made_again(snapshot):
    levels = snapshot.manifest.levels[:-1]
    fewer = Kept(snapshot.arrays, Manifest(snapshot.manifest.raw | {"levels": levels}))
    whole = Kept(snapshot.arrays, snapshot.manifest)
    whole.areas("grid")
    whole.areas("county")
    fewer.follow(whole)
    assert set(fewer._made) == {("areas", "county")}


def test_counts_are_there_before_the_first_click(snapshot):
    kept = Kept(snapshot.arrays, snapshot.manifest)
    kept.make_ahead()
    levels = [entry["level"] for entry in snapshot.manifest.levels]
    assert sorted(kept._made) == sorted(("areas", level) for level in levels)
