"""
Lanzhou's derived files: borders below the counties, and two years of ledgers, all seeded.

The county borders and every code and name are the published ones. Nobody publishes the borders of
townships and communities, so they are cut out of the counties by chance: more finely where the
codes say streets (街道) than where they say villages. 兰州新区 (620171) has codes and no polygon; its
ground lies in its neighbours' polygons, so its incidents count there by point, and under its own
codes where a row has no point.

    python -m tests.cities.lanzhou.make HOME
"""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from etl.synthesize.dirt import QUARANTINED, REPEATED, add_dirt
from etl.synthesize.formats import write_ledger
from etl.synthesize.incidents import draw_source, stream_counts
from etl.synthesize.ledgers import (
    FAR,
    Located,
    demo_leaves,
    make_ledger,
    read_sources,
    stamp,
)
from etl.synthesize.places import PLACE_SPREAD, Places, draw_magnets, draw_pull
from etl.synthesize.plan import OPENED, PLANS
from etl.synthesize.subdivide import points_inside, subdivide
from geo import boundaries, crs

FOLDER = Path(__file__).parent
TRUE_DATA = FOLDER.parents[3] / "shared" / "data" / "lanzhou"
TRUE_FILES = ("lanzhou_city.geojson", "lanzhou_counties.geojson", "codes_areas.csv",
              "codes_streets.csv", "codes_villages.csv")  # fmt: skip
PREFIX = "6201"
NOT_DRAWN = "620171"
NEIGHBOURS = ("620121", "620122")  # the New Area lies in these two
SEED = 620100
INCIDENTS = 60_000
STREET_LAST = 99  # digits 7-9 of a township: 001-099 street, 100-199 town, 200-399 village
ADDRESSES = 3  # per piece
PIECES = {"township": 40, "community": 16, "grid": 6}


def make(root, *, seed=SEED, incidents=INCIDENTS, true_data=TRUE_DATA):
    """Write every file that `areas.toml` and `sources/` name into `root`; returns the truth."""
    (root / "areas").mkdir(parents=True, exist_ok=True)
    for name in TRUE_FILES:
        shutil.copyfile(true_data / name, root / name)
    ground, events = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(2))
    lists = read_lists(root)
    levels = make_areas(true_counties(root), lists, ground)
    for level in ("township", "community", "grid"):
        levels[level].drop(columns=["parent", "people"], errors="ignore").to_parquet(
            root / "areas" / f"{level}.parquet", compression="zstd", index=False
        )
    truth = write_ledgers(root, levels, lists, incidents=incidents, rng=events)
    text = json.dumps(truth, ensure_ascii=False, indent=1, sort_keys=True)
    (root / "truth.json").write_text(text + "\n", encoding="utf-8")
    return truth


def read_lists(root):
    """The three code lists, Lanzhou's rows: `code`, `name`, `parent_code`."""
    lists = {}
    for level, file, parent in (("county", "codes_areas.csv", "cityCode"),
                                ("township", "codes_streets.csv", "areaCode"),
                                ("community", "codes_villages.csv", "streetCode")):  # fmt: skip
        rows = pd.read_csv(root / file, dtype="str")
        rows = rows[rows["code"].str.startswith(PREFIX)].rename(columns={parent: "parent_code"})
        kept = rows[["code", "name", "parent_code"]].sort_values("code")
        lists[level] = kept.reset_index(drop=True)
    return lists


def true_counties(root):
    """The published counties in WGS 84, by code: shifted just as the build shifts them."""
    found = pyogrio.read_dataframe(root / "lanzhou_counties.geojson")
    shifted = crs.geometries_to_wgs84(found.geometry.to_numpy(), frame="GCJ-02")
    rows = gpd.GeoDataFrame({"code": found["adcode"].astype("str")},
                            geometry=boundaries.repair(shifted), crs="EPSG:4326")  # fmt: skip
    return rows.sort_values("code", ignore_index=True)


def make_areas(counties, lists, rng):
    """Every level from the county down: `code`, `geometry`, `parent` (position above)."""
    crowd = settle(counties, lists, rng)
    levels = {"county": counties}
    above = counties
    for level in ("township", "community"):
        listed = lists[level][lists[level]["parent_code"].isin(above["code"])]
        wanted = above["code"].map(listed["parent_code"].value_counts()).to_numpy(dtype=np.int64)
        cut = subdivide(above.geometry.to_numpy(), wanted, density=crowd.softly, rng=rng,
                        pieces=PIECES[level])  # fmt: skip
        above = levels[level] = _coded(cut, listed, above)
    return levels | _grids(above, crowd, rng)


def _coded(cut, listed, above):
    """Areas with the codes of their parent's list, the smallest first: streets, towns, villages."""
    size = boundaries.area_km2(cut.shapes)
    parent_code = above["code"].to_numpy()[cut.parent]
    order = np.lexsort((size, parent_code))
    theirs = listed.sort_values(["parent_code", "code"])
    assert (theirs["parent_code"].to_numpy() == parent_code[order]).all()
    columns = {"code": theirs["code"].to_numpy(), "parent": cut.parent[order]}
    return gpd.GeoDataFrame(columns, geometry=cut.shapes[order], crs="EPSG:4490")


def _grids(communities, crowd, rng):
    """Three to five grids in each community, numbered from west to east and north to south."""
    wanted = rng.integers(3, 6, len(communities))
    cut = subdivide(communities.geometry.to_numpy(), wanted, density=crowd.softly, rng=rng,
                    pieces=PIECES["grid"])  # fmt: skip
    middle = shapely.get_coordinates(shapely.point_on_surface(cut.shapes))
    order = np.lexsort((-middle[:, 1], np.round(middle[:, 0], 2), cut.parent))
    parent = cut.parent[order]
    number = np.arange(len(parent)) - np.searchsorted(parent, parent) + 1
    codes = communities["code"].to_numpy()
    rows = gpd.GeoDataFrame(
        {
            "code": [f"{codes[p]}{n:03d}" for p, n in zip(parent, number, strict=True)],
            "name": [f"第{n}网格" for n in number],
            "parent_code": codes[parent],
            "valid_from": [OPENED] * len(parent),
            "parent": parent,
        },
        geometry=cut.shapes[order],
        crs="EPSG:4490",
    )
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    pieces = gpd.GeoDataFrame({"parent": place[cut.owner]}, geometry=cut.pieces, crs="EPSG:4490")
    inside = shapely.get_coordinates(shapely.point_on_surface(cut.pieces))
    pieces["people"] = crowd.density(*inside.T) * boundaries.area_km2(cut.pieces)
    return {"grid": rows, "piece": pieces.sort_values("parent", kind="stable", ignore_index=True)}


@dataclass(frozen=True)
class Crowd:
    """People per km², invented: settlements of exponential fall over an even countryside."""

    centres: np.ndarray
    people: np.ndarray
    reach_km: np.ndarray
    scale: np.ndarray

    def density(self, lng, lat):
        east = (np.asarray(lng)[:, None] - self.centres[:, 0]) * self.scale[0]
        north = (np.asarray(lat)[:, None] - self.centres[:, 1]) * self.scale[1]
        fall = np.exp(-np.hypot(east, north) / self.reach_km)
        return 12.0 + fall @ (self.people / (2 * np.pi * self.reach_km**2))

    def softly(self, lng, lat):
        return np.sqrt(self.density(lng, lat))


def settle(counties, lists, rng):
    """One settlement per township: streets round the seat of their county, the others anywhere."""
    shapes = counties.geometry.to_numpy()
    scale = boundaries.metres_per_degree(shapes) / 1000
    core = shapely.centroid(shapely.union_all(shapes[np.argsort(shapely.area(shapes))[:4]]))
    sizes = lists["community"]["parent_code"].value_counts()
    centres, people, reach = [], [], []
    for code, shape in zip(counties["code"], shapes, strict=True):
        towns = lists["township"].loc[lists["township"]["parent_code"] == code, "code"]
        pool = points_inside(shape, 400, rng)
        far = np.hypot(*((pool - shapely.get_coordinates(core)[0]) * scale).T)
        seat = pool[far.argmin()] if far.min() < 15 else shapely.get_coordinates(
            shapely.point_on_surface(shape))[0]  # fmt: skip
        near = pool[np.argsort(np.hypot(*((pool - seat) * scale).T))]
        for town in towns:
            street = int(town[6:9]) <= STREET_LAST
            centres.append(near[rng.integers(len(near) // 5)] if street else
                           pool[rng.integers(len(pool))])  # fmt: skip
            people.append((4200 if street else 1600) * sizes[town])
            reach.append(1.1 if street else 0.7)
    return Crowd(np.array(centres), np.array(people), np.array(reach), scale)


def lay_out(levels, lists, rng):
    """Addresses in the grids and, on the same ground, in the communities that have no polygon."""
    pieces, grids = levels["piece"], levels["grid"]
    lng, lat, piece = _addresses(pieces.geometry.to_numpy(), rng)
    grid = pieces["parent"].to_numpy()[piece]
    codes = codes_of_grids(levels)
    undrawn = lists["community"][lists["community"]["code"].str.startswith(NOT_DRAWN)]
    spare = _near_common_border(levels["county"], lng, lat, codes["county"][grid])
    picked = rng.choice(spare[: 40 * len(undrawn)], size=(len(undrawn), 6), replace=False).ravel()
    people = np.bincount(pieces["parent"], weights=pieces["people"], minlength=len(grids))
    area = boundaries.area_km2(grids.geometry.to_numpy())
    # A community without polygon is drawn from like four grids of the usual size.
    people, area = (np.append(a, np.full(len(undrawn), 4 * np.median(a))) for a in (people, area))
    community = np.append(grids["parent"].to_numpy(),
                          len(levels["community"]) + np.arange(len(undrawn)))  # fmt: skip
    weights = rng.lognormal(0, 1.0, len(grid) + len(picked))
    own_grid = np.append(grid, len(grids) + np.repeat(np.arange(len(undrawn)), 6))
    places = Places(
        lng=np.append(lng, lng[picked]),
        lat=np.append(lat, lat[picked]),
        piece=np.append(piece, piece[picked]),
        grid=own_grid,
        total=np.append(0.0, np.cumsum(weights)),
        first=np.searchsorted(own_grid, np.arange(len(people) + 1)),
        pull=_pull(people, area, community, rng),
        magnets={},
    )
    stated = {level: np.append(values[grid], _undrawn_codes(undrawn, level))
              for level, values in codes.items()}  # fmt: skip
    ground = np.append(codes["county"][grid], codes["county"][grid][picked])
    never = np.full(len(own_grid), FAR, dtype=np.int64)
    located = Located(places.lng, places.lat, stated, stated["grid"], never)
    return places, located, community, ground


def _addresses(pieces, rng):
    """Points well inside of their piece; pieces narrower than a house have none."""
    middle = shapely.get_coordinates(shapely.point_on_surface(pieces))
    room = shapely.distance(shapely.points(middle), shapely.boundary(pieces))
    piece = np.repeat(np.flatnonzero(room > 5e-5), ADDRESSES)
    turn, out = rng.uniform(0, 2 * np.pi, len(piece)), 0.7 * np.sqrt(rng.random(len(piece)))
    step = (room[piece] * out)[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
    return *(middle[piece] + step).T, piece


def codes_of_grids(levels):
    """Code of every level for each grid."""
    grid = levels["grid"]
    community = grid["parent"].to_numpy()
    township = levels["community"]["parent"].to_numpy()[community]
    county = levels["township"]["parent"].to_numpy()[township]
    above = {"county": county, "township": township, "community": community}
    found = {level: levels[level]["code"].to_numpy(dtype=object)[at] for level, at in above.items()}
    return found | {"grid": grid["code"].to_numpy(dtype=object)}


def _undrawn_codes(undrawn, level):
    length = {"county": 6, "township": 9, "community": 12, "grid": 12}[level]
    return np.repeat(undrawn["code"].str[:length].to_numpy(dtype=object), 6)


def _near_common_border(counties, lng, lat, county):
    """Positions of the addresses of the two neighbours, by distance from their common border."""
    first, second = (counties.geometry[counties["code"] == code].iloc[0] for code in NEIGHBOURS)
    middle = shapely.get_coordinates(shapely.centroid(shapely.intersection(first, second)))[0]
    far = np.hypot(lng - middle[0], lat - middle[1])
    far[~np.isin(county, NEIGHBOURS)] = np.inf
    return np.argsort(far, kind="stable")[: int(np.isfinite(far).sum())]


def _pull(people, area, community, rng):
    density = people / area
    common = rng.normal(0, 0.3, len(people))
    common += rng.normal(0, PLACE_SPREAD["community"], community.max() + 1)[community]
    return draw_pull(people, density, common=common, magnets=draw_magnets(density, rng), rng=rng)


def write_ledgers(root, levels, lists, *, incidents, rng):
    """Write the five source files; returns the row accounts and where the incidents count."""
    places, located, community, ground = lay_out(levels, lists, rng)
    counts = stream_counts(replace(PLANS["small"], incidents=incidents), {})
    leaves = demo_leaves()
    files, by_county, by_code = {}, Counter(), Counter()
    for number, (name, config) in enumerate(read_sources(FOLDER).items()):
        found = draw_source(
            name, counts[name], places=places, community=community, leaves=leaves, rng=rng
        )
        ledger = make_ledger(found, located, config, rng)
        rows, reasons = add_dirt(
            ledger.rows,
            columns=config["columns"],
            prefix=f"X{number}-",
            stamp=partial(stamp, config=config),
            typed=config["format"] == "parquet",
            rng=rng,
        )
        write_ledger(rows, root / config["files"][0], config)
        files[config["files"][0]] = {
            "rows": len(rows),
            "accepted": len(ledger.rows),
            "duplicate": reasons[REPEATED],
            "quarantined": sum(reasons[reason] for reason in QUARANTINED),
            **{how: int((ledger.placed == value).sum())
               for how, value in (("point", 2), ("code", 1), ("none", 0))},
        }  # fmt: skip
        point, code = (
            ledger.incidents.address[ledger.placed == 2],
            ledger.incidents.address[ledger.placed == 1],
        )
        by_county.update(ground[point].tolist())
        by_county.update(located.codes["county"][code].tolist())
        by_code.update(located.codes["county"][code].tolist())
    return {
        "files": files,
        "counts": dict(by_county),
        "by_code": dict(by_code),
        "areas": {
            level: len(levels[level]) for level in ("county", "township", "community", "grid")
        },
    }


if __name__ == "__main__":
    made = make(Path(sys.argv[1]) / "source" / "lanzhou")
    print(json.dumps(made, ensure_ascii=False))
