"""Parts of a manifest: what the snapshot says about itself besides its tables."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from etl.boundaries import EXPOSURE_UNIT_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.city import City
    from etl.aggregate import Periods
    from etl.boundaries import Boundaries
    from etl.clean import Cleaned
    from etl.place import Placed

_ACCOUNT = ("read", "accepted", "quarantined", "duplicate")


def joined(
    cleaned: Mapping[str, Cleaned], table: Literal["quarantine", "accounts"]
) -> pd.DataFrame:
    """One table of all sources, in the order of the sources."""
    parts = [getattr(part, table) for part in cleaned.values()]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


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
            "min_zoom": entry["min_zoom"],
            "max_zoom": entry["max_zoom"],
        }
        for level, entry in zip(city.levels, zooms, strict=True)
    ]


def rows_entry(
    accounts: pd.DataFrame,
    quarantine: pd.DataFrame,
    incidents: pd.DataFrame,
    placed: Placed,
    cleaned: Mapping[str, Cleaned],
) -> dict[str, Any]:
    """Row account of the whole build, and what of it is not on a map."""
    dropped: Counter[str] = Counter()
    for part in cleaned.values():
        dropped.update(part.points_dropped)
    return {
        **{name: int(accounts[name].sum()) for name in _ACCOUNT},
        "no_point": int(incidents["lng"].isna().sum()),
        "points_dropped": dict(sorted(dropped.items())),
        "not_placed": {level: int((index < 0).sum()) for level, index in placed.areas.items()},
        "quarantine_reasons": {
            str(reason): int(count)
            for reason, count in quarantine["reason"].value_counts().sort_index().items()
        },
    }


def source_entries(
    city: City, accounts: pd.DataFrame, incidents: pd.DataFrame
) -> list[dict[str, Any]]:
    """Row account and days of each source; days are null where no row was accepted."""
    totals = accounts.groupby("source")[list(_ACCOUNT)].sum()
    days = incidents.groupby("source")["occurred_on"].agg(["min", "max"])
    return [
        {
            "name": source.name,
            "title_zh": source.title_zh,
            "title_en": source.title_en,
            "channel": source.channel,
            "origin": source.origin,
            **{name: int(totals.loc[source.name, name]) for name in _ACCOUNT},
            "first_day": _day(days, source.name, "min"),
            "last_day": _day(days, source.name, "max"),
        }
        for source in city.sources
    ]


def _day(days: pd.DataFrame, source: str, column: str) -> str | None:
    return str(days.loc[source, column].date()) if source in days.index else None
