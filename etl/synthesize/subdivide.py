"""
Subdivide real areas: each parent polygon, of any shape, is cut into a wanted number of areas.

Sites are drawn inside each parent, denser where people live, and the plane is cut into their
Voronoi pieces with bent edges. All edges and all parents' borders are cut at their crossings at
once, so that neighbours share every corner, across the borders of their parents too. The pieces
of a parent are then put together to areas; together they are the parent, to the last digit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Voronoi, cKDTree

from etl.synthesize.borders import bend
from etl.synthesize.mesh import Mesh, reach_of
from etl.synthesize.partition import Divider, Style
from geo.boundaries import metres_per_degree

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etl.synthesize.plan import Floats, Ints

Density = Callable[["Floats", "Floats"], "Floats"]
"""Longitudes and latitudes in degrees → how densely the ground is cut there, above 0."""

EVEN: Final = Style(river=50.0, crowd=0.5, rough=0.12, rounds=5)
"""Areas of a parent get about the same number of pieces: small in towns, large in mountains. What
is crossed like a river here is the gap between a parent and its islets."""

_POOL: Final = 8  # points drawn per site, from which the sites are chosen
_ROUNDS: Final = 2
_FULL_WIDTH_KM: Final = 94.0  # of the demonstration city, whose noise has scale 1


@dataclass(frozen=True)
class Subdivision:
    """
    Areas and the pieces that they are made of.

    `shapes` and `parent` (position in the parents) of each area, numbered through the parents in
    their order; `pieces`, degrees, and the area `owner` of each piece.
    """

    shapes: NDArray[np.object_]
    parent: Ints
    pieces: NDArray[np.object_]
    owner: Ints


@dataclass(frozen=True)
class _Faces:
    """Smallest parts of the plane: polygon, parent, and pairs that share a border of `length`."""

    shapes: NDArray[np.object_]
    parent: Ints
    a: Ints
    b: Ints
    length: Floats


def subdivide(
    parents: NDArray[np.object_],
    wanted: Ints,
    *,
    density: Density,
    rng: np.random.Generator,
    pieces: int = 12,
    style: Style = EVEN,
) -> Subdivision:
    """
    Cut each parent into a wanted number of areas that tile it exactly.

    Parameters
    ----------
    parents
        Valid polygons or multipolygons in degrees, WGS 84 (EPSG:4326), that do not overlap; they
        may have holes and share borders.
    wanted
        Number of areas of each parent, 1 or more.
    density
        Where pieces are small.
    rng
        Source of chance.
    pieces
        Number of pieces that an area is put together from, on average.
    style
        How areas grow.

    Returns
    -------
    subdivision
        Every area is one connected polygon, unless a parent has more parts than areas; then
        islets belong to the nearest area.

    Raises
    ------
    ValueError
        A parent is empty or should be cut into less than one area.
    """
    if (wanted < 1).any() or shapely.is_empty(parents).any():
        raise ValueError("subdivide: each parent needs ground and one area or more")
    scale = metres_per_degree(parents) / 1000
    sites, home = _draw_sites(parents, wanted * pieces, density, rng)
    faces = _cut(parents, sites, scale, rng)
    piece = _join_slivers(faces, sites, home)
    shapes = _dissolve(faces.shapes, piece)
    first = np.unique(piece, return_index=True)[1]
    within = faces.parent[first]
    mesh = _piece_mesh(faces, piece, shapes, within, scale)
    width_km = float(np.ptp(mesh.sites, axis=0).max())
    divider = Divider(mesh, rng, scale=width_km / _FULL_WIDTH_KM, holes=True)
    owner = divider.by_number(within, wanted, style)
    return Subdivision(
        _dissolve(shapes, owner), np.repeat(np.arange(len(wanted)), wanted), shapes, owner
    )


def _draw_sites(
    parents: NDArray[np.object_], counts: Ints, density: Density, rng: np.random.Generator
) -> tuple[Floats, Ints]:
    """Sites in degrees, `counts[p]` different ones inside of each parent p, and their parents."""
    shapely.prepare(parents)
    sites = []
    for parent, count in zip(parents, counts.tolist(), strict=True):
        pool = points_inside(parent, _POOL * count, rng)
        weight = density(pool[:, 0], pool[:, 1])
        picked = rng.choice(len(pool), size=count, replace=False, p=weight / weight.sum())
        chosen = pool[picked]
        for _ in range(_ROUNDS):
            chosen = _centred(chosen, pool, weight)
        sites.append(chosen)
    return np.concatenate(sites), np.repeat(np.arange(len(parents)), counts)


def points_inside(parent: shapely.Geometry, count: int, rng: np.random.Generator) -> Floats:
    """
    Draw points in a polygon, evenly.

    Parameters
    ----------
    parent
        Polygon or multipolygon in degrees.
    count
        Least number of points.
    rng
        Source of chance.

    Returns
    -------
    points
        Longitude and latitude, shape (n, 2).
    """
    west, south, east, north = shapely.bounds(parent)
    share = max(shapely.area(parent) / ((east - west) * (north - south)), 1e-4)
    found: list[Floats] = []
    while sum(map(len, found)) < count:
        size = int(1.2 * count / share) + 8
        points = rng.uniform((west, south), (east, north), (size, 2))
        found.append(points[shapely.contains_xy(parent, points[:, 0], points[:, 1])])
    return np.concatenate(found)


def _centred(sites: Floats, pool: Floats, weight: Floats) -> Floats:
    """For each site the point of the pool in the middle of those that are nearest to it."""
    nearest = cKDTree(sites).query(pool)[1]
    total = np.maximum(np.bincount(nearest, weights=weight, minlength=len(sites)), 1e-300)
    middle = np.column_stack(
        [
            np.bincount(nearest, weights=weight * pool[:, axis], minlength=len(sites)) / total
            for axis in (0, 1)
        ]
    )
    distance = np.hypot(*(pool - middle[nearest]).T)
    order = np.lexsort((distance, nearest))
    owner, first = np.unique(nearest[order], return_index=True)
    moved = sites.copy()
    moved[owner] = pool[order[first]]
    return moved


def _cut(
    parents: NDArray[np.object_], sites: Floats, scale: Floats, rng: np.random.Generator
) -> _Faces:
    """Cut the parents along the bent edges of the Voronoi pieces of all sites."""
    edges = _bent_edges(sites, scale, rng)
    lines = shapely.get_parts(shapely.boundary(parents))
    noded = shapely.union_all(np.concatenate([lines, edges]))
    cut = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    inside = shapely.point_on_surface(cut)
    face, parent = shapely.STRtree(parents).query(inside, predicate="within")[[0, 1]]
    order = np.argsort(face, kind="stable")
    shapes = cut[face[order]]
    a, b, length = _shared_borders(shapes, scale)
    return _Faces(shapes, parent[order].astype(np.int64), a, b, length)


def _bent_edges(sites: Floats, scale: Floats, rng: np.random.Generator) -> NDArray[np.object_]:
    """Edges between the Voronoi pieces, in degrees; those of the outermost pieces are closed."""
    middle = sites.mean(axis=0)
    local = (sites - middle) * scale
    turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    far = 4 * np.hypot(*local.T).max() * np.column_stack([np.cos(turn), np.sin(turn)])
    spread = np.concatenate([local, far])
    voronoi = Voronoi(spread)
    corners = np.asarray(voronoi.ridge_vertices)
    pairs = np.asarray(voronoi.ridge_points, dtype=np.int64)
    kept = (pairs < len(sites)).any(axis=1) & (corners >= 0).all(axis=1)
    mesh = _bare_mesh(spread, pairs[kept])
    mesh = replace(mesh, vertices=voronoi.vertices, start=corners[kept, 0], end=corners[kept, 1])
    points, _, number = bend(replace(mesh, reach=reach_of(mesh, mesh.vertices)), rng)
    # What `bend` leaves out is the last point of each edge.
    owner = np.repeat(np.arange(len(number)), number)
    order = np.argsort(np.append(owner, np.arange(len(number))), kind="stable")
    whole = np.concatenate([points, mesh.vertices[mesh.end]])[order]
    owner = np.repeat(np.arange(len(number)), number + 1)
    return np.asarray(shapely.linestrings(whole / scale + middle, indices=owner))


def _bare_mesh(sites: Floats, pairs: Ints) -> Mesh:
    """A mesh of which only the sites and the neighbours are known."""
    none, count = np.empty(0), len(sites)
    no_corner = np.empty(0, dtype=np.int64)
    return Mesh(
        sites=sites, area_km2=np.ones(count), people=none, grids=none, streets=none,
        vertices=np.empty((0, 2)), left=pairs[:, 0], right=pairs[:, 1], start=no_corner,
        end=no_corner, reach=none, river=np.zeros(len(pairs), dtype=bool),
    )  # fmt: skip


def _shared_borders(shapes: NDArray[np.object_], scale: Floats) -> tuple[Ints, Ints, Floats]:
    """Pairs of polygons of a coverage that share a border, and its length in km."""
    rings, owner = shapely.get_coordinates(shapes, return_index=True)
    same = (owner[1:] == owner[:-1]) & (rings[1:] != rings[:-1]).any(axis=1)
    low, high, owner = rings[:-1][same], rings[1:][same], owner[:-1][same]
    turned = (low[:, 0] > high[:, 0]) | ((low[:, 0] == high[:, 0]) & (low[:, 1] > high[:, 1]))
    low[turned], high[turned] = high[turned], low[turned].copy()
    segments = np.column_stack([low, high])
    order = np.lexsort(segments.T)
    segments, owner = segments[order], owner[order]
    twin = np.flatnonzero((segments[1:] == segments[:-1]).all(axis=1))
    a, b = np.sort(np.column_stack([owner[twin], owner[twin + 1]]), axis=1).T
    length = np.hypot(*((segments[twin, 2:] - segments[twin, :2]) * scale).T)
    pair, index = np.unique(a * len(shapes) + b, return_inverse=True)
    total = np.bincount(index, weights=length, minlength=len(pair))
    first, second = np.divmod(pair, len(shapes))
    return first.astype(np.int64), second.astype(np.int64), np.asarray(total, dtype=np.float64)


def _join_slivers(faces: _Faces, sites: Floats, home: Ints) -> Ints:
    """
    Give every face to the piece of a site, along the longest borders within its parent.

    A border cuts a Voronoi piece into a face with the site and slivers without; parts of a parent
    that hold no site become pieces of their own.
    """
    tree = shapely.STRtree(faces.shapes)
    point, face = tree.query(shapely.points(sites), predicate="within")
    right = faces.parent[face] == home[point]
    piece = np.full(len(faces.shapes), -1, dtype=np.int64)
    piece[face[right]] = point[right]
    inner = faces.parent[faces.a] == faces.parent[faces.b]
    a = np.concatenate([faces.a[inner], faces.b[inner]])
    b = np.concatenate([faces.b[inner], faces.a[inner]])
    order = np.argsort(np.tile(faces.length[inner], 2), kind="stable")
    a, b = a[order], b[order]
    while True:
        open_pairs = (piece[a] < 0) & (piece[b] >= 0)
        if not open_pairs.any():
            break
        # Pairs come from short to long borders, and the last one stays.
        piece[a[open_pairs]] = piece[b[open_pairs]]
    alone = np.flatnonzero(piece < 0)
    graph = coo_array((np.ones(len(a)), (a, b)), shape=(len(piece),) * 2)
    islet = connected_components(graph, directed=False)[1][alone]
    piece[alone] = len(sites) + np.unique(islet, return_inverse=True)[1]
    return np.asarray(np.unique(piece, return_inverse=True)[1])


def _dissolve(shapes: NDArray[np.object_], owner: Ints) -> NDArray[np.object_]:
    """Join the polygons of each owner, 0 to the largest, without new corners."""
    order = np.argsort(owner, kind="stable")
    groups = np.split(shapes[order], np.cumsum(np.bincount(owner))[:-1])
    joined = np.empty(len(groups), dtype=object)
    for number, group in enumerate(groups):
        joined[number] = group[0] if len(group) == 1 else shapely.coverage_union_all(group)
    return joined


def _piece_mesh(
    faces: _Faces, piece: Ints, shapes: NDArray[np.object_], parent: Ints, scale: Floats
) -> Mesh:
    """The pieces as a mesh of neighbours within each parent, islets joined by bridges."""
    a, b = piece[faces.a], piece[faces.b]
    inner = (a != b) & (parent[a] == parent[b])
    pairs = np.unique(np.sort(np.column_stack([a, b])[inner], axis=1), axis=0)
    middle = shapely.get_coordinates(shapely.point_on_surface(shapes)) * scale
    joined = np.concatenate([pairs, _bridges(middle, parent, pairs)])
    return replace(
        _bare_mesh(middle, joined),
        area_km2=shapely.area(shapes) * scale.prod(),
        river=np.arange(len(joined)) >= len(pairs),
    )


def _bridges(middle: Floats, parent: Ints, pairs: Ints) -> Ints:
    """Pairs of nearest pieces that join the islets of each parent to its largest part."""
    size = len(parent)
    graph = coo_array((np.ones(len(pairs)), tuple(pairs.T)), shape=(size, size))
    part = connected_components(graph, directed=False)[1]
    links: list[tuple[int, int]] = []
    for number in np.unique(parent).tolist():
        own = np.flatnonzero(parent == number)
        sizes = np.bincount(part[own])
        main = own[part[own] == sizes.argmax()]
        tree = cKDTree(middle[main])
        for other in np.setdiff1d(part[own], sizes.argmax()).tolist():
            islet = own[part[own] == other]
            distance, nearest = tree.query(middle[islet])
            closest = int(distance.argmin())
            links.append((int(islet[closest]), int(main[nearest[closest]])))
    return np.array(links, dtype=np.int64).reshape(-1, 2)
