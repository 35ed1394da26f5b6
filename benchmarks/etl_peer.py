"""
Time the pipeline against pandas + h3 + geopandas.sjoin: four files of Chicago, 1,031,193 rows.

Run from the root of the project: ``python -m benchmarks.etl_peer``. The peers do what a good analyst
would write in an afternoon: read the needed columns, parse the dates, join beats, sectors and
districts, index three H3 resolutions, count by week and category. Ours makes all five resolutions.

A point on a shared border goes to the beat with the lowest code, and its sector and district are
that beat's; a point in no beat goes to the district that holds it, a row without a point to the
beat that it names. The lean peer keeps that rule and must count exactly as ours does, area by area
and cell by cell. The straight peer joins each level on its own, lowest code first; the file of the
districts is not rounded exactly as that of the beats, so a few of its rows differ, and each is
shown to lie within a decimetre of a border.
"""

import argparse
import datetime as dt
import json
import re
import shutil
import tempfile
import time
import tomllib
from functools import partial
from pathlib import Path
from statistics import median

import geopandas as gpd
import h3
import numpy as np
import pandas as pd

from benchmarks.report import Row, print_rows
from geo import cells

ROOT = Path(__file__).resolve().parents[1]
CITY = ROOT / "tests" / "cities" / "chicago"
DATA = ROOT.parent / "shared" / "data" / "chicago"
LEVELS = ("county", "township", "community")
RESOLUTIONS = (7, 8, 9)
COLUMNS = ["ID", "Date", "Primary Type", "Beat", "Longitude", "Latitude"]
METRES = "EPSG:26916"
"""UTM of Chicago, for distances from borders."""
ON_BORDER_M = 0.1
HEAD = ["what", "budget", "ours", "least–most", "peer", "ratio", "budget is"]


# --- ours ---------------------------------------------------------------------------------------


def ours_like_for_like(city, home):
    """
    Raw files → located → counted, without landing and publishing: the pipeline's own steps.

    Runs on as many processes as `pingan build` does. Returns counts by name of level or resolution
    (arrays `period_start`, `place`, `category`, `severity`, `count`) and what `place` stands for.
    This function and `count_file` are all that changes here when the steps change.
    """
    from etl.aggregate import _place_parts, _sum
    from etl.engine import open_engine
    from etl.epoch import open_epoch
    from etl.place import upwards

    epoch = open_epoch(city, home)
    tasks = [(source, path) for source in city.sources for path in source.files]
    with open_engine() as engine:
        parts = list(engine.map(partial(count_file, epoch), tasks))
    built, counted = epoch.boundaries, {}
    found = joined([part for pair in parts for part in pair["areas"]])
    found = _sum(found, found["place"])
    level, index = _place_parts(found["place"])
    for name, place in upwards(level.astype(np.int8), index.astype(np.int32), built).items():
        codes = built.level_areas(name)["code"].to_numpy(dtype=object)
        counted[name] = _sum(found, place.astype(np.int64)), codes
    found = joined([part for pair in parts for part in pair["cells"]])
    for resolution in reversed(cells.RESOLUTIONS):
        above = cells.parent_numbers(found["place"], resolution=resolution)
        found = _sum(found, above)
        counted[resolution] = found, None
    return counted


def count_file(epoch, task):
    """Counts of one raw file at the lowest level and in the finest cells, chunk by chunk."""
    from etl.aggregate import _count, _place_number
    from etl.clean import Ground, clean
    from etl.place import place
    from etl.sources import read_chunks

    (source, path), built = task, epoch.boundaries
    ground = Ground(built.limits, built.codes, built.first_day)
    latest = epoch.last_moment(dt.datetime.now(dt.UTC))
    counted = {"areas": [], "cells": []}
    for chunk in read_chunks(source, path):
        incidents = clean(
            chunk.rows, source, epoch.city, ground=ground, file=path.name, last_moment=latest
        ).incidents
        placed = place(incidents, built)
        rows = {
            "period_start": incidents["period_start"].to_numpy().astype("datetime64[D]"),
            "category": incidents["category_index"].to_numpy(),
            "severity": incidents["severity"].to_numpy(),
        }
        areas = _place_number(placed.level, placed.index)
        finest = cells.cell_numbers(incidents["lng"], incidents["lat"], resolution=10)
        counted["areas"].append(_count(rows, areas))
        counted["cells"].append(_count(rows, finest))
    return counted


def joined(parts):
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def named(counted, city):
    """Counts as frames with codes instead of positions; not part of what is timed."""
    categories = np.array([category.code for category in city.categories], dtype=object)
    frames = {}
    for key, (counts, codes) in counted.items():
        place = counts["place"]
        text = as_text(place) if codes is None else np.append(codes, "")[place]
        frames[key] = pd.DataFrame(
            {
                "period_start": counts["period_start"],
                "place": text,
                "category": categories[counts["category"]],
                "count": counts["count"],
            }
        )
    return frames


def city_without_published(folder):
    """Copy of the city folder without what only measures agreement, its data found from there."""
    shutil.copytree(CITY, folder)
    town = folder / "city.toml"
    text = re.sub(r"(?m)^data_root = .*$", f'data_root = "{DATA.as_posix()}"', town.read_text())
    town.write_text(text, encoding="utf-8")
    for source in (folder / "sources").glob("*.toml"):
        kept = source.read_text(encoding="utf-8").split("[[published]]")[0]
        source.write_text(kept, encoding="utf-8")
    return folder


# --- the peers ----------------------------------------------------------------------------------


def files():
    return sorted(DATA.glob("incidents_*.parquet"))


def plain(codes):
    """Codes as numbers are written, so that 0533 and 533 are one."""
    return pd.to_numeric(codes).astype("Int64").astype("string")


def read_incidents():
    rows = pd.concat([pd.read_parquet(file, columns=COLUMNS) for file in files()])
    rows = rows.drop_duplicates("ID", keep="last", ignore_index=True)
    happened = pd.to_datetime(rows["Date"], format="%m/%d/%Y %I:%M:%S %p")
    days = happened.dt.normalize()
    rows["week"] = days - pd.to_timedelta(days.dt.day_of_week, unit="D")
    source = tomllib.loads((CITY / "sources" / "crimes.toml").read_text(encoding="utf-8"))
    rows["category"] = rows["Primary Type"].map(source["category_codes"])
    rows["own_beat"] = plain(rows["Beat"])
    return rows


def read_polygons():
    """Beats, sectors (joined from beats) and districts, each with `code`."""
    beats = gpd.read_file(DATA / "beats.geojson")
    beats["code"] = plain(beats["beat_num"])
    beats["county"] = plain(beats["district"])
    beats["township"] = plain(beats["district"]) + "-" + plain(beats["sector"])
    sectors = beats.dissolve("township").reset_index()[["township", "geometry"]]
    districts = gpd.read_file(DATA / "districts.geojson")
    districts["code"] = plain(districts["dist_num"])
    return {
        "community": beats,
        "township": sectors.rename(columns={"township": "code"}),
        "county": districts,
    }


def holders(points, polygons):
    """Code of the polygon that each point touches, the lowest where it touches several."""
    pairs = points.sjoin(polygons[["code", "geometry"]], predicate="intersects", how="inner")
    return pairs.groupby(level=0)["code"].min().reindex(points.index)


def points_of(rows):
    known = rows[rows["Longitude"].notna()]
    at = gpd.points_from_xy(known["Longitude"], known["Latitude"])
    return gpd.GeoDataFrame(index=known.index, geometry=at, crs="EPSG:4326")


def by_own_code(rows, beats):
    """Rows that no polygon holds go where the beat that they name lies."""
    above = beats.drop_duplicates("code").set_index("code")
    lost = rows["county"].isna() & rows["own_beat"].isin(above.index)
    own = rows.loc[lost, "own_beat"]
    rows.loc[lost, "community"] = own
    for level in ("township", "county"):
        rows.loc[lost, level] = own.map(above[level])
    return rows


def locate_straight(rows, polygons):
    """One join a level."""
    points = points_of(rows)
    for level, shapes in polygons.items():
        rows[level] = holders(points, shapes)
    return by_own_code(rows, polygons["community"])


def locate_lean(rows, polygons):
    """One join, the levels above by the beat's own attributes; a second only for what is left."""
    beats, points = polygons["community"], points_of(rows)
    above = beats.drop_duplicates("code").set_index("code")
    rows["community"] = holders(points, beats)
    for level in ("township", "county"):
        rows[level] = rows["community"].map(above[level])
    left = points[rows.loc[points.index, "community"].isna()]
    rows.loc[left.index, "county"] = holders(left, polygons["county"])
    return by_own_code(rows, beats)


def cells_by_loop(rows):
    known = rows["Longitude"].notna()
    lat_lng = rows.loc[known, ["Latitude", "Longitude"]].to_numpy().tolist()
    for resolution in RESOLUTIONS:
        cells = [h3.latlng_to_cell(lat, lng, resolution) for lat, lng in lat_lng]
        rows.loc[known, f"h3_{resolution}"] = np.array(cells, dtype=object)
    return rows


def cells_in_bulk(rows):
    """
    The vectorised library, the coarser cells as parents of the finest, as ours are.

    A parent need not hold its child to the last metre, so a loop at each resolution gives a few
    other cells near the edges of the coarser ones.
    """
    import h3ronpy
    from h3ronpy.vector import coordinates_to_cells

    known = rows["Longitude"].notna().to_numpy()
    lat, lng = rows["Latitude"].to_numpy()[known], rows["Longitude"].to_numpy()[known]
    finest = coordinates_to_cells(lat, lng, 10)
    for resolution in RESOLUTIONS:
        cells = np.zeros(len(rows), dtype=np.uint64)
        cells[known] = np.asarray(h3ronpy.change_resolution(finest, resolution))
        rows[f"h3_{resolution}"] = cells
    return rows


def count(rows):
    keys = {level: level for level in LEVELS} | {r: f"h3_{r}" for r in RESOLUTIONS}
    return {
        key: rows.groupby(["week", column, "category"], dropna=False, observed=True).size()
        for key, column in keys.items()
    }


def straight():
    rows = cells_by_loop(locate_straight(read_incidents(), read_polygons()))
    return rows, count(rows)


def lean():
    rows = cells_in_bulk(locate_lean(read_incidents(), read_polygons()))
    return rows, count(rows)


# --- equal answers ------------------------------------------------------------------------------


def as_text(cells):
    return np.array([f"{cell:015x}" if cell else "" for cell in cells.tolist()], dtype=object)


def check_equal(ours, rows, counts):
    """The lean peer counts exactly as ours does, in every week, area, cell and category."""
    summed = 0
    for key, theirs in counts.items():
        frame = theirs.rename("count").reset_index()
        frame.columns = ["week", "place", "category", "count"]
        place = frame["place"]
        if isinstance(key, int):
            frame["place"] = as_text(place.to_numpy())
        else:
            frame["place"] = place.astype(object).where(place.notna(), "")
        own = ours[key].groupby(["period_start", "place", "category"])["count"].sum()
        peer = frame.groupby(["week", "place", "category"])["count"].sum()
        both = pd.DataFrame({"own": plain_index(own), "peer": plain_index(peer)}).fillna(0)
        different = both[both["own"] != both["peer"]]
        if len(different):
            raise SystemExit(f"{key}: {len(different):,} counts differ\n{different.head()}")
        if own.sum() != len(rows):
            raise SystemExit(f"{key}: {own.sum():,} rows are counted, {len(rows):,} were read")
        summed += len(both)
    return summed


def plain_index(counts):
    frame = counts.rename("count").reset_index()
    frame.columns = ["week", "place", "category", "count"]
    frame["week"] = frame["week"].astype("datetime64[s]")
    return frame.astype({"place": str, "category": str}).set_index(["week", "place", "category"])[
        "count"
    ]


def check_straight(straight_rows, lean_rows):
    """How many rows the straight peer places elsewhere; all of them must lie on a border."""
    different = np.zeros(len(lean_rows), dtype=bool)
    for level in LEVELS:
        one, other = straight_rows[level].fillna(""), lean_rows[level].fillna("")
        different |= (one != other).to_numpy()
    borders = read_polygons()["community"].to_crs(METRES).boundary.union_all()
    away = points_of(lean_rows[different]).to_crs(METRES).distance(borders) > ON_BORDER_M
    if away.any():
        raise SystemExit(f"{away.sum():,} rows off the borders are placed differently")
    return int(different.sum())


# --- the table ----------------------------------------------------------------------------------


def timed(times, name, act):
    start = time.perf_counter()
    answer = act()
    times.setdefault(name, []).append(time.perf_counter() - start)
    return answer


def ours_once(city):
    with tempfile.TemporaryDirectory() as home:
        return ours_like_for_like(city, Path(home))


def publish_once(folder):
    from etl import pipeline

    with tempfile.TemporaryDirectory() as home:
        pipeline.build(folder, home=Path(home))


def measure(rounds):
    from data.city import read_city

    times = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = city_without_published(Path(scratch) / "chicago")
        city = read_city(folder, home=Path(scratch))
        for _ in range(rounds):
            timed(times, "read all", lambda: [pd.read_parquet(file) for file in files()])
            timed(
                times, "read some",
                lambda: [pd.read_parquet(file, columns=COLUMNS) for file in files()],
            )  # fmt: skip
            counted = timed(times, "ours", lambda: ours_once(city))
            straight_rows, _ = timed(times, "straight", straight)
            rows, counts = timed(times, "lean", lean)
            timed(times, "published", lambda: publish_once(folder))
        equal = check_equal(named(counted, city), rows, counts)
        return times, equal, check_straight(straight_rows, rows), len(rows)


def table(times):
    fastest = {name: median(values) for name, values in times.items()}
    like, whole = times["ours"], times["published"]
    return [
        Row("read → located → counted, beside three joins and h3 loops", "s",
            round(fastest["straight"] / 8, 2), like, times["straight"]),
        Row("read → located → counted, beside one join and h3ronpy", "s", None, like, times["lean"]),
        Row("raw files → published snapshot, beside three joins and h3 loops", "s",
            round(fastest["straight"] / 4, 2), whole, times["straight"]),
        Row("raw files → published snapshot, beside one join and h3ronpy", "s", None, whole, times["lean"]),
        Row("read → located → counted, beside reading alone (all columns)", "s",
            round(fastest["read all"] * 8, 2), like, times["read all"], floor=True),
        Row("raw files → published snapshot, beside reading alone (all columns)", "s",
            round(fastest["read all"] * 8, 2), whole, times["read all"], floor=True),
        Row("read → located → counted, beside reading alone (needed columns)", "s", None,
            like, times["read some"], floor=True),
    ]  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    if not files():
        raise SystemExit("The Chicago files are not beside the project; nothing to time.")
    times, equal, elsewhere, read = measure(options.rounds)
    rows = table(times)
    print_rows(rows, markdown=options.markdown, head=HEAD)
    print(f"\n{read:,} rows; ours and the lean peer agree in all {equal:,} counts.")
    print(
        f"The straight peer places {elsewhere:,} rows ({elsewhere / read:.4%}) elsewhere, all "
        f"within {ON_BORDER_M} m of a border."
    )
    if options.json:
        options.json.write_text(json.dumps([vars(row) for row in rows], ensure_ascii=False))


if __name__ == "__main__":
    main()
