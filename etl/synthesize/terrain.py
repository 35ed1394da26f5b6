"""The invented ground: outline, rivers, hills, towns and how densely people live on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from etl.synthesize.plan import Floats, Ints, Plan

# The city is laid over open sea, so that no real place lies under an invented one.
ORIGIN_LNG, ORIGIN_LAT = 123.9, 30.0
KM_PER_DEGREE_LAT = 110.85
KM_PER_DEGREE_LNG = 111.41 * float(np.cos(np.radians(ORIGIN_LAT)))

FULL_RADIUS_KM = 47.0
FULL_AREA_KM2 = 7000.0
URBAN_DENSITY = 2500.0  # people per km²; above it a grid is cut to 300 to 500 households


@dataclass(frozen=True)
class Waves:
    """A smooth random field: a sum of plane waves, about -1 to 1."""

    vectors: Floats
    phases: Floats

    def __call__(self, points: Floats) -> Floats:
        """
        Value of the field.

        Parameters
        ----------
        points
            Local kilometres, shape (n, 2).

        Returns
        -------
        values
            Shape (n,).
        """
        total = np.zeros(len(points))
        for vector, phase in zip(self.vectors, self.phases, strict=True):
            total += np.sin(points @ vector + phase)
        return np.asarray(total / np.sqrt(len(self.phases)))


def waves(rng: np.random.Generator, *, length_km: float, count: int = 9) -> Waves:
    """Draw a field with wave lengths around `length_km`."""
    angle = rng.uniform(0, 2 * np.pi, count)
    size = 2 * np.pi / (length_km * rng.uniform(0.6, 1.6, count))
    return Waves(
        vectors=np.column_stack([size * np.cos(angle), size * np.sin(angle)]),
        phases=rng.uniform(0, 2 * np.pi, count),
    )


@dataclass(frozen=True)
class Terrain:
    """
    The ground in local kilometres round the origin.

    `centres` holds one settlement per township (n, 2), `people` and `reach_km` its size and
    scale; `seats` the settlement that each county is grown from. `rivers` are lines.
    """

    scale: float
    limit: float
    outline: tuple[Waves, Waves, Waves]
    hills: Waves
    rivers: tuple[shapely.LineString, ...]
    core: Floats
    centres: Floats
    people: Floats
    reach_km: Floats
    seats: Ints

    def edge(self, points: Floats) -> Floats:
        """Distance-like value: below 1 inside of the city, above 1 outside."""
        broad, middle, fine = self.outline
        turned = points @ np.array([[0.92, -0.39], [0.39, 0.92]])
        radius = np.hypot(turned[:, 0] / 1.18, turned[:, 1] / 0.9) / (FULL_RADIUS_KM * self.scale)
        bays = 0.14 * broad(points) + 0.052 * middle(points) + 0.022 * fine(points)
        return np.asarray((radius + bays * np.clip(radius, 0.2, 1.0)) / self.limit)

    def hilliness(self, points: Floats) -> Floats:
        """0 in the plain to 1 in the hills, which lie towards the edges."""
        far = np.hypot(*(points - self.core).T) / (FULL_RADIUS_KM * self.scale)
        return np.asarray(np.clip(0.55 * self.hills(points) + 0.75 * far - 0.1, 0, 1))

    def density(self, points: Floats) -> Floats:
        """People per km², not yet scaled to the wanted total; shape (n,)."""
        people = 330.0 * np.exp(-2.6 * self.hilliness(points))
        for centre, size, reach in zip(self.centres, self.people, self.reach_km, strict=True):
            distance = np.hypot(points[:, 0] - centre[0], points[:, 1] - centre[1])
            near = distance < 14 * reach
            people[near] += size / (2 * np.pi * reach**2) * np.exp(-distance[near] / reach)
        return people

    def grids_per_km2(self, points: Floats) -> Floats:
        """How many grids a km² is cut into, relative; urban grids hold more people."""
        people = self.density(points)
        urban = people / (people + URBAN_DENSITY)
        return np.asarray(people / (420.0 + 900.0 * urban))


def lng_lat(points: Floats) -> Floats:
    """
    Local kilometres to degrees, by an affine map so that shared borders stay shared.

    Parameters
    ----------
    points
        Local kilometres, shape (n, 2).

    Returns
    -------
    degrees
        Longitude and latitude, WGS 84 (EPSG:4326), shape (n, 2).
    """
    return np.column_stack(
        [
            ORIGIN_LNG + points[:, 0] / KM_PER_DEGREE_LNG,
            ORIGIN_LAT + points[:, 1] / KM_PER_DEGREE_LAT,
        ]
    )


def _rivers(rng: np.random.Generator, scale: float) -> tuple[shapely.LineString, ...]:
    """A main river from west to east, and one that joins it from the north."""
    phase = rng.uniform(0, 2 * np.pi, 6)

    def main(x: Floats) -> Floats:
        bends = 8 * np.sin(x / 17 + phase[0]) + 3.2 * np.sin(x / 6.1 + phase[1])
        return np.asarray(bends + 1.1 * np.sin(x / 2.3 + phase[2]) - 3.0)

    def side(y: Floats) -> Floats:
        bends = 6 * np.sin(y / 14 + phase[3]) + 2.2 * np.sin(y / 4.7 + phase[4])
        return np.asarray(bends + 0.7 * np.sin(y / 1.9 + phase[5]) + 2.0)

    x = np.linspace(-85, 85, 3401)
    y = np.linspace(85, -40, 2501)
    tributary = np.column_stack([side(y), y])
    below = np.flatnonzero(y <= main(tributary[:, 0]))[0]
    return (
        shapely.LineString(np.column_stack([x, main(x)]) * scale),
        shapely.LineString(tributary[: below + 1] * scale),
    )


def _centres(rng: np.random.Generator, sample: Floats, weights: Floats, count: int) -> Floats:
    """Settlements spread over the ground, closer together where `weights` are high."""
    drawn = sample[rng.choice(len(sample), size=60 * count, p=weights / weights.sum())]
    centres = np.array(drawn[rng.choice(len(drawn), size=count, replace=False)])
    for _ in range(10):
        nearest = cKDTree(centres).query(drawn)[1]
        number = np.bincount(nearest, minlength=count)
        for axis in (0, 1):
            total = np.bincount(nearest, weights=drawn[:, axis], minlength=count)
            centres[:, axis] = np.where(number, total / np.maximum(number, 1), centres[:, axis])
    return centres


def _seats(centres: Floats, core: Floats, plan: Plan, rng: np.random.Generator) -> Ints:
    """Settlements that become county seats: districts round the core, the others far apart."""
    scale = plan.radius_km / FULL_RADIUS_KM
    chosen: list[int] = []
    # The rivers part the core into a south, a north-west and a north-east bank.
    for angle in np.radians([265.0, 150.0, 40.0])[: max(1, round(plan.counties * 3 / 8))]:
        aim = core + 4.5 * scale * np.array([np.cos(angle), np.sin(angle)])
        order = np.argsort(np.hypot(*(centres - aim).T), kind="stable").tolist()
        chosen.append(next(place for place in order if place not in chosen))
    distance = np.hypot(*(centres - core).T)
    edge = np.where(distance > 0.8 * distance.max(), 0.7, 1.0)
    while len(chosen) < plan.counties:
        gap = np.hypot(*(centres[:, None] - centres[chosen][None]).transpose(2, 0, 1)).min(axis=1)
        chosen.append(int(np.argmax(gap * edge * rng.uniform(0.85, 1.0, len(centres)))))
    return np.array(chosen)


def make_terrain(plan: Plan, rng: np.random.Generator) -> Terrain:
    """
    Invent the ground of the city.

    Parameters
    ----------
    plan
        How many areas the city has, and how large it is.
    rng
        Source of chance.

    Returns
    -------
    terrain
        Outline, rivers, settlements; local kilometres.
    """
    scale = plan.radius_km / FULL_RADIUS_KM
    outline = (
        waves(rng, length_km=70 * scale),
        waves(rng, length_km=22 * scale),
        waves(rng, length_km=8 * scale),
    )
    hills = waves(rng, length_km=45 * scale)
    rivers = _rivers(rng, scale)
    core = np.array(rivers[1].coords[-1]) + np.array([1.5, -1.0]) * scale
    none = np.empty(0)
    bare = Terrain(
        scale, 1.0, outline, hills, rivers, core, np.empty((0, 2)), none, none,
        np.empty(0, dtype=np.int64),
    )  # fmt: skip
    sample = rng.uniform(-1.9, 1.9, (600 * plan.townships + 20_000, 2)) * plan.radius_km
    # The outline is set where it encloses the wanted area.
    share = FULL_AREA_KM2 * scale**2 / (3.8 * plan.radius_km) ** 2
    bare = replace(bare, limit=float(np.quantile(bare.edge(sample), share)))
    sample = sample[bare.edge(sample) < 0.94]
    far = np.hypot(*(sample - core).T) / scale
    pull = 1 + 60 * np.exp(-far / 3.4) - 0.55 * bare.hilliness(sample)
    centres = _centres(rng, sample, pull, plan.townships)
    seats = _seats(centres, core, plan, rng)
    people, reach = _settle(rng, centres, seats, core, scale)
    return replace(bare, centres=centres, people=people, reach_km=reach, seats=seats)


def _settle(
    rng: np.random.Generator, centres: Floats, seats: Ints, core: Floats, scale: float
) -> tuple[Floats, Floats]:
    """People and reach (km) of each settlement; the last entry of the core is spread wide."""
    far = np.hypot(*(centres - core).T) / scale
    people = 7000 * rng.lognormal(0, 0.5, len(centres))
    reach = 0.5 * rng.lognormal(0, 0.2, len(centres))
    outer = seats[far[seats] > 9]
    people[outer] = 105_000 * rng.lognormal(0, 0.3, len(outer))
    reach[outer] = 1.45 * rng.lognormal(0, 0.15, len(outer))
    inner = far < 9
    people[inner] = 1_250_000 / max(1, inner.sum()) * rng.lognormal(0, 0.35, inner.sum())
    reach[inner] = np.clip(0.75 + 0.16 * far[inner], 0.8, 2.2)
    return people * scale**2, reach * scale
