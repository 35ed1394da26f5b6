"""
Time `geo.locate` and `geo.cells` against their peers: a million points, thousands of polygons.

Run from the root of the project: ``python -m benchmarks.locate``. Real points of Chicago in beats and
census tracts, made points in the 4,683 output areas of Merseyside. Every engine starts from columns
of numbers and ends with one position per row; a point on a border goes to the lowest position, and
the answers must be equal. Rounds take the engines in turn, so that a noisy machine disturbs all
alike. Peers that are not installed are left out, with the command that installs them.
"""

import argparse
import importlib.util
import statistics
import time
from pathlib import Path

import geopandas as gpd
import h3
import h3.api.basic_int as h3_numbers
import numpy as np
import pandas as pd
import shapely

from benchmarks import duckdb_peer
from geo import boundaries, cells
from geo.locate import locate

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
LINE = "{:<30}{:>11}  {:<26}{:>10}{:>8}  {}"


# --- points in polygons -------------------------------------------------------------------------


def with_geo(lng, lat, polygons):
    return locate(lng, lat, boundaries=polygons)


def with_geopandas(lng, lat, polygons):
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(lng, lat), crs="EPSG:4326")
    areas = gpd.GeoDataFrame(geometry=polygons, crs="EPSG:4326")
    joined = points.sjoin(areas, predicate="intersects")
    return lowest(len(lng), joined.index.to_numpy(), joined["index_right"].to_numpy())


def with_tree(lng, lat, polygons):
    tree = shapely.STRtree(polygons)
    rows, positions = tree.query(shapely.points(lng, lat), predicate="intersects")
    return lowest(len(lng), rows, positions)


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


def with_duckdb(lng, lat, polygons):
    rows, positions, seconds = duckdb_peer.pairs(lng, lat, polygons)
    return lowest(len(lng), rows, positions), seconds


def lowest(n_rows, rows, positions):
    found = np.full(n_rows, np.iinfo(np.int64).max)
    np.minimum.at(found, rows, positions)
    return np.where(found == np.iinfo(np.int64).max, -1, found)


def engines():
    """Ours first; the others by name."""
    known = {"geo.locate": with_geo}
    if (sedona := sedona_engine()) is not None:
        known["SedonaDB"] = sedona
    if duckdb_peer.is_installed():
        known["DuckDB 1.4.4 spatial"] = with_duckdb
    else:
        print(f"DuckDB spatial is left out: not installed; {duckdb_peer.INSTALL}\n")
    return known | {"shapely STRtree": with_tree, "geopandas.sjoin": with_geopandas}


def point_sets(n_rows):
    """Title, columns of points, polygons."""
    files = sorted((DATA / "chicago").glob("incidents_*.parquet"))
    if files:
        rows = pd.concat(
            [pd.read_parquet(file, columns=["Longitude", "Latitude"]) for file in files]
        ).dropna()
        lng, lat = rows["Longitude"].to_numpy(), rows["Latitude"].to_numpy()
        for title, file in (
            ("Chicago, 277 beats", "beats"),
            ("Chicago, 801 tracts", "census_tracts_2010"),
        ):
            yield title, lng, lat, polygons_of(DATA / "chicago" / f"{file}.geojson")
    if (DATA / "merseyside" / "oa.geojson").is_file():
        polygons = polygons_of(DATA / "merseyside" / "oa.geojson")
        for title, (lng, lat) in made_points(polygons, n_rows):
            yield f"4,683 areas, {title}", lng, lat, polygons


def polygons_of(path):
    return boundaries.repair(gpd.read_file(path).geometry.to_numpy())


def made_points(polygons, n_rows):
    """Columns of points: all distinct; repeated as addresses do; all on borders."""
    rng = np.random.default_rng(0)
    west, south, east, north = shapely.total_bounds(polygons)
    distinct = rng.uniform(west, east, n_rows), rng.uniform(south, north, n_rows)
    places = rng.integers(0, n_rows // 4, n_rows)
    corners = shapely.get_coordinates(polygons)
    corners = corners[rng.integers(0, len(corners), n_rows // 5)]
    yield "distinct", distinct
    yield "four a place", (distinct[0][places], distinct[1][places])
    yield "on corners", (corners[:, 0].copy(), corners[:, 1].copy())


# --- points in cells ----------------------------------------------------------------------------


def cells_with_geo(lng, lat):
    return {10: cells.cell_numbers(lng, lat, resolution=10)}


def all_cells_with_geo(lng, lat):
    finest = cells.cell_numbers(lng, lat, resolution=10)
    return {r: cells.parent_numbers(finest, resolution=r) for r in cells.RESOLUTIONS}


def cells_by_loop(lng, lat):
    return {10: [h3.latlng_to_cell(y, x, 10) for y, x in zip(lat, lng, strict=True)]}


def cells_by_loop_of_numbers(lng, lat):
    lat_lng = zip(lat.tolist(), lng.tolist(), strict=True)
    return {10: np.array([h3_numbers.latlng_to_cell(y, x, 10) for y, x in lat_lng], np.int64)}


def cells_with_h3ronpy(lng, lat):
    from h3ronpy.vector import coordinates_to_cells

    return {10: np.asarray(coordinates_to_cells(lat, lng, 10)).view(np.int64)}


def all_cells_with_h3ronpy(lng, lat):
    from h3ronpy import change_resolution
    from h3ronpy.vector import coordinates_to_cells

    finest = coordinates_to_cells(lat, lng, 10)
    coarser = (r for r in cells.RESOLUTIONS if r != 10)
    found = {r: np.asarray(change_resolution(finest, r)).view(np.int64) for r in coarser}
    return found | {10: np.asarray(finest).view(np.int64)}


def cell_engines():
    known = {
        "geo.cells, five resolutions": all_cells_with_geo,
        "geo.cells, one resolution": cells_with_geo,
        "h3 loop": cells_by_loop,
        "h3 loop of numbers": cells_by_loop_of_numbers,
    }
    if importlib.util.find_spec("h3ronpy") is None:
        print("h3ronpy is left out: not installed; pip install h3ronpy==0.22.0\n")
        return known
    return known | {
        "h3ronpy, five resolutions": all_cells_with_h3ronpy,
        "h3ronpy, one resolution": cells_with_h3ronpy,
    }


def same_cells(answer, ours):
    def numbers(found):
        return found if isinstance(found, np.ndarray) else np.array([int(c, 16) for c in found])

    return all(bool((numbers(found) == ours[r]).all()) for r, found in answer.items())


def cell_sets(n_rows):
    rng = np.random.default_rng(0)
    seen = {}
    for title, lng, lat, _ in point_sets(n_rows):
        if title.startswith("Chicago"):
            seen["Chicago"] = lng, lat
    yield from seen.items()
    yield "distinct points", (rng.normal(104, 0.2, n_rows), rng.normal(36, 0.2, n_rows))


# --- tables -------------------------------------------------------------------------------------


def measure(engines, rounds, *columns):
    """Median seconds and answers; an engine that runs elsewhere tells its own seconds."""
    seconds = {name: [] for name in engines}
    answers = {}
    for _ in range(rounds):
        for name, engine in engines.items():
            start = time.perf_counter()
            answers[name] = engine(*columns)
            took = time.perf_counter() - start
            if isinstance(answers[name], tuple):
                answers[name], took = answers[name]
            seconds[name].append(took)
    return {name: statistics.median(times) for name, times in seconds.items()}, answers


def print_polygons(n_rows, rounds):
    print(LINE.format("points", "rows", "engine", "median s", "ratio", "equal"))
    peers = engines()
    for title, lng, lat, polygons in point_sets(n_rows):
        medians, answers = measure(peers, rounds, lng, lat, polygons)
        for name, median in medians.items():
            ratio = f"{median / medians['geo.locate']:.2f}"
            equal = bool((answers[name] == answers["geo.locate"]).all())
            print(LINE.format(title, f"{len(lng):,}", name, f"{median:.2f}", ratio, equal))
            if not equal:
                raise SystemExit(f"{name} places points differently")


def print_cells(n_rows, rounds):
    print("\nSeconds per million points and resolution:\n")
    print(LINE.format("points", "rows", "engine", "median s", "ratio", "equal"))
    peers = cell_engines()
    for title, (lng, lat) in cell_sets(n_rows):
        medians, answers = measure(peers, rounds, lng, lat)
        ours = answers["geo.cells, five resolutions"]
        each = {
            name: median / len(answers[name]) / len(lng) * 1e6 for name, median in medians.items()
        }
        for name, seconds in each.items():
            ratio = f"{seconds / each['geo.cells, five resolutions']:.2f}"
            equal = same_cells(answers[name], ours)
            print(LINE.format(title, f"{len(lng):,}", name, f"{seconds:.3f}", ratio, equal))
            if not equal:
                raise SystemExit(f"{name} gives other cells")


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the made points")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("The data of the two real cities is not beside the project.")
    print_polygons(options.rows, options.rounds)
    print_cells(options.rows, options.rounds)


if __name__ == "__main__":
    main()
