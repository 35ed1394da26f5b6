"""Re-cutting 297 grids of 20 communities into 340, and small cases worked by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo import allocation
from geo.allocation import Carriers
from geo.locate import locate

WEEKS = 60
RECUT_COMMUNITIES = 7


def cut(frame, seeds):
    """Voronoi cells of points, as one coverage that fills `frame`."""
    pieces = shapely.voronoi_polygons(shapely.MultiPoint(seeds), extend_to=frame)
    cells = shapely.intersection(shapely.get_parts(pieces), frame)
    return np.asarray(shapely.coverage_clean(cells), dtype=object)


def grids_of(community, count, rng):
    west, south, east, north = community.bounds
    seeds = rng.uniform((west, south), (east, north), (count * 30, 2))
    seeds = seeds[shapely.contains_xy(community, *seeds.T)][:count]
    assert len(seeds) == count
    return cut(community, seeds)


@pytest.fixture(scope="module")
def recut():
    """Two editions of one city, and one set of incidents counted in both."""
    rng = np.random.default_rng(11)
    frame = shapely.box(103.7, 36.0, 103.9, 36.16)
    communities = cut(frame, rng.uniform((103.7, 36.0), (103.9, 36.16), (20, 2)))
    # 297 = 17 x 15 + 3 x 14; the re-cut of seven communities adds 43.
    counts = [15] * 17 + [14] * 3
    old_parts = [grids_of(shape, n, rng) for shape, n in zip(communities, counts, strict=True)]
    more = [7, 6, 6, 6, 6, 6, 6]
    new_parts = [
        grids_of(shape, counts[c] + more[c], rng) if c < RECUT_COMMUNITIES else old_parts[c]
        for c, shape in enumerate(communities)
    ]
    old, new = np.concatenate(old_parts), np.concatenate(new_parts)
    old_community = np.repeat(np.arange(20), [len(part) for part in old_parts])
    new_community = np.repeat(np.arange(20), [len(part) for part in new_parts])
    centres = rng.uniform((103.71, 36.01), (103.89, 36.15), (25, 2))
    points = centres[rng.integers(25, size=60_000)] + rng.normal(0, 0.012, (60_000, 2))
    points = points[shapely.contains_xy(frame, *points.T)]
    week = rng.integers(WEEKS, size=len(points))

    def recount(shapes, chosen=slice(None)):
        counts = np.zeros((len(shapes), WEEKS), dtype=np.int64)
        np.add.at(counts, (locate(*points[chosen].T, boundaries=shapes), week[chosen]), 1)
        return counts

    assert (len(old), len(new)) == (297, 340)
    return SimpleNamespace(
        old=old, new=new, old_community=old_community, new_community=new_community,
        points=points, week=week, recount=recount,
    )  # fmt: skip


@pytest.fixture(scope="module")
def crosswalk(recut):
    return allocation.overlay(recut.old, recut.new)


def by_community(counts, community):
    summed = np.zeros((20, counts.shape[1]), dtype=counts.dtype)
    np.add.at(summed, community, counts)
    return summed


def test_weights_of_each_old_area_sum_to_one(recut, crosswalk):
    sums = crosswalk.groupby("old_index")["weight"].sum()
    assert sums.index.tolist() == list(range(297))
    assert sums.to_numpy() == pytest.approx(np.ones(297), abs=1e-12)
    assert (crosswalk["weight"] > 0).all()
    assert (crosswalk["new_index"] >= 0).all()
    old = recut.old_community[crosswalk["old_index"]]
    assert (recut.new_community[crosswalk["new_index"]] == old).all()


def test_no_total_changes_at_any_level_in_any_week(recut, crosswalk):
    before = recut.recount(recut.old)
    assert before.sum() == len(recut.points)
    moved = allocation.move_whole_counts(before, crosswalk, size=340)
    assert moved[340].sum() == 0
    assert (moved[:340].sum(axis=0) == before.sum(axis=0)).all()
    after = by_community(moved[:340], recut.new_community)
    assert (after == by_community(before, recut.old_community)).all()
    # The recount of the same points agrees: no community's trend has a step.
    truth = by_community(recut.recount(recut.new), recut.new_community)
    assert np.abs(after - truth).sum() <= 2  # points on a border of two communities
    parts = allocation.move_counts(before, crosswalk, size=340)
    assert parts.sum(axis=0) == pytest.approx(before.sum(axis=0), rel=1e-12)


def test_unchanged_neighbours_keep_every_week(recut, crosswalk):
    before = recut.recount(recut.old)
    moved = allocation.move_whole_counts(before, crosswalk, size=340)
    same_old = np.flatnonzero(recut.old_community >= RECUT_COMMUNITIES)
    same_new = np.flatnonzero(recut.new_community >= RECUT_COMMUNITIES)
    assert (moved[same_new] == before[same_old]).all()
    rows = crosswalk[crosswalk["old_index"].isin(same_old)]
    assert rows["weight"].tolist() == [1.0] * len(same_old)


def misplaced(moved, truth, rows):
    """Share of the incidents of re-cut areas that are given to another area."""
    return np.abs(moved[rows].sum(axis=1) - truth[rows].sum(axis=1)).sum() / 2 / truth[rows].sum()


def test_allocated_history_is_near_the_recount(recut, crosswalk):
    before, truth = recut.recount(recut.old), recut.recount(recut.new)
    rows = np.flatnonzero(recut.new_community < RECUT_COMMUNITIES)
    by_ground = allocation.move_whole_counts(before, crosswalk, size=340)
    # Incidents of another year tell where in an old area things happen.
    half = np.arange(len(recut.points)) % 2 == 0
    carriers = Carriers(*recut.points[half].T, np.ones(int(half.sum())))
    other = ~half
    guided = allocation.overlay(recut.old, recut.new, carriers=carriers)
    held_out, held_truth = recut.recount(recut.old, other), recut.recount(recut.new, other)
    by_points = allocation.move_whole_counts(held_out, guided, size=340)
    # As docs/boundaries.md states them.
    assert misplaced(by_ground, truth, rows) < 0.07
    assert misplaced(by_points, held_truth, rows) < 0.05


def test_whole_numbers_follow_the_shares_through_time(recut, crosswalk):
    before = recut.recount(recut.old)
    parts = allocation.move_counts(before, crosswalk, size=340).cumsum(axis=1)
    whole = allocation.move_whole_counts(before, crosswalk, size=340).cumsum(axis=1)
    # Hardly further off than one incident for each old area that gives to it.
    givers = crosswalk.groupby("new_index")["old_index"].size().reindex(range(340)).to_numpy()
    assert (np.abs(parts[:340] - whole[:340]).max(axis=1) <= 1.5 * givers).all()


def test_an_incident_a_week_is_shared_out_and_not_always_given_to_the_larger_part():
    crosswalk = pd.DataFrame({"old_index": 0, "new_index": [0, 1], "weight": [0.6, 0.4]})
    moved = allocation.move_whole_counts(np.ones((1, 10)), crosswalk, size=2)
    assert moved[:2].sum(axis=1).tolist() == [6, 4]
    assert moved.sum(axis=0).tolist() == [1] * 10


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=6),
    st.lists(st.integers(0, 40), min_size=1, max_size=8),
)
def test_whole_counts_keep_every_total(shares, weeks):
    weight = np.array(shares) / sum(shares)
    crosswalk = pd.DataFrame({"old_index": 0, "new_index": range(len(shares)), "weight": weight})
    moved = allocation.move_whole_counts([weeks], crosswalk, size=len(shares))
    assert moved.sum(axis=0).tolist() == weeks
    assert (moved >= 0).all()
    assert (np.abs(moved[:-1].sum(axis=1) - weight * sum(weeks)) <= len(shares)).all()


def test_rates_are_means_over_what_they_are_rates_of():
    crosswalk = pd.DataFrame(
        {"old_index": [0, 0, 1], "new_index": [0, 1, 1], "weight": [0.5, 0.5, 1.0]}
    )
    rates = allocation.move_rates([10.0, 40.0], [2_000.0, 500.0], crosswalk, size=3)
    assert rates[:2] == pytest.approx([10.0, (10 * 1_000 + 40 * 500) / 1_500])
    assert np.isnan(rates[2])
    weekly = allocation.move_rates([[10.0, np.nan], [40.0, 4.0]], [2, 1], crosswalk, size=2)
    assert weekly[0] == pytest.approx([10.0, np.nan], nan_ok=True)
    assert weekly[1] == pytest.approx([25.0, np.nan], nan_ok=True)


def test_an_equal_rate_stays_equal(recut, crosswalk):
    rng = np.random.default_rng(2)
    rates = allocation.move_rates(np.full(297, 7.5), rng.uniform(1, 9, 297), crosswalk, size=340)
    assert rates == pytest.approx(np.full(340, 7.5))


def test_what_no_new_area_covers_goes_nowhere():
    old = [shapely.box(103, 36, 103.1, 36.1), shapely.box(104, 36, 104.1, 36.1)]
    crosswalk = allocation.overlay(old, old[:1])
    assert crosswalk.to_numpy().tolist() == [[0, 0, 1], [1, -1, 1]]
    moved = allocation.move_whole_counts([[3], [4]], crosswalk, size=1)
    assert moved.tolist() == [[3], [4]]


def test_areas_without_points_are_split_by_ground():
    old = [shapely.box(103, 36, 103.4, 36.1)]
    new = [shapely.box(103, 36, 103.1, 36.1), shapely.box(103.1, 36, 103.4, 36.1)]
    few = Carriers(np.array([103.05] * 4), np.array([36.05] * 4), np.ones(4))
    assert allocation.overlay(old, new, carriers=few)["weight"].to_numpy() == pytest.approx(
        [0.25, 0.75]
    )
    heavy = Carriers(few.lng, few.lat, np.full(4, 10.0))
    crosswalk = allocation.overlay(old, new, carriers=heavy)
    assert crosswalk.to_numpy().tolist() == [[0, 0, 1]]


def test_a_chain_of_editions_leads_to_the_areas_valid_now():
    west, east = shapely.box(103, 36, 103.1, 36.1), shapely.box(103.1, 36, 103.2, 36.1)
    both, third = shapely.union(west, east), shapely.box(103.2, 36, 103.3, 36.1)
    areas = pd.DataFrame(
        {
            "code": ["A", "B", "C", "D", "E", "F"],
            "valid_from": [None, None, "2026-01-01", "2026-01-01", "2026-07-01", "2026-07-01"],
            "valid_to": ["2026-01-01", None, "2026-07-01", None, None, None],
        }
    )
    south, north = shapely.box(103.1, 36, 103.2, 36.02), shapely.box(103.1, 36.02, 103.2, 36.1)
    shapes = np.array([both, third, east, west, south, north], dtype=object)
    found = allocation.build_crosswalk(areas, shapes, level="grid")
    assert found["level"].tolist() == ["grid"] * 5
    assert found[["old_index", "new_index"]].to_numpy().tolist() == [
        [0, 3], [0, 4], [0, 5], [2, 4], [2, 5],
    ]  # fmt: skip
    assert found["weight"].to_numpy() == pytest.approx([0.5, 0.1, 0.4, 0.2, 0.8], abs=1e-3)


def test_a_level_that_was_never_recut_has_an_empty_crosswalk():
    areas = pd.DataFrame({"code": ["A"], "valid_from": [None], "valid_to": [None]})
    found = allocation.build_crosswalk(areas, [shapely.box(0, 0, 1, 1)], level="grid")
    assert len(found) == 0
    assert found.columns.tolist() == ["level", "old_index", "new_index", "weight"]
