"""Places with a fixed point: where incidents are recorded, and which places draw them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from etl.synthesize.rhythm import RHYTHMS
from etl.synthesize.terrain import KM_PER_DEGREE_LAT, KM_PER_DEGREE_LNG, lng_lat

if TYPE_CHECKING:
    from etl.synthesize.mesh import Mesh
    from etl.synthesize.partition import Divisions
    from etl.synthesize.plan import Floats, Ints, Plan

MARGIN_KM = 0.004  # no address lies closer to a border than about this
MAGNET_SHARE = 0.006  # share of grids with a market (m), a station (s), a night-life street (n)
MAX_HALVINGS = 12
PLACE_SPREAD = {"county": 0.22, "township": 0.25, "community": 0.2}
"""Standard deviation of the lasting log effect of an area on all that happens in it."""


@dataclass(frozen=True)
class Places:
    """
    Addresses, sorted by grid.

    `lng`, `lat` in degrees (EPSG:4326), `piece` of the mesh, `grid` number before the re-cut,
    `total` running sum of the weights from 0, shape (n + 1,), `first` address of each grid.
    `pull` is the weight of each grid by class, `magnets` the grids of each kind of magnet.
    """

    lng: Floats
    lat: Floats
    piece: Ints
    grid: Ints
    total: Floats
    first: Ints
    pull: dict[str, Floats]
    magnets: dict[str, Ints]


def _spots(mesh: Mesh, pieces: Ints, rng: np.random.Generator) -> Floats:
    """A random point in each listed piece: in a triangle from its site to one of its edges."""
    sides = [(mesh.left, np.arange(len(mesh.left))), (mesh.right, np.arange(len(mesh.left)))]
    owner = np.concatenate([side for side, _ in sides])
    edge = np.concatenate([edges for _, edges in sides])
    edge, owner = edge[owner >= 0], owner[owner >= 0]
    order = np.argsort(owner, kind="stable")
    edge, owner = edge[order], owner[order]
    site = mesh.sites[owner]
    a, b = mesh.vertices[mesh.start[edge]] - site, mesh.vertices[mesh.end[edge]] - site
    total = np.append(0.0, np.cumsum(np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) + 1e-15))
    bound = np.searchsorted(owner, np.arange(len(mesh.sites) + 1))
    low, high = total[bound[pieces]], total[bound[pieces + 1]]
    picked = np.searchsorted(total, low + rng.random(len(pieces)) * (high - low), side="right") - 1
    picked = np.clip(picked, bound[pieces], bound[pieces + 1] - 1)
    u, v = np.sqrt(rng.random(len(pieces))), rng.random(len(pieces))
    return np.asarray((u * (1 - v))[:, None] * a[picked] + (u * v)[:, None] * b[picked])


def _inside(areas: np.ndarray, points: Floats) -> np.ndarray:
    """Mask of the points that lie in their area with the margin all round."""
    degrees = lng_lat(points)
    east, north = MARGIN_KM / KM_PER_DEGREE_LNG, MARGIN_KM / KM_PER_DEGREE_LAT
    mask = np.ones(len(points), dtype=bool)
    for dx, dy in ((0, 0), (east, 0), (-east, 0), (0, north), (0, -north)):
        mask &= shapely.contains_xy(areas, degrees[:, 0] + dx, degrees[:, 1] + dy)
    return mask


def _settled(
    mesh: Mesh, divisions: Divisions, shapes: dict[str, np.ndarray], pieces: Ints, offset: Floats
) -> Floats:
    """Points moved towards their site until they lie in their grid, old and new."""
    for key, labels in (("before", divisions.labels["grid"]), ("after", divisions.recut)):
        areas = shapes[key]
        shapely.prepare(areas)
        todo = np.arange(len(pieces))
        for _ in range(MAX_HALVINGS):
            points = mesh.sites[pieces[todo]] + offset[todo]
            todo = todo[~_inside(areas[labels[pieces[todo]]], points)]
            if not len(todo):
                break
            offset[todo] *= 0.6
    return np.asarray(mesh.sites[pieces] + offset)


def make_places(
    mesh: Mesh,
    divisions: Divisions,
    shapes: dict[str, np.ndarray],
    plan: Plan,
    rng: np.random.Generator,
) -> Places:
    """
    Lay out addresses and choose the places that draw incidents all year.

    Parameters
    ----------
    mesh, divisions, plan, rng
        The mesh, the nested labels, the wanted numbers, the source of chance.
    shapes
        Grid polygons by number, `before` and `after` the re-cut.

    Returns
    -------
    places
        Addresses that lie inside of their grid at any date.
    """
    grid = divisions.labels["grid"]
    pieces = np.repeat(np.argsort(grid, kind="stable"), plan.addresses)
    offset = _spots(mesh, pieces, rng)
    degrees = lng_lat(_settled(mesh, divisions, shapes, pieces, offset))
    weights = mesh.people[pieces] * rng.lognormal(0, 1.0, len(pieces))
    people = np.asarray(np.bincount(grid, weights=mesh.people), dtype=np.float64)
    density = people / np.bincount(grid, weights=mesh.area_km2)
    magnets = draw_magnets(density, rng)
    common = _place_effect(divisions, rng)
    pull = draw_pull(people, density, common=common, magnets=magnets, rng=rng)
    return Places(
        lng=degrees[:, 0],
        lat=degrees[:, 1],
        piece=pieces,
        grid=grid[pieces],
        total=np.append(0.0, np.cumsum(weights)),
        first=np.searchsorted(grid[pieces], np.arange(len(people) + 1)),
        pull=pull,
        magnets=magnets,
    )


def _place_effect(divisions: Divisions, rng: np.random.Generator) -> Floats:
    """Lasting log effect of each grid: its county's, township's and community's and its own."""
    grids, first_piece = np.unique(divisions.labels["grid"], return_index=True)
    effect = rng.normal(0, 0.3, len(grids))
    for level, spread in PLACE_SPREAD.items():
        above = divisions.labels[level][first_piece]
        effect += rng.normal(0, spread, int(above.max()) + 1)[above]
    return np.asarray(effect)


def draw_pull(
    people: Floats,
    density: Floats,
    *,
    common: Floats,
    magnets: dict[str, Ints],
    rng: np.random.Generator,
) -> dict[str, Floats]:
    """
    Weigh how strongly each grid draws each top class, all year.

    Parameters
    ----------
    people, density
        Residents of each grid, and per km².
    common
        Lasting log effect of each grid on all that happens in it.
    magnets
        Grids of each kind of magnet.
    rng
        Source of chance.

    Returns
    -------
    pull
        Class to the weights of the grids.
    """
    pull = {}
    for code, rhythm in RHYTHMS.items():
        effect = np.exp(common + rng.normal(0, rhythm.spread, len(people)))
        for kind in rhythm.magnets:
            effect[magnets[kind]] *= rng.uniform(5, 14, len(magnets[kind]))
        pull[code] = (people + 15) * (density / 1000 + 0.02) ** rhythm.urban * effect
    return pull


def draw_magnets(density: Floats, rng: np.random.Generator) -> dict[str, Ints]:
    """Grids with a market, a station, a night-life street: mostly where people live close."""
    chance = np.sqrt(density) / np.sqrt(density).sum()
    count = max(1, round(MAGNET_SHARE * len(density)))
    return {
        kind: np.sort(rng.choice(len(density), size=count, replace=False, p=chance))
        for kind in "msn"
    }


def draw_addresses(places: Places, grids: Ints, rng: np.random.Generator) -> Ints:
    """
    Draw an address in each listed grid.

    Parameters
    ----------
    places
        Addresses.
    grids
        Grid numbers before the re-cut, shape (n,).
    rng
        Source of chance.

    Returns
    -------
    addresses
        Positions in `places`, shape (n,).
    """
    low, high = places.total[places.first[grids]], places.total[places.first[grids + 1]]
    drawn = low + rng.random(len(grids)) * (high - low)
    position = np.searchsorted(places.total, drawn, side="right") - 1
    return np.clip(position, places.first[grids], places.first[grids + 1] - 1)
