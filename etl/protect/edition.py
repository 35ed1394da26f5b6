"""One period in both editions: what each shows, and the rows that are stored of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.privacy import EDITIONS
from data.releases import ALL as ALL_CATEGORIES
from data.releases import OTHER, SENSITIVE
from etl.protect.classes import Shown, Terms, shown_classes
from etl.protect.exchange import Table
from etl.protect.rules import stands
from etl.protect.totals import Masks, showable, shown_totals
from etl.protect.tree import ALL, GONE
from etl.protect.widen import protect
from geo.divisions import LEVELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from data.privacy import Privacy
    from etl.protect.tree import Blocks, Nodes

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Published cells of one edition: depth of the level, `area_index`, category and count."""

    depth: Ints
    area: Ints
    category: Ints
    count: Ints


def depth_of(levels: Sequence[str], finest: str) -> int:
    """Number of levels of the city down to the finest one that may be shown."""
    known: list[str] = list(LEVELS)
    return sum(known.index(level) <= known.index(finest) for level in levels)


def editions(
    tree: Sequence[Nodes], privacy: Privacy, *, listed: Bools, order: Ints, solve: bool
) -> dict[str, Shown]:
    """
    Choose what each edition shows; the public one shows nothing that the internal one withholds.

    Parameters
    ----------
    listed, order, solve
        As in `Terms`.
    """
    found: dict[str, Shown] = {}
    wider: Shown | None = None
    levels = [nodes.level for nodes in tree]
    for edition in EDITIONS:
        k, (_, finest) = privacy.k(edition), privacy.finest(edition)
        allowed = None if wider is None else [flags[:, None] for flags in wider.totals]
        own = [nodes.counts[:, : ALL + 1] for nodes in tree]
        totals = shown_totals(
            tree, [fit[:, 0] for fit in showable(tree, own, k=k, allowed=allowed)]
        )
        terms = Terms(k, depth_of(levels, finest), listed, order, solve=solve)
        wider = found[edition] = shown_classes(tree, totals, terms, wider)
    return found


def rows_of(tree: Sequence[Nodes], shown: Shown, *, depth: int, index: Ints) -> Rows:
    """
    Cells that an edition publishes.

    Parameters
    ----------
    depth
        Number of levels whose totals are told.
    index
        `category_index` of each class.
    """
    parts: list[tuple[int, Ints, Ints, Ints]] = []
    for at, nodes in enumerate(tree[:depth]):
        area = np.flatnonzero(shown.totals[at])
        parts.append((at, area, np.full(len(area), ALL_CATEGORIES), nodes.counts[area, ALL]))
    for at, flags in enumerate(shown.classes):
        area, column = np.nonzero(flags)
        parts.append((at, area, index[column], tree[at].counts[area, 1 + column]))
        area = np.flatnonzero(shown.rest[at])
        above = shown.classes[max(at - 1, 0)][tree[at].parent[area]]
        left = (tree[at].counts[area, 1:] * ~above).sum(axis=1)
        parts.append((at, area, np.full(len(area), OTHER), left))
    return Rows(
        np.concatenate([np.full(len(area), at) for at, area, _, _ in parts]),
        np.concatenate([tree[at].index[area] for at, area, _, _ in parts]),
        np.concatenate([category for _, _, category, _ in parts]).astype(np.int64),
        np.concatenate([count for _, _, _, count in parts]),
    )


def sensitive_rows(
    tree: Sequence[Nodes],
    carriers: Sequence[Ints],
    sensitive: Sequence[Ints],
    *,
    k: int,
    depth: int,
    wider: Rows | None = None,
) -> Rows:
    """
    Sensitive incidents together, for the city and its counties, where the rest stays in doubt too.

    The published figures of the classes that carry them tell for each area how many incidents they
    are a part of. So each area is a row of two cells, sensitive and not, with a known sum.

    Parameters
    ----------
    carriers, sensitive
        Level by level, for each node: incidents of the classes that carry sensitive categories,
        and the sensitive ones among them.
    depth
        Number of levels that are told, 0 to 2.
    wider
        Rows of another edition, beyond which this one shows nothing.
    """
    both = zip(sensitive, carriers, strict=True)
    cells = [np.stack([own, whole - own], axis=1) for own, whole in both]
    fit: Masks = [np.asarray(flags.all(axis=1)) for flags in showable(tree, cells, k=k)]
    for at, nodes in enumerate(tree[:2]):
        if at + 1 < len(tree):
            fit[at] &= _hides_parts(tree[at + 1].blocks, cells[at + 1], len(nodes))
        if wider is not None:
            fit[at] &= np.isin(nodes.index, wider.area[wider.depth == at])
    found = [(0, np.flatnonzero(fit[0] & (depth > 0)))]
    if depth > 1 and fit[0].any():
        hidden = np.repeat(~fit[1][:, None], 2, axis=1)
        parts = tuple(_parts(tree, node, cells) for node in range(len(tree[1])))
        free = np.zeros(len(hidden), dtype=bool)
        hidden, exposed = protect(Table(cells[1], hidden, free, parts, tree[1].rank))
        if not exposed.any():
            found.append((1, np.flatnonzero(~hidden.any(axis=1) & (tree[1].index != GONE))))
    return Rows(
        np.concatenate([np.full(len(area), at) for at, area in found]),
        np.concatenate([tree[at].index[area] for at, area in found]),
        np.concatenate([np.full(len(area), SENSITIVE) for _, area in found]),
        np.concatenate([cells[at][area, 0] for at, area in found]),
    )


def _hides_parts(blocks: Blocks, cells: Ints, size: int) -> NDArray[np.bool_]:
    """Areas whose children stay in doubt, whatever they count; an only child is the same area."""
    found = np.ones(size, dtype=bool)
    sums, peaks = blocks.reduce(np.add, cells), blocks.reduce(np.maximum, cells)
    hides = stands(blocks.sizes[:, None], sums, peaks).all(axis=1)
    found[blocks.parents] = hides | (blocks.sizes == 1)
    return found


def _parts(tree: Sequence[Nodes], node: int, cells: Sequence[Ints]) -> Ints:
    return cells[2][tree[2].blocks.of(node)] if len(tree) > 2 else cells[1][:0]
