"""
Which classes each area may show: table by table from the city down.

Each table has the children of one published area as rows, and as columns the classes that this
area shows and one more with everything else, the rest. A class that an area does not show is shown
by none of those below it; there it is part of the rest. So the margins of every table are known,
and it is protected by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from etl.protect.exchange import Table
from etl.protect.rules import WIDTH
from etl.protect.totals import Masks, showable
from etl.protect.verify_lp import narrow
from etl.protect.widen import protect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etl.protect.tree import Nodes

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Shown:
    """
    What one edition shows of one period, level by level from the city down.

    Attributes
    ----------
    totals
        Areas whose total is shown, one flag per node of every level.
    classes
        Classes that each node shows, shape (n nodes, n classes), of the levels that have classes.
    rest
        Nodes that show what is in no class shown by their parent; by the city, in none it shows.
    """

    totals: Masks
    classes: Masks = field(default_factory=list)
    rest: Masks = field(default_factory=list)


@dataclass(frozen=True)
class Terms:
    """
    Under which terms classes are shown.

    Attributes
    ----------
    k
        Smaller counts are withheld, zero included.
    depth
        Number of levels that have classes.
    listed
        Classes that may be shown by name, shape (n classes,); the others are in the rest.
    order
        All classes in the order in which they are put into the rest to protect others.
    solve
        Whether every table is also checked by linear program.
    """

    k: int
    depth: int
    listed: Bools
    order: Ints
    solve: bool = False


def shown_classes(
    tree: Sequence[Nodes], totals: Masks, terms: Terms, wider: Shown | None = None
) -> Shown:
    """
    Choose the classes that each area shows.

    Parameters
    ----------
    totals
        `shown_totals` of the same edition.
    wider
        Another edition, beyond which this one shows nothing.
    """
    sound = showable(tree, [nodes.counts[:, 1:] for nodes in tree], k=terms.k)
    fit: Masks = []
    for depth in range(terms.depth):
        fit.append(sound[depth] & terms.listed & totals[depth][:, None])
        if wider is not None:
            fit[depth] &= wider.classes[depth]
    done: dict[bytes, tuple[Bools, Bools]] = {}
    while True:
        walk = _Walk(tree, totals, terms, wider, fit, done)
        refused = walk.run()
        if not refused:
            return Shown(totals, walk.classes, walk.rest)
        for depth, node, column in refused:
            fit[depth][node, column] = False


Refused = list[tuple[int, int, int]]
"""Depth, node and class of what cannot be shown, because its parts could not be protected."""


@dataclass
class _Walk:
    """
    One way down the tree.

    Attributes
    ----------
    fit
        Classes that each node may show by what is known so far, level by level.
    done
        Tables that were protected before.
    """

    tree: Sequence[Nodes]
    totals: Masks
    terms: Terms
    wider: Shown | None
    fit: Masks
    done: dict[bytes, tuple[Bools, Bools]]

    def __post_init__(self) -> None:
        self.classes = [np.zeros_like(flags) for flags in self.fit]
        self.rest = [np.zeros(len(flags), dtype=bool) for flags in self.fit]

    def run(self) -> Refused:
        """Choose level by level; what has to be given up first, if anything."""
        refused: Refused = []
        if self.fit and self.totals[0].any():
            self._city()
            for depth in range(1, len(self.fit)):
                refused = self._level(depth)
                if refused:
                    break
        return refused

    def _city(self) -> None:
        """The classes of the whole city: enough is in the rest, or nothing."""
        counts = self.tree[0].counts[:, 1:]
        shown = self.fit[0].copy()
        parts = self._parts(0, 0, [nodes.counts[:, 1:] for nodes in self.tree])
        for column in [-1, *self.terms.order.tolist()]:
            if column >= 0:
                shown[:, column] = False
            hidden = ~shown[0]
            known = (parts * hidden).sum(axis=1).max(initial=0)
            left = int((counts[0] * hidden).sum())
            lone = hidden.sum() == 1
            small = left < self.terms.k or left - known < WIDTH
            if not hidden.any() or not (lone or small):
                break
        self.classes[0][:] = shown & shown.any()
        self.rest[0][:] = hidden.any() & shown.any()

    def _level(self, depth: int) -> Refused:
        """The tables of one level, one per parent that shows classes."""
        rest = self._rest_counts(depth)
        fit = showable(self.tree[depth:], [one[:, None] for one in rest], k=self.terms.k)[0][:, 0]
        fit &= self.totals[depth] & self._rest_allowed(depth)
        counts = [nodes.counts[:, 1:] for nodes in self.tree[:depth]]
        for nodes, own in zip(self.tree[depth:], rest, strict=True):
            counts.append(np.concatenate([nodes.counts[:, 1:], own[:, None]], axis=1))
        can = np.concatenate([self.fit[depth], fit[:, None]], axis=1)
        blocks = self.tree[depth].blocks
        refused: Refused = []
        for parent in blocks.parents.tolist():
            shown = self.classes[depth - 1][parent]
            if not shown.any():
                continue
            columns = np.flatnonzero(np.append(shown, not shown.all()))
            members = blocks.of(parent)
            hidden, exposed = self._protect(depth, members, columns, counts, can)
            refused += [(depth - 1, parent, one) for one in self._given_up(shown, columns, exposed)]
            flags = np.zeros((len(members), len(shown) + 1), dtype=bool)
            flags[:, columns] = ~hidden
            self.classes[depth][members], self.rest[depth][members] = flags[:, :-1], flags[:, -1]
        return refused

    def _protect(
        self, depth: int, members: Ints, columns: Ints, counts: list[Ints], can: Bools
    ) -> tuple[Bools, Bools]:
        """Protect the table of some children of one area; the same table only once."""
        hidden = ~can[np.ix_(members, columns)]
        key = b"".join(part.tobytes() for part in (members, columns, hidden)) + bytes([depth])
        if key not in self.done:
            parts = tuple(self._parts(depth, one, counts)[:, columns] for one in members.tolist())
            free, rank = ~self.totals[depth][members], self.tree[depth].rank[members]
            table = Table(counts[depth][np.ix_(members, columns)], hidden, free, parts, rank)
            self.done[key] = self._checked(table, *protect(table))
        return self.done[key]

    def _checked(self, table: Table, hidden: Bools, exposed: Bools) -> tuple[Bools, Bools]:
        """What was chosen, unless a linear program finds a way that the proof has overlooked."""
        if self.terms.solve and not exposed.any():
            exposed = narrow(replace(table, hidden=hidden))
            if exposed.any():
                hidden = np.ones_like(hidden)
                exposed = narrow(replace(table, hidden=hidden))
        return hidden, exposed

    def _parts(self, depth: int, node: int, counts: list[Ints]) -> Ints:
        """
        Counts of the areas into which an area is divided, whose heads each know one of them.

        An only child is the same area again; its own parts count.
        """
        for below, own in zip(self.tree[depth + 1 :], counts[depth + 1 :], strict=True):
            children = below.blocks.of(node)
            if len(children) != 1:
                return own[children]
            node = int(children[0])
        return counts[depth][:0]

    def _given_up(self, shown: Bools, columns: Ints, exposed: Bools) -> list[int]:
        """Classes that the parent of a table must not show; where its rest is bare, the rarest."""
        bare = columns[exposed.any(axis=0)].tolist()
        classes = [column for column in bare if column < len(shown)]
        rarest = [column for column in self.terms.order.tolist() if shown[column]][:1]
        return classes or (rarest if bare else [])

    def _rest_counts(self, depth: int) -> list[Ints]:
        """What is in no class that the ancestor just above a depth shows, from that depth down."""
        ancestor: Ints = np.arange(len(self.tree[depth - 1]))
        found = []
        for nodes in self.tree[depth:]:
            ancestor = ancestor[nodes.parent]
            hidden = ~self.classes[depth - 1][ancestor]
            found.append((nodes.counts[:, 1:] * hidden).sum(axis=1))
        return found

    def _rest_allowed(self, depth: int) -> Bools:
        """Nodes whose rest follows from what the wider edition shows."""
        parent, wider = self.tree[depth].parent, self.wider
        if wider is None:
            return np.ones(len(parent), dtype=bool)
        theirs, ours = wider.classes[depth - 1][parent], self.classes[depth - 1][parent]
        same = wider.rest[depth] | theirs.all(axis=1)
        follows: Bools = same & (wider.classes[depth] | ~(theirs & ~ours)).all(axis=1)
        return follows
