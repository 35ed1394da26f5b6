"""Which totals are shown, in small cases that can be worked out by hand."""

from itertools import permutations

import numpy as np
import pytest

from etl.protect.totals import showable, shown_totals
from etl.protect.tree import GONE, Nodes


def tree_of(*levels, gone=(), rank=None):
    """Levels of (parent, count), from the city down; `gone` names (depth, position) of lumps."""
    tree = []
    for depth, nodes in enumerate(levels):
        parents, counts = (np.array(part, dtype=np.int64) for part in zip(*nodes, strict=True))
        index = np.arange(len(nodes))
        for at in (at for deep, at in gone if deep == depth):
            index[at] = GONE
        order = np.arange(len(nodes)) if rank is None or not depth else np.array(rank)
        tree.append(Nodes("level", index, parents, counts[:, None], order))
    return tree


def shown(tree, *, k=5, allowed=None):
    counts = [nodes.counts for nodes in tree]
    fit = showable(tree, counts, k=k, allowed=allowed)
    return [flags.tolist() for flags in shown_totals(tree, [flags[:, 0] for flags in fit])]


def one_block(*counts, city=None):
    return tree_of([(0, sum(counts) if city is None else city)], [(0, count) for count in counts])


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((5, 6, 7), [True, True, True]),
        # The first brother by rank is withheld, and one more: two would tell each other.
        ((9, 8, 7, 4), [False, False, True, False]),
        ((9, 8, 7, 0), [False, False, True, False]),
        # Three small ones stand by themselves, if no one of them has nearly all.
        ((9, 3, 3, 3), [True, False, False, False]),
        ((9, 4, 0, 0), [False, False, False, False]),
        ((9, 8, 4, 0, 0), [False, True, False, False, False]),
    ],
)
def test_brothers_are_withheld_with_a_small_area(counts, expected):
    assert shown(one_block(*counts)) == [[True], expected]


@pytest.mark.parametrize(
    "counts",
    [
        (30, 2),  # the head of the one would know the other
        (30, 0, 0),  # the head of the first would know that nothing happened in the others
        (30, 1, 1),
        (3,),  # an only child with the rest placed nowhere
    ],
)
def test_a_parent_is_withheld_where_its_children_cannot_be_protected(counts):
    assert shown(one_block(*counts, city=40)) == [[False], [False] * len(counts)]


def test_an_only_child_is_shown_with_its_parent():
    assert shown(one_block(12)) == [[True], [True]]
    assert shown(one_block(12, city=14)) == [[True], [True]]


def test_what_is_placed_in_no_child_protects_nothing():
    # 20 of 30 lie in no child: the head of the second still learns about the first.
    assert shown(one_block(4, 6, city=30)) == [[False], [False, False]]


def test_a_small_child_can_withhold_what_lies_far_above():
    # The second county holds one township, in which one of two communities has nearly everything.
    tree = tree_of(
        [(0, 300)],
        [(0, 80), (0, 20), (0, 100), (0, 100)],
        [(0, 40), (0, 40), (1, 20), (2, 100), (3, 100)],
        [(0, 40), (1, 40), (2, 19), (2, 1), (3, 100), (4, 100)],
    )
    counties = shown(tree)[1]
    assert not counties[1]
    assert counties.count(False) == 3


def test_with_a_brother_everything_below_it_is_withheld():
    tree = tree_of(
        [(0, 64)], [(0, 20), (0, 20), (0, 20), (0, 4)], [(0, 10), (0, 10), (1, 20), (2, 20), (3, 4)]
    )
    assert shown(tree)[1:] == [[False, False, True, False], [False, False, False, True, False]]


def test_what_ended_in_the_period_is_never_shown_and_always_protected():
    tree = tree_of([(0, 90)], [(0, 20), (0, 30), (0, 40)], gone=[(1, 2)])
    assert shown(tree) == [[True], [False, False, False]]


def test_zero_is_withheld_like_any_small_count():
    assert shown(one_block(20, 20, 20, 0)) == shown(one_block(20, 20, 20, 4))


def test_another_edition_is_never_exceeded():
    tree = one_block(50, 60, 70, 4)
    internal = shown(tree)
    public = shown(tree, k=10, allowed=[np.array(flags)[:, None] for flags in internal])
    assert all(a or not b for a, b in zip(internal[1], public[1], strict=True))


def test_the_choice_follows_the_rank_and_not_the_counts():
    small_first = shown(one_block(6, 50, 60, 70, 2))[1]
    large_first = shown(one_block(60, 50, 6, 70, 2))[1]
    assert small_first == large_first == [False, False, True, True, False]


def told(counts, rank):
    """What everybody sees of a block whose parent is shown; None where it is not."""
    tree = tree_of([(0, sum(counts))], [(0, count) for count in counts], rank=rank)
    (city,), children = shown(tree)
    if not city or all(children):
        return None
    hidden = frozenset(at for at, flag in enumerate(children) if not flag)
    return hidden, sum(counts[at] for at in hidden)


@pytest.mark.parametrize("size", [3, 4])
def test_who_knows_the_whole_procedure_but_the_rank_learns_no_more(size):
    # All counts of the first areas up to a sum, and a last area that shows 9 (none of size 4).
    largest, last = (14, [9]) if size == 3 else (9, [])
    possible = {}
    for counts in np.ndindex(*[largest + 1] * size):
        if sum(counts) > largest:
            continue
        for rank in permutations(range(size + len(last))):
            seen = told([*counts, *last], rank)
            if seen and seen[0] == frozenset(range(size)):
                possible.setdefault(seen[1], set()).add(counts)
    assert possible
    for worlds in possible.values():
        first = [world[0] for world in worlds]
        assert max(first) - min(first) >= 3
        for known in set(first):
            second = [world[1] for world in worlds if world[0] == known]
            assert max(second) - min(second) >= 3
