"""A fine mesh of Voronoi pieces, dense where people live, with borders along the rivers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Voronoi, cKDTree

from etl.synthesize.terrain import URBAN_DENSITY, Terrain

if TYPE_CHECKING:
    from etl.synthesize.plan import Floats, Ints, Plan

OUTSIDE = -1
MARGIN = 1.5  # ground outside of the outline (1.0) that is meshed too, so that pieces are closed


@dataclass(frozen=True)
class Mesh:
    """
    Pieces of the city and the edges between them, in local kilometres.

    Pieces: `sites` (n, 2), `area_km2`, `people`, the number of `grids` they are worth and whether
    they lie in `streets` (each (n,)). Edges: `left` and `right` piece (or
    `OUTSIDE`) as seen from `start` to `end`, which index `vertices`; `reach` is the slope up to
    which an edge may be bent without touching another one; `river` marks edges on a river.
    """

    sites: Floats
    area_km2: Floats
    people: Floats
    grids: Floats
    streets: np.ndarray
    vertices: Floats
    left: Ints
    right: Ints
    start: Ints
    end: Ints
    reach: Floats
    river: np.ndarray

    @property
    def inner(self) -> Ints:
        """Edges with a piece on both sides."""
        return np.flatnonzero((self.left >= 0) & (self.right >= 0))


def _raster(terrain: Terrain, plan: Plan) -> tuple[Floats, Floats, Floats, float]:
    """Cell centres over the city with a margin, grids per km² and edge value, cell size."""
    side, reach = 620, 2.1 * plan.radius_km
    axis = (np.arange(side) + 0.5) / side * 2 * reach - reach
    points = np.column_stack([grid.ravel() for grid in np.meshgrid(axis, axis)])
    edge = terrain.edge(points)
    points, edge = points[edge < MARGIN], edge[edge < MARGIN]
    return points, terrain.grids_per_km2(points), edge, 2 * reach / side


def _relaxed_sites(terrain: Terrain, plan: Plan, rng: np.random.Generator) -> Floats:
    """Sites drawn by density, then moved to the middle of what is nearest to them."""
    points, dense, edge, cell = _raster(terrain, plan)
    share = dense / dense.sum()
    count = round(plan.grids * plan.pieces / share[edge < 1].sum())

    def draw(size: int) -> Floats:
        picked = points[rng.choice(len(points), size=size, p=share)]
        return np.asarray(picked + rng.uniform(-cell / 2, cell / 2, (size, 2)))

    sites = draw(count)
    for _ in range(3):
        sample = draw(8 * count)
        nearest = cKDTree(sites).query(sample)[1]
        number = np.bincount(nearest, minlength=count)
        for axis in (0, 1):
            total = np.bincount(nearest, weights=sample[:, axis], minlength=count)
            sites[:, axis] = np.where(number > 0, total / np.maximum(number, 1), sites[:, axis])
    return sites


def _with_streets(terrain: Terrain, sites: Floats, rng: np.random.Generator) -> Floats:
    """Replace the sites of towns by a lattice of blocks, turned another way in each town."""
    urban = terrain.density(sites) > URBAN_DENSITY
    spacing = cKDTree(sites).query(sites, k=7)[0][:, -1]
    town = cKDTree(terrain.centres).query(sites)[1]
    town[np.hypot(*(sites - terrain.core).T) < 9 * terrain.scale] = -1  # one city, one lattice
    parts = [sites[~urban]]
    for number in np.unique(town[urban]).tolist():
        here = sites[urban & (town == number)]
        block = 2.0 ** np.round(np.log2(spacing[urban & (town == number)] / 1.22 / terrain.scale))
        angle = rng.uniform(-0.6, 0.6)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        tree = cKDTree(here)
        for size in np.unique(block).tolist():
            side = size * terrain.scale
            own = here[block == size] @ turn
            low, high = own.min(axis=0) - side, own.max(axis=0) + side
            axes = [np.arange(low[k] // side, high[k] // side + 1) * side for k in (0, 1)]
            nodes = np.column_stack([grid.ravel() for grid in np.meshgrid(*axes)]) @ turn.T
            distance, nearest = tree.query(nodes)
            kept = (distance < 0.9 * side) & (block[nearest] == size)
            parts.append(nodes[kept] + rng.normal(0, 0.05 * side, (int(kept.sum()), 2)))
    return np.vstack(parts)


def _bank_sites(
    river: shapely.LineString, spacing_at: Floats, offsets: Floats, rng: np.random.Generator
) -> Floats:
    """Pairs of sites on both banks, so that the border between them follows the river."""
    along = [0.0]
    while along[-1] < river.length:
        along.append(along[-1] + 0.8 * float(np.interp(along[-1], offsets, spacing_at)))
    station = np.array(along[:-1])
    here = shapely.get_coordinates(shapely.line_interpolate_point(river, station))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(river, station + 1e-3))
    behind = shapely.get_coordinates(shapely.line_interpolate_point(river, station - 1e-3))
    course = ahead - behind
    course /= np.maximum(np.hypot(*course.T), 1e-12)[:, None]
    spacing = np.interp(station, offsets, spacing_at)[:, None]
    across = np.column_stack([-course[:, 1], course[:, 0]]) * 0.42 * spacing
    # Four sites of two pairs lie on one circle; a little chance keeps every corner at three.
    jitter = rng.normal(0, 0.012, (2, *across.shape)) * spacing
    return np.vstack([here + across + jitter[0], here - across + jitter[1]])


def _sites(terrain: Terrain, plan: Plan, rng: np.random.Generator) -> Floats:
    """All sites: relaxed ones away from the rivers, paired ones along them."""
    sites = _with_streets(terrain, _relaxed_sites(terrain, plan, rng), rng)
    tree = cKDTree(sites)
    banks = []
    for river in terrain.rivers:
        offsets = np.linspace(0, river.length, 1500)
        points = shapely.get_coordinates(shapely.line_interpolate_point(river, offsets))
        spacing = np.minimum(tree.query(points, k=7)[0][:, -1] / 1.35, 0.75 * terrain.scale)
        near = cKDTree(points).query(sites)
        sites = sites[near[0] > 0.85 * spacing[near[1]]]
        tree = cKDTree(sites)
        found = _bank_sites(river, spacing, offsets, rng)
        banks.append(found[terrain.edge(found) < MARGIN])
    joined = np.vstack([sites, *banks])
    # Banks of the two rivers meet at the confluence; drop one of any two that nearly coincide.
    pairs = cKDTree(joined).query_pairs(0.03 * terrain.scale, output_type="ndarray")
    pairs = pairs[pairs[:, 1] >= len(sites)]
    joined = np.delete(joined, np.unique(pairs[:, 1]), axis=0)
    turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    far = 4 * plan.radius_km * np.column_stack([np.cos(turn), np.sin(turn)])
    return np.vstack([joined, far])


def _inside(terrain: Terrain, sites: Floats, pairs: Ints) -> np.ndarray:
    """Mask of the sites of the city: inside of the outline, in one piece, without holes."""
    inside = terrain.edge(sites) < 1.0
    for wanted in (True, False):
        kept = (inside[pairs] == wanted).all(axis=1)
        graph = coo_array(
            (np.ones(kept.sum()), (pairs[kept, 0], pairs[kept, 1])), shape=(len(sites),) * 2
        )
        part = connected_components(graph, directed=False)[1]
        sizes = np.bincount(part[inside == wanted], minlength=part.max() + 1)
        inside[(inside == wanted) & (part != sizes.argmax())] = not wanted
    return inside


def make_mesh(terrain: Terrain, plan: Plan, rng: np.random.Generator) -> Mesh:
    """
    Cut the ground into pieces, about `plan.pieces` for each grid.

    Parameters
    ----------
    terrain
        The ground.
    plan
        Wanted numbers.
    rng
        Source of chance.

    Returns
    -------
    mesh
        Pieces and edges; every piece is finite and the city is one polygon without holes.
    """
    sites = _sites(terrain, plan, rng)
    voronoi = Voronoi(sites)
    corners = np.asarray(voronoi.ridge_vertices)
    pairs = np.asarray(voronoi.ridge_points, dtype=np.int64)
    inside = _inside(terrain, sites, pairs)
    kept = inside[pairs].any(axis=1)
    pairs, corners = pairs[kept], corners[kept]
    if (corners < 0).any():
        raise ValueError("mesh: a piece of the city is not closed; widen the margin")
    a, b = voronoi.vertices[corners[:, 0]], voronoi.vertices[corners[:, 1]]
    turned = _cross(b - a, sites[pairs[:, 0]] - a) < 0
    pairs[turned] = pairs[turned][:, ::-1]
    number = np.where(inside, np.cumsum(inside) - 1, OUTSIDE)
    used, corner = np.unique(corners, return_inverse=True)
    corner = corner.reshape(corners.shape)
    area = _areas(sites, pairs, a, b)[inside]
    people = area * terrain.density(sites[inside])
    mesh = Mesh(
        sites=sites[inside],
        area_km2=area,
        people=people * plan.population / people.sum(),
        grids=area * terrain.grids_per_km2(sites[inside]),
        streets=terrain.density(sites[inside]) > URBAN_DENSITY,
        vertices=voronoi.vertices[used],
        left=number[pairs[:, 0]],
        right=number[pairs[:, 1]],
        start=corner[:, 0],
        end=corner[:, 1],
        reach=np.empty(0),
        river=_on_river(terrain, sites, pairs),
    )
    return replace(mesh, reach=reach_of(mesh, mesh.vertices))


def smooth(mesh: Mesh, rank: Ints, *, rounds: int = 2) -> Mesh:
    """
    Take the zigzag of the pieces out of the borders; in towns only those of large areas.

    A corner moves towards the middle of its two neighbours along the border of highest rank.
    Every piece must stay star-shaped round its site, so borders cannot cross.

    Parameters
    ----------
    mesh
        The mesh.
    rank
        Rank of each edge: 0 is no border, higher ranks are borders of larger areas.
    rounds
        How often corners move.

    Returns
    -------
    mesh
        The same pieces with moved corners.
    """
    corner = np.concatenate([mesh.start, mesh.end])
    other = np.concatenate([mesh.end, mesh.start])
    order = np.lexsort((-np.tile(rank, 2), corner))
    corner, other, weight = corner[order], other[order], np.tile(rank, 2)[order]
    first = np.searchsorted(corner, np.arange(len(mesh.vertices)))
    degree = np.bincount(corner, minlength=len(mesh.vertices))
    low = np.maximum(degree - 1, 0)
    third = np.where(degree > 2, weight[first + np.minimum(low, 2)], -1)
    second = np.where(degree > 1, weight[first + np.minimum(low, 1)], -1)
    towns = np.zeros(len(mesh.vertices), dtype=bool)
    for side in (mesh.left, mesh.right):
        in_town = mesh.streets[side] & (side >= 0)
        towns[mesh.start[in_town]] = towns[mesh.end[in_town]] = True
    river = np.zeros(len(mesh.vertices), dtype=bool)
    river[mesh.start[mesh.river]] = river[mesh.end[mesh.river]] = True
    movable = np.flatnonzero((second > third) & (second > np.where(towns, 2, 0)) & ~river)
    a, b = other[first[movable]], other[first[movable] + 1]
    vertices = mesh.vertices.copy()
    for _ in range(rounds):
        before = vertices.copy()
        vertices[movable] = 0.5 * before[movable] + 0.25 * (before[a] + before[b])
        while len(broken := _not_star_shaped(mesh, vertices)):
            back = np.union1d(mesh.start[broken], mesh.end[broken])
            vertices[back] = before[back]
    return replace(mesh, vertices=vertices, reach=reach_of(mesh, vertices))


def _not_star_shaped(mesh: Mesh, vertices: Floats) -> Ints:
    """Edges that a site no longer sees from its side, with some room."""
    a, b = vertices[mesh.start], vertices[mesh.end]
    bad = np.zeros(len(a), dtype=bool)
    for side, sign in ((mesh.left, 1.0), (mesh.right, -1.0)):
        seen = sign * _cross(b - a, mesh.sites[side] - a)
        room = 0.04 * ((b - a) ** 2).sum(axis=1)
        original = mesh.vertices[mesh.end] - mesh.vertices[mesh.start]
        at_first = sign * _cross(original, mesh.sites[side] - mesh.vertices[mesh.start])
        bad |= (side >= 0) & (seen < np.minimum(room, 0.5 * at_first))
    return np.flatnonzero(bad)


def _cross(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def _areas(sites: Floats, pairs: Ints, a: Floats, b: Floats) -> Floats:
    """Area of each piece: the triangles from its site to its edges."""
    area = np.zeros(len(sites))
    for side in (0, 1):
        site = sites[pairs[:, side]]
        area += np.bincount(
            pairs[:, side], weights=np.abs(_cross(a - site, b - site)) / 2, minlength=len(sites)
        )
    return area


def reach_of(mesh: Mesh, vertices: Floats) -> Floats:
    """Largest slope of a bend that stays in the two triangles from the edge to its sites."""
    a, b = vertices[mesh.start], vertices[mesh.end]
    along = b - a
    length = np.maximum(np.hypot(*along.T), 1e-12)
    reach = np.full(len(a), np.inf)
    for side in (mesh.left, mesh.right):
        from_a = mesh.sites[side] - a
        height = np.abs(_cross(along, from_a)) / length
        foot = (from_a * along).sum(axis=1) / length
        slope = height / np.maximum(np.maximum(foot, length - foot), 1e-9)
        reach = np.where(side >= 0, np.minimum(reach, slope), reach)
    return reach


def _on_river(terrain: Terrain, sites: Floats, pairs: Ints) -> np.ndarray:
    """Mask of the edges whose two sites lie on different banks."""
    links = shapely.linestrings(sites[pairs])
    hit = shapely.STRtree(links).query(np.array(terrain.rivers), predicate="intersects")[1]
    mask = np.zeros(len(pairs), dtype=bool)
    mask[hit] = True
    return mask


def neighbour_graph(mesh: Mesh, cost: Floats) -> csr_array:
    """Undirected graph of the pieces; `cost` is that of crossing each edge of `mesh.inner`."""
    inner = mesh.inner
    size = len(mesh.sites)
    return coo_array((cost, (mesh.left[inner], mesh.right[inner])), shape=(size, size)).tocsr()
