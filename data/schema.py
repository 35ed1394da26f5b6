"""Every stored table: rows, columns, units and keys; the check that a frame keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from data.analysis_tables import ANALYSIS_TABLES
from data.columns import Column, Kind, Table
from data.resources.tables import RESOURCE_TABLES

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Column", "Kind", "SchemaError", "Table", "check_table", "table"]

SCHEMA_VERSION: Final = 2
"""Raised when a stored column changes; readers refuse a snapshot of another version."""

NOT_PLACED: Final = -1
"""Area or cell index of incidents that lie in no area of a level, or have no point."""

UNKNOWN_SEVERITY: Final = 0
"""Stored severity of incidents whose source does not tell one; never shown as a level."""

NO_HOUR: Final = -1
"""Stored hour of incidents of which no time of day is told; never shown as midnight."""


class SchemaError(ValueError):
    """A frame does not keep the columns or keys of its table; the message lists every fault."""


def _counts(index: str, what: str) -> Table:
    return Table(
        f"one per period, {what}, category and severity with at least one incident",
        (
            Column("period_start", "date", "first day of the week or month, city time"),
            Column(index, "int", f"{NOT_PLACED} = placed in none"),
            Column("category_index", "int"),
            Column("severity", "int", f"1-4, {UNKNOWN_SEVERITY} = unknown"),
            Column("count", "int", "incidents"),
        ),
        ("period_start", index, "category_index", "severity"),
    )


AREA_COUNTS: Final = _counts("area_index", "area")
CELL_COUNTS: Final = _counts("cell_index", "cell")

AREA_CELL_COUNTS: Final = Table(
    "one per period, lowest area, cell of the finest resolution, category and severity with at "
    "least one incident; any other area or cell count of incidents is a sum of these",
    (
        Column("period_start", "date", "first day of the week or month, city time"),
        Column("area_row", "int", f"row of `areas`: the lowest area, {NOT_PLACED} = in none"),
        Column("cell_index", "int", f"{NOT_PLACED} = no point"),
        Column("category_index", "int"),
        Column("severity", "int", f"1-4, {UNKNOWN_SEVERITY} = unknown"),
        Column("count", "int", "incidents"),
    ),
    ("period_start", "area_row", "cell_index", "category_index", "severity"),
)
"""What an area has in each cell: a cell may reach across the border of an area that is shown."""

CELLS: Final = Table(
    "one per H3 cell with at least one incident in the snapshot",
    (
        Column("cell_index", "int", "0 to n-1 in the order of `cell`"),
        Column("cell", "text", "15 hexadecimal digits"),
        Column("area_km2", "float", "km²"),
        Column("lng", "float", "degrees, WGS 84"),
        Column("lat", "float", "degrees, WGS 84"),
    ),
    ("cell_index",),
)

TABLES: Final[dict[str, Table]] = {
    "areas": Table(
        "one per area of any level and validity",
        (
            Column("level", "text"),
            Column("area_index", "int", "0 to n-1 within the level; the id in the map's tiles"),
            Column("code", "text"),
            Column("name", "text"),
            Column("name_en", "text"),
            Column("parent_code", "text", nullable=True),
            Column("parent_index", "int", f"in the next higher level; {NOT_PLACED} = top"),
            Column("valid_from", "date", "first day", nullable=True),
            Column("valid_to", "date", "first day no longer valid", nullable=True),
            Column("population", "float", "residents", nullable=True),
            Column("households", "float", "households", nullable=True),
            Column("area_km2", "float", "km²; null where nobody drew a polygon", nullable=True),
            Column("exposure", "float", "in the city's unit of exposure", nullable=True),
            Column("lng", "float", "degrees, WGS 84, a point inside", nullable=True),
            Column("lat", "float", "degrees, WGS 84, a point inside", nullable=True),
            Column("west", "float", "degrees", nullable=True),
            Column("south", "float", "degrees", nullable=True),
            Column("east", "float", "degrees", nullable=True),
            Column("north", "float", "degrees", nullable=True),
        ),
        ("level", "area_index"),
    ),
    "categories": Table(
        "one per category of the two-level taxonomy",
        (
            Column("category_index", "int"),
            Column("code", "text"),
            Column("parent_code", "text", nullable=True),
            Column("name_zh", "text"),
            Column("name_en", "text"),
        ),
        ("category_index",),
    ),
    "area_risk": Table(
        "one per level, window end and area valid then, over all categories and severities",
        (
            Column("level", "text"),
            Column("period_end", "date", "first day of the window's last period"),
            Column("area_index", "int"),
            Column("count", "int", "incidents in the window"),
            Column("exposure", "float", "city unit of exposure", nullable=True),
            Column("rate", "float", "incidents per exposure unit and period", nullable=True),
            Column("prior_rate", "float", "the parent's shrunk rate", nullable=True),
            Column("strength", "float", "Gamma shape of the prior", nullable=True),
            Column("shrunk_rate", "float", "posterior mean", nullable=True),
            Column("lower", "float", "5 % point of the posterior rate", nullable=True),
            Column("upper", "float", "95 % point of the posterior rate", nullable=True),
            Column("ratio", "float", "shrunk rate / city rate", nullable=True),
            Column("p_above", "float", "P(rate > city rate)", nullable=True),
            Column("band", "int", "0 = no data, 1-4 = blue to red"),
            Column("small_sample", "bool", "fewer than 3 incidents"),
        ),
        ("level", "period_end", "area_index"),
    ),
    "accounts": Table(
        "one per source and file (pushes and views: per day)",
        (
            Column("source", "text"),
            Column("file", "text"),
            Column("read", "int", "rows"),
            Column("accepted", "int", "rows kept as a version of an incident"),
            Column("quarantined", "int", "rows"),
            Column("duplicate", "int", "rows that say nothing new"),
            Column("refused", "int", "rows turned away at the door"),
        ),
        ("source", "file"),
    ),
    "quarantine": Table(
        "one per quarantined row",
        (
            Column("batch", "int", "number in the intake log"),
            Column("source", "text"),
            Column("file", "text"),
            Column("row", "int", "1 = first data row"),
            Column("reason", "text"),
            Column("field", "text"),
            Column("value", "text", "masked excerpt", nullable=True),
        ),
        ("batch", "row"),
    ),
    "incidents": Table(
        "one per incident and version (Delta table, partitioned by month); the versions that a "
        "later one replaced are listed in `superseded`",
        (
            Column("incident_id", "text", "source:id"),
            Column("version", "int", "the source's own number, else 1, 2, 3 in order of arrival"),
            Column("source", "text"),
            Column("channel", "text"),
            Column("origin", "text", "reported or discovered"),
            Column("category", "text", "code of the upper level"),
            Column("subcategory", "text", "code of the lower level", nullable=True),
            Column("severity", "int", "1-4", nullable=True),
            Column("scale", "int", "1 individual, 2 group, 3 large group", nullable=True),
            Column("occurred_at", "time", "UTC"),
            Column("occurred_on", "date", "city time"),
            Column("period_start", "date", "city time"),
            Column("reported_at", "time", "UTC", nullable=True),
            Column("dispatched_at", "time", "UTC", nullable=True),
            Column("signed_at", "time", "UTC", nullable=True),
            Column("resolved_at", "time", "UTC", nullable=True),
            Column("archived_at", "time", "UTC", nullable=True),
            Column("deadline_at", "time", "UTC", nullable=True),
            Column("updated_at", "time", "UTC, by the source's clock", nullable=True),
            Column("status", "text", "code", nullable=True),
            Column("outcome", "text", "code", nullable=True),
            Column("repeat_of", "text", "incident_id", nullable=True),
            Column("lng", "float", "degrees, WGS 84", nullable=True),
            Column("lat", "float", "degrees, WGS 84", nullable=True),
            Column("precision", "text", "address, street, place or area", nullable=True),
            Column("located_by", "text", "point, code or none"),
            Column("city_code", "text", nullable=True),
            Column("county_code", "text", nullable=True),
            Column("township_code", "text", nullable=True),
            Column("community_code", "text", nullable=True),
            Column("grid_code", "text", nullable=True),
            Column("area_level", "text", "lowest level of the above", nullable=True),
            Column("area_index", "int", f"at that level, {NOT_PLACED} = none"),
            Column("cell_6", "long", "H3 index", nullable=True),
            Column("cell_7", "long", "H3 index", nullable=True),
            Column("cell_8", "long", "H3 index", nullable=True),
            Column("cell_9", "long", "H3 index", nullable=True),
            Column("cell_10", "long", "H3 index", nullable=True),
            Column("ingested_at", "time", "UTC"),
            Column("batch", "int", "number in the intake log"),
            Column("row", "int", "1 = first data row of its file"),
            Column("identity", "long", "hash of incident_id"),
            Column("content", "long", "hash of what the source says of it"),
            Column("rank", "long", "order among the versions of one incident"),
            Column("month", "text", "YYYY-MM of period_start"),
        ),
        ("batch", "row"),
    ),
    "points": Table(
        "one per lowest area and cell of the finest resolution with an incident of both: where the "
        "map draws all that happened there",
        (
            Column("area_row", "int", "row of `areas`: the lowest area"),
            Column("cell_index", "int", "of the finest resolution"),
            Column(
                "lng",
                "float",
                "degrees, WGS 84: the middle of the cell, or a point that it shares with the area; "
                "null where they share none",
                nullable=True,
            ),
            Column("lat", "float", "degrees, WGS 84", nullable=True),
        ),
        ("area_row", "cell_index"),
    ),
    "area_hours": Table(
        "one per period, area above the grid, hour of the week, upper category and severity with "
        "at least one incident; each incident once, in its lowest such area",
        (
            Column("period_start", "date", "first day of the week or month, city time"),
            Column("area_row", "int", f"row of `areas`, {NOT_PLACED} = in none"),
            Column("hour", "int", f"0 = Monday 0:00-0:59 city time, to 167; {NO_HOUR} = not told"),
            Column("category_index", "int", "of the upper level"),
            Column("severity", "int", f"1-4, {UNKNOWN_SEVERITY} = unknown"),
            Column("count", "int", "incidents"),
        ),
        ("period_start", "area_row", "hour", "category_index", "severity"),
    ),
    "releases": Table(
        "one per edition and period that is released: what may be shown beyond a user's own areas",
        (
            Column("edition", "text", "internal or public"),
            Column("period_start", "date", "first day of the week or month, city time"),
            Column("grain", "text", "week or month"),
            Column("k", "int", "least count that is given"),
            Column("released_at", "time", "UTC"),
            Column("boundary_version", "text", "the one geometry of the release"),
            Column("rules", "text", "hash of the rules that it was made by"),
            Column("finest_totals", "text", "lowest level with totals"),
            Column("finest_categories", "text", "lowest level with upper categories"),
        ),
        ("edition", "period_start"),
    ),
    "released_counts": Table(
        "one per edition, period, area and category whose count is given; what is absent is "
        "withheld",
        (
            Column("edition", "text"),
            Column("period_start", "date"),
            Column("level", "text"),
            Column("code", "text"),
            Column("valid_from", "date", "of the area", nullable=True),
            Column("category_index", "int", "-1 = all, -2 = other, -3 = the sensitive ones"),
            Column("count", "int", "incidents"),
        ),
        ("edition", "period_start", "level", "code", "category_index"),
    ),
    "crosswalk": Table(
        "one per area that was re-cut and area valid now that took a part of it",
        (
            Column("level", "text"),
            Column("old_index", "int", "area_index of the ended area"),
            Column("new_index", "int", f"area_index of the area valid now, {NOT_PLACED} = nowhere"),
            Column("weight", "float", "share of the old area; 1 in all"),
        ),
        ("level", "old_index", "new_index"),
    ),
    "matches": Table(
        "one per pair of incidents of different sources that look like one event: a proposal that "
        "no count follows",
        (
            Column("first_id", "text", "incident_id of the earlier one"),
            Column("second_id", "text", "incident_id"),
            Column("first_source", "text"),
            Column("second_source", "text"),
            Column("area_level", "text", "lowest level of the first one", nullable=True),
            Column("area_index", "int", f"of the first one at that level, {NOT_PLACED} = none"),
            Column("gap_hours", "float", "hours"),
            Column("distance_m", "float", "metres; null where either has no point", nullable=True),
            Column("same_subcategory", "bool"),
            Column("score", "float", "0-1"),
        ),
        ("first_id", "second_id"),
    ),
    "superseded": Table(
        "one per version that is no longer the current one of its incident",
        (
            Column("month", "text", "of the version that was replaced"),
            Column("batch", "int", "of the version that was replaced"),
            Column("row", "int", "of the version that was replaced"),
            Column("superseded_by", "int", "batch from which on it is not current"),
        ),
        ("batch", "row"),
    ),
    **RESOURCE_TABLES,
    **ANALYSIS_TABLES,
}


def table(name: str) -> Table:
    """
    Look up a table by its stored name.

    `area_counts_*`, `cell_counts_*`, `area_cell_counts_*`, `cells_*` share one each.

    Raises
    ------
    KeyError
        There is no such table.
    """
    for prefix, shared in (
        ("area_counts_", AREA_COUNTS),
        ("cell_counts_", CELL_COUNTS),
        ("area_cell_counts_", AREA_CELL_COUNTS),
        ("cells_", CELLS),
    ):
        if name.startswith(prefix):
            return shared
    return TABLES[name]


def check_table(name: str, rows: pd.DataFrame) -> None:
    """
    Check columns, emptiness and key of a frame against its table.

    Raises
    ------
    SchemaError
        With every fault found, each with its row positions (first five).
    """
    kept = table(name)
    faults: list[str] = []
    missing = [column for column in kept.names if column not in rows.columns]
    extra = [str(column) for column in rows.columns if column not in kept.names]
    if missing:
        faults.append(f"missing columns {missing}")
    if extra:
        faults.append(f"unknown columns {extra}")
    for column in kept.columns:
        if column.nullable or column.name in missing:
            continue
        empty = rows[column.name].isna().to_numpy().nonzero()[0]
        if len(empty):
            faults.append(
                f"`{column.name}` is empty in {len(empty)} of {len(rows)} rows "
                f"(rows {empty[:5].tolist()})"
            )
    if not missing:
        repeated = rows.duplicated(list(kept.key)).to_numpy().nonzero()[0]
        if len(repeated):
            faults.append(
                f"{len(repeated)} rows repeat the key {kept.key} (rows {repeated[:5].tolist()})"
            )
    if faults:
        raise SchemaError(f"{name}: " + "; ".join(faults))
