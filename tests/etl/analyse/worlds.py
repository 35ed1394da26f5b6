"""
Made-up worlds whose truth is known: areas on a plane, rates, and incidents by place and week.

The default is the bed "S22" of the method's reference: irregular grids in communities, townships,
counties and one city; season ±20 %, holiday weeks low, a lognormal effect of each place; counts
Poisson, or negative binomial with a common size. Nothing of the product decides what happens here.
"""

from dataclasses import dataclass, replace

import numpy as np
import shapely
from scipy import sparse, spatial

from etl.analyse.bed import NEVER, REPORTED, Areas, Bed, Events
from geo.cells import cell_numbers

GROUPS = ("disputes", "police", "hazards", "demands")
SHARES = (0.3, 0.35, 0.15, 0.2)
FIRST_WEEK = np.datetime64("2024-11-18")
HOLIDAY_WEEKS = ("2025-01-27", "2025-02-03", "2025-09-29", "2025-10-06", "2026-02-16", "2026-02-23", "2026-10-05")  # fmt: skip
WEST, NORTH = 103.6, 36.2
KM_LNG, KM_LAT = 90.0, 111.0
DAY_S = 86_400
CHINA_S = 8 * 3600


@dataclass(frozen=True)
class World:
    """A bed with its truth: `rates` is the expected count per grid and week, (n grids, n weeks)."""

    bed: Bed
    rates: np.ndarray
    centres: np.ndarray  # km east and north, (n grids, 2)
    polygons: np.ndarray  # degrees
    adjacency: sparse.csr_array  # queen, without self


def world(seed, *, grids=22_000, weeks=104, mean=0.52, size=None, late=True, flat=False):
    """
    One world.

    Parameters
    ----------
    mean
        Incidents per grid and week.
    size
        Size of the negative binomial of each grid and week; None = Poisson.
    late
        Whether records come some days late.
    flat
        Whether every grid and week has the same rate.
    """
    rng = np.random.default_rng(seed)
    centres, polygons, adjacency = voronoi(grids, rng)
    rates = np.full((grids, weeks), mean) if flat else true_rates(rng, grids, weeks, mean)
    drawn = rates if size is None else rates * rng.gamma(size, 1 / size, rates.shape)
    counts = rng.poisson(drawn)
    events = scatter(counts, centres, rng, late=late)
    bed = bed_of(events, nested_areas(centres, rng), weeks)
    return World(bed, rates, centres, polygons, adjacency)


def true_rates(rng, grids, weeks, mean):
    """Place effect × season × holidays; the mean over all is `mean`."""
    place = rng.lognormal(0, 1.0, grids)
    week = np.arange(weeks)
    level = 1 + 0.2 * np.sin(2 * np.pi * week / 52 + rng.uniform(0, 2 * np.pi))
    starts = FIRST_WEEK + 7 * week
    level[np.isin(starts, np.array(HOLIDAY_WEEKS, dtype="datetime64[D]"))] *= rng.uniform(0.6, 0.8)
    rates = np.outer(place, level)
    return rates * mean / rates.mean()


def voronoi(n, rng):
    """Irregular grids of about 250 m: centres (km), polygons (degrees) and their neighbours."""
    side = int(np.ceil(np.sqrt(n)))
    step = 0.25
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    centres = np.column_stack([x.ravel(), y.ravel()])[:n] + rng.uniform(-0.35, 0.35, (n, 2))
    centres = centres * step
    box = shapely.box(-step, -step, (side + 1) * step, (side + 1) * step)
    cells = shapely.voronoi_polygons(shapely.multipoints(centres), extend_to=box)
    parts = shapely.intersection(np.array(shapely.get_parts(cells)), box)
    tree = shapely.STRtree(parts)
    point, part = tree.query(shapely.points(centres), predicate="intersects")
    shapes = np.empty(n, dtype=object)
    shapes[point] = parts[part]
    pairs = spatial.Delaunay(centres).simplices
    left = np.concatenate([pairs[:, i] for i in (0, 1, 2)])
    right = np.concatenate([pairs[:, i] for i in (1, 2, 0)])
    near = np.hypot(*(centres[left] - centres[right]).T) < 4 * step
    both = np.concatenate([left[near], right[near]]), np.concatenate([right[near], left[near]])
    joined = sparse.csr_array((np.ones(len(both[0])), both), shape=(n, n))
    joined.data[:] = 1.0
    return centres, shapely.transform(shapes, to_degrees), joined


def to_degrees(km):
    return np.column_stack([WEST + km[:, 0] / KM_LNG, NORTH + km[:, 1] / KM_LAT])


def nested_areas(centres, rng):
    """City, counties, townships, communities and grids: squares of grids within squares."""
    extent = centres.max() + 1e-9
    found, position = [], np.zeros(len(centres), dtype=np.int64)
    parents = [np.array([-1])]
    for side in (3, 11, 34):
        square = np.clip((centres / extent * side).astype(np.int64), 0, side - 1)
        key = position * side * side + square[:, 0] * side + square[:, 1]
        distinct, below = np.unique(key, return_inverse=True)
        parents.append(distinct // (side * side))
        position = below
    parents.append(position)
    for level, parent in zip(
        ("city", "county", "township", "community", "grid"), parents, strict=True
    ):
        n = len(parent)
        residents = rng.lognormal(6.0, 0.5, n) if level == "grid" else np.zeros(n)
        found.append(areas_of(level, parent, residents))
    for above in range(len(found) - 2, -1, -1):
        below = found[above + 1]
        total = np.bincount(below.parent, weights=below.residents, minlength=len(found[above]))
        found[above] = areas_of(found[above].level, found[above].parent, total)
    return tuple(found)


def areas_of(level, parent, residents):
    """Areas of a level that are valid for ever."""
    n = len(parent)
    return Areas(
        level,
        np.asarray(parent, dtype=np.int64),
        residents=np.asarray(residents, dtype=float),
        households=np.asarray(residents, dtype=float) / 2.6,
        area_km2=np.full(n, np.nan),
        exposure=np.asarray(residents, dtype=float),
        valid_from=np.full(n, np.datetime64("1900-01-01")),
        valid_to=np.full(n, np.datetime64("2200-01-01")),
    )


def scatter(counts, centres, rng, *, late=True, group_shares=SHARES):
    """Incidents of given counts: `area` is the position of the grid, times within the week."""
    grid, week = np.nonzero(counts)
    number = counts[grid, week]
    grid, week = np.repeat(grid, number), np.repeat(week, number)
    n = len(grid)
    second = rng.integers(0, 7 * DAY_S, n)
    start = (FIRST_WEEK + 7 * week).astype("datetime64[s]").astype(np.int64) - CHINA_S
    occurred = start + second
    wait = np.minimum(rng.lognormal(0, 1.6, n) * 3600 * 3, 40 * DAY_S).astype(np.int64)
    reported = occurred + (wait if late else 0)
    day = FIRST_WEEK + 7 * week + second // DAY_S
    known = day + ((second % DAY_S + (wait if late else 0)) // DAY_S)
    place = to_degrees(centres[grid] + rng.uniform(-0.06, 0.06, (n, 2)))
    never = np.full(n, NEVER)
    return Events(
        day=day.astype("datetime64[D]"),
        known=known.astype("datetime64[D]"),
        area=grid,
        cell=cell_numbers(place[:, 0], place[:, 1], resolution=10),
        category=rng.choice(len(group_shares), n, p=group_shares).astype(np.int16),
        severity=rng.choice(5, n, p=(0.02, 0.75, 0.16, 0.05, 0.02)).astype(np.int8),
        scale=np.ones(n, dtype=np.int8),
        origin=np.full(n, REPORTED, dtype=np.int8),
        source=np.zeros(n, dtype=np.int16),
        status=np.full(n, -1, dtype=np.int8),
        outcome=np.full(n, -1, dtype=np.int8),
        repeat=np.zeros(n, dtype=bool),
        occurred=occurred,
        reported=reported,
        dispatched=never,
        signed=never,
        resolved=never,
        archived=never,
        deadline=never,
    )


def bed_of(events, areas, weeks):
    """A bed of whole weeks; `events.area` counts from the first area of the lowest level."""
    first = sum(len(one) for one in areas[:-1])
    starts = FIRST_WEEK + 7 * np.arange(weeks)
    return Bed(
        areas=areas,
        events=replace(events, area=np.where(events.area < 0, -1, events.area + first)),
        grain="week",
        starts=starts.astype("datetime64[D]"),
        as_of=starts[-1] + 6,
        groups=GROUPS,
        group_of=np.arange(len(GROUPS)),
    )


def tiny_bed(seed=1, *, grids=60, weeks=60, mean=2.0, size=None, late=True):
    """A world of a few grids, for tests that count by hand."""
    return world(seed, grids=grids, weeks=weeks, mean=mean, size=size, late=late)
