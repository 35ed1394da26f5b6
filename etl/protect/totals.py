"""
Which areas may show their total: two passes over the tree.

Upwards: a count can be shown if it is not small and what lies below it can be protected while it
is shown, at worst by withholding all of it. Downwards: where a small area's count would follow from
its published parent, brothers are withheld with it, and with each of them everything below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etl.protect.rules import stands
from etl.protect.tree import ALL, GONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etl.protect.tree import Nodes

Masks = list["NDArray[np.bool_]"]
"""One flag per node and column, level by level."""


def showable(
    tree: Sequence[Nodes],
    counts: Sequence[NDArray[np.int64]],
    *,
    k: int,
    allowed: Masks | None = None,
) -> Masks:
    """
    Decide for each column by itself which counts can be shown at all.

    Parameters
    ----------
    counts
        Level by level, shape (n nodes, n columns).
    k
        Smaller counts are withheld, zero included.
    allowed
        What another edition shows; nothing else can be shown.
    """
    found: Masks = []
    for depth in range(len(tree) - 1, -1, -1):
        nodes, own = tree[depth], counts[depth]
        fit = (own >= k) & (nodes.index != GONE)[:, None]
        if found:
            below, parts = tree[depth + 1].blocks, counts[depth + 1]
            sums, peaks = below.reduce(np.add, parts), below.reduce(np.maximum, parts)
            sound = stands(below.sizes[:, None], sums, peaks)
            sound |= below.reduce(np.logical_and, found[0])
            fit[below.parents] &= sound
        if allowed is not None:
            fit &= allowed[depth]
        found.insert(0, fit)
    return found


def shown_totals(tree: Sequence[Nodes], fit: Sequence[NDArray[np.bool_]]) -> Masks:
    """
    Choose the areas whose totals are shown.

    Parameters
    ----------
    fit
        Column `ALL` of `showable`, level by level.

    Returns
    -------
    shown
        One flag per node. An area is shown only under a parent that is shown, and the withheld
        children of a shown parent keep the rule.
    """
    shown = [fit[0].copy()]
    for nodes, sound in zip(tree[1:], fit[1:], strict=True):
        own = sound & shown[-1][nodes.parent]
        _add_brothers(nodes, own, shown[-1])
        shown.append(own)
    return shown


def _add_brothers(nodes: Nodes, shown: NDArray[np.bool_], above: NDArray[np.bool_]) -> None:
    """Withhold further children where those that are withheld do not stand by themselves."""
    blocks, total = nodes.blocks, nodes.counts[:, ALL]
    hidden = np.where(shown, 0, total)
    size = blocks.reduce(np.add, (~shown).astype(np.int64))
    weak = ~stands(size, blocks.reduce(np.add, hidden), blocks.reduce(np.maximum, hidden))
    for at in np.flatnonzero(weak & (size > 0) & above[blocks.parents]):
        members = blocks.of(int(blocks.parents[at]))
        for brother in members[np.argsort(nodes.rank[members])]:
            withheld = total[members][~shown[members]]
            if stands(np.array(len(withheld)), withheld.sum(), withheld.max()):
                break
            shown[brother] = False
