"""The area tables: codes, names, validity, residents and households of every level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa

from etl.synthesize.borders import Lines, polygons
from etl.synthesize.names import draw_names
from etl.synthesize.partition import Divisions, apportion
from etl.synthesize.plan import OPENED, RECUT_DATES, Floats, Ints, Plan

if TYPE_CHECKING:
    from etl.synthesize.mesh import Mesh

CITY_CODE = "990100"
NO_DATA_SHARE = 0.0015  # grids whose residents the ledger does not know (at least 2)
_DENSITY_STREET, _DENSITY_TOWN = 1800.0, 260.0  # people per km²


class Recut(TypedDict):
    """Codes of grids before and after a re-cut, and its date (ISO)."""

    old: list[str]
    new: list[str]
    date: str


@dataclass(frozen=True)
class AreaTables:
    """
    One table per level, and the codes of the areas by level and number.

    Columns: `code`, `name`, `name_en`, `parent_code`, `population`, `households` (null: not
    known), `valid_from`, `valid_to` (exclusive, null: open), `geometry` (EPSG:4326).
    `recuts` lists code(s) before and after, and the date.
    """

    tables: dict[str, gpd.GeoDataFrame]
    codes: dict[str, list[str]]
    recuts: list[Recut]


def _reading_order(mesh: Mesh, labels: Ints, parents: Ints) -> Ints:
    """Numbers of the areas by parent, then from north to south in bands, west to east."""
    kept = labels >= 0
    count = np.bincount(labels[kept], minlength=len(parents)).astype(float)
    middle = (
        np.column_stack(
            [
                np.bincount(labels[kept], weights=mesh.sites[kept, axis], minlength=len(parents))
                for axis in (0, 1)
            ]
        )
        / np.maximum(count, 1)[:, None]
    )
    return np.lexsort((middle[:, 0], -np.round(middle[:, 1], 1), parents))


def _numbered(order: Ints, parents: Ints, kinds: list[str], first: dict[str, int]) -> list[int]:
    """A running number for each area within its parent and kind, from `first[kind]`."""
    given = [0] * len(parents)
    last: dict[tuple[int, int], int] = {}
    for area in order.tolist():
        key = (int(parents[area]), first[kinds[area]])
        last[key] = last.get(key, key[1] - 1) + 1
        given[area] = last[key]
    return given


def _kinds(mesh: Mesh, divisions: Divisions) -> dict[str, list[str]]:
    """What each county, township and community is called (区, 街道, 社区 …)."""

    def density(level: str) -> Floats:
        labels = divisions.labels[level]
        return np.asarray(
            np.bincount(labels, weights=mesh.people) / np.bincount(labels, weights=mesh.area_km2)
        )

    ranked = np.argsort(-density("county"), kind="stable")
    districts = max(1, round(len(ranked) * 3 / 8))
    county = ["县"] * len(ranked)
    for place, number in enumerate(ranked.tolist()):
        county[number] = "区" if place < districts else "市" if place == districts else "县"
    township = [
        "街道" if d > _DENSITY_STREET else "镇" if d > _DENSITY_TOWN else "乡"
        for d in density("township")
    ]
    community = [
        "社区" if township[parent] == "街道" or d > _DENSITY_STREET else "村"
        for parent, d in zip(divisions.parents["community"].tolist(), density("community"),
                             strict=True)
    ]  # fmt: skip
    return {"county": county, "township": township, "community": community}


_FIRST_NUMBER = {
    "区": 2, "县": 21, "市": 81,
    "街道": 1, "镇": 100, "乡": 200,
    "社区": 1, "村": 200,
}  # fmt: skip


def _codes(mesh: Mesh, divisions: Divisions, kinds: dict[str, list[str]]) -> dict[str, list[str]]:
    """Codes of counties (6 digits), townships (9), communities (12) and grids (15)."""
    codes: dict[str, list[str]] = {"city": [CITY_CODE]}
    above = [CITY_CODE[:4]]
    for level, width in (("county", 2), ("township", 3), ("community", 3)):
        parents = divisions.parents[level]
        order = _reading_order(mesh, divisions.labels[level], parents)
        numbers = _numbered(order, parents, kinds[level], _FIRST_NUMBER)
        above = [
            f"{above[parent]}{number:0{width}d}"
            for parent, number in zip(parents.tolist(), numbers, strict=True)
        ]
        codes[level] = above
    codes["grid"] = [f"{above[parent]}{number:03d}" for parent, number in _grid_numbers(
        mesh, divisions)]  # fmt: skip
    return codes


def _grid_numbers(mesh: Mesh, divisions: Divisions) -> list[tuple[int, int]]:
    """Community and running number of each grid; new grids go on after the old ones."""
    parents = divisions.parents["grid"]
    old_count = int(divisions.labels["grid"].max()) + 1
    fresh = np.where(divisions.recut >= old_count, divisions.recut - old_count, -1)
    order = np.concatenate(
        [
            _reading_order(mesh, divisions.labels["grid"], parents[:old_count]),
            _reading_order(mesh, fresh, parents[old_count:]) + old_count,
        ]
    )
    numbers = _numbered(order, parents, ["grid"] * len(parents), {"grid": 1})
    return list(zip(parents.tolist(), numbers, strict=True))


def _residents(
    mesh: Mesh, divisions: Divisions, plan: Plan, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """
    People and households of each old and new grid, and the grids without data.

    Whole numbers per piece of the mesh, so that a re-cut moves people and loses none. The pieces
    of a grid without data hold nobody in the ledger: sums over what is known stay whole.
    """
    grid = divisions.labels["grid"]
    changed = np.unique(grid[divisions.recut != grid])
    stable = np.setdiff1d(np.arange(grid.max() + 1), changed)
    size = np.bincount(grid, weights=mesh.people)
    quiet = stable[np.argsort(size[stable], kind="stable")[: max(4, len(stable) // 5)]]
    missing = rng.choice(quiet, size=max(2, round(NO_DATA_SHARE * len(size))), replace=False)
    known = ~np.isin(grid, missing)
    none = np.zeros(len(grid), dtype=np.int64)
    most = np.where(known, plan.population, 0)
    people = apportion(mesh.people, plan.population, least=none, most=most)
    density = mesh.people / mesh.area_km2
    per_home = 2.45 + 0.75 / (1 + density / 900.0)
    wanted = people / per_home * rng.lognormal(0, 0.06, len(people))
    homes = np.minimum(np.floor(wanted + rng.random(len(people))).astype(np.int64), people)
    return people, homes, np.sort(missing)


def _grid_table(
    codes: dict[str, list[str]], divisions: Divisions, people: Ints, homes: Ints, missing: Ints
) -> tuple[pd.DataFrame, list[Recut]]:
    """Rows of old and new grids with their validity, and the list of re-cuts."""
    grid, parents = divisions.labels["grid"], divisions.parents["grid"]
    total, old_count = len(parents), int(grid.max()) + 1
    counted = {}
    for column, values in (("population", people), ("households", homes)):
        sums = np.bincount(grid, weights=values, minlength=total)
        fresh = divisions.recut >= old_count
        sums += np.bincount(divisions.recut[fresh], weights=values[fresh], minlength=total)
        sums[missing] = np.nan
        counted[column] = sums
    valid_from: list[object] = [OPENED] * total
    valid_to: list[object] = [None] * total
    recuts: list[Recut] = []
    for number, (old, new) in enumerate(divisions.replaced):
        day = RECUT_DATES[number % len(RECUT_DATES)]
        for area in old:
            valid_to[area] = day
        for area in new:
            valid_from[area] = day
        recuts.append(
            {
                "old": [codes["grid"][area] for area in old],
                "new": [codes["grid"][area] for area in new],
                "date": day.isoformat(),
            }
        )
    numbers = [int(code[-3:]) for code in codes["grid"]]
    rows = pd.DataFrame(
        {
            "code": codes["grid"],
            "name": [f"第{number}网格" for number in numbers],
            "name_en": [f"Grid {number}" for number in numbers],
            "parent_code": [codes["community"][parent] for parent in parents.tolist()],
            **counted,
            "valid_from": valid_from,
            "valid_to": valid_to,
        }
    )
    return rows, recuts


def make_areas(
    mesh: Mesh, lines: Lines, divisions: Divisions, plan: Plan, rng: np.random.Generator
) -> AreaTables:
    """
    Name, number and draw every area.

    Parameters
    ----------
    mesh, lines, divisions, plan, rng
        The mesh, its bent edges, the nested labels, the wanted numbers, the source of chance.

    Returns
    -------
    areas
        Tables of all levels; residents of a level sum up to those of the level above wherever
        they are known.
    """
    kinds = _kinds(mesh, divisions)
    codes = _codes(mesh, divisions, kinds)
    people, homes, missing = _residents(mesh, divisions, plan, rng)
    suffixes = [*kinds["county"], *kinds["township"], *kinds["community"]]
    names = draw_names(rng, suffixes=suffixes)
    tables = {}
    for level in ("city", "county", "township", "community"):
        labels = divisions.labels[level]
        count = len(codes[level])
        own = [("示范市（演示）", "Demo City (synthetic)")] if level == "city" else names[:count]
        names = names if level == "city" else names[count:]
        above = {"county": "city", "township": "county", "community": "township"}.get(level)
        rows = pd.DataFrame(
            {
                "code": codes[level],
                "name": [zh for zh, _ in own],
                "name_en": [en for _, en in own],
                "parent_code": [codes[above][p] for p in divisions.parents[level].tolist()]
                if above else [None],
                "population": np.bincount(labels, weights=people),
                "households": np.bincount(labels, weights=homes),
                "valid_from": [OPENED] * count,
                "valid_to": pd.Series([None] * count, dtype="object"),
            }
        )  # fmt: skip
        tables[level] = _with_geometry(rows, polygons(mesh, lines, labels))
    grid_rows, recuts = _grid_table(codes, divisions, people, homes, missing)
    shapes = polygons(mesh, lines, divisions.recut)
    before = polygons(mesh, lines, divisions.labels["grid"])
    shapes[: len(before)] = before
    tables["grid"] = _with_geometry(grid_rows, shapes)
    return AreaTables(tables, codes, recuts)


def _with_geometry(rows: pd.DataFrame, shapes: np.ndarray) -> gpd.GeoDataFrame:
    """Rows in the order of their code, with shapes; types are stored even of empty columns."""
    day, text = pd.ArrowDtype(pa.date32()), "string[pyarrow]"
    typed = rows.astype({"parent_code": text, "valid_from": day, "valid_to": day})
    areas = gpd.GeoDataFrame(typed, geometry=shapes, crs="EPSG:4326")
    return areas.sort_values("code", kind="stable", ignore_index=True)
