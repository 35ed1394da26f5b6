"""Near repeats, frequent places and types, and the agreement of resolutions, by hand."""

import numpy as np
import pytest

from etl.analyse.hotspots.near_repeat import knox
from etl.analyse.hotspots.places import frequent, top_types
from etl.analyse.hotspots.resolution import HotCells, agreements, stable
from geo.cells import cell_numbers, parent_numbers

KNOX = {"metres": (100, 400), "bands": (7, 14), "replicas": 99, "most_pairs": 10**6, "seed": 1}
DAY = np.datetime64("2026-01-01")


def test_pairs_are_those_counted_one_by_one():
    rng = np.random.default_rng(1)
    places, days = rng.uniform(0, 2000, (60, 2)), rng.integers(0, 40, 60)
    found = knox(places, DAY + days, **KNOX)
    expected = np.zeros((2, 2), dtype=int)
    for i in range(60):
        for j in range(i):
            gap, wait = np.hypot(*(places[i] - places[j])), abs(days[i] - days[j])
            if gap <= 400 and wait <= 14:
                expected[int(gap > 100), int(wait > 7)] += 1
    assert found.pairs.tolist() == expected.tolist()
    assert found.sampled == 1.0


def test_repeats_are_seen_and_chance_is_not():
    rng = np.random.default_rng(2)
    places, days = rng.uniform(0, 5000, (400, 2)), rng.integers(0, 180, 400)
    assert knox(places, DAY + days, **KNOX).p.min() > 0.01
    again = places[:60] + rng.uniform(-40, 40, (60, 2))
    places = np.concatenate([places, again])
    days = np.concatenate([days, days[:60] + rng.integers(0, 6, 60)])
    found = knox(places, DAY + days, **KNOX)
    assert found.p[0, 0] == 0.01
    assert found.pairs[0, 0] > 3 * found.expected[0, 0]


def test_a_sample_keeps_the_ratio():
    rng = np.random.default_rng(3)
    places, days = rng.uniform(0, 3000, (3000, 2)), rng.integers(0, 180, 3000)
    found = knox(places, DAY + days, **{**KNOX, "most_pairs": 5000})
    assert found.sampled < 0.5
    assert found.pairs.sum() < 5000
    assert found.pairs.sum() == pytest.approx(found.expected.sum(), rel=0.2)


def test_few_events_have_no_table():
    assert knox(np.zeros((5, 2)), DAY + np.arange(5), **KNOX) is None
    assert knox(np.zeros((0, 2)), DAY + np.arange(0), **KNOX) is None


def test_frequent_places_and_types():
    places = np.array([9, 9, 9, 9, 4, 4, 4, 7])
    classes = np.array([1, 1, 1, 0, 2, 2, 0, 2], dtype=np.int16)
    place, category, count = frequent(places, classes, least=3)
    assert (place.tolist(), category.tolist(), count.tolist()) == ([9], [1], [3])
    area, category, count, share = top_types(places, classes)
    assert area.tolist() == [4, 7, 9]
    assert category.tolist() == [2, 2, 1]
    assert count.tolist() == [2, 1, 3]
    assert share.tolist() == [pytest.approx(2 / 3), 1.0, 0.75]
    # Of equal ones the first class, whatever the order of the rows.
    assert top_types(np.array([1, 1]), np.array([5, 3]))[1].tolist() == [3]
    assert [len(one) for one in top_types(np.zeros(0, int), np.zeros(0, int))] == [0, 0, 0, 0]


def test_stable_is_hot_at_two_adjacent_resolutions():
    nine = np.unique(cell_numbers(103.8 + np.arange(40) / 100, np.full(40, 36.0), resolution=9))
    eight = np.unique(parent_numbers(nine, resolution=8))
    seven = np.unique(parent_numbers(nine, resolution=7))
    rng = np.random.default_rng(1)
    maps = {
        resolution: HotCells(
            cells, rng.random(len(cells)) < 0.5, rng.poisson(3.0, len(cells)) * 1.0,
            np.ones(len(cells), dtype=bool),
        )
        for resolution, cells in ((7, seven), (8, eight), (9, nine))
    }  # fmt: skip
    hot = {resolution: set(one.cells[one.hot].tolist()) for resolution, one in maps.items()}

    def above(cell, resolution):
        return int(parent_numbers([cell], resolution=resolution)[0])

    found = stable(maps)
    for resolution, one in maps.items():
        for cell, flag in zip(one.cells.tolist(), found[resolution], strict=True):
            up = resolution > 7 and above(cell, resolution - 1) in hot[resolution - 1]
            below = {above(each, resolution) for each in hot.get(resolution + 1, ())}
            assert flag == (cell in hot[resolution] and (up or cell in below))
    pair = agreements(maps)[1]
    assert (pair.coarse, pair.fine) == (8, 9)
    parents = np.array([above(cell, 8) in hot[8] for cell in maps[9].cells])
    counts = maps[9].counts
    assert pair.disagreeing[0] == pytest.approx(
        counts[parents & ~maps[9].hot].sum() / counts[parents].sum()
    )
    assert pair.area_share[1] == pytest.approx(maps[9].hot.mean())


def test_agreement_of_nothing_is_no_data():
    nothing = HotCells(np.zeros(0, np.int64), np.zeros(0, bool), np.zeros(0), np.zeros(0, bool))
    assert np.isnan(agreements({7: nothing, 8: nothing})[0].disagreeing).all()
    assert len(stable({7: nothing, 8: nothing})[7]) == 0
