import numpy as np
import pytest

from etl.analyse.shares import Tree, shares

ALWAYS = (np.ones(1), np.ones(2), np.ones(4))
PARENTS = (np.array([-1]), np.array([0, 0]), np.array([0, 0, 1, 1]))


def tree(*sums, exposure=ALWAYS, parents=PARENTS, children=None):
    return Tree(tuple(np.array(one, dtype=float) for one in sums), parents, exposure, children)


def test_children_and_unplaced_make_the_parent():
    found = shares(tree([100], [40, 50], [30, 5, 20, 30]))
    for depth in (0, 1):
        inside = np.bincount(PARENTS[depth + 1], weights=found.mean[depth + 1])
        assert inside + found.unplaced[depth] == pytest.approx(found.mean[depth], abs=1e-12)
    assert found.mean[0] == pytest.approx([100])
    assert found.unplaced[0][0] == pytest.approx(10, rel=0.1)
    assert (found.unplaced[2] == 0).all()


def test_shares_lie_between_their_own_and_the_mean_of_the_parent():
    found = shares(tree([100], [60, 40], [50, 10, 20, 20]))
    assert 30 < found.mean[2][0] < 50
    assert found.mean[2][2] == pytest.approx(found.mean[2][3])


def test_an_area_that_is_no_longer_valid_expects_nothing_and_new_ones_share_its_place():
    exposure = (np.ones(1), np.ones(2), np.array([np.nan, 0.5, 0.0, 1.0]))
    found = shares(tree([100], [60, 40], [50, 10, 0, 40], exposure=exposure))
    assert found.mean[2][0] == 0
    # The only valid child holds all that the parent places.
    assert found.mean[2][1] == pytest.approx(found.mean[1][0] - found.unplaced[1][0])
    # A new area without a day of history takes part by the mean of the parent.
    assert found.mean[2][2] > 10


def test_no_events_are_no_shares():
    found = shares(tree([0], [0, 0], [0, 0, 0, 0]))
    assert not found.mean[2].any()
    assert all(np.isfinite(one).all() for one in (*found.mean, *found.unplaced))


def test_listing_a_child_without_events_changes_nothing():
    short = shares(
        tree(
            [50],
            [50],
            [30, 20],
            parents=(PARENTS[0], np.array([0]), np.array([0, 0])),
            exposure=(np.ones(1), np.ones(1), np.ones(2)),
            children=7,
        )
    )
    long = shares(
        tree(
            [50],
            [50],
            [30, 20, 0],
            parents=(PARENTS[0], np.array([0]), np.array([0, 0, 0])),
            exposure=(np.ones(1), np.ones(1), np.ones(3)),
            children=7,
        )
    )
    assert long.mean[2][:2] == pytest.approx(short.mean[2], rel=0.05)
    assert long.mean[2][2] == pytest.approx(long.child[1][0])
