"""The pipeline: from the files of a city folder to a published snapshot, step by step."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pandas as pd

from data.city import City, read_city
from data.store import NoSnapshotError, SnapshotError, Store, check_files, file_sha256
from data.writer import SnapshotWriter, new_snapshot_id
from etl import manifest as manifests
from etl import publish
from etl.aggregate import cell_register, count_rows, covered_periods
from etl.agreement import published_agreement
from etl.boundaries import Boundaries, cut_level_tiles, read_boundaries
from etl.cell_tiles import cell_version, cut_cell_tiles
from etl.clean import Cleaned, Ground, clean
from etl.place import Placed, place
from etl.risk import area_risk
from etl.sources import read_rows
from etl.version import code_version

if TYPE_CHECKING:
    from pathlib import Path

Progress = Callable[[str, float], None]


class BuildError(ValueError):
    """The input was read, but nothing can be published from it."""


@dataclass(frozen=True)
class Counted:
    """Every table of a snapshot by its name, with the periods that they cover."""

    tables: dict[str, pd.DataFrame]
    periods: Any


@dataclass(frozen=True)
class Built:
    """
    Outcome of `build`.

    Attributes
    ----------
    manifest
        As stored.
    is_new
        False where nothing had changed and the published snapshot was kept.
    """

    manifest: dict[str, Any]
    is_new: bool


def build(
    city_folder: Path,
    *,
    home: Path,
    progress: Progress | None = None,
    now: dt.datetime | None = None,
    force: bool = False,
) -> Built:
    """
    Build and publish the snapshot of a city.

    Parameters
    ----------
    city_folder
        Read by `data.city.read_city`.
    home
        Where snapshots live; made if missing.
    progress
        Called with the name of the step and the share done, 0 to 1.
    now
        The clock, with a time zone; by default the real one.
    force
        Build even where neither the folder, nor a file, nor the program has changed.

    Raises
    ------
    CityError, SourceError, BoundaryError, DivisionError, BuildError
        The input is at fault; nothing is published.
    WriterBusyError
        Another build is writing under this home.
    """
    tell = progress or (lambda _step, _share: None)
    now = now or dt.datetime.now(dt.UTC)
    with publish.writer_lock(home):
        tell("check", 0.0)
        city = read_city(city_folder, home=home)
        inputs = fingerprint(city)
        current = _current(home)
        if current is not None and not force and _is_same(current, inputs, home):
            tell("done", 1.0)
            return Built(current, is_new=False)
        writer = SnapshotWriter(home, new_snapshot_id(now))
        try:
            published = _build(city, writer, inputs=inputs, current=current, now=now, tell=tell)
        except BaseException:
            shutil.rmtree(writer.folder, ignore_errors=True)
            raise
    tell("done", 1.0)
    return Built(published, is_new=True)


def _build(
    city: City,
    writer: SnapshotWriter,
    *,
    inputs: dict[str, Any],
    current: dict[str, Any] | None,
    now: dt.datetime,
    tell: Progress,
) -> dict[str, Any]:
    tell("boundaries", 0.02)
    built = read_boundaries(city)
    tell("read and clean", 0.10)
    cleaned = clean_sources(city, built, now=now)
    incidents = join_incidents(cleaned)
    tell("place", 0.35)
    placed = place(incidents, built)
    tell("count", 0.50)
    counted = count(incidents, placed, built, city)
    tell("agreement", 0.60)
    agreement = published_agreement(incidents, placed, built, city)
    tell("tiles", 0.65)
    tiles = _add_tiles(writer, built, placed)
    tell("tables", 0.80)
    refused = manifests.joined(cleaned, "quarantine")
    accounts = manifests.joined(cleaned, "accounts")
    for name, rows in (counted.tables | {"accounts": accounts, "quarantine": refused}).items():
        publish.add_table(writer, name, rows)
    tell("incidents", 0.90)
    delta = publish.write_incidents(writer.home, incidents, placed, built, city)
    tell("publish", 0.99)
    return writer.publish(
        {
            "created_at": now.astimezone(dt.UTC).isoformat(timespec="seconds"),
            "parent": manifests.parent_of(current, city),
            **inputs,
            "city": manifests.city_entry(city),
            "periods": manifests.periods_entry(counted.periods),
            "boundary_version": built.version,
            **tiles,
            "levels": manifests.level_entries(city, built, tiles["levels"]),
            "rows": manifests.rows_entry(accounts, refused, incidents, placed, cleaned),
            "sources": manifests.source_entries(city, accounts, incidents),
            "published_agreement": agreement,
            "incidents": delta,
        }
    )


def clean_sources(city: City, built: Boundaries, *, now: dt.datetime) -> dict[str, Cleaned]:
    """
    Read and clean every source.

    Raises
    ------
    BuildError
        Not one row of any source was accepted.
    """
    ground = Ground(built.limits, frozenset(built.areas["code"]), built.first_day)
    cleaned = {
        source.name: clean(
            [read_rows(source, path) for path in source.files],
            source,
            city,
            ground=ground,
            now=last_moment(city, now=now),
        )
        for source in city.sources
    }
    if not any(len(part.incidents) for part in cleaned.values()):
        reasons = manifests.joined(cleaned, "quarantine")["reason"].value_counts().to_dict()
        raise BuildError(f"no row of any source was accepted; reasons: {reasons}")
    return cleaned


def last_moment(city: City, *, now: dt.datetime) -> dt.datetime:
    """End of the last day that the city covers, where it names one; else the clock."""
    if city.as_of is None:
        return now
    day_after = city.as_of + dt.timedelta(days=1)
    return dt.datetime.combine(day_after, dt.time(), tzinfo=ZoneInfo(city.time_zone))


def join_incidents(cleaned: dict[str, Cleaned]) -> pd.DataFrame:
    """Accepted incidents of all sources, with the name of the source."""
    parts = [part.incidents.assign(source=name) for name, part in cleaned.items()]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def count(incidents: pd.DataFrame, placed: Placed, built: Boundaries, city: City) -> Counted:
    """Every table but accounts and quarantine."""
    periods = covered_periods(incidents, city)
    by_level = {
        level: count_rows(incidents, index, name="area_index")
        for level, index in placed.areas.items()
    }
    tables = {"areas": built.areas, "categories": manifests.category_table(city)}
    tables |= {f"area_counts_{level}": rows for level, rows in by_level.items()}
    for resolution, index in placed.cells.items():
        tables[f"cells_{resolution}"] = cell_register(placed.registers[resolution])
        tables[f"cell_counts_{resolution}"] = count_rows(incidents, index, name="cell_index")
    tables["area_risk"] = area_risk(
        built.areas,
        by_level,
        first=periods.first,
        last=periods.last,
        window=city.window,
        grain=city.grain,
    )
    return Counted(tables, periods)


def _add_tiles(writer: SnapshotWriter, built: Boundaries, placed: Placed) -> dict[str, Any]:
    levels = []
    for level in built.levels:
        path, min_zoom, max_zoom = cut_level_tiles(built, writer.home, level=level)
        writer.add_tiles(level, path, version=built.version)
        levels.append({"level": level, "min_zoom": min_zoom, "max_zoom": max_zoom})
    version, cells = cell_version(placed.registers), []
    for resolution, register in placed.registers.items():
        if not len(register):
            continue
        path, min_zoom, max_zoom = cut_cell_tiles(
            register, writer.home, version=version, resolution=resolution
        )
        writer.add_tiles(f"cells_{resolution}", path, version=version)
        cells.append(
            {
                "resolution": resolution,
                "count": len(register),
                "min_zoom": min_zoom,
                "max_zoom": max_zoom,
            }
        )
    return {"cell_version": version, "cells": cells, "levels": levels}


def fingerprint(city: City) -> dict[str, Any]:
    """Everything that decides a snapshot's content: program, configuration, input files."""
    inputs = {f"{path.parent.name}/{path.name}": file_sha256(path) for path in city.input_files}
    return {"code_version": code_version(), "config_hash": city.config_hash, "inputs": inputs}


def _current(home: Path) -> dict[str, Any] | None:
    store = Store(home)
    try:
        return store.manifest(store.current_id()).raw
    except (NoSnapshotError, SnapshotError):
        return None


def _is_same(current: dict[str, Any], inputs: dict[str, Any], home: Path) -> bool:
    if any(current.get(key) != value for key, value in inputs.items()):
        return False
    try:
        check_files(home, Store(home).manifest(current["snapshot"]))
    except SnapshotError:
        # A damaged snapshot is built again, not kept.
        return False
    return True
