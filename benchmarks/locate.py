"""
Time `geo.locate` against SedonaDB and geopandas: one million points in 4,683 polygons.

Run from the root of the project: ``python -m benchmarks.locate``. SedonaDB is a peer, not a
dependency; without it (``pip install sedonadb==0.5.0 geoarrow-pyarrow``) its lines are left out.
Every engine starts from columns of numbers and ends with one position per row, and the answers
must be equal. Rounds take the engines in turn, so that a noisy machine disturbs all alike.
"""

import argparse
import statistics
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import boundaries
from geo.locate import locate

OUTPUT_AREAS = (
    Path(__file__).resolve().parents[1].parent / "shared" / "data" / "merseyside" / "oa.geojson"
)


def with_geo(lng, lat, polygons):
    return locate(lng, lat, boundaries=polygons)


def with_geopandas(lng, lat, polygons):
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(lng, lat), crs="EPSG:4326")
    areas = gpd.GeoDataFrame(geometry=polygons, crs="EPSG:4326")
    joined = points.sjoin(areas, predicate="intersects")
    return lowest(len(lng), joined.index.to_numpy(), joined["index_right"].to_numpy())


def sedona_engine():
    """The peer as a function like the others, or None where it is not installed."""
    try:
        import geoarrow.pyarrow  # noqa: F401
        import sedonadb
    except ImportError as error:
        print(f"SedonaDB is left out: {error}; pip install sedonadb==0.5.0 geoarrow-pyarrow\n")
        return None
    context = sedonadb.connect()

    def with_sedona(lng, lat, polygons):
        areas = gpd.GeoDataFrame(
            {"i": np.arange(len(polygons))}, geometry=polygons, crs="EPSG:4326"
        )
        context.create_data_frame(areas).to_view("areas", overwrite=True)
        rows = pd.DataFrame({"row": np.arange(len(lng)), "lng": lng, "lat": lat})
        context.create_data_frame(rows).to_view("points", overwrite=True)
        pairs = context.sql(
            "SELECT p.row, a.i FROM points p JOIN areas a "
            "ON ST_Intersects(a.geometry, ST_SetSRID(ST_Point(p.lng, p.lat), 4326))"
        ).to_pandas()
        return lowest(len(lng), pairs["row"].to_numpy(), pairs["i"].to_numpy())

    return with_sedona


def lowest(n_rows, rows, positions):
    found = np.full(n_rows, np.iinfo(np.int64).max)
    np.minimum.at(found, rows, positions)
    return np.where(found == np.iinfo(np.int64).max, -1, found)


def point_sets(polygons, n_rows):
    """Columns of points: all distinct; repeated as addresses do; all on borders."""
    rng = np.random.default_rng(0)
    west, south, east, north = shapely.total_bounds(polygons)
    distinct = rng.uniform(west, east, n_rows), rng.uniform(south, north, n_rows)
    places = rng.integers(0, n_rows // 4, n_rows)
    corners = shapely.get_coordinates(polygons)
    corners = corners[rng.integers(0, len(corners), n_rows // 5)]
    yield "distinct points", distinct
    yield "four rows a place", (distinct[0][places], distinct[1][places])
    yield "on corners of borders", (corners[:, 0].copy(), corners[:, 1].copy())


def measure(engines, lng, lat, polygons, rounds):
    seconds = {name: [] for name in engines}
    answers = {}
    for _ in range(rounds):
        for name, engine in engines.items():
            start = time.perf_counter()
            answers[name] = engine(lng, lat, polygons)
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}, answers


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if not OUTPUT_AREAS.is_file():
        raise SystemExit("The Merseyside output areas are not beside the project; nothing to time.")
    polygons = boundaries.repair(gpd.read_file(OUTPUT_AREAS).geometry.to_numpy())
    engines = {"geo.locate": with_geo, "geopandas.sjoin": with_geopandas}
    if (sedona := sedona_engine()) is not None:
        engines["SedonaDB"] = sedona
    print(f"{'points':<24}{'rows':>11}  {'engine':<18}{'median s':>9}{'ratio':>8}  equal")
    for title, (lng, lat) in point_sets(polygons, options.rows):
        medians, answers = measure(engines, lng, lat, polygons, options.rounds)
        for name, median in medians.items():
            ratio = median / medians["geo.locate"]
            equal = bool((answers[name] == answers["geo.locate"]).all())
            print(f"{title:<24}{len(lng):>11,}  {name:<18}{median:>9.2f}{ratio:>8.2f}  {equal}")
            if not equal:
                raise SystemExit(f"{name} places points differently")


if __name__ == "__main__":
    main()
