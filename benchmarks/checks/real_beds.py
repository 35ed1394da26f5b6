"""
Beds of real cities, straight from their files beside the project: no part of the pipeline is used.

`chicago()` is weekly (city > district > sector > beat), `merseyside()` monthly (region > borough >
MSOA > LSOA). Each gives None where its files are absent. Neither tells when an incident was
reported: each is known on its day, in Merseyside on the last day of its month.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from data.periods import span
from etl.analyse.bed import NEVER, REPORTED, Areas, Bed, Events
from geo.boundaries import neighbours
from geo.cells import cell_numbers

if TYPE_CHECKING:
    from scipy import sparse

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
CHICAGO_GROUPS = {
    "theft": ("THEFT",),
    "burglary": ("BURGLARY",),
    "vehicle_theft": ("MOTOR VEHICLE THEFT",),
    "violence": ("ROBBERY", "ASSAULT", "BATTERY", "HOMICIDE"),
}
MERSEYSIDE_GROUPS = {
    "disorder": ("Anti-social behaviour",),
    "burglary": ("Burglary",),
    "violence": ("Violence and sexual offences", "Robbery"),
    "vehicle": ("Vehicle crime",),
}


@dataclass(frozen=True)
class Real:
    """A bed, the neighbours of its lowest areas, and their outlines in degrees."""

    name: str
    bed: Bed
    adjacency: sparse.csr_array
    polygons: Any


@cache
def chicago() -> Real | None:
    """Chicago, 2015 to 2018, by week."""
    home = DATA / "chicago"
    if not home.is_dir():
        return None
    columns = ["Date", "Primary Type", "Beat", "Longitude", "Latitude"]
    files = sorted(home.glob("incidents_*.parquet"))
    rows = pd.concat([pd.read_parquet(file, columns=columns) for file in files], ignore_index=True)
    occurred = pd.to_datetime(rows["Date"], format="%m/%d/%Y %I:%M:%S %p").to_numpy()
    beats = gpd.read_file(home / "beats.geojson").dissolve("beat_num", as_index=False)
    beats["sector"] = beats["district"] + "/" + beats["sector"].astype(str)
    tree = beats.assign(city="chicago", km2=beats.to_crs("EPSG:26916").area / 1e6)
    areas = _levels(tree, ["city", "district", "sector", "beat_num"], tree["km2"].to_numpy())
    number = {int(code): position for position, code in enumerate(tree["beat_num"])}
    lowest = rows["Beat"].astype(int).map(number).fillna(-1).to_numpy().astype(np.int64)
    days = occurred.astype("datetime64[D]")
    starts = np.array(
        span(pd.Timestamp("2015-01-05").date(), pd.Timestamp("2018-11-05").date(), grain="week"),
        dtype="datetime64[D]",
    )
    bed = _bed(
        rows["Primary Type"], CHICAGO_GROUPS, areas, starts, "week",
        day=days, known=days, seconds=occurred.astype("datetime64[s]").astype(np.int64),
        lowest=lowest, lng=rows["Longitude"].to_numpy(), lat=rows["Latitude"].to_numpy(), zone="America/Chicago",
    )  # fmt: skip
    shapes = shapely.make_valid(tree.geometry.to_numpy())
    return Real("Chicago", bed, neighbours(shapes, distance_m=5.0), shapes)


@cache
def merseyside() -> Real | None:
    """Merseyside, 2018, by month."""
    home = DATA / "merseyside"
    if not home.is_dir():
        return None
    rows = pd.read_parquet(home / "street_2018.parquet")
    tree = gpd.read_file(home / "lsoa.geojson").sort_values("LSOA11CD", ignore_index=True)
    shapes = shapely.make_valid(tree.geometry.to_numpy())
    tree = tree.assign(region="merseyside", km2=tree.to_crs("EPSG:27700").area / 1e6)
    areas = _levels(tree, ["region", "LAD13CD", "MSOA11CD", "LSOA11CD"], tree["km2"].to_numpy())
    number = {code: position for position, code in enumerate(tree["LSOA11CD"])}
    month = rows["Month"].to_numpy().astype("datetime64[M]")
    lowest = rows["LSOA code"].map(number).fillna(-1).to_numpy().astype(np.int64)
    starts = np.arange("2018-01", "2019-01", dtype="datetime64[M]").astype("datetime64[D]")
    day = month.astype("datetime64[D]")
    bed = _bed(
        rows["Crime type"], MERSEYSIDE_GROUPS, areas, starts, "month",
        day=day, known=(month + 1).astype("datetime64[D]") - 1,
        seconds=day.astype("datetime64[s]").astype(np.int64),
        lowest=lowest, lng=rows["Longitude"].to_numpy(), lat=rows["Latitude"].to_numpy(), zone="Europe/London",
    )  # fmt: skip
    return Real("Merseyside", bed, neighbours(shapes, distance_m=5.0), shapes)


def _levels(tree, names, lowest_km2):
    """Nested areas in the order of the lowest rows; the parents' km² are sums."""
    found, above = [], {}
    for name in names:
        rows = tree.drop_duplicates(name)
        parent = rows[names[names.index(name) - 1]] if above else None
        index = np.array([above[code] for code in parent] if above else [-1], dtype=np.int64)
        codes = list(rows[name])
        position = tree[name].map({code: at for at, code in enumerate(codes)}).to_numpy()
        km2 = np.bincount(position, weights=lowest_km2, minlength=len(codes))
        unknown = np.full(len(codes), np.nan)
        found.append(
            Areas(
                "lowest" if name == names[-1] else name, index, residents=unknown,
                households=unknown, area_km2=km2, exposure=km2,
                valid_from=np.full(len(codes), np.datetime64("1900-01-01")),
                valid_to=np.full(len(codes), np.datetime64("2200-01-01")),
            )
        )  # fmt: skip
        above = {code: at for at, code in enumerate(codes)}
    return tuple(found)


def _bed(kinds, groups, areas, starts, grain, *, day, known, seconds, lowest, lng, lat, zone):
    names = sorted(set(kinds))
    owner = {kind: at for at, group in enumerate(groups.values()) for kind in group}
    n = len(day)
    never = np.full(n, NEVER)
    events = Events(
        day=day, known=known,
        area=np.where(lowest < 0, -1, lowest + sum(len(one) for one in areas[:-1])),
        cell=cell_numbers(lng, lat, resolution=10),
        category=pd.Categorical(kinds, categories=names).codes.astype(np.int16),
        severity=np.zeros(n, dtype=np.int8), scale=np.zeros(n, dtype=np.int8),
        origin=np.full(n, REPORTED, dtype=np.int8), source=np.zeros(n, dtype=np.int16),
        status=np.full(n, -1, dtype=np.int8), outcome=np.full(n, -1, dtype=np.int8),
        repeat=np.zeros(n, dtype=bool), occurred=seconds, reported=seconds,
        dispatched=never, signed=never, resolved=never, archived=never, deadline=never,
    )  # fmt: skip
    return Bed(
        areas=areas, events=events, grain=grain, starts=starts, as_of=known.max(),
        groups=tuple(groups),
        time_zone=zone,
        group_of=np.array([owner.get(kind, -1) for kind in names], dtype=np.int64),
    )  # fmt: skip
