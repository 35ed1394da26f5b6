"""From labelled pieces to polygons: winding borders that neighbours share point by point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from etl.synthesize.partition import half_edges
from etl.synthesize.terrain import lng_lat

if TYPE_CHECKING:
    from etl.synthesize.mesh import Mesh
    from etl.synthesize.plan import Floats, Ints

SEGMENT_KM = 0.12  # a border bends about this often; shorter edges stay straight, as streets do


@dataclass(frozen=True)
class Lines:
    """Points of each edge without its end, in degrees: `points[first[e]:first[e] + number[e]]`."""

    points: Floats
    first: Ints
    number: Ints


def _bends(rng: np.random.Generator, count: int, steps: int) -> Floats:
    """Offsets of the inner points of `count` edges of length 1: midpoint displacement."""
    offset = np.zeros((count, steps + 1))
    width = steps
    while width > 1:
        half = width // 2
        middle = (offset[:, 0:-1:width] + offset[:, width::width]) / 2
        spread = 0.19 * width / steps
        offset[:, half::width] = middle + rng.normal(0, spread, middle.shape)
        width = half
    return offset[:, 1:-1]


def wind(mesh: Mesh, rng: np.random.Generator) -> Lines:
    """
    Bend every edge of the mesh a little, in degrees; see `bend`.

    Parameters
    ----------
    mesh, rng
        The mesh, the source of chance.

    Returns
    -------
    lines
        Points in degrees, WGS 84 (EPSG:4326).
    """
    points, first, number = bend(mesh, rng)
    return Lines(lng_lat(points), first, number)


def bend(mesh: Mesh, rng: np.random.Generator) -> tuple[Floats, Ints, Ints]:
    """
    Bend every edge of the mesh a little, so that borders look grown.

    A bend is a height over the straight edge, kept inside of the two triangles between the edge
    and its sites; those of different edges do not overlap, so no two borders can cross.

    Parameters
    ----------
    mesh
        The mesh.
    rng
        Source of chance.

    Returns
    -------
    points, first, number
        As in `Lines`, but in local kilometres.
    """
    a, b = mesh.vertices[mesh.start], mesh.vertices[mesh.end]
    length = np.hypot(*(b - a).T)
    steps = 2 ** np.clip(np.round(np.log2(np.maximum(length / SEGMENT_KM, 1))), 0, 3)
    number = steps.astype(np.int64)
    first = np.cumsum(number) - number
    points = np.empty((int(number.sum()), 2))
    points[first] = a
    for count in (2, 4, 8):
        edges = np.flatnonzero(number == count)
        if not len(edges):
            continue
        at = np.arange(1, count) / count
        height = _bends(rng, len(edges), count)
        height[mesh.river[edges]] *= 0.35
        limit = np.minimum(0.85 * mesh.reach[edges], 0.45)[:, None] * np.minimum(at, 1 - at)
        height = np.clip(height, -limit, limit)
        along = (b - a)[edges]
        normal = np.column_stack([-along[:, 1], along[:, 0]])
        bent = (
            a[edges][:, None]
            + at[None, :, None] * along[:, None]
            + height[..., None] * normal[:, None]
        )
        points[first[edges][:, None] + np.arange(1, count)] = bent
    return points, first, number


def _walk(nxt: Ints) -> tuple[Ints, Ints]:
    """Half edges in ring order, and the ring number of each."""
    following = nxt.tolist()
    seen = bytearray(len(following))
    order: list[int] = []
    starts: list[int] = []
    for begin in range(len(following)):
        if seen[begin]:
            continue
        starts.append(len(order))
        here = begin
        while not seen[here]:
            seen[here] = 1
            order.append(here)
            here = following[here]
    sizes = np.diff([*starts, len(order)])
    return np.array(order, dtype=np.int64), np.repeat(np.arange(len(starts)), sizes)


def polygons(mesh: Mesh, lines: Lines, labels: Ints) -> np.ndarray:
    """
    Draw each area.

    Parameters
    ----------
    mesh, lines
        The mesh and its bent edges.
    labels
        Area number of each piece; -1 leaves the piece out.

    Returns
    -------
    areas
        Polygons in degrees (EPSG:4326), one for each number from 0 to the largest; None for a
        number that no piece has.
    """
    edge, forward, region, nxt = half_edges(mesh, labels)
    order, ring = _walk(nxt)
    edge, forward, region = edge[order], forward[order], region[order]
    number = lines.number[edge]
    begin = np.cumsum(number) - number
    position = np.arange(int(number.sum())) - np.repeat(begin, number)
    at = np.repeat(edge, number)
    # Walked backwards, an edge gives its end (the first point of what is drawn) and then its
    # inner points from the last to the first.
    inner = np.repeat(forward, number)
    index = lines.first[at] + np.where(inner, position, lines.number[at] - position)
    coordinates = lines.points[np.minimum(index, len(lines.points) - 1)]
    turned_start = ~inner & (position == 0)
    coordinates[turned_start] = lng_lat(mesh.vertices[mesh.end[at[turned_start]]])
    rings = shapely.linearrings(coordinates, indices=np.repeat(ring, number))
    owner = region[np.unique(ring, return_index=True)[1]]
    if len(np.unique(owner)) != len(owner):
        raise ValueError("polygons: an area has more than one ring")
    areas = np.full(int(labels.max()) + 1, None, dtype=object)
    areas[owner] = shapely.polygons(rings)
    return areas
