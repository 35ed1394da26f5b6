"""
Verification: does a published snapshot keep its promises?

Every check reads only stored files and recomputes what they claim. A check never stops the
others; the report lists them all.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import duckdb
import numpy as np
import pandas as pd
import pyogrio

from data import seals
from data.manifest import SnapshotError
from data.store import Snapshot, Store, check_files
from etl.analyse import verify as analysis
from etl.hours_check import HoursFault, check_hours
from etl.points_check import PointsFault, check_points
from etl.protect.check import ReleaseFault, check_releases
from etl.registers.check import RegistersFault, check_registers
from etl.risk import area_risk
from geo import cells as h3_cells

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

Report = dict[str, Any]
_KEY: Final = ["period_start", "category_index", "severity"]
_RISK_TOLERANCE: Final = 1e-9


class Failed(ValueError):  # noqa: N818 - it is an outcome of a check, not a fault of the program
    """A check does not hold; the message says where."""


_FAULTS: Final = (
    Failed, HoursFault, PointsFault, RegistersFault, analysis.AnalysisFault, SnapshotError,
    seals.DamageError, OSError, duckdb.Error,
)  # fmt: skip


def verify(home: Path, snapshot_id: str | None = None) -> Report:
    """
    Check a snapshot, by default the published one.

    Returns
    -------
    report
        `ok`, `snapshot`, `rows` (the row account) and `checks`: name, ok and detail of each.

    Raises
    ------
    NoSnapshotError
        Nothing is published.
    """
    store = Store(home)
    manifest = store.manifest(snapshot_id or store.current_id())
    checks: list[dict[str, Any]] = []

    def run(name: str, check: Callable[[], str]) -> bool:
        try:
            detail, passed = check(), True
        except _FAULTS as error:
            detail, passed = str(error), False
        checks.append({"name": name, "ok": passed, "detail": detail})
        return passed

    def files() -> str:
        check_files(home, manifest)
        return f"{len(manifest.raw['files'])} tables, {len(manifest.raw['tiles'])} tile archives"

    def incident_files() -> str:
        sums = manifest.raw["incidents"]["sha256"]
        seals.check_files(home, sums, remedy="run `pingan build --force`")
        return f"{len(sums)} files"

    columns = partial(analysis.columns, home, manifest)
    sound = [run("files", files), run("files of incidents", incident_files)]
    if all(sound) and run("analysis: columns", columns):
        snapshot = Snapshot(home, manifest)
        analysed = analysis.CHECKS if analysis.is_analysed(snapshot) else {}
        for name, check in (_CHECKS | analysed).items():
            run(name, partial(check, snapshot))
    return {
        "ok": all(entry["ok"] for entry in checks),
        "snapshot": manifest.id,
        "rows": manifest.rows,
        "checks": checks,
    }


def _accounts(snapshot: Snapshot) -> str:
    """In = accepted + quarantined + duplicate + refused, per file and in total."""
    accounts = snapshot.read("accounts")
    parts = ["accepted", "quarantined", "duplicate", "refused"]
    _none(accounts[accounts["read"] != accounts[parts].sum(axis=1)], "files do not add up")
    for name in ("read", *parts):
        _equal(int(accounts[name].sum()), snapshot.manifest.rows[name], f"total of {name}")
    refused = snapshot.read("quarantine").groupby(["source", "file"]).size()
    stated = accounts.set_index(["source", "file"])["quarantined"]
    found = refused.reindex(stated.index, fill_value=0)
    _none(stated[stated != found].reset_index(), "files have another number of refused rows")
    return f"{snapshot.manifest.rows['read']:,} rows read in {len(accounts)} files"


def _incidents(snapshot: Snapshot) -> str:
    """Accepted = stored versions; each incident has one current version."""
    rows = snapshot.manifest.rows
    counts = _delta(snapshot, "SELECT count(*) AS n, count(DISTINCT incident_id) AS ids FROM rows")
    versions = _delta(snapshot, "SELECT count(*) AS n FROM versions")
    _equal(int(versions["n"][0]), rows["accepted"], "versions stored")
    _equal(int(counts["n"][0]), rows["incidents"], "current versions")
    _equal(int(counts["ids"][0]), rows["incidents"], "distinct incidents")
    _equal(rows["accepted"] - rows["superseded"], rows["incidents"], "accepted less superseded")
    files = len(snapshot.manifest.raw["incidents"]["files"])
    return f"{rows['incidents']:,} incidents in {files} files"


def _sums(snapshot: Snapshot) -> str:
    """Σ cells = Σ areas = accepted on every level and resolution, by period and category."""
    codes = snapshot.categories.set_index("code")["category_index"]
    stored = _delta(
        snapshot,
        "SELECT CAST(period_start AS DATE) AS period_start, "
        "coalesce(subcategory, category) AS category, "
        "coalesce(severity, 0) AS severity, count(*) AS n FROM rows GROUP BY ALL",
    )
    stored["category_index"] = stored["category"].map(codes)
    expected = stored.set_index(_KEY)["n"]
    names = [name for name in snapshot.tables() if "_counts_" in name]
    for name in names:
        found = snapshot.query(
            "SELECT CAST(period_start AS DATE) AS period_start, category_index, severity, "
            f"sum(count) AS n FROM {name} GROUP BY ALL"
        ).set_index(_KEY)["n"]
        _same_sums(expected, found, f"sums of {name} differ from the incidents")
    return f"{len(names)} tables agree in {len(expected):,} sums"


def _places(snapshot: Snapshot) -> str:
    """Each area's count equals the incidents that carry its code; not placed is as stated."""
    for level in _levels(snapshot):
        areas = _level_areas(snapshot, level)
        counts = snapshot.read(f"area_counts_{level}")
        not_placed = int(counts.loc[counts["area_index"] < 0, "count"].sum())
        _equal(not_placed, snapshot.manifest.rows["not_placed"][level], f"{level}: not placed")
        placed = counts[counts["area_index"] >= 0]
        codes = areas["code"].to_numpy()[placed["area_index"].to_numpy()]
        found = placed.groupby(codes)["count"].sum()
        stored = _delta(
            snapshot,
            f"SELECT {level}_code AS code, count(*) AS n FROM rows "
            f"WHERE {level}_code IS NOT NULL GROUP BY 1",
        ).set_index("code")["n"]
        joined = pd.concat([stored, found], axis=1, keys=["stored", "found"]).fillna(0)
        _none(joined[joined["stored"] != joined["found"]].reset_index(), f"{level}: areas differ")
    return f"{len(_levels(snapshot))} levels"


def _parents(snapshot: Snapshot) -> str:
    """Children sum to their parent; what is missing is not placed at the lower level."""
    details = []
    for upper, lower in pairwise(_levels(snapshot)):
        parent_of = _level_areas(snapshot, lower)["parent_index"].to_numpy()
        above = _totals(snapshot, f"area_counts_{upper}", "area_index")
        below = _totals(snapshot, f"area_counts_{lower}", "area_index")
        joined = pd.concat(
            [
                above.set_index(["period_start", "area_index"])["n"],
                _raised(below, "area_index", parent_of),
            ],
            axis=1,
            keys=["own", "children"],
        ).fillna(0)
        placed = joined[joined.index.get_level_values("area_index") >= 0]
        _none(
            placed[placed["children"] > placed["own"]].reset_index(),
            f"{lower} areas hold more than their {upper}",
        )
        gap = int((placed["own"] - placed["children"]).sum())
        stated = snapshot.manifest.rows["not_placed"]
        _equal(gap, stated[lower] - stated[upper], f"{upper} less {lower}")
        details.append(f"{upper}-{lower} {gap:,}")
    return "placed above but not below: " + (", ".join(details) or "only one level")


def _cell_parents(snapshot: Snapshot) -> str:
    """Finer cells sum to their parent cells exactly."""
    resolutions = sorted(entry["resolution"] for entry in snapshot.manifest.cells)
    for coarse, fine in pairwise(resolutions):
        upper, lower = snapshot.read(f"cells_{coarse}"), snapshot.read(f"cells_{fine}")
        position = pd.Index(upper["cell"]).get_indexer(
            h3_cells.parents(lower["cell"].to_numpy(dtype=object), resolution=coarse)
        )
        own = _totals(snapshot, f"cell_counts_{coarse}", "cell_index")
        _same_sums(
            own.set_index(["period_start", "cell_index"])["n"],
            _raised(_totals(snapshot, f"cell_counts_{fine}", "cell_index"), "cell_index", position),
            f"cells of resolution {fine} do not sum to {coarse}",
        )
    return f"resolutions {', '.join(map(str, resolutions))}"


def _area_cells(snapshot: Snapshot) -> str:
    """What areas have in each cell sums to the counts of the cells, and to those of every level."""
    if not snapshot.manifest.cells:
        return "no cells"
    finest = max(entry["resolution"] for entry in snapshot.manifest.cells)
    name = f"area_cell_counts_{finest}"
    if name not in snapshot.tables():
        raise Failed(f"{name} is missing: an older program built this snapshot; build again")
    by_cell = _totals(snapshot, name, "cell_index").set_index(["period_start", "cell_index"])
    cells = _totals(snapshot, f"cell_counts_{finest}", "cell_index")
    _same_sums(
        cells.set_index(["period_start", "cell_index"])["n"],
        by_cell["n"],
        f"cells of resolution {finest} differ from {name}",
    )
    by_row, level_of_row = _totals(snapshot, name, "area_row"), snapshot.areas["level"].to_numpy()
    index = np.full(len(level_of_row), -1)
    for level in reversed(_levels(snapshot)):
        areas = _level_areas(snapshot, level)
        index[level_of_row == level] = areas["area_index"].to_numpy()
        stored = _totals(snapshot, f"area_counts_{level}", "area_index")
        _same_sums(
            stored.set_index(["period_start", "area_index"])["n"],
            _raised(by_row, "area_row", index),
            f"{level} areas differ from {name}",
        )
        index = np.append(areas["parent_index"].to_numpy(), -1)[index]
    return f"{len(by_cell):,} sums of cells of resolution {finest}"


def _totals(snapshot: Snapshot, table: str, index: str) -> pd.DataFrame:
    """Incidents per period and place of a count table."""
    return snapshot.query(
        f"SELECT CAST(period_start AS DATE) AS period_start, {index}, "
        f"CAST(sum(count) AS BIGINT) AS n FROM {table} GROUP BY ALL"
    )


def _raised(totals: pd.DataFrame, index: str, parents: NDArray[Any]) -> pd.Series:
    """Totals moved from each place to its parent."""
    above = np.append(parents, -1)[totals[index].to_numpy()]
    sums: pd.Series = totals.assign(**{index: above}).groupby(["period_start", index])["n"].sum()
    return sums


def _same_sums(expected: pd.Series, found: pd.Series, what: str) -> None:
    joined = pd.concat([expected, found], axis=1, keys=["expected", "found"]).fillna(0)
    _none(joined[joined["expected"] != joined["found"]].reset_index(), what)


def _risk(snapshot: Snapshot) -> str:
    """`area_risk` follows from the stored areas and counts."""
    stored, city = snapshot.read("area_risk"), snapshot.manifest.city
    again = area_risk(
        snapshot.areas,
        {level: snapshot.read(f"area_counts_{level}") for level in _levels(snapshot)},
        first=snapshot.manifest.first_period,
        last=snapshot.manifest.last_period,
        window=city["window"],
        grain=snapshot.manifest.grain,
    )
    _equal(len(stored), len(again), "rows of area_risk")
    # Stored window by window, computed level by level.
    levels = {level: depth for depth, level in enumerate(_levels(snapshot))}
    again["_depth"] = again["level"].map(levels)
    again = again.sort_values(["period_end", "_depth", "area_index"], ignore_index=True)
    again = again.drop(columns="_depth")
    for column in again.columns:
        if column in ("level", "period_end"):
            same = stored[column].astype("str") == again[column].astype("str")
            differs = ~same.to_numpy()
        else:
            own, new = (_floats(rows[column]) for rows in (stored, again))
            differs = ~np.isclose(own, new, rtol=_RISK_TOLERANCE, atol=0, equal_nan=True)
        _none(stored[differs], f"`{column}` of area_risk differs")
    return f"{len(stored):,} rows recomputed"


def _floats(values: pd.Series) -> NDArray[np.float64]:
    return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))


def _tiles(snapshot: Snapshot) -> str:
    """Each tile archive holds every area or cell, and nothing else."""
    expected = {entry["level"]: ("areas", entry["count"]) for entry in snapshot.manifest.levels}
    version = snapshot.manifest.boundary_version
    for name, (layer, count) in expected.items():
        path = snapshot.tile_file(name, version)
        found = pyogrio.read_dataframe(path, layer=layer, columns=["i"], read_geometry=False)
        indices = np.unique(found["i"].to_numpy())
        drawn = np.flatnonzero(_level_areas(snapshot, name)["area_km2"].notna().to_numpy())
        if not np.array_equal(indices, drawn) or len(_level_areas(snapshot, name)) != count:
            raise Failed(
                f"tiles {name} hold {len(indices):,} of {len(drawn):,} polygons; build again"
            )
    return f"{len(expected)} archives"


def _releases(snapshot: Snapshot) -> str:
    """What may be shown beyond a user's own areas keeps its rules."""
    try:
        return check_releases(snapshot)
    except ReleaseFault as error:
        raise Failed(str(error)) from None


_CHECKS: Final[dict[str, Callable[[Snapshot], str]]] = {
    "row account": _accounts,
    "incidents": _incidents,
    "sums of areas and cells": _sums,
    "areas against incidents": _places,
    "levels": _parents,
    "resolutions": _cell_parents,
    "areas by cell": _area_cells,
    "points": check_points,
    "hours of the week": lambda snapshot: check_hours(snapshot, partial(_delta, snapshot)),
    "area risk": _risk,
    "tiles": _tiles,
    "releases": _releases,
    "registers": check_registers,
}


def _levels(snapshot: Snapshot) -> list[str]:
    return [entry["level"] for entry in snapshot.manifest.levels]


def _level_areas(snapshot: Snapshot, level: str) -> pd.DataFrame:
    areas: pd.DataFrame = snapshot.areas[snapshot.areas["level"] == level]
    return areas.sort_values("area_index", ignore_index=True)


def _delta(snapshot: Snapshot, sql: str) -> pd.DataFrame:
    """Query the snapshot's own versions as `versions`, and the current ones as `rows`."""
    entry, batch = snapshot.manifest.raw["incidents"], snapshot.manifest.raw["batch"]
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET enable_progress_bar = false")
        versions = connection.read_parquet(
            [str(snapshot.home / file) for file in entry["files"]], hive_partitioning=True
        ).filter(f"batch <= {int(batch)}")
        versions.create_view("versions")
        if entry["superseded"]:
            connection.read_parquet(
                [str(snapshot.home / file) for file in entry["superseded"]]
            ).filter(f"superseded_by <= {int(batch)}").create_view("gone")
            current = "SELECT * FROM versions ANTI JOIN gone USING (batch, row)"
        else:
            current = "SELECT * FROM versions"
        connection.execute(f"CREATE VIEW rows AS {current}")
        found: pd.DataFrame = connection.execute(sql).df()
        return found


def _equal(found: int, stated: int, what: str) -> None:
    if found != stated:
        raise Failed(f"{what}: {found:,} found, {stated:,} stated")


def _none(wrong: pd.DataFrame, what: str) -> None:
    if len(wrong):
        first = "; ".join(str(row) for row in wrong.head(5).to_dict("records"))
        raise Failed(f"{len(wrong):,} {what}: {first}")
