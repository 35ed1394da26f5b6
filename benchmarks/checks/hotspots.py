"""
Acceptance checks of the hot spots: oracles, null maps, power, trends, resolutions, the scan's p.

`python -m benchmarks.checks.hotspots [--seed N]`
"""

from __future__ import annotations

import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from scipy import sparse, stats

from benchmarks.checks.check import Check, main
from etl.analyse.bed import Events, concatenate
from etl.analyse.hotspots.discovery import discoveries
from etl.analyse.hotspots.emerging import classify
from etl.analyse.hotspots.gi_star import gi_star, sum_tails
from etl.analyse.hotspots.neighbours import area_rings, cell_rings, with_self
from etl.analyse.hotspots.prepared import prepare
from etl.analyse.hotspots.scan import scan
from etl.analyse.hotspots.tables import hotspot_tables
from etl.analyse.hotspots.trend import mann_kendall, shares
from geo.boundaries import metres_per_degree
from geo.cells import cell_numbers, parent_numbers
from geo.covering import covering
from tests.etl.analyse import worlds

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
CHICAGO = ROOT.parent / "shared" / "data" / "chicago"
MAPS = 200
POWER_MAPS = 50
NULLS = {"Poisson 0.05": 0.05, "Poisson 0.5": 0.5, "Poisson 5": 5.0, "NB 0.5, size 0.3": None}


def checks(seed: int) -> Iterator[Check]:
    rng = np.random.default_rng(seed)
    yield from gi_oracle(rng)
    yield from other_oracles(rng)
    ring = hexagon_rings()
    yield from null_maps(rng, ring)
    yield from power(rng, ring)
    yield from trends(rng)
    yield from scan_null(rng)
    yield from resolutions_synthetic(rng)
    yield from resolutions_chicago()
    yield from times(rng)


# --- 1: oracles -----------------------------------------------------------------------------------


def gi_oracle(rng):
    worst, finite = 0.0, True
    for n, holes in ((400, False), (900, True), (400, True)):
        _, polygons, _ = worlds.voronoi(n, rng)
        if holes:
            # Islands beyond the city, and a map with holes in it.
            kept = rng.random(n) > 0.25
            polygons = polygons[kept]
            polygons[:3] = shapely.transform(polygons[:3], lambda at: at + np.array([3.0, 1.0]))
        ring = area_rings(polygons)
        counts = rng.poisson(rng.lognormal(0, 1, len(polygons))).astype(float)
        found = gi_star(counts, ring)
        finite &= bool(np.isfinite(found.z).all() and np.isfinite(found.p).all())
        worst = max(worst, float(np.abs(found.z - esda_z(counts, ring)).max()))
    yield Check("1", "Gi* against esda, max |z - z|", worst, "<= 1e-10", worst <= 1e-10)
    yield Check("1", "isolates, islands, holes: z and p finite", str(finite), "True", finite)
    lonely = gi_star(rng.poisson(1, 100).astype(float), with_self(sparse.csr_array((100, 100))))
    fine = bool(np.isfinite(lonely.z).all())
    yield Check("1", "a map of isolates alone: z finite", str(fine), "True", fine)


def esda_z(counts, ring):
    from esda import G_Local

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return G_Local(counts, graph_of(ring), transform="B", star=True, permutations=0).Zs


def graph_of(ring):
    from libpysal.weights import W

    rows = ring.tolil().rows
    return W({i: [j for j in row if j != i] for i, row in enumerate(rows)}, silence_warnings=True)


def other_oracles(rng):
    import pymannkendall

    series = rng.poisson(rng.lognormal(0, 1, (300, 1)) * np.linspace(1, 1.5, 26)).astype(float)
    series[:5] = 1.0
    theirs = np.array([pymannkendall.original_test(row).z for row in series])
    gap = float(np.abs(mann_kendall(series) - theirs).max())
    yield Check(
        "9", "Mann-Kendall against pymannkendall, max |z - z|", gap, "<= 1e-12", gap <= 1e-12
    )
    same = all(
        np.array_equal(
            discoveries(p, rate=0.05), stats.false_discovery_control(p, method="bh") <= 0.05
        )
        for p in (rng.random(5000) ** power for power in (1, 2, 5, 8))
    )
    yield Check("1", "false discovery rate equals scipy's", str(same), "True", same)
    worst = float(np.abs(permutation_gap(rng)).max())
    yield Check(
        "1", "exact p against 20,000 permutations, max |p - p|", worst, "<= 0.02", worst <= 0.02
    )


def permutation_gap(rng):
    counts = rng.poisson(0.6, 2000).astype(float)
    sizes = np.repeat([4, 7, 9], 20)
    sums = np.tile(np.arange(20.0), 3)
    upper, _ = sum_tails(sums, sizes, counts)
    drawn = np.stack([rng.permutation(counts)[:9] for _ in range(20_000)]).cumsum(axis=1)
    theirs = np.array([(drawn[:, k - 1] >= s).mean() for s, k in zip(sums, sizes, strict=True)])
    return upper - theirs


# --- 2, 3: null maps and power --------------------------------------------------------------------


def hexagon_rings():
    """Some 22,000 H3 cells of resolution 9 with their neighbours."""
    cells = covering([shapely.box(103.6, 36.0, 104.15, 36.46)], resolution=9)
    return cell_rings(cells)


def null_maps(rng, ring):
    n = ring.shape[0]
    for name, mean in NULLS.items():
        false = 0
        for _ in range(MAPS):
            rate = mean if mean is not None else 0.5 * rng.gamma(0.3, 1 / 0.3, n)
            false += bool(gi_star(rng.poisson(rate, n).astype(float), ring).hot.any())
        share = false / MAPS
        what = f"null maps of {n:,} cells, {name}, with a hot cell"
        yield Check("2", what, share, "<= 0.09", share <= 0.09)


def power(rng, ring):
    n = ring.shape[0]
    inner = np.flatnonzero(ring.sum(axis=1) == 7)
    for times_as_many, least in ((6, 0.70), (8, 0.85)):
        found, false = [], []
        while len(found) < POWER_MAPS:
            disk = sparse.csr_array(([1.0], ([0], [rng.choice(inner)])), shape=(1, n))
            for _ in range(4):
                disk = disk @ ring
            disk = disk.toarray()[0] > 0
            if disk.sum() != 61:
                continue
            rate = np.where(disk, 0.5 * times_as_many, 0.5)
            hot = gi_star(rng.poisson(rate).astype(float), ring).hot
            found.append(hot[disk].mean())
            false.append((hot & ~disk).sum() / max(hot.sum(), 1))
        rate, wrong = float(np.mean(found)), float(np.mean(false))
        of = f"disk of 61 cells, RR {times_as_many}"
        yield Check("3", f"{of}: share found", rate, f">= {least}", rate >= least)
        yield Check("3", f"{of}: false share of the flagged", wrong, "<= 0.05", wrong <= 0.05)


# --- 9: trends ------------------------------------------------------------------------------------


def trends(rng):
    false, up = [], []
    # Worlds enough that chance alone keeps a test of true size 0.05 below the limit.
    for _ in range(12):
        n = 6400
        centres, _, adjacency = worlds.voronoi(n, rng)
        ring = with_self(adjacency)
        level = worlds.true_rates(rng, 1, 104, 1.0)[0]
        place = rng.lognormal(0, 0.3, n)
        for centre in rng.uniform(1, 19, (14, 2)):
            place *= 1 + 7 * np.exp(-((np.hypot(*(centres - centre).T) / 0.9) ** 2))
        rates = np.outer(0.8 * place / place.mean(), level)
        mostly, codes = classes(rng, rates, ring)
        false.append([np.isin(codes[mostly], ("intensifying", "diminishing")).sum(), mostly.sum()])
        chosen = rng.choice(np.flatnonzero(mostly), min(20, mostly.sum()), replace=False)
        rates[chosen] *= 1.01 ** np.arange(104)
        blocks = block_counts(rng, rates)
        up.append(mann_kendall(shares(blocks, blocks.sum(axis=0)))[chosen] > 1.96)
    moved, all_hot = np.sum(false, axis=0)
    share = float(moved / all_hot)
    yield Check(
        "9",
        f"trendless: intensifying or diminishing of {all_hot} nearly always hot",
        share,
        "<= 0.08",
        share <= 0.08,
    )
    rising = float(np.concatenate(up).mean())
    yield Check("9", "drift of +1 %/week in 20 grids: trend up", rising, ">= 0.90", rising >= 0.90)


def block_counts(rng, rates):
    drawn = rng.poisson(rates * rng.gamma(5, 0.2, rates.shape)).astype(float)
    return drawn.reshape(len(rates), 26, 4).sum(axis=2)


def classes(rng, rates, ring):
    blocks = block_counts(rng, rates)
    found = [gi_star(blocks[:, step], ring) for step in range(blocks.shape[1])]
    hot = np.stack([one.hot for one in found], axis=1)
    cold = np.stack([one.cold for one in found], axis=1)
    z = mann_kendall(shares(blocks, blocks.sum(axis=0)))
    sign = np.where(z >= 1.96, 1, np.where(z <= -1.96, -1, 0))
    return hot.mean(axis=1) >= 0.9, classify(hot, cold, sign)


# --- the scan ---------------------------------------------------------------------------------------


def scan_null(rng):
    """Worlds in which nothing happens: how often is p <= 0.05; and one in which something does."""
    n, size = 900, 5.0
    centres, _, _ = worlds.voronoi(n, rng)
    options = {"neighbours": (1, 2, 3, 5, 7, 10, 15, 20, 30, 50), "replicas": 99, "told": 1}
    p = []
    for _ in range(100):
        place = rng.lognormal(0, 1, n)
        rates = np.outer(0.52 * place / place.mean(), [1.0, 0.7, 1.1, 1.2])
        counts = rng.poisson(rates * rng.gamma(size, 1 / size, rates.shape)).astype(float)
        seed = int(rng.integers(2**31))
        found = scan(counts, place, np.full(n, size), centres, seed=seed, **options)
        p.append(found[0].p)
    share = float(np.mean(np.array(p) <= 0.05))
    yield Check(
        "scan", "null worlds with p <= 0.05", share, "<= 0.12 (99 % limit of 0.05)", share <= 0.12
    )
    hit = 0
    for _ in range(20):
        place = rng.lognormal(0, 0.5, n)
        rates = np.outer(0.52 * place / place.mean(), np.ones(4))
        patch = np.argsort(np.hypot(*(centres - centres[rng.integers(n)]).T))[:7]
        rates[patch, 2:] += 20 / 7
        counts = rng.poisson(rates * rng.gamma(size, 1 / size, rates.shape)).astype(float)
        found = scan(counts, place, np.full(n, size), centres, seed=1, **options)[0]
        hit += found.p <= 0.05 and len(np.intersect1d(found.members, patch)) > 0
    yield Check(
        "scan", "surges of +20/week on 7 grids found with p <= 0.05", hit / 20, ">= 0.80", hit >= 16
    )


# --- 13: resolutions --------------------------------------------------------------------------------


def resolutions_synthetic(rng):
    seed = int(rng.integers(2**31))
    world = worlds.world(seed, grids=6400, weeks=30, flat=True)
    hot = worlds.scatter(
        np.outer(np.hypot(*(world.centres - 8).T) < 1.5, np.ones(30)).astype(int) * 4,
        world.centres,
        rng,
    )
    bed = world.bed
    events = worlds.scatter(rng.poisson(world.rates), world.centres, rng)
    bed = worlds.bed_of(concatenate([events, hot]), bed.areas, 30)
    outline = np.array([shapely.box(*shapely.total_bounds(world.polygons))], dtype=object)
    yield from agreement(bed, {"city": outline, "grid": world.polygons}, "synthetic city")


def resolutions_chicago():
    if not CHICAGO.is_dir():
        yield Check("13", "Chicago", "no data", "skipped", passed=False)
        return
    bed, geometries = chicago()
    yield from agreement(bed, geometries, "Chicago")


def chicago():
    """A bed of one year by week: city and community areas."""
    import geopandas as gpd

    rows = pd.read_parquet(
        CHICAGO / "incidents_2018.parquet", columns=["Date", "Latitude", "Longitude"]
    ).dropna()
    when = pd.to_datetime(rows["Date"], format="%m/%d/%Y %I:%M:%S %p").to_numpy()
    day = when.astype("datetime64[D]")
    start = np.datetime64("2018-04-30")
    weeks = 27
    kept = (day >= start) & (day < start + 7 * weeks)
    rows, day = rows[kept], day[kept]
    areas = gpd.read_file(CHICAGO / "community_areas.geojson")
    shapes = np.asarray(areas.geometry.values, dtype=object)
    levels = (
        worlds.areas_of("city", [-1], [1.0]),
        worlds.areas_of("community", np.zeros(len(shapes), int), np.ones(len(shapes))),
    )
    template = worlds.scatter(
        np.ones((1, 1), dtype=int), np.zeros((1, 2)), np.random.default_rng(1)
    )
    events = Events(
        **{
            name: np.repeat(getattr(template, name), len(day))
            for name in template.__dataclass_fields__
        }
    )
    points = shapely.points(rows["Longitude"], rows["Latitude"])
    found, area = shapely.STRtree(shapes).query(points, predicate="intersects")
    lowest = np.full(len(day), -1)
    lowest[found] = area
    events = replace(
        events, day=day, known=day, area=lowest,
        cell=cell_numbers(rows["Longitude"], rows["Latitude"], resolution=10),
    )  # fmt: skip
    bed = worlds.bed_of(events, levels, weeks)
    starts = start + 7 * np.arange(weeks)
    bed = replace(bed, starts=starts, as_of=starts[-1] + 6)
    city = np.array([shapely.union_all(shapes)], dtype=object)
    return bed, {"city": city, "community": shapes}


def agreement(bed, geometries, where):
    prepared = prepare(bed, geometries)
    at = len(bed.starts) - 1
    tables = hotspot_tables(bed, prepared, at, bed.as_of)
    cells = tables["cell_hotspots"]
    hot = {r: set(part["cell"][part["clusters"]]) for r, part in cells.groupby("resolution")}
    steady = {r: np.array(part["cell"][part["stable"]]) for r, part in cells.groupby("resolution")}
    wrong = 0
    for r, chosen in steady.items():
        wrong += len(set(chosen) - hot[r])
        up = set(parent_numbers(list(hot.get(r + 1, ())) or [0], resolution=r).tolist())
        above = hot.get(r - 1, set())
        for cell in chosen:
            parent = int(parent_numbers([cell], resolution=r - 1)[0])
            wrong += not (parent in above or int(cell) in up)
    number = sum(map(len, steady.values()))
    yield Check(
        "13",
        f"{where}: stable cells not hot at two adjacent resolutions, of {number}",
        wrong,
        "0",
        wrong == 0,
    )
    pairs = tables["hotspot_agreement"]
    shown = bool(len(pairs) == 2 and set(pairs["coarse"]) == {7, 8})
    yield Check("13", f"{where}: both pairs of resolutions are told", str(shown), "True", shown)
    own = recomputed_disagreement(bed, prepared, hot)
    gap = float(np.nanmax(np.abs(pairs["coarse_only"].to_numpy() - own), initial=0.0))
    yield Check(
        "13", f"{where}: disagreeing share against a recount", gap, "<= 1e-12", gap <= 1e-12
    )
    for one in pairs.itertuples():
        told = (
            f"hot area {one.coarse_area_share:.3f}|{one.fine_area_share:.3f}, "
            f"incidents {one.coarse_incident_share:.3f}|{one.fine_incident_share:.3f}, "
            f"hot at r{one.coarse} but not at r{one.fine}: {one.coarse_only:.3f}"
        )
        yield Check("info", f"{where} r{one.coarse}|r{one.fine}", told, "information", passed=True)


def recomputed_disagreement(bed, prepared, hot):
    """Straight from the events: of those hot at the coarse resolution, the share not at the fine."""
    length = prepared.settings.window("week")
    chosen = bed.reported & (bed.period > len(bed.starts) - 1 - length) & (bed.events.cell != 0)
    cell = bed.events.cell[chosen & (bed.events.known <= bed.as_of)]
    cell = cell[np.isin(parent_numbers(cell, resolution=9), prepared.cells[9].numbers)]
    found = []
    for coarse in (7, 8):
        above = np.isin(parent_numbers(cell, resolution=coarse), list(hot.get(coarse, ())))
        below = np.isin(parent_numbers(cell, resolution=coarse + 1), list(hot.get(coarse + 1, ())))
        found.append((above & ~below).sum() / above.sum() if above.any() else np.nan)
    return np.array(found)


# --- own time beside the oracle's -------------------------------------------------------------------


def times(rng):
    import pymannkendall
    from esda import G_Local
    from libpysal.graph import Graph

    centres, polygons, _ = worlds.voronoi(22_000, rng)
    counts = rng.poisson(rng.lognormal(0, 1, len(centres)) * 0.5).astype(float)
    flat = shapely.transform(polygons, lambda at: at * metres_per_degree(polygons))
    import geopandas as gpd

    frame = gpd.GeoDataFrame(geometry=flat)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, graph = timed(lambda: Graph.build_contiguity(frame, rook=False))
        ours, ring = timed(lambda: area_rings(polygons))
        yield ratio("rings of 22,000 polygons, libpysal Graph", theirs, ours)
        theirs, _ = timed(lambda: G_Local(counts, graph, transform="B", star=True, permutations=0))
        ours, _ = timed(lambda: gi_star(counts, ring))
        yield ratio("Gi* with exact p and FDR, esda analytic z", theirs, ours)
        theirs, _ = timed(
            lambda: G_Local(counts, graph, transform="B", star=True, permutations=999, n_jobs=1)
        )
        yield ratio("the same, esda 999 permutations", theirs, ours)
    series = rng.poisson(1.0, (22_000, 26)).astype(float)
    theirs, _ = timed(lambda: [pymannkendall.original_test(row) for row in series[:500]])
    ours, _ = timed(lambda: mann_kendall(series))
    yield ratio("Mann-Kendall of 22,000 series, pymannkendall (500 measured)", theirs * 44, ours)
    p = rng.random(22_000)
    theirs, _ = timed(lambda: stats.false_discovery_control(p))
    ours, _ = timed(lambda: discoveries(p, rate=0.05))
    yield ratio("false discovery rate of 22,000, scipy", theirs, ours)
    ours, _ = timed(lambda: scan(
        rng.poisson(0.5, (22_000, 4)).astype(float), np.ones(22_000), np.full(22_000, 5.0), centres,
        neighbours=(1, 2, 3, 5, 7, 10, 15, 20, 30, 50), replicas=99, told=3, seed=1,
    ))  # fmt: skip
    yield Check(
        "info",
        "scan of 528,000 zones with 99 replicas",
        f"{ours:.2f} s",
        "information",
        passed=True,
    )


def timed(call):
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def ratio(what, theirs, ours):
    told = f"{theirs * 1000:.1f} ms against our {ours * 1000:.1f} ms: x {theirs / ours:.1f}"
    return Check("info", what, told, "information", passed=True)


if __name__ == "__main__":
    main(checks)
