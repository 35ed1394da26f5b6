"""A city of squares, 2 × 2 children per level, 60 weeks, written as a real snapshot."""

import datetime as dt
import gzip
import json
import sqlite3
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import shapely

from data import rates
from data.access import Grant, Scope
from data.periods import Window, shift, span
from data.writer import SnapshotWriter
from geo import cells as hexagons
from geo.tile_shapes import mercator_bounds
from tests.dashboard.analysed import add_analysis, facts, hot_cells
from tests.dashboard.registered import ENTRY as REGISTERS
from tests.dashboard.registered import add_registers

LEVELS = ("city", "county", "township", "community", "grid")
LAST = dt.date(2026, 11, 9)
FIRST = shift(LAST, -59, grain="week")
RECUT = dt.date(2026, 10, 26)
SCRIPT = "<script>alert(1)</script>"
WINDOW = 4
RESOLUTIONS = (6, 7, 8)
CITY = Scope(user="leader", grants=frozenset({Grant("leader")}))
COUNTY = Scope(user="chief", grants=frozenset({Grant("leader", "county", "9901002")}))
EMPTY = Scope(user="new", grants=frozenset())


class FixedProvider:
    """Signs every request in with one scope; None = nobody."""

    can_sign_in = True

    def __init__(self, scope) -> None:
        self._scope = scope

    def admits(self, request):  # noqa: ARG002
        return True

    def scope(self, request):  # noqa: ARG002
        return self._scope


def make_areas():
    rows = [_area("city", 0, "990100", None, -1, (120.0, 30.0, 120.8, 30.8), 640_000.0)]
    parents = rows
    for depth, level in enumerate(LEVELS[1:], start=1):
        made = []
        for parent in parents:
            west, south, east, north = (parent[edge] for edge in ("west", "south", "east", "north"))
            mid_lng, mid_lat = (west + east) / 2, (south + north) / 2
            for corner in range(4):
                box = (
                    west if corner % 2 == 0 else mid_lng,
                    south if corner < 2 else mid_lat,
                    mid_lng if corner % 2 == 0 else east,
                    mid_lat if corner < 2 else north,
                )
                index = len(made)
                code = f"99{depth:02d}{index + 1:03d}"
                people = parent["population"] / 4 * (0.7 + 0.2 * corner)
                made.append(
                    _area(level, index, code, parent["code"], parent["area_index"], box, people)
                )
        rows, parents = rows + made, made
    areas = pd.DataFrame(rows)
    areas.loc[areas["code"] == "9901002", "name"] = SCRIPT
    areas.loc[areas["code"] == "9904007", ["population", "exposure"]] = np.nan
    return _recut(areas)


def _recut(areas):
    """The first grid ends on a day in the window and is followed by a new one."""
    old = areas[areas["code"] == "9904001"]
    new = old.assign(
        code="9904999", name="新网格", name_en="New grid", area_index=256, valid_from=RECUT
    )
    areas.loc[areas["code"] == "9904001", "valid_to"] = RECUT
    return pd.concat([areas, new], ignore_index=True)


def _area(level, index, code, parent_code, parent_index, box, people):  # noqa: PLR0917
    west, south, east, north = box
    return {
        "level": level, "area_index": index, "code": code, "name": f"{level}区{index}",
        "name_en": f"{level.title()} {index}", "parent_code": parent_code,
        "parent_index": parent_index, "valid_from": None, "valid_to": None, "population": people,
        "households": None, "area_km2": 100.0, "exposure": people / 10_000,
        "lng": (west + east) / 2, "lat": (south + north) / 2,
        "west": west, "south": south, "east": east, "north": north,
    }  # fmt: skip


def make_incidents(areas):
    """One row per incident: the week and, where it is placed, its area at every level."""
    rng = np.random.default_rng(20261109)
    n = 12_000
    weight = rng.gamma(1.5, size=256)
    grid = rng.choice(256, size=n, p=weight / weight.sum())
    start = np.array(span(FIRST, LAST, grain="week"))[rng.integers(0, 60, size=n)]
    incidents = pd.DataFrame(
        {
            "period_start": start,
            "category_index": rng.choice([1, 2, 4, 5], size=n).astype("int16"),
            "severity": rng.choice([0, 1, 2, 3, 4], size=n, p=[0.1, 0.5, 0.25, 0.1, 0.05]).astype(
                "int8"
            ),
            "grid": np.where((grid == 0) & (start >= RECUT), 256, grid),
        }
    )
    parents = {level: areas[areas["level"] == level]["parent_index"].to_numpy() for level in LEVELS}
    for lower, upper in zip(LEVELS[:0:-1], LEVELS[-2::-1], strict=True):
        incidents[upper] = parents[lower][incidents[lower].to_numpy()]
    vague, nowhere = rng.random(n) < 0.03, rng.random(n) < 0.01
    incidents.loc[vague, ["township", "community", "grid"]] = -1
    incidents.loc[nowhere, list(LEVELS)] = -1
    return incidents.assign(
        area_row=_lowest_rows(incidents, areas), **_cells(rng, grid, nowhere | vague)
    )


def _lowest_rows(incidents, areas):
    """Row of `areas` of the lowest area of each incident, -1 = none."""
    found = np.full(len(incidents), -1)
    for level in LEVELS:
        first = int((areas["level"] == level).to_numpy().argmax())
        placed = incidents[level].to_numpy() >= 0
        found[placed] = first + incidents[level].to_numpy()[placed]
    return found


def _cells(rng, grid, unsure):
    """Cell of each incident: that of its community, sometimes the next one's, or none."""
    community = np.where(rng.random(len(grid)) < 0.1, grid // 4 + 1, grid // 4) % 64
    community[unsure & (rng.random(len(grid)) < 0.7)] = -1
    # A floor division keeps -1.
    return {f"cell_{resolution}": community // 4 ** (8 - resolution) for resolution in RESOLUTIONS}


def count(incidents, **columns):
    """Incidents per period, category, severity and the columns, each under the name it is given."""
    keys = ["period_start", *columns, "category_index", "severity"]
    renamed = incidents[["period_start", "category_index", "severity"]].assign(
        **{name: incidents[column] for name, column in columns.items()}
    )
    return renamed.groupby(keys).size().rename("count").reset_index()


def with_hours(incidents, areas):
    """Incidents with their hour of the week (-1 = no time told) and lowest area with hours.

    Half of the class 20 comes on Fridays from 18 to 21; all else comes evenly.
    """
    rng = np.random.default_rng(20261110)
    n = len(incidents)
    hour = rng.integers(0, 168, size=n)
    late = (incidents["category_index"] > 2) & (rng.random(n) < 0.5)
    hour = np.where(late, 4 * 24 + 18 + rng.integers(0, 3, size=n), hour)
    hour[rng.random(n) < 0.1] = -1
    row = np.full(n, -1)
    for level in LEVELS[:-1]:
        first = int((areas["level"] == level).to_numpy().argmax())
        row = np.where(incidents[level] >= 0, first + incidents[level], row)
    return incidents.assign(hour=hour, hour_row=row)


def count_hours(incidents, weight=None):
    """Rows of `area_hours`."""
    rows = incidents.assign(
        area_row=incidents["hour_row"],
        category_index=np.where(incidents["category_index"] < 3, 0, 3),
        n=1 if weight is None else incidents[weight],
    )
    keys = ["period_start", "area_row", "hour", "category_index", "severity"]
    return rows.groupby(keys)["n"].sum().rename("count").reset_index()


def make_risk(areas, counts):
    """Rates over the areas valid at each window's end, by the plain definition."""
    parts = []
    for back in range(26):
        window = Window(shift(LAST, -back, grain="week"), WINDOW, "week")
        day, chosen = window.last_day, []
        for level in LEVELS:
            rows = areas[areas["level"] == level]
            valid = [
                (pd.isna(a) or a <= day) and (pd.isna(b) or b > day)
                for a, b in zip(rows["valid_from"], rows["valid_to"], strict=True)
            ]
            chosen.append(rows[valid])
        found = []
        for level, rows in zip(LEVELS, chosen, strict=True):
            table = counts[level]
            inside = table[
                (table["period_start"] >= window.start) & (table["period_start"] <= window.end)
            ]
            sums = inside.groupby("area_index")["count"].sum()
            found.append(sums.reindex(rows["area_index"], fill_value=0).to_numpy())
        place = [{index: at for at, index in enumerate(rows["area_index"])} for rows in chosen]
        parents = [np.zeros(1, dtype=int)] + [
            np.array([place[depth][parent] for parent in rows["parent_index"]])
            for depth, rows in enumerate(chosen[1:])
        ]
        exposures = [rows["exposure"].to_numpy(float) for rows in chosen]
        for level, rows, made in zip(
            LEVELS,
            chosen,
            rates.rates_by_level(found, exposures, parents, periods=WINDOW),
            strict=True,
        ):
            parts.append(
                pd.DataFrame(
                    {
                        "level": level,
                        "period_end": window.end,
                        "area_index": rows["area_index"].to_numpy(),
                    }
                ).assign(**made.figures())
            )
    return pd.concat(parts, ignore_index=True)


def make_tiles(path):
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as archive:
        archive.execute(
            "CREATE TABLE tiles (zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER, tile_data BLOB)"
        )
        archive.execute("INSERT INTO tiles VALUES (0, 0, 0, ?)", (gzip.compress(b"tile"),))
        archive.commit()
    archive.close()


def boxes(snapshot, level, _bounds):
    """Shapes of a level as `level_shapes` gives them: every area is the box of its bounds."""
    rows = snapshot.areas[snapshot.areas["level"] == level]
    edges = rows[["west", "south", "east", "north"]].to_numpy(float)
    return np.array([shapely.box(*mercator_bounds(tuple(one))) for one in edges], dtype=object)


@cache
def make_register(resolution):
    """Cells of a true tree, 4 × 4 under each county's, in no order; the last has no incident."""
    centres = [(120.2, 30.2), (120.6, 30.2), (120.2, 30.6), (120.6, 30.6), (120.4, 30.4)]
    found = [_tree(*centre) for centre in centres]
    cells = np.concatenate([tree[resolution] for tree in found[:-1]] + [found[-1][resolution][:1]])
    lng, lat = hexagons.cell_centres(cells)
    index = np.arange(len(cells), dtype="int32")
    return pd.DataFrame({"cell_index": index, "cell": cells}).assign(
        area_km2=0.7 * 7.0 ** (8 - resolution), lng=lng, lat=lat
    )


def _tree(lng, lat):
    """One cell of resolution 6 at a point, four of its children, four of each of those."""
    points = (
        np.random.default_rng(8)
        .uniform([lng - 0.05, lat - 0.05], [lng + 0.05, lat + 0.05], (9000, 2))
        .T
    )
    below = pd.Series(hexagons.assign_cells(*points, resolution=8)).drop_duplicates()
    top = hexagons.parents(hexagons.assign_cells(lng, lat, resolution=8), resolution=6)
    below = below[hexagons.parents(below, resolution=6) == top]
    above = pd.Series(hexagons.parents(below, resolution=7), index=below.index)
    full = above[above.map(above.value_counts()) >= 4].unique()[:4]
    found = np.concatenate([below[above == cell][:4] for cell in full])
    return {6: top, 7: full, 8: found}


def make_points(table, areas):
    """A point of each area and cell, inside the area; none for every eleventh of them."""
    pairs = table[(table["area_row"] >= 0) & (table["cell_index"] >= 0)]
    pairs = (
        pairs[["area_row", "cell_index"]].drop_duplicates().sort_values(["area_row", "cell_index"])
    )
    area = areas.iloc[pairs["area_row"]].reset_index(drop=True)
    share = (pairs["cell_index"].to_numpy() * 0.37) % 0.8 + 0.1
    lng = area["west"] + share * (area["east"] - area["west"])
    lat = area["south"] + share * (area["north"] - area["south"])
    gone = (pairs["area_row"] + pairs["cell_index"]).to_numpy() % 11 == 0
    return pairs.assign(lng=lng.mask(gone).to_numpy(), lat=lat.mask(gone).to_numpy())


def add_months(writer, name, table):
    """One file per month, as a build writes them."""
    for month, rows in table.groupby([f"{day:%Y-%m}" for day in table["period_start"]]):
        writer.add_table(name, rows, part=month, period=month)


def add_basics(writer, areas):
    """Areas, what became of re-cut ones, and the classes."""
    writer.add_table("areas", areas)
    ended = {"level": ["grid"], "old_index": [0], "new_index": [256], "weight": [1.0]}
    writer.add_table("crosswalk", pd.DataFrame(ended))
    writer.add_table(
        "categories",
        pd.DataFrame(
            {
                "category_index": np.arange(6, dtype="int16"),
                "code": ["10", "1001", "1002", "20", "2001", "2002"],
                "parent_code": [None, "10", "10", None, "20", "20"],
                "name_zh": ["纠纷", "邻里", "劳资", "治安", "盗窃", "诈骗"],
                "name_en": ["Disputes", "Neighbours", "Labour", "Policing", "Theft", "Fraud"],
            }
        ),
    )


def publish(home: Path, *, severities=True, analysed=True, made="20261116", late=0):
    areas = make_areas()
    untold = {} if severities else {"severity": np.int8(0)}
    incidents = make_incidents(areas)[late:].assign(**untold)
    writer = SnapshotWriter(home, f"{made}T000000Z-0badcafe")
    add_basics(writer, areas)
    counts = {level: count(incidents, area_index=level) for level in LEVELS}
    for level, table in counts.items():
        add_months(writer, f"area_counts_{level}", table)
        make_tiles(home / "boundaries" / "b1" / f"{level}.mbtiles")
        writer.add_tiles(level, home / "boundaries" / "b1" / f"{level}.mbtiles", version="b1")
    add_months(writer, "area_hours", count_hours(with_hours(incidents, areas)))
    for resolution in RESOLUTIONS:
        writer.add_table(f"cells_{resolution}", make_register(resolution))
        table = count(incidents, cell_index=f"cell_{resolution}")
        add_months(writer, f"cell_counts_{resolution}", table)
    table = count(incidents, area_row="area_row", cell_index="cell_8")
    add_months(writer, "area_cell_counts_8", table)
    writer.add_table("points", make_points(table, areas))
    for end, rows in make_risk(areas, counts).groupby("period_end"):
        writer.add_table("area_risk", rows, part=end.isoformat())
    add_releases(writer, areas, counts)
    placed = {level: int((incidents[level] < 0).sum()) for level in LEVELS}
    manifest = make_manifest(len(incidents), placed)
    manifest["created_at"] = f"{made[:4]}-{made[4:6]}-{made[6:]}T00:00:00+00:00"
    if analysed:
        add_analysis(writer, areas, counts, LAST)
        registers = {resolution: make_register(resolution) for resolution in RESOLUTIONS[1:]}
        writer.add_table("cell_hotspots", hot_cells(registers, LAST))
        manifest["analysis"] = facts(LAST)
        add_registers(writer, areas)
        manifest["registers"] = REGISTERS
    writer.publish(manifest)


RELEASED = 20
"""Periods that are released; the newest one is not yet."""

EDITIONS = {"internal": (5, "grid", "township"), "public": (10, "township", "county")}
"""Edition to its least count and the finest levels of totals and of classes."""


def add_releases(writer, areas, counts):
    """Releases that keep to the least count; which others are withheld with it is not the point."""
    starts = span(shift(LAST, -RELEASED, grain="week"), shift(LAST, -1, grain="week"), grain="week")
    heads, parts = [], []
    for edition, (least, totals, classes) in EDITIONS.items():
        heads += [
            {"edition": edition, "period_start": start, "grain": "week", "k": least,
             "released_at": pd.Timestamp("2026-11-16T00:00:00Z"), "boundary_version": "b1",
             "rules": "0" * 16, "finest_totals": totals, "finest_categories": classes}
            for start in starts
        ]  # fmt: skip
        for level in LEVELS[: LEVELS.index(totals) + 1]:
            table = counts[level]
            table = table[table["period_start"].isin(starts) & (table["area_index"] >= 0)]
            table = table.assign(category_index=np.where(table["category_index"] < 3, 0, 3))
            keys = ["period_start", "area_index"]
            sums = [table.groupby(keys)["count"].sum().reset_index().assign(category_index=-1)]
            if LEVELS.index(level) <= LEVELS.index(classes):
                sums.append(table.groupby([*keys, "category_index"])["count"].sum().reset_index())
            given = pd.concat(sums)
            named = areas[areas["level"] == level][["area_index", "code", "valid_from"]]
            given = given[given["count"] >= least].merge(named, on="area_index")
            parts.append(given.drop(columns="area_index").assign(edition=edition, level=level))
    writer.add_table("releases", pd.DataFrame(heads))
    writer.add_table("released_counts", pd.concat(parts, ignore_index=True))


def make_manifest(n, not_placed):
    names = ("市", "区县", "乡镇街道", "村社区", "网格")
    return {
        "created_at": "2026-11-16T00:00:00+00:00", "parent": None, "code_version": "0.1.0",
        "config_hash": "0" * 16,
        "city": {
            "code": "990100", "name_zh": "方格市", "name_en": "Squares", "demo": True,
            "time_zone": "Asia/Shanghai", "grain": "week", "exposure": "population",
            "exposure_unit_zh": "万人", "exposure_unit_en": "10,000 residents", "window": WINDOW,
            "cell_bands": [0.2, 0.5, 1.0, 2.0, 5.0, 10.0], "sensitive": ["2002"],
            "notice_zh": "演示数据 · 全部为合成数据", "notice_en": "Demonstration data · entirely synthetic",
        },
        "periods": {"first": FIRST.isoformat(), "last": LAST.isoformat(), "as_of": "2026-11-15"},
        "boundary_version": "b1", "cell_version": "c1",
        "levels": [
            {"level": level, "name_zh": name, "name_en": level.title(), "count": 4**depth + (depth == 4),
             "min_zoom": 0, "max_zoom": 10}
            for depth, (level, name) in enumerate(zip(LEVELS, names, strict=True))
        ],
        "cells": [
            {"resolution": r, "count": 256 // 4 ** (9 - r) + 1, "min_zoom": 0, "max_zoom": 10} for r in RESOLUTIONS
        ],
        "rows": {"read": n + 48, "accepted": n + 30, "quarantined": 5, "duplicate": 2, "refused": 11,
                 "incidents": n, "superseded": 30, "no_point": not_placed["grid"],
                 "points_dropped": {"zero_coordinates": 3}, "not_placed": not_placed,
                 "quarantine_reasons": {"bad_time": 4, "odd_moon": 1}, "refused_reasons": {"refused_class": 11}},
        "sources": [
            {"name": "hotline", "title_zh": "12345 热线", "title_en": "12345 hotline", "channel": "hotline",
             "origin": "reported", "read": n + 48, "accepted": n + 30, "quarantined": 5, "duplicate": 2, "refused": 11,
             "first_day": FIRST.isoformat(), "last_day": "2026-11-15"}
        ],
        "published_agreement": [], "incidents": {"path": "incidents", "version": 0, "files": []},
    }  # fmt: skip


def client(app):
    return app.server.test_client()


def specification(app, output):
    """The browser's view of the callback that writes `id.property`."""
    answer = client(app).get("/_dash-dependencies").get_json()
    (spec,) = [item for item in answer if output in item["output"].strip(".").split("...")]
    return spec


def body_of(app, output, inputs, changed=()):
    """The request that the page sends for a callback; `inputs` are keyed `id.property`."""
    spec = specification(app, output)

    def filled(items):
        return [item | {"value": inputs.get(f"{item['id']}.{item['property']}")} for item in items]

    targets = spec["output"].strip(".").split("...")
    outputs = [dict(zip(("id", "property"), name.rsplit(".", 1), strict=True)) for name in targets]
    plain = [
        {name: item[name] for name in ("id", "property")} for item in spec["inputs"] + spec["state"]
    ]
    split = len(spec["inputs"])
    return {
        "output": spec["output"], "outputs": outputs, "inputs": filled(plain[:split]),
        "state": filled(plain[split:]), "changedPropIds": list(changed),
    }  # fmt: skip


def post(app, body, **headers):
    return client(app).post("/_dash-update-component", json=body, headers=headers)


def call(app, output, inputs, changed=()):
    """Answer of one callback, as `id -> property -> value`."""
    answer = post(app, body_of(app, output, inputs, changed))
    assert answer.status_code == 200, (answer.status_code, answer.get_data(as_text=True))
    return answer.get_json()["response"]


def dumped(value):
    return json.dumps(value, ensure_ascii=False)


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def read_pairs(text, count):
    """Numbers below 8 that stand two to a digit, read as the browser reads them."""
    both = [digit for character in text for digit in divmod(ALPHABET.index(character), 8)]
    assert count <= len(both) <= count + 1
    return np.array(both[:count], dtype=np.uint8)


def read_numbers(text):
    """The numbers in a text of base-32 digits, read as the browser reads them."""
    numbers, value = [], 0
    for character in text:
        digit = ALPHABET.index(character)
        value = value * 32 + digit % 32
        if digit < 32:
            numbers.append(value)
            value = 0
    assert not value
    return np.array(numbers, dtype=np.int64)
