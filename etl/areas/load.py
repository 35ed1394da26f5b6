"""Load a level's file into a city folder if it is sound, and check the levels that are there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from etl.areas import checks, codes
from etl.areas.folder import read_folder, store_level
from etl.areas.read import COLUMNS, STATED_AREA, AreaFile, read_areas
from etl.areas.recut import merge, valid_on
from etl.areas.report import KINDS, Finding, Report, listed
from geo import boundaries, divisions

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping
    from pathlib import Path

    import geopandas as gpd

    from etl.areas.folder import AreaFolder

_ORDER: Final = {"error": 0, "warning": 1, "note": 2}


class LoadError(ValueError):
    """A load was asked for in a way that cannot be done."""


def load(
    path: Path,
    *,
    folder: Path,
    home: Path,
    level: str,
    columns: Mapping[str, str | tuple[str, ...]],
    frame: str,
    valid_from: dt.date | None = None,
    accept: Collection[str] = (),
    code_list: Path | None = None,
    dry_run: bool = False,
) -> Report:
    """
    Check a level's file and put it into a city folder.

    Parameters
    ----------
    path
        GeoJSON, GeoPackage, GeoParquet or zipped Shapefile.
    folder, home
        City folder, and what `@home` in its data root stands for.
    level
        One of `geo.divisions.LEVELS`.
    columns
        Ours to theirs: `code` and `name`, and of `name_en`, `parent_code`, `population`,
        `households`, `valid_from`, `valid_to`, `area_km2` (stated, only compared) what there is.
    frame
        Frame of the coordinates (`geo.crs`).
    valid_from
        First day of a re-cut; areas before it stay with an end. None replaces the level.
    accept
        Kinds of errors (`KINDS`) that do not keep the file out.
    code_list
        CSV with `code` and `name` of every area that should be there.
    dry_run
        Check only.

    Returns
    -------
    report
        `file` is None where nothing was written: errors that were not accepted, or `dry_run`.

    Raises
    ------
    LoadError, etl.areas.read.AreaFileError, etl.areas.folder.AreaFolderError,
    etl.areas.codes.CodeListError, etl.areas.recut.RecutError, geo.crs.CrsError,
    geo.divisions.DivisionError
        What was asked for cannot be done at all.
    """
    divisions.check_level(level)
    _check_asked(columns, accept)
    city = read_folder(folder, home=home)
    theirs = {
        ours: (names,) if isinstance(names, str) else tuple(names)
        for ours, names in columns.items()
    }
    file = read_areas(path, columns=theirs, frame=frame)
    file = replace(file, rows=city.with_plain_codes(file.rows, level))
    _fill_top(file.rows, level, city, theirs)
    current = _valid_now(file)
    report = _checked(current, level, city, day=valid_from, accept=accept, code_list=code_list)
    if not report.is_sound:
        return report
    unique = _one_per_code(file.rows)
    rows, changes, found = merge(city.edition(level), unique, valid_from=valid_from)
    found += _orphaned(city, level, rows)
    findings = _sorted((*report.findings, *found))
    report = replace(report, findings=findings, changes=changes)
    if dry_run or not report.is_sound:
        return report
    return replace(report, file=store_level(city, level, rows))


def check(
    folder: Path, *, home: Path, levels: Collection[str] = (), day: dt.date | None = None
) -> list[Report]:
    """
    Check the levels that a city folder has.

    Parameters
    ----------
    folder, home
        As in `load`.
    levels
        Levels to check; none = all that have a file.
    day
        Check the areas valid on this day; None = those without an end.

    Returns
    -------
    reports
        From the top level down.
    """
    city = read_folder(folder, home=home)
    reports = []
    for level in divisions.LEVELS:
        rows = city.edition(level)
        if rows is None or (levels and level not in levels):
            continue
        current = valid_on(rows, day)
        if "parent_code" in current:
            _fill_top(current, level, city, {})
        stored = str(city.levels[level]["file"])
        file = AreaFile(stored, "EPSG:4326", current, current.geometry.to_numpy(), {}, ())
        report = _checked(file, level, city, day=day, accept=(), code_list=None)
        orphans = _orphaned(city, level, rows) if day is None else []
        reports.append(replace(report, findings=_sorted((*report.findings, *orphans))))
    return reports


def _check_asked(columns: Mapping[str, object], accept: Collection[str]) -> None:
    known = (*COLUMNS, STATED_AREA)
    if odd := sorted(set(columns) - set(known)):
        raise LoadError(f"unknown columns {', '.join(odd)}; known are {', '.join(known)}")
    if "code" not in columns:
        raise LoadError("name the column of the codes: --column code=...")
    errors = [kind for kind, (severity, *_) in KINDS.items() if severity == "error"]
    if odd := sorted(set(accept) - set(errors)):
        raise LoadError(f"cannot accept {', '.join(odd)}; errors are {', '.join(errors)}")


def _valid_now(file: AreaFile) -> AreaFile:
    """Areas without an end, of a file that dates its areas itself."""
    kept = np.flatnonzero(file.rows["valid_to"].isna())
    if len(kept) == len(file.rows):
        return file
    place = {int(row): position for position, row in enumerate(kept)}
    faults = {place[row]: told for row, told in file.faults.items() if row in place}
    rows = file.rows.iloc[kept].reset_index(drop=True)
    return replace(file, rows=rows, degrees=file.degrees[kept], faults=faults)


def _fill_top(
    rows: gpd.GeoDataFrame, level: str, city: AreaFolder, columns: Mapping[str, object]
) -> None:
    """Let areas right below the city, whose file names no parent, belong to the city."""
    upper = divisions.previous_level(city.levels, level) or divisions.LEVELS[0]
    unnamed = "parent_code" not in columns and rows["parent_code"].isna().all()
    if level != divisions.LEVELS[0] and upper == divisions.LEVELS[0] and unnamed:
        rows["parent_code"] = pd.Series([city.code] * len(rows), rows.index, dtype=object)


def _checked(
    file: AreaFile,
    level: str,
    city: AreaFolder,
    *,
    day: dt.date | None,
    accept: Collection[str],
    code_list: Path | None,
) -> Report:
    """Everything that can be said of a file and the levels above it."""
    parents = city.parents(level, day)
    shares = checks.frame_shares(file, parents)
    ground_km2 = float(boundaries.area_km2(file.rows.geometry.to_numpy()).sum())
    findings = [
        *codes.check_codes(
            file,
            level=level,
            pattern=city.pattern(level),
            parents=None if parents is None else list(parents.codes),
        ),
        *checks.check_datum(file),
        *checks.check_shapes(file),
        *checks.check_tiling(file, parents),
        *checks.check_within_city(file, city.outline(level)),
        *checks.check_frame(file, shares, ground_km2),
    ]
    if level == divisions.LEVELS[-1]:
        findings += checks.check_households(file)
    if code_list is not None:
        official = codes.read_code_list(code_list)
        findings += codes.check_against_list(file.rows, official, city_code=city.code)
    return Report(
        level=level,
        name=file.name,
        frame=file.frame,
        areas=len(file.rows),
        findings=_sorted(tuple(findings)),
        accepted=tuple(accept),
        parent_level=None if parents is None else parents.level,
        frame_shares=shares,
    )


def _one_per_code(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows that can be areas: a code and a polygon; pieces of one code joined."""
    shapes = rows.geometry.to_numpy()
    usable = rows[rows["code"].notna() & ~rows.geometry.is_empty]
    if not usable["code"].duplicated().any():
        return usable.reset_index(drop=True)
    key = usable["code"] + "\0" + usable["valid_from"].map(str)
    shapes = usable.geometry.to_numpy()
    names, joined = boundaries.dissolve_by_code(shapes, key.to_numpy())
    first = np.flatnonzero(~key.duplicated().to_numpy())
    whole = usable.iloc[first].reset_index(drop=True)
    assert key.iloc[first].tolist() == list(names)
    return whole.set_geometry(joined, crs="EPSG:4326")


def _orphaned(city: AreaFolder, level: str, rows: gpd.GeoDataFrame) -> list[Finding]:
    """Areas of the level below that name a parent without a row that goes on."""
    lower = divisions.next_level(city.levels, level)
    below = None if lower is None else city.edition(lower)
    if below is None:
        return []
    current = valid_on(below, None)
    gone = ~current["parent_code"].isin(set(valid_on(rows, None)["code"]))
    gone &= current["parent_code"].notna()
    pairs = zip(current["code"][gone], current["parent_code"][gone], strict=True)
    return listed("orphaned", [f"{code} → {parent}" for code, parent in pairs])


def _sorted(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Errors first, then in the order of `KINDS`; same kinds stay in their order."""
    kinds = list(KINDS)
    return tuple(
        sorted(findings, key=lambda found: (_ORDER[found.severity], kinds.index(found.kind)))
    )
