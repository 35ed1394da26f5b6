"""Nested division of the mesh: every area is one connected piece without holes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra

from etl.synthesize.mesh import Mesh, neighbour_graph
from etl.synthesize.terrain import Terrain, waves

if TYPE_CHECKING:
    from etl.synthesize.plan import Floats, Ints, Plan

MAX_TRIES = 60


class PartitionError(ValueError):
    """An area could not be divided without enclaves."""


@dataclass(frozen=True)
class Style:
    """
    How areas grow at one level.

    `river` multiplies the cost of crossing a river, `crowd` is the power of local density in
    the cost (0: equal extent, 0.5: equal number of pieces), `rough` the spread of local noise.
    """

    river: float
    crowd: float
    rough: float
    rounds: int


STYLES: dict[str, Style] = {
    "county": Style(river=40.0, crowd=0.18, rough=0.22, rounds=0),
    "township": Style(river=25.0, crowd=0.10, rough=0.20, rounds=0),
    "community": Style(river=40.0, crowd=0.30, rough=0.15, rounds=5),
    "grid": Style(river=80.0, crowd=0.40, rough=0.12, rounds=4),
}


@dataclass(frozen=True)
class Divisions:
    """
    Area number of each piece at each level, and the parent number of each area.

    `recut` holds the grid number of each piece after the re-cut; new grids are numbered after
    the old ones, and `parents["grid"]` covers both. `replaced` lists (old grids, new grids) of
    each re-cut.
    """

    labels: dict[str, Ints]
    parents: dict[str, Ints]
    recut: Ints
    replaced: list[tuple[list[int], list[int]]] = field(default_factory=list)


def enclaves(mesh: Mesh, labels: Ints) -> Ints:
    """
    Find areas with a hole.

    Parameters
    ----------
    mesh
        The mesh.
    labels
        Area number of each piece, shape (pieces,); every area is connected.

    Returns
    -------
    areas
        Numbers of the areas whose border has more than one ring.
    """
    region, nxt = half_edges(mesh, labels)[2:]
    size = len(nxt)
    graph = coo_array((np.ones(size, dtype=np.int8), (np.arange(size), nxt)), shape=(size, size))
    ring = connected_components(graph, directed=False)[1]
    first = np.unique(ring, return_index=True)[1]
    return np.flatnonzero(np.bincount(region[first], minlength=labels.max() + 1) > 1)


def half_edges(mesh: Mesh, labels: Ints) -> tuple[Ints, np.ndarray, Ints, Ints]:
    """
    List the borders of all areas, each edge once per area, the area on its left.

    Every corner of the mesh joins three pieces, so an area leaves a corner at most once and the
    next half edge is unique.

    Parameters
    ----------
    mesh
        The mesh.
    labels
        Area number of each piece; -1 leaves the piece out.

    Returns
    -------
    edge, forward, region, nxt
        Edge index, whether it is walked from start to end, area number, and the position of the
        next half edge of the same ring.
    """
    padded = np.append(labels, -1)  # so that OUTSIDE (-1) looks up -1
    left, right = padded[mesh.left], padded[mesh.right]
    border = np.flatnonzero(left != right)
    edge = np.concatenate([border, border])
    forward = np.repeat([True, False], len(border))
    region = np.concatenate([left[border], right[border]])
    kept = region >= 0
    edge, forward, region = edge[kept], forward[kept], region[kept]
    start = np.where(forward, mesh.start[edge], mesh.end[edge])
    end = np.where(forward, mesh.end[edge], mesh.start[edge])
    corners = len(mesh.vertices)
    order = np.argsort(region * corners + start, kind="stable")
    keys = (region * corners + start)[order]
    nxt = order[np.searchsorted(keys, region * corners + end)]
    return edge, forward, region, nxt


class Divider:
    """Grows areas from seeds over the mesh; those with a hole anew, unless `holes` are allowed."""

    def __init__(
        self, mesh: Mesh, rng: np.random.Generator, *, scale: float, holes: bool = False
    ) -> None:
        self.mesh, self.rng, self.holes = mesh, rng, holes
        self.inner = mesh.inner
        self.a, self.b = mesh.left[self.inner], mesh.right[self.inner]
        self.length = np.hypot(*(mesh.sites[self.a] - mesh.sites[self.b]).T)
        middle = (mesh.sites[self.a] + mesh.sites[self.b]) / 2
        self.grain = waves(rng, length_km=5.0 * scale, count=14)(middle)
        self.crowding = np.log(1 / (mesh.area_km2[self.a] + mesh.area_km2[self.b]))

    def _cost(self, style: Style) -> Floats:
        noise = style.rough * (self.rng.normal(0, 0.5, len(self.inner)) + 1.5 * self.grain)
        cost = self.length * np.exp(style.crowd * self.crowding + noise)
        return np.asarray(np.where(self.mesh.river[self.inner], style.river * cost, cost))

    def _grow(self, parent: Ints, seeds: Ints, cost: Floats) -> Ints:
        """Number (position in `seeds`) of the nearest seed in the same parent."""
        same = parent[self.a] == parent[self.b]
        graph = neighbour_graph(self.mesh, np.where(same, cost, 0.0))
        graph.eliminate_zeros()
        source = dijkstra(
            graph, directed=False, indices=seeds, min_only=True, return_predecessors=True
        )[2]
        number = np.full(len(parent), -1, dtype=np.int64)
        number[seeds] = np.arange(len(seeds))
        return np.where(parent >= 0, number[np.maximum(source, 0)], -1)

    def _faulty(self, labels: Ints) -> Ints:
        """Numbers of the areas that must be grown anew."""
        return np.empty(0, dtype=np.int64) if self.holes else enclaves(self.mesh, labels)

    def _random_seeds(self, parent: Ints, wanted: Ints) -> Ints:
        """`wanted[p]` different pieces in each parent p, in the order of the parents."""
        shuffled = self.rng.permutation(len(parent))
        shuffled = shuffled[parent[shuffled] >= 0]
        order = shuffled[np.argsort(parent[shuffled], kind="stable")]
        sizes = np.bincount(parent[order], minlength=len(wanted))
        rank = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return np.asarray(order[rank < wanted[parent[order]]])

    def _centred(self, labels: Ints, count: int) -> Ints:
        """The piece of each area that is nearest to the middle of the area."""
        kept = np.flatnonzero(labels >= 0)
        own = labels[kept]
        number = np.bincount(own, minlength=count)
        middle = np.column_stack(
            [
                np.bincount(own, weights=self.mesh.sites[kept, axis], minlength=count) / number
                for axis in (0, 1)
            ]
        )
        distance = np.hypot(*(self.mesh.sites[kept] - middle[own]).T)
        order = np.lexsort((distance, own))
        return np.asarray(kept[order[np.cumsum(number) - number]])

    def from_seeds(self, parent: Ints, seeds: Ints, style: Style) -> Ints:
        """
        Divide each parent among given seeds.

        Parameters
        ----------
        parent
            Parent number of each piece.
        seeds
            One piece for each area.
        style
            How areas grow.

        Returns
        -------
        labels
            Position in `seeds` for each piece.

        Raises
        ------
        PartitionError
            No noise gave areas without enclaves.
        """
        for _ in range(MAX_TRIES):
            labels = self._grow(parent, seeds, self._cost(style))
            if not len(self._faulty(labels)):
                return labels
        raise PartitionError(f"{len(seeds)} areas: enclaves remain after {MAX_TRIES} tries")

    def by_number(self, parent: Ints, wanted: Ints, style: Style) -> Ints:
        """
        Divide each parent into a wanted number of areas.

        Parameters
        ----------
        parent
            Parent number of each piece; -1 leaves a piece out.
        wanted
            Number of areas of each parent; at most its number of pieces.
        style
            How areas grow.

        Returns
        -------
        labels
            Area number of each piece, counted through the parents in their order; -1 where left
            out.

        Raises
        ------
        PartitionError
            Enclaves remain after many tries.
        """
        first = np.cumsum(wanted) - wanted
        result = np.full(len(parent), -1, dtype=np.int64)
        todo = parent
        for _ in range(MAX_TRIES):
            open_parents = np.unique(todo[todo >= 0])
            if not len(open_parents):
                return result
            seeds = self._random_seeds(todo, wanted)
            cost = self._cost(style)
            labels = self._grow(todo, seeds, cost)
            for _ in range(style.rounds):
                seeds = self._centred(labels, len(seeds))
                labels = self._grow(todo, seeds, cost)
            bad = np.unique(parent[seeds[self._faulty(labels)]])
            good = (todo >= 0) & ~np.isin(todo, bad)
            sizes = wanted[open_parents]
            local_first = np.zeros(len(wanted), dtype=np.int64)
            local_first[open_parents] = np.cumsum(sizes) - sizes
            result[good] = (labels - local_first[todo] + first[todo])[good]
            todo = np.where(good, -1, todo)
        raise PartitionError(f"{len(bad)} areas: enclaves remain after {MAX_TRIES} tries")


def apportion(weights: Floats, total: int, *, least: Ints, most: Ints) -> Ints:
    """
    Split a whole number by weights (largest remainder), each part within its limits.

    Parameters
    ----------
    weights
        Not negative, shape (n,).
    total
        Between the sums of `least` and `most`.
    least, most
        Smallest and largest part of each, shape (n,).

    Returns
    -------
    parts
        Whole numbers that sum up to `total`.

    Raises
    ------
    ValueError
        The total cannot be split within the limits.
    """
    if not least.sum() <= total <= most.sum():
        raise ValueError(f"apportion: {total} is not within {least.sum()} and {most.sum()}")
    parts = least.astype(np.int64)
    while (free := total - int(parts.sum())) > 0:
        room = (parts < most) * np.maximum(weights, 1e-12)
        share = room / room.sum() * free
        step = np.floor(share).astype(np.int64)
        step[np.argsort(-(share % 1), kind="stable")[: free - int(step.sum())]] += 1
        parts = np.minimum(parts + step, most)
    return parts


def divide(mesh: Mesh, terrain: Terrain, plan: Plan, rng: np.random.Generator) -> Divisions:
    """
    Divide the city into counties, townships, communities and grids.

    Parameters
    ----------
    mesh, terrain, plan, rng
        The mesh, the ground, the wanted numbers, the source of chance.

    Returns
    -------
    divisions
        Labels that nest exactly.
    """
    divider = Divider(mesh, rng, scale=terrain.scale)
    everything = np.zeros(len(mesh.sites), dtype=np.int64)
    towns = _nearest_pieces(mesh, terrain.centres)
    county = divider.from_seeds(everything, towns[terrain.seats], STYLES["county"])
    towns = towns[np.argsort(county[towns], kind="stable")]
    township = divider.from_seeds(county, towns, STYLES["township"])
    labels = {"city": everything, "county": county, "township": township}
    parents = {"county": np.zeros(plan.counties, dtype=np.int64), "township": county[towns]}
    for level, above, total in (
        ("community", "township", plan.communities),
        ("grid", "community", plan.grids),
    ):
        pieces = np.bincount(labels[above])
        wanted_grids = np.bincount(labels[above], weights=mesh.grids)
        weights = np.asarray(wanted_grids ** (0.85 if level == "community" else 1.0), dtype=float)
        least = np.minimum(pieces, 3 if level == "community" else 1)
        wanted = apportion(weights, total, least=least, most=pieces)
        labels[level] = divider.by_number(labels[above], wanted, STYLES[level])
        parents[level] = np.repeat(np.arange(len(wanted)), wanted)
    recut, replaced, extra = _recut(divider, labels, plan, rng)
    parents["grid"] = np.concatenate([parents["grid"], extra])
    return Divisions(labels, parents, recut, replaced)


def border_ranks(mesh: Mesh, divisions: Divisions) -> Ints:
    """
    Rank the edges of the mesh by the largest areas that they divide.

    Parameters
    ----------
    mesh, divisions
        The mesh and the nested labels.

    Returns
    -------
    rank
        0 inside of a grid (old or new), 1 between grids, up to 5 round the city.
    """
    rank = np.zeros(len(mesh.left), dtype=np.int64)
    ranked = [(1, divisions.recut)]
    levels = ("grid", "community", "township", "county", "city")
    ranked += [(1 + place, divisions.labels[level]) for place, level in enumerate(levels)]
    for height, labels in ranked:
        padded = np.append(labels, -1)
        rank = np.where(padded[mesh.left] != padded[mesh.right], height, rank)
    return rank


def _nearest_pieces(mesh: Mesh, points: Floats) -> Ints:
    """A different piece near each point."""
    taken: list[int] = []
    for point in points:
        order = np.argsort(np.hypot(*(mesh.sites - point).T), kind="stable")[: len(taken) + 1]
        taken.append(int(next(piece for piece in order if piece not in taken)))
    return np.array(taken)


def _recut(
    divider: Divider, labels: dict[str, Ints], plan: Plan, rng: np.random.Generator
) -> tuple[Ints, list[tuple[list[int], list[int]]], Ints]:
    """Cut some grids anew: one into two, or two neighbours into three."""
    grid, community = labels["grid"], labels["community"]
    pieces = np.bincount(grid)
    a, b = grid[divider.a], grid[divider.b]
    touching = (a != b) & (community[divider.a] == community[divider.b])
    partner = dict(zip(a[touching].tolist(), b[touching].tolist(), strict=True))
    group = np.full(len(grid), -1, dtype=np.int64)
    old: list[list[int]] = []
    wanted: list[int] = []
    used: set[int] = set()
    for candidate in rng.permutation(plan.grids).tolist():
        pair = len(old) % 3 == 2 and candidate in partner
        members = [candidate, partner[candidate]] if pair else [candidate]
        if used & {int(community[grid == m][0]) for m in members} or pieces[members].sum() < 5:
            continue
        used.add(int(community[grid == candidate][0]))
        group[np.isin(grid, members)] = len(old)
        old.append(sorted(members))
        wanted.append(3 if pair else 2)
        if sum(map(len, old)) >= max(2, round(plan.recut_share * plan.grids)):
            break
    fresh = divider.by_number(group, np.array(wanted), STYLES["grid"])
    recut = np.where(group >= 0, plan.grids + fresh, grid)
    first = np.cumsum(wanted) - wanted + plan.grids
    replaced = [
        (members, list(range(start, start + number)))
        for members, start, number in zip(old, first.tolist(), wanted, strict=True)
    ]
    extra = np.repeat([int(community[grid == members[0]][0]) for members in old], wanted)
    return recut, replaced, extra
