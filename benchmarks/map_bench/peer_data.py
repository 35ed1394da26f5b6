"""
What the peers draw: the polygons of our tiles and the bands of our answers, as files.

Both are written once for a snapshot and kept beside the home.
"""

import gzip
import json
from pathlib import Path

import numpy as np
import shapely

from benchmarks.map_bench.city import CITY
from dashboard import answers, cells
from data.access import Grant, Scope
from data.city import read_city
from etl import boundaries
from geo.cells import cell_polygons

EVERYONE = Scope(user="benchmark", grants=frozenset({Grant("leader")}))
WINDOWS = (4, 13, 26, 52, 1)
"""Weeks of each set of values that a recolour goes through."""
ABSENT = 254
"""Bands from here on have no colour; the highest bit below marks a small sample."""

_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_VALUE = {digit: number for number, digit in enumerate(_DIGITS)}


def prepare(city) -> tuple[Path, dict[str, str]]:
    """Write geometry and values; gives the folder, and the name of the set of areas and of cells."""
    folder = city.home.parent / f"{city.home.name}-peers" / city.snapshot.id
    folder.mkdir(parents=True, exist_ok=True)
    level, resolution = city.finest, city.resolution
    names = {"areas": level, "cells": f"cells_{resolution}"}
    if not (folder / f"{level}.json").is_file():
        built = boundaries.read_boundaries(read_city(CITY, home=city.home))
        rows = built.level_areas(level)
        shapes = boundaries._drawn(built.geometries[level], rows)  # noqa: SLF001
        current = np.flatnonzero(rows["valid_to"].isna().to_numpy())
        _write(folder, level, shapes, current, _bands(city, f"level={level}", None))
    if not (folder / f"{names['cells']}.json").is_file():
        register = cells.register(EVERYONE, city.snapshot, resolution)
        shapes = cell_polygons(register.numbers)
        found = _bands(city, "layer=cells", resolution)
        _write(folder, names["cells"], shapes, np.arange(len(shapes)), found)
    return folder, names


def _write(folder, name, shapes, drawn, bands):
    features = [
        {
            "type": "Feature",
            "id": index,
            "properties": {"i": index},
            "geometry": shapely.set_precision(shapes[index], 1e-5).__geo_interface__,
        }
        for index in drawn.tolist()
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":"))
    (folder / f"{name}.geojson.gz").write_bytes(gzip.compress(text.encode(), 6))
    told = {
        "ids": drawn.tolist(),
        "bounds": [float(edge) for edge in shapely.total_bounds(shapes[drawn])],
        "bands": bands,
    }
    (folder / f"{name}.json").write_text(json.dumps(told))


def _bands(city, search, resolution):
    """Bands of every area or cell for each window, as our own map is told them."""
    found = []
    for weeks in WINDOWS:
        drawn = answers.draw_map(
            EVERYONE,
            city.snapshot,
            search=f"?{search}&periods={weeks}",
            fragment="",
            resolution=resolution,
        )
        bands = bands_of(drawn["values"])
        found.append([0 if band >= ABSENT else band & 127 for band in bands])
    return found


def bands_of(values):
    """Bands as numbers, whichever way they travel."""
    if "pairs" not in values:
        return read_numbers(values["bands"])
    both = [digit for pair in values["pairs"] for digit in divmod(_VALUE[pair], 8)]
    return both[: values["n"]]


def read_numbers(text):
    """Numbers in base-32 digits, the highest first; 32 is added to all digits but the last."""
    numbers, value = [], 0
    for digit in text:
        value = value * 32 + (_VALUE[digit] & 31)
        if _VALUE[digit] < 32:
            numbers.append(value)
            value = 0
    return numbers
