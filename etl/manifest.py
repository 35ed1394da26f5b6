"""Parts of a manifest: what the snapshot says about itself besides its tables."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import shapely

from etl.boundaries import EXPOSURE_UNIT_NAMES
from etl.ingest import FINEST
from geo.allocation import build_crosswalk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.city import City
    from etl.boundaries import Boundaries
    from etl.covered import Periods
    from etl.epoch import Epoch
    from etl.register import Register

ACCOUNT: Final = ("read", "accepted", "quarantined", "duplicate", "refused")


def accounts_table(batches: pd.DataFrame) -> pd.DataFrame:
    """Build the `accounts` table: the batches of one source and file added up."""
    totals = batches.groupby(["source", "file"], as_index=False, sort=True)[list(ACCOUNT)].sum()
    return totals.astype(dict.fromkeys(ACCOUNT, "int64"))


def parent_of(current: Mapping[str, Any] | None, city: City) -> str | None:
    """Id of the snapshot that this one follows; another city's is none."""
    if current is None or current["city"]["code"] != city.code:
        return None
    return str(current["snapshot"])


def category_table(city: City) -> pd.DataFrame:
    """Build the `categories` table, in the order of the file."""
    table = pd.DataFrame(
        [
            (index, category.code, category.parent_code, category.name_zh, category.name_en)
            for index, category in enumerate(city.categories)
        ],
        columns=["category_index", "code", "parent_code", "name_zh", "name_en"],
    )
    return table.astype({"category_index": "int16"})


def crosswalk_table(built: Boundaries) -> pd.DataFrame:
    """Build the `crosswalk` table: what became of the areas that were re-cut, level by level."""
    parts = []
    for level in built.levels:
        areas = built.level_areas(level)
        if areas["valid_to"].notna().any():
            found = build_crosswalk(areas, built.geometries[level], level=level)
            ended = areas["valid_to"].notna().to_numpy()[found["old_index"].to_numpy()]
            parts.append(found[ended])
    if not parts:
        return pd.DataFrame(
            {"level": pd.Series(dtype="str"), "old_index": [], "new_index": [], "weight": []}
        ).astype({"old_index": "int32", "new_index": "int32", "weight": "float64"})
    return pd.concat(parts, ignore_index=True)


def city_entry(city: City) -> dict[str, Any]:
    """City as readers need it."""
    unit_zh, unit_en = EXPOSURE_UNIT_NAMES[city.exposure]
    return {
        "code": city.code,
        "name_zh": city.name_zh,
        "name_en": city.name_en,
        "demo": city.demo,
        "time_zone": city.time_zone,
        "grain": city.grain,
        "exposure": city.exposure,
        "exposure_unit_zh": unit_zh,
        "exposure_unit_en": unit_en,
        "window": city.window,
        "cell_bands": list(city.cell_bands),
        "sensitive": sorted(
            {category.code for category in city.categories} & city.privacy.sensitive_codes()
        ),
        "notice_zh": city.notice_zh,
        "notice_en": city.notice_en,
    }


def periods_entry(periods: Periods) -> dict[str, str]:
    """Periods as ISO dates."""
    return {
        "first": periods.first.isoformat(),
        "last": periods.last.isoformat(),
        "as_of": periods.as_of.isoformat(),
    }


def level_entries(
    city: City, built: Boundaries, zooms: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Levels from the top down, with their names, number of areas and zooms."""
    return [
        {
            "level": level.level,
            "name_zh": level.name_zh,
            "name_en": level.name_en,
            "count": len(built.geometries[level.level]),
            "without_polygon": int(shapely.is_empty(built.geometries[level.level]).sum()),
            "min_zoom": entry["min_zoom"],
            "max_zoom": entry["max_zoom"],
        }
        for level, entry in zip(city.levels, zooms, strict=True)
    ]


def cell_entries(register: Register, zooms: tuple[int, int]) -> list[dict[str, int]]:
    """Resolutions with any cell: number of cells and zooms."""
    return [
        {
            "resolution": resolution,
            "count": len(register.cells(resolution)),
            "min_zoom": zooms[0],
            "max_zoom": zooms[1],
        }
        for resolution in register.resolutions
        if len(register.cells(resolution))
    ]


def rows_entry(
    epoch: Epoch, batches: pd.DataFrame, counts: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """
    Row account of the whole snapshot, and what of it is not on a map.

    Parameters
    ----------
    counts
        Manifest entries of the count tables, which tell their sums.
    """
    incidents: Counter[str] = Counter()
    none: Counter[str] = Counter()
    for entry in counts:
        incidents[entry["table"]] += entry["incidents"]
        none[entry["table"]] += entry["none"]
    levels = epoch.boundaries.levels
    current = incidents[f"area_counts_{levels[0]}"]
    account = {name: int(batches[name].sum()) for name in ACCOUNT}
    return {
        **account,
        "incidents": current,
        "superseded": account["accepted"] - current,
        "no_point": none[f"cell_counts_{FINEST}"],
        "points_dropped": _added(batches, "points_dropped"),
        "not_placed": {level: none[f"area_counts_{level}"] for level in levels},
        "quarantine_reasons": _added(batches, "reasons"),
        "refused_reasons": _added(batches, "refused"),
    }


def _added(batches: pd.DataFrame, name: str) -> dict[str, int]:
    total: Counter[str] = Counter()
    for details in batches["details"]:
        total.update(details[name])
    return dict(sorted(total.items()))


def source_entries(
    city: City, accounts: pd.DataFrame, batches: pd.DataFrame
) -> list[dict[str, Any]]:
    """Row account, days and unmapped codes of each source; days are null without any row."""
    totals = accounts.groupby("source")[list(ACCOUNT)].sum()
    days = batches.dropna(subset=["first_day"]).groupby("source")
    first, last = days["first_day"].min(), days["last_day"].max()
    entries = []
    for source in city.sources:
        own = totals.loc[source.name] if source.name in totals.index else None
        entries.append(
            {
                "name": source.name,
                "title_zh": source.title_zh,
                "title_en": source.title_en,
                "channel": source.channel,
                "origin": source.origin,
                **{name: 0 if own is None else int(own[name]) for name in ACCOUNT},
                "first_day": first.get(source.name),
                "last_day": last.get(source.name),
                "unmapped": _unmapped(batches[batches["source"] == source.name]),
            }
        )
    return entries


def _unmapped(batches: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Values of optional codes that no table knows, by column."""
    found: dict[str, Counter[str]] = {}
    for details in batches["details"]:
        for column, values in details["unmapped"].items():
            found.setdefault(column, Counter()).update(values)
    return {column: dict(counts.most_common(20)) for column, counts in sorted(found.items())}


def agreement_entries(batches: pd.DataFrame) -> list[dict[str, Any]]:
    """Shares of points that lie in the area of their published code, by source and level."""
    sums: dict[tuple[str, str], Counter[str]] = {}
    for row in batches.itertuples():
        for level, name, count in row.details["agreement"]:
            sums.setdefault((str(row.source), level), Counter())[name] += count
    return [
        {
            "source": source,
            "level": level,
            "rows": counts["rows"],
            "same": round(counts["same"] / counts["rows"], 6),
            "within_1m": round(counts["near"] / counts["rows"], 6),
        }
        for (source, level), counts in sums.items()
    ]
